//! The policy as a text: what in it is wrong, does nothing, or is not explained.

use std::collections::BTreeMap;

use super::{Check, row};
use crate::finding::Severity::{Breaking, Warning};
use crate::json::token;
use crate::lint::policy::{Kind, Rule};
use crate::lint::scope::Actions;
use crate::lint::view::{Hit, View, few};
use crate::lock::POLICY;

const AREA: &str = "The policy";

/// More faults of one kind in one rule than this are not listed.
const LISTED: usize = 5;

pub(super) static RULES: &[Check] = &[
    row(
        AREA,
        "policy-invalid",
        Breaking,
        "the policy does not read, or its types do not fit",
        "Cedar cannot read the policy, or a rule compares what cannot be compared, for example a text with a number, or takes an optional argument for granted without `context.args has …`. A rule that fails to evaluate permits nothing and refuses what it should only have limited, and such a policy is not signed.",
        |view| faults(view, Kind::Invalid, "does not fit the types of the tools"),
    ),
    row(
        AREA,
        "policy-unknown-name",
        Breaking,
        "a rule names a tool, group or type that is not there",
        "The rule was written for a tool, a toolset or a kind of entity that this toolpack does not have: renamed, removed, or spelled wrong. It never applies, so what it should hold back is not held back. `artifact/policy.cedarschema` lists all names.",
        |view| faults(view, Kind::Name, "names what is not there"),
    ),
    row(
        AREA,
        "policy-unknown-attribute",
        Breaking,
        "a rule speaks of an argument that its tools do not have",
        "A condition looks at an argument, or at another part of the context, that not every tool in the scope of the rule has. Name the tools that have it in the scope, or ask first: `context.args has city && context.args.city == \"Bergen\"`. Only texts, whole numbers, booleans and lists of texts can be looked at.",
        |view| faults(view, Kind::Argument, "speaks of what its tools do not have"),
    ),
    row(
        AREA,
        "policy-rule-impossible",
        Warning,
        "a rule whose conditions are never met",
        "With the tools and arguments that there are, the conditions of this rule are false for every call: an argument that none of its tools has, a type that never calls, two conditions that exclude each other. It does nothing. Mend it or remove it.",
        |view| faults(view, Kind::Impossible, "has conditions that no call meets"),
    ),
    row(
        AREA,
        "policy-rule-idle",
        Warning,
        "a rule that no tool is in the scope of",
        "The rule names a toolset that is empty, a group with `==` (which only ever is one tool; groups need `in`), or a host that none of its tools calls. It does nothing. Rules for the groups of an effect or a risk tier may wait for tools that come later and are not reported.",
        idle,
    ),
    row(
        AREA,
        "policy-rule-repeated",
        Warning,
        "a rule that is there twice",
        "Two rules have the same effect, scope and conditions. One of them does nothing, and whoever changes the other one will think that the change works. Remove one.",
        repeated,
    ),
    row(
        AREA,
        "policy-rule-overruled",
        Warning,
        "a permission that a prohibition takes away whole",
        "A rule forbids, without any condition, every call that this rule permits. In Cedar what is forbidden is not permitted, so the permission does nothing. Remove one of the two, or give the prohibition a condition.",
        overruled,
    ),
    row(
        AREA,
        "policy-rule-covered",
        Warning,
        "a rule that a wider one makes needless",
        "Another rule with the same effect and without any condition is about every call that this one is about. The conditions here change nothing: whoever relies on them, or removes them, is misled. Remove this rule, or narrow the wider one.",
        covered,
    ),
    row(
        AREA,
        "policy-permits-all",
        Warning,
        "a rule that permits everything",
        "`permit (principal, action, resource)` without a condition permits every tool to everybody, also tools that are minted later. Then only prohibitions hold anything back, and each new tool needs one. Name groups: `action in [Action::\"effect_read\"]`.",
        all,
    ),
    row(
        AREA,
        "policy-rule-unexplained",
        Warning,
        "a rule of your own without a reason",
        "The rule is not one that every toolpack has, and nothing says why it is there. Whoever reviews the next change has to guess what it protects. Write a comment in the line above it, or an annotation: `@why(\"no more than 5 new customers an hour\")`.",
        unexplained,
    ),
];

