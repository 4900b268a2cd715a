//! `contracts.yaml`: the post-conditions of every tool. An authority document.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::toolpack::contract::Contract;

use super::{BadArtifact, SCHEMA_VERSION, manifest::CONTRACTS, yaml};

/// The file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contracts<C> {
    schema_version: String,
    contracts: C,
}

/// The text of the file; contracts by tool name.
#[must_use]
pub fn write(contracts: &BTreeMap<String, Contract>) -> String {
    yaml::write(&Contracts { schema_version: SCHEMA_VERSION.to_owned(), contracts })
}

/// Reads the file.
///
/// # Errors
/// [`BadArtifact`]
pub fn read(text: &str) -> Result<BTreeMap<String, Contract>, BadArtifact> {
    let file: Contracts<BTreeMap<String, Contract>> = yaml::read(CONTRACTS, text)?;
    super::known(CONTRACTS, &file.schema_version)?;
    Ok(file.contracts)
}
