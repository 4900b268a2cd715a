//! Request and response bodies.

use std::collections::BTreeMap;

use super::document::{Document, child};
use super::expand::{Side, expand};
use super::operation::Operation;
use super::{Dialect, shown};
use crate::endpoint::schema::Property;
use crate::endpoint::{Payload, Response, Schema, TypeSet};
use crate::json::Json;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";

/// Nodes of the schema of an error answer.
const ERROR_CAP: usize = 60;

/// Whether a key of `responses` stands for success.
pub fn is_success(name: &str) -> bool {
    name.starts_with('2') || name == "default"
}

/// A body still to be expanded: media type and schema (`None`: anything).
pub type Content<'d> = Vec<(String, Option<&'d Json<'d>>)>;

/// The request body of an operation, and whether it must be there.
pub fn request<'d>(
    document: &Document<'d>,
    dialect: Dialect,
    operation: &Operation<'d>,
    params: &[&'d Json<'d>],
    cap: usize,
) -> (BTreeMap<String, Payload>, bool) {
    let at = child(&operation.pointer, "requestBody");
    if dialect == Dialect::Swagger {
        return swagger_request(document, operation, params, cap);
    }
    let Some(body) = operation.node.get("requestBody").and_then(|body| document.deref(body, &at)) else {
        return (BTreeMap::new(), false);
    };
    let required = body.get("required") == Some(&Json::Bool(true));
    let content = content(body.get("content"));
    let content = chosen(content, &[JSON, FORM, MULTIPART]);
    (payloads(document, content, Side::Request, cap, &at), required)
}

fn swagger_request<'d>(
    document: &Document<'d>,
    operation: &Operation<'d>,
    params: &[&'d Json<'d>],
    cap: usize,
) -> (BTreeMap<String, Payload>, bool) {
    let at = child(&operation.pointer, "parameters");
    let text = |param: &Json<'d>, name| param.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
    let is_required = |param: &Json<'d>| param.get("required") == Some(&Json::Bool(true));
    let consumes = medias(operation.node.get("consumes").or_else(|| document.root.get("consumes")));
    if let Some(body) = params.iter().find(|param| text(param, "in") == "body") {
        let schema = body.get("schema");
        let mut content: Content<'d> = consumes.into_iter().map(|media| (media, schema)).collect();
        if content.is_empty() {
            content.push((JSON.to_owned(), schema));
        }
        let content = chosen(content, &[JSON]);
        return (payloads(document, content, Side::Request, cap, &at), is_required(body));
    }
    let fields: Vec<&&Json<'d>> = params.iter().filter(|param| text(param, "in") == "formData").collect();
    if fields.is_empty() {
        return (BTreeMap::new(), false);
    }
    let files = fields.iter().any(|field| text(field, "type") == "file");
    let media = if files || consumes.iter().any(|media| media == MULTIPART) { MULTIPART } else { FORM };
    let mut schema = Schema { types: TypeSet::OBJECT, ..Schema::default() };
    for field in &fields {
        let property = Property {
            required: is_required(field),
            schema: Box::new(expand(document, field, Side::Request, 100, &at)),
            ..Property::default()
        };
        schema.properties.insert(text(field, "name"), property);
    }
    let required = fields.iter().any(|field| is_required(field));
    (BTreeMap::from([(media.to_owned(), Payload { seen: 0, schema: Box::new(schema) })]), required)
}

