//! `scopes/scopes.yaml` under the state root: the scopes that its owner wrote. An authority document.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::json::token;
use crate::toolpack::scope::{Scope, is_name};

use super::manifest::is_id;
use super::{BadArtifact, SCHEMA_VERSION, yaml};

mod add;

pub use add::add;

/// Where it is, relative to the state root.
pub const FILE: &str = "scopes/scopes.yaml";

/// The longest file that is read, in bytes.
pub const MAX_BYTES: u64 = 16 << 20;

/// The file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scopes {
    /// Format version.
    pub schema_version: String,
    /// By toolpack id.
    #[serde(default)]
    pub toolpacks: BTreeMap<String, Pack>,
}

/// The scopes of one toolpack.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// By name.
    #[serde(default)]
    pub scopes: BTreeMap<String, Scope>,
}

impl Default for Scopes {
    fn default() -> Self {
        Self { schema_version: SCHEMA_VERSION.to_owned(), toolpacks: BTreeMap::new() }
    }
}

/// The one text of the file. [`read`] gives back an equal value.
#[must_use]
pub fn write(scopes: &Scopes) -> String {
    yaml::write(scopes)
}

/// Reads the file.
///
/// # Errors
/// [`BadArtifact`] with the place: also for a name that is none, constraints for a tool that the scope does not have,
/// and a limit that says nothing.
pub fn read(text: &str) -> Result<Scopes, BadArtifact> {
    let file: Scopes = yaml::read(FILE, text)?;
    super::known(FILE, &file.schema_version)?;
    for (id, pack) in &file.toolpacks {
        let at = format!("/toolpacks/{}", token(id));
        if !is_id(id) {
            return Err(bad(&at, "a toolpack's id is `tp_` and 12 hex digits"));
        }
        for (name, scope) in &pack.scopes {
            let at = format!("{at}/scopes/{}", token(name));
            if !is_name(name) {
                return Err(bad(
                    &at,
                    "a scope's name is 1 to 64 of A-Z a-z 0-9 _ - . and begins with none of _ - .",
                ));
            }
            if let Some((pointer, why)) = scope.faults().into_iter().next() {
                return Err(bad(&format!("{at}{pointer}"), &why));
            }
        }
    }
    Ok(file)
}

fn bad(pointer: &str, why: &str) -> BadArtifact {
    let pointer: String = pointer.chars().take(300).collect();
    BadArtifact::new(FILE, format_args!("{pointer}: {why}"))
}

#[cfg(test)]
mod tests;
