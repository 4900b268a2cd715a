//! `cask verify`: check a toolpack against its contracts, digests and capture.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cask_core::artifact::{self, BadArtifact, Manifest, contracts, coverage, manifest, yaml};
use cask_core::finding::Finding;
use cask_core::lock::{Surface, change};
use cask_core::report::{Report, Section};
use cask_core::toolpack::Toolpack;
use cask_core::verify;
use serde_json::Value;

use crate::compile::{self, Request};
use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::output::{self, Style};
use crate::store::folder;
use crate::store::{self, Store, read};

/// Check a toolpack against its contracts, digests and capture.
///
/// Exits with 0 if everything holds, 1 if something needs review, 2 if something does not hold.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The toolpack.yaml [default: the only one under the root]
    #[arg(long, value_name = "FILE")]
    toolpack: Option<PathBuf>,
    /// What to check
    #[arg(long, value_enum, default_value_t)]
    mode: Mode,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Style,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum Mode {
    /// Files against their digests and against each other
    #[default]
    Contracts,
    /// The captures compiled again, byte for byte
    Replay,
}

/// Runs the command.
///
/// # Errors
/// [`Error`] if it could not be done.
pub fn run(args: Args, ctx: &Ctx) -> Result<Exit, Error> {
    let store = Store::new(&ctx.root);
    let on_disk = OnDisk::open(&store.toolpack(args.toolpack.as_deref())?)?;
    let (title, findings) = match args.mode {
        Mode::Contracts => ("verify: files against their digests and each other", contracts_hold(&on_disk)),
        Mode::Replay => ("verify: the captures compiled again", replay(&on_disk, &store, ctx)?),
    };
    let mut next = Vec::new();
    if let Some(worst) = findings.iter().max_by_key(|finding| finding.severity) {
        next.push(format!("cask explain {}", worst.code));
    }
    let report = Report {
        kind: "verify",
        title: title.to_owned(),
        subject: vec![
            ("toolpack".to_owned(), on_disk.manifest.id.clone()),
            ("manifest".to_owned(), on_disk.file.display().to_string()),
        ],
        sections: vec![Section { title: String::new(), findings }],
        counts: [("files checked".to_owned(), on_disk.files.len() as u64)].into(),
        next,
        notes: vec!["whether approvals are valid is checked by `cask gate check`, not here".to_owned()],
        artifact: on_disk.file.display().to_string(),
        folder: on_disk.dir.display().to_string(),
        ..Report::default()
    };
    output::report(&report, args.format, ctx)
}

/// A toolpack as its files are, right or wrong.
struct OnDisk {
    file: PathBuf,
    dir: PathBuf,
    manifest: Manifest,
    files: BTreeMap<String, String>,
    /// Files that are there and cannot be read as text.
    broken: Vec<Finding>,
}

impl OnDisk {
    fn open(file: &Path) -> Result<Self, Error> {
        let dir = store::dir_of(file);
        let text = read(dir, file, artifact::MAX_BYTES)?;
        let manifest =
            manifest::read(&text).map_err(|error| Error::new(format_args!("{}: {error}", file.display())))?;
        let (mut files, mut broken) = (BTreeMap::new(), Vec::new());
        let paths: BTreeSet<&String> = manifest.paths.values().chain(manifest.digests.keys()).collect();
        for path in paths.into_iter().filter(|path| manifest::is_inside(path)) {
            let place = dir.join(path);
            if place.symlink_metadata().is_err() {
                continue;
            }
            match read(dir, &place, artifact::MAX_BYTES) {
                Ok(text) => {
                    files.insert(path.clone(), text);
                }
                Err(error) => broken.push(verify::unreadable(path, &error.message)),
            }
        }
        Ok(Self { file: file.to_owned(), dir: dir.to_owned(), manifest, files, broken })
    }

    fn text(&self, path: &str) -> Result<String, BadArtifact> {
        self.files.get(path).cloned().ok_or_else(|| BadArtifact::new(path, "not there"))
    }
}

fn contracts_hold(on_disk: &OnDisk) -> Vec<Finding> {
    let manifest = &on_disk.manifest;
    let expected: Vec<&str> = manifest.paths.values().map(String::as_str).collect();
    let mut findings = verify::digests(&manifest.digests, &on_disk.files, &expected, &manifest::OWNED);
    // what could not be read is there: it is broken, not missing
    findings.retain(|found| !on_disk.broken.iter().any(|broken| broken.at.file == found.at.file));
    findings.extend(on_disk.broken.iter().cloned());
    let toolpack = match artifact::load(manifest, |path| on_disk.text(path)) {
        Ok(toolpack) => Some(toolpack),
        Err(error) => {
            report_bad(&error, on_disk, &mut findings);
            None
        }
    };
    let promised = on_disk.files.get(manifest::CONTRACTS).map(|text| contracts::read(text));
    match (&toolpack, promised) {
        (Some(toolpack), Some(Ok(promised))) => {
            findings.extend(verify::contracts(toolpack, &promised, manifest::CONTRACTS));
        }
        (_, Some(Err(error))) => report_bad(&error, on_disk, &mut findings),
        _ => {}
    }
    if let Some(toolpack) = &toolpack {
        follow(toolpack, on_disk, &mut findings);
        locked(toolpack, on_disk, &mut findings);
    }
    findings
}

