//! From captures and API descriptions under the state root to a toolpack there.
//!
//! [`build`] reads and computes, [`Built::write`] writes: verification builds again and compares.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cask_core::artifact::{self, BadArtifact, Manifest, Text, coverage, manifest};
use cask_core::endpoint::Endpoint;
use cask_core::lock::{Lockfile, State, Surface};
use cask_core::toolpack::{self, Fixed, Options, Toolpack, baseline};
use rayon::prelude::*;

use crate::ctx::Ctx;
use crate::error::Error;
use crate::import::{self, Imported};
use crate::store::folder::{self, Folder};
use crate::store::{self, Store, descriptions};

mod report;

use report::Facts;
pub use report::{Written, next_commands, report};

/// What to compile. What the toolpack of this name and these hosts was made from before is added.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The toolpack's name; with `hosts` it makes the id.
    pub name: String,
    /// The hosts that were asked for, patterns included.
    pub hosts: Vec<String>,
    /// Captures, by id.
    pub captures: BTreeSet<String>,
    /// API descriptions, by id (see [`descriptions::keep`]).
    pub descriptions: BTreeSet<String>,
    /// Names that tools are to have, by the id of their endpoint.
    pub names: BTreeMap<String, String>,
}

/// A toolpack as files, not written yet.
#[derive(Debug)]
pub struct Built {
    /// Its directory.
    pub dir: PathBuf,
    /// The toolpack.
    pub toolpack: Toolpack,
    /// What traffic has shown.
    pub coverage: artifact::Coverage,
    /// Its artifacts, by path relative to `dir`.
    pub files: BTreeMap<String, Text>,
    /// The manifest that goes with them.
    pub manifest: Manifest,
}

/// The captures that the toolpack of this name and these hosts was compiled from, if it is there.
///
/// # Errors
/// [`Error`] if it is there and cannot be read.
pub fn captures(store: &Store, name: &str, hosts: &[String]) -> Result<Vec<String>, Error> {
    let dir = store.toolpack_dir(&cask_core::ids::toolpack(name, hosts))?;
    let path = dir.join(manifest::MANIFEST);
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let text = store::read(&dir, &path, artifact::MAX_BYTES)?;
    let manifest =
        manifest::read(&text).map_err(|error| Error::new(format_args!("{}: {error}", dir.display())))?;
    Ok(manifest.captures)
}

/// Compiles a request, with all that the same toolpack was compiled from before.
///
/// # Errors
/// [`Error`] if a capture, a description or the toolpack as it is cannot be read, or nothing is in it.
pub fn build(store: &Store, ctx: &Ctx, request: &Request) -> Result<Built, Error> {
    build_with(store, ctx, request, None)
}

/// As [`build`], with a capture that was just imported. Afterwards it is saved, whatever became of the rest.
///
/// # Errors
/// As [`build`].
pub fn build_with(
    store: &Store,
    ctx: &Ctx,
    request: &Request,
    mut fresh: Option<Imported>,
) -> Result<Built, Error> {
    let built = build_from(store, ctx, request, fresh.as_mut());
    fresh.map_or(Ok(()), |mut fresh| fresh.saving.wait())?;
    built
}

