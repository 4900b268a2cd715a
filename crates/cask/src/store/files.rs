//! How files are read and written: bounded, inside their base, whole or not at all.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Component, Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::Error;

/// The longest authority or artifact file that is read, in bytes.
pub const MAX_BYTES: u64 = 256 << 20;

/// How the name of a file begins that is not whole yet.
pub const UNFINISHED: &str = ".cask-";

/// Reads a text file of at most `max` bytes that lies inside `base`, symbolic links followed.
///
/// # Errors
/// [`Error`] with the path: not there, not readable, too long, not UTF-8, or outside.
pub fn read(base: &Path, path: &Path, max: u64) -> Result<String, Error> {
    String::from_utf8(read_bytes(base, path, max)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Error::new(format_args!("{}: not UTF-8 at byte {at}", path.display()))
    })
}

/// As [`read`], for bytes.
///
/// # Errors
/// As [`read`].
pub fn read_bytes(base: &Path, path: &Path, max: u64) -> Result<Vec<u8>, Error> {
    let real = path.canonicalize().map_err(|error| io_error("read", path, &error))?;
    let real_base = base.canonicalize().map_err(|error| io_error("read", base, &error))?;
    if !real.starts_with(&real_base) {
        return Err(outside(path, base));
    }
    // Opening a pipe waits for whoever writes into it.
    if !real.metadata().is_ok_and(|meta| meta.is_file()) {
        return Err(Error::new(format_args!("{} is not a file", path.display())));
    }
    let file = File::open(&real).map_err(|error| io_error("read", path, &error))?;
    let meta = file.metadata().map_err(|error| io_error("read", path, &error))?;
    if !meta.is_file() {
        return Err(Error::new(format_args!("{} is not a file", path.display())));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len().min(max)).unwrap_or(0));
    file.take(max + 1).read_to_end(&mut bytes).map_err(|error| io_error("read", path, &error))?;
    if bytes.len() as u64 > max {
        return Err(Error::new(format_args!("{} is longer than {max} bytes", path.display())));
    }
    Ok(bytes)
}

/// Replaces a file inside `base` by these bytes, whole or not at all. Directories in between are made.
///
/// # Errors
/// [`Error`] with the path; then the old file is as it was.
pub fn write(base: &Path, path: &Path, bytes: &[u8]) -> Result<(), Error> {
    settle(stage(base, path, &[bytes])?, path)?;
    let dir = dir_of(path);
    sync_dir(dir).map_err(|error| io_error("write", path, &error))
}

/// A file to be written: its bytes in pieces.
pub type Whole<'f> = (PathBuf, Vec<&'f [u8]>);

/// As [`write()`], for several files: all of them are on the disk before the first one is replaced, and they wait for
/// the disk together.
///
/// # Errors
/// As [`write()`]; where no file could be put on the disk, none was replaced.
pub fn write_all<'f>(base: &'f Path, files: &'f [Whole<'f>]) -> Result<(), Error> {
    let staged = std::thread::scope(|scope| {
        let begin = |(path, pieces): &'f Whole<'f>| {
            let thread = std::thread::Builder::new().name("save".to_owned());
            thread.spawn_scoped(scope, move || stage(base, path, pieces))
        };
        let threads: Vec<_> = files.iter().map(begin).collect();
        let joined = threads.into_iter().map(|thread| {
            let thread = thread.map_err(Error::no_thread)?;
            thread.join().unwrap_or_else(|_| Err(Error::new("a saving thread failed; this is a bug in cask")))
        });
        joined.collect::<Result<Vec<_>, Error>>()
    })?;
    for (file, (path, _)) in staged.into_iter().zip(files) {
        settle(file, path)?;
    }
    for dir in files.iter().map(|(path, _)| dir_of(path)).collect::<BTreeSet<_>>() {
        sync_dir(dir).map_err(|error| io_error("write", dir, &error))?;
    }
    Ok(())
}

/// Puts what is to replace a file on the disk beside it.
fn stage(base: &Path, path: &Path, pieces: &[&[u8]]) -> Result<NamedTempFile, Error> {
    let failed = |error: &io::Error| io_error("write", path, error);
    let dir = dir_of(path);
    inside(base, path)?;
    make_dir(dir)?;
    inside(base, path)?;
    let file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(dir).map_err(|e| failed(&e))?;
    let mut out = io::BufWriter::with_capacity(128 << 10, file.as_file());
    for piece in pieces {
        out.write_all(piece).map_err(|e| failed(&e))?;
    }
    out.flush().map_err(|e| failed(&e))?;
    drop(out);
    readable(file.as_file(), path).map_err(|e| failed(&e))?;
    file.as_file().sync_all().map_err(|e| failed(&e))?;
    Ok(file)
}

