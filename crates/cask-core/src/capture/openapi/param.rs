//! Parameters: path and operation level together, with their styles.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Document, child};
use super::expand::{Side, expand};
use super::operation::Operation;
use super::path::Path;
use super::{Dialect, shown};
use crate::endpoint::auth::is_session;
use crate::endpoint::{Auth, Param, Place, Schema, TypeSet};
use crate::json::Json;

/// Nodes of a parameter's schema.
const CAP: usize = 100;
/// Headers that the call makes itself (OpenAPI 3.1, 4.8.12.2.1) and that cannot be parameters.
const OWN_HEADERS: [&str; 3] = ["accept", "content-type", "authorization"];

/// Parameter objects of an operation, the operation's before the path's, each once by place and name.
pub fn objects<'d>(document: &Document<'d>, operation: &Operation<'d>) -> Vec<&'d Json<'d>> {
    let mut found: BTreeMap<(String, String), &'d Json<'d>> = BTreeMap::new();
    for list in [operation.node.get("parameters"), operation.item.get("parameters")].into_iter().flatten() {
        let Json::Array(list) = list else {
            document.note(&operation.pointer, "`parameters` is not a list; it is left out");
            continue;
        };
        for (index, param) in list.iter().enumerate().take(1_000) {
            let at = format!("{}/parameters/{index}", operation.pointer);
            let Some(param) = document.deref(param, &at) else { continue };
            let text = |name| param.get(name).and_then(Json::as_str);
            let (Some(name), Some(place)) = (text("name"), text("in")) else {
                document.note(&at, "a parameter needs `name` and `in`; it is left out");
                continue;
            };
            if name.is_empty() || name.len() > 200 || name.chars().any(|c| c.is_control()) {
                document.note(&at, "a parameter has an unusable name; it is left out");
                continue;
            }
            found.entry((place.to_owned(), name.to_owned())).or_insert(param);
        }
    }
    found.into_values().collect()
}

/// The parameters of an operation in their order, and what cookies say of its authentication.
pub fn all<'d>(
    document: &Document<'d>,
    dialect: Dialect,
    operation: &Operation<'d>,
    path: &Path,
    objects: &[&'d Json<'d>],
) -> (Vec<Param>, BTreeSet<Auth>) {
    let at = child(&operation.pointer, "parameters");
    let mut auth = BTreeSet::new();
    let mut in_path: BTreeMap<String, Param> = BTreeMap::new();
    let mut others: Vec<Param> = Vec::new();
    for object in objects {
        let text = |name| object.get(name).and_then(Json::as_str).unwrap_or_default();
        let name = text("name");
        let required = object.get("required") == Some(&Json::Bool(true));
        match text("in") {
            "path" => {
                let Some((_, renamed)) =
                    path.renamed.iter().find(|(declared, _)| declared.trim_start_matches('+') == name)
                else {
                    document.note(
                        &at,
                        format!("the path has no `{{{}}}`; the parameter is left out", shown(name, 80)),
                    );
                    continue;
                };
                let mut param = self::param(document, dialect, object, renamed, Place::Path, true, &at);
                let shared = path.renamed.iter().filter(|(_, other)| other == renamed).count() > 1;
                if shared {
                    // Several declared parameters in one segment: only text fits all of them together.
                    param.schema = Schema { types: TypeSet::STRING, ..Schema::default() };
                }
                in_path.insert(renamed.clone(), param);
            }
            "query" => others.push(self::param(document, dialect, object, name, Place::Query, required, &at)),
            "header" if OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) => {
                if name.eq_ignore_ascii_case("authorization") {
                    auth.insert(Auth::HeaderKey("authorization".to_owned()));
                }
            }
            "header" => {
                others.push(self::param(document, dialect, object, name, Place::Header, required, &at))
            }
            "cookie" => {
                if is_session(name) {
                    auth.insert(Auth::Cookie(shown(name, 100)));
                } else {
                    document
                        .note(&at, format!("the cookie parameter `{}` is not carried over", shown(name, 80)));
                }
            }
            "body" | "formData" if dialect == Dialect::Swagger => {}
            other => document
                .note(&at, format!("a parameter in `{}` is not known; it is left out", shown(other, 20))),
        }
    }
    for (name, value) in &path.fixed {
        let known = others.iter().any(|param| param.place == Place::Query && param.name == *name);
        if !known {
            let schema =
                Schema { types: TypeSet::STRING, values: vec![value.clone().into()], ..Schema::default() };
            others.push(bare(name, Place::Query, true, schema));
        }
    }
    let mut params: Vec<Param> = Vec::new();
    for name in path.template.params() {
        params.push(in_path.remove(name).unwrap_or_else(|| {
            document.note(&at, format!("`{{{}}}` is not declared; it is a text", shown(name, 80)));
            bare(name, Place::Path, true, Schema { types: TypeSet::STRING, ..Schema::default() })
        }));
    }
    others.sort_by(|a, b| (a.place, &a.name).cmp(&(b.place, &b.name)));
    params.extend(others);
    (params, auth)
}

fn bare(name: &str, place: Place, required: bool, schema: Schema) -> Param {
    Param { name: name.to_owned(), place, required, seen: 0, style: String::new(), explode: None, schema }
}

fn param<'d>(
    document: &Document<'d>,
    dialect: Dialect,
    object: &'d Json<'d>,
    name: &str,
    place: Place,
    required: bool,
    at: &str,
) -> Param {
    let content = object.get("content").and_then(|content| match content {
        Json::Object(members) => members.first().and_then(|(_, media)| media.get("schema")),
        _ => None,
    });
    // In Swagger 2.0 the parameter is its own schema.
    let source = content.or_else(|| object.get("schema")).unwrap_or(object);
    let mut schema = match source {
        own if std::ptr::eq(own, object) && dialect == Dialect::Openapi => Schema::default(),
        source => expand(document, source, Side::Request, CAP, at),
    };
    if let Some(text) = object.get("description").and_then(Json::as_str) {
        schema.description = Some(shown(text, 300));
    }
    let (style, explode) = style(object, dialect, place, content.is_some());
    Param { style, explode, ..bare(name, place, required, schema) }
}

/// `style` and `explode` where they are not the place's default.
fn style(object: &Json<'_>, dialect: Dialect, place: Place, json: bool) -> (String, Option<bool>) {
    const STYLES: [&str; 7] =
        ["simple", "form", "spaceDelimited", "pipeDelimited", "deepObject", "label", "matrix"];
    let default = if place == Place::Query { "form" } else { "simple" };
    if json {
        return ("json".to_owned(), None);
    }
    if dialect == Dialect::Swagger {
        if object.get("type").and_then(Json::as_str) != Some("array") {
            return (String::new(), None);
        }
        let csv = (String::new(), (place == Place::Query).then_some(false));
        return match object.get("collectionFormat").and_then(Json::as_str) {
            Some("multi") => (String::new(), None),
            Some("ssv") => ("spaceDelimited".to_owned(), Some(false)),
            Some("pipes") => ("pipeDelimited".to_owned(), Some(false)),
            _ => csv,
        };
    }
    let style =
        object.get("style").and_then(Json::as_str).filter(|style| STYLES.contains(style)).unwrap_or(default);
    let explode = match object.get("explode") {
        Some(Json::Bool(explode)) if *explode != (style == "form") => Some(*explode),
        _ => None,
    };
    (if style == default { String::new() } else { style.to_owned() }, explode)
}
