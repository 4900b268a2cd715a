//! Operations of a description as endpoints.

use super::document::{Document, child};
use super::{Dialect, Server, body, param, path, security, shown};
use crate::endpoint::{Effect, Endpoint, Risk};
use crate::ids;
use crate::json::Json;

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
/// Operations beyond which a description is cut.
const MAX_OPERATIONS: usize = 10_000;
/// Schema nodes of a whole description (about half a kilobyte each), and of one schema.
const MAX_NODES: usize = 400_000;
const MAX_SCHEMA: usize = 2_000;

/// One operation where it stands.
pub struct Operation<'d> {
    pub pointer: String,
    pub path: &'d str,
    pub method: &'static str,
    /// The path item around it.
    pub item: &'d Json<'d>,
    pub node: &'d Json<'d>,
}

/// Every operation of every path.
pub fn all<'d>(document: &Document<'d>, _dialect: Dialect) -> Vec<Operation<'d>> {
    let mut found = Vec::new();
    let Some(Json::Object(paths)) = document.root.get("paths") else {
        document.note("/paths", "it must be an object of paths");
        return found;
    };
    let mut deprecated = 0_u64;
    for (path, item) in paths {
        let at = child("/paths", path);
        if path.starts_with("x-") {
            continue;
        }
        let Some(item) = document.deref(item, &at) else { continue };
        if !matches!(item, Json::Object(_)) {
            document.note(&at, "a path must be an object of methods; it is left out");
            continue;
        }
        for method in METHODS {
            let Some(node) = item.get(method) else { continue };
            let pointer = child(&at, method);
            if !matches!(node, Json::Object(_)) {
                document.note(&pointer, "an operation must be an object; it is left out");
                continue;
            }
            if found.len() == MAX_OPERATIONS {
                document
                    .note("/paths", format!("more than {MAX_OPERATIONS} operations; the rest is left out"));
                return found;
            }
            deprecated += u64::from(node.get("deprecated") == Some(&Json::Bool(true)));
            found.push(Operation { pointer, path, method, item, node });
        }
    }
    if deprecated > 0 {
        document.note("/paths", format!("{deprecated} operations are deprecated"));
    }
    found
}

/// Nodes each body schema may have, so that a large description stays bounded as a whole. Answers that
/// are errors get less (see [`body::responses`]) and are not counted.
pub fn cap<'d>(document: &Document<'d>, operations: &[Operation<'d>]) -> usize {
    let count: usize = operations
        .iter()
        .map(|operation| {
            let answers = match operation.node.get("responses") {
                Some(Json::Object(members)) => {
                    members.iter().filter(|(name, _)| body::is_success(name)).count()
                }
                _ => 0,
            };
            let body =
                operation.node.get("requestBody").and_then(|body| document.deref(body, &operation.pointer));
            let medias = match body.and_then(|body| body.get("content")) {
                Some(Json::Object(members)) => members.len().min(4),
                _ => 0,
            };
            answers + medias
        })
        .sum();
    (MAX_NODES / count.max(1)).clamp(100, MAX_SCHEMA)
}

impl<'d> Operation<'d> {
    /// The endpoint of this operation on a server; `None` (noted) where its path cannot be called.
    pub fn endpoint(
        &self,
        document: &Document<'d>,
        dialect: Dialect,
        server: &Server,
        cap: usize,
    ) -> Option<Endpoint> {
        let path = path::read(document, self.path, server, &self.pointer)?;
        let method = self.method.to_ascii_uppercase();
        let objects = param::objects(document, self);
        let (params, cookies) = param::all(document, dialect, self, &path, &objects);
        let mut auth = security::of(document, dialect, self.node, &self.pointer);
        auth.extend(cookies);
        let (request, request_required) = body::request(document, dialect, self, &objects, cap);
        let text = |name, most| {
            let text = self.node.get(name).and_then(Json::as_str).map(|text| shown(text, most));
            text.filter(|text: &String| !text.is_empty())
        };
        Some(Endpoint {
            id: ids::endpoint(&method, &server.host, &path.template.anonymous(), ""),
            method,
            scheme: server.scheme,
            host: server.host.clone(),
            template: path.template,
            operation: None,
            observed: 0,
            declared: true,
            params,
            request,
            request_required,
            responses: body::responses(document, dialect, self, cap),
            auth,
            effect: Effect::Admin,
            risk: Risk::Critical,
            reasons: Vec::new(),
            declared_name: text("operationId", 120),
            summary: text("summary", 300).or_else(|| text("description", 300)),
            flows: Vec::new(),
        })
    }
}
