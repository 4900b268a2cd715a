//! `scopes.suggested.yaml`: suggestions for people to take over. A record: what is suggested holds nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::toolpack::scope::Suggestion;

use super::{BadArtifact, SCHEMA_VERSION, manifest::SCOPES, yaml};

#[derive(Debug, Serialize, Deserialize)]
struct Suggested {
    schema_version: String,
    scopes: BTreeMap<String, Suggestion>,
}

/// The text of the file.
#[must_use]
pub fn write(scopes: &BTreeMap<String, Suggestion>) -> String {
    yaml::write(&Suggested { schema_version: SCHEMA_VERSION.to_owned(), scopes: scopes.clone() })
}

/// Reads the file.
///
/// # Errors
/// [`BadArtifact`]
pub fn read(text: &str) -> Result<BTreeMap<String, Suggestion>, BadArtifact> {
    let file: Suggested = yaml::read(SCOPES, text)?;
    super::known(SCOPES, &file.schema_version)?;
    Ok(file.scopes)
}