fn build_from(
    store: &Store,
    ctx: &Ctx,
    request: &Request,
    mut fresh: Option<&mut Imported>,
) -> Result<Built, Error> {
    let mut hosts = request.hosts.clone();
    hosts.sort();
    hosts.dedup();
    let id = cask_core::ids::toolpack(&request.name, &hosts);
    let dir = store.toolpack_dir(&id)?;
    let before = Before::read(&dir)?;
    let (mut captures, mut descriptions) = (request.captures.clone(), request.descriptions.clone());
    let mut lockfile = None;
    let mut pinned = Vec::new();
    let mut options = Options { name: request.name.clone(), hosts: hosts.clone(), ..Options::default() };
    options.names.clone_from(&request.names);
    if let Some(before) = before {
        captures.extend(before.manifest.captures);
        descriptions.extend(before.manifest.origin.descriptions);
        lockfile = before.manifest.lockfile;
        pinned = before.endpoints;
        options.names.extend(Options::names_of(&before.tools));
        options.approved = before.approved;
        options.policy = Some(before.policy);
        options.toolsets = before.toolsets;
    }
    let mut exchanges = 0;
    let mut skipped: BTreeMap<String, u64> = BTreeMap::new();
    let mut summary = fresh.as_mut().map(|fresh| std::mem::take(&mut fresh.summary)).unwrap_or_default();
    for capture in &captures {
        let facts = match fresh.as_ref().filter(|fresh| fresh.capture.id == *capture) {
            Some(fresh) => fresh.capture.clone(),
            None => {
                let loaded = import::load(store.root(), capture, ctx)?;
                summary.merge(loaded.summary);
                loaded.capture
            }
        };
        exchanges += facts.kept();
        for (reason, count) in facts.skipped {
            *skipped.entry(reason).or_default() += count;
        }
    }
    let mut declared = Vec::new();
    for description in &descriptions {
        declared.extend(descriptions::load(store, description)?);
    }
    let known: BTreeSet<String> = pinned.iter().map(|endpoint: &Endpoint| endpoint.id.clone()).collect();
    pinned.extend(declared.iter().filter(|endpoint| !known.contains(&endpoint.id)).cloned());
    if let Some(fresh) = fresh.filter(|_| summary.is_lean()) {
        fresh.saving.wait()?; // it is read a second time
    }
    let observed = import::endpoints(store.root(), &captures, summary, &pinned, ctx)?;
    let endpoints = baseline::merge(declared, observed);
    if endpoints.is_empty() {
        return Err(Error::new("nothing to compile: no exchange belongs to an endpoint")
            .hint("record calls of the service's API, with their answers"));
    }
    options.captures = captures.into_iter().collect();
    let toolpack = toolpack::compile(endpoints, &options).map_err(unwritable)?;
    let coverage = coverage::of(&toolpack.baseline, exchanges, skipped);
    let files = artifact::files(&toolpack, &coverage).map_err(unwritable)?;
    let origin = manifest::Origin { allowed_hosts: hosts, descriptions: descriptions.into_iter().collect() };
    let manifest = Manifest::of(&toolpack, origin, artifact::digests(&files), lockfile);
    Ok(Built { dir, toolpack, coverage, files, manifest })
}

fn unwritable(error: impl std::fmt::Display) -> Error {
    Error::new(format_args!("nothing was written: {error}"))
        .hint("leave the recording with that call out, and report this: it is a bug in cask")
}

/// The toolpack as it is on disk.
struct Before {
    manifest: Manifest,
    endpoints: Vec<Endpoint>,
    tools: Vec<Fixed>,
    /// Of them what the sealed lockfile has approved, by endpoint id.
    approved: BTreeMap<String, Fixed>,
    /// Users may write their own rules and toolsets: minting again keeps them.
    policy: String,
    toolsets: BTreeMap<String, BTreeSet<String>>,
}

impl Before {
    fn read(dir: &Path) -> Result<Option<Self>, Error> {
        let path = dir.join(manifest::MANIFEST);
        if !path.exists() {
            return Ok(None);
        }
        let text = |name: &str| store::read(dir, &dir.join(name), artifact::MAX_BYTES);
        let bad = |error: BadArtifact| {
            Error::new(format_args!("{}: {error}", dir.display()))
                .hint("restore it from version control, or move the directory away and mint anew")
        };
        let manifest = manifest::read(&text(manifest::MANIFEST)?).map_err(bad)?;
        let baseline = artifact::baseline::read(&text(manifest::BASELINE)?).map_err(bad)?;
        let tools = artifact::tools::read(&text(manifest::TOOLS)?).map_err(bad)?;
        let toolsets = artifact::toolsets::read(&text(manifest::TOOLSETS)?).map_err(bad)?;
        let folder = Folder { dir: dir.to_owned(), file: path, manifest };
        let sealed = folder.approved_if_there()?.map(|(_, lockfile)| lockfile.subjects).unwrap_or_default();
        let approved = |tool: &&Fixed| {
            let entry = sealed.get(&format!("tool/{}", tool.name));
            entry.is_some_and(|entry| entry.state == State::Approved && entry.digest == tool.digest())
        };
        let approved =
            tools.iter().filter(approved).map(|tool| (tool.evidence.endpoint.clone(), tool.clone()));
        let (approved, endpoints, policy) = (approved.collect(), baseline.endpoints, text(manifest::POLICY)?);
        Ok(Some(Self { manifest: folder.manifest, endpoints, tools, approved, policy, toolsets }))
    }
}

