//! What is in a toolpack now against what was approved, field by field: what could an agent do now that
//! it could not do before, and what would it be told that nobody read?

use std::collections::BTreeMap;

use serde_json::Value;

use crate::endpoint::Risk;
use crate::finding::{At, Basis, Finding};
use crate::json::token;
use crate::lock::{POLICY, Surface};
use crate::toolpack::{Binding, Fixed, Tool};

mod policy;
pub mod rules;
mod schema;
mod tool;

use rules::{Change, Class};

/// Compares what was approved with what is there. Nothing approved: everything is new.
#[must_use]
pub fn compare(before: Option<&Surface>, after: &Surface) -> Vec<Finding> {
    findings(before, after).into_iter().map(|(_, finding)| finding).collect()
}

/// [`compare`] in groups, the most important first: by what a change means; on a first mint by risk.
#[must_use]
pub fn grouped(before: Option<&Surface>, after: &Surface) -> Vec<(String, Vec<Finding>)> {
    let mut groups: BTreeMap<(u8, String), Vec<Finding>> = BTreeMap::new();
    let risks: BTreeMap<String, Risk> =
        after.tools.iter().map(|tool| (format!("tool/{}", tool.name), tool.risk)).collect();
    for (class, finding) in findings(before, after) {
        let title = match (class, before, risks.get(&finding.at.subject)) {
            (Class::CanDoMore, None, Some(risk)) => {
                (10 - *risk as u8, format!("New tools, {} risk", risk.as_str()))
            }
            (Class::CanDoMore, None, None) => (20, "Around the tools".to_owned()),
            (class, _, _) => (30 + class as u8, class.title().to_owned()),
        };
        groups.entry(title).or_default().push(finding);
    }
    groups.into_iter().map(|((_, title), findings)| (title, findings)).collect()
}

fn findings(before: Option<&Surface>, after: &Surface) -> Vec<(Class, Finding)> {
    let mut out = Found::default();
    fn tools_of(surface: &Surface) -> BTreeMap<&str, &Fixed> {
        surface.tools.iter().map(|tool| (tool.name.as_str(), tool)).collect()
    }
    let (old, new) = (before.map(tools_of).unwrap_or_default(), tools_of(after));
    for (name, now) in &new {
        let at = format!("tool/{name}");
        match old.get(name) {
            Some(then) if then.as_ref() == now.as_ref() && then.digest() != now.digest() => {
                let message = format!("`{name}` says the same in other bytes than were approved: mint again");
                out.at(&at).push(&rules::TOOL_OTHER, "", message, None, None);
            }
            Some(then) => tool::compare(then, now, &mut out.at(&at)),
            None => {
                let message = format!("new tool `{name}`: {}", call(now));
                let mut subject = out.at(&at);
                subject.push(&rules::TOOL_ADDED, "", message, None, None);
                subject.explain(tool::whole(now, &after.toolsets_of(name)));
            }
        }
        if tool::understated(now) && old.get(name) != Some(now) {
            let message =
                format!("`{name}` is classified `read`, but it is called with a method that changes");
            out.at(&at).push(&rules::EFFECT_UNDERSTATED, "/effect", message, None, None);
        }
    }
    for (name, then) in old.iter().filter(|(name, _)| !new.contains_key(*name)) {
        let message = format!("tool `{name}` is gone: {}", call(then));
        out.at(&format!("tool/{name}")).push(&rules::TOOL_REMOVED, "", message, None, None);
    }
    hosts(before.is_some(), &old, &new, &mut out);
    toolsets(before, after, &mut out);
    policy::compare(before, after, &mut out.at(POLICY));
    out.found
}

/// A host that no approved tool calls is said once, beside the tools that call it.
fn hosts(any: bool, old: &BTreeMap<&str, &Fixed>, new: &BTreeMap<&str, &Fixed>, out: &mut Found) {
    let of = |tools: &BTreeMap<&str, &Fixed>| -> std::collections::BTreeSet<String> {
        tools
            .values()
            .map(|tool| {
                let Binding::Http(http) = &tool.binding;
                http.host.clone()
            })
            .collect()
    };
    let (old, new) = (of(old), of(new));
    for host in new.difference(&old).filter(|_| any) {
        let message = format!("calls go to a host that no approved tool calls: `{host}`");
        out.at("hosts").push(&rules::HOST_ADDED, "", message, None, Some(host.clone().into()));
    }
}

fn toolsets(before: Option<&Surface>, after: &Surface, out: &mut Found) {
    let empty = BTreeMap::new();
    let old = before.map_or(&empty, |before| &before.toolsets);
    for (name, tools) in &after.toolsets {
        let at = format!("toolset/{name}");
        let Some(then) = old.get(name) else {
            let message = format!(
                "new toolset `{name}` with {} tool{}",
                tools.len(),
                if tools.len() == 1 { "" } else { "s" }
            );
            out.at(&at).push(&rules::TOOLSET_ADDED, "", message, None, None);
            continue;
        };
        for tool in tools.difference(then) {
            let message = format!("`{tool}` is now in toolset `{name}`");
            out.at(&at).push(
                &rules::TOOLSET_MEMBER_ADDED,
                "/tools",
                message,
                None,
                Some(tool.clone().into()),
            );
        }
        for tool in then.difference(tools) {
            let message = format!("`{tool}` is no longer in toolset `{name}`");
            out.at(&at).push(
                &rules::TOOLSET_MEMBER_REMOVED,
                "/tools",
                message,
                Some(tool.clone().into()),
                None,
            );
        }
    }
    for name in old.keys().filter(|name| !after.toolsets.contains_key(*name)) {
        let message = format!("toolset `{name}` is gone");
        out.at(&format!("toolset/{name}")).push(&rules::TOOLSET_REMOVED, "", message, None, None);
    }
}

/// `POST https://host/path (payment, critical)`
fn call(tool: &Tool) -> String {
    let Binding::Http(http) = &tool.binding;
    format!(
        "`{} {}://{}{}` ({}, {})",
        http.method,
        http.scheme.as_str(),
        http.host,
        http.path,
        tool.effect.as_str(),
        tool.risk.as_str()
    )
}

#[derive(Default)]
struct Found {
    found: Vec<(Class, Finding)>,
}

impl Found {
    fn at<'f>(&'f mut self, subject: &str) -> Subject<'f> {
        Subject { subject: subject.to_owned(), found: &mut self.found }
    }
}

/// Where the findings of one subject go.
struct Subject<'f> {
    subject: String,
    found: &'f mut Vec<(Class, Finding)>,
}

impl Subject<'_> {
    fn push(
        &mut self,
        change: &'static Change,
        pointer: &str,
        message: impl Into<String>,
        before: Option<Value>,
        after: Option<Value>,
    ) {
        let at = At { subject: self.subject.clone(), pointer: pointer.to_owned(), ..At::default() };
        let finding = Finding {
            code: change.rule.code,
            severity: change.rule.severity,
            basis: if before.is_some() { Basis::Contradicted } else { Basis::New },
            details: Vec::new(),
            at,
            message: message.into(),
            before,
            after,
        };
        self.found.push((change.class, finding));
    }

    /// Adds what has to be read to the last finding.
    fn explain(&mut self, details: Vec<String>) {
        if let Some((_, finding)) = self.found.last_mut() {
            finding.details = details;
        }
    }

    fn len(&self) -> usize {
        self.found.len()
    }
}

/// One more step of an RFC 6901 pointer.
fn step(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", token(key))
}

#[cfg(test)]
mod tests;
