//! One tool against the tool that was approved under its name.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::rules as r;
use super::{Subject, schema, step};
use crate::endpoint::Effect;
use crate::toolpack::{Annotations, Binding, HttpBinding, ObjectSchema, Tool};

pub(super) fn compare(then: &Tool, now: &Tool, out: &mut Subject<'_>) {
    if then == now {
        return;
    }
    let before = out.len();
    let name = &now.name;
    if then.title != now.title {
        let message = format!("`{name}` has another title");
        out.push(&r::TITLE, "/title", message, json(&then.title), json(&now.title));
    }
    if then.description != now.description {
        let message = format!("`{name}` has another description");
        out.push(&r::DESCRIPTION, "/description", message, json(&then.description), json(&now.description));
    }
    schema::arguments(name, &value(&then.input_schema), &value(&now.input_schema), out);
    if then.output_schema != now.output_schema {
        let message = format!("the result of `{name}` has another schema");
        let pointer = then
            .output_schema
            .as_ref()
            .zip(now.output_schema.as_ref())
            .map_or_else(String::new, |(then, now)| schema::first_difference(&value(then), &value(now)));
        let at = |schema: &Option<ObjectSchema>| value(schema.as_ref()?).pointer(&pointer).cloned();
        let place = format!("/output_schema{pointer}");
        out.push(&r::OUTPUT, &place, message, at(&then.output_schema), at(&now.output_schema));
    }
    hints(name, &then.annotations, &now.annotations, out);
    if then.effect != now.effect {
        let message =
            format!("`{name}` is now classified `{}`, not `{}`", now.effect.as_str(), then.effect.as_str());
        out.push(&r::EFFECT, "/effect", message, json(&then.effect), json(&now.effect));
    }
    if then.risk != now.risk {
        let rule = if now.risk > then.risk { &r::RISK_RAISED } else { &r::RISK_LOWERED };
        let message = format!("`{name}` has risk `{}`, not `{}`", now.risk.as_str(), then.risk.as_str());
        out.push(rule, "/risk", message, json(&then.risk), json(&now.risk));
    }
    for (field, then, now) in [
        ("timeout_ms", then.guards.timeout_ms, now.guards.timeout_ms),
        ("max_response_bytes", then.guards.max_response_bytes, now.guards.max_response_bytes),
    ] {
        if then != now {
            let (rule, word) =
                if now > then { (&r::GUARD_RELAXED, "raised") } else { (&r::GUARD_TIGHTENED, "lowered") };
            let message = format!("the limit `{field}` of `{name}` is {word} from {then} to {now}");
            out.push(rule, &format!("/guards/{field}"), message, json(&then), json(&now));
        }
    }
    if then.scope != now.scope {
        let message = format!("`{name}` belongs to scope `{}`", now.scope);
        out.push(&r::SCOPE, "/scope", message, json(&then.scope), json(&now.scope));
    }
    if then.reasons != now.reasons {
        let message = format!("`{name}` has other reasons for its effect and risk");
        out.push(&r::REASONS, "/reasons", message, json(&then.reasons), json(&now.reasons));
    }
    let (Binding::Http(then_http), Binding::Http(now_http)) = (&then.binding, &now.binding);
    binding(name, then_http, now_http, out);
    if then.evidence != now.evidence {
        let message = format!("`{name}` was learned from another endpoint");
        out.push(&r::EVIDENCE, "/evidence", message, json(&then.evidence), json(&now.evidence));
    }
    if out.len() == before {
        out.push(&r::TOOL_OTHER, "", format!("`{name}` is not what was approved"), json(then), json(now));
    }
}

fn value(schema: &ObjectSchema) -> Value {
    Value::Object((**schema).clone())
}

/// Everything that an approval of this tool would sign, for a person to read.
pub(super) fn whole(tool: &Tool, toolsets: &BTreeSet<String>) -> Vec<String> {
    let Binding::Http(http) = &tool.binding;
    let mut out = Vec::new();
    out.extend(tool.own_title().map(|title| format!("title: {title}")));
    out.push(format!("description: {}", tool.description));
    let body = http.body.iter().flat_map(|body| body.members.keys().chain(&body.whole));
    let required = tool.input_schema.get("required").and_then(Value::as_array);
    let properties = tool.input_schema.get("properties").and_then(Value::as_object);
    let places: BTreeMap<&String, &str> = (http.args.iter().map(|(name, to)| (name, to.place.as_str())))
        .chain(body.map(|name| (name, "body")))
        .collect();
    for (name, schema) in properties.into_iter().flatten() {
        let must = required.is_some_and(|all| all.iter().any(|one| one == name));
        let place = places.get(name).copied().unwrap_or("nowhere");
        let must = if must { ", required" } else { "" };
        out.push(format!("argument `{name}` ({place}{must}): {schema}"));
    }
    out.extend(http.fixed_query.iter().map(|(name, value)| format!("always sends query `{name}`: {value}")));
    out.extend(
        http.fixed_headers.iter().map(|(name, value)| format!("always sends header `{name}`: {value}")),
    );
    let fixed = http.body.iter().flat_map(|body| &body.fixed);
    out.extend(fixed.map(|(name, value)| format!("always sends body member `{name}`: {value}")));
    if let Some(schema) = &tool.output_schema {
        out.push(format!("returns: {}", value(schema)));
    }
    if let (Some(auth), false) = (json(&http.auth), http.auth.is_empty()) {
        out.push(format!("authenticates: {auth}"));
    }
    let hints = &tool.annotations;
    let hints = [
        ("read-only", hints.read_only_hint),
        ("destructive", hints.destructive_hint),
        ("idempotent", hints.idempotent_hint),
        ("open-world", hints.open_world_hint),
    ];
    let hints: Vec<&str> = hints.into_iter().filter(|(_, is)| *is).map(|(hint, _)| hint).collect();
    out.push(format!("hints: {}", hints.join(", ")));
    out.push(format!("toolsets: {}", toolsets.iter().map(String::as_str).collect::<Vec<_>>().join(", ")));
    out.push(format!("limits: {} ms, {} bytes", tool.guards.timeout_ms, tool.guards.max_response_bytes));
    let reasons = tool.reasons.iter().map(|reason| format!("{} ({})", reason.detail, reason.code));
    out.push(format!("why: {}", reasons.collect::<Vec<_>>().join("; ")));
    out
}

