//! How the arguments of a tool become a request: every argument has a place, all else is fixed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::endpoint::{Auth, Endpoint, Operation, Param, Payload, Place, Schema, TypeSet, steer};

use super::{BodyBinding, HttpBinding, Placement, name, schema};

/// A body with more members than this is one argument.
const MAX_MEMBERS: usize = 40;

/// How much of the input is described, most first: a tool has to fit into what a client takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// All that is known.
    Full,
    /// Types only.
    Bare,
    /// Types only, and the body is one argument.
    Whole,
}

/// A binding and the input schema that goes with it.
pub struct Bound {
    /// How the call is made.
    pub binding: HttpBinding,
    /// `type: object`, closed.
    pub input: Value,
}

struct Arguments {
    taken: BTreeSet<String>,
    properties: Map<String, Value>,
    required: BTreeSet<String>,
}

impl Arguments {
    fn add(&mut self, wire: &str, place: &str, required: bool, value: Value) -> String {
        let name = name::argument(wire, place, &mut self.taken);
        self.properties.insert(name.clone(), value);
        if required {
            self.required.insert(name.clone());
        }
        name
    }
}

/// Binds an endpoint.
#[must_use]
pub fn bind(endpoint: &Endpoint, detail: Detail) -> Bound {
    let describe = |of: &Schema| match detail {
        Detail::Full => schema::argument(of),
        Detail::Bare | Detail::Whole => schema::bare_argument(of),
    };
    let mut arguments =
        Arguments { taken: BTreeSet::new(), properties: Map::new(), required: BTreeSet::new() };
    let mut args = BTreeMap::new();
    let by_name: BTreeMap<&str, &Param> = endpoint
        .params
        .iter()
        .filter(|param| param.place == Place::Path)
        .map(|param| (param.name.as_str(), param))
        .collect();
    for wire in endpoint.template.params() {
        let param = by_name.get(wire);
        // that it is not empty is held by the guard that matches the finished URL with the template
        let value =
            param.map_or_else(|| json!({"type": "string"}), |param| schema::identifier(&param.schema));
        let name = arguments.add(wire, "path", true, value);
        args.insert(name, placement(Place::Path, wire, param.copied()));
    }
    for (place, label) in [(Place::Query, "query"), (Place::Header, "header")] {
        for param in endpoint.params.iter().filter(|param| param.place == place) {
            if is_own(endpoint, param) {
                continue;
            }
            let name = arguments.add(&param.name, label, param.required, describe(&param.schema));
            args.insert(name, placement(place, &param.name, Some(param)));
        }
    }
    let body = match &endpoint.operation {
        Some(operation) => Some(graphql(endpoint, operation, &mut arguments, &describe)),
        None => preferred(&endpoint.request).map(|(media, payload)| {
            let whole = detail == Detail::Whole;
            body(media, payload, endpoint.request_required, whole, &mut arguments, &describe)
        }),
    };
    // GraphQL over GET carries everything in the query
    let (fixed_query, body) = match (body, &endpoint.operation) {
        (Some(body), Some(_)) if endpoint.method == "GET" => {
            let pairs = body.fixed.iter().map(|(key, value)| (key.clone(), as_query(value))).collect();
            (pairs, None)
        }
        (body, _) => (Vec::new(), body),
    };
    let mut input =
        json!({"type": "object", "properties": arguments.properties, "additionalProperties": false});
    if let (Some(input), false) = (input.as_object_mut(), arguments.required.is_empty()) {
        input.insert("required".to_owned(), json!(arguments.required));
    }
    let binding = HttpBinding {
        method: endpoint.method.clone(),
        scheme: endpoint.scheme,
        host: endpoint.host.clone(),
        path: endpoint.template.clone(),
        args,
        fixed_query,
        fixed_headers: BTreeMap::new(),
        body,
        accept: accepted(endpoint),
        auth: endpoint.auth.clone(),
        wrap: false,
    };
    Bound { binding, input }
}

/// Media types of the answers that were seen or declared.
fn accepted(endpoint: &Endpoint) -> BTreeSet<String> {
    endpoint
        .responses
        .values()
        .flat_map(|response| response.content.keys())
        .filter(|media| is_media(media))
        .cloned()
        .collect()
}

