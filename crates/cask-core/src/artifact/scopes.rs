//! `scopes.suggested.yaml`: suggestions for people to take up. A record: nothing acts on it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::toolpack::scope::Scope;

use super::{BadArtifact, SCHEMA_VERSION, manifest::SCOPES, yaml};

#[derive(Debug, Serialize, Deserialize)]
struct Scopes {
    schema_version: String,
    scopes: BTreeMap<String, Scope>,
}

/// The text of the file.
#[must_use]
pub fn write(scopes: &BTreeMap<String, Scope>) -> String {
    yaml::write(&Scopes { schema_version: SCHEMA_VERSION.to_owned(), scopes: scopes.clone() })
}

/// Reads the file.
///
/// # Errors
/// [`BadArtifact`]
pub fn read(text: &str) -> Result<BTreeMap<String, Scope>, BadArtifact> {
    let file: Scopes = yaml::read(SCOPES, text)?;
    super::known(SCOPES, &file.schema_version)?;
    Ok(file.scopes)
}
