//! What a machine remembers of the lockfile it accepted last, so that no branch from before takes its place.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{EVERYONE, Entry, Lockfile, State, since};
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
    /// What was taken back in it, by subject, as [`Entry::withdrawn`]: in a later one it does not count again.
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

    /// Whether this lockfile, which is the one remembered or one before it, has nothing to add.
    #[must_use]
    pub fn knows(&self, lockfile: &Lockfile) -> bool {
        let told = |(id, entry): (&String, &Entry)| {
            let mine = |by| self.withdrawn.get(id).and_then(|mine| mine.get(by));
            entry.withdrawn.iter().all(|(by, since)| mine(by) >= Some(since))
        };
        self.revision > lockfile.revision
            || (self.revision == lockfile.revision && lockfile.subjects.iter().all(told))
    }

    /// What is to be remembered after `before`: what was withdrawn then is not forgotten because a lockfile does not say it any
    /// more. A tool that went and comes back must not bring its old approval along.
    #[must_use]
    pub fn after(mut self, before: &Self) -> Self {
        for (id, by) in &before.withdrawn {
            let mine = self.withdrawn.entry(id.clone()).or_default();
            for (signer, since) in by {
                let least = mine.entry(signer.clone()).or_insert(*since);
                *least = (*least).max(*since);
            }
        }
        self
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
