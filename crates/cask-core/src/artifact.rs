//! The wire form of every file: reading validates, and each format has one canonical writer.
//!
//! Authority documents (lockfile, toolpack, tools, toolsets, scopes, baseline, contracts) refuse unknown fields and
//! newer versions; record documents (coverage, suggestions) ignore what they do not know.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::canon::Digest;
use crate::toolpack::{Toolpack, scope};

pub mod baseline;
pub mod capture;
pub mod contracts;
pub mod coverage;
pub mod declared;
pub mod lockfile;
pub mod manifest;
pub mod openapi;
pub mod scopes;
pub mod snapshot;
pub mod suggested;
pub mod text;
pub mod tools;
pub mod toolsets;
pub mod trust;
pub mod yaml;

pub use coverage::Coverage;
pub use manifest::Manifest;
pub use text::Text;

/// The version of every format in a toolpack that this cask writes, and the newest that it reads.
pub const SCHEMA_VERSION: &str = "1";

/// The longest artifact that is read, in bytes. Baselines of the largest known services take a tenth of it.
pub const MAX_BYTES: u64 = 1 << 30;

/// A file that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadArtifact {
    /// It does not read.
    #[error("{file}: {why}")]
    Invalid {
        /// The file, relative to the toolpack.
        file: String,
        /// What is wrong, with line and column or pointer.
        why: String,
    },
    /// A later cask wrote it.
    #[error(
        "{file}: schema_version is `{version}`, this cask reads `{SCHEMA_VERSION}`; use the cask that wrote it, or a later one"
    )]
    Newer {
        /// The file, relative to the toolpack.
        file: String,
        /// What it says.
        version: String,
    },
}

impl BadArtifact {
    /// A fault of a file.
    pub fn new(file: &str, why: impl std::fmt::Display) -> Self {
        Self::Invalid { file: file.to_owned(), why: why.to_string() }
    }
}

