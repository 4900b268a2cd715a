//! What a proposal would add to the scopes that are there. It only ever adds: what its owner wrote stays.

use std::collections::{BTreeMap, BTreeSet};

use super::check::{DIFFERS, LACKING, PROPOSED, finding};
use super::{Scope, Suggestion, change};
use crate::finding::{Basis, Finding};

/// What would be added, and everything that is to be said about it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Merge {
    /// Scopes that are not there yet.
    pub new: BTreeMap<String, Scope>,
    /// A finding for each of them, and for each that is there and says something else.
    pub findings: Vec<Finding>,
}

/// What suggestions propose beside the scopes that are there: new ones only with tools that are in no scope.
#[must_use]
pub fn suggested(
    scopes: &BTreeMap<String, Scope>,
    suggested: &BTreeMap<String, Suggestion>,
) -> BTreeMap<String, Scope> {
    let held: BTreeSet<&String> = scopes.values().flat_map(|scope| &scope.tools).collect();
    let scope = |(name, suggestion): (&String, &Suggestion)| {
        let mut tools = suggestion.surface.tools.clone();
        if !scopes.contains_key(name) {
            tools.retain(|tool| !held.contains(tool));
        }
        (!tools.is_empty()).then(|| (name.clone(), suggestion.scope(tools)))
    };
    suggested.iter().filter_map(scope).collect()
}

/// Compares proposed scopes with those that are there.
#[must_use]
pub fn merge(scopes: &BTreeMap<String, Scope>, proposed: BTreeMap<String, Scope>) -> Merge {
    let held: BTreeSet<&String> = scopes.values().flat_map(|scope| &scope.tools).collect();
    let mut out = Merge::default();
    for (name, scope) in proposed {
        let Some(there) = scopes.get(&name) else {
            let count = scope.tools.len();
            let message = format!("`{name}` with {count} tool{}", if count == 1 { "" } else { "s" });
            out.findings.push(Finding { basis: Basis::New, ..finding(&PROPOSED, &name, "", message) });
            out.new.insert(name, scope);
            continue;
        };
        for tool in scope.tools.iter().filter(|tool| !held.contains(*tool)) {
            let message = format!("`{tool}` is in no scope, and proposed for `{name}`");
            out.findings.push(finding(&LACKING, &name, "/tools", message));
        }
        let steps = change::compare(there, &scope);
        if !steps.is_empty() {
            let details =
                steps.into_iter().map(|step| format!("{}: {}", step.pointer, step.message)).collect();
            let message = format!("`{name}` stays as it is; the proposal of its name is another");
            out.findings.push(Finding { details, ..finding(&DIFFERS, &name, "", message) });
        }
    }
    out
}
