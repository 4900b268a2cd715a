//! Why a tool is what it is, for people: what was seen, why fields are required, why this risk.

use crate::endpoint::{Endpoint, Place, Schema};

use super::{Binding, Tool};

/// A heading and its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// A short heading.
    pub title: &'static str,
    /// Lines in reading order. They hold names from traffic: escape them for the surface they go to.
    pub lines: Vec<String>,
}

/// The sections that explain a tool by its endpoint.
#[must_use]
pub fn explain(tool: &Tool, endpoint: &Endpoint) -> Vec<Section> {
    let Binding::Http(binding) = &tool.binding;
    let mut sections = Vec::new();
    let mut push = |title, lines: Vec<String>| {
        if !lines.is_empty() {
            sections.push(Section { title, lines });
        }
    };
    let mut call =
        vec![format!("{} {}://{}{}", binding.method, binding.scheme.as_str(), binding.host, binding.path)];
    if let Some(operation) = &endpoint.operation {
        call.push(format!("GraphQL {} {}", operation.kind, operation.name));
    }
    push("call", call);
    let mut seen = vec![match endpoint.observed {
        0 => "never seen in traffic".to_owned(),
        1 => "seen once".to_owned(),
        n => format!("seen {n} times"),
    }];
    if endpoint.declared {
        seen.push("declared by an API description".to_owned());
    }
    for (status, response) in &endpoint.responses {
        let media: Vec<&str> = response.content.keys().map(String::as_str).collect();
        let media = if media.is_empty() { "no body".to_owned() } else { media.join(", ") };
        seen.push(format!("status {status}: {} times, {media}", response.seen));
    }
    push("observations", seen);
    push(
        "risk",
        std::iter::once(format!("{} ({})", tool.risk.as_str(), tool.effect.as_str()))
            .chain(tool.reasons.iter().map(|reason| format!("{}: {}", reason.code, reason.detail)))
            .collect(),
    );
    push("arguments", arguments(endpoint));
    let mut fields = Vec::new();
    for (status, response) in endpoint.responses.iter().filter(|(status, _)| (200..300).contains(*status)) {
        for (media, payload) in &response.content {
            required(&payload.schema, &format!("{status} {media} "), "", 0, &mut fields);
        }
    }
    push("fields of the answer", fields);
    push(
        "values that flow in",
        endpoint
            .flows
            .iter()
            .map(|flow| {
                format!("{} came from {} {} ({} values)", flow.to, flow.from, flow.pointer, flow.values)
            })
            .collect(),
    );
    push("scope", vec![tool.scope.clone()]);
    sections
}

fn arguments(endpoint: &Endpoint) -> Vec<String> {
    let mut lines: Vec<String> = endpoint
        .params
        .iter()
        .map(|param| {
            let (place, why) = match (param.place, param.required) {
                (Place::Path, _) => ("path", "required: it is part of the path".to_owned()),
                (Place::Query, required) => ("query", counted(required, param.seen, endpoint.observed)),
                (Place::Header, required) => ("header", counted(required, param.seen, endpoint.observed)),
            };
            format!("{} ({place}): {why}", param.name)
        })
        .collect();
    for (media, payload) in &endpoint.request {
        required(&payload.schema, &format!("body {media} "), "", 0, &mut lines);
    }
    lines
}

fn counted(required: bool, seen: u64, of: u64) -> String {
    match (required, of) {
        (true, 0) => "required: declared so".to_owned(),
        (false, 0) => "optional: declared so".to_owned(),
        (true, _) if seen < of => format!("required: declared so; in {seen} of {of}"),
        (true, _) => format!("required: in {seen} of {of}"),
        (false, _) => format!("optional: in {seen} of {of}"),
    }
}

fn required(schema: &Schema, place: &str, at: &str, depth: usize, lines: &mut Vec<String>) {
    if depth > 8 || lines.len() >= 500 {
        return;
    }
    for (name, property) in &schema.properties {
        let at = format!("{at}/{}", crate::json::token(name));
        lines.push(format!("{place}{at}: {}", counted(property.required, property.seen, property.of)));
        required(&property.schema, place, &at, depth + 1, lines);
    }
    for inner in [&schema.items, &schema.additional].into_iter().flatten() {
        required(inner, place, &format!("{at}/*"), depth + 1, lines);
    }
    for branch in &schema.any_of {
        required(branch, place, at, depth + 1, lines);
    }
}
