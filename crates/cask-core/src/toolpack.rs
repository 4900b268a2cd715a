//! From endpoints to what an agent sees: [`Tool`]s, toolsets and everything a toolpack holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::canon::{CanonError, Digest};
use crate::capture::Scheme;
use crate::endpoint::{Auth, Effect, Endpoint, Payload, Place, Reason, Risk, Template};

pub mod baseline;
pub mod bind;
pub mod contract;
pub mod cues;
pub mod describe;
pub mod explain;
pub mod fixed;
pub mod floor;
pub mod hostile;
pub mod keep;
pub mod name;
pub mod policy;
pub mod schema;
pub mod scope;
pub mod shape;
mod verbs;
pub mod words;

use bind::Detail;
pub use explain::{Section, explain};
pub use fixed::Fixed;

/// A JSON Schema that is an object. Clients get what is approved: nothing is copied.
pub type ObjectSchema = Arc<Map<String, Value>>;

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
    pub input_schema: ObjectSchema,
    /// JSON Schema of the structured result, if the answer is JSON. Always `type: object`
    /// (an answer of another type is wrapped as `{"result": …}`, see [`HttpBinding::wrap`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<ObjectSchema>,
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
    pub tools: Vec<Fixed>,
    /// Toolset name → tool names.
    pub toolsets: BTreeMap<String, BTreeSet<String>>,
    /// The Cedar policy text.
    pub policy: String,
    /// The Cedar schema text.
    pub policy_schema: String,
    /// The endpoints as accepted: templates are pinned to these.
    pub baseline: Vec<Endpoint>,
}

/// The name of the toolset served when none is asked for.
pub const DEFAULT_TOOLSET: &str = "readonly";

impl Tool {
    /// The title, unless it only spells the name differently: that is weight without meaning.
    #[must_use]
    pub fn own_title(&self) -> Option<&str> {
        Some(self.title.as_str()).filter(|title| *title != describe::title(&self.name))
    }
}

/// What a toolpack is compiled with, besides its endpoints.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Options {
    /// The toolpack's name, for people; with `hosts` it makes the id.
    pub name: String,
    /// The hosts that were asked for, patterns included: they make the id. Tools may call the hosts of
    /// their endpoints.
    pub hosts: Vec<String>,
    /// Ids of the captures that the endpoints come from.
    pub captures: Vec<String>,
    /// Names that tools already have, by endpoint id; they are kept.
    pub names: BTreeMap<String, String>,
    /// Tools that someone approved, by endpoint id: each stays as it is while it covers what is known now (see
    /// [`keep::covers`]).
    pub approved: BTreeMap<String, Fixed>,
    /// The policy that the toolpack has; it is its owner's and kept as it is. None: [`policy::DEFAULT`].
    pub policy: Option<String>,
    /// The toolsets that the toolpack has. Those that every toolpack has are compiled anew, others are kept
    /// with those of their tools that are still there.
    pub toolsets: BTreeMap<String, BTreeSet<String>>,
}

impl Options {
    /// The names of a toolpack's tools, so that compiling again keeps them.
    #[must_use]
    pub fn names_of(tools: &[Fixed]) -> BTreeMap<String, String> {
        tools.iter().map(|tool| (tool.evidence.endpoint.clone(), tool.name.clone())).collect()
    }
}

/// A tool that cannot be signed.
#[derive(Debug, thiserror::Error)]
#[error("tool `{tool}`: {why}")]
pub struct NoForm {
    /// Its name.
    pub tool: String,
    /// What in it has no canonical form.
    pub why: CanonError,
}

/// The most bytes of a tool as an MCP client gets it.
pub const MAX_ENTRY_BYTES: usize = 16 * 1024;

/// Endpoints that a thread takes at once: the large ones lie side by side.
const SHARE: usize = 8;

/// More arguments never fit: each takes more than 20 bytes.
const MAX_ARGUMENTS: usize = 2_000;

