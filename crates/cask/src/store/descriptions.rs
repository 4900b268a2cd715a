//! Endpoints read from API descriptions, kept so that compiling again needs no other file.

use std::path::PathBuf;

use cask_core::artifact::declared;
use cask_core::endpoint::Endpoint;

use super::{MAX_BYTES, Store, plain, read};
use crate::error::Error;

/// Keeps the endpoints of a description under the root, so that compiling again needs no other file.
///
/// # Errors
/// [`Error`] if they have no canonical form or cannot be written.
pub fn keep(store: &Store, title: &str, endpoints: &[Endpoint]) -> Result<String, Error> {
    let text = declared::write(title, endpoints).map_err(Error::new)?.to_string();
    let id = declared::id(&text);
    let path = file(store, &id)?;
    if !path.is_file() {
        store.write(&path, text.as_bytes())?;
    }
    Ok(id)
}

fn file(store: &Store, id: &str) -> Result<PathBuf, Error> {
    Ok(store.root().join("descriptions").join(format!("{}.json", plain(id)?)))
}

/// The endpoints that were kept under this id.
///
/// # Errors
/// [`Error`] if they are not there, or not what was kept.
pub fn load(store: &Store, id: &str) -> Result<Vec<Endpoint>, Error> {
    let path = file(store, id)?;
    if !path.is_file() {
        return Err(Error::new(format_args!("{} is not there", path.display()))
            .hint("mint the API description again, together with the rest"));
    }
    let text = read(store.root(), &path, MAX_BYTES)?;
    if declared::id(&text) != id {
        return Err(Error::new(format_args!("{}: is not what it was when it was read", path.display()))
            .hint("remove it and mint the API description again"));
    }
    declared::read(&text).map_err(|error| Error::new(format_args!("{}: {error}", path.display())))
}
