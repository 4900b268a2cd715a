//! Guard 3: the arguments fit the input schema. Faults name the place and never the value.

use jsonschema::{PatternOptions, Validator};
use serde_json::{Map, Value};

use super::tool::shown;
use super::{Denial, Draft, Fault, ReasonCode};
use crate::toolpack::ObjectSchema;

/// Arguments larger than this (as JSON, about) are refused unread.
pub const MAX_BYTES: usize = 1 << 20;
/// Arguments nested deeper than this are refused unread.
pub const MAX_DEPTH: usize = 32;
/// More faults than this help nobody.
const MAX_FAULTS: usize = 20;

pub(super) fn check(draft: &mut Draft<'_>) -> Result<(), Denial> {
    let tool = draft.tool()?;
    let arguments = draft.call.arguments;
    let refuse = |faults: Vec<Fault>| {
        let first = faults.first().map_or(String::new(), |fault| match fault.pointer.as_str() {
            "" => format!(": {}", fault.message),
            pointer => format!(": at {pointer}: {}", fault.message),
        });
        let message = format!("the arguments do not fit the input schema of `{}`{first}", tool.tool.name);
        Denial { faults, ..Denial::new(ReasonCode::DeniedParamValidation, message) }
    };
    let whole = |message: String| vec![Fault { pointer: String::new(), message }];

    if size(arguments, 0).is_none() {
        let limit = format!("they are larger than {MAX_BYTES} bytes or deeper than {MAX_DEPTH} levels");
        return Err(refuse(whole(limit)));
    }
    let known = tool.tool.input_schema.get("properties").and_then(Value::as_object);
    let unknown: Vec<Fault> = arguments
        .keys()
        .filter(|name| known.is_none_or(|known| !known.contains_key(*name)))
        .take(MAX_FAULTS)
        .map(|name| Fault {
            pointer: format!("/{}", crate::json::token(&shown(name))),
            message: "unknown argument".to_owned(),
        })
        .collect();
    if !unknown.is_empty() {
        return Err(refuse(unknown));
    }
    let validator = draft.rules.input(tool).map_err(|error| {
        let message = format!("the input schema of `{}` cannot be used: {error}", tool.tool.name);
        Denial::new(ReasonCode::DeniedSchemaInvalid, message)
    })?;
    faults(validator, &Value::Object(arguments.clone())).map_err(refuse)
}

/// A validator whose patterns run in linear time and which fetches nothing.
pub(super) fn compile(schema: &ObjectSchema, formats: bool) -> Result<Validator, String> {
    jsonschema::draft202012::options()
        .with_pattern_options(PatternOptions::regex())
        .should_validate_formats(formats)
        .build(&Value::Object((**schema).clone()))
        .map_err(|error| {
            let place = error.instance_path().to_string();
            format!("at {}: {}", if place.is_empty() { "/" } else { &place }, error.masked())
        })
}

/// What does not fit, in the order of the schema.
pub(super) fn faults(validator: &Validator, value: &Value) -> Result<(), Vec<Fault>> {
    if validator.is_valid(value) {
        return Ok(());
    }
    let faults: Vec<Fault> = validator
        .iter_errors(value)
        .take(MAX_FAULTS)
        .map(|error| Fault {
            pointer: error.instance_path().to_string().chars().take(300).collect(),
            message: error.masked().to_string().chars().take(300).collect(),
        })
        .collect();
    Err(faults)
}

/// About how many bytes of JSON this is; `None` beyond the limits.
fn size(members: &Map<String, Value>, depth: usize) -> Option<usize> {
    if depth > MAX_DEPTH {
        return None;
    }
    members
        .iter()
        .try_fold(2, |sum: usize, (key, value)| bounded(sum + key.len() + 4 + of(value, depth + 1)?))
}

fn of(value: &Value, depth: usize) -> Option<usize> {
    match value {
        Value::String(text) => bounded(text.len() + 2),
        Value::Array(items) if depth <= MAX_DEPTH => {
            items.iter().try_fold(2, |sum: usize, item| bounded(sum + 1 + of(item, depth + 1)?))
        }
        Value::Object(members) => size(members, depth),
        Value::Array(_) => None,
        _ => Some(8),
    }
}

fn bounded(size: usize) -> Option<usize> {
    (size <= MAX_BYTES).then_some(size)
}
