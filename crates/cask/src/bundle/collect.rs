//! From the disk to the members of a bundle: a list of files, and nothing else.

use std::borrow::Cow;
use std::path::Path;

use super::{LONGEST, MOST, Members, names};
use crate::error::Error;
use crate::store::pack::Pack;
use crate::store::{self, Store, io_error};

/// Everything that a bundle of this toolpack carries, as it is on the disk now. Its record is not among it.
///
/// # Errors
/// [`Error`] if a file cannot be read, is a symbolic link or lies behind one, is too long, or if the manifest names a file
/// that bundles do not carry.
pub fn collect(store: &Store, pack: &Pack) -> Result<Members<'static>, Error> {
    let id = &pack.manifest.id;
    let named = pack.manifest.paths.values().chain(pack.manifest.digests.keys());
    if let Some(other) = named.into_iter().find(|path| !names::FILES.contains(&path.as_str())) {
        return Err(Error::new(format_args!(
            "{} names {other}, which a bundle does not carry",
            pack.file.display()
        )));
    }
    let mut members = Members::new();
    let mut take = |base: &Path, file: &str, name: String| -> Result<(), Error> {
        if let Some(bytes) = read(base, file)? {
            members.insert(name, Cow::Owned(bytes));
        }
        Ok(())
    };
    let in_pack = |file: &str| format!("{}/{file}", names::pack(id));
    let of_the_pack = [cask_core::artifact::manifest::MANIFEST, names::CONTENTS];
    for file in of_the_pack.into_iter().chain(names::FILES).chain(lockfile(pack)?) {
        take(&pack.dir, file, in_pack(file))?;
    }
    let root = store.root();
    let baseline = names::baseline(id);
    for file in
        [names::TRUST, names::SCOPES, baseline.as_str()].into_iter().map(str::to_owned).chain(history(root)?)
    {
        take(root, &file, file.clone())?;
    }
    let total: u64 = members.values().map(|bytes| bytes.len() as u64).sum();
    if total > MOST {
        return Err(Error::new(format_args!("these are {total} bytes, and a bundle has at most {MOST}")));
    }
    Ok(members)
}

/// The sealed lockfile, relative to the toolpack; none while nothing is approved.
fn lockfile(pack: &Pack) -> Result<Option<&'static str>, Error> {
    let Some(path) = pack.approved_file()? else { return Ok(None) };
    let known = names::LOCKFILES.into_iter().find(|name| pack.dir.join(name) == path);
    known.map(Some).ok_or_else(|| {
        Error::new(format_args!("{} names the lockfile {}", pack.file.display(), path.display()))
            .hint(format_args!("a bundle carries it under its usual name: {}", names::LOCKFILES.join(" or ")))
    })
}

/// The revisions of the trust before this one: `trust/<revision>.yaml`.
fn history(root: &Path) -> Result<Vec<String>, Error> {
    let dir = root.join("trust");
    let entries = match std::fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io_error("read", &dir, &error)),
    };
    let mut out = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| io_error("read", &dir, &error))?;
        let name = format!("trust/{}", entry.file_name().to_string_lossy());
        if names::trust_revision(&name).is_some() {
            out.push(name);
        }
    }
    Ok(out)
}

/// The bytes of a file below a folder; none if there is none. No step on the way to it is a link.
fn read(base: &Path, file: &str) -> Result<Option<Vec<u8>>, Error> {
    let mut path = base.to_owned();
    for step in file.split('/') {
        path.push(step);
        match path.symlink_metadata() {
            Ok(meta) if meta.is_symlink() => {
                return Err(Error::new(format_args!("{} is a symbolic link", path.display()))
                    .hint("a bundle carries files only: put the file itself there"));
            }
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error("read", &path, &error)),
        }
    }
    store::read_bytes(base, &path, LONGEST).map(Some)
}
