//! What a machine remembers of the lockfile it accepted last, so that no branch from before takes its place.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{EVERYONE, Lockfile, State, since};
use crate::canon::{CanonError, Digest};

/// The last lockfile of a toolpack that was accepted here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// Its revision.
    pub revision: u64,
    /// [`Lockfile::digest`].
    pub digest: Digest,
    /// What it blocked: a later one that does not must say that the block was lifted.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub blocked: BTreeSet<String>,
    /// What was taken back in it, by subject, as [`Entry::withdrawn`](super::Entry::withdrawn): in a later one it does not count again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub withdrawn: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Seen {
    /// What is to be remembered of a lockfile.
    ///
    /// # Errors
    /// As [`Lockfile::digest`].
    pub fn of(lockfile: &Lockfile) -> Result<Self, CanonError> {
        let blocked = lockfile.subjects.iter().filter(|(_, entry)| entry.state == State::Blocked);
        let withdrawn = lockfile.subjects.iter().filter(|(_, entry)| !entry.withdrawn.is_empty());
        Ok(Self {
            revision: lockfile.revision,
            digest: lockfile.digest()?,
            blocked: blocked.map(|(id, _)| id.clone()).collect(),
            withdrawn: withdrawn.map(|(id, entry)| (id.clone(), entry.withdrawn.clone())).collect(),
        })
    }

    /// A subject that was blocked and is not any more, although nobody who decided after that lifted the block.
    pub(super) fn forgotten(&self, lockfile: &Lockfile) -> Option<&String> {
        self.blocked.iter().find(|id| match lockfile.subjects.get(*id) {
            Some(entry) if entry.state == State::Blocked => false,
            Some(entry) => entry.withdrawn.get(EVERYONE).is_none_or(|since| *since <= self.revision),
            None => true,
        })
    }

    /// A subject with an approval that was taken back and would count again, and the revision it had to be for at least.
    pub(super) fn revived(&self, lockfile: &Lockfile) -> Option<(&String, u64)> {
        self.withdrawn.iter().find_map(|(id, before)| {
            let entry = lockfile.subjects.get(id)?;
            entry.approvals.iter().find_map(|one| {
                let least = since(before, &one.by).filter(|least| one.revision < *least)?;
                since(&entry.withdrawn, &one.by).is_none_or(|now| one.revision >= now).then_some((id, least))
            })
        })
    }
}
