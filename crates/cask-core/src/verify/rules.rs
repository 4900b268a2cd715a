//! What verification says no to.

use crate::finding::{Rule, Severity};

/// Every verify rule.
pub static RULES: &[Rule] = &[
    MISSING,
    CHANGED,
    UNLISTED,
    UNREADABLE,
    CONTRACT_MISSING,
    CONTRACT_STALE,
    CONTRACT_BROKEN,
    ENDPOINT_MISSING,
    DERIVED,
    NOT_LOCKED,
    REPLAY_DIFFERS,
    REPLAY_MISSING,
    REPLAY_EXTRA,
];

pub(super) const MISSING: Rule = Rule {
    code: "artifact-missing",
    severity: Severity::Breaking,
    title: "a file of the toolpack is not there",
    explain: "The manifest lists a file that does not exist. \
        The toolpack is incomplete: restore the file from version control, or mint again.",
};
pub(super) const CHANGED: Rule = Rule {
    code: "artifact-changed",
    severity: Severity::Breaking,
    title: "a file of the toolpack is not the one that was written",
    explain: "The digest of a file is not the one in the manifest, so somebody or something changed it after minting. \
        If the change was meant, make it in the source and mint again; if not, restore the file. \
        Approvals do not depend on this check: they cover content, and a changed tool is refused at run time anyway.",
};
pub(super) const UNLISTED: Rule = Rule {
    code: "artifact-unlisted",
    severity: Severity::Warning,
    title: "the manifest has no digest of a file",
    explain: "A file that belongs to every toolpack is there, but the manifest does not say what it should be. \
        Nothing can be said about whether it changed. Mint again to record it.",
};
pub(super) const UNREADABLE: Rule = Rule {
    code: "artifact-unreadable",
    severity: Severity::Breaking,
    title: "a file of the toolpack cannot be read",
    explain: "The file exists but is not valid for its format; the message says where. \
        Restore it from version control, or mint again.",
};
pub(super) const CONTRACT_MISSING: Rule = Rule {
    code: "contract-missing",
    severity: Severity::Breaking,
    title: "a tool has no contract, or a contract no tool",
    explain: "Every tool has post-conditions in `contracts.yaml` and every contract belongs to a tool. \
        One of the two was changed without the other. Mint again to bring them together.",
};
pub(super) const CONTRACT_STALE: Rule = Rule {
    code: "contract-stale",
    severity: Severity::Breaking,
    title: "a contract was made for another form of its tool",
    explain: "A contract names the digest of the tool that it was made for, and the tool has another one now. \
        What the contract promises may not be what the tool does. Mint again and review the difference.",
};
pub(super) const CONTRACT_BROKEN: Rule = Rule {
    code: "contract-broken",
    severity: Severity::Breaking,
    title: "a contract promises what the baseline does not show",
    explain: "The post-conditions of a tool are not those that follow from its endpoint in the baseline. \
        Either the contract or the baseline was edited by hand. Mint again, or restore the file.",
};
pub(super) const ENDPOINT_MISSING: Rule = Rule {
    code: "tool-without-endpoint",
    severity: Severity::Breaking,
    title: "a tool has no endpoint in the baseline",
    explain: "Every tool comes from an endpoint, and the baseline does not have this one. \
        Drift cannot watch over the tool. Mint again, or restore the baseline.",
};
pub(super) const DERIVED: Rule = Rule {
    code: "artifact-inconsistent",
    severity: Severity::Breaking,
    title: "a file does not follow from the others",
    explain: "This file is derived from the tools and the baseline, and what it says is not what they give. \
        Readers of it would see another service than the one that runs. Mint again to write it anew.",
};
pub(super) const NOT_LOCKED: Rule = Rule {
    code: "lockfile-stale",
    severity: Severity::Warning,
    title: "the lockfile is not about these artifacts",
    explain: "A subject of the toolpack is not in the lockfile, or is there with another digest. \
        The runtime will refuse it. Run `cask gate sync` and decide about what changed.",
};
pub(super) const REPLAY_DIFFERS: Rule = Rule {
    code: "replay-differs",
    severity: Severity::Breaking,
    title: "compiling the captures again gives another file",
    explain: "The same captures and the same settings must give the same bytes. They do not, so the file was edited, \
        a capture was changed, or another version of cask wrote it. The pointer names the first place that differs.",
};
pub(super) const REPLAY_MISSING: Rule = Rule {
    code: "replay-missing",
    severity: Severity::Breaking,
    title: "compiling the captures again does not give this file",
    explain: "The toolpack has a file that its captures and settings do not produce. \
        It was added by hand or by another version of cask. Remove it, or mint again.",
};
pub(super) const REPLAY_EXTRA: Rule = Rule {
    code: "replay-extra",
    severity: Severity::Breaking,
    title: "compiling the captures again gives a file that is not there",
    explain: "The captures and settings produce a file that the toolpack lacks. \
        It was removed, or another version of cask wrote the toolpack. Mint again.",
};
