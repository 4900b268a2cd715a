//! Two input schemas: what may be sent now that could not be sent before, and what not any more.
//!
//! The schemas are ours (self-contained, no references), so keywords can be compared one by one. What is
//! not understood counts as wider: when in doubt, someone has to look.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::rules::{self as r, Change};
use super::{Subject, step};

const TEXT: [&str; 6] = ["title", "description", "examples", "default", "$comment", "deprecated"];
const UPPER: [&str; 5] = ["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"];
const LOWER: [&str; 5] = ["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"];

/// The arguments of a tool: the properties of its input schema.
pub(super) fn arguments(name: &str, then: &Value, now: &Value, out: &mut Subject<'_>) {
    walk(&Place { tool: name, argument: "" }, "/input_schema", then, now, out, 0);
}

struct Place<'a> {
    tool: &'a str,
    /// Empty at the top.
    argument: &'a str,
}

impl Place<'_> {
    fn words(&self) -> String {
        if self.argument.is_empty() {
            format!("the arguments of `{}`", self.tool)
        } else {
            format!("argument `{}` of `{}`", self.argument, self.tool)
        }
    }
}

fn walk(place: &Place<'_>, pointer: &str, then: &Value, now: &Value, out: &mut Subject<'_>, depth: usize) {
    if then == now {
        return;
    }
    let (Value::Object(old), Value::Object(new)) = (then, now) else {
        let rule = if *now == Value::Bool(false) { &r::ARG_NARROWED } else { &r::ARG_WIDENED };
        return out.push(rule, pointer, words(place, rule), Some(then.clone()), Some(now.clone()));
    };
    let keywords: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for keyword in keywords {
        let (before, after) = (old.get(keyword), new.get(keyword));
        if before == after {
            continue;
        }
        let at = step(pointer, keyword);
        let mut push = |rule: &'static Change| {
            out.push(rule, &at, words(place, rule), before.cloned(), after.cloned());
        };
        match keyword.as_str() {
            word if TEXT.contains(&word) => push(&r::ARG_TEXT),
            "properties" => properties(place, &at, before, after, out, depth),
            "required" => required(place, &at, before, after, out),
            "items" | "additionalProperties" if before.is_some() && after.is_some() && depth < 64 => {
                let empty = Value::Bool(true);
                walk(place, &at, before.unwrap_or(&empty), after.unwrap_or(&empty), out, depth + 1);
            }
            "type" | "enum" => sets(before, after, &mut push),
            word if UPPER.contains(&word) => bound(before, after, true, &mut push),
            word if LOWER.contains(&word) => bound(before, after, false, &mut push),
            _ if before.is_none() && after != Some(&Value::Bool(true)) => push(&r::ARG_NARROWED),
            _ => push(&r::ARG_WIDENED),
        }
    }
}

fn properties(
    place: &Place<'_>,
    pointer: &str,
    then: Option<&Value>,
    now: Option<&Value>,
    out: &mut Subject<'_>,
    depth: usize,
) {
    let of = |value: Option<&Value>| -> BTreeMap<String, Value> {
        value
            .and_then(Value::as_object)
            .map(|members| members.iter().map(|(name, schema)| (name.clone(), schema.clone())).collect())
            .unwrap_or_default()
    };
    let (old, new) = (of(then), of(now));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let full =
            if place.argument.is_empty() { name.clone() } else { format!("{}.{name}", place.argument) };
        let inner = Place { tool: place.tool, argument: &full };
        let at = step(pointer, name);
        match (old.get(name), new.get(name)) {
            (Some(before), Some(after)) if depth < 64 => walk(&inner, &at, before, after, out, depth + 1),
            (None, Some(after)) => {
                out.push(&r::ARG_ADDED, &at, words(&inner, &r::ARG_ADDED), None, Some(after.clone()));
            }
            (Some(before), None) => {
                out.push(&r::ARG_REMOVED, &at, words(&inner, &r::ARG_REMOVED), Some(before.clone()), None);
            }
            (before, after) if before != after => {
                out.push(
                    &r::ARG_WIDENED,
                    &at,
                    words(&inner, &r::ARG_WIDENED),
                    before.cloned(),
                    after.cloned(),
                );
            }
            _ => {}
        }
    }
}

fn required(
    place: &Place<'_>,
    pointer: &str,
    then: Option<&Value>,
    now: Option<&Value>,
    out: &mut Subject<'_>,
) {
    let of = |value: Option<&Value>| -> BTreeSet<String> {
        value
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    let (old, new) = (of(then), of(now));
    for (names, rule) in [(new.difference(&old), &r::ARG_REQUIRED), (old.difference(&new), &r::ARG_OPTIONAL)]
    {
        for name in names {
            let full =
                if place.argument.is_empty() { name.clone() } else { format!("{}.{name}", place.argument) };
            let inner = Place { tool: place.tool, argument: &full };
            out.push(rule, pointer, words(&inner, rule), then.cloned(), now.cloned());
        }
    }
}

/// `type` and `enum`: what is allowed is a set; none of it written means everything.
fn sets(then: Option<&Value>, now: Option<&Value>, push: &mut impl FnMut(&'static Change)) {
    let of = |value: &Value| -> BTreeSet<String> {
        match value {
            Value::Array(items) => items.iter().map(Value::to_string).collect(),
            one => BTreeSet::from([one.to_string()]),
        }
    };
    let (old, new) = (then.map(of), now.map(of));
    let more = match (&old, &new) {
        (Some(old), Some(new)) => !new.is_subset(old),
        (old, None) => old.is_some(),
        (None, Some(_)) => false,
    };
    let fewer = match (&old, &new) {
        (Some(old), Some(new)) => !old.is_subset(new),
        (old, _) => old.is_none(),
    };
    if more {
        push(&r::ARG_WIDENED);
    }
    if fewer {
        push(&r::ARG_NARROWED);
    }
    if !more && !fewer {
        // The same set in another order or spelling.
        push(&r::ARG_TEXT);
    }
}

fn bound(then: Option<&Value>, now: Option<&Value>, upper: bool, push: &mut impl FnMut(&'static Change)) {
    let wider = match (then.and_then(Value::as_f64), now.and_then(Value::as_f64)) {
        (Some(then), Some(now)) => (now > then) == upper,
        (None, Some(_)) => false,
        _ => true,
    };
    push(if wider { &r::ARG_WIDENED } else { &r::ARG_NARROWED });
}

fn words(place: &Place<'_>, change: &'static Change) -> String {
    let what = place.words();
    match change.rule.code {
        "argument-added" => format!("new {what}"),
        "argument-removed" => format!("{what} is gone"),
        "argument-required" => format!("{what} must be given now"),
        "argument-optional" => format!("{what} may be left out now"),
        "argument-widened" => format!("{what} takes more than before"),
        "argument-narrowed" => format!("{what} takes less than before"),
        _ => format!("{what}: the words changed"),
    }
}

/// The pointer to the deepest place that holds everything that differs.
pub(super) fn first_difference(then: &Value, now: &Value) -> String {
    let mut pointer = String::new();
    let (mut then, mut now) = (then, now);
    while let (Value::Object(old), Value::Object(new)) = (then, now) {
        let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let mut differing = keys.into_iter().filter(|key| old.get(*key) != new.get(*key));
        let (Some(key), None) = (differing.next(), differing.next()) else { break };
        let (Some(inner_then), Some(inner_now)) = (old.get(key), new.get(key)) else { break };
        pointer = step(&pointer, key);
        (then, now) = (inner_then, inner_now);
    }
    pointer
}