/// The responses of an operation by status. `2XX` counts as 200 (`4XX` as 400, …) and `default` as 200,
/// each only where no exact status of that class is declared.
pub fn responses<'d>(
    document: &Document<'d>,
    dialect: Dialect,
    operation: &Operation<'d>,
    cap: usize,
) -> BTreeMap<u16, Response> {
    let mut found = BTreeMap::new();
    let Some(Json::Object(members)) = operation.node.get("responses") else { return found };
    let exact = |name: &str| name.parse::<u16>().ok().filter(|status| (100..600).contains(status));
    let declared: Vec<u16> = members.iter().filter_map(|(name, _)| exact(name)).collect();
    let produces = medias(operation.node.get("produces").or_else(|| document.root.get("produces")));
    for (name, value) in members.iter().take(100) {
        let at = child(&child(&operation.pointer, "responses"), name);
        let class = name
            .strip_suffix("XX")
            .or_else(|| name.strip_suffix("xx"))
            .and_then(|class| class.parse::<u16>().ok());
        let status = match (exact(name), class) {
            (Some(status), _) => status,
            (None, Some(class)) if (1..6).contains(&class) => {
                if declared.iter().any(|status| status / 100 == class) {
                    continue;
                }
                class * 100
            }
            _ if name == "default" => {
                // Beside a success it describes errors of any status.
                let success = members.iter().any(|(name, _)| name.starts_with('2'));
                if success {
                    continue;
                }
                200
            }
            _ if name.starts_with("x-") => continue,
            _ => {
                document.note(&at, "not a status code; it is left out");
                continue;
            }
        };
        let Some(response) = document.deref(value, &at) else {
            found.entry(status).or_insert_with(Response::default);
            continue;
        };
        let content = match dialect {
            Dialect::Openapi => content(response.get("content")),
            Dialect::Swagger => match response.get("schema") {
                Some(schema) if produces.is_empty() => vec![(JSON.to_owned(), Some(schema))],
                Some(schema) => produces.iter().map(|media| (media.clone(), Some(schema))).collect(),
                None => Vec::new(),
            },
        };
        let cap = if is_success(name) { cap } else { cap.min(ERROR_CAP) };
        let content = payloads(document, chosen(content, &[JSON]), Side::Response, cap, &at);
        found.entry(status).or_insert_with(|| Response { seen: 0, content });
    }
    found
}

fn content<'d>(node: Option<&'d Json<'d>>) -> Content<'d> {
    let Some(Json::Object(members)) = node else { return Vec::new() };
    members
        .iter()
        .take(50)
        .filter_map(|(media, value)| Some((media_type(media)?, value.get("schema"))))
        .collect()
}

fn medias(node: Option<&Json<'_>>) -> Vec<String> {
    let Some(Json::Array(list)) = node else { return Vec::new() };
    list.iter().take(50).filter_map(Json::as_str).filter_map(media_type).collect()
}

/// The media type in lower case without parameters; a wildcard is JSON.
fn media_type(text: &str) -> Option<String> {
    let media = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let known = |c: u8| c.is_ascii_alphanumeric() || b"/+-.*_!#$&^".contains(&c);
    if media.is_empty() || media.len() > 120 || !media.bytes().all(known) || !media.contains('/') {
        return None;
    }
    Some(if media == "*/*" || media == "application/*" { JSON.to_owned() } else { media })
}

/// Where one of the preferred kinds is there (JSON in all its forms), the others say the same again in a
/// form that a tool has no use for (XML, YAML, protobuf).
fn chosen<'d>(content: Content<'d>, preferred: &[&str]) -> Content<'d> {
    let fits =
        |media: &str| preferred.contains(&media) || (media.ends_with("+json") && preferred.contains(&JSON));
    if content.iter().any(|(media, _)| fits(media)) {
        return content.into_iter().filter(|(media, _)| fits(media)).take(4).collect();
    }
    content.into_iter().take(4).collect()
}

fn payloads<'d>(
    document: &Document<'d>,
    content: Content<'d>,
    side: Side,
    cap: usize,
    at: &str,
) -> BTreeMap<String, Payload> {
    let mut found = BTreeMap::new();
    for (media, schema) in content {
        let at = child(&child(at, "content"), &shown(&media, 120));
        let schema = schema.map_or_else(Schema::default, |schema| expand(document, schema, side, cap, &at));
        found.entry(media).or_insert(Payload { seen: 0, schema: Box::new(schema) });
    }
    found
}
