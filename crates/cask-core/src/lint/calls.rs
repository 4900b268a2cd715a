//! Calls that the policy lets through: found by asking it, so that each is a real one.
//!
//! Not every call can be tried. A call that is found shows that there is one; that none is found shows nothing.

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::PatternOptions;
use rayon::prelude::*;
use serde_json::{Map, Value};

use super::policy::Literals;
use crate::guard::policy::Policy;
use crate::guard::policy::ask::Answer;
use crate::guard::{Call, Calls};
use crate::lock::Surface;
use crate::toolpack::policy::{Kind, arguments};
use crate::toolpack::{Fixed, Tool};

/// Whoever calls, where the policy names nobody.
const ANYBODY: &str = "anybody";

/// The most values of one argument that are tried.
const VALUES: usize = 8;

/// The most calls of one tool that are tried.
const TRIES: usize = 64;

/// Nobody makes more calls in an hour: a policy that still permits one has no budget.
pub(super) const MANY: u32 = 1_000_000;

/// What the policy lets through of one tool.
#[derive(Debug, Default)]
pub(super) struct Stance {
    /// A call that it permits without a person.
    pub unconfirmed: Option<Witness>,
    /// A call that it permits, once confirmed, after any number of others.
    pub unlimited: Option<Witness>,
}

/// A call that shows it.
#[derive(Debug)]
pub(super) struct Witness {
    caller: String,
    toolset: String,
    arguments: Map<String, Value>,
    /// The rules that permit it.
    pub rules: Vec<String>,
}

impl Witness {
    /// The call in words, a line each.
    pub fn words(&self) -> Vec<String> {
        let rules: Vec<String> = self.rules.iter().map(|rule| format!("`{rule}`")).collect();
        let mut out = vec![format!("permitted by {}", rules.join(", "))];
        let mut call = format!("for example by `{}` in toolset `{}`", self.caller, self.toolset);
        if !self.arguments.is_empty() {
            call += &format!(" with {}", Value::Object(self.arguments.clone()));
        }
        out.push(call);
        out
    }
}

/// By tool: what the policy lets through. Empty if it cannot be read.
pub(super) fn stances<'a>(
    tools: &[&'a Fixed],
    surface: &Surface,
    known: &Literals,
) -> BTreeMap<&'a str, Stance> {
    let Ok(policy) = Policy::parse(&surface.policy) else { return BTreeMap::new() };
    let mut toolsets: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (toolset, members) in &surface.toolsets {
        for member in members {
            toolsets.entry(member).or_default().insert(toolset.clone());
        }
    }
    let ask = |tool: &&'a Fixed| {
        let toolsets = toolsets.get(tool.name.as_str()).cloned().unwrap_or_default();
        (tool.name.as_str(), stance(tool, &toolsets, &policy, known))
    };
    let stances: Vec<(&'a str, Stance)> = tools.par_iter().map(ask).collect();
    stances.into_iter().collect()
}

fn stance(tool: &Fixed, toolsets: &BTreeSet<String>, policy: &Policy, known: &Literals) -> Stance {
    let mut stance = Stance::default();
    let Ok(asked) = policy.about(tool, toolsets.clone()) else { return stance };
    let served = if known.toolset { toolsets.len() } else { 1 };
    let samples = samples(tool, known);
    let mut calls = Vec::new();
    for toolset in toolsets.iter().take(served) {
        for caller in std::iter::once(ANYBODY).chain(known.callers.iter().map(String::as_str)) {
            calls.extend(samples.iter().map(|arguments| (toolset, caller, arguments)));
        }
    }
    for (toolset, caller, arguments) in calls.into_iter().take(TRIES) {
        let call = Call { principal: caller, toolset, tool: &tool.name, arguments };
        let permits = |confirmed: bool, calls: Calls| {
            let Answer { permits, policies } = asked.says(call, confirmed, calls).ok()?;
            permits.then(|| Witness {
                caller: caller.to_owned(),
                toolset: toolset.clone(),
                arguments: arguments.clone(),
                rules: policies,
            })
        };
        if stance.unconfirmed.is_none() {
            stance.unconfirmed = permits(false, Calls::default());
        }
        if stance.unlimited.is_none() {
            stance.unlimited = permits(true, Calls { minute: MANY, hour: MANY });
        }
        if stance.unconfirmed.is_some() && stance.unlimited.is_some() {
            break;
        }
    }
    stance
}

/// Arguments to try: what must be there alone, then all that the policy can see, in as many values as make a difference.
fn samples(tool: &Tool, known: &Literals) -> Vec<Map<String, Value>> {
    let mut out: Vec<Map<String, Value>> = Vec::new();
    let properties = tool.input_schema.get("properties").and_then(Value::as_object);
    let typed = arguments(&tool.input_schema);
    let choices: Vec<(&String, bool, Vec<Value>)> = typed
        .iter()
        .filter(|_| known.args)
        .filter_map(|(name, (kind, required))| {
            Some((name, *required, values(*kind, properties?.get(name)?, known)))
        })
        .collect();
    let rounds = choices.iter().map(|(_, _, values)| values.len()).max().unwrap_or_default().max(1);
    for all in [false, true] {
        for round in 0..rounds {
            let wanted =
                choices.iter().filter(|(_, required, values)| (all || *required) && !values.is_empty());
            let sample: Map<String, Value> = wanted
                .filter_map(|(name, _, values)| {
                    Some(((*name).clone(), values.get(round % values.len())?.clone()))
                })
                .collect();
            if !out.contains(&sample) {
                out.push(sample);
            }
        }
    }
    out
}

/// Values that an argument can have: those that it lists, those that the policy speaks of, and plain ones.
fn values(kind: Kind, schema: &Value, known: &Literals) -> Vec<Value> {
    let build = jsonschema::draft202012::options()
        .with_pattern_options(PatternOptions::regex())
        .should_validate_formats(true)
        .build(schema);
    let Ok(validator) = build else { return Vec::new() };
    let listed = schema.get("enum").and_then(Value::as_array).into_iter().flatten().take(VALUES / 2).cloned();
    let mut all: Vec<Value> = listed.collect();
    match kind {
        Kind::Text => all.extend(known.texts.iter().cloned().chain(["a".to_owned()]).map(Value::from)),
        Kind::Texts => {
            all.extend(known.texts.iter().map(|text| Value::from(vec![text.clone()])));
            all.push(Value::Array(Vec::new()));
        }
        Kind::Bool => all.extend([true, false].map(Value::from)),
        Kind::Long => {
            let near = known.numbers.iter().flat_map(|number| {
                [Some(*number), number.checked_sub(1), number.checked_add(1)].into_iter().flatten()
            });
            all.extend(near.map(Value::from));
            all.extend(["minimum", "maximum"].iter().filter_map(|bound| schema.get(*bound)).cloned());
            all.push(Value::from(1));
        }
    }
    all.retain(|value| validator.is_valid(value));
    all.truncate(VALUES);
    all
}
