//! Security schemes of a description as [`Auth`].

use std::collections::BTreeSet;

use super::document::{Document, child};
use super::{Dialect, shown};
use crate::endpoint::{Auth, steer};
use crate::json::Json;

fn schemes<'d>(document: &Document<'d>, dialect: Dialect) -> Option<&'d Json<'d>> {
    match dialect {
        Dialect::Swagger => document.root.get("securityDefinitions"),
        Dialect::Openapi => document.root.get("components")?.get("securitySchemes"),
    }
}

/// Whether the description declares any security, so that an operation without it is meant to be public.
pub fn declared(document: &Document<'_>, dialect: Dialect) -> bool {
    matches!(schemes(document, dialect), Some(Json::Object(members)) if !members.is_empty())
}

/// How an operation authenticates: every scheme of every alternative.
pub fn of<'d>(
    document: &Document<'d>,
    dialect: Dialect,
    operation: &'d Json<'d>,
    at: &str,
) -> BTreeSet<Auth> {
    let mut found = BTreeSet::new();
    let Some(Json::Array(alternatives)) = operation.get("security").or_else(|| document.root.get("security"))
    else {
        return found;
    };
    for alternative in alternatives.iter().take(50) {
        let Json::Object(members) = alternative else { continue };
        for (name, _) in members {
            let scheme = schemes(document, dialect)
                .and_then(|all| all.get(name))
                .and_then(|one| document.deref(one, at));
            let header = scheme.and_then(key_header).filter(|name| unusable(name));
            if let Some(header) = header {
                let text = format!(
                    "the security scheme `{}` puts its key into the header `{}`, which the gateway sets itself; it is left out",
                    shown(name, 80),
                    shown(header, 80)
                );
                document.note(&child(at, "security"), text);
                continue;
            }
            match scheme.and_then(auth) {
                Some(auth) => {
                    found.insert(auth);
                }
                None => document.note(
                    &child(at, "security"),
                    format!("the security scheme `{}` is not known", shown(name, 80)),
                ),
            }
        }
    }
    found
}

/// The header of an API key.
fn key_header<'d>(scheme: &'d Json<'_>) -> Option<&'d str> {
    let text = |name| scheme.get(name).and_then(Json::as_str);
    (text("type") == Some("apiKey") && text("in") == Some("header")).then(|| text("name")).flatten()
}

/// A credential in `Host` would send the call elsewhere.
fn unusable(header: &str) -> bool {
    steer::steers(header) || steer::is_own(header) && !header.trim().eq_ignore_ascii_case("authorization")
}

fn auth(scheme: &Json<'_>) -> Option<Auth> {
    let text = |name| scheme.get(name).and_then(Json::as_str);
    let name = text("name").map(|name| shown(name, 100)).filter(|name| !name.is_empty());
    match text("type")? {
        "basic" => Some(Auth::Basic),
        "oauth2" => Some(Auth::Oauth2),
        "openIdConnect" => Some(Auth::OpenId),
        "mutualTLS" => Some(Auth::Scheme("mutual-tls".to_owned())),
        "http" => Some(match text("scheme")?.to_ascii_lowercase().as_str() {
            "bearer" => Auth::Bearer,
            "basic" => Auth::Basic,
            other => Auth::Scheme(shown(other, 40)),
        }),
        "apiKey" => match text("in")? {
            "header" => Some(Auth::HeaderKey(name?.to_ascii_lowercase())),
            "query" => Some(Auth::QueryKey(name?)),
            "cookie" => Some(Auth::Cookie(name?)),
            _ => None,
        },
        _ => None,
    }
}
