//! The audit log: one [`Record`] a line, each holding the hash of the line before.
//!
//! A call that is allowed has two records: its intent before anything is sent, and its outcome, which
//! names the intent among its `evidence_refs`. A refused call has one. Arguments appear only as a
//! fingerprint. A line that is changed, removed, added or moved breaks the chain.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::canon::{self, CanonError, Digest, Hasher};

/// One decision, or the outcome of one: a line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Position in the log, from 0.
    pub seq: u64,
    /// RFC 3339, UTC.
    pub timestamp: String,
    /// The run of the gateway that wrote it.
    pub run_id: String,
    /// The toolpack.
    pub toolpack: String,
    /// The tool that was named, known or not.
    pub tool_id: String,
    /// Digest of the approved tool, if it is one.
    pub tool_digest: Option<Digest>,
    /// Its scope.
    pub scope_id: Option<String>,
    /// Who called.
    pub principal: String,
    /// Stands for tool and arguments.
    pub request_fingerprint: Digest,
    /// `allow`, `deny` or `confirm`.
    pub decision: Decision,
    /// One of [`crate::guard::REASONS`].
    pub reason_code: String,
    /// Policies that determined the decision.
    pub policies: Vec<String>,
    /// What belongs to it: `intent:sha256:…`, `status:200`, `response:sha256:…`, `challenge:…`.
    pub evidence_refs: Vec<String>,
    /// The lockfile the gateway ran under; none under `--unsafe-no-lockfile`.
    pub lockfile_digest: Option<Digest>,
    /// The policy the gateway ran under.
    pub policy_digest: Digest,
    /// Who confirmed, where someone did.
    pub confirmation_issuer: Option<String>,
    /// How the gateway ran: `enforced`, `dry_run` or `unsafe_no_lockfile`.
    pub provenance_mode: String,
    /// Hash of the line before; none on the first line.
    pub prev: Option<Digest>,
    /// Digest of this record without this member.
    pub hash: Digest,
}

/// The verdict of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// The call may be made.
    Allow,
    /// It may not.
    Deny,
    /// It waits for a person.
    Confirm,
}

/// Where a chain ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tail {
    /// The next record's `seq`.
    pub next: u64,
    /// The next record's `prev`.
    pub prev: Option<Digest>,
}

/// Why a log is not a whole chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("audit log line {line}: {why}")]
pub struct Broken {
    /// The first line that is wrong, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Record {
    /// Puts the record at the end of a chain: sets `seq`, `prev` and `hash`, and gives the line and the new end.
    ///
    /// # Errors
    /// As [`canon::canonical`].
    pub fn chain(&mut self, tail: Tail) -> Result<(Vec<u8>, Tail), CanonError> {
        self.seq = tail.next;
        self.prev = tail.prev;
        let mut line = canon::canonical(self)?;
        let member = self.own_hash();
        let place = place_of(&line, &member);
        self.hash = hash_without(&line, place.clone());
        line.splice(place, self.own_hash());
        line.push(b'\n');
        Ok((line, Tail { next: tail.next + 1, prev: Some(self.hash) }))
    }

    /// The member of the canonical form that has the record's own hash. Another follows it, whose name sorts
    /// after.
    fn own_hash(&self) -> Vec<u8> {
        format!("\"hash\":\"{}\",", self.hash).into_bytes()
    }

    /// Reads one line and checks its own hash.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(line: &str) -> Result<Self, &'static str> {
        let record: Record = serde_json::from_str(line).map_err(|_| "it is not a record")?;
        // Reading ignores members it does not know: the line must be exactly what the record would write.
        let exact = canon::canonical(&record).is_ok_and(|bytes| bytes == line.as_bytes());
        let place = place_of(line.as_bytes(), &record.own_hash());
        if !exact || hash_without(line.as_bytes(), place) != record.hash {
            return Err("its hash does not match its content");
        }
        Ok(record)
    }
}

/// Where a member stands in a line. Quotes within texts are escaped, so it cannot be part of one.
fn place_of(line: &[u8], member: &[u8]) -> Range<usize> {
    let at = memchr::memmem::find(line, member).unwrap_or(line.len());
    at..(at + member.len()).min(line.len())
}