fn as_query(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn is_media(text: &str) -> bool {
    text.len() <= 100
        && text.contains('/')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-/*".contains(&b))
}

fn is_own(endpoint: &Endpoint, param: &Param) -> bool {
    let credential = endpoint.auth.iter().any(|auth| match auth {
        Auth::HeaderKey(name) => param.place == Place::Header && name.eq_ignore_ascii_case(&param.name),
        Auth::QueryKey(name) => param.place == Place::Query && *name == param.name,
        _ => false,
    });
    let header = param.place == Place::Header
        && (steer::is_own(&param.name)
            || steer::steers(&param.name)
            || !param.name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)));
    let redacted =
        param.schema.redacted.as_deref().is_some_and(|kind| kind == "credential" || kind == "token");
    credential || header || redacted && param.place != Place::Path
}

const STYLES: [&str; 7] =
    ["simple", "label", "matrix", "form", "spaceDelimited", "pipeDelimited", "deepObject"];

fn placement(place: Place, wire: &str, param: Option<&Param>) -> Placement {
    let style = param.map(|param| param.style.as_str()).filter(|style| STYLES.contains(style)).unwrap_or("");
    let default = if place == Place::Query { "form" } else { "simple" };
    let explode = param
        .and_then(|param| param.explode)
        .unwrap_or(place == Place::Query && matches!(style, "" | "form" | "deepObject"));
    let style = if style == default { String::new() } else { style.to_owned() };
    Placement { place, name: wire.to_owned(), style, explode }
}

/// Whether a media type is JSON: `application/json`, `application/problem+json`.
#[must_use]
pub fn is_json(media: &str) -> bool {
    media == "application/json" || media == "text/json" || media.ends_with("+json") || media == "*/*"
}

/// The body that is offered where several media types are known: JSON, then forms.
fn preferred(request: &BTreeMap<String, Payload>) -> Option<(&str, &Payload)> {
    let rank = |media: &str| match media {
        "application/json" => 0,
        media if is_json(media) => 1,
        "application/x-www-form-urlencoded" => 2,
        "multipart/form-data" => 3,
        _ => 4,
    };
    request
        .iter()
        .filter(|(media, _)| is_media(media))
        .min_by_key(|(media, payload)| (rank(media), std::cmp::Reverse(payload.seen), media.as_str()))
        .map(|(media, payload)| (media.as_str(), payload))
}

fn body(
    media: &str,
    payload: &Payload,
    required: bool,
    whole: bool,
    arguments: &mut Arguments,
    describe: &dyn Fn(&Schema) -> Value,
) -> BodyBinding {
    let media = if media == "*/*" { "application/json" } else { media };
    let form = media == "application/x-www-form-urlencoded" || media == "multipart/form-data";
    let mut binding = BodyBinding {
        media: media.to_owned(),
        members: BTreeMap::new(),
        whole: None,
        fixed: BTreeMap::new(),
        under: None,
    };
    let plain = schema::plain(&payload.schema);
    let object = plain.types == TypeSet::OBJECT || plain.types.is_empty() && !plain.properties.is_empty();
    let members = object
        && !whole
        && plain.additional.is_none()
        && !plain.properties.is_empty()
        && (plain.properties.len() <= MAX_MEMBERS || form);
    if members && (is_json(media) || form) {
        for (wire, property) in &plain.properties {
            let name = arguments.add(wire, "body", property.required && required, describe(&property.schema));
            binding.members.insert(name, wire.clone());
        }
        return binding;
    }
    let value = if is_json(media) || form { describe(&plain) } else { json!({"type": "string"}) };
    binding.whole = Some(arguments.add("body", "body", required, value));
    binding
}

/// The document is fixed; its variables are the arguments.
fn graphql(
    endpoint: &Endpoint,
    operation: &Operation,
    arguments: &mut Arguments,
    describe: &dyn Fn(&Schema) -> Value,
) -> BodyBinding {
    let mut fixed = BTreeMap::new();
    if !operation.document.is_empty() {
        fixed.insert("query".to_owned(), json!(operation.document));
    }
    let named = operation.document.is_empty()
        || operation.document.contains(&format!("{} {}", operation.kind, operation.name));
    if named && !operation.name.is_empty() {
        fixed.insert("operationName".to_owned(), json!(operation.name));
    }
    if let (Some(id), Some(member)) = (&operation.persisted, &operation.persisted_as) {
        fixed.insert(member.clone(), json!(id));
    } else if let Some(hash) = &operation.persisted {
        fixed.insert("extensions".to_owned(), json!({"persistedQuery": {"version": 1, "sha256Hash": hash}}));
    }
    let mut members = BTreeMap::new();
    let variables = preferred(&endpoint.request)
        .map(|(_, payload)| schema::plain(&payload.schema).into_owned())
        .and_then(|mut body| body.properties.remove("variables").or_else(|| bare_variables(body)));
    if let Some(variables) = variables {
        for (wire, property) in &variables.schema.properties {
            let name = arguments.add(wire, "variable", property.required, describe(&property.schema));
            members.insert(name, wire.clone());
        }
    }
    BodyBinding {
        media: "application/json".to_owned(),
        members,
        whole: None,
        fixed,
        under: Some("variables".to_owned()),
    }
}

/// Variables that the summary already lifted out of the body.
fn bare_variables(body: Schema) -> Option<crate::endpoint::schema::Property> {
    let lifted =
        !["query", "operationName", "extensions"].iter().any(|key| body.properties.contains_key(*key));
    lifted.then(|| crate::endpoint::schema::Property {
        required: true,
        seen: 0,
        of: 0,
        schema: Box::new(body),
    })
}
