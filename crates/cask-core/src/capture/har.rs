//! HAR 1.2 (<http://www.softwareishard.com/blog/har-12-spec/>) as real tools write it.
//!
//! [`Splitter`] finds the entries in a stream of bytes, [`Entry::read`] parses one, [`mod@target`] says
//! what was asked of whom, and [`Entry::exchange`] makes the [`Exchange`]. The steps are apart so that
//! most entries can be left out before their bodies cost anything.

use std::borrow::Cow;

use crate::capture::skip::{self, Facts};
use crate::capture::{Body, Exchange, Message, Part, Scheme, body, headers};
use crate::finding::Rule;
use crate::json::Json;

mod record;
mod splitter;
mod target;

pub use record::{Content, Entry, List, Pair, Request, Response, Text};
pub use splitter::{End, Item, MAX_ENTRY, NotHar, Splitter};
pub use target::{Target, target};

/// The bytes of an entry as text; bytes that are not UTF-8 are replaced, as old tools write them.
#[must_use]
pub fn text(bytes: &[u8]) -> Cow<'_, str> {
    // Nearly always valid, and the strict check is several times faster.
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

impl<'a> Entry<'a> {
    /// Parses the text of one entry.
    ///
    /// # Errors
    /// The JSON parser's own, with line and column inside the entry.
    pub fn read(text: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The facts that [`skip`] judges.
    #[must_use]
    pub fn facts<'s>(&'s self, target: &'s Target, medias: &'s Medias) -> Facts<'s> {
        let request = &self.request.headers;
        let json = match &self.response.content.text {
            Content::None | Content::Binary(_) => false,
            Content::Json(_) => true,
            Content::Text(text) => {
                let base64 = self.response.content.encoding.as_str() == "base64";
                // `eyJ`, `ewo`, `W3s` …: what `{` and `[` look like in base64 is not worth guessing where
                // the content type says what it is.
                !base64 && text.trim_ascii_start().starts_with(['{', '['])
            }
        };
        Facts {
            scheme: target.scheme,
            host: &target.host,
            method: &target.method,
            path: &target.path,
            status: status(self.response.status.as_str()),
            kind: &medias.kind,
            request_media: &medias.request,
            response_media: &medias.response,
            json,
            body: match &self.response.content.text {
                Content::None => false,
                Content::Text(text) => !text.is_empty(),
                Content::Json(_) | Content::Binary(_) => true,
            },
            authorized: request.0.iter().any(|header| {
                [
                    "authorization",
                    "x-api-key",
                    "x-requested-with",
                    "x-csrf-token",
                    "x-xsrf-token",
                    "x-auth-token",
                ]
                .iter()
                .any(|name| header.name.as_str().eq_ignore_ascii_case(name))
            }),
            accept: header(request, "accept"),
            preflight: !header(request, "access-control-request-method").is_empty(),
            upgrade: header(request, "upgrade").eq_ignore_ascii_case("websocket"),
        }
    }

    /// The host of the page behind this entry: one it names as origin or referrer, or its own if it is a
    /// page. Only a hint of who the first party is.
    #[must_use]
    pub fn page(&self) -> Option<String> {
        let headers = &self.request.headers;
        let named = [header(headers, "origin"), header(headers, "referer")]
            .into_iter()
            .find(|text| text.starts_with("http"));
        let document =
            self.kind.as_str() == "document" || self.response.content.media.as_str().starts_with("text/html");
        let url = url::Url::parse(named.or_else(|| document.then(|| self.request.url.as_str()))?).ok()?;
        Some(url.host_str()?.to_owned())
    }

    /// Decodes base64 and compressed bodies in place, so that [`Entry::exchange`] can borrow from them.
    pub fn decode(&mut self, medias: &Medias) {
        let unpack = |text: &mut Content<'a>, encoding: &Text<'_>, media: &str, headers: &List<Pair<'_>>| {
            if let Content::Text(raw) = text
                && encoding.as_str().eq_ignore_ascii_case("base64")
            {
                *text = match body::decode(raw, media, header(headers, "content-encoding")) {
                    body::Decoded::Text(text) => Content::Text(Cow::Owned(text)),
                    body::Decoded::Binary(length) => Content::Binary(length),
                };
            }
        };
        let Entry { request, response, .. } = self;
        unpack(&mut request.post.text, &request.post.encoding, &medias.request, &request.headers);
        unpack(&mut response.content.text, &response.content.encoding, &medias.response, &response.headers);
    }

    /// The exchange, borrowing its bodies from this entry. Call [`Entry::decode`] first.
    pub fn exchange(&mut self, target: Target, medias: Medias, seq: u64) -> Exchange<'_> {
        let status = status(self.response.status.as_str());
        let Target { scheme, host, method, path, query } = target;
        let Entry { request, response, .. } = self;
        let request_type = content_type(request.post.media.as_str(), &request.headers);
        let response_type = content_type(response.content.media.as_str(), &response.headers);
        let params = &request.post.params.0;
        let mut sent = parsed(&mut request.post.text, request_type);
        if sent.is_none() && !params.is_empty() {
            sent = from_params(params, &medias.request);
        }
        let got = parsed(&mut response.content.text, response_type);
        Exchange {
            seq,
            method,
            scheme,
            host,
            path,
            query,
            request: Message { headers: kept(&request.headers), media: medias.request, body: sent },
            status,
            response: Message { headers: kept(&response.headers), media: medias.response, body: got },
        }
    }
}

