//! Ids that are derived from content, so that the same input has the same id everywhere.

use crate::canon::Digest;

/// `prefix` and the first 12 hex digits of the digest of the parts.
///
/// Each part is preceded by its length, so that no two lists of parts are the same bytes.
#[must_use]
pub fn id(prefix: &str, parts: &[&str]) -> String {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    let hex: String = Digest::of_bytes(&bytes).hex().chars().take(12).collect();
    format!("{prefix}{hex}")
}

/// `cap_…`: names a capture by the bytes of its redacted exchanges, which come in pieces.
///
/// With BLAKE3, not with a [`Digest`]: a capture is long, its name is never signed and never leaves this machine, and
/// where a processor has no instructions for SHA-256 that was a sixth of all the work of importing.
#[derive(Debug, Clone, Default)]
pub struct CaptureId(blake3::Hasher);

impl CaptureId {
    /// The next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The id of a capture of all these bytes.
    #[must_use]
    pub fn finish(&self) -> String {
        id("cap_", &[&self.0.finalize().to_hex()])
    }

    /// `blake3:` and 64 hex digits: what the id is the short form of. Two captures can be made to share an id, not this.
    #[must_use]
    pub fn digest(&self) -> String {
        format!("blake3:{}", self.0.finalize().to_hex())
    }
}

/// `tp_…`: a toolpack, named by its name and its hosts, so that minting again finds it.
#[must_use]
pub fn toolpack(name: &str, hosts: &[String]) -> String {
    let mut parts = vec![name];
    parts.extend(hosts.iter().map(String::as_str));
    id("tp_", &parts)
}

/// `ep_…`: an endpoint, named by method, host and template with anonymous parameters.
#[must_use]
pub fn endpoint(method: &str, host: &str, anonymous_template: &str, operation: &str) -> String {
    id("ep_", &[method, host, anonymous_template, operation])
}
