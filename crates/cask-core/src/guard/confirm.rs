//! Guard 6: where the policy or a scope asks for a person, the call waits for one.
//!
//! The challenge names the exact call. Granting one is not possible over this door.

use serde_json::json;

use super::{Denial, Draft, ReasonCode, fingerprint};

pub(super) fn check(draft: &mut Draft<'_>) -> Result<(), Denial> {
    let Some(ruling) = &draft.ruling else {
        return Err(Denial::new(ReasonCode::ErrorInternal, "no ruling was made"));
    };
    if !ruling.confirm && !draft.asks {
        return Ok(());
    }
    let message = format!("a person must confirm this call of `{}`", draft.tool()?.tool.name);
    Err(Denial {
        policies: ruling.policies.clone(),
        challenge: Some(challenge(draft)?),
        ..Denial::new(ReasonCode::ConfirmationRequired, message)
    })
}

/// `cnf_` and 32 hex digits over everything a confirmation is bound to.
fn challenge(draft: &Draft<'_>) -> Result<String, Denial> {
    let approved = draft.rules.approved();
    let bound = json!({
        "principal": draft.call.principal,
        "tool": draft.call.tool,
        "toolset": draft.call.toolset,
        "arguments": fingerprint(draft.call.tool, draft.call.arguments),
        "tool_digest": draft.tool()?.digest,
        "lockfile": approved.lockfile_digest(),
        "policy": approved.policy_digest(),
    });
    let digest = crate::canon::digest(&bound)
        .map_err(|error| Denial::new(ReasonCode::ErrorInternal, error.to_string()))?;
    Ok(format!("cnf_{}", digest.hex().chars().take(32).collect::<String>()))
}
