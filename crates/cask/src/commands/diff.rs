//! `cask diff`: show what a toolpack would let an agent do that is not approved yet.

use std::path::PathBuf;

use cask_core::diff::{self, Answer, Class};
use cask_core::finding::Finding;
use cask_core::lock::status::{Against, accept, agreed};
use cask_core::lock::{Lockfile, POLICY, State, Surface};
use cask_core::report::{Report, Section, Verdict};

use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::output::{self, Style};
use crate::proof::{self, Proof};
use crate::store::pack::Pack;
use crate::store::{Store, against, folder, pack};
use crate::trust;
use crate::ui::path_word;

/// Show what a toolpack would let an agent do that is not approved yet.
///
/// Exits with 0 if the toolpack is what was approved, 1 if something differs, 2 if an agent could do more.
/// Examples: cask diff --against HEAD~1; cask diff --format html > review.html; cask diff --fail-on new-host
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The toolpack.yaml [default: the only one under the root]
    #[arg(long, value_name = "FILE")]
    toolpack: Option<PathBuf>,
    /// Compare with this sealed lockfile [default: the toolpack's own]
    #[arg(long, value_name = "FILE")]
    lockfile: Option<PathBuf>,
    /// Compare with another toolpack, or with this one at a git revision
    #[arg(long, value_name = "PATH|REVISION", conflicts_with_all = ["lockfile", "baseline"])]
    against: Option<String>,
    /// Compare with a snapshot that `cask gate snapshot` wrote: its file, or the first digits of its digest
    #[arg(long, value_name = "SNAPSHOT", conflicts_with = "lockfile")]
    baseline: Option<String>,
    /// Exit with 2 if a change is of this class or a more dangerous one, and only then
    #[arg(long, value_name = "CLASS", value_parser = classes())]
    fail_on: Option<Class>,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Style,
}

fn classes() -> impl clap::builder::TypedValueParser<Value = Class> {
    use clap::builder::TypedValueParser as _;
    clap::builder::PossibleValuesParser::new(Class::ALL.map(Class::as_str))
        .try_map(|text| text.parse::<Class>())
}

/// What a toolpack is compared with.
struct Before {
    /// Nothing, where nothing is approved yet.
    surface: Option<Surface>,
    /// The sealed lockfile, where it is compared with what that approves.
    sealed: Option<Lockfile>,
    /// How to call it: label and name.
    name: Option<(&'static str, String)>,
}

/// Runs the command.
///
/// # Errors
/// [`Error`] if the toolpack or what it is compared with cannot be read, or the lockfile is not accepted.
pub fn run(args: Args, ctx: &Ctx) -> Result<Exit, Error> {
    let store = Store::new(&ctx.root);
    let mut pack = pack::open(&store, args.toolpack.as_deref(), args.lockfile.as_deref())?;
    let before = before(&args, ctx, &store, &pack)?;
    // A block is a decision: what nobody may use is not something an agent could do.
    let blocked = |id: String| {
        let entry = before.sealed.as_ref().and_then(|lockfile| lockfile.subjects.get(&id));
        entry.is_some_and(|entry| entry.state == State::Blocked)
    };
    pack.surface.tools.retain(|tool| !blocked(format!("tool/{}", tool.name)));
    let mut groups = diff::grouped(before.surface.as_ref(), &pack.surface);
    let mut notes = Vec::new();
    if blocked(POLICY.to_owned()) {
        groups.iter_mut().for_each(|(_, findings)| findings.retain(|finding| finding.at.subject != POLICY));
        groups.retain(|(_, findings)| !findings.is_empty());
        notes.push("the policy is blocked: nothing is served".to_owned());
    }
    notes.extend(before.surface.as_ref().and_then(|then| ask(then, &pack.surface, &mut groups)));
    let sections = groups.into_iter().map(|(title, findings)| Section { title, findings }).collect();
    let mut report = Report {
        kind: "diff",
        title: title(&before, &args).to_owned(),
        subject: vec![("toolpack".to_owned(), pack.surface.toolpack.clone())],
        sections,
        counts: [("tools".to_owned(), pack.surface.tools.len() as u64)].into(),
        notes,
        artifact: pack.file.display().to_string(),
        ..Report::default()
    };
    if report.findings().next().is_none() {
        report.title = "the toolpack is what it is compared with".to_owned();
        if before.sealed.is_some() {
            report.title = "the toolpack is what was approved".to_owned();
        }
    }
    if let Some((label, name)) = &before.name {
        report.subject.push(((*label).to_owned(), name.clone()));
    }
    if let Some(least) = args.fail_on {
        let some = report.findings().next().is_some();
        let fails = diff::at_least(report.findings(), least);
        let rest = if some { Verdict::Review } else { Verdict::Pass };
        report.verdict = Some(if fails { Verdict::Breaking } else { rest });
    }
    if report.findings().next().is_some() && args.against.is_none() && args.baseline.is_none() {
        report.next = next(ctx, &pack, before.sealed.as_ref(), report.findings())?;
    }
    output::report(&report, args.format, ctx)
}

fn title(before: &Before, args: &Args) -> &'static str {
    match (&before.surface, args.against.is_some() || args.baseline.is_some()) {
        (None, _) => "nothing is approved yet: all of this is new",
        (Some(_), false) => "the toolpack is not what was approved",
        (Some(_), true) => "the toolpack is not what it is compared with",
    }
}