/// Compiles endpoints into a toolpack: one tool per endpoint, whatever their order. An endpoint whose tool would
/// be too large for a client is in the baseline only.
///
/// # Errors
/// [`NoForm`] with the name of the tool that has no canonical form.
pub fn compile(endpoints: Vec<Endpoint>, options: &Options) -> Result<Toolpack, NoForm> {
    let mut baseline = endpoints;
    baseline::sort(&mut baseline);
    baseline.dedup_by(|one, other| one.id == other.id);
    let names = name::names(&baseline, &options.names);
    let fixed = |tool: Tool| {
        let approved = options.approved.get(&tool.evidence.endpoint);
        if let Some(approved) = approved.filter(|approved| keep::covers(approved, &tool)) {
            return Ok(approved.clone());
        }
        let name = tool.name.clone();
        Fixed::new(tool).map_err(|why| NoForm { tool: name, why })
    };
    let made = baseline
        .par_iter()
        .with_max_len(SHARE)
        .filter_map(|endpoint| tool(endpoint, names.get(&endpoint.id)?).map(fixed));
    let made: Vec<Result<Fixed, NoForm>> = made.collect();
    let mut tools = made.into_iter().collect::<Result<Vec<Fixed>, NoForm>>()?;
    tools.sort_by(|one, other| one.name.cmp(&other.name));
    let toolsets = toolsets(&tools, &options.toolsets);
    let mut asked = options.hosts.clone();
    asked.sort();
    asked.dedup();
    // what was asked for names the toolpack and may be a pattern; what tools may call are hosts
    let hosts: BTreeSet<String> = baseline.iter().map(|endpoint| endpoint.host.clone()).collect();
    let mut captures = options.captures.clone();
    captures.sort();
    captures.dedup();
    Ok(Toolpack {
        id: crate::ids::toolpack(&options.name, &asked),
        name: options.name.clone(),
        hosts: hosts.into_iter().collect(),
        captures,
        policy: options.policy.clone().unwrap_or_else(|| policy::DEFAULT.to_owned()),
        policy_schema: policy::schema(&tools, &toolsets),
        tools,
        toolsets,
        baseline,
    })
}

/// The tool of one endpoint, within [`MAX_ENTRY_BYTES`]: first the output schema is left out, then what
/// inputs can do without, then optional arguments, at last the body is one argument. `None` if even that does
/// not fit.
fn tool(endpoint: &Endpoint, name: &str) -> Option<Tool> {
    if endpoint.params.len() > MAX_ARGUMENTS {
        return None;
    }
    let answer = contract::answer(endpoint);
    let silent = endpoint
        .responses
        .iter()
        .any(|(status, response)| (200..300).contains(status) && response.content.is_empty());
    // a structured result cannot be promised where some calls that worked had no body
    let output = answer.as_deref().filter(|_| !silent).map(|answer| {
        let (schema, wrap) = schema::output(answer);
        (object(schema), wrap)
    });
    let wrap = output.as_ref().is_none_or(|(_, wrap)| *wrap);
    let make = |detail: Detail, output_schema: Option<ObjectSchema>| {
        let mut bound = bind::bind(endpoint, detail);
        bound.binding.wrap = wrap;
        Tool {
            name: name.to_owned(),
            title: describe::title(name),
            description: describe::description(endpoint, answer.as_deref()),
            input_schema: object(bound.input),
            output_schema,
            annotations: annotations(endpoint),
            effect: endpoint.effect,
            risk: endpoint.risk,
            reasons: endpoint.reasons.clone(),
            scope: scope::name_of(endpoint),
            guards: Guards::default(),
            binding: Binding::Http(bound.binding),
            evidence: Evidence { endpoint: endpoint.id.clone() },
        }
    };
    let bare = output.as_ref().map(|(_, wrap)| object(schema::bare_output(*wrap)));
    let many = |payload: &Payload| payload.schema.properties.len() > MAX_ARGUMENTS;
    if !endpoint.request.values().any(many) {
        let mut tool = make(Detail::Full, output.map(|(value, _)| value));
        if entry_bytes(&tool) <= MAX_ENTRY_BYTES {
            return Some(tool);
        }
        tool.output_schema.clone_from(&bare);
        if entry_bytes(&tool) <= MAX_ENTRY_BYTES {
            return Some(tool);
        }
        let mut tool = make(Detail::Bare, bare.clone());
        if drop_optional(&mut tool) <= MAX_ENTRY_BYTES {
            return Some(tool);
        }
    }
    let mut tool = make(Detail::Whole, bare);
    (drop_optional(&mut tool) <= MAX_ENTRY_BYTES).then_some(tool)
}

/// A schema of ours, which is always an object.
fn object(schema: Value) -> ObjectSchema {
    match schema {
        Value::Object(members) => Arc::new(members),
        _ => Arc::default(),
    }
}

