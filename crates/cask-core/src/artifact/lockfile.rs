//! `caskmcp.lock.*.yaml`: read strictly, written one way.

use std::fmt::Write as _;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::yaml::quoted;
use crate::lock::trust::{BadTrust, is_id};
use crate::lock::{Approval, EVERYONE, Entry, Lockfile, POLICY, SCHEMA_VERSION, SCOPE, is_time};

mod fast;

/// The longest lockfile or trust file that is read, in bytes.
pub const MAX_BYTES: u64 = 32 << 20;

/// Why a file is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadFile {
    /// Not this kind of file; the parser's words, with line and column.
    #[error("{0}")]
    Syntax(String),
    /// Made by a later version.
    #[error(
        "schema_version is `{0}`, and this version of cask knows `{SCHEMA_VERSION}`: use the version that wrote it, or a later one"
    )]
    Newer(String),
    /// A value that may not stand there: JSON pointer and what is wrong.
    #[error("{pointer}: {why}")]
    Value {
        /// Where (RFC 6901).
        pointer: String,
        /// What is wrong.
        why: String,
    },
    /// The signers make no sense.
    #[error("{0}")]
    Trust(#[from] BadTrust),
}

/// Reads a lockfile: unknown fields, duplicate keys and newer versions are refused.
///
/// # Errors
/// [`BadFile`] with the place.
pub fn read(text: &str) -> Result<Lockfile, BadFile> {
    let lockfile = fast::read(text).map_or_else(|| read_yaml(text), Ok)?;
    check(&lockfile)?;
    Ok(lockfile)
}

/// The long way: any YAML that says the same.
pub(crate) fn read_yaml(text: &str) -> Result<Lockfile, BadFile> {
    yaml(text)
}

/// The one text of a lockfile. [`read`] gives back an equal value.
#[must_use]
pub fn write(lockfile: &Lockfile) -> String {
    let mut out = String::with_capacity(256 + lockfile.subjects.len() * 640);
    let null = || "null".to_owned();
    // Writing to a string cannot fail.
    let _ = writeln!(out, "schema_version: {}", quoted(&lockfile.schema_version));
    let _ = writeln!(out, "toolpack: {}", scalar(&lockfile.toolpack));
    let _ = writeln!(out, "revision: {}", lockfile.revision);
    let _ = writeln!(out, "previous: {}", lockfile.previous.map_or_else(null, |digest| digest.to_string()));
    out.push_str(if lockfile.subjects.is_empty() { "subjects: {}\n" } else { "subjects:\n" });
    for (id, entry) in &lockfile.subjects {
        write_entry(&mut out, id, entry);
    }
    if let Some(seal) = &lockfile.seal {
        let _ = writeln!(out, "seal:");
        let _ = writeln!(out, "  by: {}", scalar(&seal.by));
        let _ = writeln!(out, "  key: {}", scalar(&seal.key));
        let _ = writeln!(out, "  at: {}", scalar(&seal.at));
        let _ = writeln!(out, "  signature: {}", scalar(&seal.signature));
    }
    out
}

fn write_entry(out: &mut String, id: &str, entry: &Entry) {
    let _ = writeln!(out, "  {}:", scalar(id));
    let _ = writeln!(out, "    digest: {}", entry.digest);
    let _ = writeln!(out, "    state: {}", entry.state.as_str());
    let _ = writeln!(out, "    risk: {}", entry.risk.as_str());
    if !entry.toolsets.is_empty() {
        let names: Vec<String> = entry.toolsets.iter().map(|name| scalar(name)).collect();
        let _ = writeln!(out, "    toolsets: [{}]", names.join(", "));
    }
    if !entry.tools.is_empty() {
        let names: Vec<String> = entry.tools.iter().map(|name| scalar(name)).collect();
        let _ = writeln!(out, "    tools: [{}]", names.join(", "));
    }
    if let Some(author) = &entry.author {
        let _ = writeln!(out, "    author: {}", scalar(author));
    }
    if !entry.withdrawn.is_empty() {
        let _ = writeln!(out, "    withdrawn:");
    }
    for (who, revision) in &entry.withdrawn {
        let _ = writeln!(out, "      {}: {revision}", scalar(who));
    }
    if !entry.approvals.is_empty() {
        let _ = writeln!(out, "    approvals:");
    }
    for approval in &entry.approvals {
        write_approval(out, "      ", approval);
    }
}

