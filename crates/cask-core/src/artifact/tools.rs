//! `tools.json`: what an agent can call. An authority document.

use rayon::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::canon::{self, CanonError};
use crate::json::Json;
use crate::toolpack::{Binding, MAX_ENTRY_BYTES, Tool, entry_bytes, name, schema};

use super::{BadArtifact, SCHEMA_VERSION, manifest::TOOLS, read_json};

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tools {
    schema_version: String,
    /// Sorted by name.
    tools: Vec<Tool>,
}

/// The text of the file.
///
/// # Errors
/// [`CanonError`] if a tool has no canonical form.
pub fn write(tools: &[Tool]) -> Result<String, CanonError> {
    let canonical = tools.par_iter().map(canon::canonical).collect::<Result<Vec<_>, _>>()?;
    write_canonical(&canonical)
}

/// As [`write()`], of tools that are canonical JSON already.
pub(super) fn write_canonical(tools: &[Vec<u8>]) -> Result<String, CanonError> {
    let texts = tools.par_iter().map(|canonical| -> Result<String, CanonError> {
        let json: Json<'_> = serde_json::from_slice(canonical)?;
        // no line break in JSON is part of a string
        Ok(serde_json::to_string_pretty(&json)?.replace('\n', "\n    "))
    });
    let texts = texts.collect::<Result<Vec<_>, _>>()?;
    let list = if texts.is_empty() { String::new() } else { format!("\n    {}\n  ", texts.join(",\n    ")) };
    Ok(format!("{{\n  \"schema_version\": \"{SCHEMA_VERSION}\",\n  \"tools\": [{list}]\n}}\n"))
}

/// Reads the tools on all cores; `None` if anything at all is wrong.
fn split(text: &str) -> Option<Tools> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Raw<'t> {
        schema_version: String,
        #[serde(borrow)]
        tools: Vec<&'t RawValue>,
    }
    let raw: Raw<'_> = serde_json::from_str(text).ok()?;
    let tools = raw.tools.par_iter().map(|tool| serde_json::from_str(tool.get()).ok());
    Some(Tools { schema_version: raw.schema_version, tools: tools.collect::<Option<_>>()? })
}

/// Reads the file.
///
/// # Errors
/// [`BadArtifact`] also for a name that is none or there twice, a tool that is too large, and a path
/// parameter without an argument.
pub fn read(text: &str) -> Result<Vec<Tool>, BadArtifact> {
    let file: Tools = match split(text) {
        Some(file) => file,
        // whatever is wrong is said with its place in the whole file
        None => read_json(TOOLS, text)?,
    };
    super::known(TOOLS, &file.schema_version)?;
    let mut before: Option<&str> = None;
    for (index, tool) in file.tools.iter().enumerate() {
        let fault =
            |why: &str| Err(BadArtifact::new(TOOLS, format_args!("/tools/{index} (`{}`): {why}", tool.name)));
        if !name::is_name(&tool.name) {
            return fault("a name is 1 to 64 of A-Z a-z 0-9 _ -");
        }
        if before.is_some_and(|before| before >= tool.name.as_str()) {
            return fault("tools are sorted by name and each is there once");
        }
        before = Some(&tool.name);
        let Binding::Http(binding) = &tool.binding;
        let unbound = binding.path.params().any(|param| {
            !binding.args.values().any(|to| to.place == crate::endpoint::Place::Path && to.name == param)
        });
        if unbound {
            return fault("every parameter of the path needs an argument");
        }
        let text = tool.description.len() + schema::size(&tool.input_schema);
        if text > MAX_ENTRY_BYTES / 2 && entry_bytes(tool) > MAX_ENTRY_BYTES {
            return fault("a tool has at most 16 KiB");
        }
    }
    Ok(file.tools)
}