/// A hit at a rule.
fn at(view: &View<'_>, rule: &Rule, message: String) -> Hit {
    Hit::new(POLICY, message)
        .file(view.policy_file())
        .pointer(format!("/{}", token(&rule.name)))
        .rules([rule.name.clone()])
}

fn called(rule: &Rule) -> String {
    format!("rule `{}` (line {})", rule.name, rule.line)
}

fn faults(view: &View<'_>, kind: Kind, what: &str) -> Vec<Hit> {
    let policy = &view.policy;
    let of = |rule: Option<usize>| {
        let faults = policy.faults.iter().filter(move |fault| fault.kind == kind && fault.rule == rule);
        few(faults.map(|fault| fault.text.clone()), LISTED)
    };
    let mut out = Vec::new();
    let whole = of(None);
    if !whole.is_empty() {
        let hit = Hit::new(POLICY, format!("the policy {what}")).file(view.policy_file());
        out.push(hit.details(whole));
    }
    for (index, rule) in policy.rules.iter().enumerate() {
        // of a rule that no tool is in the scope of it is said that it is idle
        if kind == Kind::Impossible && rule.tools == 0 {
            continue;
        }
        let details = of(Some(index));
        if !details.is_empty() {
            out.push(at(view, rule, format!("{} {what}", called(rule))).details(details));
        }
    }
    out
}

fn idle(view: &View<'_>) -> Vec<Hit> {
    let mut out = Vec::new();
    let any = !view.input.surface.tools.is_empty();
    for rule in view.policy.rules.iter().filter(|rule| any && rule.tools == 0) {
        if rule.elsewhere {
            let message = format!("{} is for a host that none of its tools calls", called(rule));
            out.push(at(view, rule, message));
        } else if rule.meant {
            out.push(at(view, rule, format!("{} is about no tool", called(rule))));
        }
    }
    out
}

fn repeated(view: &View<'_>) -> Vec<Hit> {
    let rules = &view.policy.rules;
    let mut out = Vec::new();
    let mut first: BTreeMap<&str, &Rule> = BTreeMap::new();
    for rule in rules {
        if let Some(other) = first.get(rule.form.as_str()) {
            out.push(at(view, rule, format!("{} is the same as {}", called(rule), called(other))));
        } else {
            first.insert(&rule.form, rule);
        }
    }
    out
}

/// Rules that can apply, each with the first rule that makes it do nothing.
fn needless(view: &View<'_>, by: impl Fn(&Rule, &Rule) -> bool, what: &str) -> Vec<Hit> {
    let rules = &view.policy.rules;
    let actions = Actions::of(view.input.surface);
    let wide: Vec<(usize, &Rule)> = rules.iter().enumerate().filter(|(_, rule)| rule.plain).collect();
    let mut out = Vec::new();
    for (index, rule) in rules.iter().enumerate().filter(|(_, rule)| rule.tools > 0) {
        let other = wide.iter().find(|(at, other)| {
            let covers = *at != index && by(rule, other) && other.scope.covers(&rule.scope, &actions);
            // of two that cover each other, the later one is needless
            let both =
                rule.plain && rule.permits == other.permits && rule.scope.covers(&other.scope, &actions);
            covers && !(both && *at > index)
        });
        if let Some((_, other)) = other {
            out.push(at(view, rule, format!("{} {what} {}", called(rule), called(other))));
        }
    }
    out
}

fn overruled(view: &View<'_>) -> Vec<Hit> {
    needless(view, |rule, other| rule.permits && !other.permits, "permits nothing: all of it is forbidden by")
}

fn covered(view: &View<'_>) -> Vec<Hit> {
    let same = |rule: &Rule, other: &Rule| rule.permits == other.permits && rule.form != other.form;
    needless(view, same, "changes nothing: it is covered by")
}

fn all(view: &View<'_>) -> Vec<Hit> {
    let rules = view.policy.rules.iter().filter(|rule| rule.permits && rule.plain && rule.scope.is_all());
    rules.map(|rule| at(view, rule, format!("{} permits every call of every tool", called(rule)))).collect()
}

fn unexplained(view: &View<'_>) -> Vec<Hit> {
    let rules = view.policy.rules.iter().filter(|rule| !rule.ours && !rule.explained);
    rules.map(|rule| at(view, rule, format!("nothing says why {} is there", called(rule)))).collect()
}
