//! `coverage.json`: how much of the toolpack traffic has shown. A record.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::endpoint::{Endpoint, Place};

use super::{BadArtifact, SCHEMA_VERSION, manifest::COVERAGE, read_json};

/// The file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Coverage {
    /// Format version.
    pub schema_version: String,
    /// Exchanges in the captures.
    pub exchanges: u64,
    /// Of them, those that belong to an endpoint.
    pub matched: u64,
    /// Entries that were left out on import, by reason.
    #[serde(default)]
    pub skipped: BTreeMap<String, u64>,
    /// Ids of endpoints that have no tool, since it would be larger than a client takes.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub too_large: BTreeSet<String>,
    /// By endpoint, in the baseline's order.
    pub endpoints: Vec<Covered>,
}

/// One endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Covered {
    /// Its id.
    pub id: String,
    /// Upper-case method.
    pub method: String,
    /// Its host.
    pub host: String,
    /// Its path template.
    pub path: String,
    /// Exchanges that matched.
    pub observed: u64,
    /// Whether a description declares it.
    pub declared: bool,
    /// Exchanges by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Parameters that traffic has shown.
    pub proven: Vec<String>,
    /// Parameters that are only declared.
    pub unproven: Vec<String>,
}

/// What endpoints say about their own coverage.
#[must_use]
pub fn of(endpoints: &[Endpoint], exchanges: u64, skipped: BTreeMap<String, u64>) -> Coverage {
    let covered: Vec<Covered> = endpoints.par_iter().map(covered).collect();
    Coverage {
        schema_version: SCHEMA_VERSION.to_owned(),
        exchanges,
        matched: covered.iter().map(|one| one.observed).fold(0, u64::saturating_add),
        skipped,
        too_large: BTreeSet::new(),
        endpoints: covered,
    }
}

fn covered(endpoint: &Endpoint) -> Covered {
    let (proven, unproven): (Vec<_>, Vec<_>) = endpoint
        .params
        .iter()
        .partition(|param| param.seen > 0 || param.place == Place::Path && endpoint.observed > 0);
    let named = |params: Vec<&crate::endpoint::Param>| {
        params.into_iter().map(|param| format!("{}:{}", param.place.as_str(), param.name)).collect()
    };
    Covered {
        id: endpoint.id.clone(),
        method: endpoint.method.clone(),
        host: endpoint.host.clone(),
        path: endpoint.template.to_string(),
        observed: endpoint.observed,
        declared: endpoint.declared,
        statuses: endpoint.responses.iter().map(|(status, response)| (*status, response.seen)).collect(),
        proven: named(proven),
        unproven: named(unproven),
    }
}

/// The text of the file.
#[must_use]
pub fn write(coverage: &Coverage) -> String {
    super::pretty(coverage).unwrap_or_default()
}

/// Reads the file.
///
/// # Errors
/// [`BadArtifact`]
pub fn read(text: &str) -> Result<Coverage, BadArtifact> {
    read_json(COVERAGE, text)
}
