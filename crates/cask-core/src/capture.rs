//! The first stage: bytes from a recorder become [`Exchange`]s.
//!
//! Nothing here is redacted yet: an `Exchange` straight from a reader must go through
//! [`crate::redact`] before it may be stored or summarised.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::json::Json;

pub mod body;
pub mod har;
pub mod headers;
pub mod hosts;
pub mod openapi;
pub mod skip;

/// The most parts of a path. Learning goes down a path part by part; no API has one that deep.
pub const MAX_SEGMENTS: usize = 200;

/// Whether a path has more than [`MAX_SEGMENTS`] parts.
#[must_use]
pub fn is_too_deep(path: &str) -> bool {
    path.len() > MAX_SEGMENTS && path.bytes().filter(|byte| *byte == b'/').count() > MAX_SEGMENTS
}

/// One observed request and its response.
///
/// Host names are lower case; a port is kept only where it is not the scheme's own.
/// The path is percent-encoded as it was on the wire and starts with `/`; query pairs are decoded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Exchange<'a> {
    /// Position of the entry in its capture, from 0; counts the entries that were left out too, and
    /// goes on over the files of a capture.
    pub seq: u64,
    /// The request method, upper case (`GET`); may be one that no standard knows.
    pub method: String,
    /// `https` or `http`.
    pub scheme: Scheme,
    /// `api.example.com` or `api.example.com:8443`.
    pub host: String,
    /// `/v1/users/42`, without query and fragment.
    pub path: String,
    /// Query pairs in order, percent-decoded; duplicates are kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<(String, String)>,
    /// What the client sent.
    pub request: Message<'a>,
    /// The status code of the answer; never 0 (aborted entries are skipped, see [`skip`]).
    pub status: u16,
    /// What the server answered.
    pub response: Message<'a>,
}

impl Exchange<'_> {
    /// The same exchange, owning its bodies.
    #[must_use]
    pub fn into_owned(self) -> Exchange<'static> {
        let Exchange { seq, method, scheme, host, path, query, request, status, response } = self;
        let (request, response) = (request.into_owned(), response.into_owned());
        Exchange { seq, method, scheme, host, path, query, request, status, response }
    }
}

/// Headers and body of one direction.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Message<'a> {
    /// Header names in lower case, in order; HTTP/2 pseudo-headers are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// The media type without parameters, lower case (`application/json`); empty if there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub media: String,
    /// The parsed body.
    #[serde(default, skip_serializing_if = "Body::is_none")]
    pub body: Body<'a>,
}

impl Message<'_> {
    fn into_owned(self) -> Message<'static> {
        Message { headers: self.headers, media: self.media, body: self.body.into_owned() }
    }
}

/// A body, parsed once by what it is (not by what its content type claims).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "snake_case")]
pub enum Body<'a> {
    /// No body, or one that the recorder left out.
    #[default]
    None,
    /// Any JSON, also under a wrong content type.
    Json(Json<'a>),
    /// `application/x-www-form-urlencoded`, decoded pairs in order.
    Form(Vec<(String, String)>),
    /// `multipart/form-data`: the parts' names; file contents are never kept.
    Multipart(Vec<Part<'a>>),
    /// Text that is none of the above; only its length in bytes is kept.
    Text(u64),
    /// Anything else; only its length in bytes is kept.
    Binary(u64),
}

impl Body<'_> {
    /// Whether there is no body.
    #[must_use]
    pub fn is_none(&self) -> bool {
        matches!(self, Body::None)
    }

    fn into_owned(self) -> Body<'static> {
        match self {
            Body::None => Body::None,
            Body::Json(json) => Body::Json(json.into_owned()),
            Body::Form(pairs) => Body::Form(pairs),
            Body::Multipart(parts) => Body::Multipart(parts.into_iter().map(Part::into_owned).collect()),
            Body::Text(length) => Body::Text(length),
            Body::Binary(length) => Body::Binary(length),
        }
    }
}

/// One part of a multipart body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Part<'a> {
    /// The field's name.
    pub name: String,
    /// Whether the part is a file upload.
    #[serde(default)]
    pub file: bool,
    /// The part's media type, empty if not given.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub media: String,
    /// The value of a plain field; `None` for a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Cow<'a, str>>,
}

impl Part<'_> {
    fn into_owned(self) -> Part<'static> {
        let Part { name, file, media, value } = self;
        Part { name, file, media, value: value.map(|text| Cow::Owned(text.into_owned())) }
    }
}

/// URL scheme of an upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// TLS.
    #[default]
    Https,
    /// Plain text.
    Http,
}

impl Scheme {
    /// `https` or `http`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Scheme::Https => "https",
            Scheme::Http => "http",
        }
    }
}
