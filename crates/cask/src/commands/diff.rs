//! `cask diff`: show what a toolpack would let an agent do that is not approved yet.

use std::path::PathBuf;

use cask_core::lock::status::{Against, accept};
use cask_core::lock::{POLICY, State};
use cask_core::report::{Report, Section};

use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::output::{self, Style};
use crate::store::Store;
use crate::store::{folder, pack};
use crate::trust;
use crate::ui::path_word;

/// Show what a toolpack would let an agent do that is not approved yet.
///
/// Exits with 0 if the toolpack is what was approved, 1 if something differs, 2 if an agent could do more.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The toolpack.yaml [default: the only one under the root]
    #[arg(long, value_name = "FILE")]
    toolpack: Option<PathBuf>,
    /// Compare with this sealed lockfile [default: the toolpack's own]
    #[arg(long, value_name = "FILE")]
    lockfile: Option<PathBuf>,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Style,
}

/// Runs the command.
///
/// # Errors
/// [`Error`] if the toolpack or the lockfile cannot be read, or the lockfile is not accepted.
pub fn run(args: Args, ctx: &Ctx) -> Result<Exit, Error> {
    let store = Store::new(&ctx.root);
    let mut pack = pack::open(&store, args.toolpack.as_deref(), args.lockfile.as_deref())?;
    let sealed = match &args.lockfile {
        Some(path) => {
            Some((path.clone(), pack.lockfile(path)?)).filter(|(_, lockfile)| lockfile.seal.is_some())
        }
        None => pack.approved()?,
    };
    let before = match &sealed {
        None => None,
        Some((path, lockfile)) => {
            let trust = trust::current(&store, ctx)?;
            let now = ctx.now();
            let seen = store.seen(&pack.surface.toolpack)?.filter(|_| args.lockfile.is_none());
            let against = Against { trust: &trust, now: &now, seen };
            accept(lockfile, &pack.surface.toolpack, &against).map_err(|refused| {
                Error::new(format_args!("{}: {refused}", path.display())).hint(refused.hint)
            })?;
            Some(pack.approved_surface(lockfile)?)
        }
    };
    // A block is a decision: what nobody may use is not something an agent could do.
    let blocked = |id: String| {
        let entry = sealed.as_ref().and_then(|(_, lockfile)| lockfile.subjects.get(&id));
        entry.is_some_and(|entry| entry.state == State::Blocked)
    };
    pack.surface.tools.retain(|tool| !blocked(format!("tool/{}", tool.name)));
    let mut groups = cask_core::diff::grouped(before.as_ref(), &pack.surface);
    let policy_blocked = blocked(POLICY.to_owned());
    if policy_blocked {
        groups.iter_mut().for_each(|(_, findings)| findings.retain(|finding| finding.at.subject != POLICY));
        groups.retain(|(_, findings)| !findings.is_empty());
    }
    let title = match (&before, groups.is_empty()) {
        (None, _) => "nothing is approved yet: all of this is new",
        (Some(_), true) => "the toolpack is what was approved",
        (Some(_), false) => "the toolpack is not what was approved",
    };
    let mut report = Report {
        kind: "diff",
        title: title.to_owned(),
        subject: vec![("toolpack".to_owned(), pack.surface.toolpack.clone())],
        sections: groups.into_iter().map(|(title, findings)| Section { title, findings }).collect(),
        counts: [("tools".to_owned(), pack.surface.tools.len() as u64)].into(),
        artifact: pack.file.display().to_string(),
        ..Report::default()
    };
    if policy_blocked {
        report.notes.push("the policy is blocked: nothing is served".to_owned());
    }
    if let Some((path, lockfile)) = &sealed {
        let against = format!("{} (revision {})", path.display(), lockfile.revision);
        report.subject.push(("approved in".to_owned(), against));
    }
    if report.findings().next().is_some() {
        let pending = pack.pending_file();
        let cask = ctx.command();
        // what waits for a decision must be what is there
        let next = folder::pending(sealed.as_ref().map(|(_, lockfile)| lockfile), None, &pack.surface)?;
        let current = |waiting| folder::stale(&waiting, &next).is_none();
        if !(pending.is_file() && pack.lockfile(&pending).is_ok_and(current)) {
            report.next.push(format!("{cask} gate sync --toolpack {}", path_word(&pack.file)));
        }
        report.next.push(format!("{cask} gate allow --all --lockfile {}", path_word(&pending)));
    }
    output::report(&report, args.format, ctx)
}
