//! What a keyword allows, before and after.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::canon;

use super::{Kind, What};

/// Keywords that only tell.
pub(super) const TEXT: [&str; 8] =
    ["title", "description", "examples", "default", "$comment", "deprecated", "readOnly", "writeOnly"];
const UPPER: [&str; 5] = ["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"];
const LOWER: [&str; 5] = ["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"];
/// Keywords that can allow more by being there.
const EITHER: [&str; 7] = ["patternProperties", "$ref", "$dynamicRef", "$defs", "if", "then", "else"];

type Side<'v> = Option<&'v Value>;

/// How a keyword that differs changes what fits; both ways where some goes and some comes.
pub(super) fn judge(keyword: &str, then: Side<'_>, now: Side<'_>) -> Vec<Kind> {
    match keyword {
        word if TEXT.contains(&word) => vec![Kind::Text],
        "type" => sets(types(then), types(now), What::Types),
        "enum" | "anyOf" => sets(items(then), items(now), What::Values),
        "const" => sets(one(then), one(now), What::Values),
        word if UPPER.contains(&word) => vec![limit(then, now, true)],
        word if LOWER.contains(&word) => vec![limit(then, now, false)],
        "multipleOf" => vec![multiple(then, now)],
        "uniqueItems" => vec![switch(then, now, false, What::Limit)],
        "nullable" => vec![switch(then, now, true, What::Null)],
        "format" => vec![constraint(then, now, What::Format)],
        "pattern" => vec![constraint(then, now, What::Pattern)],
        word if EITHER.contains(&word) => vec![Kind::Other(What::Whole)],
        _ => vec![constraint(then, now, What::Whole)],
    }
}

/// Something that is demanded or not.
fn constraint(then: Side<'_>, now: Side<'_>, what: What) -> Kind {
    match (then, now) {
        (None, _) => Kind::Narrower(what),
        (_, None) => Kind::Wider(what),
        _ => Kind::Other(what),
    }
}

/// What is allowed is a set; none of it written means everything.
fn sets(old: Option<BTreeSet<String>>, new: Option<BTreeSet<String>>, what: What) -> Vec<Kind> {
    let (more, fewer) = match (&old, &new) {
        (Some(old), Some(new)) => (!new.is_subset(old), !old.is_subset(new)),
        (old, new) => (old.is_some() && new.is_none(), old.is_none() && new.is_some()),
    };
    let kinds = [(more, Kind::Wider(what)), (fewer, Kind::Narrower(what)), (!more && !fewer, Kind::Text)];
    kinds.into_iter().filter_map(|(is, kind)| is.then_some(kind)).collect()
}

/// The types that are allowed; a number may be whole.
fn types(value: Side<'_>) -> Option<BTreeSet<String>> {
    let mut types = items(value)?;
    if types.contains("\"number\"") {
        types.insert("\"integer\"".to_owned());
    }
    Some(types)
}

fn items(value: Side<'_>) -> Option<BTreeSet<String>> {
    match value? {
        Value::Array(items) => Some(items.iter().map(spelled).collect()),
        one => Some(BTreeSet::from([spelled(one)])),
    }
}

fn one(value: Side<'_>) -> Option<BTreeSet<String>> {
    Some(BTreeSet::from([spelled(value?)]))
}

/// A value in one spelling, whatever the order of its members.
fn spelled(value: &Value) -> String {
    match canon::canonical(value) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) => value.to_string(),
    }
}

fn limit(then: Side<'_>, now: Side<'_>, upper: bool) -> Kind {
    let wider = match (then, now) {
        (None, _) => false,
        (_, None) => true,
        (Some(then), Some(now)) => match (then.as_f64(), now.as_f64()) {
            (Some(then), Some(now)) if then == now => return Kind::Text,
            (Some(then), Some(now)) => (now > then) == upper,
            _ => return Kind::Other(What::Limit),
        },
    };
    if wider { Kind::Wider(What::Limit) } else { Kind::Narrower(What::Limit) }
}

fn multiple(then: Side<'_>, now: Side<'_>) -> Kind {
    let (Some(old), Some(new)) = (then, now) else { return constraint(then, now, What::Limit) };
    match (old.as_f64(), new.as_f64()) {
        (Some(old), Some(new)) if old == new => Kind::Text,
        (Some(old), Some(new)) if old % new == 0.0 => Kind::Wider(What::Limit),
        (Some(old), Some(new)) if new % old == 0.0 => Kind::Narrower(What::Limit),
        _ => Kind::Other(What::Limit),
    }
}

/// A keyword that is off where it is not written.
fn switch(then: Side<'_>, now: Side<'_>, widens: bool, what: What) -> Kind {
    let on = |value: Side<'_>| value.map_or(Some(false), Value::as_bool);
    match (on(then), on(now)) {
        (Some(then), Some(now)) if then == now => Kind::Text,
        (Some(_), Some(now)) if now == widens => Kind::Wider(what),
        (Some(_), Some(_)) => Kind::Narrower(what),
        _ => Kind::Other(what),
    }
}
