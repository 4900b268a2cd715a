//! `cask doctor`: whether everything is ready to serve with nobody there.

use cask_core::report::escape::{lines, terminal};
use serde_json::json;

use super::mint::Shape;
use crate::ctx::Ctx;
use crate::doctor::{Ground, Said, Status, Verdict};
use crate::error::{Error, Exit};
use crate::output;

/// Say whether everything is ready to serve with nobody there.
///
/// Looks at the state root, its keys and its lock, the trust, every toolpack with its lockfile and policy, the audit log and
/// the machine around them. Changes nothing. Exits with 0 if it is ready, 1 if a command fixes it (it says which), 2 if
/// somebody has to decide, 3 if files or settings are not what they should be. A warning changes no exit code.
///
/// Example: cask doctor --format json
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
}

/// Runs the command.
///
/// # Errors
/// [`Error`] if stdout cannot be written.
pub fn run(args: Args, ctx: &Ctx) -> Result<Exit, Error> {
    let rows = Ground::new(ctx).rows();
    let verdict = rows.iter().map(|(_, said)| said.means).max().unwrap_or(Verdict::Ready);
    output::text(&match args.format {
        Shape::Text => text(&rows, verdict),
        Shape::Json => json(&rows, verdict)?,
    })?;
    Ok(verdict.exit())
}

fn text(rows: &[(&str, Said)], verdict: Verdict) -> String {
    let mut out = String::new();
    for (code, said) in rows {
        let message = terminal(&said.message);
        out += &format!("{:<4}  {code:<16}  {message}\n", said.status.as_str());
        for line in lines(&said.hint).lines().filter(|_| said.status != Status::Ok) {
            out += &format!("{:24}→ {}\n", "", line.trim());
        }
    }
    out + &format!("\n{}\n", verdict.as_str())
}

fn json(rows: &[(&str, Said)], verdict: Verdict) -> Result<String, Error> {
    let rows = rows.iter().map(|(code, said)| {
        json!({ "code": code, "status": said.status.as_str(), "message": said.message, "hint": said.hint })
    });
    let value = json!({
        "schema_version": "1",
        "verdict": verdict.as_str(),
        "checks": rows.collect::<Vec<_>>(),
    });
    let bytes = cask_core::canon::canonical(&value).map_err(Error::new)?;
    Ok(format!("{}\n", String::from_utf8_lossy(&bytes)))
}
