//! One toolpack on disk: its manifest, what it lets an agent do, and its lockfiles.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cask_core::artifact::lockfile::{self as wire, BadFile};
use cask_core::artifact::{self, BadArtifact, Manifest, manifest};
use cask_core::canon::{self, Digest};
use cask_core::lock::{Lockfile, POLICY, State, Surface};
use serde_json::Value;

use super::{MAX_BYTES, Store, read, write};
use crate::error::Error;

/// The lockfile that waits for decisions.
pub const PENDING: &str = "lockfile/caskmcp.lock.pending.yaml";
/// The sealed lockfile.
pub const APPROVED: &str = "lockfile/caskmcp.lock.approved.yaml";
/// The sealed lockfile under the name that people keep in a repository of their own.
const PLAIN: &str = "lockfile/caskmcp.lock.yaml";
/// What the approved digests stand for, so that a difference can be shown.
const CONTENTS: &str = "lockfile/approved.contents.json";

/// An open toolpack.
#[derive(Debug)]
pub struct Pack {
    /// Its directory.
    pub dir: PathBuf,
    /// `toolpack.yaml`
    pub file: PathBuf,
    /// What it says.
    pub manifest: Manifest,
    /// What it lets an agent do.
    pub surface: Surface,
}

/// Opens the toolpack of this manifest, or of this lockfile, or the only one under the root.
///
/// # Errors
/// [`Error`] with the file and the place in it.
pub fn open(store: &Store, toolpack: Option<&Path>, lockfile: Option<&Path>) -> Result<Pack, Error> {
    let beside = lockfile.and_then(|path| Some(path.parent()?.parent()?.join("toolpack.yaml")));
    let file = match (toolpack, beside) {
        (None, Some(beside)) if beside.is_file() => beside,
        _ => store.toolpack(toolpack)?,
    };
    let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
    let wrong = |error: BadArtifact| Error::new(format_args!("{}/{error}", dir.display()));
    let manifest = manifest::read(&read(&dir, &file, MAX_BYTES)?).map_err(wrong)?;
    let toolpack =
        artifact::served(&manifest, |name| read(&dir, &dir.join(name), MAX_BYTES).map_err(Unreadable::Read))
            .map_err(|error| match error {
                Unreadable::Read(error) => error,
                Unreadable::Wrong(error) => wrong(error),
            })?;
    let surface = Surface::from(toolpack);
    Ok(Pack { dir, file, manifest, surface })
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
    /// The pending lockfile's path.
    #[must_use]
    pub fn pending_file(&self) -> PathBuf {
        self.dir.join(PENDING)
    }

    /// The sealed lockfile's path: what the manifest says, or the first of the usual names that is there.
    ///
    /// # Errors
    /// [`Error`] if the manifest names a file that is not there: that is not the same as no lockfile.
    pub fn approved_file(&self) -> Result<Option<PathBuf>, Error> {
        if let Some(named) = &self.manifest.lockfile {
            let path = self.dir.join(named);
            if !path.is_file() {
                return Err(Error::new(format_args!(
                    "{} names the lockfile {named}, which is not there",
                    self.file.display()
                ))
                .hint("restore it from version control; or remove that line and approve anew"));
            }
            return Ok(Some(path));
        }
        Ok([APPROVED, PLAIN].into_iter().map(|name| self.dir.join(name)).find(|path| path.is_file()))
    }

    /// Reads a lockfile. A path outside the toolpack is fine if it was given by hand.
    ///
    /// # Errors
    /// [`Error`] with the file and the place in it.
    pub fn lockfile(&self, path: &Path) -> Result<Lockfile, Error> {
        let own = path.starts_with(&self.dir);
        let parent = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let base = if own { self.dir.as_path() } else { parent };
        wire::read(&read(base, path, wire::MAX_BYTES)?).map_err(|error| bad(path, &error))
    }

    /// The sealed lockfile, if there is one. It is not verified yet.
    ///
    /// # Errors
    /// As [`Pack::lockfile`].
    pub fn approved(&self) -> Result<Option<(PathBuf, Lockfile)>, Error> {
        let Some(path) = self.approved_file()? else { return Ok(None) };
        let lockfile = self.lockfile(&path)?;
        Ok(Some((path, lockfile)))
    }

    /// As [`Pack::approved`], but none where the manifest names a file that is gone: for decisions that begin
    /// anew. What runs never takes the one for the other.
    ///
    /// # Errors
    /// As [`Pack::lockfile`].
    pub fn approved_if_there(&self) -> Result<Option<(PathBuf, Lockfile)>, Error> {
        let gone = self.manifest.lockfile.as_ref().is_some_and(|named| !self.dir.join(named).exists());
        if gone { Ok(None) } else { self.approved() }
    }

    /// Writes a lockfile into the toolpack, after proving that reading it gives the same.
    ///
    /// # Errors
    /// [`Error`] if it cannot be written.
    pub fn write_lockfile(&self, name: &str, lockfile: &Lockfile) -> Result<PathBuf, Error> {
        let path = self.dir.join(name);
        let text = wire::write(lockfile);
        match wire::read(&text) {
            Ok(again) if again == *lockfile => {}
            Ok(_) => {
                return Err(Error::new(format_args!("{}: would not read back the same", path.display())));
            }
            Err(error) => return Err(bad(&path, &error)),
        }
        write(&self.dir, &path, text.as_bytes())?;
        Ok(path)
    }

    /// Points the manifest at the approved lockfile.
    ///
    /// # Errors
    /// [`Error`] if it cannot be written.
    pub fn point_at(&self, name: &str) -> Result<(), Error> {
        if self.manifest.lockfile.as_deref() == Some(name) {
            return Ok(());
        }
        let manifest = Manifest { lockfile: Some(name.to_owned()), ..self.manifest.clone() };
        write(&self.dir, &self.file, manifest::write(&manifest).as_bytes())
    }

    /// Everything that can be approved here, by subject.
    ///
    /// # Errors
    /// [`Error`] if a tool has no JSON form.
    pub fn contents(&self) -> Result<BTreeMap<String, Value>, Error> {
        let mut out = BTreeMap::from([(POLICY.to_owned(), self.surface.policy_content())]);
        for tool in &self.surface.tools {
            out.insert(format!("tool/{}", tool.name), serde_json::to_value(tool).map_err(Error::new)?);
        }
        for (name, tools) in &self.surface.toolsets {
            out.insert(format!("toolset/{name}"), Surface::toolset_content(name, tools));
        }
        Ok(out)
    }

    /// Keeps what the lockfile's approved digests stand for, beside it. What the last one stood for stays
    /// too, so that whoever is killed between the two writes loses nothing.
    ///
    /// # Errors
    /// [`Error`] if it cannot be written.
    pub fn keep_contents(&self, lockfile: &Lockfile) -> Result<(), Error> {
        let mut known = self.kept()?;
        for (id, value) in self.contents()? {
            let digest = canon::digest(&value).map_err(Error::new)?;
            if lockfile.subjects.get(&id).is_some_and(|entry| entry.digest == digest) {
                known.insert(digest.to_string(), value);
            }
        }
        let old = self.approved()?.map(|(_, old)| old.subjects);
        let wanted: Vec<String> = lockfile
            .subjects
            .values()
            .chain(old.iter().flat_map(BTreeMap::values))
            .map(|entry| entry.digest.to_string())
            .collect();
        let wanted: std::collections::BTreeSet<&String> = wanted.iter().collect();
        known.retain(|digest, _| wanted.contains(digest));
        let mut value = serde_json::json!({ "schema_version": "1", "contents": known });
        value.sort_all_objects();
        let mut text = serde_json::to_string_pretty(&value).map_err(Error::new)?;
        text.push('\n');
        write(&self.dir, &self.dir.join(CONTENTS), text.as_bytes())
    }

    /// What was approved, as it was then. Each part is checked against the digest that was signed; a part
    /// that is not kept is left out.
    ///
    /// # Errors
    /// [`Error`] if what is kept is not what was signed.
    pub fn approved_surface(&self, lockfile: &Lockfile) -> Result<Surface, Error> {
        let kept = self.kept()?;
        let path = self.dir.join(CONTENTS);
        let mut out = Surface {
            toolpack: lockfile.toolpack.clone(),
            tools: Vec::new(),
            toolsets: BTreeMap::new(),
            policy: String::new(),
        };
        for (id, entry) in lockfile.subjects.iter().filter(|(_, entry)| entry.state == State::Approved) {
            let Some(value) = kept.get(&entry.digest.to_string()) else { continue };
            let wrong =
                |why: &dyn std::fmt::Display| Error::new(format_args!("{}: {id}: {why}", path.display()));
            let digest: Digest = canon::digest(value).map_err(|error| wrong(&error))?;
            if digest != entry.digest {
                return Err(wrong(&"is not what was approved").hint("restore the file from version control"));
            }
            let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            if id.starts_with("tool/") {
                out.tools.push(serde_json::from_value(value.clone()).map_err(|error| wrong(&error))?);
            } else if let Some(name) = id.strip_prefix("toolset/") {
                let tools = value.get("tools").cloned().unwrap_or_default();
                let tools = serde_json::from_value(tools).map_err(|error| wrong(&error))?;
                out.toolsets.insert(name.to_owned(), tools);
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

fn bad(path: &Path, error: &BadFile) -> Error {
    Error::new(format_args!("{}: {error}", path.display()))
}
