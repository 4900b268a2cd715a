//! What `cask gate check` finds.

use super::status::{Refused, Standing};
use super::{NotApproved, POLICY, SCOPE};
use crate::finding::{At, Basis, Finding, Rule, Severity};

/// Every rule of the gate.
pub const RULES: [&Rule; 15] = [
    &PENDING,
    &POLICY_BLOCKED,
    &EXPIRED,
    &REMOVED,
    &SCOPE_GONE,
    &CHANGED,
    &UNSIGNED,
    &BAD_SIGNATURE,
    &SHORT,
    &REVOKED,
    &RAISED,
    &TRUST_UNREACHABLE,
    &TRUST_IDLE,
    &NO_SEAL,
    &BAD_LOCKFILE,
];

static PENDING: Rule = Rule {
    code: "subject-pending",
    severity: Severity::Warning,
    title: "nobody has decided on it",
    explain: "A tool, toolset or the policy is in the toolpack, but no decision is recorded. It is not served. \
              See what it would let an agent do with `cask diff`, then `cask gate allow` or `cask gate block`.",
};
static POLICY_BLOCKED: Rule = Rule {
    code: "policy-blocked",
    severity: Severity::Warning,
    title: "the policy is blocked: nothing is served",
    explain: "A signed decision refuses the policy, and without a policy no call is allowed. `cask run` does not \
              start. Change the policy and approve it with `cask gate allow policy`.",
};
static EXPIRED: Rule = Rule {
    code: "approval-expired",
    severity: Severity::Warning,
    title: "its approval has ended",
    explain: "The approval was given until a time that has passed, so the subject is not served any more. \
              Review it again and approve it with `cask gate allow`.",
};
static REMOVED: Rule = Rule {
    code: "subject-removed",
    severity: Severity::Warning,
    title: "approved, but no longer in the toolpack",
    explain: "The lockfile approves something that the toolpack does not have any more. Nothing can be called \
              through it. `cask gate allow --all` approves its removal; if it should be there, mint again.",
};
static SCOPE_GONE: Rule = Rule {
    code: "scope-gone",
    severity: Severity::Breaking,
    title: "a scope of the lockfile is not in scopes.yaml",
    explain: "The lockfile lists a scope that `scopes.yaml` does not have any more. Its limits would be gone with it, so \
              its tools are not served. Put it back; or, if it is meant to go, approve that with `cask gate sync \
              --prune-removed` and the next decision, or with `cask gate allow --all`.",
};
static CHANGED: Rule = Rule {
    code: "changed-after-approval",
    severity: Severity::Breaking,
    title: "it is not what was approved",
    explain: "The content of the subject has another digest than the one that was signed: what an agent would \
              see or do is not what somebody reviewed. It is not served. See the difference with `cask diff`.",
};
static UNSIGNED: Rule = Rule {
    code: "approval-missing",
    severity: Severity::Breaking,
    title: "it says approved, but nobody signed",
    explain: "The state of the subject is `approved` and no approval is there. Somebody edited the lockfile by \
              hand. It is not served. Approve it with `cask gate allow`.",
};
static BAD_SIGNATURE: Rule = Rule {
    code: "approval-invalid",
    severity: Severity::Breaking,
    title: "an approval does not verify",
    explain: "The signature does not fit what the approval says, or its key is not in trust.yaml for that \
              signer. It is not served. Find out who changed it before you approve it again.",
};
static SHORT: Rule = Rule {
    code: "quorum-not-met",
    severity: Severity::Warning,
    title: "fewer signers approved it than trust.yaml asks for",
    explain: "`trust.yaml` says how many distinct signers it takes for each risk tier, and whose approvals count. \
              The finding lists those that are there and why some do not count. It is not served until another \
              signer approves it with `cask gate allow`, or their approval is imported with `cask gate import`.",
};
static REVOKED: Rule = Rule {
    code: "approval-key-revoked",
    severity: Severity::Breaking,
    title: "the key that approved it was revoked",
    explain: "What a revoked key signed after its revocation does not count; nothing that a compromised key ever \
              signed does. Without it too few signers agree, so the subject is not served. Review it again, \
              as if it were new, and approve it with a trusted key.",
};
static RAISED: Rule = Rule {
    code: "risk-not-covered",
    severity: Severity::Warning,
    title: "it was approved for a lower risk than it covers now",
    explain: "The policy, a host or a toolset was approved when none of its tools had so high a risk. What it \
              covered then is still served; tools of a higher risk are not, until it is approved again by as many \
              signers as that risk takes.",
};
/// A threshold that nobody can meet.
pub static TRUST_UNREACHABLE: Rule = Rule {
    code: "trust-threshold-unreachable",
    severity: Severity::Warning,
    title: "more signers are asked for than there are",
    explain: "`trust.yaml` asks for more signers of a risk tier than may approve it, so nothing of that tier can ever \
              be served. Trust another signer (`cask trust add`) or ask for fewer (`cask trust threshold`).",
};
/// A signer who cannot sign.
pub static TRUST_IDLE: Rule = Rule {
    code: "trust-signer-idle",
    severity: Severity::Warning,
    title: "a signer who cannot sign",
    explain: "The signer has no key, or was trusted until a time that has passed. What they signed while they were \
              trusted still counts. Remove them if it should not: `cask trust remove`.",
};
static NO_SEAL: Rule = Rule {
    code: "lockfile-not-sealed",
    severity: Severity::Warning,
    title: "a pending lockfile never runs",
    explain: "Only `cask gate allow` and `cask gate block` write sealed lockfiles, and only those are served. \
              Review the pending one with `cask diff` and decide.",
};
static BAD_LOCKFILE: Rule = Rule {
    code: "lockfile-not-accepted",
    severity: Severity::Breaking,
    title: "the lockfile as a whole is refused",
    explain: "The seal does not verify, its key is not trusted, or a newer revision was accepted before: \
              something was changed, removed, reordered or rolled back after it was sealed. Nothing is served. \
              Restore it from version control.",
};