/// Leaves out optional arguments, last name first, until the tool fits; its bytes then.
fn drop_optional(tool: &mut Tool) -> usize {
    let mut bytes = entry_bytes(tool);
    let required: BTreeSet<String> = strings(tool.input_schema.get("required"));
    let optional: Vec<String> = tool
        .input_schema
        .get("properties")
        .and_then(Value::as_object)
        .map(|all| all.keys().filter(|name| !required.contains(*name)).cloned().collect::<BTreeSet<_>>())
        .unwrap_or_default()
        .into_iter()
        .collect();
    for name in optional.iter().rev() {
        if bytes <= MAX_ENTRY_BYTES {
            break;
        }
        if let Some(properties) =
            Arc::make_mut(&mut tool.input_schema).get_mut("properties").and_then(Value::as_object_mut)
            && let Some(value) = properties.remove(name)
        {
            // with its colon and its comma, which the last one does not have
            let comma = usize::from(!properties.is_empty());
            bytes = bytes.saturating_sub(schema::size(name) + 1 + schema::size(&value) + comma);
        }
        let Binding::Http(binding) = &mut tool.binding;
        binding.args.remove(name);
        if let Some(body) = &mut binding.body {
            body.members.remove(name);
            if body.whole.as_ref() == Some(name) {
                binding.body = None;
            }
        }
    }
    entry_bytes(tool)
}

fn strings(value: Option<&Value>) -> BTreeSet<String> {
    let items = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn annotations(endpoint: &Endpoint) -> Annotations {
    let read = endpoint.effect == Effect::Read;
    Annotations {
        read_only_hint: read,
        // a creation adds; everything else that is no read may overwrite, remove, spend or lock out
        destructive_hint: !(read || endpoint.effect == Effect::Write && endpoint.risk <= Risk::Low),
        idempotent_hint: read || matches!(endpoint.method.as_str(), "PUT" | "DELETE"),
        open_world_hint: true,
    }
}

/// The toolsets that every toolpack has: reads, changes, what needs care, and all.
fn toolsets(
    tools: &[Fixed],
    before: &BTreeMap<String, BTreeSet<String>>,
) -> BTreeMap<String, BTreeSet<String>> {
    let there: BTreeSet<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
    let kept = before.iter().map(|(name, members)| {
        (name.clone(), members.iter().filter(|tool| there.contains(tool.as_str())).cloned().collect())
    });
    let mut all: BTreeMap<String, BTreeSet<String>> = kept.collect();
    let pick = |belongs: &dyn Fn(&Tool) -> bool| {
        tools.iter().filter(|tool| belongs(tool)).map(|tool| tool.name.clone()).collect::<BTreeSet<_>>()
    };
    let calm = |tool: &Tool| tool.risk <= Risk::Medium;
    let changes = |tool: &Tool| matches!(tool.effect, Effect::Write | Effect::Delete);
    all.extend([
        (DEFAULT_TOOLSET.to_owned(), pick(&|tool| tool.effect == Effect::Read && calm(tool))),
        ("write_ops".to_owned(), pick(&|tool| changes(tool) && calm(tool))),
        (
            "high_risk".to_owned(),
            pick(&|tool| !calm(tool) || !(changes(tool) || tool.effect == Effect::Read)),
        ),
        ("operator".to_owned(), pick(&|_| true)),
    ]);
    all
}

/// The `_meta` of a tool in `tools/list`. The digest is its first 16 digits: enough to find the tool in the
/// lockfile, which has the whole one.
#[must_use]
pub fn meta(tool: &Tool, digest: Option<&Digest>) -> Map<String, Value> {
    let mut cask = Map::from_iter([
        ("risk".to_owned(), json!(tool.risk.as_str())),
        ("scope".to_owned(), json!(tool.scope)),
        ("evidence".to_owned(), json!(tool.evidence.endpoint)),
    ]);
    if let Some(digest) = digest {
        cask.insert("digest".to_owned(), json!(digest.hex().chars().take(16).collect::<String>()));
    }
    Map::from_iter([("cask".to_owned(), Value::Object(cask))])
}

/// A tool as an MCP client gets it, without its schemas.
fn head(tool: &Tool, digest: &Digest) -> Value {
    let mut entry = json!({
        "name": tool.name,
        "description": tool.description,
        "annotations": tool.annotations,
        "_meta": meta(tool, Some(digest)),
    });
    if let (Some(entry), Some(title)) = (entry.as_object_mut(), tool.own_title()) {
        entry.insert("title".to_owned(), json!(title));
    }
    entry
}

/// The bytes of a tool in `tools/list`.
#[must_use]
pub fn entry_bytes(tool: &Tool) -> usize {
    // every digest is as long as any other
    let head = schema::size(&head(tool, &Digest::of_bytes(b"")));
    let output =
        tool.output_schema.as_ref().map_or(0, |output| ",\"outputSchema\":".len() + schema::size(output));
    head + ",\"inputSchema\":".len() + schema::size(&tool.input_schema) + output
}

#[cfg(test)]
pub(crate) mod tests;
