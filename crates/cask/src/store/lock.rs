//! One command at a time changes a state root.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use super::Store;
use super::files::{UNFINISHED, inside, io_error, make_dir, no_link};
use crate::error::Error;

/// How long a command waits for another one to finish writing.
const PATIENCE: Duration = Duration::from_secs(2);

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
    /// Waits for `state/lock`, at most two seconds, and notes who holds it. A note that is still there is of
    /// one that was killed: what that one left unfinished is cleared away.
    ///
    /// # Errors
    /// [`Error`] that says who holds it, or why it cannot be taken.
    pub fn lock(&self, command: &str) -> Result<Held, Error> {
        let path = self.state().join("lock");
        self.check_state()?;
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
}

fn holder(path: &Path) -> Option<String> {
    let mut note = String::new();
    File::open(path).ok()?.take(200).read_to_string(&mut note).ok()?;
    let note: String = note.chars().filter(|c| !c.is_control()).collect();
    (!note.is_empty()).then_some(note)
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
