//! The state root on disk: where things are, how they are read and written, and who may write now.
//!
//! Reads are bounded. Writes are atomic: a temporary file in the same directory, fsync, rename, fsync of
//! the directory; whoever is killed halfway leaves the old file. No symbolic link leads out of a base.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;

pub mod against;
pub mod descriptions;
mod files;
pub mod folder;
mod lock;
mod memory;
pub mod pack;
pub mod scopes;

pub(crate) use files::not_linked;
pub use files::{
    MAX_BYTES, UNFINISHED, Whole, dir_of, io_error, make_dir, plain, read, read_bytes, sync_dir, write,
    write_all,
};
pub use lock::Held;
pub use memory::{Stamp, stamp};

/// git, asked about a folder: nothing that lies in the repository runs or answers for it. A repository made of committed
/// files is none, nothing is fetched, nobody is told that files were looked at.
#[must_use]
pub fn git(dir: &Path) -> std::process::Command {
    let mut command = std::process::Command::new("git");
    command
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .args(["--no-pager", "-c", "safe.bareRepository=explicit", "-c", "core.fsmonitor=false"])
        .arg("-C")
        .arg(dir)
        .stdin(std::process::Stdio::null());
    command
}

/// What to type to choose one of several toolpacks, as a hint.
#[must_use]
pub fn choices<'p>(files: impl Iterator<Item = &'p Path>) -> String {
    files.map(|file| format!("--toolpack {}", file.display())).collect::<Vec<_>>().join("\n        ")
}

/// A state root.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
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

    /// `toolpacks/<id>/`
    ///
    /// # Errors
    /// [`Error`] if the id is not a plain name.
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

    /// Refuses a `state` that is not a folder of its own: a link in the repository could put keys and what is remembered
    /// where the repository is written.
    ///
    /// # Errors
    /// [`Error`] with the path.
    pub fn check_state(&self) -> Result<(), Error> {
        for path in [
            self.state(),
            self.state().join("keys"),
            self.state().join("revisions.json"),
            self.state().join("audit"),
        ] {
            not_linked(
                &path,
                "remove it: keys and what this machine remembers lie in a folder of their own",
            )?;
        }
        Ok(())
    }

    /// Writes a file of this root (see [`write()`]).
    ///
    /// # Errors
    /// As [`write()`].
    pub fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        make_dir(&self.root)?;
        write(&self.root, path, bytes)
    }

    /// Writes several files of this root (see [`write_all`]).
    ///
    /// # Errors
    /// As [`write_all`].
    pub fn write_all(&self, files: &[Whole<'_>]) -> Result<(), Error> {
        make_dir(&self.root)?;
        write_all(&self.root, files)
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
            several => Err(Error::new(format_args!(
                "{} toolpacks under {}: say which one",
                several.len(),
                self.root.display()
            ))
            .hint(choices(several.iter().map(PathBuf::as_path)))),
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
}
