//! The guard chain: whether one call may be made, as a pure function.
//!
//! [`decide`] walks [`GUARDS`] in order. Each guard either adds to the draft of the call or refuses it
//! with a [`Denial`]; only a draft that has passed them all becomes a [`Permit`], and only a permit can
//! be sent. Whatever is unexpected is a denial.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::canon::Digest;
use crate::endpoint::{Auth, Effect};
use crate::lock::ApprovedTool;
use crate::toolpack::Guards;

pub mod args;
pub mod body;
pub mod confirm;
pub mod counters;
mod dots;
pub mod encode;
pub mod policy;
pub mod reason;
pub mod request;
mod scope;
pub mod surface;
pub mod tool;

pub use counters::{Calls, Counters};
pub use reason::{REASONS, Reason, ReasonCode};
pub use request::{Base, Request};
pub use surface::Rules;

/// One guard of the chain.
#[derive(Debug)]
pub struct Guard {
    /// Its name, as denials give it.
    pub name: &'static str,
    /// What it makes sure of, one line.
    pub title: &'static str,
    check: for<'a> fn(&mut Draft<'a>) -> Result<(), Denial>,
}

/// The guards of a decision, in the order they are asked. Those that need the network (egress, limits of
/// the answer) and the audit record come after, in the runtime.
pub static GUARDS: &[Guard] = &[
    Guard {
        name: "surface",
        title: "the lockfile is not rolled back and the toolset is approved",
        check: surface::check,
    },
    Guard {
        name: "tool",
        title: "the tool is the approved one and in the served toolset",
        check: tool::check,
    },
    Guard {
        name: "arguments",
        title: "the arguments fit the input schema, with nothing unknown, huge or deep",
        check: args::check,
    },
    Guard {
        name: "scope",
        title: "the arguments are within the limits of the tool's scopes",
        check: scope::check,
    },
    Guard {
        name: "request",
        title: "the finished URL still matches the signed host and path",
        check: request::check,
    },
    Guard { name: "policy", title: "the policy permits the call, within its budgets", check: policy::check },
    Guard {
        name: "confirmation",
        title: "a person confirmed the call where the policy asks",
        check: confirm::check,
    },
];

/// What someone wants done.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Who calls, as the policy sees them.
    pub principal: &'a str,
    /// The toolset that is served.
    pub toolset: &'a str,
    /// The tool's name.
    pub tool: &'a str,
    /// The arguments.
    pub arguments: &'a Map<String, Value>,
}

/// What a decision depends on besides the call and the approved surface.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// The time, for approvals that end and for budgets.
    pub now: Timestamp,
    /// The calls made so far.
    pub counters: &'a Counters,
    /// The highest lockfile revision accepted here for this toolpack.
    pub highest_revision: u64,
}

/// A call on its way through the chain.
#[derive(Debug)]
pub struct Draft<'a> {
    rules: &'a Rules,
    call: Call<'a>,
    moment: Moment<'a>,
    tool: Option<&'a ApprovedTool>,
    request: Option<Request>,
    ruling: Option<policy::Ruling>,
    /// A scope of the tool wants each call confirmed.
    asks: bool,
}

impl<'a> Draft<'a> {
    /// The tool, once the tool guard has found it.
    fn tool(&self) -> Result<&'a ApprovedTool, Denial> {
        self.tool.ok_or_else(|| Denial::new(ReasonCode::ErrorInternal, "no tool was chosen"))
    }
}

/// Leave to make one call. Made only by [`decide`], cannot be copied, and is used up by sending.
#[derive(Debug)]
pub struct Permit {
    tool: String,
    digest: Digest,
    effect: Effect,
    request: Request,
    limits: Guards,
    accept: Vec<String>,
    auth: Vec<Auth>,
    policies: Vec<String>,
}