fn before(args: &Args, ctx: &Ctx, store: &Store, pack: &Pack) -> Result<Before, Error> {
    let other = |other: against::Other| Before {
        surface: Some(other.surface),
        sealed: None,
        name: Some(("compared with", other.name)),
    };
    if let Some(given) = &args.against {
        return against::other(store, &pack.dir, given).map(other);
    }
    if let Some(given) = &args.baseline {
        return against::snapshot(store, &pack.surface.toolpack, given).map(other);
    }
    let sealed = match &args.lockfile {
        Some(path) => {
            Some((path.clone(), pack.lockfile(path)?)).filter(|(_, lockfile)| lockfile.seal.is_some())
        }
        None => pack.approved()?,
    };
    let Some((path, lockfile)) = sealed else {
        return Ok(Before { surface: None, sealed: None, name: None });
    };
    let trust = trust::current(store, ctx)?;
    let now = ctx.now();
    let seen = store.seen(&pack.surface.toolpack)?.filter(|_| args.lockfile.is_none());
    let against = Against { trust: &trust, now: &now, seen: seen.as_ref() };
    accept(&lockfile, &pack.surface.toolpack, &against)
        .map_err(|refused| Error::new(format_args!("{}: {refused}", path.display())).hint(refused.hint))?;
    let name = format!("{} (revision {})", path.display(), lockfile.revision);
    let surface = Some(pack.approved_surface(&lockfile, &agreed(&lockfile, &against))?);
    Ok(Before { surface, sealed: Some(lockfile), name: Some(("approved in", name)) })
}

/// Asks the solver where structure alone says only that the policy may allow more. Gives a note if there is no answer.
fn ask(then: &Surface, now: &Surface, groups: &mut Vec<(String, Vec<Finding>)>) -> Option<String> {
    let wider =
        |finding: &Finding| finding.at.subject == POLICY && diff::class(finding) == Some(Class::PolicyWider);
    let at = groups.iter().position(|(_, findings)| findings.iter().any(wider))?;
    if then.policy.is_empty() {
        return None;
    }
    let answer = match proof::compare(&then.policy, now) {
        Proof::Narrower(kinds) => Answer::Narrower(kinds),
        Proof::Wider { tool, call } => Answer::Wider { tool, call },
        Proof::Unknown(why) => {
            return Some(format!(
                "whether the policy allows more was not proved ({why}), so it counts as wider"
            ));
        }
    };
    let (_, findings) = groups.get_mut(at)?;
    diff::answered(findings, &answer);
    // What was proved belongs where its class does.
    let moved: Vec<Finding> = match answer {
        Answer::Narrower(_) => {
            findings.extract_if(.., |finding| finding.at.subject == POLICY && !wider(finding)).collect()
        }
        Answer::Wider { .. } => Vec::new(),
    };
    if !moved.is_empty() {
        let title = Class::Narrower.title().to_owned();
        match groups.iter_mut().find(|(heading, _)| *heading == title) {
            Some((_, findings)) => findings.extend(moved),
            None => groups.push((title, moved)),
        }
    }
    groups.retain(|(_, findings)| !findings.is_empty());
    None
}

/// What to type next: sync where what waits for a decision is not what is there, then decide.
fn next<'f>(
    ctx: &Ctx,
    pack: &Pack,
    sealed: Option<&Lockfile>,
    findings: impl IntoIterator<Item = &'f Finding>,
) -> Result<Vec<String>, Error> {
    let pending = pack.pending_file();
    let cask = ctx.command();
    let mut steps = Vec::new();
    let next = folder::pending(sealed, None, &pack.surface)?;
    let current = |waiting| folder::stale(&waiting, &next).is_none();
    if !(pending.is_file() && pack.lockfile(&pending).is_ok_and(current)) {
        steps.push(format!("{cask} gate sync --toolpack {}", path_word(&pack.file)));
    }
    // Nobody is led to sign what looks like an attack.
    if let Some(worst) = findings.into_iter().find(|one| diff::class(one) == Some(Class::Injection)) {
        steps.push(format!("{cask} explain {}", worst.code));
        steps.push(format!("{cask} gate block NAME"));
        return Ok(steps);
    }
    steps.push(format!("{cask} gate review --toolpack {}", path_word(&pack.file)));
    steps.push(format!("{cask} gate allow --all --lockfile {}", path_word(&pending)));
    Ok(steps)
}
