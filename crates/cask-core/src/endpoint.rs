//! An [`Endpoint`]: host, method and path template with everything merged from its exchanges.
//!
//! Two ways lead here: [`summary::Summary`] learns endpoints from redacted exchanges, and
//! [`crate::capture::openapi`] reads them from a published description. Everything to the right
//! (toolpack, drift, verify) sees only this type.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::capture::Scheme;

pub mod auth;
pub mod effect;
pub mod few;
pub mod flow;
pub mod format;
pub mod graphql;
mod index;
pub mod infer;
pub mod learn;
pub mod observed;
pub mod route;
pub mod schema;
pub mod sent;
pub mod steer;
pub mod summary;
pub mod template;
pub mod traffic;

pub use schema::{Schema, TypeSet};
pub use template::{Segment, Template};

/// One operation of a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// `ep_…`, derived from method, host, anonymous template and operation; parameter names do not move it.
    pub id: String,
    /// Upper-case method.
    pub method: String,
    /// The scheme it was seen with; `https` wins where both were seen.
    pub scheme: Scheme,
    /// Host, with the port where it is not the scheme's own.
    pub host: String,
    /// The path template.
    pub template: Template,
    /// For GraphQL: the operation that tells this endpoint from its siblings on the same path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// Exchanges merged; 0 where only a description declares it.
    #[serde(default)]
    pub observed: u64,
    /// Whether a description declares it.
    #[serde(default)]
    pub declared: bool,
    /// Path, query and header parameters, in order: path (as in the template), query, header; by name inside.
    #[serde(default)]
    pub params: Vec<Param>,
    /// Request bodies by media type.
    #[serde(default)]
    pub request: BTreeMap<String, Payload>,
    /// Whether every call carried a body (or the description says it must).
    #[serde(default)]
    pub request_required: bool,
    /// Response bodies by status, then media type; a status without a body has an empty map.
    #[serde(default)]
    pub responses: BTreeMap<u16, Response>,
    /// How calls authenticate; never a credential.
    #[serde(default)]
    pub auth: BTreeSet<Auth>,
    /// What a call does.
    pub effect: Effect,
    /// How much harm a wrong call can do.
    pub risk: Risk,
    /// Why `effect` and `risk` are what they are, each signal once, sorted.
    pub reasons: Vec<Reason>,
    /// The operation's own name in a description, if any (hostile text).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_name: Option<String>,
    /// The summary line of a description, if any (hostile text).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Response fields of other endpoints whose values were seen in this endpoint's requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flows: Vec<Flow>,
}

/// A GraphQL operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// `query`, `mutation` or `subscription`.
    pub kind: String,
    /// The operation's name, or one derived from its root fields.
    pub name: String,
    /// The document that is sent, fixed; empty for a persisted query.
    #[serde(default)]
    pub document: String,
    /// Id (mostly a SHA-256) of a persisted query as the client sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub persisted: Option<String>,
    /// The member that carries `persisted`; `None` is Apollo's `extensions.persistedQuery.sha256Hash`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub persisted_as: Option<String>,
    /// Root fields the document selects, sorted.
    pub fields: Vec<String>,
}

/// A path, query or header parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Param {
    /// The name on the wire; for a path parameter the name in the template.
    pub name: String,
    /// Where it goes.
    #[serde(rename = "in")]
    pub place: Place,
    /// Whether every call had it (or the description says it must be there).
    pub required: bool,
    /// Calls that had it, of how many ([`Endpoint::observed`] is the denominator).
    #[serde(default)]
    pub seen: u64,
    /// How a list or object is written (OpenAPI `style`): `simple`, `form`, `spaceDelimited`,
    /// `pipeDelimited`, `deepObject`, `label`, `matrix`; `json` where the value is JSON text (OpenAPI
    /// parameter `content`). Empty is the place's default.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub style: String,
    /// OpenAPI `explode`; `None` is the style's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explode: Option<bool>,
    /// Its values.
    pub schema: Schema,
}

/// Where a parameter goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// In the path template.
    Path,
    /// In the query string.
    Query,
    /// In a request header.
    Header,
}

impl Place {
    /// `path`, `query` or `header`, as OpenAPI has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Place::Path => "path",
            Place::Query => "query",
            Place::Header => "header",
        }
    }
}

/// A body of one media type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    /// Bodies seen.
    #[serde(default)]
    pub seen: u64,
    /// Their schema. For forms and multipart: an object with a property per field.
    pub schema: Box<Schema>,
}

/// What one status answers with.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// Answers seen with this status.
    #[serde(default)]
    pub seen: u64,
    /// By media type; empty where the answer has no body.
    #[serde(default)]
    pub content: BTreeMap<String, Payload>,
}

/// How a call authenticates.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type", content = "name")]
pub enum Auth {
    /// `Authorization: Bearer`
    Bearer,
    /// `Authorization: Basic`
    Basic,
    /// `Authorization:` with another scheme, lower case.
    Scheme(String),
    /// A key in this header.
    HeaderKey(String),
    /// A key in this query parameter.
    QueryKey(String),
    /// A session in this cookie.
    Cookie(String),
    /// OAuth 2, declared by a description.
    Oauth2,
    /// OpenID Connect, declared by a description.
    OpenId,
}

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Changes nothing.
    Read,
    /// Creates or changes something.
    Write,
    /// Removes something.
    Delete,
    /// Moves money or promises to.
    Payment,
    /// Signs in, makes or revokes credentials.
    Auth,
    /// Changes who may do what, or the service itself.
    Admin,
}

impl Effect {
    /// Every effect, least first.
    pub const ALL: [Effect; 6] =
        [Effect::Read, Effect::Write, Effect::Delete, Effect::Payment, Effect::Auth, Effect::Admin];

    /// Lower-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Effect::Read => "read",
            Effect::Write => "write",
            Effect::Delete => "delete",
            Effect::Payment => "payment",
            Effect::Auth => "auth",
            Effect::Admin => "admin",
        }
    }
}

/// How much harm a wrong call can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Public, read-only.
    Safe,
    /// Reads what the caller may see.
    Low,
    /// Reads sensitive data, or changes something that can be changed back.
    Medium,
    /// Hard to undo, or touches credentials.
    High,
    /// Money, permissions, mass deletion.
    Critical,
}

impl Risk {
    /// Every tier, least first.
    pub const ALL: [Risk; 5] = [Risk::Safe, Risk::Low, Risk::Medium, Risk::High, Risk::Critical];

    /// Lower-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Risk::Safe => "safe",
            Risk::Low => "low",
            Risk::Medium => "medium",
            Risk::High => "high",
            Risk::Critical => "critical",
        }
    }
}

/// One signal that raised effect or risk, in words a reviewer reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Stable kebab-case name of the signal, as in `cask explain`.
    pub code: String,
    /// What was seen, for example "the path has `refund`".
    pub detail: String,
}

/// A value that was answered by one endpoint and sent in a request to this one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// Id of the endpoint that answered it.
    pub from: String,
    /// Where in its response: a JSON pointer with `*` for array items and map keys.
    pub pointer: String,
    /// The parameter (or `body` pointer) of this endpoint that received it.
    pub to: String,
    /// Distinct values seen to pass.
    pub values: u64,
}
