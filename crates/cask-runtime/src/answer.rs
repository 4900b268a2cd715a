//! Guard 9: what the agent gets to see: redacted, within bounds, and fitting the output schema.

use cask_core::guard::{Denial, ReasonCode, Rules};
use cask_core::redact::{Profile, Redactor};
use cask_core::toolpack::{Binding, Tool};
use serde_json::{Map, Value, json};

use crate::cut::cut;
use crate::named;
use crate::secret::Credentials;
use crate::upstream::{Answer, is_json};

/// An agent is shown at most this much of one answer.
pub const MAX_SHOWN: usize = 256 * 1024;
/// Of the body of an upstream error, at most this much.
const MAX_ERROR_SHOWN: usize = 4 * 1024;

/// The result of a call as an agent sees it. Every outcome becomes one of these, in every door.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Why it ended as it did.
    pub reason_code: ReasonCode,
    /// Whether the call failed or was refused.
    pub is_error: bool,
    /// For the model to read: the answer itself, or a JSON object with `reason_code` and `message`.
    pub text: String,
    /// The structured result, only where it fits the tool's output schema.
    pub structured: Option<Value>,
    /// The answer was too long and was cut.
    pub cut: bool,
}

impl Outcome {
    /// A refusal, with everything that the denial says.
    #[must_use]
    pub fn refused(denial: &Denial) -> Self {
        let text = serde_json::to_string(denial).unwrap_or_else(|_| denial.message.clone());
        Self { reason_code: denial.reason_code, is_error: true, text, structured: None, cut: false }
    }

    fn failed(reason_code: ReasonCode, members: Value, cut: bool) -> Self {
        let mut object = Map::from_iter([("reason_code".to_owned(), json!(reason_code))]);
        if let Value::Object(members) = members {
            object.extend(members);
        }
        let text = Value::Object(object).to_string();
        Self { reason_code, is_error: true, text, structured: None, cut }
    }
}

/// JSON nested deeper than this is text to us.
const MAX_DEPTH: usize = 128;

/// A body as JSON. The parser has a limit of its own, and a key that gets around it.
fn parsed(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body).ok().filter(|value| !deeper(value, MAX_DEPTH))
}

fn deeper(value: &Value, levels: usize) -> bool {
    match (value, levels) {
        (Value::Array(_) | Value::Object(_), 0) => true,
        (Value::Array(items), _) => items.iter().any(|item| deeper(item, levels - 1)),
        (Value::Object(members), _) => members.values().any(|member| deeper(member, levels - 1)),
        _ => false,
    }
}

/// Makes an outcome of what the upstream answered.
#[must_use]
pub fn outcome(rules: &Rules, tool: &Tool, credentials: &Credentials, answer: Answer) -> Outcome {
    let status = answer.status;
    if !status.is_success() {
        let (body, cut) = shown_error(credentials, &answer);
        let message = format!("the upstream answered {status}");
        let members = json!({ "message": message, "status": status.as_u16(), "body": body, "cut": cut });
        return Outcome::failed(ReasonCode::UpstreamError, members, cut);
    }
    let json = is_json(&answer.media) || answer.media.is_empty();
    let Some(mut value) = json.then(|| parsed(&answer.body)).flatten() else {
        return text(tool, credentials, &answer);
    };
    clean(credentials, &mut value);
    let Binding::Http(binding) = &tool.binding;
    if binding.wrap {
        value = json!({ "result": value });
    }
    let cut = cut(&mut value, MAX_SHOWN);
    let text = value.to_string();
    if tool.output_schema.is_none() {
        return Outcome {
            reason_code: ReasonCode::AllowedPolicy,
            is_error: false,
            text,
            structured: None,
            cut,
        };
    }
    match rules.output_fits(&tool.name, &value) {
        Ok(()) => Outcome {
            reason_code: ReasonCode::AllowedPolicy,
            is_error: false,
            text,
            structured: Some(value),
            cut,
        },
        Err(faults) => {
            let message = if cut {
                "the answer was too long, and cut it no longer fits the tool's output schema"
            } else {
                "the upstream's answer does not fit the tool's output schema"
            };
            let status = status.as_u16();
            let members =
                json!({ "message": message, "status": status, "faults": faults, "body": value, "cut": cut });
            Outcome::failed(ReasonCode::OutputSchemaMismatch, members, cut)
        }
    }
}

/// An answer that is not JSON: its text, or how many bytes it is.
fn text(tool: &Tool, credentials: &Credentials, answer: &Answer) -> Outcome {
    let (shown, cut) = readable(credentials, answer, MAX_SHOWN);
    if tool.output_schema.is_some() {
        let message = format!(
            "the upstream answered {} without the JSON that the tool's output schema asks for",
            answer.status
        );
        let members =
            json!({ "message": message, "status": answer.status.as_u16(), "body": shown, "cut": cut });
        return Outcome::failed(ReasonCode::OutputSchemaMismatch, members, cut);
    }
    let text = if answer.body.is_empty() { format!("{} (no content)", answer.status) } else { shown };
    Outcome { reason_code: ReasonCode::AllowedPolicy, is_error: false, text, structured: None, cut }
}

fn shown_error(credentials: &Credentials, answer: &Answer) -> (Value, bool) {
    if let Some(mut value) = parsed(&answer.body) {
        clean(credentials, &mut value);
        let cut = cut(&mut value, MAX_ERROR_SHOWN);
        return (value, cut || answer.cut);
    }
    let (text, cut) = readable(credentials, answer, MAX_ERROR_SHOWN);
    (Value::String(text), cut || answer.cut)
}

/// The body as text; bytes that are not text are only counted.
fn readable(credentials: &Credentials, answer: &Answer, limit: usize) -> (String, bool) {
    let text = match std::str::from_utf8(&answer.body) {
        Ok(text) => text,
        // A character that the end broke off is no reason to show nothing.
        Err(error) if answer.cut && error.error_len().is_none() => {
            let good = answer.body.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(good).unwrap_or_default()
        }
        Err(_) => {
            let media: String = answer.media.chars().filter(char::is_ascii_graphic).take(80).collect();
            return (format!("({} bytes of {media})", answer.body.len()), false);
        }
    };
    // Masked before it is cut: half a credential would not be found.
    let masked = credentials.mask(text.to_owned(), answer.cut);
    let redactor = Redactor::new(Profile::DefaultSafe);
    let named = named::redact(&redactor, &masked);
    let mut value = Value::String(redactor.text(&named).into_owned());
    let cut = cut(&mut value, limit);
    (value.as_str().unwrap_or_default().to_owned(), cut)
}

/// Credentials of this gateway, then whatever else looks secret or personal.
fn clean(credentials: &Credentials, value: &mut Value) {
    credentials.mask_value(value);
    Redactor::new(Profile::DefaultSafe).value(value);
}
