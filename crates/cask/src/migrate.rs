//! Toolpacks of the Python package `caskmcp` (0.2): what is in them, as far as it can be taken over.
//!
//! Its tools are compiled anew from its contract, an OpenAPI document, so that they are tools like any other; they keep
//! their names. Its approvals cover a tool's name, method, path and host, but neither its description nor its schemas, so
//! they are shown and never become approvals here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cask_core::artifact::yaml;
use cask_core::endpoint::Endpoint;
use serde::Deserialize;

use crate::error::Error;
use crate::store::{self, MAX_BYTES};

/// The most YAML nodes of a file that are read, and how deep.
const NODES: usize = 1_000_000;
const DEPTH: usize = 32;

/// One toolpack.
#[derive(Debug)]
pub struct Old {
    /// Its manifest.
    pub file: PathBuf,
    /// Its id there.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its hosts.
    pub hosts: Vec<String>,
    /// Its contract, an OpenAPI document, and where that is.
    pub contract: (PathBuf, String),
    /// What its lockfile says of its tools, by name.
    pub tools: BTreeMap<String, Decided>,
    /// Whether it has a policy of its own, which is of another language.
    pub policy: bool,
}

/// A tool of its lockfile.
#[derive(Debug, Clone, Deserialize)]
pub struct Decided {
    /// Its name.
    pub name: String,
    /// `DELETE`
    #[serde(default)]
    pub method: String,
    /// `/users/{id}`
    #[serde(default)]
    pub path: String,
    /// Its host.
    #[serde(default)]
    pub host: String,
    /// `pending`, `approved` or `rejected`.
    #[serde(default)]
    pub status: String,
    /// Who approved it.
    #[serde(default)]
    pub approved_by: Option<String>,
    /// Why it was approved.
    #[serde(default)]
    pub approval_reason: Option<String>,
    /// Why it was rejected.
    #[serde(default)]
    pub rejection_reason: Option<String>,
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    schema_version: String,
    toolpack_id: String,
    #[serde(default)]
    allowed_hosts: Vec<String>,
    #[serde(default)]
    origin: Origin,
    paths: Paths,
}

#[derive(Default, Deserialize)]
struct Origin {
    #[serde(default)]
    name: Option<String>,
}

#[derive(Deserialize)]
struct Paths {
    #[serde(default)]
    contract_json: Option<String>,
    #[serde(default)]
    contract_yaml: Option<String>,
    #[serde(default)]
    policy: Option<String>,
    #[serde(default)]
    lockfiles: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    tools: BTreeMap<String, Decided>,
}

/// The manifests below a path: itself, or `toolpacks/*/toolpack.yaml`.
///
/// # Errors
/// [`Error`] if there is none.
pub fn manifests(path: &Path) -> Result<Vec<PathBuf>, Error> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let beside = path.join("toolpack.yaml");
    if beside.is_file() {
        return Ok(vec![beside]);
    }
    let mut found: Vec<PathBuf> = std::fs::read_dir(path.join("toolpacks"))
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("toolpack.yaml")))
        .filter(|file| file.is_file())
        .collect();
    found.sort();
    if found.is_empty() {
        return Err(Error::new(format_args!("{}: no toolpack is there", path.display()))
            .hint("give the state root of caskmcp, or a toolpack.yaml in it"));
    }
    Ok(found)
}

/// Reads one. `None` if it is one of ours already.
///
/// # Errors
/// [`Error`] with the file, if it is neither.
pub fn read(file: &Path) -> Result<Option<Old>, Error> {
    let dir = store::dir_of(file);
    let text = store::read(dir, file, MAX_BYTES)?;
    if cask_core::artifact::manifest::read(&text).is_ok() {
        return Ok(None);
    }
    let wrong = |path: &Path, why: &str| Error::new(format_args!("{}: {why}", path.display()));
    let manifest: Manifest = yaml::bounded(&text, NODES, DEPTH).map_err(|error| {
        wrong(file, &format!("not a toolpack of caskmcp: {error}"))
            .hint("migrate reads toolpacks that the Python package caskmcp 0.2 made")
    })?;
    if !manifest.schema_version.starts_with("1.") {
        return Err(wrong(file, "a schema_version other than 1.x, which this version of cask does not know"));
    }
    let inside = |name: &str| -> Result<(PathBuf, String), Error> {
        let path = dir.join(name);
        let text = store::read(dir, &path, MAX_BYTES)?;
        Ok((path, text))
    };
    let contract = manifest.paths.contract_json.or(manifest.paths.contract_yaml).ok_or_else(|| {
        wrong(file, "/paths: it names no contract")
            .hint("compile it once more with caskmcp, which writes one")
    })?;
    let mut tools = BTreeMap::new();
    // The approved one says more than the pending one.
    for kind in ["pending", "approved"] {
        let Some(name) = manifest.paths.lockfiles.get(kind) else { continue };
        let (path, text) = inside(name)?;
        let lock: Lock = yaml::bounded(&text, NODES, DEPTH).map_err(|error| wrong(&path, &error))?;
        tools.extend(lock.tools.into_values().map(|tool| (tool.name.clone(), tool)));
    }
    Ok(Some(Old {
        file: file.to_owned(),
        id: manifest.toolpack_id,
        name: manifest.origin.name.unwrap_or_default(),
        hosts: manifest.allowed_hosts,
        contract: inside(&contract)?,
        tools,
        policy: manifest.paths.policy.is_some(),
    }))
}

impl Old {
    /// The names that its tools had, by the id of the endpoint that they become.
    #[must_use]
    pub fn names(&self, endpoints: &[Endpoint]) -> BTreeMap<String, String> {
        let place = |method: &str, host: &str, path: &str| {
            (method.to_ascii_uppercase(), host.to_ascii_lowercase(), anonymous(path))
        };
        let known: BTreeMap<_, &str> = self
            .tools
            .values()
            .map(|tool| (place(&tool.method, &tool.host, &tool.path), tool.name.as_str()))
            .collect();
        let named = |endpoint: &Endpoint| {
            let name = known.get(&place(&endpoint.method, &endpoint.host, &endpoint.template.to_string()))?;
            usable(name).then(|| (endpoint.id.clone(), (*name).to_owned()))
        };
        endpoints.iter().filter_map(named).collect()
    }
}

/// A template without the names of its parameters.
fn anonymous(path: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "{}".to_owned() } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// What a client takes for a tool's name.
fn usable(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}
