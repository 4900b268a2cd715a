//! What a call does and how much harm it can do, with the reason for every step up.
//!
//! [`classify`] walks one table of [`Rule`]s. A base rule says what the method alone means; every other
//! rule that fires can only raise effect and risk, so that what is uncertain ends higher. The one way
//! down is a POST that is seen to only read, and that too is a rule with a reason.

use std::collections::{BTreeMap, BTreeSet};

use crate::endpoint::{Auth, Effect, Endpoint, Operation, Place, Reason, Risk, Schema};

mod facts;
mod lexicon;
mod rules;
mod words;

use facts::Facts;
pub use rules::{PUBLIC, RULES};
pub use words::{singular, words};

/// Everything that effect and risk are told from. Names only; values where a list of them is known.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Signals {
    /// Upper-case method.
    pub method: String,
    /// Methods that a header of the calls named instead (`X-HTTP-Method-Override`), upper case.
    pub overrides: BTreeSet<String>,
    /// The path template as text: `/users/{user_id}:cancel`.
    pub path: String,
    /// Query parameters with the values that are known (an enumeration), else none.
    pub query: BTreeMap<String, Vec<String>>,
    /// The GraphQL operation, if it is one.
    pub operation: Option<Operation>,
    /// Request body fields as slash-separated paths without array indices: `customer/email`.
    pub request: BTreeSet<String>,
    /// Response body fields of successful answers, likewise.
    pub response: BTreeSet<String>,
    /// Kinds of secret or personal data that redaction replaced in answers.
    pub redacted: BTreeSet<String>,
    /// Statuses that were answered or declared.
    pub statuses: BTreeSet<u16>,
    /// How calls authenticate.
    pub auth: BTreeSet<Auth>,
    /// Whether a credential would have been seen if there was one (other calls to this host carry one, or
    /// the description declares its security). Only then a call without one counts as public.
    pub auth_known: bool,
    /// Whether an answer set a session cookie (by name, see [`super::auth::is_session`]).
    pub sets_session: bool,
}

/// What a call does, how much harm it can do, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What it does.
    pub effect: Effect,
    /// How much harm a wrong call can do.
    pub risk: Risk,
    /// Every rule that fired, sorted, each once.
    pub reasons: Vec<Reason>,
}

/// One signal.
pub struct Rule {
    /// Stable kebab-case name, as in a [`Reason`].
    pub code: &'static str,
    /// The least effect of a call on which it fires.
    pub effect: Effect,
    /// The least risk of a call on which it fires.
    pub risk: Risk,
    /// What `cask explain CODE` prints.
    pub explain: &'static str,
    /// What was seen, if it fires.
    check: fn(&Facts<'_>) -> Option<String>,
}

impl Signals {
    /// The signals of an endpoint. `overrides`, `auth_known` and `sets_session` are not in an endpoint:
    /// they stay empty.
    #[must_use]
    pub fn of(endpoint: &Endpoint) -> Self {
        let mut signals = Self {
            method: endpoint.method.clone(),
            path: endpoint.template.to_string(),
            operation: endpoint.operation.clone(),
            statuses: endpoint.responses.keys().copied().collect(),
            auth: endpoint.auth.clone(),
            ..Self::default()
        };
        for param in endpoint.params.iter().filter(|param| param.place == Place::Query) {
            let values = param.schema.values.iter().filter_map(|value| value.as_str().map(str::to_owned));
            signals.query.insert(param.name.clone(), values.collect());
        }
        for payload in endpoint.request.values() {
            fields(&payload.schema, "", 0, &mut signals.request, &mut BTreeSet::new());
        }
        for (_, response) in endpoint.responses.iter().filter(|(status, _)| (200..300).contains(*status)) {
            for payload in response.content.values() {
                fields(&payload.schema, "", 0, &mut signals.response, &mut signals.redacted);
            }
        }
        signals
    }
}

/// Collects the paths of a schema's fields; what lies deeper than 8 or past 2,000 fields says nothing new.
fn fields(
    schema: &Schema,
    at: &str,
    depth: usize,
    out: &mut BTreeSet<String>,
    redacted: &mut BTreeSet<String>,
) {
    if depth > 8 || out.len() >= 2_000 {
        return;
    }
    redacted.extend(schema.redacted.clone());
    for (name, property) in &schema.properties {
        let path = if at.is_empty() { name.clone() } else { format!("{at}/{name}") };
        out.insert(path.clone());
        fields(&property.schema, &path, depth + 1, out, redacted);
    }
    let inner = [schema.items.as_deref(), schema.additional.as_deref()].into_iter().flatten();
    for part in inner.chain(&schema.any_of) {
        fields(part, at, depth + 1, out, redacted);
    }
}

/// Tells effect and risk from the signals.
#[must_use]
pub fn classify(signals: &Signals) -> Verdict {
    let facts = Facts::of(signals);
    let mut verdict = Verdict { effect: Effect::Read, risk: Risk::Low, reasons: Vec::new() };
    for rule in RULES {
        if let Some(detail) = (rule.check)(&facts) {
            verdict.effect = verdict.effect.max(rule.effect);
            verdict.risk = verdict.risk.max(rule.risk);
            verdict.reasons.push(Reason { code: rule.code.to_owned(), detail });
        }
    }
    if verdict.effect == Effect::Read
        && verdict.risk == Risk::Low
        && signals.auth_known
        && signals.auth.is_empty()
    {
        verdict.risk = Risk::Safe;
        verdict.reasons.push(Reason {
            code: rules::PUBLIC.code.to_owned(),
            detail: "calls carry no credential, others to this host do".to_owned(),
        });
    }
    verdict.reasons.sort();
    verdict.reasons.dedup();
    verdict
}

#[cfg(test)]
mod tests;
