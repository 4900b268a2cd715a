//! What is signed.
//!
//! The signed bytes are the DSSE pre-authentication encoding (<https://github.com/secure-systems-lab/dsse>)
//! of an in-toto Statement v1 in canonical JSON. They are rebuilt from the lockfile when a signature is
//! checked, so there is nothing to parse and no second copy of the truth.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signer as _, SigningKey};
use serde::Serialize;

use super::key::Key;
use super::trust::{self, Trust};
use super::{Approval, Entry, Lockfile, Seal, State};
use crate::canon::{self, CanonError};

/// in-toto predicate type of an approval.
pub const APPROVAL: &str = "https://github.com/cask-tools/cask/approval/v1";
/// in-toto predicate type of a seal.
pub const SEAL: &str = "https://github.com/cask-tools/cask/seal/v1";
/// in-toto predicate type of an approval of a trust file.
pub const TRUST: &str = "https://github.com/cask-tools/cask/trust/v1";

/// The DSSE payload type of every statement.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// What makes signatures: a key in memory, in a file, in an agent.
pub trait Signs {
    /// The public half.
    fn key(&self) -> &Key;

    /// The signature over a message, as the text that [`Approval::signature`] has.
    ///
    /// # Errors
    /// Why the key's holder did not sign.
    fn sign(&self, message: &[u8]) -> Result<String, String>;
}

/// An Ed25519 key in memory.
pub struct Own {
    secret: SigningKey,
    public: Key,
}

impl From<SigningKey> for Own {
    fn from(secret: SigningKey) -> Self {
        Self { public: Key::Own(secret.verifying_key()), secret }
    }
}

impl Signs for Own {
    fn key(&self) -> &Key {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<String, String> {
        let signature = self.secret.try_sign(message).map_err(|error| error.to_string())?;
        Ok(BASE64.encode(signature.to_bytes()))
    }
}

/// Who decides, and when: what an [`Approval`] and a [`Seal`] say besides what they are about.
#[derive(Clone, Copy)]
pub struct Pen<'a> {
    /// Signer id.
    pub by: &'a str,
    /// RFC 3339, UTC, whole seconds.
    pub at: &'a str,
    /// When the decision ends, if it does.
    pub until: Option<&'a str>,
    /// Why.
    pub reason: &'a str,
    /// Makes the signatures.
    pub signer: &'a dyn Signs,
}

/// Could not sign.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The statement has no canonical form.
    #[error(transparent)]
    Canon(#[from] CanonError),
    /// The key's holder refused.
    #[error("the key could not sign: {0}")]
    Key(String),
}

impl Pen<'_> {
    fn approval(&self, revision: u64) -> Approval {
        Approval {
            by: self.by.to_owned(),
            key: self.signer.key().id(),
            at: self.at.to_owned(),
            until: self.until.map(str::to_owned),
            reason: self.reason.to_owned(),
            revision,
            signature: String::new(),
        }
    }

    fn sign(&self, message: &[u8]) -> Result<String, SignError> {
        self.signer.sign(message).map_err(SignError::Key)
    }
}

/// Signs one subject, for this revision of the lockfile: the approval that goes into its entry. `entry.state` is the
/// decision.
///
/// # Errors
/// [`SignError`] if the statement cannot be written or the key refuses.
pub fn approve(
    toolpack: &str,
    revision: u64,
    subject: &str,
    entry: &Entry,
    pen: &Pen<'_>,
) -> Result<Approval, SignError> {
    let mut approval = pen.approval(revision);
    approval.signature = pen.sign(&pae(&approval_statement(toolpack, subject, entry, &approval)?))?;
    Ok(approval)
}

/// Seals the whole file as it stands.
///
/// # Errors
/// As [`approve`].
pub fn seal(lockfile: &Lockfile, pen: &Pen<'_>) -> Result<Seal, SignError> {
    let mut seal = Seal {
        by: pen.by.to_owned(),
        key: pen.signer.key().id(),
        at: pen.at.to_owned(),
        signature: String::new(),
    };
    seal.signature = pen.sign(&seal_message(lockfile, &lockfile.digest()?, &seal)?)?;
    Ok(seal)
}