impl Permit {
    /// The tool's name.
    #[must_use]
    pub fn tool(&self) -> &str {
        &self.tool
    }
    /// The approved tool's digest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
    /// What the call does.
    #[must_use]
    pub fn effect(&self) -> Effect {
        self.effect
    }
    /// The finished request, without credentials.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }
    /// Time and size limits.
    #[must_use]
    pub fn limits(&self) -> Guards {
        self.limits
    }
    /// Media types the answer may have.
    #[must_use]
    pub fn accept(&self) -> &[String] {
        &self.accept
    }
    /// How the call authenticates.
    #[must_use]
    pub fn auth(&self) -> &[Auth] {
        &self.auth
    }
    /// The policies that permitted it.
    #[must_use]
    pub fn policies(&self) -> &[String] {
        &self.policies
    }
}

/// A refusal. It never holds an argument's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Denial {
    /// Why.
    pub reason_code: ReasonCode,
    /// The guard that refused; empty if none did (an internal error).
    pub guard: &'static str,
    /// What happened, in one sentence.
    pub message: String,
    /// The policies that determined it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<String>,
    /// Single faults, each with its JSON pointer into the arguments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// What a confirmation of this exact call must be for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge: Option<String>,
}

/// One thing that is wrong with the arguments.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    /// RFC 6901 pointer into the arguments.
    pub pointer: String,
    /// What is wrong, without the value.
    pub message: String,
}

impl Denial {
    /// A refusal with a reason and a sentence.
    pub fn new(reason_code: ReasonCode, message: impl Into<String>) -> Self {
        Self {
            reason_code,
            guard: "",
            message: message.into(),
            policies: Vec::new(),
            faults: Vec::new(),
            challenge: None,
        }
    }
}

/// Decides one call: a permit, or the first refusal of the chain.
///
/// Same surface, call and moment, same answer.
///
/// # Errors
/// The [`Denial`].
pub fn decide(rules: &Rules, call: Call<'_>, moment: Moment<'_>) -> Result<Permit, Denial> {
    let mut draft = Draft { rules, call, moment, tool: None, request: None, ruling: None, asks: false };
    for guard in GUARDS {
        (guard.check)(&mut draft).map_err(|denial| Denial { guard: guard.name, ..denial })?;
    }
    let tool = draft.tool()?;
    let (Some(request), Some(ruling)) = (draft.request, draft.ruling) else {
        return Err(Denial::new(ReasonCode::ErrorInternal, "the chain ended without a request or a ruling"));
    };
    let crate::toolpack::Binding::Http(binding) = &tool.tool.binding;
    Ok(Permit {
        tool: tool.tool.name.clone(),
        digest: tool.digest,
        effect: tool.tool.effect,
        request,
        limits: tool.tool.guards,
        accept: binding.accept.iter().cloned().collect(),
        auth: binding.auth.iter().cloned().collect(),
        policies: ruling.policies,
    })
}

/// The fingerprint that stands for a call's arguments in records: a digest of their JSON with sorted keys.
///
/// Unlike [`crate::canon::digest`] it takes whole numbers of any size, as an argument may be one.
#[must_use]
pub fn fingerprint(tool: &str, arguments: &Map<String, Value>) -> Digest {
    let mut text = String::new();
    sorted(&Value::String(tool.to_owned()), &mut text);
    sorted_object(arguments, &mut text);
    Digest::of_bytes(text.as_bytes())
}

fn sorted(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for item in items {
                sorted(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Object(members) => sorted_object(members, out),
        leaf => out.push_str(&leaf.to_string()),
    }
}

fn sorted_object(members: &Map<String, Value>, out: &mut String) {
    let mut keys: Vec<_> = members.iter().collect();
    keys.sort_by_key(|(key, _)| *key);
    out.push('{');
    for (key, value) in keys {
        out.push_str(&Value::String(key.clone()).to_string());
        out.push(':');
        sorted(value, out);
        out.push(',');
    }
    out.push('}');
}

/// JSON Schema calls `5.0` an integer too.
fn whole(number: &serde_json::Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9.0e15)?;
        format!("{float:.0}").parse().ok()
    })
}

#[cfg(test)]
mod tests;