/// A file that its reader refused. One that is not there was reported already.
fn report_bad(error: &BadArtifact, on_disk: &OnDisk, findings: &mut Vec<Finding>) {
    let (BadArtifact::Invalid { file, .. } | BadArtifact::Newer { file, .. }) = error;
    if on_disk.files.contains_key(file) {
        findings.push(verify::unreadable(file, &error.to_string()));
    }
}

/// Files that are derived from the tools and the baseline.
fn follow(toolpack: &Toolpack, on_disk: &OnDisk, findings: &mut Vec<Finding>) {
    let coverage = match on_disk.files.get(manifest::COVERAGE).map(|text| coverage::read(text)) {
        Some(Ok(coverage)) => coverage,
        Some(Err(error)) => return report_bad(&error, on_disk, findings),
        None => coverage::of(&toolpack.baseline, 0, BTreeMap::new()),
    };
    let should = match artifact::files(toolpack, &coverage) {
        Ok(should) => should,
        Err(error) => return report_bad(&error, on_disk, findings),
    };
    for path in [manifest::OPENAPI, manifest::SCOPES] {
        let (Some(should), Some(is)) = (should.get(path), on_disk.files.get(path)) else { continue };
        match (value(path, &should.to_string()), yaml::read::<Value>(path, is)) {
            (Some(should), Ok(is)) => findings.extend(verify::derived(path, &should, &is)),
            (_, Err(error)) => report_bad(&error, on_disk, findings),
            (None, Ok(_)) => {}
        }
    }
}

/// The lockfile that counts: the approved one, or the pending one while nothing is approved.
fn locked(toolpack: &Toolpack, on_disk: &OnDisk, findings: &mut Vec<Finding>) {
    let named = on_disk.manifest.lockfile.as_deref();
    let usual = [folder::APPROVED, folder::PLAIN, folder::PENDING];
    let usual = usual.into_iter().find(|name| on_disk.dir.join(name).is_file());
    let Some(name) = named.or(usual) else { return };
    let lockfile = read(&on_disk.dir, &on_disk.dir.join(name), artifact::lockfile::MAX_BYTES)
        .map_err(|error| error.message)
        .and_then(|text| artifact::lockfile::read(&text).map_err(|error| error.to_string()));
    let subjects = change::subjects(&Surface::from(toolpack.clone())).map_err(|error| error.to_string());
    match (lockfile, subjects) {
        (Ok(lockfile), Ok(subjects)) => findings.extend(verify::locked(&subjects, &lockfile, name)),
        (Err(why), _) | (_, Err(why)) => findings.push(verify::unreadable(name, &why)),
    }
}

fn replay(on_disk: &OnDisk, store: &Store, ctx: &Ctx) -> Result<Vec<Finding>, Error> {
    let manifest = &on_disk.manifest;
    let request = Request {
        name: manifest.name.clone(),
        hosts: manifest.origin.allowed_hosts.clone(),
        captures: manifest.captures.iter().cloned().collect(),
        descriptions: manifest.origin.descriptions.iter().cloned().collect(),
        ..Request::default()
    };
    let built = compile::build(store, ctx, &request)?;
    let here = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if here(&built.dir) != here(&on_disk.dir) {
        return Err(Error::new(format_args!(
            "{} is not where its name and hosts put it: {}",
            on_disk.file.display(),
            built.dir.display()
        ))
        .hint("give the state root that it was minted in with `--root`"));
    }
    let again = built.files.iter().map(|(path, text)| (path.clone(), text.to_string()));
    let mut again: BTreeMap<String, String> = again.collect();
    let mut there = on_disk.files.clone();
    again.insert(manifest::MANIFEST.to_owned(), built.manifest_text());
    there.insert(manifest::MANIFEST.to_owned(), read(&on_disk.dir, &on_disk.file, artifact::MAX_BYTES)?);
    let mut findings = on_disk.broken.clone();
    findings.extend(verify::replay(&there, &again, value));
    Ok(findings)
}

/// A file as a JSON value, if it is one.
fn value(path: &str, text: &str) -> Option<Value> {
    match path.rsplit('.').next() {
        Some("json") => serde_json::from_str(text).ok(),
        Some("yaml") => yaml::read(path, text).ok(),
        _ => None,
    }
}
