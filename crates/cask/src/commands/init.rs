//! `cask init`: begin in a repository.

use std::path::{Path, PathBuf};

use cask_core::capture::hosts;
use cask_core::report::escape::terminal;

use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::init::find::{self, Found, Hosts};
use crate::init::plan::{self, Step, What};
use crate::{output, ui};

/// How many files or hosts are listed.
const SHOWN: usize = 20;

/// Begin in a repository: find recordings and API descriptions, and write what cask needs beside them.
///
/// Writes cask.toml, lines for .gitignore and a workflow for pull requests, after showing them; a file that is there is never
/// overwritten. Then says what to type next. Looks at files by how they begin, six folders down, and at nothing hidden.
///
/// Example: cask init --yes
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

/// Runs the command.
///
/// # Errors
/// [`Error`] if it could not be done.
pub fn run(args: Args, ctx: &Ctx) -> Result<Exit, Error> {
    let top = Path::new(".");
    let found = find::find(top)?;
    let hosts = find::hosts(&found, ctx);
    let steps = plan::plan(top, &ctx.root)?;
    output::text(&(told(&found, &hosts) + &shown(&steps)))?;
    let writes = steps.iter().any(|step| matches!(step.what, What::New(_) | What::Add(_)));
    if writes {
        if !args.yes && ui::confirm("write this?") == Some(false) {
            return Err(Error::new("nothing was written"));
        }
        plan::write(top, &steps)?;
    }
    output::text(&next(&found, &hosts, ctx))?;
    Ok(Exit::Pass)
}

/// What is there.
fn told(found: &Found, hosts: &Hosts) -> String {
    let mut out = format!(
        "found {} and {}\n",
        ui::count(found.recordings.len() as u64, "recording"),
        ui::count(found.descriptions.len() as u64, "API description")
    );
    let kinds = [("recording  ", &found.recordings), ("description", &found.descriptions)];
    for (kind, files) in kinds {
        for file in files.iter().take(SHOWN) {
            out += &format!("  {kind}  {}\n", show(file));
        }
        if let more @ 1.. = files.len().saturating_sub(SHOWN) {
            out += &format!("  {kind}  and {more} more\n");
        }
    }
    if found.cut {
        out += "  there are more files than cask looks at here\n";
    }
    for (file, why) in &hosts.passed {
        out += &format!("  not read: {}: {}\n", show(file), terminal(why));
    }
    out + &table(hosts)
}

/// Every host with what was seen of it.
fn table(hosts: &Hosts) -> String {
    let mut rows: Vec<(u64, u64, u64, &str)> = Vec::new();
    for (host, seen) in hosts.seen.iter().filter(|(_, seen)| seen.requests > 0) {
        let operations = hosts.declared.get(host).copied().unwrap_or_default();
        rows.push((seen.api, seen.requests, operations, host.as_str()));
    }
    let unseen = hosts.declared.iter().filter(|(host, _)| !hosts.seen.contains_key(*host));
    rows.extend(unseen.map(|(host, operations)| (0, 0, *operations, host.as_str())));
    rows.sort_by_key(|(api, requests, operations, host)| {
        (std::cmp::Reverse((*api, *requests, *operations)), *host)
    });
    if rows.is_empty() {
        return String::new();
    }
    let cells: Vec<Vec<String>> = rows
        .iter()
        .take(SHOWN)
        .map(|(api, requests, operations, host)| {
            vec![(*host).to_owned(), api.to_string(), requests.to_string(), operations.to_string()]
        })
        .collect();
    let mut out = format!("\n{}", ui::table(&["HOST", "API CALLS", "REQUESTS", "DECLARED"], &cells));
    if let more @ 1.. = rows.len().saturating_sub(SHOWN) {
        out += &format!("and {more} more hosts\n");
    }
    out
}

/// What would be written, whole.
fn shown(steps: &[Step]) -> String {
    let mut out = String::new();
    for step in steps {
        let (what, text) = match &step.what {
            What::New(text) => ("new", text.as_str()),
            What::Add(text) => ("added at its end", text.as_str()),
            What::Stays(text) => ("is there and stays as it is; it would have been", text.as_str()),
            What::Fine => ("is there already", ""),
        };
        out += &format!("\n{}: {what}\n", show(&step.path));
        text.lines().for_each(|line| out += &format!("  | {line}\n"));
    }
    out
}

/// What to type next.
fn next(found: &Found, seen: &Hosts, ctx: &Ctx) -> String {
    let cask = ctx.command();
    if found.recordings.is_empty() && found.descriptions.is_empty() {
        return format!(
            "\nnext: record the service's API in a browser (F12, Network, \"Save all as HAR with content\"), then\n  \
             {cask} mint traffic.har -a api.example.com\n"
        );
    }
    // A description names its hosts itself; a recording has many, and the likeliest is meant.
    let host = hosts::suggest(&seen.seen).unwrap_or_default();
    let read = |file: &&PathBuf| !seen.passed.iter().any(|(passed, _)| passed == *file);
    let mut together: Vec<&PathBuf> = found.recordings.iter().filter(read).take(SHOWN).collect();
    let mut apart = Vec::new();
    for (file, described) in &seen.described {
        if described.contains(host) { together.push(file) } else { apart.push(file) }
    }
    let mut out = "\nnext\n".to_owned();
    if !host.is_empty() {
        let files: Vec<String> = together.iter().map(|file| ui::path_word(file)).collect();
        out += &format!("  {cask} mint {} -a {}\n", files.join(" "), ui::word(host));
    }
    for file in apart.into_iter().take(SHOWN) {
        out += &format!("  {cask} mint {}\n", ui::path_word(file));
    }
    out + &format!("  {cask} diff\n  {cask} gate allow --all\n")
}

fn show(path: &Path) -> String {
    let shown = terminal(&path.display().to_string());
    shown.strip_prefix("./").unwrap_or(&shown).to_owned()
}
