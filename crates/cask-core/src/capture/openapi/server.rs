//! Where the operations of a description live.

use super::document::Document;
use super::operation::Operation;
use super::{Dialect, Server, shown};
use crate::capture::Scheme;
use crate::json::Json;

/// The server of one operation: its own, its path's or the document's; among several the one on `host`.
pub fn of(
    document: &Document<'_>,
    dialect: Dialect,
    operation: &Operation<'_>,
    host: Option<&str>,
) -> Option<Server> {
    if dialect == Dialect::Swagger {
        return swagger(document, operation, host);
    }
    let lists = [operation.node.get("servers"), operation.item.get("servers"), document.root.get("servers")];
    let found = lists.into_iter().flatten().find_map(|list| match list {
        Json::Array(servers) if !servers.is_empty() => Some(servers.as_slice()),
        _ => None,
    });
    let mut usable: Vec<Server> = Vec::new();
    for server in found.unwrap_or_default().iter().take(50) {
        let url = substituted(server);
        match url.and_then(|url| parse(&url, host)) {
            Some(server) => usable.push(server),
            None => {
                // What stands before an `@` may be a password.
                let text = server.get("url").and_then(Json::as_str).unwrap_or_default();
                let text = text.rsplit('@').next().unwrap_or_default();
                document.note(
                    "/servers",
                    format!("the server `{}` is not one that can be called", shown(text, 120)),
                );
            }
        }
    }
    if let Some(host) = host {
        // A server on the wanted host, or else the wanted host itself.
        let on_host = usable.iter().position(|server| server.host.eq_ignore_ascii_case(host));
        return match on_host {
            Some(index) => usable.into_iter().nth(index),
            None => usable.into_iter().next().or_else(|| parse("/", Some(host))),
        };
    }
    usable.into_iter().next()
}

fn swagger(document: &Document<'_>, operation: &Operation<'_>, host: Option<&str>) -> Option<Server> {
    let text = |name| document.root.get(name).and_then(Json::as_str);
    let schemes = operation.node.get("schemes").or_else(|| document.root.get("schemes"));
    let only_http = matches!(schemes, Some(Json::Array(list)) if !list.is_empty()
        && !list.iter().any(|scheme| scheme.as_str() == Some("https")));
    let scheme = if only_http { "http" } else { "https" };
    let base = text("basePath").unwrap_or("/");
    match text("host").filter(|text| !text.is_empty()) {
        Some(named) => parse(&format!("{scheme}://{named}/{}", base.trim_start_matches('/')), host),
        None => parse(&format!("/{}", base.trim_start_matches('/')), host),
    }
}

/// The URL with its variables at their defaults.
fn substituted(server: &Json<'_>) -> Option<String> {
    let mut rest = server.get("url")?.as_str()?;
    let mut url = String::new();
    while let Some((before, tail)) = rest.split_once('{') {
        let (name, after) = tail.split_once('}')?;
        url.push_str(before);
        let variable = server.get("variables")?.get(name)?;
        url.push_str(variable.get("default")?.as_str()?);
        rest = after;
        if url.len() > 2_000 {
            return None;
        }
    }
    url.push_str(rest);
    (url.len() <= 2_000).then_some(url)
}

/// A server from an absolute URL, or from a relative one and a host.
fn parse(text: &str, host: Option<&str>) -> Option<Server> {
    let text = text.trim();
    let absolute = if text.starts_with("//") {
        format!("https:{text}")
    } else if text.contains("://") {
        text.to_owned()
    } else if text.is_empty() || text.starts_with(['/', '.']) {
        format!("https://{}/{}", host?, text.trim_start_matches(['.', '/']))
    } else {
        return None;
    };
    let url = url::Url::parse(&absolute).ok()?;
    let scheme = match url.scheme() {
        "https" => Scheme::Https,
        "http" => Scheme::Http,
        _ => return None,
    };
    if !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    let mut host = url.host_str().filter(|host| !host.is_empty())?.to_owned();
    if let Some(port) = url.port() {
        host = format!("{host}:{port}");
    }
    Some(Server { scheme, host, base: url.path().trim_end_matches('/').to_owned() })
}
