//! Who may decide.

use std::collections::BTreeMap;

use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};

use super::sign;
use crate::endpoint::Risk;

/// The signers of a state root. Only [`Trust::new`] makes one, so every key in it is a real key.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    signers: Vec<Signer>,
    keys: BTreeMap<String, (String, VerifyingKey)>,
}

/// Someone who may decide, and the keys that speak for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signer {
    /// As in [`super::Approval::by`].
    pub id: String,
    /// As in [`super::Approval::key`].
    pub keys: Vec<String>,
}

/// A list of signers that cannot be trusted as it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTrust {
    /// Not a public key.
    #[error(
        "`{key}` of signer `{signer}` is not a usable Ed25519 public key (`ed25519:` and 44 base64 characters)"
    )]
    NotAKey {
        /// Whose.
        signer: String,
        /// The text.
        key: String,
    },
    /// One key, two owners: an approval could be read as either's.
    #[error("key `{key}` is listed for both `{one}` and `{other}`")]
    SharedKey {
        /// The key.
        key: String,
        /// First owner.
        one: String,
        /// Second owner.
        other: String,
    },
    /// A signer is listed twice.
    #[error("signer `{0}` is listed twice")]
    Twice(String),
    /// A signer without a name.
    #[error("a signer has an empty id")]
    Nameless,
}

impl Trust {
    /// Trust in these signers.
    ///
    /// # Errors
    /// [`BadTrust`] for a key that is none, a key with two owners or a signer listed twice.
    pub fn new(signers: Vec<Signer>) -> Result<Self, BadTrust> {
        let mut keys: BTreeMap<String, (String, VerifyingKey)> = BTreeMap::new();
        let mut ids = std::collections::BTreeSet::new();
        for signer in &signers {
            if signer.id.trim().is_empty() {
                return Err(BadTrust::Nameless);
            }
            if !ids.insert(&signer.id) {
                return Err(BadTrust::Twice(signer.id.clone()));
            }
            for text in &signer.keys {
                let key = sign::key_of(text).ok_or_else(|| BadTrust::NotAKey {
                    signer: signer.id.clone(),
                    key: text.chars().take(80).collect(),
                })?;
                if let Some((one, _)) = keys.insert(text.clone(), (signer.id.clone(), key)) {
                    return Err(BadTrust::SharedKey { key: text.clone(), one, other: signer.id.clone() });
                }
            }
        }
        Ok(Self { signers, keys })
    }

    /// Everyone who is trusted.
    #[must_use]
    pub fn signers(&self) -> &[Signer] {
        &self.signers
    }

    /// The owner of a key, if it is trusted.
    #[must_use]
    pub fn owner(&self, key: &str) -> Option<&str> {
        self.keys.get(key).map(|(id, _)| id.as_str())
    }

    /// The key with which `by` may approve subjects of this risk; `None` is no.
    ///
    /// Every trusted signer may approve every risk today; the question is asked with the risk so that a
    /// limit per signer needs no other caller.
    #[must_use]
    pub fn allows(&self, by: &str, key: &str, _risk: Risk) -> Option<VerifyingKey> {
        self.keys.get(key).filter(|(id, _)| id == by).map(|(_, key)| *key)
    }
}
