//! Two policies, rule by rule.

use std::collections::BTreeMap;

use cedar_policy::{Effect, PolicySet};
use serde_json::Value;

use super::Subject;
use super::rules as r;
use crate::lock::Surface;

pub(super) fn compare(before: Option<&Surface>, after: &Surface, out: &mut Subject<'_>) {
    let Some(before) = before.filter(|before| !before.policy.is_empty()) else {
        let message = format!("a first policy of {} rules", rules(&after.policy).map_or(0, |all| all.len()));
        return out.push(&r::POLICY_ADDED, "", message, None, None);
    };
    if before.policy == after.policy {
        return;
    }
    let (Some(old), Some(new)) = (rules(&before.policy), rules(&after.policy)) else {
        let text = |text: &str| Some(Value::from(text));
        let message = "the policy cannot be compared: it does not parse";
        return out.push(
            &r::POLICY_UNREADABLE,
            "/policy",
            message,
            text(&before.policy),
            text(&after.policy),
        );
    };
    if old == new {
        let message = "the text of the policy changed, its rules did not";
        return out.push(&r::POLICY_TEXT, "/policy", message, None, None);
    }
    for (id, (effect, text)) in &new {
        let at = super::step("/policy", id);
        match old.get(id) {
            Some(then) if then == &(*effect, text.clone()) => {}
            Some((_, then)) => {
                let message = format!("rule `{id}` changed");
                out.push(
                    &r::POLICY_RULE_CHANGED,
                    &at,
                    message,
                    Some(then.clone().into()),
                    Some(text.clone().into()),
                );
            }
            None => {
                let (rule, word) = match effect {
                    Effect::Permit => (&r::POLICY_PERMIT_ADDED, "allows"),
                    Effect::Forbid => (&r::POLICY_FORBID_ADDED, "forbids"),
                };
                let message = format!("new rule `{id}` {word}");
                out.push(rule, &at, message, None, Some(text.clone().into()));
            }
        }
    }
    for (id, (effect, text)) in old.iter().filter(|(id, _)| !new.contains_key(*id)) {
        let (rule, word) = match effect {
            Effect::Permit => (&r::POLICY_PERMIT_REMOVED, "allowed"),
            Effect::Forbid => (&r::POLICY_FORBID_REMOVED, "forbade"),
        };
        let message = format!("rule `{id}`, which {word}, is gone");
        out.push(rule, &super::step("/policy", id), message, Some(text.clone().into()), None);
    }
}

/// Rules by their `@id`. `None` if the text does not parse or two rules share an id.
fn rules(text: &str) -> Option<BTreeMap<String, (Effect, String)>> {
    let set: PolicySet = text.parse().ok()?;
    let mut out = BTreeMap::new();
    for policy in set.policies() {
        let id = policy.annotation("id").map_or_else(|| policy.id().to_string(), str::to_owned);
        if out.insert(id, (policy.effect(), policy.to_string())).is_some() {
            return None;
        }
    }
    // A template would be a rule that is not compared.
    (set.templates().next().is_none()).then_some(out)
}
