//! Which calls a rule of the policy is about, and whether another is about all of them.
//!
//! Callers and hosts have no groups at run time: `in` is the same as `==` for them, and each has one type.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{
    ActionConstraint, EntityTypeName, EntityUid, Policy as CedarPolicy, PrincipalConstraint,
    ResourceConstraint,
};

use crate::endpoint::{Effect, Risk};
use crate::lock::Surface;
use crate::toolpack::{Binding, Tool};

/// The groups of each tool, and which groups there are.
pub(super) struct Actions {
    tools: BTreeMap<String, BTreeSet<String>>,
    /// The groups that every toolpack has, whether or not a tool is in them.
    standing: BTreeSet<String>,
    toolsets: BTreeSet<String>,
}

impl Actions {
    pub fn of(surface: &Surface) -> Self {
        let mut tools: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for tool in &surface.tools {
            let groups = [effect(tool.effect), risk(tool.risk)];
            tools.insert(tool.name.clone(), groups.into());
        }
        for (toolset, members) in &surface.toolsets {
            for member in members {
                if let Some(groups) = tools.get_mut(member) {
                    groups.insert(format!("toolset_{toolset}"));
                }
            }
        }
        let standing = Effect::ALL.map(effect).into_iter().chain(Risk::ALL.map(risk));
        Self {
            tools,
            standing: standing.collect(),
            toolsets: surface.toolsets.keys().map(|toolset| format!("toolset_{toolset}")).collect(),
        }
    }

    /// Whether it is the name of a group.
    pub fn is_group(&self, name: &str) -> bool {
        self.standing.contains(name) || self.toolsets.contains(name)
    }

    fn is_known(&self, name: &str) -> bool {
        self.is_group(name) || self.tools.contains_key(name)
    }

    fn groups(&self, tool: &str) -> Option<&BTreeSet<String>> {
        self.tools.get(tool)
    }
}

fn effect(effect: Effect) -> String {
    format!("effect_{}", effect.as_str())
}

fn risk(risk: Risk) -> String {
    format!("risk_{}", risk.as_str())
}

/// Callers or hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Those {
    All,
    One(EntityUid),
    /// Of a type that is never asked about.
    None,
}

impl Those {
    fn covers(&self, other: &Those) -> bool {
        *self == Those::All || self == other
    }

    fn of_type(name: &EntityTypeName, only: &str, one: Option<&EntityUid>) -> Self {
        match one {
            _ if name.to_string() != only => Those::None,
            None => Those::All,
            Some(one) => Those::One(one.clone()),
        }
    }
}

/// Tools and groups of them.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Deeds {
    All,
    /// Exactly this action: a group never is one.
    Only(String),
    In(BTreeSet<String>),
}

/// What stands before the conditions of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scope {
    callers: Those,
    deeds: Deeds,
    hosts: Those,
}

impl Scope {
    pub fn of(policy: &CedarPolicy) -> Self {
        let callers = match policy.principal_constraint() {
            PrincipalConstraint::Any => Those::All,
            PrincipalConstraint::Eq(one) | PrincipalConstraint::In(one) => Those::One(one),
            PrincipalConstraint::Is(name) => Those::of_type(&name, "Agent", None),
            PrincipalConstraint::IsIn(name, one) => Those::of_type(&name, "Agent", Some(&one)),
        };
        let hosts = match policy.resource_constraint() {
            ResourceConstraint::Any => Those::All,
            ResourceConstraint::Eq(one) | ResourceConstraint::In(one) => Those::One(one),
            ResourceConstraint::Is(name) => Those::of_type(&name, "Host", None),
            ResourceConstraint::IsIn(name, one) => Those::of_type(&name, "Host", Some(&one)),
        };
        let deeds = match policy.action_constraint() {
            ActionConstraint::Any => Deeds::All,
            ActionConstraint::Eq(one) => Deeds::Only(id(&one).to_owned()),
            ActionConstraint::In(any) => Deeds::In(any.iter().map(|one| id(one).to_owned()).collect()),
        };
        Self { callers, deeds, hosts }
    }

    /// Whether it holds for every call.
    pub fn is_all(&self) -> bool {
        *self == Scope { callers: Those::All, deeds: Deeds::All, hosts: Those::All }
    }

    /// Whether a call of the tool can be in it.
    pub fn names(&self, tool: &Tool, actions: &Actions) -> bool {
        match &self.deeds {
            Deeds::All => true,
            Deeds::Only(name) => *name == tool.name,
            Deeds::In(names) => {
                let groups = actions.groups(&tool.name);
                names.contains(&tool.name) || groups.is_some_and(|groups| !groups.is_disjoint(names))
            }
        }
    }

    /// Whether the host that the tool calls can be in it.
    pub fn reaches(&self, tool: &Tool) -> bool {
        let Binding::Http(http) = &tool.binding;
        match &self.hosts {
            Those::All => true,
            Those::One(host) => id(host) == http.host,
            Those::None => false,
        }
    }

    /// Whether it speaks of nothing but groups that every toolpack has: it waits for tools that may come.
    pub fn is_standing(&self, actions: &Actions) -> bool {
        matches!(&self.deeds, Deeds::In(names) if names.is_subset(&actions.standing))
    }

    /// Whether all actions that it names are there.
    pub fn is_known(&self, actions: &Actions) -> bool {
        match &self.deeds {
            Deeds::All => true,
            Deeds::Only(name) => actions.is_known(name),
            Deeds::In(names) => names.iter().all(|name| actions.is_known(name)),
        }
    }

    /// Whether every call in the other scope is in this one, whatever tools come.
    pub fn covers(&self, other: &Scope, actions: &Actions) -> bool {
        let deed = |name: &String| match &self.deeds {
            Deeds::All => true,
            Deeds::Only(only) => only == name && !actions.is_group(name),
            Deeds::In(names) => {
                let groups = actions.groups(name);
                names.contains(name) || groups.is_some_and(|groups| !groups.is_disjoint(names))
            }
        };
        let deeds = match &other.deeds {
            Deeds::All => self.deeds == Deeds::All,
            Deeds::Only(name) => deed(name),
            Deeds::In(names) => names.iter().all(deed),
        };
        deeds && self.callers.covers(&other.callers) && self.hosts.covers(&other.hosts)
    }
}

/// The name of an entity without its type.
pub(super) fn id(uid: &EntityUid) -> &str {
    uid.id().unescaped()
}
