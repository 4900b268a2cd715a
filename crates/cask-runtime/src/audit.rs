//! The audit log on disk: one writer at a time, each record in one write, the chain carried on.
//!
//! Several gateways may share a log (one per client): each append holds the file's lock and goes on from
//! whatever the file ends with. A write is handed to the operating system and not forced to the disk: a
//! crash of this process loses nothing, a loss of power may lose the last records.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cask_core::audit::{Record, Tail};

/// A record is one line of at most this many bytes.
const MAX_LINE: u64 = 256 * 1024;

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
    /// Opens or makes a log and checks its last record.
    ///
    /// # Errors
    /// [`AuditError`] if it cannot be read or written, or its end is not a whole record.
    pub fn open(path: &Path) -> Result<Self, AuditError> {
        let fail = |what: String| AuditError { path: path.display().to_string(), what };
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            std::fs::create_dir_all(parent).map_err(|error| fail(error.to_string()))?;
        }
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|error| fail(error.to_string()))?;
        let mut open = Open { file, length: 0, tail: Tail::default() };
        open.file.lock().map_err(|error| fail(error.to_string()))?;
        let caught_up = open.catch_up();
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
        let added = open.add(record);
        let _ = open.file.unlock();
        added.map_err(fail)
    }
}

impl Open {
    fn add(&mut self, record: &mut Record) -> Result<(), String> {
        self.catch_up()?;
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

    /// Reads the last record again if someone else has written since.
    fn catch_up(&mut self) -> Result<(), String> {
        let length = self.file.metadata().map_err(|error| error.to_string())?.len();
        if length == self.length {
            return Ok(());
        }
        if length < self.length {
            return Err("it became shorter while it was in use".to_owned());
        }
        self.file
            .seek(SeekFrom::Start(length.saturating_sub(MAX_LINE)))
            .map_err(|error| error.to_string())?;
        let mut end = Vec::new();
        let mut reader = (&self.file).take(MAX_LINE);
        reader.read_to_end(&mut end).map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&end);
        let whole = text
            .strip_suffix('\n')
            .ok_or("its last line is not complete; move the file away to start a new log")?;
        let last = whole.rsplit('\n').next().unwrap_or(whole);
        let record = Record::read(last).map_err(|why| {
            format!("its last line is damaged ({why}); move the file away to start a new log")
        })?;
        self.tail = Tail { next: record.seq + 1, prev: Some(record.hash) };
        self.length = length;
        Ok(())
    }
}
