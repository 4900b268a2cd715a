//! `cask migrate`: take over the toolpacks of the Python package `caskmcp`.

use std::path::PathBuf;

use cask_core::capture::openapi;
use cask_core::report::escape::terminal;

use crate::compile::{self, Built, Request};
use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::migrate::{self, Decided, Old};
use crate::store::folder::PENDING;
use crate::store::{Store, descriptions};
use crate::{output, ui};

/// Take over toolpacks of the Python package caskmcp (0.2): tools and names, never approvals.
///
/// Without --write it only shows what it would do. Example: cask migrate old/.caskmcp --write
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The state root of caskmcp, or a toolpack.yaml in it
    path: PathBuf,
    /// Write the toolpacks; otherwise only show them
    #[arg(long)]
    write: bool,
}

/// Runs the command.
///
/// # Errors
/// [`Error`] if a toolpack cannot be read, or its contract has nothing to compile.
pub fn run(args: Args, ctx: &Ctx) -> Result<Exit, Error> {
    let store = Store::new(&ctx.root);
    let mut exit = Exit::Pass;
    let mut text = String::new();
    for file in migrate::manifests(&args.path)? {
        match migrate::read(&file)? {
            None => {
                text += &format!(
                    "{}: made by cask, with the newest schema: nothing to do\n",
                    terminal(&file.display().to_string())
                )
            }
            Some(old) => {
                text += &one(&old, args.write, ctx, &store)?;
                exit = Exit::Review;
            }
        }
    }
    if exit == Exit::Review && !args.write {
        let again = format!("{} migrate {} --write", ctx.command(), ui::path_word(&args.path));
        text += &format!("\nnothing was written; to do it: {again}\n");
    }
    output::text(&text)?;
    Ok(exit)
}

fn one(old: &Old, write: bool, ctx: &Ctx, store: &Store) -> Result<String, Error> {
    let (path, contract) = &old.contract;
    let shown = path.display().to_string();
    let description =
        openapi::read(contract, &shown, old.hosts.first().map(String::as_str)).map_err(Error::new)?;
    let mut hosts: Vec<String> = description.endpoints.iter().map(|endpoint| endpoint.host.clone()).collect();
    hosts.sort();
    hosts.dedup();
    let names = old.names(&description.endpoints);
    let name = if old.name.trim().is_empty() { None } else { Some(old.name.as_str()) };
    let mut text = format!(
        "{}: `{}` ({})\n",
        terminal(&old.file.display().to_string()),
        terminal(&old.name),
        terminal(&old.id)
    );
    text += &format!(
        "  {} on {}; {} of {} keep their names\n",
        ui::count(description.endpoints.len() as u64, "operation"),
        terminal(&hosts.join(", ")),
        names.len(),
        ui::count(old.tools.len() as u64, "tool")
    );
    text += &decided(old);
    if old.policy {
        text += "  its policy is of another language and is not taken over: the default one denies what is not a read until a person confirms\n";
    }
    if !write {
        return Ok(text);
    }
    let _held = store.lock("migrate")?;
    let id = descriptions::keep(store, &description.title, &description.endpoints)?;
    let request = Request {
        name: super::mint::name(name, &hosts)?,
        hosts,
        descriptions: [id].into(),
        names,
        ..Request::default()
    };
    let built: Built = compile::build(store, ctx, &request)?;
    let written = built.write(store, ctx)?;
    text += &format!("  wrote {}\n", written.folder.file.display());
    let mut next = compile::next_commands(ctx, &written.folder.dir);
    let blocked = blocked(old);
    if !blocked.is_empty() {
        // before what approves all that is not blocked
        let pending = ui::path_word(&written.folder.dir.join(PENDING));
        next.insert(1, format!("{} gate block {blocked} --lockfile {pending}", ctx.command()));
    }
    next.iter().for_each(|command| text += &format!("  {command}\n"));
    Ok(text)
}

/// What was blocked there, to be typed.
fn blocked(old: &Old) -> String {
    let rejected = old.tools.values().filter(|tool| tool.status == "rejected");
    rejected.map(|tool| ui::word(&terminal(&tool.name))).collect::<Vec<_>>().join(" ")
}

/// What was decided there, which has to be decided again.
fn decided(old: &Old) -> String {
    let approved: Vec<&Decided> = old.tools.values().filter(|tool| tool.status == "approved").collect();
    let mut text = String::new();
    if !approved.is_empty() {
        text += "  approved there, to be approved again: an approval of caskmcp does not cover descriptions and schemas\n";
    }
    for tool in approved {
        let by = tool.approved_by.as_deref().unwrap_or("somebody");
        let why = tool.approval_reason.as_deref().filter(|why| !why.is_empty());
        let why = why.map_or_else(String::new, |why| format!(": {}", terminal(why)));
        text += &format!("    {} by {}{why}\n", terminal(&tool.name), terminal(by));
    }
    let blocked = blocked(old);
    if !blocked.is_empty() {
        text += &format!("  blocked there; to block them here: cask gate block {blocked}\n");
    }
    text
}