/// The media types and the kind of an entry, worked out once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Medias {
    /// Of the request body.
    pub request: String,
    /// Of the response body.
    pub response: String,
    /// The recorder's kind of resource, lower case.
    pub kind: String,
}

impl Medias {
    /// From the bodies' own labels, else from the content type headers.
    #[must_use]
    pub fn of(entry: &Entry<'_>) -> Self {
        let Entry { request, response, kind } = entry;
        let sends = !request.post.params.0.is_empty() || request.post.text != Content::None;
        let label = if sends { content_type(request.post.media.as_str(), &request.headers) } else { "" };
        Self {
            request: body::media(label),
            response: body::media(content_type(response.content.media.as_str(), &response.headers)),
            kind: kind.as_str().to_ascii_lowercase(),
        }
    }
}

/// What became of each entry of a file, in order.
pub type Entries = Vec<Result<Exchange<'static>, &'static Rule>>;

/// A whole HAR at once, whatever its hosts: for tests and fuzzing.
///
/// # Errors
/// [`NotHar`] as [`Splitter::push`].
pub fn read_all(bytes: &[u8]) -> Result<(Entries, End), NotHar> {
    let mut entries = Entries::new();
    let mut splitter = Splitter::new();
    splitter.push(bytes, &mut |item| {
        let seq = entries.len() as u64;
        entries.push(match item {
            Item::Entry(bytes) => read_one(bytes, seq),
            Item::Lost(_) => Err(&skip::UNREADABLE),
        });
    })?;
    Ok((entries, splitter.finish()?))
}

fn read_one(bytes: &[u8], seq: u64) -> Result<Exchange<'static>, &'static Rule> {
    let text = text(bytes);
    let mut entry = Entry::read(&text).map_err(|_| &skip::UNREADABLE)?;
    let target = target(&entry)?;
    let medias = Medias::of(&entry);
    if let Some(rule) = skip::by_content(&entry.facts(&target, &medias)) {
        return Err(rule);
    }
    entry.decode(&medias);
    Ok(entry.exchange(target, medias, seq).into_owned())
}

