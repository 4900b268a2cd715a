//! What several rules need to know, found once.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::Input;
use super::calls::{self, Stance};
use super::legs::{self, Legs};
use super::policy::Policy;
use super::rules::Check;
use super::texts::{self, Seen};
use crate::finding::{At, Basis, Finding, Severity};
use crate::lock::NotApproved;
use crate::lock::status::Standing;
use crate::toolpack::{Fixed, entry_bytes};

/// The input, and what follows from it.
pub(super) struct View<'a> {
    pub input: &'a Input<'a>,
    /// The tools that nobody has blocked: what is blocked is served to nobody.
    pub tools: Vec<&'a Fixed>,
    /// The policy, taken apart.
    pub policy: Policy,
    /// By tool: what the policy lets through. Empty if there is no policy that can be asked.
    pub stances: BTreeMap<&'a str, Stance>,
    /// By tool: what part it could have in a leak.
    pub legs: BTreeMap<&'a str, Legs>,
    /// By tool: the bytes of its entry in `tools/list`.
    pub weights: BTreeMap<&'a str, usize>,
    /// What stands in the texts that an agent reads.
    pub seen: Vec<Seen>,
}

impl<'a> View<'a> {
    pub fn of(input: &'a Input<'a>) -> Self {
        let surface = input.surface;
        let blocked = |tool: &Fixed| {
            let standing = input.standings.get(&format!("tool/{}", tool.name));
            standing == Some(&Standing::Not(NotApproved::Blocked))
        };
        let tools: Vec<&'a Fixed> = surface.tools.iter().filter(|tool| !blocked(tool)).collect();
        let policy = Policy::of(surface);
        let stances = calls::stances(&tools, surface, &policy.known);
        let weights = tools.par_iter().map(|tool| (tool.name.as_str(), entry_bytes(tool)));
        let weights: Vec<(&str, usize)> = weights.collect();
        Self {
            legs: tools.iter().map(|tool| (tool.name.as_str(), legs::of(tool))).collect(),
            seen: texts::seen(&tools, surface),
            weights: weights.into_iter().collect(),
            input,
            tools,
            policy,
            stances,
        }
    }

    /// The tools of a toolset that nobody has blocked.
    pub fn members<'v>(&'v self, names: &'v BTreeSet<String>) -> impl Iterator<Item = &'a Fixed> + 'v {
        self.tools.iter().copied().filter(move |tool| names.contains(&tool.name))
    }

    /// The path of the policy, as far as the manifest knows.
    pub fn policy_file(&self) -> String {
        self.input.manifest.paths.get("policy").cloned().unwrap_or_default()
    }
}

/// One thing that a rule found, before anybody said how much it matters or that it is meant.
#[derive(Debug, Clone, Default)]
pub(super) struct Hit {
    pub at: At,
    pub message: String,
    pub details: Vec<String>,
    /// The rules of the policy that it comes from, by name: their own waivers cover it.
    pub rules: BTreeSet<String>,
}

impl Hit {
    pub fn new(subject: impl Into<String>, message: impl Into<String>) -> Self {
        let at = At { subject: subject.into(), ..At::default() };
        Self { at, message: message.into(), ..Self::default() }
    }

    pub fn pointer(mut self, pointer: impl Into<String>) -> Self {
        self.at.pointer = pointer.into();
        self
    }

    pub fn file(mut self, file: impl Into<String>) -> Self {
        self.at.file = file.into();
        self
    }

    pub fn details(mut self, details: Vec<String>) -> Self {
        self.details = details;
        self
    }

    pub fn rules(mut self, rules: impl IntoIterator<Item = String>) -> Self {
        self.rules = rules.into_iter().collect();
        self
    }

    /// The finding of a rule.
    pub fn finding(self, check: &'static Check, severity: Severity) -> Finding {
        Finding {
            code: check.rule.code,
            severity,
            basis: Basis::Contradicted,
            at: self.at,
            message: self.message,
            details: self.details,
            before: None,
            after: None,
        }
    }
}

/// At most so many of a list, and how many more there are.
pub(super) fn few(all: impl IntoIterator<Item = String>, most: usize) -> Vec<String> {
    let mut all = all.into_iter();
    let mut out: Vec<String> = all.by_ref().take(most).collect();
    match all.count() {
        0 => {}
        more => out.push(format!("and {more} more")),
    }
    out
}
