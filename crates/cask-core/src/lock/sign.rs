//! What is signed, and how a signature is checked.
//!
//! The signed bytes are the DSSE pre-authentication encoding (<https://github.com/secure-systems-lab/dsse>)
//! of an in-toto Statement v1 in canonical JSON. They are rebuilt from the lockfile when a signature is
//! checked, so there is nothing to parse and no second copy of the truth. Signatures are Ed25519 (RFC 8032).

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, Signer, VerifyingKey};
use serde::Serialize;

use super::{Approval, Entry, Lockfile, Seal, State};
use crate::canon::{self, CanonError};

/// in-toto predicate type of an approval.
pub const APPROVAL: &str = "https://github.com/cask-tools/cask/approval/v1";
/// in-toto predicate type of a seal.
pub const SEAL: &str = "https://github.com/cask-tools/cask/seal/v1";

const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const KEY_PREFIX: &str = "ed25519:";

/// Who decides, and when: what an [`Approval`] and a [`Seal`] say besides what they are about.
pub struct Pen<'a> {
    /// Signer id.
    pub by: &'a str,
    /// RFC 3339, UTC, whole seconds.
    pub at: &'a str,
    /// When the decision ends, if it does.
    pub until: Option<&'a str>,
    /// Why.
    pub reason: &'a str,
    /// The public half of `signer`.
    pub key: VerifyingKey,
    /// Makes the signatures.
    pub signer: &'a dyn Signer<Signature>,
}

/// Could not sign.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The statement has no canonical form.
    #[error(transparent)]
    Canon(#[from] CanonError),
    /// The key's holder refused.
    #[error("the key could not sign: {0}")]
    Key(#[from] ed25519_dalek::SignatureError),
}

/// The text form of a public key: `ed25519:` and base64 of its 32 bytes.
#[must_use]
pub fn key_text(key: &VerifyingKey) -> String {
    format!("{KEY_PREFIX}{}", BASE64.encode(key.as_bytes()))
}

/// Reads [`key_text`]. `None` for anything else, and for the weak keys that would accept forged signatures.
#[must_use]
pub fn key_of(text: &str) -> Option<VerifyingKey> {
    let bytes = BASE64.decode(text.strip_prefix(KEY_PREFIX)?).ok()?;
    let key = VerifyingKey::from_bytes(&bytes.try_into().ok()?).ok()?;
    (!key.is_weak()).then_some(key)
}

/// Signs one subject: the approval that goes into its entry. `entry.state` is the decision.
///
/// # Errors
/// [`SignError`] if the statement cannot be written or the key refuses.
pub fn approve(toolpack: &str, subject: &str, entry: &Entry, pen: &Pen<'_>) -> Result<Approval, SignError> {
    let mut approval = Approval {
        by: pen.by.to_owned(),
        key: key_text(&pen.key),
        at: pen.at.to_owned(),
        until: pen.until.map(str::to_owned),
        reason: pen.reason.to_owned(),
        signature: String::new(),
    };
    let message = approval_message(toolpack, subject, entry, &approval)?;
    approval.signature = BASE64.encode(pen.signer.try_sign(&message)?.to_bytes());
    Ok(approval)
}

/// Seals the whole file as it stands.
///
/// # Errors
/// As [`approve`].
pub fn seal(lockfile: &Lockfile, pen: &Pen<'_>) -> Result<Seal, SignError> {
    let mut seal = Seal {
        by: pen.by.to_owned(),
        key: key_text(&pen.key),
        at: pen.at.to_owned(),
        signature: String::new(),
    };
    let message = seal_message(lockfile, &lockfile.digest()?, &seal)?;
    seal.signature = BASE64.encode(pen.signer.try_sign(&message)?.to_bytes());
    Ok(seal)
}

/// The bytes that an approval signs.
///
/// # Errors
/// As [`canon::canonical`].
pub fn approval_message(
    toolpack: &str,
    subject: &str,
    entry: &Entry,
    approval: &Approval,
) -> Result<Vec<u8>, CanonError> {
    let predicate = Predicate {
        approver: &approval.by,
        at: &approval.at,
        decision: if entry.state == State::Blocked { "block" } else { "allow" },
        key: &approval.key,
        reason: &approval.reason,
        risk: entry.risk.as_str(),
        toolpack,
        toolsets: &entry.toolsets,
        until: approval.until.as_deref(),
    };
    statement(subject, &entry.digest, APPROVAL, predicate)
}

/// The bytes that a seal signs.
///
/// # Errors
/// As [`canon::canonical`].
pub fn seal_message(lockfile: &Lockfile, digest: &canon::Digest, seal: &Seal) -> Result<Vec<u8>, CanonError> {
    if lockfile.revision > canon::EXACT {
        return Err(CanonError::InexactInteger(lockfile.revision.to_string()));
    }
    let predicate = Seals { at: &seal.at, key: &seal.key, revision: lockfile.revision, sealer: &seal.by };
    statement(&lockfile.toolpack, digest, SEAL, predicate)
}

/// An in-toto Statement v1. Here and below, members are declared in the order of the canonical form, so that
/// writing them is writing it: a lockfile has a thousand of these.
#[derive(Serialize)]
struct Statement<'a, P> {
    _type: &'a str,
    predicate: P,
    #[serde(rename = "predicateType")]
    predicate_type: &'a str,
    subject: [Subject<'a>; 1],
}

#[derive(Serialize)]
struct Subject<'a> {
    digest: Sha256,
    name: &'a str,
}

