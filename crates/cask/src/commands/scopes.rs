//! `cask scopes`: capability boundaries: what is suggested, what was taken over, what changed since it was approved.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use cask_core::artifact::yaml;
use cask_core::lock::status::{Against, accept, agreed};
use cask_core::report::escape::terminal;
use cask_core::report::{Report, Section};
use cask_core::toolpack::scope::{Suggestion, check};
use serde_json::json;

use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::output::{self, Style};
use crate::store::pack::{self, Pack};
use crate::store::{Store, scopes};
use crate::{trust, ui};

mod merge;

/// Capability boundaries: what is suggested, what was taken over, what changed since it was approved.
///
/// Your own scopes stand in scopes/scopes.yaml under the state root. A tool in one of them is served only within it, and
/// only while it is approved: `cask gate allow scope/NAME`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the scopes that are there, and those that are suggested
    List(Look),
    /// Show a scope: as it is, and as it is suggested, with what speaks for that
    Show(Show),
    /// Show what the suggestions would add to scopes.yaml, or add it
    Merge(merge::Merge),
    /// Show what a preset would add to scopes.yaml, or add it
    Apply(merge::Apply),
    /// Check the scopes: 0 fine, 1 something needs review, 2 a guess about high risk that nobody took over, 3 not readable
    Check(Look),
    /// Compare the scopes with the approved ones: 1 something changed, 2 something might get through that did not
    Diff(Look),
}

