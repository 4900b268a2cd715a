//! What should never have reached the artifacts: whatever redaction would replace in them.
//!
//! Nothing of a value is ever said, only its kind and its place.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde_json::{Map, Value};

use super::{Check, row};
use crate::finding::Severity::{Breaking, Warning};
use crate::json::{Json, token};
use crate::lint::view::{Hit, View, few};
use crate::redact::{Profile, Redactor};
use crate::toolpack::{Binding, Tool};

const AREA: &str = "Secrets and personal data";

/// More places in one file or tool than this are not listed.
const LISTED: usize = 10;

/// Kinds of what opens doors; all others are about people.
const SECRETS: [&str; 3] = ["credential", "token", "header"];

pub(super) static RULES: &[Check] = &[
    row(
        AREA,
        "artifact-secret",
        Breaking,
        "a secret in an artifact",
        "Something in a file of the toolpack has the form of a credential, or stands under a name that only credentials have. The files are committed and sent to clients: whoever reads them has it. Take it out, and have it revoked: it is in the history.",
        |view| found(view, true),
    ),
    row(
        AREA,
        "artifact-personal-data",
        Warning,
        "personal data in an artifact",
        "Something in a file of the toolpack has the form of an e-mail address, a phone number, a card or account number. A mint takes none over from traffic, so it was written there. Take it out, or waive this if it is meant, as the address of a support desk is.",
        |view| found(view, false),
    ),
];

/// Where, and of which kind.
type Place = (String, String);

fn found(view: &View<'_>, secrets: bool) -> Vec<Hit> {
    let wanted = |place: &Place| SECRETS.contains(&place.1.as_str()) == secrets;
    let words = if secrets { "a secret" } else { "personal data" };
    let mut out = Vec::new();
    let tools: Vec<Vec<Place>> = view.tools.par_iter().map(|tool| in_tool(tool)).collect();
    for (tool, places) in view.tools.iter().zip(tools) {
        let places: Vec<Place> = places.into_iter().filter(wanted).collect();
        let Some((first, _)) = places.first() else { continue };
        let message = format!("`{}` has what looks like {words}", tool.name);
        let hit = Hit::new(format!("tool/{}", tool.name), message).pointer(first.clone());
        out.push(hit.details(listed(places)));
    }
    // of the tools it is said tool by tool
    let tools = view.input.manifest.paths.get("tools");
    for (path, text) in view.input.files.iter().filter(|(path, _)| Some(*path) != tools) {
        let places: Vec<Place> = in_text(text).into_iter().filter(wanted).collect();
        if !places.is_empty() {
            let message = format!("`{path}` has what looks like {words}");
            out.push(Hit::new(path.clone(), message).file(path.clone()).details(listed(places)));
        }
    }
    out
}

fn listed(places: Vec<Place>) -> Vec<String> {
    few(places.into_iter().map(|(place, kind)| format!("{place}: {kind}")), LISTED)
}

/// The lines of a file. A line that is JSON is looked at value by value, any other as it stands.
fn in_text(text: &str) -> Vec<Place> {
    let lines: Vec<&str> = text.lines().collect();
    let of = |(index, line): (usize, &&str)| {
        let mut kinds = BTreeSet::new();
        let line = line.trim().trim_end_matches(',');
        match Json::parse(line) {
            Ok(json @ (Json::Object(_) | Json::Array(_))) => in_json(&json, &mut kinds),
            _ => plain(line, &mut kinds),
        }
        kinds.into_iter().map(|kind| (format!("line {}", index + 1), kind)).collect::<Vec<Place>>()
    };
    let found: Vec<Vec<Place>> = lines.par_iter().enumerate().map(of).collect();
    found.into_iter().flatten().collect()
}

fn in_json(json: &Json<'_>, kinds: &mut BTreeSet<String>) {
    match json {
        Json::Str(text) => plain(text, kinds),
        Json::Array(items) => items.iter().for_each(|item| in_json(item, kinds)),
        Json::Object(members) => members.iter().for_each(|(name, member)| {
            plain(name, kinds);
            in_json(member, kinds);
        }),
        Json::Null | Json::Bool(_) | Json::Int(_) | Json::Uint(_) | Json::Float(_) => {}
    }
}