#[derive(Serialize)]
struct Sha256 {
    sha256: String,
}

#[derive(Serialize)]
struct Predicate<'a> {
    approver: &'a str,
    at: &'a str,
    decision: &'a str,
    key: &'a str,
    reason: &'a str,
    risk: &'a str,
    toolpack: &'a str,
    toolsets: &'a BTreeSet<String>,
    until: Option<&'a str>,
}

#[derive(Serialize)]
struct Seals<'a> {
    at: &'a str,
    key: &'a str,
    revision: u64,
    sealer: &'a str,
}

fn statement(
    subject: &str,
    digest: &canon::Digest,
    predicate_type: &str,
    predicate: impl Serialize,
) -> Result<Vec<u8>, CanonError> {
    let payload = serde_json::to_vec(&Statement {
        _type: "https://in-toto.io/Statement/v1",
        predicate,
        predicate_type,
        subject: [Subject { digest: Sha256 { sha256: digest.hex() }, name: subject }],
    })?;
    Ok(pae(PAYLOAD_TYPE, &payload))
}

/// DSSE pre-authentication encoding: every part is preceded by its length in bytes.
fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut out = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    out.extend_from_slice(payload);
    out
}

/// A signature to check.
pub(super) struct Signed {
    pub message: Vec<u8>,
    pub key: VerifyingKey,
    pub signature: Signature,
}

/// Base64 to a signature; `None` if it is not one.
pub(super) fn signature_of(text: &str) -> Option<Signature> {
    Signature::from_slice(&BASE64.decode(text).ok()?).ok()
}

/// Checks signatures; the answer is in the order of the question.
///
/// Many are checked as one batch, which costs half; only when the batch does not hold is each looked at
/// alone. The batch equation and the strict one differ only for signatures that the owner of the private
/// key made crooked on purpose, never for a forged one.
pub(super) fn check(signed: &[Signed]) -> Vec<bool> {
    let alone = |one: &Signed| one.key.verify_strict(&one.message, &one.signature).is_ok();
    if signed.len() > 3 {
        let messages: Vec<&[u8]> = signed.iter().map(|one| one.message.as_slice()).collect();
        let signatures: Vec<Signature> = signed.iter().map(|one| one.signature).collect();
        let keys: Vec<VerifyingKey> = signed.iter().map(|one| one.key).collect();
        if ed25519_dalek::verify_batch(&messages, &signatures, &keys).is_ok() {
            return vec![true; signed.len()];
        }
    }
    signed.iter().map(alone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_the_one_of_the_dsse_specification() {
        assert_eq!(
            pae("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn what_is_signed_is_canonical() {
        let toolsets = BTreeSet::from(["b\u{1f600}\n\"".to_owned(), "a".to_owned()]);
        let odd = "\u{8}\u{c}\t/\\\u{7f}\u{e9}\u{2028}";
        let predicate = Predicate {
            approver: odd,
            at: "t",
            decision: "allow",
            key: "k",
            reason: odd,
            risk: "low",
            toolpack: "tp",
            toolsets: &toolsets,
            until: None,
        };
        let digest = canon::Digest::of_bytes(b"");
        let seals = Seals { at: "t", key: "k", revision: 7, sealer: odd };
        for message in [
            statement(odd, &digest, APPROVAL, predicate).unwrap(),
            statement("x", &digest, SEAL, seals).unwrap(),
        ] {
            let start = message.iter().position(|byte| *byte == b'{').unwrap();
            let value: serde_json::Value = serde_json::from_slice(&message[start..]).unwrap();
            assert_eq!(message[start..], canon::canonical(&value).unwrap());
        }
    }

    #[test]
    fn a_weak_key_is_no_key() {
        // The neutral element: every message has a valid signature under it.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        assert!(VerifyingKey::from_bytes(&neutral).is_ok());
        assert_eq!(key_of(&format!("ed25519:{}", BASE64.encode(neutral))), None);
    }
}
