//! What is in a toolpack now against what was approved, field by field: what could an agent do now that
//! it could not do before, who is affected, and what would it be told that nobody read?
//!
//! Every difference has a rule, and every rule a [`Class`]. One real change is reported once: a name, a host or a prefix
//! that changed for many tools is said for all of them, and does not show in what is said of each.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::Serialize;
use serde_json::Value;

use crate::endpoint::{Effect, Risk};
use crate::finding::{At, Basis, Finding};
use crate::json::token;
use crate::lock::{POLICY, Surface};
use crate::toolpack::{Binding, Fixed, Tool, floor};

mod argument;
mod class;
mod credential;
mod moves;
mod output;
mod pair;
mod policy;
mod rename;
mod request;
pub mod rules;
mod schema;
mod scope;
mod text;
mod tool;
mod toolset;
mod words;

pub use class::{Class, Side, UnknownClass};
pub use policy::{Answer, answered};

use moves::Moves;
use pair::{Pair, Tools};
use rules::Change;

/// The most findings of one tool; what is left is one finding a rule.
const OF_A_TOOL: usize = 50;
/// The most names in a list.
const LISTED: usize = 50;
/// Names a line of a list.
const A_LINE: usize = 5;

/// Compares what was approved with what is there. Nothing approved: everything is new.
#[must_use]
pub fn compare(before: Option<&Surface>, after: &Surface) -> Vec<(Class, Finding)> {
    let (old, new) = (before.map(tools).unwrap_or_default(), tools(after));
    let pairs = pair::pairs(&old, &new);
    let moves = moves::find(&pairs);
    let names: BTreeSet<&str> = new.keys().copied().collect();
    // each by itself, in the order of their names whatever the order of the work
    let each: Vec<Found> = pairs.par_iter().map(|pair| one(pair, &moves, after, &names)).collect();
    let mut out = Found { found: each.into_iter().flat_map(|found| found.found).collect() };
    moves.tell(&mut out);
    hosts(&old, &new, &moves, &mut out);
    toolset::compare(before, after, &pairs, &mut out);
    scope::compare(before, after, &mut out);
    policy::compare(before, after, &mut out.at(POLICY));
    out.found
}

/// [`compare`] in groups, the most important first: by what a change means; on a first mint by risk.
#[must_use]
pub fn grouped(before: Option<&Surface>, after: &Surface) -> Vec<(String, Vec<Finding>)> {
    let mut groups: BTreeMap<(u8, String), Vec<Finding>> = BTreeMap::new();
    let risks: BTreeMap<String, Risk> =
        after.tools.iter().map(|tool| (format!("tool/{}", tool.name), tool.risk)).collect();
    for (class, finding) in compare(before, after) {
        let title = match (class, before, risks.get(&finding.at.subject)) {
            // what may be there to steer is read before anything else
            (Class::Injection, None, _) => (0, class.title().to_owned()),
            (_, None, Some(risk)) => (10 - *risk as u8, format!("New tools, {} risk", risk.as_str())),
            (_, None, None) => (20, "Around the tools".to_owned()),
            (class, Some(_), _) => (100 - class as u8, class.title().to_owned()),
        };
        groups.entry(title).or_default().push(finding);
    }
    groups.into_iter().map(|((_, title), findings)| (title, findings)).collect()
}

/// [`compare`], of the scopes alone.
#[must_use]
pub fn scopes(before: Option<&Surface>, after: &Surface) -> Vec<Finding> {
    let mut out = Found::default();
    scope::compare(before, after, &mut out);
    out.found.into_iter().map(|(_, finding)| finding).collect()
}

/// The class of a finding; `None` for one that another table made.
#[must_use]
pub fn class(finding: &Finding) -> Option<Class> {
    rules::class(finding.code)
}

/// Whether any of the findings is of this class or of a more dangerous one.
pub fn at_least<'f>(findings: impl IntoIterator<Item = &'f Finding>, least: Class) -> bool {
    findings.into_iter().filter_map(class).any(|class| class >= least)
}

fn tools(surface: &Surface) -> Tools<'_> {
    surface.tools.iter().map(|tool| (tool.name.as_str(), tool)).collect()
}

