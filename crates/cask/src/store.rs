//! The state root on disk: where things are, how they are read and written, and who may write now.
//!
//! Reads are bounded. Writes are atomic: a temporary file in the same directory, fsync, rename, fsync of
//! the directory; whoever is killed halfway leaves the old file. No symbolic link leads out of a base.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

use cask_core::lock::status::Seen;
use serde::{Deserialize, Serialize};

use crate::error::Error;

pub mod folder;
pub mod pack;

/// The longest authority or artifact file that is read, in bytes.
pub const MAX_BYTES: u64 = 256 << 20;

/// How the name of a file begins that is not whole yet.
pub const UNFINISHED: &str = ".cask-";

/// How long a command waits for another one to finish writing.
const PATIENCE: Duration = Duration::from_secs(2);

/// A state root.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

/// Held while a command changes state. Dropping it lets the next one in.
#[derive(Debug)]
pub struct Held {
    file: File,
}

impl Drop for Held {
    fn drop(&mut self) {
        // An empty note: nobody. The kernel releases the lock itself even if we are killed.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

impl Store {
    /// The state root at this path; it need not exist yet.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The root itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `captures/<id>/`
    ///
    /// # Errors
    /// [`Error`] if the id is not a plain name.
    pub fn capture(&self, id: &str) -> Result<PathBuf, Error> {
        Ok(self.root.join("captures").join(plain(id)?))
    }

    /// `toolpacks/<id>/`
    ///
    /// # Errors
    /// As [`Store::capture`].
    pub fn toolpack_dir(&self, id: &str) -> Result<PathBuf, Error> {
        Ok(self.root.join("toolpacks").join(plain(id)?))
    }

    /// `trust.yaml`
    #[must_use]
    pub fn trust_file(&self) -> PathBuf {
        self.root.join("trust.yaml")
    }

    /// `state/`
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.root.join("state")
    }

    /// Writes a file of this root (see [`write()`]).
    ///
    /// # Errors
    /// As [`write()`].
    pub fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        make_dir(&self.root)?;
        write(&self.root, path, bytes)
    }

