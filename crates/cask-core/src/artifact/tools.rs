//! `tools.json`: what an agent can call. An authority document.

use rayon::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::toolpack::{Binding, Fixed, MAX_ENTRY_BYTES, Tool, entry_bytes, floor, name};

use super::{BadArtifact, SCHEMA_VERSION, manifest::TOOLS, read_json};

/// The file as a whole, for the place of a fault.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    #[serde(rename = "schema_version")]
    _schema_version: String,
    #[serde(rename = "tools")]
    _tools: Vec<Tool>,
}

/// The text of the file: a tool a line, as it is signed.
#[must_use]
pub fn write(tools: &[Fixed]) -> String {
    let lines: Vec<&str> = tools.iter().map(Fixed::text).collect();
    super::lines_of(&[("schema_version", SCHEMA_VERSION)], "tools", &lines)
}

/// Reads the tools on all cores; `None` if anything at all is wrong.
fn split(text: &str) -> Option<(String, Vec<Fixed>)> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Raw<'t> {
        schema_version: String,
        #[serde(borrow)]
        tools: Vec<&'t RawValue>,
    }
    let raw: Raw<'_> = serde_json::from_str(text).ok()?;
    let tools = raw.tools.par_iter().map(|tool| Fixed::read(tool.get()).ok());
    Some((raw.schema_version, tools.collect::<Option<_>>()?))
}

/// Reads the file.
///
/// # Errors
/// [`BadArtifact`] also for a name that is none or there twice, a tool that is too large, and a path
/// parameter without an argument.
pub fn read(text: &str) -> Result<Vec<Fixed>, BadArtifact> {
    let Some((version, tools)) = split(text) else {
        // whatever is wrong is said with its place in the whole file
        let whole = read_json::<Whole>(TOOLS, text).err();
        return Err(whole.unwrap_or_else(|| BadArtifact::new(TOOLS, "its tools cannot be told apart")));
    };
    super::known(TOOLS, &version)?;
    fit(&tools)?;
    Ok(tools)
}

/// Whether a file of these tools would read back; each is read by itself and let go.
///
/// # Errors
/// As [`read`].
pub fn check(tools: &[Fixed]) -> Result<(), BadArtifact> {
    let fault = |tool: &Fixed| serde_json::from_str::<Tool>(tool.text()).err();
    let odd = tools.par_iter().find_map_first(|tool| Some((tool, fault(tool)?)));
    match odd {
        Some((tool, error)) => Err(BadArtifact::new(TOOLS, format_args!("tool `{}`: {error}", tool.name))),
        None => fit(tools),
    }
}

/// What is asked of tools beyond their form.
fn fit(tools: &[Fixed]) -> Result<(), BadArtifact> {
    let mut before: Option<&str> = None;
    for (index, tool) in tools.iter().enumerate() {
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
        if floor::is_understated(tool) {
            return fault("it says that it reads, and is called with a method that changes");
        }
        // a client gets parts of it, some of them in more words: far from the limit it need not be counted
        if tool.text().len() > MAX_ENTRY_BYTES / 2 && entry_bytes(tool) > MAX_ENTRY_BYTES {
            return fault("a tool has at most 16 KiB");
        }
    }
    Ok(())
}
