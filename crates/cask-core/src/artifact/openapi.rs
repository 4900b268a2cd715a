//! `openapi.yaml`: the endpoints as an OpenAPI 3.1 document, complete: nothing is left out to save room.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::endpoint::{Auth, Endpoint, Payload, Place, Schema, TypeSet};
use crate::toolpack::Toolpack;

use super::yaml;

/// The text of the file.
#[must_use]
pub fn write(toolpack: &Toolpack) -> String {
    yaml::write(&document(toolpack))
}

/// The document.
#[must_use]
pub fn document(toolpack: &Toolpack) -> Value {
    let names: BTreeMap<&str, &str> =
        toolpack.tools.iter().map(|tool| (tool.evidence.endpoint.as_str(), tool.name.as_str())).collect();
    let servers: BTreeSet<String> = toolpack.baseline.iter().map(server).collect();
    let many = servers.len() > 1;
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let mut schemes = BTreeMap::new();
    for endpoint in &toolpack.baseline {
        let method = endpoint.method.to_ascii_lowercase();
        if !["get", "put", "post", "delete", "options", "head", "patch", "trace"].contains(&method.as_str()) {
            continue;
        }
        let mut operation = operation(endpoint, &mut schemes);
        if let (Some(name), Some(operation)) = (names.get(endpoint.id.as_str()), operation.as_object_mut()) {
            operation.insert("operationId".to_owned(), json!(name));
            if many {
                operation.insert("servers".to_owned(), json!([{ "url": server(endpoint) }]));
            }
        }
        // a path has one operation per method: other hosts and GraphQL siblings go to a fragment of it
        let path = endpoint.template.to_string();
        let key = if paths.get(&path).is_some_and(|item| item.contains_key(&method)) {
            format!("{path}#{}", names.get(endpoint.id.as_str()).copied().unwrap_or(endpoint.id.as_str()))
        } else {
            path
        };
        paths.entry(key).or_default().insert(method, operation);
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": { "title": toolpack.name, "version": "1" },
        "servers": servers.iter().map(|url| json!({ "url": url })).collect::<Vec<_>>(),
        "paths": paths,
    });
    if let (false, Some(document)) = (schemes.is_empty(), document.as_object_mut()) {
        document.insert("components".to_owned(), json!({ "securitySchemes": schemes }));
    }
    document
}

fn server(endpoint: &Endpoint) -> String {
    format!("{}://{}", endpoint.scheme.as_str(), endpoint.host)
}

fn operation(endpoint: &Endpoint, schemes: &mut BTreeMap<String, Value>) -> Value {
    let mut operation = Map::new();
    let parameters: Vec<Value> = endpoint
        .params
        .iter()
        .map(|param| {
            let mut one = json!({
                "name": param.name,
                "in": place(param.place),
                "required": param.required || param.place == Place::Path,
                "schema": schema(&param.schema, 0),
            });
            if let Some(one) = one.as_object_mut() {
                if !param.style.is_empty() {
                    one.insert("style".to_owned(), json!(param.style));
                }
                if let Some(explode) = param.explode {
                    one.insert("explode".to_owned(), json!(explode));
                }
            }
            one
        })
        .collect();
    if !parameters.is_empty() {
        operation.insert("parameters".to_owned(), Value::Array(parameters));
    }
    if !endpoint.request.is_empty() {
        operation.insert(
            "requestBody".to_owned(),
            json!({ "content": content(&endpoint.request), "required": endpoint.request_required }),
        );
    }
    let mut responses: Map<String, Value> = endpoint
        .responses
        .iter()
        .map(|(status, response)| {
            let mut one = json!({ "description": format!("status {status}") });
            if let (false, Some(one)) = (response.content.is_empty(), one.as_object_mut()) {
                one.insert("content".to_owned(), content(&response.content));
            }
            (status.to_string(), one)
        })
        .collect();
    if responses.is_empty() {
        responses.insert("default".to_owned(), json!({ "description": "not known" }));
    }
    operation.insert("responses".to_owned(), Value::Object(responses));
    if !endpoint.auth.is_empty() {
        let alternatives: Vec<Value> = endpoint
            .auth
            .iter()
            .map(|auth| {
                let (name, scheme) = security(auth);
                schemes.insert(name.clone(), scheme);
                json!({ name: [] })
            })
            .collect();
        operation.insert("security".to_owned(), Value::Array(alternatives));
    }
    Value::Object(operation)
}

