//! How a tool becomes a request: where it goes and what is in it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::rules as r;
use super::{Subject, json, step};
use crate::toolpack::{Binding, HttpBinding, Tool};

/// Says how the request differs, but for its arguments.
pub(super) fn compare(then: &Tool, now: &Tool, out: &mut Subject<'_>) {
    let name = &now.name;
    let (Binding::Http(was), Binding::Http(is)) = (&then.binding, &now.binding);
    let at = |field: &str| format!("/binding/http/{field}");
    if was.host != is.host {
        let message = format!("`{name}` calls `{}`, not `{}`", is.host, was.host);
        out.push(&r::TOOL_HOST, &at("host"), message, json(&was.host), json(&is.host));
    }
    if was.scheme != is.scheme {
        let message = format!("`{name}` calls with `{}`", is.scheme.as_str());
        out.push(&r::TOOL_SCHEME, &at("scheme"), message, json(&was.scheme), json(&is.scheme));
    }
    if was.method != is.method {
        let message = format!("`{name}` calls with `{}`, not `{}`", is.method, was.method);
        out.push(&r::TOOL_METHOD, &at("method"), message, json(&was.method), json(&is.method));
    }
    if was.path != is.path {
        let message = format!("`{name}` calls `{}`, not `{}`", is.path, was.path);
        out.push(&r::TOOL_PATH, &at("path"), message, json(&was.path), json(&is.path));
    }
    if was.auth != is.auth {
        let message = format!("`{name}` authenticates in another way");
        out.push(&r::TOOL_AUTH, &at("auth"), message, json(&was.auth), json(&is.auth));
    }
    moved(then, now, out);
    if was.fixed_query != is.fixed_query {
        let message = format!("`{name}` always sends another query");
        out.push(&r::TOOL_FIXED, &at("fixed_query"), message, json(&was.fixed_query), json(&is.fixed_query));
    }
    fixed(name, "header", &at("fixed_headers"), &was.fixed_headers, &is.fixed_headers, out);
    body(name, was, is, out);
}

fn body(name: &str, was: &HttpBinding, is: &HttpBinding, out: &mut Subject<'_>) {
    match (&was.body, &is.body) {
        (Some(then), Some(now)) => {
            fixed(name, "body member", "/binding/http/body/fixed", &then.fixed, &now.fixed, out);
            for (field, then, now) in [
                ("media", json(&then.media), json(&now.media)),
                ("whole", json(&then.whole), json(&now.whole)),
                ("under", json(&then.under), json(&now.under)),
            ] {
                if then != now {
                    let message = format!("`{name}` builds its body in another way (`{field}`)");
                    out.push(&r::TOOL_BODY, &format!("/binding/http/body/{field}"), message, then, now);
                }
            }
        }
        (None, None) => {}
        (then, now) => {
            let word = if now.is_some() { "sends a body now" } else { "sends no body any more" };
            let message = format!("`{name}` {word}");
            out.push(&r::TOOL_BODY, "/binding/http/body", message, json(then), json(now));
        }
    }
}

/// Where an argument goes, each with its pointer; one that goes nowhere is not there.
type Places<'t> = BTreeMap<&'t str, Vec<(String, Option<Value>)>>;

/// Arguments that go somewhere else. A place that is new or gone comes with an argument that is, or with a body: said
/// there.
fn moved(then: &Tool, now: &Tool, out: &mut Subject<'_>) {
    let (Binding::Http(was), Binding::Http(is)) = (&then.binding, &now.binding);
    let body = was.body.is_some() && is.body.is_some();
    let (old, new) = (places(was, body), places(is, body));
    let known = |tool: &Tool, name: &str| {
        tool.input_schema.get("properties").is_some_and(|all| all.get(name).is_some())
    };
    let arguments: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    for argument in arguments {
        let (before, after) = (old.get(argument), new.get(argument));
        let said = (before.is_none() || after.is_none()) && known(then, argument) != known(now, argument);
        if before == after || said {
            continue;
        }
        let before = before.map(Vec::as_slice).unwrap_or_default();
        let after = after.map(Vec::as_slice).unwrap_or_default();
        let differs = after.iter().find(|place| !before.contains(place));
        let Some((pointer, _)) = differs.or_else(|| before.iter().find(|place| !after.contains(place)))
        else {
            continue;
        };
        let message = format!("argument `{argument}` of `{}` goes somewhere else", now.name);
        out.push(&r::ARG_PLACED, pointer, message, values(before), values(after));
    }
}

fn places(http: &HttpBinding, body: bool) -> Places<'_> {
    let mut out = Places::new();
    for (argument, to) in &http.args {
        let place = (step("/binding/http/args", argument), json(to));
        out.entry(argument.as_str()).or_default().push(place);
    }
    for (argument, member) in http.body.iter().filter(|_| body).flat_map(|body| &body.members) {
        let place = (step("/binding/http/body/members", argument), json(member));
        out.entry(argument.as_str()).or_default().push(place);
    }
    out
}

fn values(places: &[(String, Option<Value>)]) -> Option<Value> {
    match places {
        [(_, value)] => value.clone(),
        [] => None,
        many => Some(many.iter().filter_map(|(_, value)| value.clone()).collect()),
    }
}

fn fixed<V: PartialEq + Serialize>(
    name: &str,
    what: &str,
    pointer: &str,
    then: &BTreeMap<String, V>,
    now: &BTreeMap<String, V>,
    out: &mut Subject<'_>,
) {
    for key in then.keys().chain(now.keys().filter(|key| !then.contains_key(*key))) {
        let (then, now) = (then.get(key), now.get(key));
        if then != now {
            let message = format!("`{name}` always sends another {what} `{key}`");
            out.push(&r::TOOL_FIXED, &step(pointer, key), message, json(&then), json(&now));
        }
    }
}
