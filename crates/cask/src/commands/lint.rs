//! `cask lint`: say what is questionable in a toolpack as it stands, whoever approved it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cask_core::artifact::{MAX_BYTES, manifest};
use cask_core::finding::Finding;
use cask_core::lint::{self, Input, Manifest, Outcome, Waived, rules};
use cask_core::lock::Lockfile;
use cask_core::lock::status::{Against, Standing, accept, standings};
use cask_core::report::escape::terminal;
use cask_core::report::{Report, Section};

use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::output::{self, Style};
use crate::store::pack::{self, Pack};
use crate::store::{Store, read};
use crate::{settings, trust};

/// More waived findings than this are counted, not listed.
const LISTED: usize = 20;

/// Say what is questionable in a toolpack as it stands, whoever approved it.
///
/// Looks at what the policy lets through, at the texts that an agent reads, at names, schemas and hosts, and at the
/// lockfile and the trust file. Exits with 0 if there is nothing to look at, 1 if something needs review, 2 if an agent
/// could do harm or a client would break. Levels and waivers stand in cask.toml.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The toolpack.yaml [default: the only one under the root]
    #[arg(long, value_name = "FILE")]
    toolpack: Option<PathBuf>,
    /// The lockfile [default: the toolpack's own sealed one]
    #[arg(long, value_name = "FILE")]
    lockfile: Option<PathBuf>,
    /// Only what this toolset serves: its tools, their hosts, itself, and what is around them
    #[arg(long, value_name = "NAME")]
    toolset: Option<String>,
    /// Levels, budget and waivers [default: cask.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Style,
}

/// Runs the command.
///
/// # Errors
/// [`Error`] if the toolpack, the lockfile, the trust file or the settings cannot be read.
pub fn run(args: Args, ctx: &Ctx) -> Result<Exit, Error> {
    let store = Store::new(&ctx.root);
    let settings = settings::load(args.config.as_deref())?;
    let pack = pack::open(&store, args.toolpack.as_deref(), args.lockfile.as_deref())?;
    let surface = &pack.surface;
    let toolset = args.toolset.as_deref();
    if let Some(name) = toolset.filter(|name| !surface.toolsets.contains_key(*name)) {
        let there: Vec<String> = surface.toolsets.keys().map(|name| terminal(name)).collect();
        return Err(Error::new(format_args!("no toolset `{}`", terminal(name)))
            .hint(format_args!("there are {}", there.join(", "))));
    }
    let lockfile = lockfile(&pack, args.lockfile.as_deref())?;
    let (trust, now) = (trust::current(&store, ctx)?, ctx.now());
    let seen = store.seen(&surface.toolpack)?.filter(|_| args.lockfile.is_none());
    let against = Against { trust: &trust, now: &now, seen: seen.as_ref() };
    let standings = match &lockfile {
        None => BTreeMap::new(),
        Some((_, lockfile)) => standings(surface, lockfile, &against)
            .map_err(|refused| Error::new(&refused.message).hint(refused.hint))?,
    };
    let files = texts(&pack)?;
    let manifest = &pack.manifest;
    let outcome = lint::check(&Input {
        surface,
        manifest: Manifest {
            hosts: &manifest.hosts,
            asked: &manifest.origin.allowed_hosts,
            paths: &manifest.paths,
            digests: &manifest.digests,
            owned: &manifest::OWNED,
        },
        files: &files,
        lockfile: lockfile.as_ref().map(|(_, lockfile)| lockfile),
        standings: &standings,
        trust: &trust,
        now: &now,
        settings: &settings,
        toolset,
    });
    let refused = lockfile.as_ref().and_then(|(_, it)| accept(it, &surface.toolpack, &against).err());
    let mut report = report(outcome, &pack, ctx);
    report.notes.extend(settings.set_levels());
    if let Some((path, lockfile)) = &lockfile {
        let words = format!("{} (revision {})", path.display(), lockfile.revision);
        report.subject.push(("lockfile".to_owned(), words));
        let approved = standings.values().filter(|standing| **standing == Standing::Approved).count();
        report.counts.insert("subjects approved".to_owned(), approved as u64);
    }
    if let Some(name) = toolset {
        report.subject.push(("toolset".to_owned(), name.to_owned()));
    }
    if let Some(refused) = refused {
        report.notes.push(format!("the lockfile is not accepted: {refused} ({})", refused.code));
        report.next.push(format!("{} gate check", ctx.command()));
    }
    output::report(&report, args.format, ctx)
}

/// The lockfile that was given, or the sealed one.
fn lockfile(pack: &Pack, given: Option<&Path>) -> Result<Option<(PathBuf, Lockfile)>, Error> {
    let found = match given {
        Some(path) => Some((path.to_owned(), pack.lockfile(path)?)),
        None => pack.approved()?,
    };
    match found {
        Some((path, lockfile)) if lockfile.toolpack != pack.surface.toolpack => {
            let (theirs, ours) = (terminal(&lockfile.toolpack), &pack.surface.toolpack);
            Err(Error::new(format_args!("{} is for toolpack {theirs}, not for {ours}", path.display()))
                .hint("give the lockfile of this toolpack with --lockfile"))
        }
        found => Ok(found),
    }
}

/// The artifacts as they are on disk, by their path there. One that is not there is another command's matter.
fn texts(pack: &Pack) -> Result<BTreeMap<String, String>, Error> {
    let listed = pack.manifest.paths.values().chain(pack.manifest.digests.keys());
    let usual = [manifest::MANIFEST, manifest::TOOLSETS, manifest::POLICY].map(str::to_owned);
    let paths: BTreeSet<&String> = listed.chain(&usual).collect();
    let there = paths.into_iter().filter(|path| manifest::is_inside(path) && pack.dir.join(path).is_file());
    there.map(|path| Ok((path.clone(), read(&pack.dir, &pack.dir.join(path), MAX_BYTES)?))).collect()
}

fn report(outcome: Outcome, pack: &Pack, ctx: &Ctx) -> Report {
    let Outcome { findings, waived } = outcome;
    let said = findings.iter().map(|finding| finding.code).collect::<BTreeSet<_>>().len();
    let title = match said {
        0 => "lint: nothing to look at".to_owned(),
        1 => "lint: one rule has something to say".to_owned(),
        many => format!("lint: {many} rules have something to say"),
    };
    let mut next = Vec::new();
    if let Some(worst) = findings.iter().max_by_key(|finding| finding.severity) {
        next.push(format!("{} explain {}", ctx.command(), worst.code));
    }
    let words = |Waived { finding: Finding { code, at, .. }, reason, until }: &Waived| {
        format!("waived until {until}: `{code}` of `{}` ({reason})", at.subject)
    };
    let mut notes: Vec<String> = waived.iter().take(LISTED).map(words).collect();
    if waived.len() > LISTED {
        notes.push(format!("and {} more are waived", waived.len() - LISTED));
    }
    let sections = lint::grouped(findings).into_iter();
    Report {
        verdict: None,
        kind: "lint",
        title,
        subject: vec![("toolpack".to_owned(), pack.surface.toolpack.clone())],
        sections: sections.map(|(title, findings)| Section { title: title.to_owned(), findings }).collect(),
        counts: [
            ("rules".to_owned(), rules::all().count() as u64),
            ("tools".to_owned(), pack.surface.tools.len() as u64),
            ("waived".to_owned(), waived.len() as u64),
        ]
        .into(),
        notes,
        next,
        artifact: pack.file.display().to_string(),
        folder: pack.dir.display().to_string(),
    }
}
