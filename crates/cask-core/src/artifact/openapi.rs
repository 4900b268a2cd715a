//! `openapi.yaml`: the endpoints as an OpenAPI 3.1 document, complete: nothing is left out to save room.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use crate::endpoint::{Auth, Endpoint, Param, Payload, Place, Schema, TypeSet};
use crate::json::Json;
use crate::toolpack::Toolpack;

use super::{Text, yaml};

/// The text of the file. One operation at a time is held as a tree.
#[must_use]
pub fn write(toolpack: &Toolpack) -> Text {
    let names: BTreeMap<&str, &str> =
        toolpack.tools.iter().map(|tool| (tool.evidence.endpoint.as_str(), tool.name.as_str())).collect();
    let servers: BTreeSet<String> = toolpack.baseline.iter().map(server).collect();
    let shown: Vec<(&Endpoint, String)> = toolpack
        .baseline
        .iter()
        .map(|endpoint| (endpoint, endpoint.method.to_ascii_lowercase()))
        .filter(|(_, method)| METHODS.contains(&method.as_str()))
        .collect();
    let written = shown.par_iter().map_init(String::new, |out, (endpoint, method)| {
        let mut operation = operation(endpoint);
        if let Some(name) = names.get(endpoint.id.as_str()) {
            operation.push(member("operationId", Json::from(*name)));
            if servers.len() > 1 {
                let server = Json::Str(server(endpoint).into());
                operation.push(member("servers", Json::Array(vec![object([("url", server)])])));
            }
        }
        out.clear();
        yaml::member(out, method, &Json::Object(operation), 2);
        out.clone()
    });
    let written: Vec<String> = written.collect();
    let mut paths: BTreeMap<String, BTreeMap<&str, String>> = BTreeMap::new();
    for ((endpoint, method), text) in shown.iter().zip(written) {
        // a path has one operation per method: other hosts and GraphQL siblings go to a fragment of it
        let path = endpoint.template.to_string();
        let key = if paths.get(&path).is_some_and(|item| item.contains_key(method.as_str())) {
            format!("{path}#{}", names.get(endpoint.id.as_str()).copied().unwrap_or(endpoint.id.as_str()))
        } else {
            path
        };
        paths.entry(key).or_default().insert(method, text);
    }
    let auth: BTreeSet<&Auth> = toolpack.baseline.iter().flat_map(|endpoint| &endpoint.auth).collect();
    let mut all = Text::default();
    let mut out = String::new();
    if !auth.is_empty() {
        let schemes: BTreeMap<String, Json<'_>> = auth.into_iter().map(security).collect();
        let schemes = Json::Object(schemes.into_iter().map(|(name, scheme)| (name.into(), scheme)).collect());
        yaml::member(&mut out, "components", &object([("securitySchemes", schemes)]), 0);
    }
    let info = object([("title", toolpack.name.as_str().into()), ("version", "1".into())]);
    yaml::member(&mut out, "info", &info, 0);
    yaml::member(&mut out, "openapi", &"3.1.0".into(), 0);
    if paths.is_empty() {
        yaml::member(&mut out, "paths", &Json::Object(Vec::new()), 0);
    } else {
        out.push_str("paths:\n");
    }
    for (path, operations) in paths {
        yaml::key(&mut out, &path, 1);
        out.push('\n');
        all.push(std::mem::take(&mut out));
        operations.into_values().for_each(|text| all.push(text));
    }
    let servers = servers.iter().map(|url| object([("url", url.as_str().into())])).collect();
    yaml::member(&mut out, "servers", &Json::Array(servers), 0);
    all.push(out);
    all
}

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

type Member<'a> = (Cow<'a, str>, Json<'a>);

fn member<'a>(key: &'a str, value: Json<'a>) -> Member<'a> {
    (Cow::Borrowed(key), value)
}

fn object<'a, const N: usize>(members: [(&'a str, Json<'a>); N]) -> Json<'a> {
    Json::Object(members.into_iter().map(|(key, value)| member(key, value)).collect())
}

fn server(endpoint: &Endpoint) -> String {
    format!("{}://{}", endpoint.scheme.as_str(), endpoint.host)
}

fn operation(endpoint: &Endpoint) -> Vec<Member<'_>> {
    let mut operation = Vec::new();
    if !endpoint.params.is_empty() {
        operation.push(member("parameters", Json::Array(endpoint.params.iter().map(parameter).collect())));
    }
    if !endpoint.request.is_empty() {
        let body =
            [("content", content(&endpoint.request)), ("required", Json::Bool(endpoint.request_required))];
        operation.push(member("requestBody", object(body)));
    }
    let mut responses: Vec<Member<'_>> = endpoint
        .responses
        .iter()
        .map(|(status, response)| {
            let mut one = vec![member("description", Json::Str(format!("status {status}").into()))];
            if !response.content.is_empty() {
                one.push(member("content", content(&response.content)));
            }
            (status.to_string().into(), Json::Object(one))
        })
        .collect();
    if responses.is_empty() {
        responses.push(member("default", object([("description", "not known".into())])));
    }
    operation.push(member("responses", Json::Object(responses)));
    if !endpoint.auth.is_empty() {
        let alternative = |auth| Json::Object(vec![(security(auth).0.into(), Json::Array(Vec::new()))]);
        operation.push(member("security", Json::Array(endpoint.auth.iter().map(alternative).collect())));
    }
    operation
}

