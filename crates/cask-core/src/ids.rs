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

/// `cap_…`: a capture, named by the digest of its redacted exchanges.
#[must_use]
pub fn capture(exchanges: &Digest) -> String {
    id("cap_", &[&exchanges.hex()])
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
