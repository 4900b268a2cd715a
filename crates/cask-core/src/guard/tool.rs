//! Guard 2: the tool exists, is the approved one, its approval has not ended, and it is in the toolset.

use jiff::Timestamp;

use super::{Denial, Draft, ReasonCode};
use crate::lock::NotApproved;

pub(super) fn check(draft: &mut Draft<'_>) -> Result<(), Denial> {
    let approved = draft.rules.approved();
    let name = draft.call.tool;
    let Some(tool) = approved.tools().get(name) else {
        return Err(match approved.not_approved().get(name) {
            Some(why) => Denial::new(
                code(*why),
                format!("the tool `{}` may not be called: {}", shown(name), why.words()),
            ),
            None => Denial::new(
                ReasonCode::DeniedUnknownAction,
                format!("there is no tool `{}` in this toolpack", shown(name)),
            ),
        });
    };
    if let Some(until) = &tool.until {
        not_over(until, draft.moment.now, &format!("`{}` or of the policy", shown(name)))?;
    }
    if !tool.toolsets.contains(draft.call.toolset) {
        let message = format!("`{}` is not in the toolset `{}`", shown(name), shown(draft.call.toolset));
        return Err(Denial::new(ReasonCode::DeniedToolsetNotAllowed, message));
    }
    draft.tool = Some(tool);
    Ok(())
}

/// An approval ends at `until`, and one whose end cannot be read has ended.
pub(super) fn not_over(until: &str, now: Timestamp, what: &str) -> Result<(), Denial> {
    if until.parse::<Timestamp>().is_ok_and(|until| now < until) {
        return Ok(());
    }
    let message = format!("the approval of {what} ended at {}", shown(until));
    Err(Denial::new(ReasonCode::DeniedApprovalExpired, message))
}

fn code(why: NotApproved) -> ReasonCode {
    match why {
        NotApproved::Pending => ReasonCode::DeniedNotApproved,
        NotApproved::Blocked => ReasonCode::DeniedBlocked,
        NotApproved::Changed => ReasonCode::DeniedIntegrityMismatch,
        NotApproved::Unsigned => ReasonCode::DeniedApprovalSignatureRequired,
        NotApproved::BadSignature => ReasonCode::DeniedApprovalSignatureInvalid,
        NotApproved::Expired => ReasonCode::DeniedApprovalExpired,
        NotApproved::Short => ReasonCode::DeniedQuorumNotMet,
        NotApproved::Revoked => ReasonCode::DeniedApprovalKeyRevoked,
        NotApproved::Raised => ReasonCode::DeniedRiskNotCovered,
        NotApproved::Host => ReasonCode::DeniedHostNotApproved,
        NotApproved::Scope => ReasonCode::DeniedScopeNotApproved,
        NotApproved::OutOfScope => ReasonCode::DeniedOutOfScope,
    }
}

/// A name that came from outside, safe to show: bounded, without control characters.
pub(super) fn shown(name: &str) -> String {
    name.chars().take(80).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
