//! Do enough of the right people agree on one subject?
//!
//! Approvals only ever add up: one that does not count changes nothing, so taking one away never lets more through.

use std::collections::{BTreeMap, BTreeSet};

use super::key::{self, Signed};
use super::sign;
use super::status::in_future;
use super::trust::{Miss, Role, Trust};
use super::{Approval, Entry, since};

/// What an approval is looked at against.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub trust: &'a Trust,
    pub toolpack: &'a str,
    /// The lockfile's revision.
    pub revision: u64,
    /// RFC 3339 time now.
    pub now: &'a str,
}

/// The votes on one subject, and how many it takes. Each still has to be checked: [`Votes::count`].
pub(super) struct Votes<'a> {
    needed: u32,
    misses: Vec<Miss>,
    /// Who, until when, and whether that is over.
    cast: Vec<(&'a str, Option<&'a str>, bool)>,
}

/// How a subject stands with its signers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// Enough agree, until then.
    Enough(Option<&'a str>),
    /// Enough agreed, and some of that has ended.
    Ended,
    /// Too few agree. Whether anybody does, and the worst reason why others do not count.
    Short {
        /// Somebody's approval counts.
        some: bool,
        /// Of those that do not.
        worst: Option<Miss>,
    },
}

/// Looks at the approvals of an entry; the signatures to check go to `signed`.
pub(super) fn votes<'a>(id: &str, entry: &'a Entry, at: Place<'_>, signed: &mut Vec<Signed>) -> Votes<'a> {
    let mut votes =
        Votes { needed: at.trust.content().thresholds.of(entry.risk), misses: Vec::new(), cast: Vec::new() };
    for approval in &entry.approvals {
        match vote(id, entry, approval, at) {
            Ok(one) => {
                signed.push(one);
                let until = approval.until.as_deref();
                votes.cast.push((&approval.by, until, until.is_some_and(|until| at.now >= until)));
            }
            Err(miss) => votes.misses.push(miss),
        }
    }
    votes
}

fn vote(id: &str, entry: &Entry, approval: &Approval, at: Place<'_>) -> Result<Signed, Miss> {
    let (by, key) = (approval.by.as_str(), approval.key.as_str());
    let key = at.trust.may(by, key, Role::Approve, entry.risk, &approval.at)?;
    if !at.trust.content().author_may_approve {
        match entry.author.as_deref() {
            None => return Err(Miss::NoAuthor),
            Some(author) if author.eq_ignore_ascii_case(by) => return Err(Miss::Author),
            Some(_) => {}
        }
    }
    if since(&entry.withdrawn, by).is_some_and(|since| approval.revision < since) {
        return Err(Miss::Withdrawn);
    }
    if in_future(&approval.at, at.now) {
        return Err(Miss::Future);
    }
    if approval.revision > at.revision {
        return Err(Miss::Later);
    }
    let statement =
        sign::approval_statement(at.toolpack, id, entry, approval).map_err(|_| Miss::Signature)?;
    key.signed(sign::pae(&statement), &approval.signature).ok_or(Miss::Signature)
}

impl<'a> Votes<'a> {
    /// Counts, with the answers to the signatures that were to check. A missing answer is a no.
    pub(super) fn count(mut self, answers: &mut impl Iterator<Item = bool>) -> Outcome<'a> {
        // By signer: until when their approval counts. None is for ever, and the longest is theirs.
        let (mut now, mut ever) = (BTreeMap::new(), BTreeSet::new());
        for (by, until, over) in std::mem::take(&mut self.cast) {
            if !answers.next().unwrap_or(false) {
                self.misses.push(Miss::Signature);
                continue;
            }
            ever.insert(by);
            if over {
                self.misses.push(Miss::Ended);
                continue;
            }
            let longest: &mut Option<&str> = now.entry(by).or_insert(until);
            *longest = longest.and_then(|one| until.map(|other| one.max(other)));
        }
        let needed = self.needed as usize;
        if now.len() >= needed {
            let mut ends: Vec<Option<&str>> = now.into_values().collect();
            // The last to end first; it takes `needed` of them, so the last of those ends it.
            ends.sort_by(|one, other| match (one, other) {
                (None, None) => std::cmp::Ordering::Equal,
                (None, _) => std::cmp::Ordering::Less,
                (_, None) => std::cmp::Ordering::Greater,
                (one, other) => other.cmp(one),
            });
            return Outcome::Enough(ends.into_iter().nth(needed.saturating_sub(1)).flatten());
        }
        if ever.len() >= needed {
            return Outcome::Ended;
        }
        let first = |of: &[Miss]| self.misses.iter().copied().find(|miss| of.contains(miss));
        let worst = first(&[Miss::Revoked, Miss::Compromised])
            .or_else(|| first(&[Miss::Unknown, Miss::Owner, Miss::Signature]))
            .or_else(|| self.misses.first().copied());
        Outcome::Short { some: !now.is_empty(), worst }
    }
}

/// Every approval of an entry, and why it does not count if it does not: for whoever has to read it.
#[must_use]
pub fn explain<'a>(
    id: &str,
    entry: &'a Entry,
    lockfile: &super::Lockfile,
    against: &super::status::Against<'_>,
) -> Vec<(&'a Approval, Option<Miss>)> {
    let (toolpack, revision) = (lockfile.toolpack.as_str(), lockfile.revision);
    let at = Place { trust: against.trust, toolpack, revision, now: against.now };
    let miss = |approval: &Approval| match vote(id, entry, approval, at) {
        Err(miss) => Some(miss),
        Ok(signed) => match key::check(&[signed]).as_slice() {
            [true] => approval.until.as_deref().filter(|until| at.now >= *until).map(|_| Miss::Ended),
            _ => Some(Miss::Signature),
        },
    };
    entry.approvals.iter().map(|approval| (approval, miss(approval))).collect()
}