/// The hash of a record: of its canonical form without the member that has it.
fn hash_without(line: &[u8], member: Range<usize>) -> Digest {
    let mut hasher = Hasher::default();
    hasher.update(line.get(..member.start).unwrap_or_default());
    hasher.update(line.get(member.end..).unwrap_or_default());
    hasher.finish()
}

/// Checks a whole log from its first line and gives its end.
///
/// # Errors
/// [`Broken`] at the first line that is not the right continuation.
pub fn verify<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Tail, Broken> {
    follow(Tail::default(), lines)
}

/// Checks lines that must continue a chain from `tail`, and gives the new end.
///
/// # Errors
/// As [`verify`]; lines count from the first of these.
pub fn follow<'a>(mut tail: Tail, lines: impl IntoIterator<Item = &'a str>) -> Result<Tail, Broken> {
    for (line, text) in (1..).zip(lines) {
        let broken = |why| Broken { line, why };
        let record = Record::read(text).map_err(broken)?;
        if record.prev != tail.prev {
            return Err(broken("it does not follow the line before"));
        }
        if record.seq != tail.next {
            return Err(broken("its sequence number is not the next one"));
        }
        tail = Tail { next: record.seq + 1, prev: Some(record.hash) };
    }
    Ok(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(count: usize) -> Vec<String> {
        let mut tail = Tail::default();
        let line = |index: usize, tail: &mut Tail| {
            let mut record = Record {
                seq: 0,
                timestamp: "2026-06-01T12:00:00.000Z".to_owned(),
                run_id: "run_0".to_owned(),
                toolpack: "tp_0".to_owned(),
                tool_id: format!("tool_{index}"),
                tool_digest: None,
                scope_id: None,
                principal: "p".to_owned(),
                request_fingerprint: Digest::of_bytes(b"f"),
                decision: Decision::Deny,
                reason_code: "denied_policy".to_owned(),
                policies: vec!["p1".to_owned()],
                evidence_refs: Vec::new(),
                lockfile_digest: Some(Digest::of_bytes(b"l")),
                policy_digest: Digest::of_bytes(b"p"),
                confirmation_issuer: None,
                provenance_mode: "enforced".to_owned(),
                prev: None,
                hash: Digest::of_bytes(b""),
            };
            let (bytes, next) = record.chain(*tail).unwrap();
            *tail = next;
            String::from_utf8(bytes).unwrap().trim_end().to_owned()
        };
        (0..count).map(|index| line(index, &mut tail)).collect()
    }

    #[test]
    fn any_change_of_a_chain_is_seen() {
        let good = log(4);
        let check = |lines: &[String]| verify(lines.iter().map(String::as_str));
        assert_eq!(check(&good).unwrap().next, 4);
        assert_eq!(check(&[]), Ok(Tail::default()));
        let at = |lines: &[String]| check(lines).unwrap_err().line;
        assert_eq!(at(&[good[0].clone(), good[2].clone()]), 2, "removed");
        assert_eq!(at(&[good[0].clone(), good[2].clone(), good[1].clone()]), 2, "moved");
        assert_eq!(at(&good[1..]), 1, "the beginning cut off");
        let edit = |from: &str, to: &str| {
            let mut lines = good.clone();
            lines[2] = lines[2].replacen(from, to, 1);
            assert_ne!(lines[2], good[2]);
            at(&lines)
        };
        assert_eq!(edit("\"deny\"", "\"allow\""), 3);
        assert_eq!(edit("tool_2", "tool_3"), 3);
        assert_eq!(edit("{", "{\"extra\":1,"), 3);
        assert_eq!(edit("{", "{ "), 3);
        for index in 0..good[3].len() {
            let mut bytes = good[3].clone().into_bytes();
            bytes[index] ^= 1;
            let mut lines = good[..3].to_vec();
            lines.push(String::from_utf8_lossy(&bytes).into_owned());
            assert_eq!(check(&lines).map_err(|broken| broken.line), Err(4), "byte {index}");
        }
    }
}
