//! One toolpack on disk: what it lets an agent do, and what its approved digests stand for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cask_core::artifact::{self, BadArtifact, manifest};
use cask_core::canon::{self, Digest};
use cask_core::lock::{Lockfile, POLICY, SCOPE, Surface};
use cask_core::toolpack::Fixed;
use cask_core::toolpack::scope::Scope;
use serde_json::Value;

use super::folder::Folder;
use super::{MAX_BYTES, Store, dir_of, read, scopes, write};
use crate::error::Error;
use crate::ui::path_word;

/// What the approved digests stand for, so that a difference can be shown.
const CONTENTS: &str = "lockfile/approved.contents.json";

/// An open toolpack.
#[derive(Debug)]
pub struct Pack {
    /// Its directory, manifest and lockfiles.
    pub folder: Folder,
    /// What it lets an agent do.
    pub surface: Surface,
}

impl std::ops::Deref for Pack {
    type Target = Folder;

    fn deref(&self) -> &Folder {
        &self.folder
    }
}

/// Opens the toolpack of this manifest, or of this lockfile, or the only one under the root.
///
/// # Errors
/// [`Error`] with the file and the place in it.
pub fn open(store: &Store, toolpack: Option<&Path>, lockfile: Option<&Path>) -> Result<Pack, Error> {
    let folder = folder(store, toolpack, lockfile)?;
    let surface = surface(store, &folder)?;
    Ok(Pack { folder, surface })
}

/// As [`open`], its manifest only.
///
/// # Errors
/// As [`open`].
pub fn folder(store: &Store, toolpack: Option<&Path>, lockfile: Option<&Path>) -> Result<Folder, Error> {
    let beside = lockfile.and_then(|path| Some(path.parent()?.parent()?.join("toolpack.yaml")));
    let file = match (toolpack, beside) {
        (None, Some(beside)) if beside.is_file() => beside,
        _ => store.toolpack(toolpack)?,
    };
    let dir = dir_of(&file).to_owned();
    let manifest = manifest::read(&read(&dir, &file, MAX_BYTES)?).map_err(|error| wrong(&file, &error))?;
    Ok(Folder { dir, file, manifest })
}

/// What the toolpack in a folder lets an agent do.
///
/// # Errors
/// As [`open`].
pub fn surface(store: &Store, folder: &Folder) -> Result<Surface, Error> {
    let Folder { dir, file, manifest } = folder;
    let toolpack =
        artifact::served(manifest, |name| read(dir, &dir.join(name), MAX_BYTES).map_err(Unreadable::Read))
            .map_err(|error| match error {
                Unreadable::Read(error) => error,
                Unreadable::Wrong(error) => wrong(file, &error),
            })?;
    let mut surface = Surface::from(toolpack);
    surface.scopes = scopes::of(store, &surface.toolpack)?;
    Ok(surface)
}

/// A file of the toolpack of this manifest that is not what it should be.
fn wrong(file: &Path, error: &BadArtifact) -> Error {
    let hint = match error {
        // the version of the Python package that came before
        BadArtifact::Newer { version, .. } if version == "1.0" => {
            format!("if caskmcp wrote it, take it over: cask migrate {}", path_word(file))
        }
        _ => "restore it from version control, or mint again".to_owned(),
    };
    Error::new(format_args!("{}/{error}", dir_of(file).display())).hint(hint)
}

enum Unreadable {
    Read(Error),
    Wrong(BadArtifact),
}

impl From<BadArtifact> for Unreadable {
    fn from(error: BadArtifact) -> Self {
        Self::Wrong(error)
    }
}

