//! What an agent can see or do, as files: `tools.json`, `toolsets.yaml`, and the manifest beside them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::lockfile::{BadFile, known, yaml};
use crate::lock::SCHEMA_VERSION;
use crate::toolpack::Tool;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ToolsFile {
    schema_version: String,
    tools: Vec<Tool>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ToolsetsFile {
    schema_version: String,
    toolsets: BTreeMap<String, BTreeSet<String>>,
}

/// Reads `tools.json`. Duplicate members are refused where a field has a type; inside a schema the digest
/// is taken of what was read, so a hidden duplicate cannot be approved and then used.
///
/// # Errors
/// [`BadFile`] with line and column.
pub fn read_tools(text: &str) -> Result<Vec<Tool>, BadFile> {
    #[derive(Deserialize)]
    struct Version {
        schema_version: String,
    }
    let file: ToolsFile = serde_json::from_str(text).map_err(|error| {
        match serde_json::from_str::<Version>(text).map(|version| known(&version.schema_version)) {
            Ok(Err(newer)) => newer,
            _ => BadFile::Syntax(error.to_string()),
        }
    })?;
    known(&file.schema_version)?;
    Ok(file.tools)
}

/// The one text of `tools.json`.
///
/// # Errors
/// If a tool cannot be written as JSON.
pub fn write_tools(tools: &[Tool]) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Out<'a> {
        schema_version: &'a str,
        tools: &'a [Tool],
    }
    // Through `Value` with sorted members: schemas are maps, whose order depends on where they came from.
    let mut value = serde_json::to_value(Out { schema_version: SCHEMA_VERSION, tools })?;
    value.sort_all_objects();
    let mut text = serde_json::to_string_pretty(&value)?;
    text.push('\n');
    Ok(text)
}

/// Reads `toolsets.yaml`.
///
/// # Errors
/// [`BadFile`] with line and column.
pub fn read_toolsets(text: &str) -> Result<BTreeMap<String, BTreeSet<String>>, BadFile> {
    let file: ToolsetsFile = yaml(text)?;
    known(&file.schema_version)?;
    Ok(file.toolsets)
}

/// The one text of `toolsets.yaml`.
#[must_use]
pub fn write_toolsets(toolsets: &BTreeMap<String, BTreeSet<String>>) -> String {
    use super::lockfile::{quoted, scalar};
    let mut out = format!("schema_version: {}\n", quoted(SCHEMA_VERSION));
    out.push_str(if toolsets.is_empty() { "toolsets: {}\n" } else { "toolsets:\n" });
    for (name, tools) in toolsets {
        if tools.is_empty() {
            out.push_str(&format!("  {}: []\n", scalar(name)));
            continue;
        }
        out.push_str(&format!("  {}:\n", scalar(name)));
        for tool in tools {
            out.push_str(&format!("    - {}\n", scalar(tool)));
        }
    }
    out
}

/// `toolpack.yaml`: what a toolpack is and where its files are. Not itself approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Format version.
    pub schema_version: String,
    /// `tp_…`
    pub id: String,
    /// For people.
    pub name: String,
    /// The hosts its tools may call.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Captures it was compiled from.
    #[serde(default)]
    pub captures: Vec<String>,
    /// The approved lockfile, relative to the manifest; set by `cask gate allow`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lockfile: Option<String>,
}

/// Reads `toolpack.yaml`.
///
/// # Errors
/// [`BadFile`] with line and column.
pub fn read_manifest(text: &str) -> Result<Manifest, BadFile> {
    let manifest: Manifest = yaml(text)?;
    known(&manifest.schema_version)?;
    Ok(manifest)
}

/// The one text of `toolpack.yaml`.
#[must_use]
pub fn write_manifest(manifest: &Manifest) -> String {
    use super::lockfile::{quoted, scalar};
    let list = |items: &[String]| {
        let items: Vec<String> = items.iter().map(|item| scalar(item)).collect();
        format!("[{}]", items.join(", "))
    };
    let mut out = format!("schema_version: {}\n", quoted(&manifest.schema_version));
    out.push_str(&format!("id: {}\n", scalar(&manifest.id)));
    out.push_str(&format!("name: {}\n", scalar(&manifest.name)));
    out.push_str(&format!("hosts: {}\n", list(&manifest.hosts)));
    out.push_str(&format!("captures: {}\n", list(&manifest.captures)));
    if let Some(lockfile) = &manifest.lockfile {
        out.push_str(&format!("lockfile: {}\n", scalar(lockfile)));
    }
    out
}