/// What is to be said of one tool.
fn one(pair: &Pair<'_>, moves: &Moves<'_>, after: &Surface, names: &BTreeSet<&str>) -> Found {
    let mut found = Found::default();
    let (then, now) = match *pair {
        Pair::Both(then, now) if then.digest() == now.digest() => return found,
        Pair::Both(then, now) => (Some(then), now),
        Pair::Added(now) => (None, now),
        Pair::Removed(then) => {
            let message = format!("tool `{}` is gone: {}", then.name, call(then));
            found.at(&format!("tool/{}", then.name)).push(&rules::TOOL_REMOVED, "", message, None, None);
            return found;
        }
    };
    let mut out = found.at(&format!("tool/{}", now.name));
    match then {
        Some(then) if **then == **now => {
            let message =
                format!("`{}` says the same in other bytes than were approved: mint again", now.name);
            out.push(&rules::TOOL_OTHER, "", message, None, None);
        }
        Some(then) => tool::compare(then, now, moves, &mut out),
        None => added(now, &after.toolsets_of(&now.name), &mut out),
    }
    text::cues(then.map(AsRef::as_ref), now, names, &mut out);
    if floor::is_understated(now) {
        let message =
            format!("`{}` is classified `read`, but it is called with a method that changes", now.name);
        out.push(&rules::EFFECT_UNDERSTATED, "/effect", message, None, None);
    }
    found.shorten();
    found
}

/// A new tool has the class of its effect.
fn added(now: &Fixed, toolsets: &BTreeSet<String>, out: &mut Subject<'_>) {
    let rule = match now.effect {
        Effect::Read => &rules::TOOL_ADDED,
        Effect::Write => &rules::TOOL_ADDED_WRITES,
        Effect::Auth => &rules::TOOL_ADDED_AUTH,
        Effect::Delete | Effect::Payment | Effect::Admin => &rules::TOOL_ADDED_DESTRUCTIVE,
    };
    out.push(rule, "", format!("new tool `{}`: {}", now.name, call(now)), None, None);
    out.explain(tool::whole(now, toolsets));
    if let Some(schema) = &now.output_schema {
        let names = credential::names("", &Value::Object((**schema).clone()));
        output::secrets(&now.name, &names, out);
    }
}

/// A host that no approved tool calls is said once, beside the tools that call it.
fn hosts(old: &Tools<'_>, new: &Tools<'_>, moves: &Moves<'_>, out: &mut Found) {
    fn of<'s>(tools: &Tools<'s>) -> BTreeSet<&'s str> {
        let mut hosts = BTreeSet::new();
        for &tool in tools.values() {
            let Binding::Http(http) = &tool.binding;
            hosts.insert(http.host.as_str());
        }
        hosts
    }
    let (old, told) = (of(old), moves.targets());
    for host in of(new).into_iter().filter(|host| !old.contains(host) && !told.contains(host)) {
        let message = format!("calls go to a host that no approved tool calls: `{host}`");
        out.at(&host_id(host)).push(&rules::HOST_ADDED, "", message, None, Some(host.into()));
    }
}

/// The subject that a host is.
fn host_id(host: &str) -> String {
    format!("host/{host}")
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

    /// Keeps the most dangerous findings, and says what is left in one finding a rule.
    fn shorten(&mut self) {
        if self.found.len() <= OF_A_TOOL {
            return;
        }
        self.found.sort_by_key(|(class, finding)| Reverse((*class, finding.severity)));
        let mut left: BTreeMap<&str, Vec<(Class, Finding)>> = BTreeMap::new();
        for (class, finding) in self.found.split_off(OF_A_TOOL) {
            left.entry(finding.code).or_default().push((class, finding));
        }
        self.found.extend(left.into_values().filter_map(more));
    }
}

/// One finding for several of a rule.
fn more(findings: Vec<(Class, Finding)>) -> Option<(Class, Finding)> {
    let count = findings.len();
    let lines: Vec<String> = findings
        .iter()
        .take(LISTED)
        .map(|(_, finding)| format!("{}: {}", finding.at.pointer, finding.message))
        .collect();
    let (class, first) = findings.into_iter().next()?;
    if count == 1 {
        return Some((class, first));
    }
    let title = rules::find(first.code).map_or(first.code, |change| change.rule.title);
    let at = At { pointer: String::new(), ..first.at };
    let message = format!("and {count} more like these: {title}");
    let mut details = lines;
    details.extend((count > LISTED).then(|| format!("and {} more", count - LISTED)));
    Some((class, Finding { at, message, details, before: None, after: None, ..first }))
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

/// Names in a few lines, and how many more there are.
fn listed(names: &[&str]) -> Vec<String> {
    let shown: Vec<&str> = names.iter().copied().take(LISTED).collect();
    let mut lines: Vec<String> = shown.chunks(A_LINE).map(|line| line.join(", ")).collect();
    lines.extend((names.len() > LISTED).then(|| format!("and {} more", names.len() - LISTED)));
    lines
}

/// One more step of an RFC 6901 pointer.
fn step(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", token(key))
}

/// `None` for what is not there.
fn json<T: Serialize + ?Sized>(value: &T) -> Option<Value> {
    serde_json::to_value(value).ok().filter(|value| !value.is_null())
}

#[cfg(test)]
mod tests;
