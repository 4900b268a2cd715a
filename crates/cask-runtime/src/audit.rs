//! The audit log on disk: one writer at a time, each record in one write, the chain carried on.
//!
//! Several gateways may share a log (one per client): each append holds the file's lock and goes on from
//! whatever the file ends with. A write is handed to the operating system and not forced to the disk: a
//! crash of this process loses nothing, a loss of power may lose the last records.
//!
//! Before each append the path must still name the open file, and the file must be at least as long as it
//! was: who removes or replaces the log ends the calls. What others added is checked as a chain.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cask_core::audit::{self, Record, Tail};

/// A record is one line of at most this many bytes.
const MAX_LINE: u64 = 256 * 1024;

/// A log that is not longer is checked whole when it is opened; of a longer one, this much of its end. It
/// bounds what a start costs.
const CHECKED: u64 = 2 * MAX_LINE;

/// An open audit log.
#[derive(Debug)]
pub struct AuditLog {
    path: PathBuf,
    open: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    /// How long the file was when `tail` was its end.
    length: u64,
    tail: Tail,
}

/// The log cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("audit log {path}: {what}")]
pub struct AuditError {
    path: String,
    what: String,
}

impl AuditLog {
    /// Opens or makes a log and checks its chain: all of it, or the end of a long one.
    ///
    /// # Errors
    /// [`AuditError`] if it cannot be read or written, is a symbolic link, or is not a whole chain.
    pub fn open(path: &Path) -> Result<Self, AuditError> {
        let fail = |what: String| AuditError { path: path.display().to_string(), what };
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            std::fs::create_dir_all(parent).map_err(|error| fail(error.to_string()))?;
        }
        // Before it is opened, so that nothing is made where a link leads.
        if std::fs::symlink_metadata(path).is_ok_and(|meta| meta.is_symlink()) {
            return Err(fail("it is a symbolic link".to_owned()));
        }
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|error| fail(error.to_string()))?;
        let mut open = Open { file, length: 0, tail: Tail::default() };
        open.file.lock().map_err(|error| fail(error.to_string()))?;
        let caught_up = open.catch_up(path);
        let _ = open.file.unlock();
        caught_up.map_err(fail)?;
        Ok(Self { path: path.to_owned(), open: Mutex::new(open) })
    }

    /// Puts a record at the end of the log. When this returns, the record is in the file.
    ///
    /// # Errors
    /// [`AuditError`]; then nothing was added.
    pub fn append(&self, record: &mut Record) -> Result<(), AuditError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let fail = |what: String| AuditError { path: self.path.display().to_string(), what };
        open.file.lock().map_err(|error| fail(error.to_string()))?;
        let added = open.add(&self.path, record);
        let _ = open.file.unlock();
        added.map_err(fail)
    }
}

impl Open {
    fn add(&mut self, path: &Path, record: &mut Record) -> Result<(), String> {
        self.catch_up(path)?;
        let (line, tail) = record.chain(self.tail).map_err(|error| error.to_string())?;
        if line.len() as u64 > MAX_LINE {
            return Err("the record is too long".to_owned());
        }
        if let Err(error) = self.file.write_all(&line) {
            // Half a line would break the chain for whoever comes next.
            let _ = self.file.set_len(self.length);
            return Err(error.to_string());
        }
        self.length += line.len() as u64;
        self.tail = tail;
        Ok(())
    }

    /// Makes sure that the log is still this file, and reads what someone else has written since.
    fn catch_up(&mut self, path: &Path) -> Result<(), String> {
        let meta = self.file.metadata().map_err(|error| error.to_string())?;
        let named = std::fs::symlink_metadata(path).map_err(|error| format!("it is gone: {error}"))?;
        if !same_file(&meta, &named) {
            return Err("it was replaced by another file while it was in use".to_owned());
        }
        let length = meta.len();
        if length == self.length {
            return Ok(());
        }
        if length < self.length {
            return Err("it became shorter while it was in use".to_owned());
        }
        let start = self.length.max(length.saturating_sub(CHECKED));
        let failed = |error: std::io::Error| error.to_string();
        self.file.seek(SeekFrom::Start(start)).map_err(failed)?;
        let mut end = Vec::new();
        (&self.file).take(length - start).read_to_end(&mut end).map_err(failed)?;
        let text = String::from_utf8_lossy(&end);
        let whole = text
            .strip_suffix('\n')
            .ok_or("its last line is not complete; move the file away to start a new log")?;
        let damaged = |why: &dyn std::fmt::Display| {
            format!("its chain is damaged ({why}); move the file away to start a new log")
        };
        let tail = if start == self.length {
            audit::follow(self.tail, whole.split('\n')).map_err(|broken| damaged(&broken))
        } else {
            // The first line is half of one. The next one is taken as it is; from there the chain must hold.
            let (_, lines) = whole.split_once('\n').ok_or("its last line is too long")?;
            let (first, rest) =
                lines.split_once('\n').map_or((lines, None), |(first, rest)| (first, Some(rest)));
            let record = Record::read(first).map_err(|why| damaged(&why))?;
            let tail = Tail { next: record.seq + 1, prev: Some(record.hash) };
            audit::follow(tail, rest.into_iter().flat_map(|rest| rest.split('\n')))
                .map_err(|broken| damaged(&broken.why))
        };
        self.tail = tail?;
        self.length = length;
        Ok(())
    }
}

#[cfg(unix)]
fn same_file(open: &Metadata, named: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (open.dev(), open.ino()) == (named.dev(), named.ino())
}

/// Elsewhere an open file cannot be removed, and its length must do.
#[cfg(not(unix))]
fn same_file(open: &Metadata, named: &Metadata) -> bool {
    named.is_file() && named.len() == open.len()
}