/// Whether a tool says that it reads and is called with a method that does not (RFC 9110, section 9.2.1).
pub(super) fn understated(tool: &Tool) -> bool {
    let Binding::Http(http) = &tool.binding;
    tool.effect == Effect::Read && matches!(http.method.as_str(), "PUT" | "PATCH" | "DELETE")
}

/// A hint is relaxed where it makes a client ask less.
fn hints(name: &str, then: &Annotations, now: &Annotations, out: &mut Subject<'_>) {
    for (hint, then, now, safe) in [
        ("readOnlyHint", then.read_only_hint, now.read_only_hint, true),
        ("destructiveHint", then.destructive_hint, now.destructive_hint, false),
        ("idempotentHint", then.idempotent_hint, now.idempotent_hint, true),
        ("openWorldHint", then.open_world_hint, now.open_world_hint, false),
    ] {
        if then != now {
            let rule = if now == safe { &r::HINT_RELAXED } else { &r::HINT_TIGHTENED };
            let message = format!("`{name}` says `{hint}: {now}`, not `{then}`");
            out.push(rule, &format!("/annotations/{hint}"), message, json(&then), json(&now));
        }
    }
}

fn binding(name: &str, then: &HttpBinding, now: &HttpBinding, out: &mut Subject<'_>) {
    let at = |field: &str| format!("/binding/http/{field}");
    if then.host != now.host {
        let message = format!("`{name}` calls `{}`, not `{}`", now.host, then.host);
        out.push(&r::TOOL_HOST, &at("host"), message, json(&then.host), json(&now.host));
    }
    if then.scheme != now.scheme {
        let message = format!("`{name}` calls with `{}`", now.scheme.as_str());
        out.push(&r::TOOL_SCHEME, &at("scheme"), message, json(&then.scheme), json(&now.scheme));
    }
    if then.method != now.method {
        let message = format!("`{name}` calls with `{}`, not `{}`", now.method, then.method);
        out.push(&r::TOOL_METHOD, &at("method"), message, json(&then.method), json(&now.method));
    }
    if then.path != now.path {
        let message = format!("`{name}` calls `{}`, not `{}`", now.path, then.path);
        out.push(&r::TOOL_PATH, &at("path"), message, json(&then.path), json(&now.path));
    }
    if then.auth != now.auth {
        let message = format!("`{name}` authenticates in another way");
        out.push(&r::TOOL_AUTH, &at("auth"), message, json(&then.auth), json(&now.auth));
    }
    // A placement that is new or gone comes with an argument that is: said there.
    moved(name, &at("args"), &then.args, &now.args, out);
    if then.fixed_query != now.fixed_query {
        let message = format!("`{name}` always sends another query");
        out.push(
            &r::TOOL_FIXED,
            &at("fixed_query"),
            message,
            json(&then.fixed_query),
            json(&now.fixed_query),
        );
    }
    fixed(name, "header", &at("fixed_headers"), &then.fixed_headers, &now.fixed_headers, out);
    match (&then.body, &now.body) {
        (Some(then), Some(now)) => {
            moved(name, &at("body/members"), &then.members, &now.members, out);
            fixed(name, "body member", &at("body/fixed"), &then.fixed, &now.fixed, out);
            for (field, then, now) in [
                ("media", json(&then.media), json(&now.media)),
                ("whole", json(&then.whole), json(&now.whole)),
                ("under", json(&then.under), json(&now.under)),
            ] {
                if then != now {
                    let message = format!("`{name}` builds its body in another way (`{field}`)");
                    out.push(&r::TOOL_BODY, &at(&format!("body/{field}")), message, then, now);
                }
            }
        }
        (None, None) => {}
        (then, now) => {
            let word = if now.is_some() { "sends a body now" } else { "sends no body any more" };
            out.push(&r::TOOL_BODY, &at("body"), format!("`{name}` {word}"), json(then), json(now));
        }
    }
    if then.accept != now.accept {
        let message = format!("`{name}` accepts other media types");
        out.push(&r::TOOL_ACCEPT, &at("accept"), message, json(&then.accept), json(&now.accept));
    }
    if then.wrap != now.wrap {
        let message = format!("the result of `{name}` has another shape");
        out.push(&r::TOOL_WRAP, &at("wrap"), message, json(&then.wrap), json(&now.wrap));
    }
}

fn moved<P: PartialEq + Serialize>(
    name: &str,
    pointer: &str,
    then: &BTreeMap<String, P>,
    now: &BTreeMap<String, P>,
    out: &mut Subject<'_>,
) {
    for argument in then.keys().chain(now.keys().filter(|argument| !then.contains_key(*argument))) {
        let (then, now) = (then.get(argument), now.get(argument));
        if then != now {
            let message = format!("argument `{argument}` of `{name}` goes somewhere else");
            out.push(&r::ARG_PLACED, &step(pointer, argument), message, json(&then), json(&now));
        }
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

/// `None` for what is not there.
fn json<T: Serialize + ?Sized>(value: &T) -> Option<Value> {
    serde_json::to_value(value).ok().filter(|value| !value.is_null())
}
