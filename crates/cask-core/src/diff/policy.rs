//! Two policies, rule by rule.

use std::collections::BTreeMap;

use cedar_policy::{Effect, PolicySet};
use serde_json::Value;

use super::rules as r;
use super::{Subject, words};
use crate::finding::Finding;
use crate::lock::{POLICY, Surface};

pub(super) fn compare(before: Option<&Surface>, after: &Surface, out: &mut Subject<'_>) {
    if before.is_some_and(|before| before.policy == after.policy) {
        return;
    }
    let Some(before) = before.filter(|before| !before.policy.is_empty()) else {
        let message = format!("a first policy of {} rules", rules(&after.policy).map_or(0, |all| all.len()));
        return out.push(&r::POLICY_ADDED, "", message, None, None);
    };
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
                out.explain(words::changes(then, text));
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

/// What a solver says of a change of the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Nothing is allowed that was not, for this many kinds of calls.
    Narrower(usize),
    /// This call of this tool is allowed now, and was not.
    Wider {
        /// The tool.
        tool: String,
        /// The call, for people.
        call: String,
    },
}

/// Puts the answer of a solver in the place of what structure alone could not say: proved, the changed rules are what is
/// left to read; refuted, the call says what they mean.
pub fn answered(findings: &mut Vec<Finding>, answer: &Answer) {
    let asked = |finding: &Finding| {
        finding.at.subject == POLICY && super::class(finding) == Some(super::Class::PolicyWider)
    };
    let mut told = Vec::new();
    let mut out = Subject { subject: POLICY.to_owned(), found: &mut told };
    match answer {
        Answer::Narrower(kinds) => {
            let replaced = findings.extract_if(.., |finding| asked(finding)).map(|finding| finding.message);
            let replaced: Vec<String> = replaced.collect();
            let message = format!(
                "the policy changed and allows nothing that it did not allow: proved for {kinds} kind{} of calls",
                if *kinds == 1 { "" } else { "s" }
            );
            out.push(&r::POLICY_PROVED, "/policy", message, None, None);
            out.explain(replaced);
        }
        Answer::Wider { tool, call } => {
            let message = format!("the policy allows a call of `{tool}` that it refused before");
            out.push(&r::POLICY_ALLOWS, "/policy", message, None, None);
            out.explain(vec![format!("for one: {call}")]);
        }
    }
    findings.extend(told.into_iter().map(|(_, finding)| finding));
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
