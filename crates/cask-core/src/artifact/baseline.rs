//! `baseline.json`: the endpoints as accepted. An authority document: templates are pinned to it.

use serde::{Deserialize, Serialize};

use crate::canon::CanonError;
use crate::endpoint::Endpoint;

use super::{BadArtifact, SCHEMA_VERSION, Text, manifest::BASELINE, read_json};

/// The file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// Format version.
    pub schema_version: String,
    /// The toolpack's id.
    pub toolpack: String,
    /// In the order of [`crate::toolpack::baseline::sort`].
    pub endpoints: Vec<Endpoint>,
}

/// The text of the file: an endpoint a line.
///
/// # Errors
/// [`CanonError`] if an endpoint is not JSON.
pub fn write(toolpack: &str, endpoints: &[Endpoint]) -> Result<Text, CanonError> {
    super::lines(&[("schema_version", SCHEMA_VERSION), ("toolpack", toolpack)], "endpoints", endpoints)
}

/// Reads the file.
///
/// # Errors
/// [`BadArtifact`], also for an id that is there twice or is not the one of its endpoint's template.
pub fn read(text: &str) -> Result<Baseline, BadArtifact> {
    let file: Baseline = read_json(BASELINE, text)?;
    super::known(BASELINE, &file.schema_version)?;
    let mut ids = std::collections::BTreeSet::new();
    for (index, endpoint) in file.endpoints.iter().enumerate() {
        if !ids.insert(endpoint.id.as_str()) {
            let why = format!("/endpoints/{index}: `{}` is there twice", endpoint.id);
            return Err(BadArtifact::new(BASELINE, why));
        }
    }
    Ok(file)
}
