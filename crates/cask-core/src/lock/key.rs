//! Public keys, and what a signature of each kind is over.
//!
//! Three kinds sign approvals: a key of cask's own, an OpenSSH Ed25519 key, and one that lives in hardware
//! (`sk-ssh-ed25519`). All are Ed25519 (RFC 8032), so all are checked in one place, as one batch. What differs is what
//! is signed: cask's own keys sign the message; OpenSSH keys sign an SSHSIG (PROTOCOL.sshsig) of it, so that
//! `ssh-keygen -Y verify` can check them too; hardware adds that somebody touched it (PROTOCOL.u2f).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, VerifyingKey};
use ssh_encoding::{Decode as _, Encode as _};
use ssh_key::public::KeyData;
use ssh_key::{HashAlg, PublicKey, SshSig};

use crate::canon::Digest;

/// The SSHSIG namespace of everything that cask signs: a signature for git or for a file is none of ours.
pub const NAMESPACE: &str = "cask";

const OWN: &str = "ed25519:";
/// Of the flags of a hardware signature: somebody was there and touched it.
const USER_PRESENT: u8 = 1;

/// A public key of a signer.
#[derive(Debug, Clone, PartialEq)]
pub enum Key {
    /// Made by cask: signs the message itself.
    Own(VerifyingKey),
    /// An OpenSSH Ed25519 key, in a file, an agent or hardware: signs an SSHSIG of the message.
    Ssh(Box<PublicKey>),
}

impl Key {
    /// Reads what [`Key::text`] writes; an OpenSSH line may end with a comment. `None` for anything else, and for the
    /// weak keys that would accept forged signatures.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let key = match text.strip_prefix(OWN) {
            Some(own) => {
                let bytes = BASE64.decode(own).ok()?;
                Self::Own(VerifyingKey::from_bytes(&bytes.try_into().ok()?).ok()?)
            }
            None => Self::of_ssh(&PublicKey::from_openssh(text).ok()?)?,
        };
        (!key.point()?.is_weak()).then_some(key)
    }

    /// An OpenSSH key, without its comment. `None` if it is not an Ed25519 one.
    #[must_use]
    pub fn of_ssh(key: &PublicKey) -> Option<Self> {
        let key = Self::Ssh(Box::new(PublicKey::new(key.key_data().clone(), "")));
        key.point().map(|_| key)
    }

    /// As trust.yaml has it: `ed25519:` and the base64 of 32 bytes, or the line that OpenSSH has in a `.pub` file.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Own(key) => format!("{OWN}{}", BASE64.encode(key.as_bytes())),
            Self::Ssh(key) => key.to_openssh().unwrap_or_default(),
        }
    }

    /// As an approval names it: of an OpenSSH key the `SHA256:` fingerprint.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::Own(_) => self.text(),
            Self::Ssh(key) => key.fingerprint(HashAlg::Sha256).to_string(),
        }
    }

    /// What holds the private half, in words.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Own(_) => "cask",
            Self::Ssh(key) if matches!(key.key_data(), KeyData::SkEd25519(_)) => "ssh hardware",
            Self::Ssh(_) => "ssh",
        }
    }

    /// The 32 bytes of the public key, whatever holds its private half.
    #[must_use]
    pub fn bytes(&self) -> Option<[u8; 32]> {
        self.point().map(|point| point.to_bytes())
    }

    /// Whether a signature over a message is this key's.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &str) -> bool {
        let signed: Vec<Signed> = self.signed(message.to_vec(), signature).into_iter().collect();
        check(&signed) == [true]
    }

    fn point(&self) -> Option<VerifyingKey> {
        match self {
            Self::Own(key) => Some(*key),
            Self::Ssh(key) => match key.key_data() {
                KeyData::Ed25519(key) => VerifyingKey::try_from(key).ok(),
                KeyData::SkEd25519(key) => VerifyingKey::try_from(key.public_key()).ok(),
                _ => None,
            },
        }
    }

    /// The one Ed25519 signature that has to hold for the text of a signature (base64) to be this key's over this
    /// message. `None` if it cannot be.
    #[must_use]
    pub(super) fn signed(&self, message: Vec<u8>, signature: &str) -> Option<Signed> {
        let bytes = BASE64.decode(signature).ok()?;
        let key = self.point()?;
        let Self::Ssh(own) = self else {
            return Some(Signed { message, key, signature: Signature::from_slice(&bytes).ok()? });
        };
        let sig = read_sshsig(&bytes)?;
        if sig.public_key() != own.key_data() || sig.namespace() != NAMESPACE || !sig.reserved().is_empty() {
            return None;
        }
        let data = SshSig::signed_data(NAMESPACE, sig.hash_alg(), &message).ok()?;
        let (message, signature) = match own.key_data() {
            KeyData::SkEd25519(hardware) => {
                let (signature, flags) = sig.signature_bytes().split_first_chunk::<64>()?;
                if flags.first()? & USER_PRESENT == 0 {
                    return None;
                }
                let application = Digest::of_bytes(hardware.application().as_bytes());
                (
                    [application.bytes().as_slice(), flags, Digest::of_bytes(&data).bytes()].concat(),
                    Signature::from_bytes(signature),
                )
            }
            _ => (data, Signature::from_slice(sig.signature_bytes()).ok()?),
        };
        Some(Signed { message, key, signature })
    }
}

fn read_sshsig(mut bytes: &[u8]) -> Option<SshSig> {
    let sig = SshSig::decode(&mut bytes).ok()?;
    (bytes.is_empty() && sig.version() == SshSig::VERSION).then_some(sig)
}

/// The text of an OpenSSH signature, as an approval has it.
#[must_use]
pub fn sshsig_text(sig: &SshSig) -> Option<String> {
    let mut bytes = Vec::new();
    sig.encode(&mut bytes).ok()?;
    Some(BASE64.encode(bytes))
}

/// The same signature armoured, as `ssh-keygen -Y verify` takes it. `None` if the text is not one of OpenSSH.
#[must_use]
pub fn armoured(text: &str) -> Option<String> {
    let sig = read_sshsig(&BASE64.decode(text).ok()?)?;
    sig.to_pem(ssh_key::LineEnding::LF).ok()
}

/// One Ed25519 signature to check.
#[derive(Debug)]
pub(super) struct Signed {
    message: Vec<u8>,
    key: VerifyingKey,
    signature: Signature,
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
    fn a_weak_key_is_no_key() {
        // The neutral element: every message has a valid signature under it.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        assert!(VerifyingKey::from_bytes(&neutral).is_ok());
        assert_eq!(Key::read(&format!("ed25519:{}", BASE64.encode(neutral))), None);
        let ssh = PublicKey::new(KeyData::Ed25519(ssh_key::public::Ed25519PublicKey(neutral)), "");
        assert_eq!(Key::read(&ssh.to_openssh().unwrap()), None);
    }

    #[test]
    fn keys_are_read_as_they_are_written() {
        let line =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti user@example";
        let key = Key::read(line).unwrap();
        assert_eq!(key.text(), line.trim_end_matches(" user@example"));
        assert!(key.id().starts_with("SHA256:"));
        assert_eq!(Key::read(&key.text()), Some(key));
        for other in ["", "ed25519:", "ssh-rsa AAAA", "ssh-ed25519", "ssh-ed25519 AAAAC3Nz", "SHA256:abc"] {
            assert_eq!(Key::read(other), None, "{other}");
        }
    }
}
