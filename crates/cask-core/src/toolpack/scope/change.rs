//! What a change of a scope means: could a call get through that did not before?
//!
//! When in doubt it could. A tool that joins is one that the scope did not speak for; one that leaves is held by the
//! scope no more: both are broader.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::{Limit, Scope};
use crate::json::token;

/// Which way a change goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// The same calls get through.
    Neutral,
    /// Nothing gets through that did not before.
    Narrowing,
    /// Something might.
    Broadening,
}

/// One difference between two scopes.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Which way it goes.
    pub way: Way,
    /// JSON pointer into the scope.
    pub pointer: String,
    /// What differs, in words.
    pub message: String,
    /// What it was.
    pub before: Option<Value>,
    /// What it is.
    pub after: Option<Value>,
}

/// Which way a change goes as a whole: the worst of its steps.
#[must_use]
pub fn way(old: &Scope, new: &Scope) -> Way {
    compare(old, new).into_iter().map(|step| step.way).max().unwrap_or(Way::Neutral)
}

/// Every difference of what is signed of two scopes.
#[must_use]
pub fn compare(old: &Scope, new: &Scope) -> Vec<Step> {
    let mut steps = Steps::default();
    if old.intent != new.intent {
        steps.add(Way::Neutral, "/intent", "what it is for reads otherwise", &old.intent, &new.intent);
    }
    for tool in new.tools.difference(&old.tools) {
        steps.gain(Way::Broadening, "/tools", format!("`{tool}` is in it now"), tool);
    }
    for tool in old.tools.difference(&new.tools) {
        steps.lose(
            Way::Broadening,
            "/tools",
            format!("`{tool}` left it: its limits do not hold that tool"),
            tool,
        );
    }
    steps.set("/hosts", "host", &old.hosts, &new.hosts, |host| host.as_str());
    steps.set("/effects", "effect", &old.effects, &new.effects, |effect| effect.as_str());
    if old.max_risk != new.max_risk {
        let way = if new.max_risk > old.max_risk { Way::Broadening } else { Way::Narrowing };
        let message = "the highest risk of its tools is another";
        steps.add(way, "/max_risk", message, old.max_risk, new.max_risk);
    }
    if old.confirm != new.confirm {
        let (way, message) = if old.confirm {
            (Way::Broadening, "nobody is asked before a call any more")
        } else {
            (Way::Narrowing, "a person is asked before each call")
        };
        steps.add(way, "/confirm", message, old.confirm, new.confirm);
    }
    let none = BTreeMap::new();
    for tool in old.tools.intersection(&new.tools) {
        let limits = |scope: &Scope| scope.constraints.get(tool).unwrap_or(&none).clone();
        steps.limits(tool, &limits(old), &limits(new));
    }
    steps.0
}

#[derive(Default)]
struct Steps(Vec<Step>);

impl Steps {
    fn push(
        &mut self,
        way: Way,
        pointer: &str,
        message: String,
        before: Option<Value>,
        after: Option<Value>,
    ) {
        self.0.push(Step { way, pointer: pointer.to_owned(), message, before, after });
    }

    fn add<T: Serialize>(&mut self, way: Way, pointer: &str, message: &str, before: T, after: T) {
        self.push(way, pointer, message.to_owned(), json(&before), json(&after));
    }

    fn gain(&mut self, way: Way, pointer: &str, message: String, after: &str) {
        self.push(way, pointer, message, None, Some(after.into()));
    }

    fn lose(&mut self, way: Way, pointer: &str, message: String, before: &str) {
        self.push(way, pointer, message, Some(before.into()), None);
    }

    fn set<T: Ord>(
        &mut self,
        pointer: &str,
        what: &str,
        old: &BTreeSet<T>,
        new: &BTreeSet<T>,
        name: fn(&T) -> &str,
    ) {
        for one in new.difference(old).map(name) {
            self.gain(Way::Broadening, pointer, format!("the {what} `{one}` is allowed now"), one);
        }
        for one in old.difference(new).map(name) {
            self.lose(Way::Narrowing, pointer, format!("the {what} `{one}` is not allowed any more"), one);
        }
    }

    fn limits(&mut self, tool: &str, old: &BTreeMap<String, Limit>, new: &BTreeMap<String, Limit>) {
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for name in names {
            let (then, now) = (old.get(name), new.get(name));
            let (way, what) = match (then, now) {
                (then, now) if then == now => continue,
                (None, _) => (Way::Narrowing, "has a limit now"),
                (Some(_), None) => (Way::Broadening, "has no limit any more"),
                (Some(then), Some(now)) => match (then.covers(now), now.covers(then)) {
                    (true, true) => (Way::Neutral, "has the same limit in another form"),
                    (true, false) => (Way::Narrowing, "has a narrower limit"),
                    (false, _) => (Way::Broadening, "has another limit, which may let more through"),
                },
            };
            let pointer = format!("/constraints/{}/{}", token(tool), token(name));
            self.push(
                way,
                &pointer,
                format!("`{name}` of `{tool}` {what}"),
                then.and_then(json),
                now.and_then(json),
            );
        }
    }
}

fn json<T: Serialize>(value: T) -> Option<Value> {
    serde_json::to_value(value).ok()
}