fn parameter(param: &Param) -> Json<'_> {
    let mut one = vec![
        member("name", param.name.as_str().into()),
        member("in", param.place.as_str().into()),
        member("required", Json::Bool(param.required || param.place == Place::Path)),
        member("schema", schema(&param.schema, 0)),
    ];
    if !param.style.is_empty() {
        one.push(member("style", param.style.as_str().into()));
    }
    if let Some(explode) = param.explode {
        one.push(member("explode", Json::Bool(explode)));
    }
    Json::Object(one)
}

fn content(content: &BTreeMap<String, Payload>) -> Json<'_> {
    let content = content
        .iter()
        .map(|(media, payload)| member(media, object([("schema", schema(&payload.schema, 0))])))
        .collect();
    Json::Object(content)
}

/// A security scheme and its name in the document. Never a credential.
fn security(auth: &Auth) -> (String, Json<'_>) {
    let key = |place: &'static str, name: &'_ str| {
        let clean: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
            .collect();
        format!("{place}_{clean}")
    };
    let at = |place: &'static str, name| {
        object([("type", "apiKey".into()), ("in", place.into()), ("name", Json::from(name))])
    };
    match auth {
        Auth::Bearer => ("bearer".to_owned(), object([("type", "http".into()), ("scheme", "bearer".into())])),
        Auth::Basic => ("basic".to_owned(), object([("type", "http".into()), ("scheme", "basic".into())])),
        Auth::Scheme(scheme) => {
            (format!("http_{scheme}"), object([("type", "http".into()), ("scheme", scheme.as_str().into())]))
        }
        Auth::HeaderKey(name) => (key("header", name), at("header", name.as_str())),
        Auth::QueryKey(name) => (key("query", name), at("query", name.as_str())),
        Auth::Cookie(name) => (key("cookie", name), at("cookie", name.as_str())),
        // the flows are the provider's; what matters here is which kind it is
        Auth::Oauth2 => {
            ("oauth2".to_owned(), object([("type", "oauth2".into()), ("flows", Json::Object(Vec::new()))]))
        }
        Auth::OpenId => (
            "openid".to_owned(),
            object([("type", "openIdConnect".into()), ("openIdConnectUrl", "/".into())]),
        ),
    }
}

/// JSON Schema 2020-12 with everything that is known.
fn schema(of: &Schema, depth: usize) -> Json<'_> {
    let mut node = Vec::new();
    if depth > 40 {
        return Json::Object(node);
    }
    let mut put = |key: &'static str, value| node.push(member(key, value));
    let types: Vec<&str> = of.types.names().collect();
    match types.as_slice() {
        [] => {}
        [one] => put("type", Json::from(*one)),
        many => put("type", Json::Array(many.iter().map(|one| Json::from(*one)).collect())),
    }
    if let Some(format) = &of.format {
        put("format", format.as_str().into());
    }
    if !of.values.is_empty() {
        let mut values: Vec<Json<'_>> = of.values.iter().map(Json::from).collect();
        if of.types.has(TypeSet::NULL) && !values.contains(&Json::Null) {
            values.push(Json::Null);
        }
        put("enum", Json::Array(values));
    }
    if !of.properties.is_empty() {
        let properties = of.properties.iter();
        let properties =
            properties.map(|(name, property)| member(name, schema(&property.schema, depth + 1))).collect();
        put("properties", Json::Object(properties));
        let required: Vec<Json<'_>> = (of.properties.iter())
            .filter(|(_, property)| property.required)
            .map(|(name, _)| name.as_str().into())
            .collect();
        if !required.is_empty() {
            put("required", Json::Array(required));
        }
    }
    if let Some(values) = &of.additional {
        put("additionalProperties", schema(values, depth + 1));
    } else if of.closed {
        put("additionalProperties", Json::Bool(false));
    }
    if let Some(items) = &of.items {
        put("items", schema(items, depth + 1));
    }
    if !of.any_of.is_empty() {
        put("anyOf", Json::Array(of.any_of.iter().map(|branch| schema(branch, depth + 1)).collect()));
    }
    node.extend(of.bounds.iter().map(|(key, value)| member(key, value.into())));
    Json::Object(node)
}
