//! After guard 3: the arguments are within what the scopes of the tool allow. Faults name the place and never the value.

use super::tool::shown;
use super::{Denial, Draft, Fault, ReasonCode};
use crate::json::token;

/// More faults than this help nobody.
const MAX_FAULTS: usize = 20;

pub(super) fn check(draft: &mut Draft<'_>) -> Result<(), Denial> {
    let tool = &draft.tool()?.tool;
    let mut faults = Vec::new();
    let mut asks = false;
    for (name, scope) in draft.rules.approved().scopes_of(&tool.name) {
        if let Some(why) = scope.outside(tool, tool.risk) {
            let message = format!("`{}` is outside of the scope `{}`: {why}", tool.name, shown(name));
            return Err(Denial::new(ReasonCode::DeniedOutOfScope, message));
        }
        asks |= scope.confirm;
        for (argument, limit) in scope.limits(&tool.name) {
            if let Some(misfit) = limit.misfit(draft.call.arguments.get(argument)) {
                let pointer = format!("/{}", token(&shown(argument)));
                let message = format!("{} in the scope `{}`", misfit.words(), shown(name));
                faults.push(Fault { pointer, message });
            }
        }
    }
    if let Some(first) = faults.first() {
        let message = format!(
            "the arguments are not what a scope of `{}` allows: at {}: {}",
            tool.name, first.pointer, first.message
        );
        faults.truncate(MAX_FAULTS);
        return Err(Denial { faults, ..Denial::new(ReasonCode::DeniedScopeConstraint, message) });
    }
    draft.asks = asks;
    Ok(())
}
