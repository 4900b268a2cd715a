//! `toolsets.yaml`: named groups of tools. An authority document.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::toolpack::name::is_name;

use super::{BadArtifact, SCHEMA_VERSION, manifest::TOOLSETS, yaml};

/// The file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Toolsets {
    /// Format version.
    pub schema_version: String,
    /// Toolset name → tool names.
    pub toolsets: BTreeMap<String, BTreeSet<String>>,
}

/// The text of the file.
#[must_use]
pub fn write(toolsets: &BTreeMap<String, BTreeSet<String>>) -> String {
    yaml::write(&Toolsets { schema_version: SCHEMA_VERSION.to_owned(), toolsets: toolsets.clone() })
}

/// Reads the file.
///
/// # Errors
/// [`BadArtifact`]
pub fn read(text: &str) -> Result<BTreeMap<String, BTreeSet<String>>, BadArtifact> {
    let file: Toolsets = yaml::read(TOOLSETS, text)?;
    super::known(TOOLSETS, &file.schema_version)?;
    if let Some(bad) = file.toolsets.keys().find(|name| !is_name(name)) {
        let bad: String = bad.chars().take(80).collect();
        return Err(BadArtifact::new(TOOLSETS, format_args!("/toolsets: `{bad}` is not a name")));
    }
    Ok(file.toolsets)
}
