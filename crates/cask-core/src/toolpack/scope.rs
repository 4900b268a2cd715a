//! Scopes: capability boundaries that a person reviews.
//!
//! The compiler suggests one per resource and kind of deed ([`suggest()`]); the owner of the state root writes their own
//! in `scopes/scopes.yaml` ([`Scope`]). A scope only ever takes away: of the calls of its tools it lets through those
//! that it describes, and it says nothing about other tools. A tool in several scopes is held by each of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::endpoint::{Effect, Endpoint, Risk};

use super::{Binding, Fixed, Tool, name, shape, words};

pub mod change;
pub mod check;
pub mod limit;
pub mod merge;
pub mod preset;
pub mod propose;
pub mod signal;
pub mod suggest;

pub use limit::Limit;
pub use suggest::{Suggestion, suggest};

/// By tool and argument: what the argument may be.
pub type Constraints = BTreeMap<String, BTreeMap<String, Limit>>;

/// A boundary as its owner wrote it. Everything but `review` is what an approval signs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// What it is for, in one sentence.
    pub intent: String,
    /// The tools that it holds.
    pub tools: BTreeSet<String>,
    /// A tool that calls another host is not served.
    pub hosts: BTreeSet<String>,
    /// A tool that does something else is not served. None: no tool is.
    pub effects: BTreeSet<Effect>,
    /// A tool of a higher risk is not served.
    pub max_risk: Risk,
    /// Whether a person is asked before each call, whatever the policy says.
    #[serde(default)]
    pub confirm: bool,
    /// What arguments may be, by tool and argument.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub constraints: Constraints,
    /// Whether a person has taken it over.
    #[serde(default)]
    pub review: Review,
}

/// Where a scope stands on its way to an approval. It decides nothing once that is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Review {
    /// Nobody has said that it is right.
    #[default]
    Suggested,
    /// Somebody has.
    Accepted,
}

impl Review {
    /// Lower-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Review::Suggested => "suggested",
            Review::Accepted => "accepted",
        }
    }
}

/// The longest intent, in characters.
const MAX_INTENT: usize = 400;
/// The longest host, in bytes.
const MAX_HOST: usize = 255;

impl Scope {
    /// What is signed as `scope/<name>`.
    #[must_use]
    pub fn content(&self, name: &str) -> Value {
        json!({
            "scope": name,
            "intent": self.intent,
            "tools": self.tools,
            "hosts": self.hosts,
            "effects": self.effects,
            "max_risk": self.max_risk,
            "confirm": self.confirm,
            "constraints": self.constraints,
        })
    }

    /// A scope from what was signed of it.
    ///
    /// # Errors
    /// The parser's own words.
    pub fn of_content(content: &Value) -> Result<Self, serde_json::Error> {
        let mut content = content.clone();
        if let Some(members) = content.as_object_mut() {
            members.remove("scope");
        }
        let scope: Self = serde_json::from_value(content)?;
        Ok(Self { review: Review::Accepted, ..scope })
    }

    /// Why one of its tools, of this risk, is outside of it and not served, if it is.
    #[must_use]
    pub fn outside(&self, tool: &Tool, risk: Risk) -> Option<&'static str> {
        let Binding::Http(http) = &tool.binding;
        if !self.hosts.contains(&http.host) {
            Some("it calls a host that is not one of the scope's")
        } else if !self.effects.contains(&tool.effect) {
            Some("its effect is not one of the scope's")
        } else if risk > self.max_risk {
            Some("its risk is higher than the scope's")
        } else {
            None
        }
    }

    /// What the arguments of a tool may be.
    pub fn limits(&self, tool: &str) -> impl Iterator<Item = (&String, &Limit)> {
        self.constraints.get(tool).into_iter().flatten()
    }

    /// What is wrong with it, whatever tools there are: a JSON pointer into it, and why.
    #[must_use]
    pub fn faults(&self) -> Vec<(String, String)> {
        let mut out = Vec::new();
        let mut fault = |pointer: String, why: &str| out.push((pointer, why.to_owned()));
        if self.intent.chars().count() > MAX_INTENT || self.intent.chars().any(char::is_control) {
            fault("/intent".to_owned(), "an intent is one line of at most 400 characters");
        }
        if self.tools.iter().any(|tool| !name::is_name(tool)) {
            fault("/tools".to_owned(), "a tool's name is 1 to 64 of A-Z a-z 0-9 _ -");
        }
        let is_host = |host: &String| {
            (1..=MAX_HOST).contains(&host.len()) && host.chars().all(|c| c.is_ascii_graphic())
        };
        if !self.hosts.iter().all(is_host) {
            fault("/hosts".to_owned(), "a host is written as in toolpack.yaml, such as api.example.com");
        }
        for (tool, limits) in &self.constraints {
            let at = format!("/constraints/{}", crate::json::token(tool));
            if !self.tools.contains(tool) {
                fault(at.clone(), "constraints are for tools of the scope, and this is none");
            }
            for (argument, limit) in limits {
                if let Some(why) = limit.fault() {
                    fault(format!("{at}/{}", crate::json::token(argument)), why);
                }
            }
        }
        out
    }
}

/// The risk that scopes hold a tool to: what it says itself, or more where its request alone says more. A request alone
/// never says that it is safe.
#[must_use]
pub fn risk_of(tool: &Fixed) -> Risk {
    Some(tool.floor()).filter(|risk| *risk > Risk::Low).unwrap_or(tool.risk)
}

/// Whether this can be a scope's name.
#[must_use]
pub fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

/// The name of the suggested scope of an endpoint: `users.read`.
#[must_use]
pub fn name_of(endpoint: &Endpoint) -> String {
    let resource = match &endpoint.operation {
        Some(operation) => operation.fields.first().map(|field| words::split(field).join("_")),
        None => shape::shape(endpoint).parts.first().map(|part| part.words.join("_")),
    };
    let resource = resource.filter(|text| !text.is_empty()).unwrap_or_else(|| "service".to_owned());
    format!("{}.{}", resource.chars().take(48).collect::<String>(), endpoint.effect.as_str())
}

#[cfg(test)]
mod tests;