/// One item of a list of approvals.
pub(super) fn write_approval(out: &mut String, indent: &str, approval: &Approval) {
    let _ = writeln!(out, "{indent}- by: {}", scalar(&approval.by));
    let _ = writeln!(out, "{indent}  key: {}", scalar(&approval.key));
    let _ = writeln!(out, "{indent}  at: {}", scalar(&approval.at));
    let until = approval.until.as_deref().map_or_else(|| "null".to_owned(), scalar);
    let _ = writeln!(out, "{indent}  until: {until}");
    let _ = writeln!(out, "{indent}  reason: {}", scalar(&approval.reason));
    let _ = writeln!(out, "{indent}  revision: {}", approval.revision);
    let _ = writeln!(out, "{indent}  signature: {}", scalar(&approval.signature));
}

/// Reads an authority document written in YAML: no aliases, no anchors, no merge keys, no tags, no
/// duplicate keys, bounded in size and depth. If it does not fit because it is newer, says so.
pub(crate) fn yaml<T: DeserializeOwned>(text: &str) -> Result<T, BadFile> {
    #[derive(Deserialize)]
    struct Version {
        schema_version: String,
    }
    super::yaml::bounded(text, NODES, DEPTH).map_err(|error| {
        match super::yaml::bounded::<Version>(text, NODES, DEPTH) {
            Ok(version) => match known(&version.schema_version) {
                Err(newer) => newer,
                Ok(()) => BadFile::Syntax(error),
            },
            Err(_) => BadFile::Syntax(error),
        }
    })
}

/// What the largest lockfile needs, and room to spare.
const NODES: usize = 2_000_000;
const DEPTH: usize = 16;

pub(crate) fn known(version: &str) -> Result<(), BadFile> {
    if version == SCHEMA_VERSION { Ok(()) } else { Err(BadFile::Newer(version.chars().take(40).collect())) }
}

/// What the types do not say.
fn check(lockfile: &Lockfile) -> Result<(), BadFile> {
    known(&lockfile.schema_version)?;
    let bad = |pointer: String, why: &str| Err(BadFile::Value { pointer, why: why.to_owned() });
    for (id, entry) in &lockfile.subjects {
        let at = || format!("/subjects/{}", crate::json::token(id));
        let named = |name: &str| (1..=128).contains(&name.len()) && !name.chars().any(char::is_control);
        let known_kind = id == POLICY
            || id.strip_prefix("tool/").is_some_and(named)
            || id.strip_prefix("toolset/").is_some_and(named)
            || id.strip_prefix("host/").is_some_and(named)
            || id.strip_prefix(SCOPE).is_some_and(crate::toolpack::scope::is_name);
        if !known_kind {
            return bad(
                at(),
                "a subject is `policy/default`, `tool/<name>`, `toolset/<name>`, `host/<name>` or `scope/<name>`",
            );
        }
        for (index, Approval { at: when, until, .. }) in entry.approvals.iter().enumerate() {
            for (field, time) in [("at", Some(when)), ("until", until.as_ref())] {
                if time.is_some_and(|time| !is_time(time)) {
                    return bad(
                        format!("{}/approvals/{index}/{field}", at()),
                        "a time is written like 2026-01-31T12:00:00Z",
                    );
                }
            }
        }
        let names = entry.approvals.iter().map(|approval| &approval.by).chain(&entry.author);
        let withdrawn = entry.withdrawn.keys().filter(|who| *who != EVERYONE);
        if let Some(name) = names.chain(withdrawn).find(|name| !is_id(name)) {
            let name: String = name.chars().take(40).collect();
            let why = format!("{name:?} is no name of a signer");
            return Err(BadFile::Value { pointer: at(), why });
        }
        let revisions = entry.approvals.iter().map(|approval| &approval.revision);
        if revisions.chain(entry.withdrawn.values()).any(|revision| *revision >= 1 << 53) {
            return bad(at(), "a revision is smaller than 2^53");
        }
    }
    if lockfile.seal.as_ref().is_some_and(|seal| !is_time(&seal.at)) {
        return bad("/seal/at".to_owned(), "a time is written like 2026-01-31T12:00:00Z");
    }
    if lockfile.revision >= 1 << 53 {
        return bad("/revision".to_owned(), "a revision is smaller than 2^53");
    }
    Ok(())
}

/// Plain where every YAML parser reads the same string, in double quotes anywhere else.
pub(crate) fn scalar(text: &str) -> String {
    const RESERVED: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-./@:+=".contains(c))
        && !text.ends_with(':')
        && !RESERVED.iter().any(|word| text.eq_ignore_ascii_case(word));
    if plain { text.to_owned() } else { quoted(text) }
}
