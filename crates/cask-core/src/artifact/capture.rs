//! `capture.json` and `exchanges.jsonl`: an imported capture on disk.
//!
//! Both are record documents: unknown members are ignored, a newer version is refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::capture::Exchange;
use crate::json;
use crate::redact::{Profile, Redacted};

/// The version this build reads and writes.
pub const SCHEMA_VERSION: &str = "1";

/// `capture.json`: where a capture came from, what was kept and what was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// [`SCHEMA_VERSION`].
    pub schema_version: String,
    /// `cap_…`, from the digest of `exchanges.jsonl`.
    pub id: String,
    /// `blake3:…` of `exchanges.jsonl`; empty where an early version did not write it.
    #[serde(default)]
    pub digest: String,
    /// The files it was read from, in order.
    pub sources: Vec<Source>,
    /// Exchanges kept, by host.
    pub hosts: BTreeMap<String, u64>,
    /// The host patterns they were kept by.
    pub allowed: String,
    /// Entries left out, by the code of the reason.
    pub skipped: BTreeMap<String, u64>,
    /// What was taken out of the kept ones.
    pub redaction: Redaction,
}

/// One file of a capture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// File name without its folder.
    pub file: String,
    /// `har`.
    pub format: String,
    /// The tool that wrote it, as it calls itself; empty if it does not say.
    #[serde(default)]
    pub creator: String,
    /// Entries found, lost ones included.
    pub entries: u64,
    /// Entries that could not be read.
    #[serde(default)]
    pub lost: u64,
    /// Where and why reading stopped before the end of the document; empty if it did not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cut: String,
}

/// What redaction did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redaction {
    /// The profile that was applied.
    pub profile: Profile,
    /// Replaced values by kind.
    pub counts: BTreeMap<String, u64>,
}

/// A capture on disk that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// Not the JSON it should be.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// Written by a later cask.
    #[error(
        "schema_version is `{0}`, this cask reads `{SCHEMA_VERSION}`; use the cask that wrote it, or a later one"
    )]
    Newer(String),
}

impl Capture {
    /// Exchanges kept.
    #[must_use]
    pub fn kept(&self) -> u64 {
        self.hosts.values().sum()
    }

    /// Entries found in all files, lost ones included.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.sources.iter().map(|source| source.entries).sum()
    }

    /// Entries that could not be read.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.sources.iter().map(|source| source.lost).sum()
    }

    /// Reads `capture.json`.
    ///
    /// # Errors
    /// [`CaptureError`] with the parser's line and column, or the version.
    pub fn read(text: &str) -> Result<Self, CaptureError> {
        #[derive(Deserialize)]
        struct Version {
            schema_version: String,
        }
        let Version { schema_version } = serde_json::from_str(text)?;
        if schema_version != SCHEMA_VERSION {
            return Err(CaptureError::Newer(schema_version));
        }
        Ok(serde_json::from_str(text)?)
    }

    /// The text of `capture.json`. Members are in the order of this type, maps sorted: the same
    /// capture is the same bytes.
    ///
    /// # Errors
    /// [`CaptureError::Json`], which a value of this type does not cause.
    pub fn write(&self) -> Result<String, CaptureError> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

/// Appends one line of `exchanges.jsonl`. Only what was redacted can be written.
///
/// # Errors
/// The serialiser's, which an exchange does not cause.
pub fn write_line(exchange: &Redacted<Exchange<'_>>, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    json::writer::append(exchange.get(), out)?;
    out.push(b'\n');
    Ok(())
}

/// Reads one line of `exchanges.jsonl`. The disk is not trusted: redact it again.
///
/// # Errors
/// The parser's, with the column.
pub fn read_line(line: &str) -> Result<Exchange<'_>, serde_json::Error> {
    serde_json::from_str(line)
}
