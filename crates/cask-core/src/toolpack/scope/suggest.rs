//! What the compiler suggests: a scope per resource and kind of deed, how sure it is, and what speaks for that.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::signal::{self, Signal};
use super::{Constraints, Review, Scope, propose, risk_of};
use crate::endpoint::{Effect, Endpoint, Risk};
use crate::toolpack::{Binding, Fixed};

/// A boundary that a person can take over, change or leave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Suggestion {
    /// What it is for, in one sentence.
    pub intent: String,
    /// What it reaches.
    pub surface: Reach,
    /// The highest risk among its tools.
    pub risk: Risk,
    /// Whether the policy asks a person before each call.
    pub confirm: bool,
    /// What its calls were seen to keep to.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub constraints: Constraints,
    /// How sure it is that this is what its tools do.
    pub confidence: Confidence,
    /// Why.
    pub signals: Vec<Signal>,
    /// Whether a person has to look before it is relied on: always, but for sure reads of low risk.
    pub review_required: bool,
    /// `suggested`.
    pub review: Review,
}

/// Hosts, tools and effects of a suggestion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// The hosts that its tools call.
    pub hosts: BTreeSet<String>,
    /// Its tools.
    pub tools: BTreeSet<String>,
    /// What their calls do.
    pub effects: BTreeSet<Effect>,
}

/// How sure a suggestion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// A guess.
    Low,
    /// Likely.
    Medium,
    /// Shown by traffic.
    High,
}

impl Confidence {
    /// Lower-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        }
    }
}

impl Suggestion {
    /// Whether it is a guess about what can do much harm: its tools are not approved before a person takes it over.
    #[must_use]
    pub fn is_unsure(&self) -> bool {
        self.confidence == Confidence::Low && self.risk >= Risk::High
    }

    /// The scope that it suggests, of these of its tools.
    #[must_use]
    pub fn scope(&self, tools: BTreeSet<String>) -> Scope {
        let of = self.constraints.iter().filter(|(tool, _)| tools.contains(*tool));
        Scope {
            intent: self.intent.clone(),
            hosts: self.surface.hosts.clone(),
            effects: self.surface.effects.clone(),
            max_risk: self.risk,
            confirm: self.confirm,
            constraints: of.map(|(tool, limits)| (tool.clone(), limits.clone())).collect(),
            review: Review::Suggested,
            tools,
        }
    }
}

/// A tool and where it comes from.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// The tool.
    pub tool: &'a Fixed,
    /// Its endpoint, where that is known.
    pub endpoint: Option<&'a Endpoint>,
}

/// The scopes of these tools, by name.
#[must_use]
pub fn suggest(tools: &[Fixed], endpoints: &[Endpoint]) -> BTreeMap<String, Suggestion> {
    let known: BTreeMap<&str, &Endpoint> =
        endpoints.iter().map(|endpoint| (endpoint.id.as_str(), endpoint)).collect();
    let mut members: BTreeMap<&str, Vec<Member<'_>>> = BTreeMap::new();
    for tool in tools {
        let endpoint = known.get(tool.evidence.endpoint.as_str()).copied();
        members.entry(&tool.scope).or_default().push(Member { tool, endpoint });
    }
    members.into_iter().map(|(name, members)| (name.to_owned(), suggestion(name, &members))).collect()
}

fn suggestion(name: &str, members: &[Member<'_>]) -> Suggestion {
    let (resource, deed) = name.rsplit_once('.').unwrap_or((name, "use"));
    let tools = || members.iter().map(|member| member.tool);
    let effects: BTreeSet<Effect> = tools().map(|tool| tool.effect).collect();
    let risk = tools().map(risk_of).max().unwrap_or(Risk::Critical);
    let reads = effects.iter().all(|effect| *effect == Effect::Read);
    let host = |tool: &Fixed| {
        let Binding::Http(http) = &tool.binding;
        http.host.clone()
    };
    let limits = members.iter().filter_map(|member| {
        let limits = propose::propose(member.tool, member.endpoint?).limits;
        (!limits.is_empty()).then(|| (member.tool.name.clone(), limits))
    });
    let (confidence, signals) = signal::weigh(members);
    Suggestion {
        intent: format!("{} {}", verb(deed), resource.replace('_', " ")),
        surface: Reach {
            hosts: tools().map(host).collect(),
            tools: tools().map(|tool| tool.name.clone()).collect(),
            effects,
        },
        risk,
        confirm: risk >= Risk::High || !reads,
        constraints: limits.collect(),
        confidence,
        signals,
        review_required: !(reads && risk <= Risk::Low && confidence == Confidence::High),
        review: Review::Suggested,
    }
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

/// By tool: the suggestion it is in that is too unsure to approve the tool, as no scope that a person accepted has it.
#[must_use]
pub fn unsure<'s>(
    suggested: &'s BTreeMap<String, Suggestion>,
    scopes: &BTreeMap<String, Scope>,
) -> BTreeMap<&'s str, &'s str> {
    let taken = |tool: &str| {
        let mut accepted = scopes.values().filter(|scope| scope.review == Review::Accepted);
        accepted.any(|scope| scope.tools.contains(tool))
    };
    let open = suggested.iter().filter(|(_, suggestion)| suggestion.is_unsure());
    let tools = open.flat_map(|(name, suggestion)| {
        suggestion.surface.tools.iter().map(move |tool| (tool.as_str(), name.as_str()))
    });
    tools.filter(|(tool, _)| !taken(tool)).collect()
}
