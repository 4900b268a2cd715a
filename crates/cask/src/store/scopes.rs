//! Scopes on disk: what the owner of the state root wrote, and what was suggested to them.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use cask_core::artifact::{self, BadArtifact, manifest, scopes, suggested};
use cask_core::toolpack::scope::{Scope, Suggestion};

use super::folder::Folder;
use super::{Store, io_error, read};
use crate::error::Error;

/// `scopes/scopes.yaml`
#[must_use]
pub fn file(store: &Store) -> PathBuf {
    store.root().join(scopes::FILE)
}

/// The text of the file; none if there is none. One that is there and cannot be read is an error: it may hold something.
///
/// # Errors
/// [`Error`] with the path.
pub fn text(store: &Store) -> Result<Option<String>, Error> {
    let path = file(store);
    match path.symlink_metadata() {
        Ok(_) => read(store.root(), &path, scopes::MAX_BYTES).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error("read", &path, &error)),
    }
}

/// The scopes of a toolpack; none where there is no file, or it has none of that toolpack.
///
/// # Errors
/// As [`text`], or if the file is not what it should be.
pub fn of(store: &Store, toolpack: &str) -> Result<BTreeMap<String, Scope>, Error> {
    let Some(text) = text(store)? else { return Ok(BTreeMap::new()) };
    let mut read = scopes::read(&text).map_err(|error| bad(store, &error))?;
    Ok(read.toolpacks.remove(toolpack).unwrap_or_default().scopes)
}

/// The file with these scopes added: every line that was there is still there.
///
/// # Errors
/// As [`of`], or if it is written in a way that nothing can be added to.
pub fn with(store: &Store, toolpack: &str, new: &BTreeMap<String, Scope>) -> Result<String, Error> {
    scopes::add(text(store)?.as_deref(), toolpack, new).map_err(|error| bad(store, &error))
}

/// What is suggested for a toolpack; nothing where the file is gone, which `verify` says.
///
/// # Errors
/// [`Error`] with the file and the place in it.
pub fn suggested(folder: &Folder) -> Result<BTreeMap<String, Suggestion>, Error> {
    let path = folder.dir.join(manifest::SCOPES);
    if !path.is_file() {
        return Ok(BTreeMap::new());
    }
    suggested::read(&read(&folder.dir, &path, artifact::MAX_BYTES)?).map_err(|error| {
        Error::new(format_args!("{}/{error}", folder.dir.display()))
            .hint("restore it from version control, or mint again")
    })
}

fn bad(store: &Store, error: &BadArtifact) -> Error {
    Error::new(format_args!("{}/{error}", store.root().display()))
        .hint("put it right by hand; docs/scopes.md says how it is written")
}
