//! What an agent can see or do, as files: `tools.json`, `toolsets.yaml`, and the manifest beside them,
//! for those who decide on them.

use std::collections::{BTreeMap, BTreeSet};

use super::lockfile::BadFile;
use super::{BadArtifact, manifest, tools, toolsets};
use crate::toolpack::Tool;

pub use super::manifest::Manifest;

impl From<BadArtifact> for BadFile {
    fn from(error: BadArtifact) -> Self {
        match error {
            BadArtifact::Newer { version, .. } => BadFile::Newer(version),
            BadArtifact::Invalid { why, .. } => BadFile::Syntax(why),
        }
    }
}

/// Reads `tools.json`. Duplicate members are refused where a field has a type; inside a schema the digest
/// is taken of what was read, so a hidden duplicate cannot be approved and then used.
///
/// # Errors
/// [`BadFile`] with line and column.
pub fn read_tools(text: &str) -> Result<Vec<Tool>, BadFile> {
    Ok(tools::read(text)?)
}

/// The one text of `tools.json`.
///
/// # Errors
/// If a tool cannot be written as JSON.
pub fn write_tools(of: &[Tool]) -> Result<String, crate::canon::CanonError> {
    tools::write(of)
}

/// Reads `toolsets.yaml`.
///
/// # Errors
/// [`BadFile`] with line and column.
pub fn read_toolsets(text: &str) -> Result<BTreeMap<String, BTreeSet<String>>, BadFile> {
    Ok(toolsets::read(text)?)
}

/// The one text of `toolsets.yaml`.
#[must_use]
pub fn write_toolsets(of: &BTreeMap<String, BTreeSet<String>>) -> String {
    toolsets::write(of)
}

/// Reads `toolpack.yaml`.
///
/// # Errors
/// [`BadFile`] with line and column.
pub fn read_manifest(text: &str) -> Result<Manifest, BadFile> {
    Ok(manifest::read(text)?)
}

/// The one text of `toolpack.yaml`.
#[must_use]
pub fn write_manifest(of: &Manifest) -> String {
    manifest::write(of)
}
