//! `contracts.yaml`: the post-conditions of every tool. An authority document.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::toolpack::contract::Contract;

use super::{BadArtifact, SCHEMA_VERSION, manifest::CONTRACTS, yaml};

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contracts {
    schema_version: String,
    contracts: BTreeMap<String, Contract>,
}

/// The text of the file; contracts by tool name.
#[must_use]
pub fn write(contracts: &BTreeMap<String, Contract>) -> String {
    yaml::many("contracts", contracts, ("schema_version", SCHEMA_VERSION))
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