impl Pack {
    /// Keeps what the lockfile's approved digests stand for, beside it. What the last one stood for stays
    /// too, so that whoever is killed between the two writes loses nothing.
    ///
    /// # Errors
    /// [`Error`] if it cannot be written.
    pub fn keep_contents(&self, lockfile: &Lockfile) -> Result<(), Error> {
        let mut known = self.kept()?;
        let mut keep = |id: String, digest: Digest, value: &dyn Fn() -> serde_json::Result<Value>| {
            if lockfile.subjects.get(&id).is_some_and(|entry| entry.digest == digest) {
                known.insert(digest.to_string(), value().map_err(Error::new)?);
            }
            Ok(())
        };
        // Of a tool that is none of those nothing is asked: it must not stand in the way of a decision on others.
        for tool in &self.surface.tools {
            keep(format!("tool/{}", tool.name), tool.digest(), &|| serde_json::to_value(tool.as_ref()))?;
        }
        let toolsets = self.surface.toolsets.iter();
        let toolsets =
            toolsets.map(|(name, tools)| (format!("toolset/{name}"), Surface::toolset_content(name, tools)));
        let scopes = self.surface.scopes.iter();
        let scopes = scopes.map(|(name, scope)| (format!("{SCOPE}{name}"), scope.content(name)));
        let policy = [(POLICY.to_owned(), self.surface.policy_content())];
        for (id, value) in toolsets.chain(scopes).chain(policy) {
            keep(id, canon::digest(&value).map_err(Error::new)?, &|| Ok(value.clone()))?;
        }
        let old = self.approved()?.map(|(_, old)| old.subjects);
        let wanted: Vec<String> = lockfile
            .subjects
            .values()
            .chain(old.iter().flat_map(BTreeMap::values))
            .map(|entry| entry.digest.to_string())
            .collect();
        let wanted: BTreeSet<&String> = wanted.iter().collect();
        known.retain(|digest, _| wanted.contains(digest));
        let mut value = serde_json::json!({ "schema_version": "1", "contents": known });
        value.sort_all_objects();
        let mut text = serde_json::to_string_pretty(&value).map_err(Error::new)?;
        text.push('\n');
        write(&self.dir, &self.dir.join(CONTENTS), text.as_bytes())
    }

    /// What was approved, as it was then: that on which enough signers agreed (see `status::agreed`). Each part is checked
    /// against the digest that was signed; a part that is not kept is left out.
    ///
    /// # Errors
    /// [`Error`] if what is kept is not what was signed.
    pub fn approved_surface(&self, lockfile: &Lockfile, agreed: &BTreeSet<String>) -> Result<Surface, Error> {
        let kept = self.kept()?;
        let path = self.dir.join(CONTENTS);
        let mut out = Surface {
            toolpack: lockfile.toolpack.clone(),
            tools: Vec::new(),
            toolsets: BTreeMap::new(),
            policy: String::new(),
            scopes: BTreeMap::new(),
        };
        for (id, entry) in lockfile.subjects.iter().filter(|(id, _)| agreed.contains(*id)) {
            let Some(value) = kept.get(&entry.digest.to_string()) else { continue };
            let wrong =
                |why: &dyn std::fmt::Display| Error::new(format_args!("{}: {id}: {why}", path.display()));
            let digest: Digest = canon::digest(value).map_err(|error| wrong(&error))?;
            if digest != entry.digest {
                return Err(wrong(&"is not what was approved").hint("restore the file from version control"));
            }
            let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            if id.starts_with("tool/") {
                let tool = serde_json::from_value(value.clone()).map_err(|error| wrong(&error))?;
                out.tools.push(Fixed::new(tool).map_err(|error| wrong(&error))?);
            } else if let Some(name) = id.strip_prefix("toolset/") {
                let tools = value.get("tools").cloned().unwrap_or_default();
                let tools = serde_json::from_value(tools).map_err(|error| wrong(&error))?;
                out.toolsets.insert(name.to_owned(), tools);
            } else if let Some(name) = id.strip_prefix(SCOPE) {
                let scope = Scope::of_content(value).map_err(|error| wrong(&error))?;
                out.scopes.insert(name.to_owned(), scope);
            } else if id == POLICY {
                out.policy = text("policy");
            }
        }
        Ok(out)
    }

    fn kept(&self) -> Result<BTreeMap<String, Value>, Error> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Kept {
            #[serde(rename = "schema_version")]
            _schema_version: String,
            contents: BTreeMap<String, Value>,
        }
        let path = self.dir.join(CONTENTS);
        if !path.is_file() {
            return Ok(BTreeMap::new());
        }
        let kept: Kept = serde_json::from_str(&read(&self.dir, &path, MAX_BYTES)?)
            .map_err(|error| Error::new(format_args!("{}: {error}", path.display())))?;
        Ok(kept.contents)
    }
}
