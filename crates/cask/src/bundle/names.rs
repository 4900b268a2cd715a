//! Where things stand in a bundle: as they do in a state root, so that an unpacked bundle is one.

use cask_core::artifact::manifest;

use crate::store::folder::{APPROVED, PLAIN};

/// What the bundle says about itself.
pub const RECORD: &str = "bundle.json";
/// Who may approve.
pub const TRUST: &str = "trust.yaml";
/// The user's own scopes.
pub const SCOPES: &str = "scopes/scopes.yaml";
/// What the approved digests stand for, relative to the toolpack.
pub const CONTENTS: &str = "lockfile/approved.contents.json";
/// The names of a sealed lockfile, relative to the toolpack.
pub const LOCKFILES: [&str; 2] = [APPROVED, PLAIN];
/// The files of a toolpack that a bundle carries, relative to it.
pub const FILES: [&str; 9] = [
    manifest::TOOLS,
    manifest::TOOLSETS,
    manifest::POLICY,
    manifest::POLICY_SCHEMA,
    manifest::CONTRACTS,
    manifest::OPENAPI,
    manifest::BASELINE,
    manifest::SCOPES,
    manifest::COVERAGE,
];
/// The longest name of a member, in bytes.
const LONGEST: usize = 512;

/// The folder of a toolpack.
#[must_use]
pub fn pack(id: &str) -> String {
    format!("toolpacks/{id}")
}

/// The accepted baseline of a toolpack.
#[must_use]
pub fn baseline(id: &str) -> String {
    format!("baselines/{id}/baseline.json")
}

/// The revision of the trust that a member of this name holds: `trust/3.yaml`.
#[must_use]
pub fn trust_revision(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("trust/")?.strip_suffix(".yaml")?;
    digits.parse::<u64>().ok().filter(|revision| revision.to_string() == digits)
}

/// Whether a bundle of this toolpack may carry a member of this name.
#[must_use]
pub fn carried(name: &str, id: &str) -> bool {
    let inside = name.strip_prefix(&pack(id)).and_then(|rest| rest.strip_prefix('/'));
    let of_the_pack = inside.is_some_and(|inside| {
        [manifest::MANIFEST, CONTENTS].contains(&inside)
            || LOCKFILES.contains(&inside)
            || FILES.contains(&inside)
    });
    of_the_pack
        || [RECORD, TRUST, SCOPES].contains(&name)
        || trust_revision(name).is_some()
        || name == baseline(id)
}

/// What is wrong with a name that no member of any bundle has.
#[must_use]
pub fn fault(name: &str) -> Option<&'static str> {
    if name.is_empty() || name.len() > LONGEST {
        return Some("has no name of a usable length");
    }
    if name.contains('\\') {
        return Some("has a backslash in its name");
    }
    if name.starts_with('/') {
        return Some("has an absolute path for a name");
    }
    if name.contains(':') {
        return Some("names a drive or a stream");
    }
    if name.ends_with('/') {
        return Some("is a folder");
    }
    if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Some("leads out of the folder that it is unpacked in");
    }
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte));
    if plain { None } else { Some("has characters in its name that no member has") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "tp_0123456789ab";

    #[test]
    fn what_a_bundle_carries_is_a_list() {
        for name in [
            "bundle.json",
            "trust.yaml",
            "trust/12.yaml",
            "scopes/scopes.yaml",
            "baselines/tp_0123456789ab/baseline.json",
            "toolpacks/tp_0123456789ab/toolpack.yaml",
            "toolpacks/tp_0123456789ab/artifact/tools.json",
            "toolpacks/tp_0123456789ab/lockfile/caskmcp.lock.approved.yaml",
            "toolpacks/tp_0123456789ab/lockfile/approved.contents.json",
        ] {
            assert!(carried(name, ID) && fault(name).is_none(), "{name}");
        }
        for name in [
            "state/keys/alice.pem",
            "state/audit/tp_0123456789ab.jsonl",
            "captures/cap_0123456789ab/exchanges.jsonl",
            "evidence/run_1/a.json",
            "trust.pending.yaml",
            "trust/01.yaml",
            "trust/1.yaml.bak",
            "toolpacks/tp_0123456789ab/lockfile/caskmcp.lock.pending.yaml",
            "toolpacks/tp_0123456789ab/artifact/notes.md",
            "toolpacks/tp_0123456789abc/toolpack.yaml",
            "toolpacks/tp_ffffffffffff/toolpack.yaml",
        ] {
            assert!(!carried(name, ID), "{name}");
        }
    }

    #[test]
    fn a_name_that_leads_elsewhere_has_a_fault() {
        for name in [
            "",
            "../a",
            "a/../../b",
            "/etc/passwd",
            "C:/a",
            "C:a",
            "a\\b",
            "a/",
            "a//b",
            "./a",
            "a\0",
            "ä",
            "a\n",
        ] {
            assert!(fault(name).is_some(), "{name:?}");
        }
        assert!(fault(&"a".repeat(513)).is_some());
    }
}
