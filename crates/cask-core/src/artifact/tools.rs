//! `tools.json`: what an agent can call. An authority document.

use rayon::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::toolpack::{Binding, Fixed, MAX_ENTRY_BYTES, Tool, entry_bytes, floor, name};

use super::{BadArtifact, SCHEMA_VERSION, Text, manifest::TOOLS, read_json};

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
pub fn write(tools: &[Fixed]) -> Text {
    let lines = tools.iter().map(|tool| tool.text().to_owned());
    super::lines_of(&[("schema_version", SCHEMA_VERSION)], "tools", lines)
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
    let own = tools.par_iter().enumerate().find_map_first(|(index, tool)| Some((index, fault(tool)?)));
    let unsorted = tools.windows(2).position(|two| matches!(two, [one, next] if one.name >= next.name));
    let unsorted = unsorted.map(|index| (index + 1, "tools are sorted by name and each is there once"));
    let first = own.into_iter().chain(unsorted).min_by_key(|(index, _)| *index);
    let Some((index, why)) = first else { return Ok(()) };
    let name = tools.get(index).map_or("", |tool| tool.name.as_str());
    Err(BadArtifact::new(TOOLS, format_args!("/tools/{index} (`{name}`): {why}")))
}

/// What is wrong with one tool.
fn fault(tool: &Fixed) -> Option<&'static str> {
    let Binding::Http(binding) = &tool.binding;
    let bound = |param: &str| {
        binding.args.values().any(|to| to.place == crate::endpoint::Place::Path && to.name == param)
    };
    if !name::is_name(&tool.name) {
        Some("a name is 1 to 64 of A-Z a-z 0-9 _ -")
    } else if !binding.path.params().all(bound) {
        Some("every parameter of the path needs an argument")
    } else if floor::is_understated(tool) {
        Some("it says that it reads, and is called with a method that changes")
    } else if tool.text().len() > MAX_ENTRY_BYTES / 2 && entry_bytes(tool) > MAX_ENTRY_BYTES {
        // a client gets parts of it, some of them in more words: far from the limit it need not be counted
        Some("a tool has at most 16 KiB")
    } else {
        None
    }
}
