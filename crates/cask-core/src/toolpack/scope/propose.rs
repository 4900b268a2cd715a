//! Limits that calls were seen to keep to: closed sets of words, one value, how far numbers reached, how texts began; and
//! the bounds that a description declares.
//!
//! A proposal is for a human to judge. What names a person is not written into one, nor what identifies a thing, unless it
//! was the one tenant of every call.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Limit;
use crate::endpoint::infer;
use crate::endpoint::learn::look::look;
use crate::endpoint::{Endpoint, Param, Place, Schema, TypeSet};
use crate::redact::{self, Profile, Redactor};
use crate::toolpack::{Binding, Tool, schema, strings, words};

/// Fewest calls with the same word that make it the only one.
const MIN_CALLS: u64 = 8;

/// Words for a person: what stands under such a name says whose something is, even where it looks like any word.
const PERSONS: [&str; 11] = [
    "assignee",
    "author",
    "customer",
    "employee",
    "member",
    "owner",
    "patient",
    "person",
    "recipient",
    "user",
    "username",
];

/// Words for a party that is not a person: the one whom every call was for is the limit that matters most.
const TENANTS: [&str; 8] =
    ["account", "client", "company", "org", "organization", "project", "tenant", "workspace"];

/// Words for a place in a list or in time: how far calls went there is chance.
const PLACES: [&str; 14] = [
    "after",
    "before",
    "cursor",
    "from",
    "offset",
    "page",
    "seed",
    "since",
    "skip",
    "start",
    "time",
    "timestamp",
    "to",
    "until",
];

/// Words for where something is: how that begins is what a limit is for.
const LOCATORS: [&str; 5] = ["host", "href", "path", "uri", "url"];

/// From here on a whole number is a point in time or a name, not a quantity.
const QUANTITY: i64 = 1_000_000_000;

/// What a beginning ends with, so that it does not end within a word.
const JOINERS: [char; 7] = ['/', ':', '_', '-', '.', '#', '='];

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
        if schema.redacted.is_some() {
            return;
        }
        let limit = if schema.values.is_empty() {
            declared(schema).filter(|_| !schema.identifier).or_else(|| kept(argument, schema))
        } else {
            closed(schema)
        };
        let Some(limit) = limit.filter(|limit| limit.fault().is_none()) else { return };
        let texts = texts(&limit);
        if may_be_written(argument, &limit, schema, &texts) && !holds_secrets(&texts) {
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

/// What the values that were seen kept to, where there were enough of them and nothing else.
fn kept(argument: &str, schema: &Schema) -> Option<Limit> {
    let sent = schema.sent.as_deref().filter(|_| schema.seen >= MIN_CALLS)?;
    let one = |value: Value| Some(Limit { constant: Some(value), ..Limit::default() });
    if schema.types == TypeSet::BOOLEAN {
        let truths = u64::from(sent.truths);
        return if truths == 0 || truths == schema.seen { one(Value::Bool(truths > 0)) } else { None };
    }
    if schema.types == TypeSet::INTEGER {
        let (least, greatest) = sent.numbers.filter(|_| !sent.beyond)?;
        if least == greatest {
            return one(least.into());
        }
        let amount =
            !schema.identifier && greatest < QUANTITY && !PLACES.contains(&last_word(argument).as_str());
        return amount.then(|| Limit { min: Some(least), max: Some(greatest), ..Limit::default() });
    }
    let begin = sent.begin.as_deref().filter(|_| schema.types == TypeSet::STRING)?;
    if !sent.differ {
        return one(begin.into());
    }
    // a date begins as its year does
    if schema.format.as_deref().is_some_and(|format| !format.starts_with("uri")) {
        return None;
    }
    let (end, joiner) = begin.char_indices().rfind(|(_, c)| JOINERS.contains(c))?;
    let begin = begin.get(..end + joiner.len_utf8())?;
    // `https://example.com.` begins many a host: a beginning that holds one goes beyond it
    let whole = begin.split_once("://").is_none_or(|(_, after)| after.contains('/'));
    (whole && begin.chars().any(char::is_alphanumeric))
        .then(|| Limit { prefix: Some(begin.to_owned()), ..Limit::default() })
}

/// The words of a limit.
fn texts(limit: &Limit) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    limit.constant.iter().chain(&limit.values).map(text).chain(limit.prefix.clone()).collect()
}

/// Whether the words of a limit hold what the strictest redaction would replace.
fn holds_secrets(texts: &[String]) -> bool {
    // most limits are short words and numbers: for those the rules need not even be compiled
    let replaced = |text: &String| {
        !redact::is_quiet(text) && Redactor::new(Profile::HighRiskPii).text(text) != text.as_str()
    };
    texts.iter().any(replaced)
}

