//! Bundles: all that serving one approved toolpack takes, in one file that is the same bytes wherever it is made.
//!
//! There is one way out ([`collect()`], [`check`](check::check), [`zip::write`]) and one way in ([`open()`], the same check):
//! what `cask bundle` does not refuse, `cask bundle verify` does not either.

use std::collections::BTreeMap;

use cask_core::canon::{Digest, canonical};
use serde::{Deserialize, Serialize};

use crate::error::Error;

pub mod check;
mod collect;
pub mod names;
mod open;
mod secrets;
pub mod zip;

pub use collect::collect;
pub use open::{Opened, open};
pub use zip::Members;

/// The longest member, in bytes.
pub const LONGEST: u64 = 64 << 20;
/// The most bytes of all members together.
pub const MOST: u64 = 512 << 20;
/// The longest bundle: its members, and what stands between them.
pub const LONGEST_FILE: u64 = MOST + (16 << 20);

const SCHEMA_VERSION: &str = "1";

/// `bundle.json`: what a bundle is about, and the digest of every other member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    schema_version: String,
    /// The toolpack's id.
    pub toolpack: String,
    /// The revision of its lockfile.
    pub revision: u64,
    /// The lockfile's digest, as its seal signs it.
    pub lockfile: Digest,
    /// The digest of the trust, as `--trust-root` names it.
    pub trust: Digest,
    /// SHA-256 by member.
    pub members: BTreeMap<String, Digest>,
}

impl Record {
    /// The record of these members.
    #[must_use]
    pub fn new(
        toolpack: &str,
        revision: u64,
        lockfile: Digest,
        trust: Digest,
        members: &Members<'_>,
    ) -> Self {
        let members = members.iter().map(|(name, bytes)| (name.clone(), Digest::of_bytes(bytes))).collect();
        let toolpack = toolpack.to_owned();
        Self { schema_version: SCHEMA_VERSION.to_owned(), toolpack, revision, lockfile, trust, members }
    }

    /// The one text of it.
    ///
    /// # Errors
    /// [`Error`] if the revision has no canonical form.
    pub fn write(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = canonical(self).map_err(Error::new)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads it. An error says that a later cask wrote it, a text that it is none.
    fn read(bytes: &[u8]) -> Result<Result<Self, String>, Error> {
        #[derive(Deserialize)]
        struct Version {
            schema_version: String,
        }
        match serde_json::from_slice::<Version>(bytes) {
            Ok(Version { schema_version }) if schema_version != SCHEMA_VERSION => {
                Err(Error::new("the bundle was written by a later version of cask")
                    .hint("use the version that wrote it, or a later one"))
            }
            _ => Ok(serde_json::from_slice(bytes).map_err(|error| error.to_string())),
        }
    }
}
