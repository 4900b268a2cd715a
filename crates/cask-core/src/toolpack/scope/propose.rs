//! Limits that calls were seen to keep to, as far as the schemas of an endpoint remember.
//!
//! They remember closed sets of words, a single word among them, and the bounds that a description declares. They do not
//! remember the least and the greatest of the numbers that were seen, how texts began, which of two truth values it was,
//! nor that an identifier was always the same: nothing is proposed of those.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Limit;
use crate::endpoint::learn::look::look;
use crate::endpoint::{Endpoint, Param, Place, Schema, TypeSet};
use crate::redact::{Profile, Redactor};
use crate::toolpack::{Binding, Tool, schema, strings, words};

/// Fewest calls with the same word that make it the only one.
const MIN_CALLS: u64 = 8;

/// Words for a party: what stands under such a name says whose something is, even where it looks like any word.
const PARTIES: [&str; 18] = [
    "account",
    "assignee",
    "author",
    "client",
    "company",
    "customer",
    "employee",
    "member",
    "org",
    "organization",
    "owner",
    "patient",
    "person",
    "project",
    "tenant",
    "user",
    "username",
    "workspace",
];

/// What is proposed for the arguments of one tool.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Proposal {
    /// Limits, by argument.
    pub limits: BTreeMap<String, Limit>,
    /// Arguments that keep to few values which may name somebody or something, so that they are not written.
    pub withheld: Vec<String>,
}

/// What the endpoint of a tool says about its arguments.
#[must_use]
pub fn propose(tool: &Tool, endpoint: &Endpoint) -> Proposal {
    let required: BTreeSet<String> = strings(tool.input_schema.get("required"));
    let mut out = Proposal::default();
    let mut take = |argument: &str, schema: &Schema| out.take(argument, schema, !required.contains(argument));
    let Binding::Http(binding) = &tool.binding;
    for (argument, placement) in &binding.args {
        // what stands in a path identifies something: its values are examples
        let same = |param: &&Param| {
            param.place == placement.place && param.name == placement.name && param.place != Place::Path
        };
        if let Some(param) = endpoint.params.iter().find(same) {
            take(argument, &param.schema);
        }
    }
    if let Some(body) = &binding.body
        && let Some(payload) = endpoint.request.get(&body.media)
    {
        let whole = schema::plain(&payload.schema);
        let under = body.under.as_deref().and_then(|under| whole.properties.get(under));
        let members = under.map_or(&whole.properties, |under| &under.schema.properties);
        for (argument, member) in &body.members {
            if let Some(property) = members.get(member) {
                take(argument, &property.schema);
            }
        }
    }
    out
}

impl Proposal {
    fn take(&mut self, argument: &str, schema: &Schema, optional: bool) {
        let items = schema.items.as_deref().filter(|_| schema.types == TypeSet::ARRAY);
        let schema = items.unwrap_or(schema);
        if schema.redacted.is_some() || schema.identifier {
            return;
        }
        let limit = if schema.values.is_empty() { declared(schema) } else { closed(schema) };
        let Some(limit) = limit.filter(|limit| limit.fault().is_none()) else { return };
        if schema.values.iter().all(|value| may_be_written(argument, value, !schema.counts.is_empty())) {
            self.limits.insert(argument.to_owned(), Limit { optional, ..limit });
        } else {
            self.withheld.push(argument.to_owned());
        }
    }
}

/// The closed set of a position, or its one value.
fn closed(schema: &Schema) -> Option<Limit> {
    let seen: u64 = schema.counts.iter().sum();
    let observed = !schema.counts.is_empty();
    // calls with something else there were seen too
    if observed && seen < schema.seen {
        return None;
    }
    match schema.values.as_slice() {
        [one] => {
            let always = !observed || seen >= MIN_CALLS;
            always.then(|| Limit { constant: Some(one.clone()), ..Limit::default() })
        }
        all => Some(Limit { values: all.to_vec(), ..Limit::default() }),
    }
}

