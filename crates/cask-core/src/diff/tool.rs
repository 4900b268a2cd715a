//! One tool against the tool that was approved under its name.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::moves::Moves;
use super::rules::{self as r, Change};
use super::{Subject, argument, json, output, rename, request, words};
use crate::endpoint::Effect;
use crate::toolpack::{Annotations, Binding, HttpBinding, ObjectSchema, Tool};

/// Says what differs. What moved with many other tools is said for all of them, and not here.
pub(super) fn compare(then: &Tool, now: &Tool, moves: &Moves<'_>, out: &mut Subject<'_>) {
    let before = out.len();
    if then.name != now.name {
        let message = format!("`{}` was called `{}`", now.name, then.name);
        out.push(&r::TOOL_RENAMED, "/name", message, json(&then.name), json(&now.name));
        out.explain(vec![format!("it calls {}", super::call(now))]);
    }
    let moved = moves.applied(then, now);
    let then = moved.as_ref().unwrap_or(then);
    let respelled = rename::respell(then, now, out);
    let then = respelled.as_ref().unwrap_or(then);
    differences(then, now, out);
    if out.len() == before && then != now {
        let message = format!("`{}` is not what was approved", now.name);
        out.push(&r::TOOL_OTHER, "", message, json(then), json(now));
    }
}

fn differences(then: &Tool, now: &Tool, out: &mut Subject<'_>) {
    let name = &now.name;
    said(then, now, out);
    argument::compare(name, &value(&then.input_schema), &value(&now.input_schema), out);
    output::compare(then, now, out);
    hints(name, &then.annotations, &now.annotations, out);
    if then.effect != now.effect {
        let message =
            format!("`{name}` is now classified `{}`, not `{}`", now.effect.as_str(), then.effect.as_str());
        out.push(effect(then.effect, now.effect), "/effect", message, json(&then.effect), json(&now.effect));
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
    request::compare(then, now, out);
    // another call is another endpoint: said there
    if then.evidence != now.evidence && place(then) == place(now) {
        let message = format!("`{name}` was learned from another endpoint");
        out.push(&r::EVIDENCE, "/evidence", message, json(&then.evidence), json(&now.evidence));
    }
}

/// What identifies an endpoint, but for the operation of GraphQL.
fn place(tool: &Tool) -> (&str, &str, String) {
    let Binding::Http(http) = &tool.binding;
    (http.method.as_str(), http.host.as_str(), http.path.anonymous())
}

/// Title and description. A title that only spells the name changes with it.
fn said(then: &Tool, now: &Tool, out: &mut Subject<'_>) {
    let follows = then.name != now.name && then.own_title().is_none() && now.own_title().is_none();
    for (field, rule, was, is) in [
        ("title", &r::TITLE, &then.title, &now.title),
        ("description", &r::DESCRIPTION, &then.description, &now.description),
    ] {
        if was != is && !(field == "title" && follows) {
            let message = format!("`{}` has another {field}", now.name);
            out.push(rule, &format!("/{field}"), message, json(was), json(is));
            out.explain(words::changes(was, is));
        }
    }
}

/// The rule for another effect. A lower one escapes what held for the higher.
fn effect(then: Effect, now: Effect) -> &'static Change {
    match now {
        now if now < then => &r::EFFECT_LOWERED,
        Effect::Delete | Effect::Payment | Effect::Admin => &r::EFFECT_DESTRUCTIVE,
        Effect::Auth => &r::EFFECT_AUTH,
        Effect::Read | Effect::Write => &r::EFFECT,
    }
}

/// A hint is relaxed where it makes a client ask less.
fn hints(name: &str, then: &Annotations, now: &Annotations, out: &mut Subject<'_>) {
    for (hint, then, now, relaxed, tightened, safe) in [
        ("readOnlyHint", then.read_only_hint, now.read_only_hint, &r::HINT_RELAXED, &r::HINT_TIGHTENED, true),
        (
            "destructiveHint",
            then.destructive_hint,
            now.destructive_hint,
            &r::DESTRUCTIVE_CLEARED,
            &r::DESTRUCTIVE_SET,
            false,
        ),
        (
            "idempotentHint",
            then.idempotent_hint,
            now.idempotent_hint,
            &r::HINT_RELAXED,
            &r::HINT_TIGHTENED,
            true,
        ),
        (
            "openWorldHint",
            then.open_world_hint,
            now.open_world_hint,
            &r::HINT_RELAXED,
            &r::HINT_TIGHTENED,
            false,
        ),
    ] {
        if then != now {
            let rule = if now == safe { relaxed } else { tightened };
            let message = format!("`{name}` says `{hint}: {now}`, not `{then}`");
            out.push(rule, &format!("/annotations/{hint}"), message, json(&then), json(&now));
        }
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
    out.extend(arguments(tool, http));
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

fn arguments(tool: &Tool, http: &HttpBinding) -> Vec<String> {
    let body = http.body.iter().flat_map(|body| body.members.keys().chain(&body.whole));
    let required = tool.input_schema.get("required").and_then(Value::as_array);
    let properties = tool.input_schema.get("properties").and_then(Value::as_object);
    let places: BTreeMap<&String, &str> = (http.args.iter().map(|(name, to)| (name, to.place.as_str())))
        .chain(body.map(|name| (name, "body")))
        .collect();
    let line = |(name, schema): (&String, &Value)| {
        let must = required.is_some_and(|all| all.iter().any(|one| one == name));
        let place = places.get(name).copied().unwrap_or("nowhere");
        let must = if must { ", required" } else { "" };
        format!("argument `{name}` ({place}{must}): {schema}")
    };
    properties.into_iter().flatten().map(line).collect()
}