/// The finding about a lockfile that is refused as a whole.
#[must_use]
pub fn whole(refused: &Refused, file: &str) -> Finding {
    let rule = if refused.code == "denied_lockfile_not_sealed" { &NO_SEAL } else { &BAD_LOCKFILE };
    let at = At { file: file.to_owned(), ..At::default() };
    let mut finding = finding(rule, at, format!("{} ({})", refused.message, refused.code));
    finding.details = vec![refused.hint.to_owned()];
    finding
}

/// The finding about one subject; none if it is approved or blocked. A blocked policy blocks everything.
#[must_use]
pub fn subject(id: &str, standing: Standing) -> Option<Finding> {
    let rule = match standing {
        Standing::Not(NotApproved::Blocked) if id == POLICY => &POLICY_BLOCKED,
        Standing::Approved | Standing::Not(NotApproved::Blocked) => return None,
        Standing::Removed if id.starts_with(SCOPE) => &SCOPE_GONE,
        Standing::Removed => &REMOVED,
        Standing::Not(NotApproved::Pending) => &PENDING,
        Standing::Not(NotApproved::Changed) => &CHANGED,
        Standing::Not(NotApproved::Unsigned) => &UNSIGNED,
        Standing::Not(NotApproved::BadSignature) => &BAD_SIGNATURE,
        Standing::Not(NotApproved::Expired) => &EXPIRED,
        Standing::Not(NotApproved::Short) => &SHORT,
        Standing::Not(NotApproved::Revoked) => &REVOKED,
        Standing::Not(NotApproved::Raised) => &RAISED,
        // said of the host or the scope itself
        Standing::Not(NotApproved::Host | NotApproved::Scope | NotApproved::OutOfScope) => return None,
    };
    Some(finding(rule, At { subject: id.to_owned(), ..At::default() }, format!("`{id}`: {}", rule.title)))
}

fn finding(rule: &'static Rule, at: At, message: String) -> Finding {
    Finding {
        code: rule.code,
        severity: rule.severity,
        basis: Basis::Contradicted,
        details: Vec::new(),
        at,
        message,
        before: None,
        after: None,
    }
}
