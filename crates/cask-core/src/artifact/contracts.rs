//! `contracts.yaml`: the post-conditions of every tool. An authority document.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::endpoint::Endpoint;
use crate::toolpack::Fixed;
use crate::toolpack::contract::{Contract, contract};

use super::{BadArtifact, SCHEMA_VERSION, Text, manifest::CONTRACTS, yaml};

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contracts {
    schema_version: String,
    contracts: BTreeMap<String, Contract>,
}

/// The text of the file: a contract for each tool, which are sorted by name.
#[must_use]
pub fn write(tools: &[(&Fixed, &Endpoint)]) -> Text {
    let one = |(tool, endpoint): &(&Fixed, &Endpoint)| (tool.name.clone(), contract(tool, endpoint));
    yaml::many("contracts", tools, one, ("schema_version", SCHEMA_VERSION))
}

/// Reads the file.
///
/// # Errors
/// [`BadArtifact`]
pub fn read(text: &str) -> Result<BTreeMap<String, Contract>, BadArtifact> {
    let file: Contracts = yaml::read(CONTRACTS, text)?;
    super::known(CONTRACTS, &file.schema_version)?;
    Ok(file.contracts)
}