/// Replaces a file by what was put beside it.
fn settle(file: NamedTempFile, path: &Path) -> Result<(), Error> {
    file.persist(path).map(drop).map_err(|error| io_error("write", path, &error.error))
}

/// Waits until what was made, renamed or removed in a directory is on the disk.
///
/// # Errors
/// The system's.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// The directory that a file is in.
#[must_use]
pub fn dir_of(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a directory and those above it.
///
/// # Errors
/// [`Error`] with the path.
pub fn make_dir(dir: &Path) -> Result<(), Error> {
    fs::create_dir_all(dir).map_err(|error| io_error("make", dir, &error))
}

/// A name that is one path component and nothing else.
///
/// # Errors
/// [`Error`] for `..`, separators, control characters, an empty or an overlong name.
pub fn plain(name: &str) -> Result<&str, Error> {
    let fine = (1..=128).contains(&name.len())
        && !name.starts_with('.')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.@+".contains(c));
    if fine {
        return Ok(name);
    }
    let shown: String = name.chars().take(40).flat_map(char::escape_default).collect();
    Err(Error::new(format_args!("`{shown}` cannot be the name of a file"))
        .hint("use letters, digits and `_ - . @ +`, at most 128, not starting with a dot"))
}

/// The deepest existing directory above `path` must lie in `base`, and nothing may climb out below it.
pub(super) fn inside(base: &Path, path: &Path) -> Result<(), Error> {
    if path.strip_prefix(base).unwrap_or(path).components().any(|part| part == Component::ParentDir) {
        return Err(outside(path, base));
    }
    let Ok(real_base) = base.canonicalize() else { return Ok(()) };
    let existing = path.ancestors().skip(1).find_map(|dir| {
        let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
        dir.canonicalize().ok()
    });
    match existing {
        Some(dir) if dir.starts_with(&real_base) => Ok(()),
        _ => Err(outside(path, base)),
    }
}

/// A file that is written in place must be one: a link committed to a repository would lead anywhere.
pub(super) fn no_link(path: &Path) -> Result<(), Error> {
    match path.symlink_metadata() {
        Ok(meta) if !meta.is_file() => {
            Err(Error::new(format_args!("{} is not a regular file", path.display()))
                .hint("remove it: cask makes its own"))
        }
        _ => Ok(()),
    }
}

/// What only cask writes must be no symbolic link: one committed to a repository would have it written elsewhere. What
/// is not there yet is none.
pub(crate) fn not_linked(path: &Path, hint: &str) -> Result<(), Error> {
    if path.symlink_metadata().is_ok_and(|meta| meta.is_symlink()) {
        return Err(Error::new(format_args!("{} is a symbolic link", path.display())).hint(hint));
    }
    Ok(())
}

fn outside(path: &Path, base: &Path) -> Error {
    Error::new(format_args!("{} leads out of {}", path.display(), base.display()))
        .hint("symbolic links and `..` may not leave the directory")
}

/// Temporary files are private; what replaces a file keeps its mode, and a new one is as readable as others.
#[cfg(unix)]
fn readable(file: &File, path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::symlink_metadata(path)
        .ok()
        .filter(fs::Metadata::is_file)
        .map_or(0o644, |meta| meta.permissions().mode() & 0o777);
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn readable(_file: &File, _path: &Path) -> io::Result<()> {
    Ok(())
}

/// What the system said, where, and what to do about the common ones.
#[must_use]
pub fn io_error(what: &str, path: &Path, error: &io::Error) -> Error {
    let message = Error::new(format_args!("cannot {what} {}: {error}", path.display()));
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            message.hint("the disk is full: free some space; what was there is untouched")
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            message.hint("the disk is read-only: give another place with --root; what was there is untouched")
        }
        io::ErrorKind::PermissionDenied => message.hint("check who owns it and its mode"),
        _ => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_read_or_written_outside() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        make_dir(&root).unwrap();
        write(&root, &root.join("a/b.txt"), b"x").unwrap();
        assert_eq!(read(&root, &root.join("a/b.txt"), 10).unwrap(), "x");
        assert!(write(&root, &root.join("../out.txt"), b"x").is_err());
        assert!(plain("../../etc").is_err());
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(dir.path(), root.join("link")).unwrap();
            std::fs::write(dir.path().join("secret"), "s").unwrap();
            assert!(write(&root, &root.join("link/secret"), b"x").is_err());
            assert!(read(&root, &root.join("link/secret"), 10).is_err());
            assert_eq!(std::fs::read(dir.path().join("secret")).unwrap(), b"s");
        }
    }

    #[test]
    fn reads_are_bounded_and_say_where() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("f");
        std::fs::write(&file, b"ab\xff").unwrap();
        assert!(read(dir.path(), &file, 2).unwrap_err().message.contains("longer than 2 bytes"));
        assert!(read(dir.path(), &file, 3).unwrap_err().message.contains("not UTF-8 at byte 2"));
    }
}