/// The files of a toolpack, by path relative to its directory, the manifest not among them.
///
/// # Errors
/// [`BadArtifact`] if a value has no canonical form (a whole number beyond 2^53), or the tools would not read
/// back.
pub fn files(toolpack: &Toolpack, coverage: &Coverage) -> Result<BTreeMap<String, Text>, BadArtifact> {
    let fault = |file: &'static str| move |error: crate::canon::CanonError| BadArtifact::new(file, error);
    let by_id: BTreeMap<&str, _> =
        toolpack.baseline.iter().map(|endpoint| (endpoint.id.as_str(), endpoint)).collect();
    let contracts = || {
        let known = toolpack.tools.iter();
        let known = known.filter_map(|tool| Some((tool, *by_id.get(tool.evidence.endpoint.as_str())?)));
        Ok(contracts::write(&known.collect::<Vec<_>>()))
    };
    let mut coverage = coverage.clone();
    let made: BTreeSet<&str> = toolpack.tools.iter().map(|tool| tool.evidence.endpoint.as_str()).collect();
    coverage.too_large = by_id.keys().filter(|id| !made.contains(*id)).map(|id| (*id).to_owned()).collect();
    type Make<'m> = &'m (dyn Fn() -> Result<Text, BadArtifact> + Sync);
    let tools = || {
        // what would not read back must not be written
        tools::check(&toolpack.tools)?;
        Ok(tools::write(&toolpack.tools))
    };
    let baseline = || baseline::write(&toolpack.id, &toolpack.baseline).map_err(fault(manifest::BASELINE));
    let suggested = || Ok(suggested::write(&scope::suggest(&toolpack.tools, &toolpack.baseline)).into());
    // the longest first
    let all: [(&str, Make<'_>); 9] = [
        (manifest::OPENAPI, &|| Ok(openapi::write(toolpack))),
        (manifest::BASELINE, &baseline),
        (manifest::TOOLS, &tools),
        (manifest::CONTRACTS, &contracts),
        (manifest::COVERAGE, &|| Ok(coverage::write(&coverage).into())),
        (manifest::SCOPES, &suggested),
        (manifest::TOOLSETS, &|| Ok(toolsets::write(&toolpack.toolsets).into())),
        (manifest::POLICY, &|| Ok(toolpack.policy.clone().into())),
        (manifest::POLICY_SCHEMA, &|| Ok(toolpack.policy_schema.clone().into())),
    ];
    let texts: Vec<_> = all.par_iter().map(|(name, make)| Ok(((*name).to_owned(), make()?))).collect();
    texts.into_iter().collect()
}

/// Digests of files, as the manifest lists them.
#[must_use]
pub fn digests(files: &BTreeMap<String, Text>) -> BTreeMap<String, Digest> {
    let listed = files.iter().filter(|(path, _)| !manifest::OWNED.contains(&path.as_str()));
    let listed: Vec<_> = listed.collect();
    let digests = listed.par_iter().map(|(path, text)| ((*path).clone(), text.digest()));
    digests.collect()
}

/// Reads a toolpack back. `text_of` gives the text of a file by its path relative to the toolpack.
/// Checks that the files fit together; that they are the ones that were approved is the lockfile's matter.
///
/// # Errors
/// [`BadArtifact`] for a file that does not read or does not fit, or what `text_of` says.
pub fn load<E: From<BadArtifact>>(
    manifest: &Manifest,
    mut text_of: impl FnMut(&str) -> Result<String, E>,
) -> Result<Toolpack, E> {
    let toolpack = served(manifest, &mut text_of)?;
    let baseline = baseline::read(&text_of(manifest::BASELINE)?)?;
    if baseline.toolpack != manifest.id {
        return Err(
            BadArtifact::new(manifest::BASELINE, format_args!("belongs to `{}`", baseline.toolpack)).into()
        );
    }
    Ok(Toolpack { baseline: baseline.endpoints, ..toolpack })
}

/// As [`load`], without the baseline: what serving needs.
///
/// # Errors
/// As [`load`].
pub fn served<E: From<BadArtifact>>(
    manifest: &Manifest,
    mut text_of: impl FnMut(&str) -> Result<String, E>,
) -> Result<Toolpack, E> {
    let tools = tools::read(&text_of(manifest::TOOLS)?)?;
    let toolsets = toolsets::read(&text_of(manifest::TOOLSETS)?)?;
    let names: BTreeSet<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
    for (toolset, members) in &toolsets {
        if let Some(unknown) = members.iter().find(|name| !names.contains(name.as_str())) {
            let why = format!("/toolsets/{toolset}: there is no tool `{unknown}`");
            return Err(BadArtifact::new(manifest::TOOLSETS, why).into());
        }
    }
    Ok(Toolpack {
        id: manifest.id.clone(),
        name: manifest.name.clone(),
        hosts: manifest.hosts.clone(),
        captures: manifest.captures.clone(),
        tools,
        toolsets,
        policy: text_of(manifest::POLICY)?,
        policy_schema: text_of(manifest::POLICY_SCHEMA)?,
        baseline: Vec::new(),
    })
}

#[derive(Deserialize)]
struct Version {
    schema_version: String,
}

/// Reads strict JSON; says so if it does not fit because it is newer.
fn read_json<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, BadArtifact> {
    serde_json::from_str(text).map_err(|error| match serde_json::from_str::<Version>(text) {
        Ok(Version { schema_version }) => match known(file, &schema_version) {
            Err(newer) => newer,
            Ok(()) => BadArtifact::new(file, error),
        },
        Err(_) => BadArtifact::new(file, error),
    })
}

fn known(file: &str, version: &str) -> Result<(), BadArtifact> {
    if version == SCHEMA_VERSION {
        return Ok(());
    }
    let version = version.chars().take(40).collect();
    Err(BadArtifact::Newer { file: file.to_owned(), version })
}

/// JSON for people: sorted keys, two spaces, a final newline.
fn pretty<T: Serialize>(value: &T) -> Result<String, crate::canon::CanonError> {
    let mut value = serde_json::to_value(value)?;
    value.sort_all_objects();
    crate::canon::canonical(&value)?;
    Ok(serde_json::to_string_pretty(&value)? + "\n")
}

/// JSON with one item a line: for long lists that people seldom read and `diff` still can. Members stand in
/// the order of their declaration.
fn lines<T: Serialize + Sync>(
    head: &[(&str, &str)],
    list: &str,
    items: &[T],
) -> Result<Text, crate::canon::CanonError> {
    let lines = items.par_iter().map_init(Vec::new, |out, item| {
        out.clear();
        crate::json::writer::append(item, out)?;
        std::str::from_utf8(out).map(str::to_owned).map_err(<serde_json::Error as serde::ser::Error>::custom)
    });
    let lines = lines.collect::<Result<Vec<String>, _>>()?;
    Ok(lines_of(head, list, lines.into_iter()))
}

/// As [`lines`], of items that are JSON already.
fn lines_of(head: &[(&str, &str)], list: &str, items: impl ExactSizeIterator<Item = String>) -> Text {
    let mut start = String::from("{\n");
    for (key, value) in head {
        start.push_str(&format!("{}: {},\n", Value::from(*key), Value::from(*value)));
    }
    start.push_str(&format!("{}: [", Value::from(list)));
    let mut out = Text::from(start);
    let any = items.len() > 0;
    for (index, item) in items.enumerate() {
        out.push(if index == 0 { "\n" } else { ",\n" });
        out.push(item);
    }
    out.push(if any { "\n]\n}\n" } else { "]\n}\n" });
    out
}