/// The bounds of a number that a description declares.
fn declared(schema: &Schema) -> Option<Limit> {
    let number = schema.types == TypeSet::INTEGER || schema.types == TypeSet::NUMBER;
    let bound = |key: &str| schema.bounds.get(key).and_then(Value::as_i64);
    let limit = Limit { min: bound("minimum"), max: bound("maximum"), ..Limit::default() };
    (number && (limit.min.is_some() || limit.max.is_some())).then_some(limit)
}

/// Whether a value names nobody and nothing. What a description declares is public; what calls held is not.
fn may_be_written(argument: &str, value: &Value, observed: bool) -> bool {
    let Value::String(text) = value else { return true };
    let party = || {
        let last = words::split(argument).pop().unwrap_or_default();
        PARTIES.contains(&words::singular(&last).as_str())
    };
    let clean = Redactor::new(Profile::HighRiskPii).text(text) == text.as_str();
    clean && !(observed && (look(text).is_value() || party()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::toolpack::tests::endpoint;
    use crate::toolpack::{Fixed, Options, compile};

    fn proposed(name: &str, schema: Value) -> Proposal {
        let mut one = endpoint("GET", "/orders");
        one.params.push(Param {
            name: name.to_owned(),
            place: Place::Query,
            required: true,
            seen: 20,
            style: String::new(),
            explode: None,
            schema: serde_json::from_value(schema).unwrap(),
        });
        let options = Options { name: "shop".to_owned(), ..Options::default() };
        let tools: Vec<Fixed> = compile(vec![one.clone()], &options).unwrap().tools;
        propose(&tools[0], &one)
    }

    #[test]
    fn what_is_kept_is_proposed_and_what_names_somebody_is_not_written() {
        let seen = |values: &[&str], counts: &[u64]| json!({"types": ["string"], "seen": counts.iter().sum::<u64>(), "enum": values, "counts": counts});
        let limit = |text: &str| -> Limit { serde_json::from_str(text).unwrap() };
        for (name, schema, want) in [
            ("sort", seen(&["asc", "desc"], &[9, 11]), Some(r#"{"enum": ["asc", "desc"]}"#)),
            ("sort", seen(&["asc"], &[20]), Some(r#"{"constant": "asc"}"#)),
            ("sort", seen(&["asc"], &[7]), None),
            ("page", json!({"types": ["integer"], "seen": 20}), None),
            ("q", json!({"types": ["string"], "seen": 20}), None),
            (
                "page",
                json!({"types": ["integer"], "bounds": {"minimum": 1, "maximum": 50}}),
                Some(r#"{"min": 1, "max": 50}"#),
            ),
            ("kind", json!({"types": ["string"], "enum": ["a", "b"]}), Some(r#"{"enum": ["a", "b"]}"#)),
            (
                "tags",
                json!({"types": ["array"], "items": seen(&["new", "old"], &[9, 9])}),
                Some(r#"{"enum": ["new", "old"]}"#),
            ),
            // null was seen as well
            (
                "sort",
                json!({"types": ["string", "null"], "seen": 12, "nulls": 2, "enum": ["asc"], "counts": [10]}),
                None,
            ),
        ] {
            let found = proposed(name, schema.clone());
            assert_eq!(found.limits.get(name), want.map(limit).as_ref(), "{name} {schema}");
            assert!(found.withheld.is_empty(), "{name} {schema}");
        }
        for (name, schema) in [
            ("tenant", seen(&["acme"], &[20])),
            ("owner", seen(&["alice", "bob"], &[9, 9])),
            ("contact", json!({"types": ["string"], "enum": ["sales@example.com", "help@example.com"]})),
        ] {
            let found = proposed(name, schema);
            assert!(found.limits.is_empty(), "{name}");
            assert_eq!(found.withheld, [name]);
        }
        for (name, schema) in [
            ("tenant_id", json!({"types": ["string"], "seen": 20, "identifier": true})),
            ("key", json!({"types": ["string"], "seen": 20, "redacted": "credential"})),
        ] {
            assert_eq!(proposed(name, schema), Proposal::default(), "{name}");
        }
    }
}
