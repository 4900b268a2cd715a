//! Names that say that a credential stands under them: those under which redaction takes any value for one.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::redact::{Kind, Profile, Redactor};

/// The most names that are given.
const NAMES: usize = 10;
/// Deeper schemas are not looked into.
const DEPTH: usize = 64;
/// Some names count only over a value that looks random, or like a short code.
const PROBES: [&str; 3] = ["probe", "k3x9QpLm2vTz8RwY", "4831"];

/// The names in a schema, and that of the member it belongs to (with dots), that are named like credentials.
pub(super) fn names(member: &str, schema: &Value) -> Vec<String> {
    let mut found = BTreeSet::new();
    let own = member.rsplit('.').next().unwrap_or_default();
    collect(own, schema, 0, &mut found);
    found.into_iter().take(NAMES).map(str::to_owned).collect()
}

fn collect<'s>(name: &'s str, schema: &'s Value, depth: usize, found: &mut BTreeSet<&'s str>) {
    let empty = Map::new();
    let members = schema.as_object().unwrap_or(&empty);
    if !name.is_empty() && !found.contains(name) && probes(members).iter().any(|probe| replaced(name, probe))
    {
        found.insert(name);
    }
    let Some(members) = schema.as_object().filter(|_| depth < DEPTH) else { return };
    for (name, inner) in members.get("properties").and_then(Value::as_object).into_iter().flatten() {
        collect(name, inner, depth + 1, found);
    }
    for inner in ["items", "additionalProperties"].iter().filter_map(|keyword| members.get(*keyword)) {
        collect(name, inner, depth + 1, found);
    }
    for inner in members.get("anyOf").and_then(Value::as_array).into_iter().flatten() {
        collect(name, inner, depth + 1, found);
    }
}

/// Values that fit. None for a boolean or an object: `password: true` is no password.
fn probes(schema: &Map<String, Value>) -> Vec<Value> {
    let texts = || -> Vec<Value> { PROBES.iter().map(|probe| Value::from(*probe)).collect() };
    match schema.get("type").map(Value::as_str) {
        Some(Some("integer" | "number")) => vec![Value::from(4831)],
        Some(Some("array")) if schema.contains_key("items") => Vec::new(),
        Some(Some("string" | "array") | None) => texts(),
        Some(Some(_)) => Vec::new(),
        None if schema.contains_key("anyOf") || schema.contains_key("properties") => Vec::new(),
        None => texts(),
    }
}

/// Whether redaction takes this value under this name for a credential.
fn replaced(name: &str, probe: &Value) -> bool {
    let mut value = Value::Object(Map::from_iter([(name.to_owned(), probe.clone())]));
    Redactor::new(Profile::DefaultSafe).value(&mut value);
    match value.get(name) {
        Some(Value::String(text)) => {
            [Kind::Credential, Kind::Token].iter().any(|kind| kind.placeholder() == text)
        }
        // no other kind takes so short a number
        Some(Value::Number(number)) => number.as_u64() == Some(0),
        _ => false,
    }
}
