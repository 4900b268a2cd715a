//! Suggested scopes: reviewable capability boundaries, one per resource and kind of deed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::endpoint::{Effect, Endpoint, Risk};

use super::{Binding, Fixed, Tool, shape, words};

/// A capability boundary that a person can accept, change or reject.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// What it is for, in one sentence.
    pub intent: String,
    /// The hosts it reaches.
    pub hosts: BTreeSet<String>,
    /// The tools in it.
    pub tools: BTreeSet<String>,
    /// What its calls do.
    pub effects: BTreeSet<Effect>,
    /// The highest risk among its tools.
    pub risk: Risk,
    /// Whether the policy asks a person before each call.
    pub confirm: bool,
    /// `observed`: every tool was seen in traffic; `declared`: none was; `mixed`.
    pub confidence: String,
    /// `suggested` until a person says otherwise.
    pub review: String,
}

/// The name of the scope of an endpoint: `users.read`.
#[must_use]
pub fn name_of(endpoint: &Endpoint) -> String {
    let resource = match &endpoint.operation {
        Some(operation) => operation.fields.first().map(|field| words::split(field).join("_")),
        None => shape::shape(endpoint).parts.first().map(|part| part.words.join("_")),
    };
    let resource = resource.filter(|text| !text.is_empty()).unwrap_or_else(|| "service".to_owned());
    format!("{}.{}", resource.chars().take(48).collect::<String>(), endpoint.effect.as_str())
}

/// The scopes of these tools, by name.
#[must_use]
pub fn suggest(tools: &[Fixed], endpoints: &[Endpoint]) -> BTreeMap<String, Scope> {
    let observed: BTreeMap<&str, bool> =
        endpoints.iter().map(|endpoint| (endpoint.id.as_str(), endpoint.observed > 0)).collect();
    let mut members: BTreeMap<&str, Vec<&Tool>> = BTreeMap::new();
    for tool in tools {
        members.entry(&tool.scope).or_default().push(tool);
    }
    members
        .into_iter()
        .map(|(scope, tools)| {
            let (resource, deed) = scope.rsplit_once('.').unwrap_or((scope, "use"));
            let seen = tools
                .iter()
                .filter(|tool| observed.get(tool.evidence.endpoint.as_str()) == Some(&true))
                .count();
            let risk = tools.iter().map(|tool| tool.risk).max().unwrap_or(Risk::Critical);
            let effects: BTreeSet<Effect> = tools.iter().map(|tool| tool.effect).collect();
            let confidence = match seen {
                0 => "declared",
                n if n == tools.len() => "observed",
                _ => "mixed",
            };
            let scope_of = Scope {
                intent: format!("{} {}", verb(deed), resource.replace('_', " ")),
                hosts: tools
                    .iter()
                    .map(|tool| match &tool.binding {
                        Binding::Http(binding) => binding.host.clone(),
                    })
                    .collect(),
                tools: tools.iter().map(|tool| tool.name.clone()).collect(),
                confirm: risk >= Risk::High || effects.iter().any(|effect| *effect != Effect::Read),
                effects,
                risk,
                confidence: confidence.to_owned(),
                review: "suggested".to_owned(),
            };
            (scope.to_owned(), scope_of)
        })
        .collect()
}

fn verb(deed: &str) -> &str {
    match deed {
        "read" => "read",
        "write" => "create and change",
        "delete" => "delete",
        "payment" => "move money through",
        "auth" => "sign in and handle credentials of",
        "admin" => "administer",
        other => other,
    }
}
