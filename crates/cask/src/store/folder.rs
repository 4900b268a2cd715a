//! The folder of a toolpack: its manifest and its lockfiles.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cask_core::artifact::lockfile::{self as wire, BadFile};
use cask_core::artifact::{Manifest, manifest};
use cask_core::lock::seen::Seen;
use cask_core::lock::{Entry, Lockfile, Surface, change};

use super::{dir_of, read, write};
use crate::error::Error;

/// The lockfile that waits for decisions.
pub const PENDING: &str = "lockfile/caskmcp.lock.pending.yaml";
/// The sealed lockfile.
pub const APPROVED: &str = "lockfile/caskmcp.lock.approved.yaml";
/// The sealed lockfile under the name that people keep in a repository of their own.
pub const PLAIN: &str = "lockfile/caskmcp.lock.yaml";

/// The lockfile that comes next: after the sealed one, and after every one that was accepted here.
///
/// # Errors
/// [`Error`] if something in it has no canonical form.
pub fn pending(base: Option<&Lockfile>, seen: Option<&Seen>, surface: &Surface) -> Result<Lockfile, Error> {
    let mut next = change::pending(base, surface).map_err(Error::new)?;
    next.revision = next.revision.max(seen.map_or(0, |seen| seen.revision).saturating_add(1));
    Ok(next)
}

/// The first subject on which a reviewed lockfile and the one that comes next disagree. Who made a change is said in the
/// reviewed one only.
#[must_use]
pub fn stale<'l>(reviewed: &'l Lockfile, next: &'l Lockfile) -> Option<&'l String> {
    let mut ids = reviewed.subjects.keys().chain(next.subjects.keys()).collect::<BTreeSet<_>>().into_iter();
    let bare = |lockfile: &Lockfile, id: &String| {
        lockfile.subjects.get(id).map(|entry| Entry { author: None, ..entry.clone() })
    };
    ids.find(|id| bare(reviewed, id) != bare(next, id))
}

/// Where a toolpack is, and what its manifest says.
#[derive(Debug)]
pub struct Folder {
    /// The directory.
    pub dir: PathBuf,
    /// `toolpack.yaml`
    pub file: PathBuf,
    /// What it says.
    pub manifest: Manifest,
}

impl Folder {
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
                .hint("restore it from version control; to begin anew: `cask state accept`, then `cask gate sync`"));
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
        let base = if own { self.dir.as_path() } else { dir_of(path) };
        wire::read(&read(base, path, wire::MAX_BYTES)?).map_err(|error| bad(path, &error))
    }

    /// The sealed lockfile, if there is one. It is not verified yet.
    ///
    /// # Errors
    /// As [`Folder::lockfile`].
    pub fn approved(&self) -> Result<Option<(PathBuf, Lockfile)>, Error> {
        let Some(path) = self.approved_file()? else { return Ok(None) };
        let lockfile = self.lockfile(&path)?;
        Ok(Some((path, lockfile)))
    }

    /// As [`Folder::approved`], but none where the manifest names a file that is gone: for decisions that begin
    /// anew. What runs never takes the one for the other.
    ///
    /// # Errors
    /// As [`Folder::lockfile`].
    pub fn approved_if_there(&self) -> Result<Option<(PathBuf, Lockfile)>, Error> {
        if self.is_lost() { Ok(None) } else { self.approved() }
    }

    /// Whether the manifest names a lockfile that is gone.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.manifest.lockfile.as_ref().is_some_and(|named| !self.dir.join(named).exists())
    }

    /// Writes a lockfile into the toolpack, after proving that reading it gives the same.
    ///
    /// # Errors
    /// [`Error`] if it cannot be written.
    pub fn write_lockfile(&self, name: &str, lockfile: &Lockfile) -> Result<PathBuf, Error> {
        let path = self.dir.join(name);
        write(&self.dir, &path, lockfile_text(lockfile, &path)?.as_bytes())?;
        Ok(path)
    }

    /// Points the manifest at the approved lockfile; at none where someone has decided to begin anew.
    ///
    /// # Errors
    /// [`Error`] if it cannot be written.
    pub fn name_lockfile(&self, name: Option<&str>) -> Result<(), Error> {
        if self.manifest.lockfile.as_deref() == name {
            return Ok(());
        }
        let manifest = Manifest { lockfile: name.map(str::to_owned), ..self.manifest.clone() };
        write(&self.dir, &self.file, manifest::write(&manifest).as_bytes())
    }
}

/// The text of a lockfile for that file, which reads back the same.
///
/// # Errors
/// [`Error`] if it does not.
pub fn lockfile_text(lockfile: &Lockfile, path: &Path) -> Result<String, Error> {
    let text = wire::write(lockfile);
    match wire::read(&text) {
        Ok(again) if again == *lockfile => Ok(text),
        Ok(_) => Err(Error::new(format_args!("{}: would not read back the same", path.display()))),
        Err(error) => Err(bad(path, &error)),
    }
}

fn bad(path: &Path, error: &BadFile) -> Error {
    Error::new(format_args!("{}: {error}", path.display()))
}