impl Built {
    /// The text of the manifest.
    #[must_use]
    pub fn manifest_text(&self) -> String {
        manifest::write(&self.manifest)
    }

    /// Writes what changed, the manifest last, then the pending lockfile.
    ///
    /// # Errors
    /// [`Error`] if it cannot be written.
    pub fn write(self, store: &Store, ctx: &Ctx) -> Result<Written, Error> {
        let manifest_text = Text::from(self.manifest_text());
        let Built { dir, mut toolpack, coverage, files: texts, manifest } = self;
        let facts = Facts::of(&toolpack);
        let_go(std::mem::take(&mut toolpack.baseline));
        let mut surface = Surface::from(toolpack);
        surface.scopes = store::scopes::of(store, &surface.toolpack)?;
        let folder = Folder { file: dir.join(manifest::MANIFEST), dir, manifest };
        let changed = |(name, text): &(&String, &Text)| {
            let path = folder.dir.join(name);
            let same = path.is_file()
                && store::read_bytes(&folder.dir, &path, artifact::MAX_BYTES).is_ok_and(|old| text.is(&old));
            !same
        };
        let name = manifest::MANIFEST.to_owned();
        let manifest = [(&name, &manifest_text)];
        let files: Vec<_> = texts.par_iter().filter(changed).collect();
        let manifest: Vec<_> = manifest.into_iter().filter(changed).collect();
        let save = || {
            // the manifest last: it says which files there are
            store.write_all(&under(&folder.dir, &files))?;
            store.write_all(&under(&folder.dir, &manifest))?;
            if let Some(out) = &ctx.out {
                store::make_dir(out)?;
                let all: Vec<_> = texts.iter().chain([(&name, &manifest_text)]).collect();
                store::write_all(out, &under(&out.join(&surface.toolpack), &all))?;
            }
            Ok::<_, Error>(())
        };
        // what nobody has decided on yet is worked out while the disk takes the rest
        let (saved, pending) = rayon::join(save, || pending(store, &folder, &surface));
        saved?;
        let (lockfile, text) = pending?;
        if let Some(text) = text {
            store::write(&folder.dir, &folder.pending_file(), text.as_bytes())?;
        }
        let changed = !files.is_empty() || !manifest.is_empty();
        let_go(surface);
        let undecided = lockfile.subjects.values().filter(|entry| entry.state == State::Pending).count();
        Ok(Written { folder, facts, coverage, changed, subjects: lockfile.subjects.len(), undecided })
    }
}

/// These files, by name, in a directory.
fn under<'t>(dir: &Path, files: &[(&String, &'t Text)]) -> Vec<store::Whole<'t>> {
    files.iter().map(|(name, text)| (dir.join(name), text.pieces().collect())).collect()
}

/// Taking a large toolpack apart takes a while, and the process ends soon: its memory goes back as a whole.
fn let_go<T>(what: T) {
    Box::leak(Box::new(what));
}

/// The lockfile that nobody has decided on yet, and its text where it is not there already. What it keeps of an approved one
/// is only what that one says: whether its signatures hold is checked by those who decide and by those who run.
fn pending(store: &Store, folder: &Folder, surface: &Surface) -> Result<(Lockfile, Option<String>), Error> {
    let base = folder.approved_if_there()?.map(|(_, lockfile)| lockfile);
    let pending = folder::pending(base.as_ref(), store.seen(&surface.toolpack)?.as_ref(), surface)?;
    let path = folder.pending_file();
    let same = path.is_file() && folder.lockfile(&path).is_ok_and(|old| old == pending);
    let text = if same { None } else { Some(folder::lockfile_text(&pending, &path)?) };
    Ok((pending, text))
}
