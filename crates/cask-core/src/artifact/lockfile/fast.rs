//! Reads a lockfile that is exactly as [`super::write`] wrote it, many times faster than a YAML parser.
//!
//! Whatever this makes of a text counts only if writing it gives back the same bytes. So it cannot be
//! fooled into another meaning, it need not be strict, and everything else goes the long way.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Lines;

use crate::endpoint::Risk;
use crate::lock::{Approval, Entry, Lockfile, Seal, State};

/// `None` if the text is not the canonical one of a lockfile.
pub(super) fn read(text: &str) -> Option<Lockfile> {
    let mut lines = text.lines().peekable();
    let mut lockfile = Lockfile {
        schema_version: field(&mut lines, "schema_version: ")?,
        toolpack: field(&mut lines, "toolpack: ")?,
        revision: raw(&mut lines, "revision: ")?.parse().ok()?,
        previous: nullable(raw(&mut lines, "previous: ")?).map(str::parse).transpose().ok()?,
        subjects: BTreeMap::new(),
        seal: None,
    };
    raw(&mut lines, "subjects:")?;
    while lines.peek().is_some_and(|line| line.starts_with("  ")) {
        let id = string(raw(&mut lines, "  ")?.strip_suffix(':')?)?;
        lockfile.subjects.insert(id, entry(&mut lines)?);
    }
    if lines.peek().is_some() {
        raw(&mut lines, "seal:")?;
        lockfile.seal = Some(Seal {
            by: field(&mut lines, "  by: ")?,
            key: field(&mut lines, "  key: ")?,
            at: field(&mut lines, "  at: ")?,
            signature: field(&mut lines, "  signature: ")?,
        });
    }
    (super::write(&lockfile) == text).then_some(lockfile)
}

fn entry(lines: &mut Peekable<Lines<'_>>) -> Option<Entry> {
    let digest = raw(lines, "    digest: ")?.parse().ok()?;
    let state = raw(lines, "    state: ")?;
    let state =
        [State::Pending, State::Approved, State::Blocked].into_iter().find(|one| one.as_str() == state)?;
    let risk = raw(lines, "    risk: ")?;
    let risk = Risk::ALL.into_iter().find(|one| one.as_str() == risk)?;
    let mut entry = Entry {
        digest,
        state,
        risk,
        toolsets: [].into(),
        tools: [].into(),
        author: None,
        withdrawn: BTreeMap::new(),
        approvals: Vec::new(),
    };
    if let Some(names) = raw(lines, "    toolsets: [") {
        entry.toolsets = names.strip_suffix(']')?.split(", ").map(string).collect::<Option<_>>()?;
    }
    if let Some(names) = raw(lines, "    tools: [") {
        entry.tools = names.strip_suffix(']')?.split(", ").map(string).collect::<Option<_>>()?;
    }
    entry.author = raw(lines, "    author: ").map(|text| string(text).ok_or(())).transpose().ok()?;
    if raw(lines, "    withdrawn:").is_some() {
        while lines.peek().is_some_and(|line| line.starts_with("      ")) {
            let (who, revision) = raw(lines, "      ")?.rsplit_once(": ")?;
            entry.withdrawn.insert(string(who)?, revision.parse().ok()?);
        }
    }
    if raw(lines, "    approvals:").is_some() {
        while lines.peek().is_some_and(|line| line.starts_with("      - ")) {
            entry.approvals.push(Approval {
                by: field(lines, "      - by: ")?,
                key: field(lines, "        key: ")?,
                at: field(lines, "        at: ")?,
                until: nullable(raw(lines, "        until: ")?)
                    .map(|text| string(text).ok_or(()))
                    .transpose()
                    .ok()?,
                reason: field(lines, "        reason: ")?,
                revision: raw(lines, "        revision: ")?.parse().ok()?,
                signature: field(lines, "        signature: ")?,
            });
        }
    }
    Some(entry)
}

/// The rest of the next line, if it starts so; otherwise the line stays.
fn raw<'a>(lines: &mut Peekable<Lines<'a>>, start: &str) -> Option<&'a str> {
    let rest = lines.peek()?.strip_prefix(start)?;
    lines.next();
    Some(rest)
}

fn field(lines: &mut Peekable<Lines<'_>>, start: &str) -> Option<String> {
    string(raw(lines, start)?)
}

fn nullable(text: &str) -> Option<&str> {
    (text != "null").then_some(text)
}

fn string(text: &str) -> Option<String> {
    if text.starts_with('"') { serde_json::from_str(text).ok() } else { Some(text.to_owned()) }
}
