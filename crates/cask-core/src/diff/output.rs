//! What comes back: more of it, or a check less, is more data that leaves.

use std::collections::BTreeSet;

use serde_json::Value;

use super::rules::{self as r, Change};
use super::schema::{self, Difference, Kind};
use super::{Subject, credential, json, text};
use crate::toolpack::{Binding, Tool};

/// The result of a tool: whether it is wrapped, its schema, and the media types that are accepted.
pub(super) fn compare(then: &Tool, now: &Tool, out: &mut Subject<'_>) {
    let (Binding::Http(was), Binding::Http(is)) = (&then.binding, &now.binding);
    accept(&now.name, &was.accept, &is.accept, out);
    let wraps = match (was.wrap, is.wrap) {
        (false, true) => Some(&r::TOOL_WRAP),
        (true, false) => Some(&r::TOOL_UNWRAP),
        _ => None,
    };
    if let Some(rule) = wraps {
        let message = format!("the result of `{}` has another shape", now.name);
        out.push(rule, "/binding/http/wrap", message, json(&was.wrap), json(&is.wrap));
    }
    let value = |tool: &Tool| tool.output_schema.as_ref().map(|schema| Value::Object((**schema).clone()));
    match (value(then), value(now)) {
        (Some(before), Some(after)) => {
            // The schema of what is wrapped is compared with the schema of what is not.
            let inner = wraps.and_then(|_| Some((inner(&before, was.wrap)?, inner(&after, is.wrap)?)));
            let ((_, old), (pointer, new)) = inner.unwrap_or((("", &before), ("", &after)));
            walk(&now.name, pointer, old, new, out);
        }
        (None, Some(after)) => {
            let secret = credential::names("", &after);
            let message = format!("the result of `{}` has a schema now", now.name);
            out.push(&r::OUTPUT_SCHEMA_ADDED, "/output_schema", message, None, Some(after));
            secrets(&now.name, &secret, out);
        }
        (Some(before), None) => {
            let message = format!("the result of `{}` has no schema any more", now.name);
            out.push(&r::OUTPUT_SCHEMA_REMOVED, "/output_schema", message, Some(before), None);
        }
        (None, None) => {}
    }
}

/// Fields of a whole new schema that are named like credentials.
pub(super) fn secrets(tool: &str, names: &[String], out: &mut Subject<'_>) {
    if !names.is_empty() {
        let message = format!("the result of `{tool}` has what is named like a credential");
        out.push(&r::OUTPUT_CREDENTIAL, "/output_schema", message, None, None);
        out.explain(names.iter().map(|name| format!("named like a credential: {name}")).collect());
    }
}

fn walk(tool: &str, root: &str, then: &Value, now: &Value, out: &mut Subject<'_>) {
    for difference in schema::compare(then, now) {
        let Difference { pointer, member, kind, before, after } = difference;
        let secret = match (kind, &after) {
            (Kind::Added | Kind::AddedRequired, Some(schema)) => credential::names(&member, schema),
            _ => Vec::new(),
        };
        let rule = if secret.is_empty() { rule(kind) } else { &r::OUTPUT_CREDENTIAL };
        let what = if member.is_empty() {
            format!("the result of `{tool}`")
        } else {
            format!("`{member}` in the result of `{tool}`")
        };
        let details = match kind {
            Kind::Text => text::details(before.as_ref(), after.as_ref()),
            _ => secret.iter().map(|name| format!("named like a credential: {name}")).collect(),
        };
        out.push(rule, &format!("/output_schema{root}{pointer}"), words(&what, kind), before, after);
        out.explain(details);
    }
}

fn rule(kind: Kind) -> &'static Change {
    match kind {
        Kind::Added | Kind::AddedRequired => &r::OUTPUT_ADDED,
        Kind::Removed => &r::OUTPUT_REMOVED,
        Kind::Required => &r::OUTPUT_REQUIRED,
        Kind::Optional => &r::OUTPUT_OPTIONAL,
        Kind::Wider(_) => &r::OUTPUT_WIDENED,
        Kind::Narrower(_) => &r::OUTPUT_NARROWED,
        Kind::Other(_) => &r::OUTPUT,
        Kind::Text => &r::OUTPUT_TEXT,
    }
}

fn words(what: &str, kind: Kind) -> String {
    match kind {
        Kind::Added | Kind::AddedRequired => format!("new: {what}"),
        Kind::Removed => format!("{what} is gone"),
        Kind::Required => format!("{what} must be there now"),
        Kind::Optional => format!("{what} may be missing now"),
        Kind::Wider(by) => format!("{what} may hold more than before ({})", by.words()),
        Kind::Narrower(by) => format!("{what} may hold less than before ({})", by.words()),
        Kind::Other(by) => format!("{what} is described in another way ({})", by.words()),
        Kind::Text => format!("{what}: the words changed"),
    }
}

/// What an answer has to fit, with its pointer: of a wrapped result the schema inside. `None` if there is more around it
/// than a wrapper has.
fn inner(schema: &Value, wrapped: bool) -> Option<(&'static str, &Value)> {
    if !wrapped {
        return Some(("", schema));
    }
    let members = schema.as_object()?;
    let expected = |(keyword, value): (&String, &Value)| match keyword.as_str() {
        "type" => value == "object",
        "required" => *value == Value::from(vec!["result"]),
        "properties" => value.as_object().is_some_and(|all| all.len() == 1),
        _ => false,
    };
    let result = members.get("properties").and_then(|all| all.get("result"))?;
    members.iter().all(expected).then_some(("/properties/result", result))
}

/// An empty list stands for JSON and text.
fn accept(tool: &str, then: &BTreeSet<String>, now: &BTreeSet<String>, out: &mut Subject<'_>) {
    fn media(accept: &BTreeSet<String>) -> BTreeSet<&str> {
        match accept.is_empty() {
            true => BTreeSet::from(["application/json", "text/*"]),
            false => accept.iter().map(String::as_str).collect(),
        }
    }
    let (old, new) = (media(then), media(now));
    for (is, rule, word) in [
        (!new.is_subset(&old), &r::TOOL_ACCEPT, "more"),
        (!old.is_subset(&new), &r::TOOL_ACCEPT_LESS, "fewer"),
    ] {
        if is {
            let message = format!("`{tool}` accepts {word} media types");
            out.push(rule, "/binding/http/accept", message, json(then), json(now));
        }
    }
}
