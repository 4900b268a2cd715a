//! `tools.json`: what an agent can call. An authority document.

use serde::{Deserialize, Serialize};

use crate::canon::CanonError;
use crate::toolpack::{Binding, MAX_ENTRY_BYTES, Tool, entry, name, schema};

use super::{BadArtifact, SCHEMA_VERSION, manifest::TOOLS, read_json};

/// The file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    let file = Tools { schema_version: SCHEMA_VERSION.to_owned(), tools: tools.to_vec() };
    super::pretty(&file)
}

/// Reads the file.
///
/// # Errors
/// [`BadArtifact`] also for a name that is none or there twice, a tool that is too large, and a path
/// parameter without an argument.
pub fn read(text: &str) -> Result<Vec<Tool>, BadArtifact> {
    let file: Tools = read_json(TOOLS, text)?;
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
        if text > MAX_ENTRY_BYTES / 2 && schema::size(&entry(tool, None)) > MAX_ENTRY_BYTES {
            return fault("a tool has at most 16 KiB");
        }
    }
    Ok(file.tools)
}
