//! What is questionable in a toolpack as it stands, whoever approved it: rules over tools, policy, lockfile and trust.
//!
//! Nothing here decides a call. A rule claims only what it can show. What is meant can be waived, with a reason and an end.

use std::collections::{BTreeMap, BTreeSet};

use crate::canon::Digest;
use crate::finding::Finding;
use crate::lock::status::Standing;
use crate::lock::trust::Trust;
use crate::lock::{Lockfile, Surface};
use crate::toolpack::Binding;

mod alike;
mod calls;
mod legs;
mod policy;
pub mod rules;
mod scope;
pub mod settings;
mod texts;
mod view;
mod waive;

pub use settings::{Fault, Level, Member, Place, Settings, Waiver, Written};

use view::View;

/// Everything that the rules look at.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// What an agent could see and do.
    pub surface: &'a Surface,
    /// What the manifest says besides.
    pub manifest: Manifest<'a>,
    /// The texts of the artifacts, by path relative to the toolpack.
    pub files: &'a BTreeMap<String, String>,
    /// The lockfile, if there is one; it need not be an accepted one.
    pub lockfile: Option<&'a Lockfile>,
    /// Where every subject stands with that lockfile; empty without one.
    pub standings: &'a BTreeMap<String, Standing>,
    /// Who may decide; nobody without a trust file.
    pub trust: &'a Trust,
    /// RFC 3339 time now, UTC, whole seconds.
    pub now: &'a str,
    /// Levels, budget and waivers.
    pub settings: &'a Settings,
    /// Only what this toolset serves: its tools, their hosts, itself, and what is around them.
    pub toolset: Option<&'a str>,
}

/// What the manifest lists.
#[derive(Debug, Clone, Copy)]
pub struct Manifest<'a> {
    /// The hosts that tools may call.
    pub hosts: &'a [String],
    /// The hosts that were asked for, patterns included.
    pub asked: &'a [String],
    /// What a file is for → its path.
    pub paths: &'a BTreeMap<String, String>,
    /// Digests of files, by path.
    pub digests: &'a BTreeMap<String, Digest>,
    /// Files that have no digest because their owner edits them.
    pub owned: &'a [&'a str],
}

/// What the rules found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// What is left to look at, rule by rule.
    pub findings: Vec<Finding>,
    /// What somebody said is meant.
    pub waived: Vec<Waived>,
}

/// A finding that is waived.
#[derive(Debug, Clone, PartialEq)]
pub struct Waived {
    /// It.
    pub finding: Finding,
    /// Why.
    pub reason: String,
    /// The last day on which it is.
    pub until: String,
}

/// Walks the table of rules.
#[must_use]
pub fn check(input: &Input<'_>) -> Outcome {
    let view = View::of(input);
    let mut hits = Vec::new();
    for check in rules::all() {
        hits.extend((check.find)(&view).into_iter().map(|hit| (check, hit)));
    }
    let mut outcome = waive::settle(&view, hits);
    if let Some(toolset) = input.toolset {
        let served = served(input.surface, toolset);
        outcome.findings.retain(|finding| concerns(&finding.at.subject, &served));
        outcome.waived.retain(|waived| concerns(&waived.finding.at.subject, &served));
    }
    outcome
}

/// Findings in groups, in the order of the table.
#[must_use]
pub fn grouped(findings: Vec<Finding>) -> Vec<(&'static str, Vec<Finding>)> {
    let mut groups: Vec<(&'static str, Vec<Finding>)> = Vec::new();
    for check in rules::all() {
        if groups.last().is_none_or(|(area, _)| *area != check.area) {
            groups.push((check.area, Vec::new()));
        }
    }
    for finding in findings {
        let area = rules::find(finding.code).map_or("", |check| check.area);
        if let Some((_, group)) = groups.iter_mut().find(|(name, _)| *name == area) {
            group.push(finding);
        }
    }
    groups.retain(|(_, group)| !group.is_empty());
    groups
}

/// The subjects that a toolset brings along.
fn served(surface: &Surface, toolset: &str) -> BTreeSet<String> {
    let mut out = BTreeSet::from([format!("toolset/{toolset}")]);
    let members = surface.toolsets.get(toolset);
    for tool in surface.tools.iter().filter(|tool| members.is_some_and(|names| names.contains(&tool.name))) {
        let Binding::Http(http) = &tool.binding;
        out.extend([format!("tool/{}", tool.name), format!("host/{}", http.host)]);
    }
    out
}

/// What is about no tool, toolset or host in particular is about each of them.
fn concerns(subject: &str, served: &BTreeSet<String>) -> bool {
    let single = ["tool/", "toolset/", "host/"].iter().any(|kind| subject.starts_with(kind));
    !single || served.contains(subject)
}

#[cfg(test)]
mod tests;
