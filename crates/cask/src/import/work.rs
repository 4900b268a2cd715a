//! What a worker does with an entry, and what it gathers on the way.

use std::collections::BTreeMap;

use cask_core::artifact::capture::write_line;
use cask_core::capture::har::{self, Entry, Medias, Target};
use cask_core::capture::hosts::{Hosts, Seen};
use cask_core::capture::skip;
use cask_core::endpoint::summary::{Room, Summary};
use cask_core::redact::{Pass, Redactor};

use super::flow::Batch;

/// Hosts beyond this many are not listed one by one: the list is for a person to read.
const MAX_LISTED: usize = 10_000;

/// Counts of one worker; those of several add up.
#[derive(Debug, Default)]
pub struct Tally {
    /// Exchanges kept, by host.
    pub hosts: BTreeMap<String, u64>,
    /// What was seen of every host, allowed or not.
    pub seen: BTreeMap<String, Seen>,
    /// Entries left out, by code.
    pub skipped: BTreeMap<&'static str, u64>,
    /// Entries that could not be read, by source.
    pub lost: BTreeMap<usize, u64>,
}

impl Tally {
    /// Adds another worker's counts.
    pub fn merge(&mut self, other: Tally) {
        other.hosts.into_iter().for_each(|(host, count)| *self.hosts.entry(host).or_default() += count);
        other.seen.into_iter().for_each(|(host, seen)| self.seen.entry(host).or_default().merge(&seen));
        other.skipped.into_iter().for_each(|(code, count)| *self.skipped.entry(code).or_default() += count);
        other.lost.into_iter().for_each(|(source, count)| *self.lost.entry(source).or_default() += count);
    }

    /// Looks at a batch only for the hosts in it.
    pub fn survey(&mut self, batch: &Batch) {
        for (_, bytes) in batch.entries() {
            let text = har::text(bytes);
            let Some((entry, target)) = self.open(&text, batch.source) else { continue };
            let medias = Medias::of(&entry);
            self.look(&entry, &target, &medias);
            if let Some(page) = entry.page() {
                self.seen_of(&page).page += 1;
            }
        }
    }

    fn open<'t>(&mut self, text: &'t str, source: usize) -> Option<(Entry<'t>, Target)> {
        let Ok(entry) = Entry::read(text) else {
            *self.lost.entry(source).or_default() += 1;
            return None;
        };
        match har::target(&entry) {
            Ok(target) => Some((entry, target)),
            Err(rule) => {
                self.skip(rule.code);
                None
            }
        }
    }

    fn look(&mut self, entry: &Entry<'_>, target: &Target, medias: &Medias) {
        let api = entry.facts(target, medias).api();
        let seen = self.seen_of(&target.host);
        seen.requests += 1;
        seen.api += u64::from(api);
    }

    fn seen_of(&mut self, host: &str) -> &mut Seen {
        let listed = self.seen.len() < MAX_LISTED || self.seen.contains_key(host);
        let name = if listed { host } else { "(others)" };
        if !self.seen.contains_key(name) {
            self.seen.insert(name.to_owned(), Seen::default());
        }
        self.seen.entry(name.to_owned()).or_default()
    }

    fn skip(&mut self, code: &'static str) {
        *self.skipped.entry(code).or_default() += 1;
    }
}

/// Turns entries into redacted lines and a summary.
#[derive(Debug)]
pub struct Worker<'w> {
    hosts: &'w Hosts,
    /// What was redacted.
    pub redaction: Pass,
    /// What was counted.
    pub tally: Tally,
    /// What the kept exchanges show.
    pub summary: Summary,
}

impl<'w> Worker<'w> {
    /// With nothing counted.
    pub fn new(redactor: Redactor, hosts: &'w Hosts, room: &Room) -> Self {
        Self { redaction: redactor.pass(), hosts, tally: Tally::default(), summary: Summary::sharing(room) }
    }

    /// Takes a batch; gives the lines of its kept exchanges.
    pub fn take(&mut self, batch: &Batch) -> Vec<u8> {
        let mut lines = Vec::with_capacity(batch.len());
        for (seq, bytes) in batch.entries() {
            let text = har::text(bytes);
            let Some((mut entry, target)) = self.tally.open(&text, batch.source) else { continue };
            let medias = Medias::of(&entry);
            self.tally.look(&entry, &target, &medias);
            if let Some(rule) = skip::reason(&entry.facts(&target, &medias), self.hosts) {
                self.tally.skip(rule.code);
                continue;
            }
            entry.decode(&medias);
            count(&mut self.tally.hosts, &target.host);
            let exchange = entry.exchange(target, medias, seq);
            let exchange = self.redaction.exchange(exchange);
            let start = lines.len();
            if write_line(&exchange, &mut lines).is_err() {
                // Cannot happen with an exchange; a half line must not stay all the same.
                lines.truncate(start);
                *self.tally.lost.entry(batch.source).or_default() += 1;
                continue;
            }
            self.summary.observe(&exchange);
        }
        lines
    }
}

fn count(hosts: &mut BTreeMap<String, u64>, host: &str) {
    match hosts.get_mut(host) {
        Some(count) => *count += 1,
        None => {
            hosts.insert(host.to_owned(), 1);
        }
    }
}