/// What a tool has: texts, values that stand under a name, and what is sent with every call.
fn in_tool(tool: &Tool) -> Vec<Place> {
    let mut out = Vec::new();
    for (at, text) in [("/title", &tool.title), ("/description", &tool.description)] {
        push(&mut out, at, |kinds| plain(text, kinds));
    }
    in_schema(&tool.input_schema, "/input_schema", "", &mut out);
    if let Some(schema) = &tool.output_schema {
        in_schema(schema, "/output_schema", "", &mut out);
    }
    let Binding::Http(http) = &tool.binding;
    let at = "/binding/http";
    for (name, value) in &http.fixed_headers {
        push(&mut out, &format!("{at}/fixed_headers/{}", token(name)), |kinds| named(name, value, kinds));
    }
    for (index, (name, value)) in http.fixed_query.iter().enumerate() {
        push(&mut out, &format!("{at}/fixed_query/{index}"), |kinds| named(name, value, kinds));
    }
    push(&mut out, &format!("{at}/path"), |kinds| plain(&http.path.to_string(), kinds));
    for (name, value) in http.body.iter().flat_map(|body| &body.fixed) {
        let place = format!("{at}/body/fixed/{}", token(name));
        push(&mut out, &place, |kinds| under(name, value, kinds));
    }
    out
}

fn push(out: &mut Vec<Place>, at: &str, look: impl FnOnce(&mut BTreeSet<String>)) {
    let mut kinds = BTreeSet::new();
    look(&mut kinds);
    out.extend(kinds.into_iter().map(|kind| (at.to_owned(), kind)));
}

/// A schema: the names in it are no values, so what they say counts for defaults and examples only.
fn in_schema(schema: &Map<String, Value>, at: &str, name: &str, out: &mut Vec<Place>) {
    for (key, value) in schema {
        let place = format!("{at}/{}", token(key));
        match (key.as_str(), value) {
            ("default" | "const" | "example" | "examples", value) => {
                push(out, &place, |kinds| under(name, value, kinds));
            }
            ("properties", Value::Object(properties)) => {
                for (name, schema) in properties {
                    let place = format!("{place}/{}", token(name));
                    push(out, &place, |kinds| plain(name, kinds));
                    if let Some(schema) = schema.as_object() {
                        in_schema(schema, &place, name, out);
                    }
                }
            }
            (_, Value::Object(inner)) => in_schema(inner, &place, name, out),
            (_, Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    let place = format!("{place}/{index}");
                    match item {
                        Value::Object(inner) => in_schema(inner, &place, name, out),
                        Value::String(text) => push(out, &place, |kinds| plain(text, kinds)),
                        _ => {}
                    }
                }
            }
            (_, Value::String(text)) => push(out, &place, |kinds| plain(text, kinds)),
            _ => {}
        }
    }
}

fn redactor() -> Redactor {
    Redactor::new(Profile::DefaultSafe)
}

/// What a text shows by its look.
fn plain(text: &str, kinds: &mut BTreeSet<String>) {
    if let Cow::Owned(clean) = redactor().text(text) {
        kinds.extend(replaced(text, &clean));
    }
}

fn named(name: &str, value: &str, kinds: &mut BTreeSet<String>) {
    under(name, &Value::from(value), kinds);
}

/// What a value shows by its look and by the name that it stands under.
fn under(name: &str, value: &Value, kinds: &mut BTreeSet<String>) {
    let before = Value::Object(Map::from_iter([(name.to_owned(), value.clone())]));
    let mut after = before.clone();
    redactor().value(&mut after);
    if before != after {
        kinds.extend(replaced(&before.to_string(), &after.to_string()));
    }
}

/// The kinds that are in a text more often once it is redacted.
fn replaced(before: &str, after: &str) -> BTreeSet<String> {
    let (before, after) = (marks(before), marks(after));
    let more = after.into_iter().filter(|(kind, count)| before.get(kind).is_none_or(|was| count > was));
    let more: BTreeSet<String> = more.map(|(kind, _)| kind.to_owned()).collect();
    // a number became 0: that leaves no mark
    if more.is_empty() { BTreeSet::from(["number".to_owned()]) } else { more }
}

/// How often each kind is marked as replaced.
fn marks(text: &str) -> BTreeMap<&str, usize> {
    let mut out = BTreeMap::new();
    for mark in text.split("[redacted:").skip(1) {
        if let Some((kind, _)) = mark.split_once(']') {
            *out.entry(kind).or_default() += 1;
        }
    }
    out
}