#[derive(Debug, clap::Args)]
struct Look {
    /// The toolpack.yaml [default: the only one under the root]
    #[arg(long, value_name = "FILE")]
    toolpack: Option<PathBuf>,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Style,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// The scope
    name: String,
    /// The toolpack.yaml [default: the only one under the root]
    #[arg(long, value_name = "FILE")]
    toolpack: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// [`Error`] if it could not be done.
pub fn run(args: Args, ctx: &Ctx) -> Result<Exit, Error> {
    let store = Store::new(&ctx.root);
    match args.command {
        Command::List(args) => list(&args, &store),
        Command::Show(args) => show(&args, &store),
        Command::Merge(args) => merge::merge(&args, ctx, &store),
        Command::Apply(args) => merge::apply(&args, ctx, &store),
        Command::Check(args) => check(&args, ctx, &store),
        Command::Diff(args) => diff(&args, ctx, &store),
    }
}

fn list(args: &Look, store: &Store) -> Result<Exit, Error> {
    if matches!(args.format, Style::Sarif | Style::Html) {
        return Err(Error::new("`scopes list` is a table, not findings")
            .hint("for findings: `cask scopes check --format sarif` (or html)"));
    }
    let pack = pack::open(store, args.toolpack.as_deref(), None)?;
    let suggested = scopes::suggested(&pack)?;
    let ours = &pack.surface.scopes;
    let names: BTreeSet<&String> = ours.keys().chain(suggested.keys()).collect();
    let rows: Vec<[String; 5]> = names
        .into_iter()
        .map(|name| {
            let (scope, suggestion) = (ours.get(name), suggested.get(name));
            let tools = scope.map(|scope| &scope.tools).or(suggestion.map(|one| &one.surface.tools));
            let risk = tools.map(|tools| pack.surface.risk_of(|tool| tools.contains(tool)).as_str());
            [
                name.clone(),
                scope.map_or("not taken over", |scope| scope.review.as_str()).to_owned(),
                risk.unwrap_or_default().to_owned(),
                suggestion.map_or("", |one| one.confidence.as_str()).to_owned(),
                tools.map_or(0, BTreeSet::len).to_string(),
            ]
        })
        .collect();
    let text = if args.format == Style::Json {
        let rows = rows.iter().map(|[name, review, risk, confidence, tools]| {
            json!({ "scope": name, "review": review, "risk": risk, "confidence": confidence, "tools": tools })
        });
        let value = json!({
            "schema_version": "1",
            "toolpack": pack.surface.toolpack,
            "scopes": rows.collect::<Vec<_>>(),
        });
        let bytes = cask_core::canon::canonical(&value).map_err(Error::new)?;
        format!("{}\n", String::from_utf8_lossy(&bytes))
    } else {
        let header = ["SCOPE", "REVIEW", "RISK", "CONFIDENCE", "TOOLS"];
        let rows: Vec<Vec<String>> = rows.into_iter().map(Vec::from).collect();
        match args.format {
            Style::GithubMd => ui::markdown_table(&header, &rows),
            _ => ui::table(&header, &rows),
        }
    };
    output::text(&text)?;
    Ok(Exit::Pass)
}

fn show(args: &Show, store: &Store) -> Result<Exit, Error> {
    let pack = pack::open(store, args.toolpack.as_deref(), None)?;
    let suggested = scopes::suggested(&pack)?;
    let mut parts = BTreeMap::new();
    if let Some(scope) = pack.surface.scopes.get(&args.name) {
        parts.insert("scope", json!(scope));
    }
    if let Some(suggestion) = suggested.get(&args.name) {
        parts.insert("suggested", json!(suggestion));
    }
    if parts.is_empty() {
        return Err(unknown(&args.name, &pack, &suggested));
    }
    output::text(&yaml::write(&parts))?;
    Ok(Exit::Pass)
}

fn unknown(name: &str, pack: &Pack, suggested: &BTreeMap<String, Suggestion>) -> Error {
    let names: BTreeSet<&String> = pack.surface.scopes.keys().chain(suggested.keys()).collect();
    let names: Vec<String> = names.into_iter().map(|name| terminal(name)).collect();
    let error = Error::new(format_args!("no scope `{}` in {}", terminal(name), pack.surface.toolpack));
    if names.is_empty() {
        return error.hint("mint again: this toolpack has no suggestions either");
    }
    error.hint(format_args!("there are {}", names.join(", ")))
}

fn check(args: &Look, ctx: &Ctx, store: &Store) -> Result<Exit, Error> {
    let pack = pack::open(store, args.toolpack.as_deref(), None)?;
    let suggested = scopes::suggested(&pack)?;
    let findings = check::check(&pack.surface.scopes, &suggested, &pack.surface.tools);
    let mut report = report("the scopes of the toolpack", store, &pack);
    if let Some(worst) = findings.iter().max_by_key(|finding| finding.severity) {
        report.next.push(format!("{} explain {}", ctx.command(), worst.code));
    }
    report.notes.push("whether they are approved is for `cask gate check`".to_owned());
    report.sections = vec![Section { title: String::new(), findings }];
    output::report(&report, args.format, ctx)
}

fn diff(args: &Look, ctx: &Ctx, store: &Store) -> Result<Exit, Error> {
    let pack = pack::open(store, args.toolpack.as_deref(), None)?;
    let mut report = report("the scopes against those that were approved", store, &pack);
    let before = match pack.approved()? {
        None => None,
        Some((path, lockfile)) => {
            let (trust, now) = (trust::current(store, ctx)?, ctx.now());
            let seen = store.seen(&pack.surface.toolpack)?;
            let against = Against { trust: &trust, now: &now, seen: seen.as_ref() };
            accept(&lockfile, &pack.surface.toolpack, &against).map_err(|refused| {
                Error::new(format_args!("{}: {refused}", path.display())).hint(refused.hint)
            })?;
            let name = format!("{} (revision {})", path.display(), lockfile.revision);
            report.subject.push(("approved in".to_owned(), name));
            Some(pack.approved_surface(&lockfile, &agreed(&lockfile, &against))?)
        }
    };
    let findings = cask_core::diff::scopes(before.as_ref(), &pack.surface);
    if !findings.is_empty() {
        let note =
            "no tool of a scope that changed is served before the change is approved, whichever way it goes";
        report.notes.push(note.to_owned());
        let cask = ctx.command();
        report.next = vec![format!("{cask} gate sync"), format!("{cask} gate allow scope/NAME")];
    }
    report.sections = vec![Section { title: String::new(), findings }];
    output::report(&report, args.format, ctx)
}

/// A report about the scopes of a toolpack, with nothing in it yet.
fn report(title: &str, store: &Store, pack: &Pack) -> Report {
    Report {
        kind: "scopes",
        title: title.to_owned(),
        subject: vec![("toolpack".to_owned(), pack.surface.toolpack.clone())],
        counts: [("scopes".to_owned(), pack.surface.scopes.len() as u64)].into(),
        artifact: scopes::file(store).display().to_string(),
        ..Report::default()
    }
}