    /// Waits for `state/lock`, at most two seconds, and notes who holds it. A note that is still there is of
    /// one that was killed: what that one left unfinished is cleared away.
    ///
    /// # Errors
    /// [`Error`] that says who holds it, or why it cannot be taken.
    pub fn lock(&self, command: &str) -> Result<Held, Error> {
        let path = self.state().join("lock");
        make_dir(&self.root)?;
        make_dir(&self.state())?;
        inside(&self.root, &path)?;
        no_link(&path)?;
        let open = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = open.map_err(|error| io_error("open", &path, &error))?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(fs::TryLockError::WouldBlock) if start.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(fs::TryLockError::WouldBlock) => {
                    let who = holder(&path).unwrap_or_else(|| "another command".to_owned());
                    return Err(Error::new(format_args!("{} is held by {who}", path.display()))
                        .hint("wait for it to end, or end it; then try again"));
                }
                Err(fs::TryLockError::Error(error)) => return Err(io_error("lock", &path, &error)),
            }
        }
        let mut killed = [0];
        if file.read(&mut killed).is_ok_and(|length| length > 0) {
            self.sweep();
        }
        // The note only tells people who it is; the lock holds without it.
        let note = format!("pid {} (cask {command})", std::process::id());
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(note.as_bytes()));
        Ok(Held { file })
    }

    /// Clears what a command that was killed left behind. Gives whose it was, if a note was there.
    ///
    /// # Errors
    /// [`Error`] if a running command holds the lock.
    pub fn unlock(&self) -> Result<Option<String>, Error> {
        let path = self.state().join("lock");
        if !path.exists() {
            return Ok(None);
        }
        no_link(&path)?;
        let who = holder(&path);
        let file = File::options().read(true).write(true).open(&path);
        let file = file.map_err(|error| io_error("open", &path, &error))?;
        match file.try_lock() {
            Ok(()) => {
                self.sweep();
                file.set_len(0).map_err(|error| io_error("clear", &path, &error))?;
                Ok(who)
            }
            Err(fs::TryLockError::WouldBlock) => {
                let who = who.unwrap_or_else(|| "a running command".to_owned());
                Err(Error::new(format_args!("{} is not stale: {who} holds it", path.display()))
                    .hint("wait for it to end, or end it"))
            }
            Err(fs::TryLockError::Error(error)) => Err(io_error("lock", &path, &error)),
        }
    }

    /// Removes files that were begun and never became whole. Only for who holds the lock: then nobody else
    /// has begun one.
    fn sweep(&self) {
        let mut dirs = vec![self.root.clone()];
        while let Some(dir) = dirs.pop() {
            for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
                let (path, kind) = (entry.path(), entry.file_type());
                if kind.as_ref().is_ok_and(fs::FileType::is_dir) {
                    dirs.push(path);
                } else if kind.is_ok_and(|kind| kind.is_file())
                    && entry.file_name().to_string_lossy().starts_with(UNFINISHED)
                {
                    // What cannot be removed is in nobody's way.
                    let _ = fs::remove_file(path);
                }
            }
        }
    }

    /// The manifest to work with: the given one, or the only one under the root.
    ///
    /// # Errors
    /// [`Error`] that lists them if there are several, or says to mint if there is none.
    pub fn toolpack(&self, given: Option<&Path>) -> Result<PathBuf, Error> {
        if let Some(path) = given {
            let path = if path.is_dir() { path.join("toolpack.yaml") } else { path.to_owned() };
            if !path.is_file() {
                return Err(Error::new(format_args!("no toolpack at {}", path.display()))
                    .hint("give the path of a toolpack.yaml"));
            }
            return Ok(path);
        }
        let all = self.toolpacks()?;
        match all.as_slice() {
            [one] => Ok(one.clone()),
            [] => Err(Error::new(format_args!("no toolpack under {}", self.root.display()))
                .hint("make one with `cask mint <traffic.har> -a <host>`")),
            several => {
                let lines: Vec<String> =
                    several.iter().map(|path| format!("--toolpack {}", path.display())).collect();
                Err(Error::new(format_args!(
                    "{} toolpacks under {}: say which one",
                    several.len(),
                    self.root.display()
                ))
                .hint(lines.join("\n        ")))
            }
        }
    }

    /// Every manifest under the root, sorted.
    ///
    /// # Errors
    /// [`Error`] if the directory cannot be read.
    pub fn toolpacks(&self) -> Result<Vec<PathBuf>, Error> {
        let dir = self.root.join("toolpacks");
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io_error("read", &dir, &error)),
        };
        let mut out = Vec::new();
        for entry in entries {
            let path = entry.map_err(|error| io_error("read", &dir, &error))?.path().join("toolpack.yaml");
            if path.is_file() {
                out.push(path);
            }
        }
        out.sort();
        Ok(out)
    }

    /// The last accepted revision of a toolpack's lockfile.
    ///
    /// # Errors
    /// [`Error`] if the memory is there but cannot be read: then nothing can be said about a rollback.
    pub fn seen(&self, toolpack: &str) -> Result<Option<Seen>, Error> {
        Ok(self.memory()?.revisions.get(toolpack).map(|&(revision, digest)| Seen { revision, digest }))
    }

    /// Whether any lockfile was ever accepted under this root.
    ///
    /// # Errors
    /// As [`Store::seen`].
    pub fn seen_any(&self) -> Result<bool, Error> {
        Ok(!self.memory()?.revisions.is_empty())
    }

    /// Remembers an accepted revision, if it is newer than the remembered one, and on the first time the
    /// trust under which it was. Only for who holds the lock: others write the same file.
    ///
    /// # Errors
    /// As [`Store::seen`], or if it cannot be written.
    pub fn remember(&self, toolpack: &str, seen: Seen) -> Result<(), Error> {
        let mut memory = self.memory()?;
        let known = memory.revisions.get(toolpack).is_some_and(|&(revision, _)| revision >= seen.revision);
        if known && memory.trust.is_some() {
            return Ok(());
        }
        if !known {
            memory.revisions.insert(toolpack.to_owned(), (seen.revision, seen.digest));
        }
        if memory.trust.is_none() {
            memory.trust = self.trust_digest()?;
        }
        self.write_memory(&memory)
    }

    /// Refuses a trust file that is not the one under which lockfiles were accepted here: whoever can write
    /// the repository could put another in its place.
    ///
    /// # Errors
    /// [`Error`] that says how a change that is meant is accepted.
    pub fn check_trust(&self) -> Result<(), Error> {
        let (Some(known), Some(now)) = (self.memory()?.trust, self.trust_digest()?) else { return Ok(()) };
        if known == now {
            return Ok(());
        }
        Err(Error::new(format_args!(
            "{} is not the one that was accepted on this machine",
            self.trust_file().display()
        ))
        .hint(
            "restore it from version control; if you know who changed it and why: `cask state accept` shows it",
        ))
    }

    /// Takes the lockfiles and the trust file as they are now for accepted, whatever was before. `now` has the
    /// toolpacks with a sealed lockfile; what is remembered of any other is forgotten.
    ///
    /// # Errors
    /// As [`Store::remember`].
    pub fn accept(&self, now: BTreeMap<String, Seen>) -> Result<(), Error> {
        let revisions = now.into_iter().map(|(id, seen)| (id, (seen.revision, seen.digest))).collect();
        self.write_memory(&Memory { trust: self.trust_digest()?, revisions, ..Memory::default() })
    }

    /// What is remembered: toolpacks with the revisions accepted.
    ///
    /// # Errors
    /// As [`Store::seen`].
    pub fn remembered(&self) -> Result<BTreeMap<String, u64>, Error> {
        Ok(self.memory()?.revisions.into_iter().map(|(id, (revision, _))| (id, revision)).collect())
    }

    fn trust_digest(&self) -> Result<Option<cask_core::canon::Digest>, Error> {
        let path = self.trust_file();
        if !path.exists() {
            return Ok(None);
        }
        let bytes = read_bytes(&self.root, &path, MAX_BYTES)?;
        Ok(Some(cask_core::canon::Digest::of_bytes(&bytes)))
    }

    fn write_memory(&self, memory: &Memory) -> Result<(), Error> {
        let text = serde_json::to_string_pretty(memory).map_err(Error::new)?;
        make_dir(&self.state())?;
        self.write(&self.memory_file(), text.as_bytes())
    }

    /// What changes whenever what is remembered does: every write is another file under the same name. None
    /// where that cannot be known.
    #[must_use]
    pub fn memory_stamp(&self) -> Option<Stamp> {
        let meta = fs::metadata(self.memory_file()).ok()?;
        #[cfg(unix)]
        return Some((std::os::unix::fs::MetadataExt::ino(&meta), meta.len(), meta.modified().ok()));
        #[cfg(not(unix))]
        return None;
    }

    fn memory_file(&self) -> PathBuf {
        self.state().join("revisions.json")
    }

    fn memory(&self) -> Result<Memory, Error> {
        let path = self.memory_file();
        if !path.exists() {
            return Ok(Memory::default());
        }
        let text = read(&self.root, &path, 16 << 20)?;
        let memory: Memory = serde_json::from_str(&text)
            .map_err(|error| Error::new(format_args!("{}: {error}", path.display())))?;
        if memory.schema_version != "1" {
            return Err(Error::new(format_args!("{}: written by a later version of cask", path.display())));
        }
        Ok(memory)
    }
}