/// Whether a limit names nobody and nothing. What a description declares is public; what calls held is not.
fn may_be_written(argument: &str, limit: &Limit, schema: &Schema, texts: &[String]) -> bool {
    if !schema.values.is_empty() && schema.counts.is_empty() {
        return true;
    }
    let last = last_word(argument);
    let (person, tenant) = (PERSONS.contains(&last.as_str()), TENANTS.contains(&last.as_str()));
    if limit.constant.is_some() && tenant {
        return true;
    }
    let valued = texts.iter().any(|text| text.split('/').any(|part| look(part).is_value()));
    let named = infer::holds_names(argument);
    if limit.prefix.is_some() {
        return !valued && !person && (!named || schema.identifier || LOCATORS.contains(&last.as_str()));
    }
    // an amount, or yes or no: a number is not what it looks like as a segment of a path
    let amount = schema.types != TypeSet::STRING;
    !schema.identifier && (amount || !valued && !person && !tenant && !named)
}

/// What an argument is about: its last word that is not `id`, in the singular.
fn last_word(argument: &str) -> String {
    let words = words::split(argument);
    let word =
        words.into_iter().rev().find(|word| !matches!(word.as_str(), "id" | "ids" | "uuid" | "guid" | "key"));
    words::singular(&word.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::endpoint::observed::Observed;
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
            ("tenant", seen(&["acme", "globex"], &[10, 10])),
            ("owner", seen(&["alice"], &[20])),
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

    /// The limit that is proposed after calls with these query values, or whether one is withheld.
    fn after(name: &str, values: &[&str]) -> (Option<String>, bool) {
        let mut seen = Observed::default();
        (0..8).for_each(|_| values.iter().for_each(|value| seen.add_sent_text(value)));
        let mut one = endpoint("GET", "/orders");
        one.params.push(Param {
            name: name.to_owned(),
            place: Place::Query,
            required: true,
            seen: 8,
            style: String::new(),
            explode: None,
            schema: infer::text_schema(&seen, name),
        });
        let options = Options { name: "shop".to_owned(), ..Options::default() };
        let found = propose(&compile(vec![one.clone()], &options).unwrap().tools[0], &one);
        let limit = found.limits.get(name).map(|limit| serde_json::to_string(limit).unwrap());
        (limit, !found.withheld.is_empty())
    }

    #[test]
    fn what_calls_kept_to_is_proposed() {
        for (name, values, want) in [
            ("limit", &["10", "50", "25"][..], Some(r#"{"max":50,"min":10}"#)),
            ("limit", &["10"], Some(r#"{"constant":10}"#)),
            ("dry_run", &["true"], Some(r#"{"constant":true}"#)),
            ("dry_run", &["true", "false"], None),
            ("path", &["/srv/app/a.txt", "/srv/app/b/c.txt"], Some(r#"{"prefix":"/srv/app/"}"#)),
            (
                "callback_url",
                &["https://hooks.example.com/a", "https://hooks.example.com/b"],
                Some(r#"{"prefix":"https://hooks.example.com/"}"#),
            ),
            // a host that is not whole yet
            ("callback_url", &["https://hooks.example.com", "https://hooks.example.org"], None),
            ("order_id", &["ord_k3j", "ord_q8m"], Some(r#"{"prefix":"ord_"}"#)),
            ("tenant_id", &["42"], Some(r#"{"constant":42}"#)),
            (
                "workspaceId",
                &["0b0e5f8c-1d5a-4d3e-9d53-6a5a5a0a7f11"],
                Some(r#"{"constant":"0b0e5f8c-1d5a-4d3e-9d53-6a5a5a0a7f11"}"#),
            ),
            // how far calls went there is chance
            ("page", &["1", "7"], None),
            ("from", &["1700000000", "1700000500"], None),
            ("order_id", &["17", "23"], None),
            ("q", &["red shoes", "blue shoes"], None),
            ("day", &["2026-11-01", "2026-11-02"], None),
        ] {
            assert_eq!(after(name, values), (want.map(str::to_owned), false), "{name} {values:?}");
        }
        for (name, value) in [
            ("user_id", "42"),
            ("order_id", "42"),
            ("owner", "Alice Smith"),
            ("name", "Alice Smith"),
            ("key", "9aZk3Qx7Lm2Pw8"),
        ] {
            assert_eq!(after(name, &[value]), (None, true), "{name}");
        }
        // too few calls say nothing
        let mut few = Observed::default();
        (0..7).for_each(|_| few.add_sent_text("10"));
        assert_eq!(kept("limit", &infer::text_schema(&few, "limit")), None);
    }
}
