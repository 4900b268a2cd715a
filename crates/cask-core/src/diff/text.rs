//! What a tool says: which words changed, and what came in with them that may be there to steer.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::rules as r;
use super::{Subject, step, words};
use crate::toolpack::cues::{self, Kind};
use crate::toolpack::{Binding, ObjectSchema, Tool};

/// JSON that is deeper does not parse.
const DEPTH: usize = 128;
/// The most places of one cue that are named.
const PLACES: usize = 10;
const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

/// The change of a text as words. Nothing where it is no text.
pub(super) fn details(before: Option<&Value>, after: Option<&Value>) -> Vec<String> {
    match (before, after) {
        (Some(Value::String(before)), Some(Value::String(after))) => words::changes(before, after),
        (Some(Value::String(before)), None) => words::changes(before, ""),
        (None, Some(Value::String(after))) => words::changes("", after),
        _ => Vec::new(),
    }
}

/// The cues that came in with a tool, or with what changed of it: each once, with its places.
///
/// `names` are the tools of the toolpack: a text that names another one is about it.
pub(super) fn cues(then: Option<&Tool>, now: &Tool, names: &BTreeSet<&str>, out: &mut Subject<'_>) {
    let known = then.map(|then| found(then, names)).unwrap_or_default();
    for ((kind, text), places) in found(now, names) {
        if known.contains_key(&(kind, text.clone())) {
            continue;
        }
        let rule = r::cue_rule(kind);
        let word = if then.is_some() { "now has" } else { "has" };
        let message = format!("`{}` {word} {}: `{text}`", now.name, rule.rule.title);
        let first = places.first().map(String::as_str).unwrap_or_default();
        out.push(rule, first, message, None, Some(text.into()));
        let more = places.len().saturating_sub(1 + PLACES);
        let mut details: Vec<String> =
            places.iter().skip(1).take(PLACES).map(|place| format!("also at {place}")).collect();
        details.extend((more > 0).then(|| format!("and at {more} more places")));
        out.explain(details);
    }
}

/// Every cue of a tool, with the places where it stands.
fn found(tool: &Tool, names: &BTreeSet<&str>) -> BTreeMap<(Kind, String), BTreeSet<String>> {
    let mut out: BTreeMap<(Kind, String), BTreeSet<String>> = BTreeMap::new();
    let mut add = |kind: Kind, text: String, place: &str| {
        out.entry((kind, text)).or_default().insert(place.to_owned());
    };
    for (place, text) in read(tool) {
        for cue in cues::find(text) {
            add(cue.kind, cue.text, &place);
        }
        for name in named(text, names).filter(|name| *name != tool.name) {
            add(Kind::OtherTool, name.to_owned(), &place);
        }
    }
    let Binding::Http(http) = &tool.binding;
    for (place, text) in [("host", http.host.clone()), ("path", http.path.to_string())] {
        let unseen = |cue: &cues::Cue| matches!(cue.kind, Kind::Hidden | Kind::Confusable);
        for cue in cues::find(&text).into_iter().filter(unseen) {
            add(cue.kind, cue.text, &format!("/binding/http/{place}"));
        }
    }
    out
}

/// The tools that a sentence names. Only a name that is no word of a language counts.
fn named<'t>(text: &'t str, names: &BTreeSet<&str>) -> impl Iterator<Item = &'t str> {
    let sentence = text.contains(char::is_whitespace);
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let words = text.split(move |c: char| !part(c)).filter(move |_| sentence);
    words.filter(move |word| word.contains(['_', '-']) && names.contains(*word))
}

/// Everything that a model or a person reads of a tool, with its place.
fn read(tool: &Tool) -> Vec<(String, &str)> {
    let mut out = vec![
        ("/name".to_owned(), tool.name.as_str()),
        ("/title".to_owned(), tool.title.as_str()),
        ("/description".to_owned(), tool.description.as_str()),
    ];
    schema("/input_schema", &tool.input_schema, &mut out);
    if let Some(output) = &tool.output_schema {
        schema("/output_schema", output, &mut out);
    }
    out
}

fn schema<'t>(place: &str, members: &'t ObjectSchema, out: &mut Vec<(String, &'t str)>) {
    for (name, value) in members.iter() {
        texts(&step(place, name), value, name == "properties", 0, out);
    }
}

/// The strings in a value; `names` says that the keys of an object are names of members and are read too.
fn texts<'t>(place: &str, value: &'t Value, names: bool, depth: usize, out: &mut Vec<(String, &'t str)>) {
    match value {
        _ if depth > DEPTH => {}
        // every schema has these
        Value::String(text) if TYPES.contains(&text.as_str()) => {}
        Value::String(text) => out.push((place.to_owned(), text.as_str())),
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                texts(&step(place, &number.to_string()), item, false, depth + 1, out);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                let at = step(place, name);
                if names {
                    out.push((at.clone(), name.as_str()));
                }
                texts(&at, member, !names && name == "properties", depth + 1, out);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
