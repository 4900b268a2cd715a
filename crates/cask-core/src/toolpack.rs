//! From endpoints to what an agent sees: [`Tool`]s, toolsets and everything a toolpack holds.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::canon::Digest;
use crate::capture::Scheme;
use crate::endpoint::{Auth, Effect, Place, Reason, Risk, Template};

pub mod baseline;
pub mod contract;
pub mod describe;
pub mod name;
pub mod policy;
pub mod schema;
pub mod scope;

/// What an agent can call. Its digest covers every field, so an approval covers all of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// `[A-Za-z0-9_-]{1,64}`, unique in its toolpack.
    pub name: String,
    /// A short title for people.
    pub title: String,
    /// One or two sentences, at most 400 characters.
    pub description: String,
    /// JSON Schema 2020-12, self-contained, `type: object`, `additionalProperties: false`.
    pub input_schema: Value,
    /// JSON Schema of the structured result, if the answer is JSON. Always `type: object`
    /// (an answer of another type is wrapped as `{"result": …}`, see [`HttpBinding::wrap`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Value>,
    /// MCP tool annotations.
    pub annotations: Annotations,
    /// What a call does.
    pub effect: Effect,
    /// How much harm a wrong call can do.
    pub risk: Risk,
    /// Why.
    pub reasons: Vec<Reason>,
    /// The scope it belongs to.
    pub scope: String,
    /// Limits the runtime holds each call to.
    pub guards: Guards,
    /// How a call is made.
    pub binding: Binding,
    /// Where it comes from.
    pub evidence: Evidence,
}

/// MCP `ToolAnnotations`, all explicit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Annotations {
    /// Changes nothing.
    pub read_only_hint: bool,
    /// May destroy something.
    pub destructive_hint: bool,
    /// Calling it twice is the same as once.
    pub idempotent_hint: bool,
    /// Talks to the world outside.
    pub open_world_hint: bool,
}

/// Limits of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guards {
    /// The whole call must end within this many milliseconds.
    pub timeout_ms: u64,
    /// A longer response body is cut or refused.
    pub max_response_bytes: u64,
}

impl Default for Guards {
    fn default() -> Self {
        Self { timeout_ms: 30_000, max_response_bytes: 1 << 20 }
    }
}

/// Where a tool comes from. Digests only: no observed value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The endpoint's id.
    pub endpoint: String,
}

/// How a tool becomes an upstream call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Binding {
    /// One HTTP request (GraphQL operations included: their document is a fixed part of the body).
    Http(HttpBinding),
}

/// One HTTP request, with the place of each argument. What is not an argument is fixed here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpBinding {
    /// Upper-case method.
    pub method: String,
    /// `https` or `http`.
    pub scheme: Scheme,
    /// Host, with the port where it is not the scheme's own.
    pub host: String,
    /// Path template; every parameter has an argument.
    pub path: Template,
    /// Tool arguments that are not in the body, by argument name.
    #[serde(default)]
    pub args: BTreeMap<String, Placement>,
    /// Query pairs sent with every call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fixed_query: Vec<(String, String)>,
    /// Headers sent with every call.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fixed_headers: BTreeMap<String, String>,
    /// The request body, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<BodyBinding>,
    /// Media types the answer may have; anything else is refused.
    #[serde(default)]
    pub accept: BTreeSet<String>,
    /// How the call authenticates.
    #[serde(default)]
    pub auth: BTreeSet<Auth>,
    /// The answer is not a JSON object: the structured result is `{"result": answer}`.
    #[serde(default)]
    pub wrap: bool,
}

/// Where an argument goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placement {
    /// Path, query or header.
    #[serde(rename = "in")]
    pub place: Place,
    /// The name there (for a path: the template's parameter).
    pub name: String,
    /// OpenAPI `style`; empty is the place's default (`simple` in path and header, `form` in query).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub style: String,
    /// OpenAPI `explode`.
    #[serde(default)]
    pub explode: bool,
}

/// How arguments become a request body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BodyBinding {
    /// `application/json`, `application/x-www-form-urlencoded` or `multipart/form-data`, or another JSON type.
    pub media: String,
    /// The arguments that are members of the body: argument name → member name.
    #[serde(default)]
    pub members: BTreeMap<String, String>,
    /// The one argument that is the whole body (a body that is not an object); then `members` is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<String>,
    /// Members that are always sent as they stand here (the GraphQL `query` and `operationName`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fixed: BTreeMap<String, Value>,
    /// Members go into this member of the body instead of the top (`variables` for GraphQL).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under: Option<String>,
}

/// Everything compiled for one service.
#[derive(Debug, Clone, PartialEq)]
pub struct Toolpack {
    /// `tp_…`
    pub id: String,
    /// Its name, for people; with `hosts` it makes the id.
    pub name: String,
    /// The hosts its tools may call, sorted.
    pub hosts: Vec<String>,
    /// Captures it was compiled from, sorted ids.
    pub captures: Vec<String>,
    /// Tools, sorted by name.
    pub tools: Vec<Tool>,
    /// Toolset name → tool names.
    pub toolsets: BTreeMap<String, BTreeSet<String>>,
    /// The Cedar policy text.
    pub policy: String,
    /// The Cedar schema text.
    pub policy_schema: String,
    /// The endpoints as accepted: templates are pinned to these.
    pub baseline: Vec<crate::endpoint::Endpoint>,
}

/// The name of the toolset served when none is asked for.
pub const DEFAULT_TOOLSET: &str = "readonly";

impl Tool {
    /// The digest that an approval signs.
    ///
    /// # Errors
    /// As [`crate::canon::digest`].
    pub fn digest(&self) -> Result<Digest, crate::canon::CanonError> {
        crate::canon::digest(self)
    }
}
