//! What a request was aimed at: method, scheme, host, path and query, from the many ways tools write a URL.

use url::Url;

use super::record::{Entry, List, Pair};
use super::{DEFAULT_SCHEME, header};
use crate::capture::{Scheme, is_too_deep, skip};
use crate::finding::Rule;

/// Method and URL, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `https` or `http`.
    pub scheme: Scheme,
    /// Lower case, with its port where that is not the scheme's own.
    pub host: String,
    /// Upper case.
    pub method: String,
    /// Percent-encoded, starts with `/`.
    pub path: String,
    /// Decoded pairs.
    pub query: Vec<(String, String)>,
}

/// Takes method and URL of an entry apart.
///
/// # Errors
/// The rule that says why the entry is no HTTP exchange.
pub fn target(entry: &Entry<'_>) -> Result<Target, &'static Rule> {
    let request = &entry.request;
    let method = method(request.method.as_str(), &request.headers)?;
    if method == "CONNECT" {
        return Err(&skip::NOT_HTTP);
    }
    let url = absolute(request.url.as_str().trim(), &request.headers)?;
    let scheme = match url.scheme() {
        "https" => Scheme::Https,
        "http" => Scheme::Http,
        "ws" | "wss" => return Err(&skip::WEBSOCKET),
        _ => return Err(&skip::NOT_HTTP),
    };
    let name = url.host_str().filter(|name| !name.is_empty()).ok_or(&skip::URL)?.trim_end_matches('.');
    let host = match url.port() {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    };
    if is_too_deep(url.path()) {
        return Err(&skip::URL);
    }
    let mut query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    if query.is_empty() && url.query().is_none() {
        query = request
            .query
            .0
            .iter()
            .map(|p| (p.name.as_str().to_owned(), p.value.as_str().to_owned()))
            .collect();
    }
    Ok(Target { scheme, host, method, path: url.path().to_owned(), query })
}

fn method(text: &str, headers: &List<Pair<'_>>) -> Result<String, &'static Rule> {
    let text = if text.trim().is_empty() { header(headers, ":method") } else { text }.trim();
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if text.is_empty() || text.len() > 32 || !text.bytes().all(token) {
        return Err(&skip::URL);
    }
    Ok(text.to_ascii_uppercase())
}

/// Completes a relative URL from the `Host` or `:authority` header.
fn absolute(text: &str, headers: &List<Pair<'_>>) -> Result<Url, &'static Rule> {
    match Url::parse(text) {
        Ok(url) => return Ok(url),
        Err(url::ParseError::RelativeUrlWithoutBase) => {}
        Err(_) => return Err(&skip::URL),
    }
    let text = if text.is_empty() { header(headers, ":path") } else { text };
    let host = match header(headers, ":authority") {
        "" => header(headers, "host"),
        authority => authority,
    };
    if host.is_empty() {
        return Err(&skip::URL);
    }
    let scheme = match header(headers, ":scheme") {
        scheme @ ("http" | "https") => scheme,
        _ => DEFAULT_SCHEME.as_str(),
    };
    let base = Url::parse(&format!("{scheme}://{host}/")).map_err(|_| &skip::URL)?;
    base.join(text).map_err(|_| &skip::URL)
}