/// Which file it is, how long, and when it was written.
pub type Stamp = (u64, u64, Option<std::time::SystemTime>);

/// What this root has accepted so far.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Memory {
    schema_version: String,
    /// By toolpack: revision and digest of its lockfile.
    revisions: BTreeMap<String, (u64, cask_core::canon::Digest)>,
    /// The trust file under which they were accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trust: Option<cask_core::canon::Digest>,
}

impl Default for Memory {
    fn default() -> Self {
        Self { schema_version: "1".to_owned(), revisions: BTreeMap::new(), trust: None }
    }
}

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
    let failed = |error: &io::Error| io_error("write", path, error);
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    inside(base, path)?;
    make_dir(dir)?;
    inside(base, path)?;
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(dir).map_err(|e| failed(&e))?;
    file.write_all(bytes).map_err(|e| failed(&e))?;
    readable(file.as_file(), path).map_err(|e| failed(&e))?;
    file.as_file().sync_all().map_err(|e| failed(&e))?;
    file.persist(path).map_err(|error| failed(&error.error))?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|e| failed(&e))
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
fn inside(base: &Path, path: &Path) -> Result<(), Error> {
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
fn no_link(path: &Path) -> Result<(), Error> {
    match path.symlink_metadata() {
        Ok(meta) if !meta.is_file() => {
            Err(Error::new(format_args!("{} is not a regular file", path.display()))
                .hint("remove it: cask makes its own"))
        }
        _ => Ok(()),
    }
}

fn outside(path: &Path, base: &Path) -> Error {
    Error::new(format_args!("{} leads out of {}", path.display(), base.display()))
        .hint("symbolic links and `..` may not leave the directory")
}

fn holder(path: &Path) -> Option<String> {
    let mut note = String::new();
    File::open(path).ok()?.take(200).read_to_string(&mut note).ok()?;
    let note: String = note.chars().filter(|c| !c.is_control()).collect();
    (!note.is_empty()).then_some(note)
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
        let store = Store::new(&root);
        store.write(&root.join("a/b.txt"), b"x").unwrap();
        assert_eq!(read(&root, &root.join("a/b.txt"), 10).unwrap(), "x");
        assert!(store.write(&root.join("../out.txt"), b"x").is_err());
        assert!(store.toolpack_dir("../../etc").is_err());
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(dir.path(), root.join("link")).unwrap();
            std::fs::write(dir.path().join("secret"), "s").unwrap();
            assert!(store.write(&root.join("link/secret"), b"x").is_err());
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

    #[test]
    fn a_second_writer_hears_who_is_first() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path());
        let held = store.lock("mint").unwrap();
        assert!(store.unlock().unwrap_err().message.contains("(cask mint)"));
        let error = store.lock("gate allow").unwrap_err();
        assert!(error.message.contains(&format!("pid {}", std::process::id())), "{error}");
        drop(held);
        assert!(store.lock("gate allow").is_ok());
    }

    #[test]
    fn an_older_revision_is_not_remembered() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path());
        let seen = |revision| Seen { revision, digest: cask_core::canon::Digest::of_bytes(b"x") };
        store.remember("tp_1", seen(3)).unwrap();
        store.remember("tp_1", seen(2)).unwrap();
        assert_eq!(store.seen("tp_1").unwrap(), Some(seen(3)));
        assert_eq!(store.seen("tp_2").unwrap(), None);
    }
}
