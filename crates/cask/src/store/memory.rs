//! What this machine has accepted: the only trust that the repository cannot write.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cask_core::canon::Digest;
use cask_core::lock::seen::Seen;
use serde::{Deserialize, Serialize};

use super::Store;
use super::files::{make_dir, read};
use crate::error::Error;

const FILE: &str = "revisions.json";

impl Store {
    /// The last accepted revision of a toolpack's lockfile.
    ///
    /// # Errors
    /// [`Error`] if the memory is there but cannot be read: then nothing can be said about a rollback.
    pub fn seen(&self, toolpack: &str) -> Result<Option<Seen>, Error> {
        Ok(self.memory()?.revisions.remove(toolpack))
    }

    /// Whether any lockfile was ever accepted under this root.
    ///
    /// # Errors
    /// As [`Store::seen`].
    pub fn seen_any(&self) -> Result<bool, Error> {
        Ok(!self.memory()?.revisions.is_empty())
    }

    /// Remembers an accepted revision, if it is newer than the remembered one, and the trust under which it was
    /// accepted. Only for who holds the lock: others write the same file.
    ///
    /// # Errors
    /// As [`Store::seen`], or if it cannot be written.
    pub fn remember(&self, toolpack: &str, seen: Seen, trust: Digest) -> Result<(), Error> {
        let mut memory = self.memory()?;
        let known = memory.revisions.get(toolpack);
        let next = match known {
            // the same lockfile may tell more than was asked when it was first remembered
            Some(known)
                if known.revision < seen.revision
                    || (known.revision, known.digest) == (seen.revision, seen.digest) =>
            {
                seen.after(known)
            }
            Some(known) => known.clone(),
            None => seen,
        };
        if known == Some(&next) && memory.trust == Some(trust) {
            return Ok(());
        }
        memory.revisions.insert(toolpack.to_owned(), next);
        memory.trust = Some(trust);
        self.write_memory(&memory)
    }

    /// The trust that was accepted here last, if any was.
    ///
    /// # Errors
    /// As [`Store::seen`].
    pub fn trusted(&self) -> Result<Option<Digest>, Error> {
        Ok(self.memory()?.trust)
    }

    /// Remembers a trust that this machine accepts from now on. Only for who holds the lock.
    ///
    /// # Errors
    /// As [`Store::remember`].
    pub fn trust(&self, trust: Digest) -> Result<(), Error> {
        self.write_memory(&Memory { trust: Some(trust), ..self.memory()? })
    }

    /// Takes the lockfiles and the trust file as they are now for accepted, whatever was before. `now` has the
    /// toolpacks with a sealed lockfile; what is remembered of any other is forgotten.
    ///
    /// # Errors
    /// As [`Store::remember`].
    pub fn accept(&self, now: BTreeMap<String, Seen>, trust: Option<Digest>) -> Result<(), Error> {
        self.write_memory(&Memory { trust, revisions: now, ..Memory::default() })
    }

    /// What is remembered: toolpacks with the revisions accepted.
    ///
    /// # Errors
    /// As [`Store::seen`].
    pub fn remembered(&self) -> Result<BTreeMap<String, u64>, Error> {
        Ok(self.memory()?.revisions.into_iter().map(|(id, seen)| (id, seen.revision)).collect())
    }

    fn write_memory(&self, memory: &Memory) -> Result<(), Error> {
        let text = serde_json::to_string_pretty(memory).map_err(Error::new)?;
        self.check_state()?;
        make_dir(&self.state())?;
        let file = self.memory_file();
        let base = super::dir_of(&file);
        make_dir(base)?;
        super::write(base, &file, text.as_bytes())
    }

    /// Where it is remembered. In a work tree of git that is outside of it (`$XDG_STATE_HOME/cask/`, or `.local/state/cask/`
    /// at home): git overwrites ignored files with committed ones without a word.
    #[must_use]
    pub fn memory_file(&self) -> PathBuf {
        let repository = |root: &PathBuf| root.ancestors().any(|folder| folder.join(".git").exists());
        let outside = self.real_root().filter(repository).and_then(|root| outside(&root));
        outside.unwrap_or_else(|| self.state()).join(FILE)
    }

    /// Both places where it can be remembered, in the state and outside of a repository: which of them it is may change
    /// while a gateway runs. The same twice where there is no place outside.
    #[must_use]
    pub fn memory_files(&self) -> [PathBuf; 2] {
        let outside = self.real_root().and_then(|root| outside(&root));
        [self.state(), outside.unwrap_or_else(|| self.state())].map(|folder| folder.join(FILE))
    }

    fn real_root(&self) -> Option<PathBuf> {
        self.root.canonicalize().or_else(|_| std::path::absolute(&self.root)).ok()
    }

