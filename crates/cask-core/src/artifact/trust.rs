//! `trust.yaml`: who may decide. Read strictly, written one way.

use std::fmt::Write as _;

use serde::Deserialize;

use super::lockfile::{BadFile, known, scalar, write_approval, yaml};
use super::yaml::quoted;
use crate::canon::Digest;
use crate::lock::trust::{Content, Revoked, Role, Signer, Thresholds, Trust};
use crate::lock::{Approval, SCHEMA_VERSION};

/// As it is on disk. What is not said has the meaning that a small team wants: everyone listed may do everything, and
/// one is enough.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema_version: String,
    #[serde(default = "first")]
    revision: u64,
    #[serde(default)]
    previous: Option<Digest>,
    #[serde(default = "yes")]
    author_may_approve: bool,
    #[serde(default)]
    thresholds: Thresholds,
    signers: Vec<Signer>,
    #[serde(default)]
    revoked: Vec<Revoked>,
    #[serde(default)]
    approvals: Vec<Approval>,
}

fn first() -> u64 {
    1
}

fn yes() -> bool {
    true
}

/// Reads `trust.yaml`.
///
/// # Errors
/// [`BadFile`] with the place.
pub fn read(text: &str) -> Result<Trust, BadFile> {
    let file: File = yaml(text)?;
    known(&file.schema_version)?;
    let content = Content {
        revision: file.revision,
        previous: file.previous,
        author_may_approve: file.author_may_approve,
        thresholds: file.thresholds,
        signers: file.signers,
        revoked: file.revoked,
    };
    Ok(Trust::new(content, file.approvals)?)
}

/// The one text of `trust.yaml`. [`read`] gives back an equal value.
#[must_use]
pub fn write(trust: &Trust) -> String {
    let content = trust.content();
    let mut out = format!("schema_version: {}\n", quoted(SCHEMA_VERSION));
    // Writing to a string cannot fail.
    let _ = writeln!(out, "revision: {}", content.revision);
    let previous = content.previous.map_or_else(|| "null".to_owned(), |digest| digest.to_string());
    let _ = writeln!(out, "previous: {previous}");
    let _ = writeln!(out, "author_may_approve: {}", content.author_may_approve);
    let _ = writeln!(out, "thresholds:");
    for (name, count) in content.thresholds.all() {
        let _ = writeln!(out, "  {name}: {count}");
    }
    out.push_str(if content.signers.is_empty() { "signers: []\n" } else { "signers:\n" });
    for signer in &content.signers {
        write_signer(&mut out, signer);
    }
    if !content.revoked.is_empty() {
        let _ = writeln!(out, "revoked:");
    }
    for revoked in &content.revoked {
        let _ = writeln!(out, "  - key: {}", scalar(&revoked.key));
        let _ = writeln!(out, "    at: {}", scalar(&revoked.at));
        let _ = writeln!(out, "    compromised: {}", revoked.compromised);
        let _ = writeln!(out, "    reason: {}", scalar(&revoked.reason));
    }
    if !trust.approvals().is_empty() {
        let _ = writeln!(out, "approvals:");
    }
    for approval in trust.approvals() {
        write_approval(&mut out, "  ", approval);
    }
    out
}

fn write_signer(out: &mut String, signer: &Signer) {
    let _ = writeln!(out, "  - id: {}", scalar(&signer.id));
    out.push_str(if signer.keys.is_empty() { "    keys: []\n" } else { "    keys:\n" });
    for key in &signer.keys {
        let _ = writeln!(out, "      - {}", scalar(key));
    }
    let roles: Vec<&str> = signer.roles.iter().copied().map(Role::as_str).collect();
    let _ = writeln!(out, "    roles: [{}]", roles.join(", "));
    let _ = writeln!(out, "    max_risk: {}", signer.max_risk.as_str());
    for (name, time) in [("from", &signer.from), ("until", &signer.until)] {
        if let Some(time) = time {
            let _ = writeln!(out, "    {name}: {}", scalar(time));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

    #[test]
    fn a_trust_file_is_read_as_it_is_written() {
        let signer = Signer {
            from: Some("2026-01-01T00:00:00Z".to_owned()),
            until: Some("2027-01-01T00:00:00Z".to_owned()),
            ..Signer::new("alice: #a", vec![KEY.to_owned()])
        };
        let content = Content {
            revision: 3,
            previous: Some(Digest::of_bytes(b"x")),
            author_may_approve: false,
            thresholds: Thresholds { critical: 2, ..Thresholds::default() },
            signers: vec![signer, Signer { roles: [Role::Approve].into(), ..Signer::new("bob", vec![]) }],
            revoked: vec![Revoked {
                key: format!("SHA256:{}", "a".repeat(43)),
                at: "2026-02-01T00:00:00Z".to_owned(),
                compromised: true,
                reason: "lost: laptop".to_owned(),
            }],
        };
        let approval = Approval {
            by: "alice".to_owned(),
            key: KEY.to_owned(),
            at: "2026-02-01T00:00:00Z".to_owned(),
            until: None,
            reason: String::new(),
            revision: 3,
            signature: "AAAA".to_owned(),
        };
        let trust = Trust::new(content, vec![approval]).unwrap();
        let text = write(&trust);
        let again = read(&text).unwrap();
        assert_eq!(again.content(), trust.content());
        assert_eq!(again.approvals(), trust.approvals());
        assert_eq!(write(&again), text);
    }

    #[test]
    fn what_is_not_said_has_a_meaning() {
        let trust = read(&format!("schema_version: \"1\"\nsigners:\n  - id: alice\n    keys: [\"{KEY}\"]\n"))
            .unwrap();
        let content =
            Content { signers: vec![Signer::new("alice", vec![KEY.to_owned()])], ..Content::default() };
        assert_eq!(trust.content(), &content);
        for bad in [
            "signers: []\n",
            "schema_version: \"1\"\nsigners: []\nsigner: []\n",
            "schema_version: \"9\"\nsigners: []\n",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
