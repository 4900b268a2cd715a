//! `cask drift`: compare what a service does now with what was accepted.

use std::path::{Path, PathBuf};

use cask_core::artifact::{self, manifest};
use cask_core::capture::hosts::Hosts;
use cask_core::drift::{self, Drift};
use cask_core::endpoint::Endpoint;
use cask_core::endpoint::summary::Summary;
use cask_core::finding::Severity;
use cask_core::redact::Profile;
use cask_core::report::{Report, Section};

use crate::commands::gate;
use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::import;
use crate::output::{self, Style};
use crate::store::pack::{self, Pack};
use crate::store::{self, Store, read};

/// Compare what a service does now with what was accepted.
///
/// What was accepted is a baseline (of a toolpack, or an earlier capture); what it does now is a capture, or traffic
/// that was just recorded. Exits with 0 if nothing drifted, 1 if something needs review, 2 if something breaks callers.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// HAR files with what the service does now, imported first
    #[arg(value_name = "FILES", conflicts_with_all = ["capture_id", "to_capture"])]
    files: Vec<PathBuf>,
    /// The baseline.json that was accepted [default: what was last approved of the toolpack]
    #[arg(long, value_name = "FILE", conflicts_with = "from_capture")]
    baseline: Option<PathBuf>,
    /// The toolpack.yaml whose baseline was accepted [default: the only one under the root]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["baseline", "from_capture"])]
    toolpack: Option<PathBuf>,
    /// The imported capture with what the service does now
    #[arg(long, value_name = "ID")]
    capture_id: Option<String>,
    /// Compare two captures: the earlier one
    #[arg(long, value_name = "ID", requires = "to_capture")]
    from_capture: Option<String>,
    /// Compare two captures: the later one
    #[arg(long, value_name = "ID", requires = "from_capture", conflicts_with = "capture_id")]
    to_capture: Option<String>,
    /// Hosts to keep from FILES [default: those the toolpack was minted with]
    #[arg(short = 'a', long = "allowed-hosts", value_name = "HOSTS")]
    allowed_hosts: Vec<String>,
    /// What counts as secret in FILES: `default_safe` or `high_risk_pii` [default: what did in the toolpack's captures]
    #[arg(long, value_name = "PROFILE", visible_alias = "profile")]
    redaction_profile: Option<Profile>,
    /// Also show differences that chance may explain
    #[arg(long)]
    all: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Style,
}

/// Runs the command.
///
/// # Errors
/// [`Error`] if it could not be done.
pub fn run(args: Args, ctx: &Ctx) -> Result<Exit, Error> {
    let store = Store::new(&ctx.root);
    let (before_name, before, pack) = accepted(&args, ctx, &store)?;
    let (capture, summary, read) = now(&args, ctx, &store, pack.as_ref())?;
    // templates that were accepted come first: inference that came out differently is not drift
    let now = import::endpoints(&ctx.root, [&capture], summary, &before, ctx)?;
    let drift = drift::compare(&before, &now);
    let title = match args.from_capture {
        Some(_) => "drift: what the service does now against what it did",
        None => "drift: what the service does now against what was accepted",
    };
    let report = report(title, drift, &before_name, &format!("capture {capture}"), args.all);
    Ok(output::report(&report, args.format, ctx)?.max(read))
}

/// What was accepted, what to call it, and the toolpack it belongs to.
fn accepted(args: &Args, ctx: &Ctx, store: &Store) -> Result<(String, Vec<Endpoint>, Option<Pack>), Error> {
    if let Some(id) = &args.from_capture {
        let loaded = import::load(store.root(), id, ctx)?;
        let endpoints = import::endpoints(store.root(), [id], loaded.summary, &[], ctx)?;
        return Ok((format!("capture {id}"), endpoints, None));
    }
    if let Some(path) = &args.baseline {
        return Ok((path.display().to_string(), baseline(path)?, None));
    }
    let pack = pack::open(store, args.toolpack.as_deref(), None)?;
    let kept = gate::accepted::path(store, &pack.manifest.id)?;
    // Before the first approval, what was minted is all there is to compare with.
    let path = if kept.is_file() { kept } else { pack.dir.join(manifest::BASELINE) };
    Ok((path.display().to_string(), baseline(&path)?, Some(pack)))
}

fn baseline(path: &Path) -> Result<Vec<Endpoint>, Error> {
    let dir = store::dir_of(path);
    let text = read(dir, path, artifact::MAX_BYTES)?;
    let file = artifact::baseline::read(&text).map_err(|error| {
        Error::new(format_args!("{}: {error}", path.display()))
            .hint("a baseline is the artifact/baseline.json of a toolpack")
    })?;
    Ok(file.endpoints)
}

/// What the service does now, what to call it, and how reading it ended.
fn now(args: &Args, ctx: &Ctx, store: &Store, pack: Option<&Pack>) -> Result<(String, Summary, Exit), Error> {
    if let Some(id) = args.capture_id.as_ref().or(args.to_capture.as_ref()) {
        let loaded = import::load(&ctx.root, id, ctx)?;
        return Ok((id.clone(), loaded.summary, Exit::Pass));
    }
    if args.files.is_empty() {
        return Err(Error::new("drift needs what the service does now")
            .hint("give HAR files, or `--capture-id` of a capture from `cask capture import`"));
    }
    let asked = match (args.allowed_hosts.as_slice(), pack) {
        ([], Some(pack)) => pack.manifest.origin.allowed_hosts.clone(),
        (asked, _) => asked.to_vec(),
    };
    let options = import::Options {
        hosts: Hosts::parse(&asked).map_err(Error::new)?,
        profile: args.redaction_profile.unwrap_or_else(|| {
            import::strictest(store.root(), pack.into_iter().flat_map(|pack| &pack.manifest.captures))
        }),
        threads: 0,
        command: "cask drift",
    };
    let _held = store.lock("drift")?;
    let mut imported = import::import(&args.files, &options, ctx)?;
    imported.saving.wait()?;
    if ctx.terminal || imported.exit != Exit::Pass {
        eprintln!("{}", imported.report);
    }
    Ok((imported.capture_id, imported.summary, imported.exit))
}

fn report(title: &str, drift: Drift, before: &str, now: &str, all: bool) -> Report {
    let mut notes = Vec::new();
    let weak = drift.weak.len() as u64;
    if weak > 0 && !all {
        notes.push("`--all` shows the differences that chance may explain".to_owned());
    }
    if drift.uncalled > 0 {
        notes.push("nothing is said about endpoints that were not called".to_owned());
    }
    let mut next = Vec::new();
    if let Some(worst) = drift.findings.iter().max_by_key(|finding| finding.severity) {
        next.push(format!("cask explain {}", worst.code));
        if worst.severity > Severity::Info {
            notes.push(
                "if a change is meant: mint the new traffic, look at the diff, and approve again".to_owned(),
            );
        }
    }
    let mut sections = vec![Section { title: String::new(), findings: drift.findings }];
    if all {
        sections.push(Section { title: "chance may explain these".to_owned(), findings: drift.weak });
    }
    Report {
        kind: "drift",
        title: title.to_owned(),
        subject: vec![("before".to_owned(), before.to_owned()), ("now".to_owned(), now.to_owned())],
        sections,
        counts: [
            ("endpoints compared".to_owned(), drift.endpoints),
            ("positions compared".to_owned(), drift.positions),
            ("endpoints not called".to_owned(), drift.uncalled),
            ("differences that chance may explain".to_owned(), weak),
        ]
        .into(),
        notes,
        next,
        ..Report::default()
    }
}
