//! `descriptions/<id>.json`: the endpoints that an API description declares, kept so that compiling again
//! needs no other file. An authority document, named by its content.

use serde::{Deserialize, Serialize};

use crate::canon::{CanonError, Digest};
use crate::endpoint::Endpoint;

use super::{BadArtifact, SCHEMA_VERSION, Text, read_json};

const FILE: &str = "description";

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Declared {
    schema_version: String,
    title: String,
    endpoints: Vec<Endpoint>,
}

/// `desc_…`: the id of a description with this text.
#[must_use]
pub fn id(text: &str) -> String {
    crate::ids::id("desc_", &[&Digest::of_bytes(text.as_bytes()).hex()])
}

/// The text of the file: an endpoint a line.
///
/// # Errors
/// [`CanonError`] if an endpoint is not JSON.
pub fn write(title: &str, endpoints: &[Endpoint]) -> Result<Text, CanonError> {
    super::lines(&[("schema_version", SCHEMA_VERSION), ("title", title)], "endpoints", endpoints)
}

/// Reads the file.
///
/// # Errors
/// [`BadArtifact`]
pub fn read(text: &str) -> Result<Vec<Endpoint>, BadArtifact> {
    let file: Declared = read_json(FILE, text)?;
    super::known(FILE, &file.schema_version)?;
    Ok(file.endpoints)
}
