//! A snapshot: what was approved at one revision, whole, so that a difference can be shown from it alone.
//!
//! It is named by the digest of its bytes, which are canonical: whoever has the name can check the file.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{BadArtifact, SCHEMA_VERSION};
use crate::canon::{self, CanonError, Digest};
use crate::lock::Surface;
use crate::toolpack::scope::Scope;
use crate::toolpack::{Fixed, Tool};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema_version: String,
    toolpack: String,
    revision: u64,
    lockfile: Digest,
    tools: Vec<Tool>,
    toolsets: BTreeMap<String, BTreeSet<String>>,
    policy: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    scopes: BTreeMap<String, Scope>,
}

/// What was approved.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The revision of the lockfile that approved it.
    pub revision: u64,
    /// The digest of that lockfile.
    pub lockfile: Digest,
    /// What it approved.
    pub surface: Surface,
}

/// The text of a snapshot, and the digest that names it.
///
/// # Errors
/// As [`canon::canonical`].
pub fn write(snapshot: &Snapshot) -> Result<(String, Digest), CanonError> {
    let Snapshot { revision, lockfile, surface } = snapshot;
    let file = File {
        schema_version: SCHEMA_VERSION.to_owned(),
        toolpack: surface.toolpack.clone(),
        revision: *revision,
        lockfile: *lockfile,
        tools: surface.tools.iter().map(|tool| tool.as_ref().clone()).collect(),
        toolsets: surface.toolsets.clone(),
        policy: surface.policy.clone(),
        scopes: surface.scopes.clone(),
    };
    let bytes = canon::canonical(&file)?;
    let digest = Digest::of_bytes(&bytes);
    Ok((String::from_utf8_lossy(&bytes).into_owned(), digest))
}

/// Reads a snapshot. That its bytes have the digest in its name is for the caller to check.
///
/// # Errors
/// [`BadArtifact`] with the file and the place.
pub fn read(file: &str, text: &str) -> Result<Snapshot, BadArtifact> {
    let read: File = super::read_json(file, text)?;
    super::known(file, &read.schema_version)?;
    let tools = read.tools.into_iter().map(|tool| {
        let name = tool.name.clone();
        Fixed::new(tool).map_err(|why| BadArtifact::new(file, format_args!("/tools: `{name}`: {why}")))
    });
    let surface = Surface {
        toolpack: read.toolpack,
        tools: tools.collect::<Result<_, _>>()?,
        toolsets: read.toolsets,
        policy: read.policy,
        scopes: read.scopes,
    };
    Ok(Snapshot { revision: read.revision, lockfile: read.lockfile, surface })
}