/// `name version` of the tool that wrote a HAR, from the raw `log.creator`.
#[must_use]
pub fn creator(raw: &[u8]) -> String {
    let name = |json: &Json<'_>, key| json.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
    serde_json::from_slice(raw)
        .map(|json: Json<'_>| format!("{} {}", name(&json, "name"), name(&json, "version")).trim().to_owned())
        .unwrap_or_default()
}

/// Whether the head of a file is an OpenAPI or Swagger description (JSON or YAML) rather than traffic.
#[must_use]
pub fn is_description(head: &[u8]) -> bool {
    let head = text(head);
    let start = head.trim_start_matches('\u{feff}').trim_start();
    let names = [
        "openapi",
        "swagger",
        "info",
        "paths",
        "components",
        "definitions",
        "servers",
        "tags",
        "security",
        "host",
        "basePath",
        "schemes",
        "consumes",
        "produces",
        "securityDefinitions",
        "externalDocs",
        "parameters",
        "responses",
    ];
    if let Some(members) = start.strip_prefix('{') {
        // The first member tells: a HAR has `log` and nothing else of weight.
        let first = members
            .trim_start()
            .strip_prefix('"')
            .and_then(|rest| rest.split('"').next())
            .unwrap_or_default();
        return names.contains(&first)
            || first.starts_with("x-")
            || first == "externalDocs"
            || first == "tags";
    }
    start.lines().any(|line| {
        let key = line.split(':').next().unwrap_or_default().trim_matches(['"', '\'']);
        line.contains(':') && (key == "openapi" || key == "swagger")
    })
}

/// A final status, or 0: recorders write `0`, `-`, `""`, `null` and `-1` for "none".
fn status(text: &str) -> u16 {
    let whole = text.split('.').next().unwrap_or_default().trim();
    whole.parse().ok().filter(|code| (100..600).contains(code)).unwrap_or(0)
}

fn header<'h>(headers: &'h List<Pair<'_>>, name: &str) -> &'h str {
    headers
        .0
        .iter()
        .find(|pair| pair.name.as_str().eq_ignore_ascii_case(name))
        .map_or("", |pair| pair.value.as_str())
}

/// The body's own label, unless it is missing or Chrome's word for missing.
fn content_type<'h>(label: &'h str, headers: &'h List<Pair<'_>>) -> &'h str {
    if label.contains('/') { label } else { header(headers, "content-type") }
}

fn kept(headers: &List<Pair<'_>>) -> Vec<(String, String)> {
    let mut out = Vec::with_capacity(headers.0.len() / 2);
    for pair in &headers.0 {
        let name = pair.name.as_str().trim().to_ascii_lowercase();
        if !name.is_empty() && headers::telling(&name) {
            out.push((name, pair.value.as_str().to_owned()));
        }
    }
    out
}

fn parsed<'e>(content: &'e mut Content<'_>, content_type: &str) -> Body<'e> {
    match content {
        Content::None => Body::None,
        Content::Binary(length) => Body::Binary(*length),
        Content::Json(json) => Body::Json(std::mem::replace(json, Json::Null)),
        Content::Text(text) => body::parse(text, content_type),
    }
}

/// Charles, Firefox and Chrome leave the text of a form out now and then and list its fields.
fn from_params<'e>(params: &'e [record::PostParam<'_>], media: &str) -> Body<'e> {
    if media.starts_with("multipart/") {
        let parts = params.iter().map(|param| {
            let file = !param.file.as_str().is_empty();
            Part {
                name: param.name.as_str().to_owned(),
                file,
                media: body::media(param.media.as_str()),
                value: (!file).then_some(Cow::Borrowed(param.value.as_str())),
            }
        });
        return Body::Multipart(parts.collect());
    }
    Body::Form(params.iter().map(|p| (plain(p.name.as_str()), plain(p.value.as_str()))).collect())
}

/// Parameters are listed decoded or as sent, depending on the tool; percent signs tell.
fn plain(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    match url::form_urlencoded::parse(format!("k={}", text.replace('&', "%26")).as_bytes()).next() {
        Some((_, value)) => value.into_owned(),
        None => text.to_owned(),
    }
}

/// Scheme of a default: what a relative URL has when no header says.
const DEFAULT_SCHEME: Scheme = Scheme::Https;

#[cfg(test)]
mod tests;