    fn memory(&self) -> Result<Memory, Error> {
        self.check_state()?;
        let mut path = self.memory_file();
        if !path.exists() {
            // from before it lay outside, or before there was a repository
            path = self.state().join(FILE);
        }
        if !path.exists() {
            return Ok(Memory::default());
        }
        let text = read(super::dir_of(&path), &path, 16 << 20)?;
        let memory: Memory = serde_json::from_str(&text)
            .map_err(|error| Error::new(format_args!("{}: {error}", path.display())))?;
        if memory.schema_version != "1" {
            return Err(Error::new(format_args!("{}: written by a later version of cask", path.display())));
        }
        Ok(memory)
    }
}

/// A folder for this root outside of a repository, if there is a place.
fn outside(root: &Path) -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")))?;
    let name: String = Digest::of_bytes(root.as_os_str().as_encoded_bytes()).hex().chars().take(32).collect();
    Some(base.join("cask").join(name)).filter(|folder| folder.is_absolute())
}

/// Which file it is, how long, and when it was last changed in any way.
pub type Stamp = (u64, u64, i64, i64);

/// What changes whenever a file does: every write of ours is another file under the same name. None where that cannot be
/// known.
#[must_use]
pub fn stamp(path: &Path) -> Option<Stamp> {
    let meta = fs::metadata(path).ok()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        // the time of its last change, not of its last modification: that one can be set
        Some((meta.ino(), meta.len(), meta.ctime(), meta.ctime_nsec()))
    }
    #[cfg(not(unix))]
    {
        let _ = meta;
        None
    }
}

/// What this root has accepted so far.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Memory {
    schema_version: String,
    /// By toolpack: what is remembered of its lockfile.
    revisions: BTreeMap<String, Seen>,
    /// The digest of the trust under which they were accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trust: Option<Digest>,
}

impl Default for Memory {
    fn default() -> Self {
        Self { schema_version: "1".to_owned(), revisions: BTreeMap::new(), trust: None }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn a_file_that_was_put_back_is_not_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        fs::write(&path, "one").unwrap();
        let (before, modified) = (stamp(&path).unwrap(), fs::metadata(&path).unwrap().modified().unwrap());
        assert_eq!(stamp(&path), Some(before));
        // some file systems tell times no finer than this
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(&path, "two").unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), modified);
        assert_ne!(stamp(&path), Some(before));
        assert_eq!(stamp(&dir.path().join("none")), None);
    }

    #[test]
    fn it_lies_in_one_of_two_places_whatever_becomes_of_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(&dir.path().join("root"));
        assert_eq!(store.memory_files()[0], store.memory_file());
        fs::create_dir(dir.path().join(".git")).unwrap();
        assert_eq!(store.memory_files()[1], store.memory_file());
        assert_ne!(store.memory_files()[0], store.memory_file());
    }

    #[test]
    fn an_older_revision_is_not_remembered() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path());
        let seen = |revision| Seen {
            revision,
            digest: Digest::of_bytes(b"x"),
            blocked: Default::default(),
            withdrawn: Default::default(),
        };
        let trust = Digest::of_bytes(b"trust");
        store.remember("tp_1", seen(3), trust).unwrap();
        store.remember("tp_1", seen(2), trust).unwrap();
        assert_eq!(store.seen("tp_1").unwrap(), Some(seen(3)));
        assert_eq!(store.seen("tp_2").unwrap(), None);
        assert_eq!(store.trusted().unwrap(), Some(trust));
    }

    #[test]
    fn a_withdrawal_is_remembered_although_a_later_lockfile_does_not_say_it() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path());
        let seen = |revision, withdrawn: &[(&str, u64)]| {
            let by = |(signer, since): &(&str, u64)| ((*signer).to_owned(), *since);
            let withdrawn: BTreeMap<_, _> = withdrawn.iter().map(by).collect();
            let subjects = (!withdrawn.is_empty()).then(|| ("tool/a".to_owned(), withdrawn));
            let digest = Digest::of_bytes(&[u8::try_from(revision).unwrap()]);
            Seen { revision, digest, blocked: Default::default(), withdrawn: subjects.into_iter().collect() }
        };
        let trust = Digest::of_bytes(b"trust");
        let remembered = || store.seen("tp_1").unwrap().unwrap();
        // as a version that did not ask for withdrawals remembered it
        store.remember("tp_1", seen(2, &[]), trust).unwrap();
        store.remember("tp_1", seen(2, &[("k1", 2)]), trust).unwrap();
        assert_eq!(remembered(), seen(2, &[("k1", 2)]));
        store.remember("tp_1", seen(3, &[]), trust).unwrap();
        assert_eq!(remembered(), seen(3, &[("k1", 2)]));
        store.remember("tp_1", seen(4, &[("k1", 1), ("k2", 4)]), trust).unwrap();
        assert_eq!(remembered(), seen(4, &[("k1", 2), ("k2", 4)]));
    }
}
