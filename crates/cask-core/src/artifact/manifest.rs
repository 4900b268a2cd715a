//! `toolpack.yaml`: what belongs to a toolpack. An authority document.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::canon::Digest;
use crate::toolpack::Toolpack;

use super::{BadArtifact, SCHEMA_VERSION, yaml};

/// The manifest's own name.
pub const MANIFEST: &str = "toolpack.yaml";
/// What an agent can call.
pub const TOOLS: &str = "artifact/tools.json";
/// Named groups of tools.
pub const TOOLSETS: &str = "artifact/toolsets.yaml";
/// The Cedar policy.
pub const POLICY: &str = "artifact/policy.cedar";
/// The Cedar schema.
pub const POLICY_SCHEMA: &str = "artifact/policy.cedarschema";
/// Post-conditions.
pub const CONTRACTS: &str = "artifact/contracts.yaml";
/// The OpenAPI 3.1 contract of the endpoints.
pub const OPENAPI: &str = "artifact/openapi.yaml";
/// The endpoints as accepted.
pub const BASELINE: &str = "artifact/baseline.json";
/// Files that their owner edits: no digest is recorded. Whether they are what was approved is the lockfile's
/// matter.
pub const OWNED: [&str; 2] = [POLICY, TOOLSETS];
/// Suggested scopes.
pub const SCOPES: &str = "artifact/scopes.suggested.yaml";
/// What traffic has shown.
pub const COVERAGE: &str = "artifact/coverage.json";

/// The manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Format version.
    pub schema_version: String,
    /// `tp_…`
    pub id: String,
    /// For people.
    pub name: String,
    /// Hosts the tools may call, sorted.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Captures it was compiled from.
    #[serde(default)]
    pub captures: Vec<String>,
    /// Where it comes from.
    #[serde(default)]
    pub origin: Origin,
    /// What a file is for → its path, relative to the manifest.
    #[serde(default)]
    pub paths: BTreeMap<String, String>,
    /// The approved lockfile, relative to the manifest. `gate allow` sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lockfile: Option<String>,
    /// What `run` does when it is not told otherwise.
    #[serde(default)]
    pub runtime: Runtime,
    /// Digests of the files as they were written, by path.
    #[serde(default)]
    pub digests: BTreeMap<String, Digest>,
}

/// Where a toolpack comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The hosts that were asked for, patterns included; with the name they make the id.
    pub allowed_hosts: Vec<String>,
    /// Ids of the API descriptions that were read.
    pub descriptions: Vec<String>,
}

impl Default for Runtime {
    fn default() -> Self {
        Self { transport: "stdio".to_owned(), toolset: crate::toolpack::DEFAULT_TOOLSET.to_owned() }
    }
}

/// What `run` does when it is not told otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runtime {
    /// `stdio`.
    pub transport: String,
    /// The toolset that is served.
    pub toolset: String,
}

impl Manifest {
    /// The manifest of a toolpack with these files. `lockfile` is what an earlier manifest said, if any.
    #[must_use]
    pub fn of(
        toolpack: &Toolpack,
        origin: Origin,
        digests: BTreeMap<String, Digest>,
        lockfile: Option<String>,
    ) -> Self {
        let paths = [
            ("tools", TOOLS),
            ("toolsets", TOOLSETS),
            ("policy", POLICY),
            ("policy_schema", POLICY_SCHEMA),
            ("contracts", CONTRACTS),
            ("openapi", OPENAPI),
            ("baseline", BASELINE),
            ("scopes_suggested", SCOPES),
            ("coverage", COVERAGE),
        ];
        Self {
            schema_version: SCHEMA_VERSION.to_owned(),
            id: toolpack.id.clone(),
            name: toolpack.name.clone(),
            hosts: toolpack.hosts.clone(),
            captures: toolpack.captures.clone(),
            origin,
            paths: paths.into_iter().map(|(what, path)| (what.to_owned(), path.to_owned())).collect(),
            lockfile,
            runtime: Runtime::default(),
            digests,
        }
    }
}

/// The text of the file.
#[must_use]
pub fn write(manifest: &Manifest) -> String {
    yaml::write(manifest)
}

/// Reads the file.
///
/// # Errors
/// [`BadArtifact`], also for a path that leaves the toolpack and an id that is none.
pub fn read(text: &str) -> Result<Manifest, BadArtifact> {
    let manifest: Manifest = yaml::read(MANIFEST, text)?;
    super::known(MANIFEST, &manifest.schema_version)?;
    if !is_id(&manifest.id) {
        return Err(BadArtifact::new(MANIFEST, "/id: an id is `tp_` and 12 hex digits"));
    }
    let paths = manifest.paths.iter().map(|(what, path)| (format!("/paths/{what}"), path));
    for (pointer, path) in paths.chain(manifest.lockfile.iter().map(|path| ("/lockfile".to_owned(), path))) {
        if !is_inside(path) {
            return Err(BadArtifact::new(
                MANIFEST,
                format_args!("{pointer}: the path must stay inside the toolpack"),
            ));
        }
    }
    Ok(manifest)
}

/// Whether this is a toolpack's id.
pub(super) fn is_id(id: &str) -> bool {
    id.strip_prefix("tp_").is_some_and(|hex| {
        hex.len() == 12 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

/// Whether a relative path cannot leave its directory.
#[must_use]
pub fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && path.len() <= 512
        && !path.contains(['\\', '\0', ':'])
        && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}
