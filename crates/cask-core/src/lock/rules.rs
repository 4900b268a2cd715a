//! What `cask gate check` finds.

use super::status::{Refused, Standing};
use super::{NotApproved, POLICY};
use crate::finding::{At, Basis, Finding, Rule, Severity};

/// Every rule of the gate.
pub const RULES: [&Rule; 9] = [
    &PENDING,
    &POLICY_BLOCKED,
    &EXPIRED,
    &REMOVED,
    &CHANGED,
    &UNSIGNED,
    &BAD_SIGNATURE,
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
    let rule = if refused.code == "denied_approval_signature_required" { &NO_SEAL } else { &BAD_LOCKFILE };
    finding(
        rule,
        At { file: file.to_owned(), ..At::default() },
        format!("{} ({})", refused.message, refused.code),
    )
}

/// The finding about one subject; none if it is approved or blocked. A blocked policy blocks everything.
#[must_use]
pub fn subject(id: &str, standing: Standing) -> Option<Finding> {
    let rule = match standing {
        Standing::Not(NotApproved::Blocked) if id == POLICY => &POLICY_BLOCKED,
        Standing::Approved | Standing::Not(NotApproved::Blocked) => return None,
        Standing::Removed => &REMOVED,
        Standing::Not(NotApproved::Pending) => &PENDING,
        Standing::Not(NotApproved::Changed) => &CHANGED,
        Standing::Not(NotApproved::Unsigned) => &UNSIGNED,
        Standing::Not(NotApproved::BadSignature) => &BAD_SIGNATURE,
        Standing::Not(NotApproved::Expired) => &EXPIRED,
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