/// Signs a trust file: the approval that its next revision needs.
///
/// # Errors
/// As [`approve`].
pub fn approve_trust(trust: &Trust, pen: &Pen<'_>) -> Result<Approval, SignError> {
    let mut approval = pen.approval(trust.revision());
    approval.signature = pen.sign(&trust_message(trust, &approval)?)?;
    Ok(approval)
}

/// The in-toto statement of an approval, in canonical JSON.
///
/// # Errors
/// As [`canon::canonical`].
pub fn approval_statement(
    toolpack: &str,
    subject: &str,
    entry: &Entry,
    approval: &Approval,
) -> Result<Vec<u8>, CanonError> {
    let predicate = Predicate {
        approver: &approval.by,
        at: &approval.at,
        author: entry.author.as_deref(),
        decision: if entry.state == State::Blocked { "block" } else { "allow" },
        key: &approval.key,
        reason: &approval.reason,
        revision: exact(approval.revision)?,
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
    let revision = exact(lockfile.revision)?;
    let predicate = Seals { at: &seal.at, key: &seal.key, revision, sealer: &seal.by };
    Ok(pae(&statement(&lockfile.toolpack, digest, SEAL, predicate)?))
}

/// The bytes that an approval of a trust file signs.
///
/// # Errors
/// As [`canon::canonical`].
pub fn trust_message(trust: &Trust, approval: &Approval) -> Result<Vec<u8>, CanonError> {
    let predicate = Trusts {
        approver: &approval.by,
        at: &approval.at,
        key: &approval.key,
        reason: &approval.reason,
        revision: exact(approval.revision)?,
        until: approval.until.as_deref(),
    };
    Ok(pae(&statement(trust::SUBJECT, &trust.digest()?, TRUST, predicate)?))
}

fn exact(number: u64) -> Result<u64, CanonError> {
    if number > canon::EXACT { Err(CanonError::InexactInteger(number.to_string())) } else { Ok(number) }
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
    author: Option<&'a str>,
    decision: &'a str,
    key: &'a str,
    reason: &'a str,
    revision: u64,
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

#[derive(Serialize)]
struct Trusts<'a> {
    approver: &'a str,
    at: &'a str,
    key: &'a str,
    reason: &'a str,
    revision: u64,
    until: Option<&'a str>,
}

fn statement(
    subject: &str,
    digest: &canon::Digest,
    predicate_type: &str,
    predicate: impl Serialize,
) -> Result<Vec<u8>, CanonError> {
    let mut out = Vec::with_capacity(768);
    crate::json::writer::append(
        &Statement {
            _type: "https://in-toto.io/Statement/v1",
            predicate,
            predicate_type,
            subject: [Subject { digest: Sha256 { sha256: digest.hex() }, name: subject }],
        },
        &mut out,
    )?;
    Ok(out)
}

/// What is signed of a statement: its DSSE pre-authentication encoding, in which every part is preceded by its length in
/// bytes.
#[must_use]
pub fn pae(payload: &[u8]) -> Vec<u8> {
    encoded(PAYLOAD_TYPE, payload)
}

fn encoded(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut out = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    out.extend_from_slice(payload);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_the_one_of_the_dsse_specification() {
        assert_eq!(
            encoded("http://example.com/HelloWorld", b"hello world"),
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
            author: Some(odd),
            decision: "allow",
            key: "k",
            reason: odd,
            revision: 1,
            risk: "low",
            toolpack: "tp",
            toolsets: &toolsets,
            until: None,
        };
        let digest = canon::Digest::of_bytes(b"");
        let seals = Seals { at: "t", key: "k", revision: 7, sealer: odd };
        let trusts = Trusts { approver: odd, at: "t", key: "k", reason: odd, revision: 2, until: Some("u") };
        for payload in [
            statement(odd, &digest, APPROVAL, predicate).unwrap(),
            statement("x", &digest, SEAL, seals).unwrap(),
            statement("x", &digest, TRUST, trusts).unwrap(),
        ] {
            let value: serde_json::Value = serde_json::from_slice(&payload).unwrap();
            assert_eq!(payload, canon::canonical(&value).unwrap());
        }
    }
}