fn place(place: Place) -> &'static str {
    match place {
        Place::Path => "path",
        Place::Query => "query",
        Place::Header => "header",
    }
}

fn content(content: &BTreeMap<String, Payload>) -> Value {
    let content: Map<String, Value> = content
        .iter()
        .map(|(media, payload)| (media.clone(), json!({ "schema": schema(&payload.schema, 0) })))
        .collect();
    Value::Object(content)
}

/// A security scheme and its name in the document. Never a credential.
fn security(auth: &Auth) -> (String, Value) {
    let key = |place: &str, name: &str| {
        let clean: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
            .collect();
        (format!("{place}_{clean}"), json!({ "type": "apiKey", "in": place, "name": name }))
    };
    match auth {
        Auth::Bearer => ("bearer".to_owned(), json!({ "type": "http", "scheme": "bearer" })),
        Auth::Basic => ("basic".to_owned(), json!({ "type": "http", "scheme": "basic" })),
        Auth::Scheme(scheme) => (format!("http_{scheme}"), json!({ "type": "http", "scheme": scheme })),
        Auth::HeaderKey(name) => key("header", name),
        Auth::QueryKey(name) => key("query", name),
        Auth::Cookie(name) => key("cookie", name),
        // the flows are the provider's; what matters here is which kind it is
        Auth::Oauth2 => ("oauth2".to_owned(), json!({ "type": "oauth2", "flows": {} })),
        Auth::OpenId => ("openid".to_owned(), json!({ "type": "openIdConnect", "openIdConnectUrl": "/" })),
    }
}

/// JSON Schema 2020-12 with everything that is known.
#[must_use]
pub fn schema(of: &Schema, depth: usize) -> Value {
    let mut node = Map::new();
    if depth > 40 {
        return Value::Object(node);
    }
    let mut put = |key: &str, value: Value| {
        node.insert(key.to_owned(), value);
    };
    let types: Vec<&str> = of.types.names().collect();
    match types.as_slice() {
        [] => {}
        [one] => put("type", json!(one)),
        many => put("type", json!(many)),
    }
    if let Some(format) = &of.format {
        put("format", json!(format));
    }
    if !of.values.is_empty() {
        let mut values = of.values.clone();
        if of.types.has(TypeSet::NULL) && !values.contains(&Value::Null) {
            values.push(Value::Null);
        }
        put("enum", Value::Array(values));
    }
    if !of.properties.is_empty() {
        let properties: Map<String, Value> = of
            .properties
            .iter()
            .map(|(name, property)| (name.clone(), schema(&property.schema, depth + 1)))
            .collect();
        put("properties", Value::Object(properties));
        let required: Vec<&String> =
            of.properties.iter().filter(|(_, property)| property.required).map(|(name, _)| name).collect();
        if !required.is_empty() {
            put("required", json!(required));
        }
    }
    if let Some(values) = &of.additional {
        put("additionalProperties", schema(values, depth + 1));
    } else if of.closed {
        put("additionalProperties", json!(false));
    }
    if let Some(items) = &of.items {
        put("items", schema(items, depth + 1));
    }
    if !of.any_of.is_empty() {
        put("anyOf", of.any_of.iter().map(|branch| schema(branch, depth + 1)).collect());
    }
    for (key, value) in &of.bounds {
        put(key, value.clone());
    }
    Value::Object(node)
}
