//! The request body: fixed members as signed, arguments where the binding puts them.

use base64::Engine as _;
use serde_json::{Map, Value};

use super::encode::{decoded, deep, percent, plain};
use super::request::{misfit, stands_in};
use super::{Denial, Fault, ReasonCode};
use crate::canon::{self, Digest};
use crate::endpoint::steer;
use crate::toolpack::{BodyBinding, Tool};

/// A body and its content type; `None` where the binding has one but nothing is to be sent.
pub(super) fn build(
    tool: &Tool,
    method: &str,
    body: &BodyBinding,
    arguments: &Map<String, Value>,
) -> Result<Option<(String, Vec<u8>)>, Denial> {
    let media = essence(&body.media);
    if let Some(argument) = &body.whole {
        let Some(value) = arguments.get(argument) else { return Ok(None) };
        // a form that is one argument has its members in an object
        let members: Vec<(&str, &str, &Value)> = match value {
            Value::Object(members) => {
                members.iter().map(|(member, value)| ("", member.as_str(), value)).collect()
            }
            _ => Vec::new(),
        };
        // Names that nobody signed: frameworks read another method under some of them, in JSON too.
        if members.iter().any(|(_, member, _)| steer::parameter_names_method(member)) {
            return Err(misfit(argument, "has a member that names another method"));
        }
        match (media.as_str(), value) {
            ("application/x-www-form-urlencoded", Value::Object(_)) => {
                return Ok(Some((body.media.clone(), form(body, &members)?.into_bytes())));
            }
            ("multipart/form-data", Value::Object(_)) => return multipart(tool, body, &members).map(Some),
            _ => {}
        }
        let bytes = match value {
            Value::String(text) if !is_json(&media) => bytes_of(tool, argument, text)?,
            value => value.to_string().into_bytes(),
        };
        return Ok(Some((body.media.clone(), bytes)));
    }
    let given: Vec<(&str, &str, &Value)> = body
        .members
        .iter()
        .filter_map(|(argument, member)| {
            Some((argument.as_str(), member.as_str(), arguments.get(argument.as_str())?))
        })
        .collect();
    let sends_always = matches!(method, "POST" | "PUT" | "PATCH");
    if given.is_empty() && body.fixed.is_empty() && !sends_always {
        return Ok(None);
    }
    Ok(Some(match media.as_str() {
        "application/x-www-form-urlencoded" => (body.media.clone(), form(body, &given)?.into_bytes()),
        "multipart/form-data" => multipart(tool, body, &given)?,
        media if is_json(media) => (body.media.clone(), json(body, &given).to_string().into_bytes()),
        media => {
            let message =
                format!("a body of type `{}` cannot be built from arguments", super::tool::shown(media));
            return Err(Denial::new(ReasonCode::ErrorInternal, message));
        }
    }))
}

/// The media type without parameters, lower case.
fn essence(media: &str) -> String {
    media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn is_json(media: &str) -> bool {
    media == "application/json" || media.ends_with("+json") || media.ends_with("/json")
}

/// A fixed value as its digest reads it: `1.0` and `1` have one digest, so they must be one value on the wire too.
fn signed(value: &Value) -> Value {
    let canonical = canon::canonical(value).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    // what has no canonical form has no digest, and was never approved
    canonical.unwrap_or(Value::Null)
}

fn json(body: &BodyBinding, given: &[(&str, &str, &Value)]) -> Value {
    let members: Map<String, Value> =
        given.iter().map(|(_, member, value)| ((*member).to_owned(), (*value).clone())).collect();
    let mut top = match &body.under {
        Some(under) => Map::from_iter([(under.clone(), Value::Object(members))]),
        None => members,
    };
    // What is signed wins over what is argued.
    top.extend(body.fixed.iter().map(|(key, value)| (key.clone(), signed(value))));
    Value::Object(top)
}

fn form(body: &BodyBinding, given: &[(&str, &str, &Value)]) -> Result<String, Denial> {
    let mut pairs: Vec<(String, String)> =
        body.fixed.iter().flat_map(|(member, value)| form_pairs(member, &signed(value))).collect();
    let fixed: Vec<String> = pairs.iter().map(|(name, _)| decoded(name)).collect();
    for (argument, member, value) in given.iter().filter(|(_, member, _)| !body.fixed.contains_key(*member)) {
        let produced = form_pairs(member, value);
        // What is signed wins: an object must not bring a second value for it.
        let named = |(name, _): &(String, String)| fixed.iter().any(|other| stands_in(&decoded(name), other));
        if produced.iter().any(named) {
            return Err(misfit(argument, "has a member that would stand in for a fixed one"));
        }
        pairs.extend(produced);
    }
    Ok(pairs.iter().map(|(key, text)| format!("{key}={text}")).collect::<Vec<_>>().join("&"))
}

fn form_pairs(member: &str, value: &Value) -> Vec<(String, String)> {
    match value {
        Value::Array(items) => items.iter().map(|item| (percent(member), percent(&plain(item)))).collect(),
        Value::Object(members) => deep(member, members),
        value => vec![(percent(member), percent(&plain(value)))],
    }
}

/// RFC 7578. The boundary is derived from the content, so that the same call is the same bytes.
fn multipart(
    tool: &Tool,
    body: &BodyBinding,
    given: &[(&str, &str, &Value)],
) -> Result<(String, Vec<u8>), Denial> {
    let mut parts: Vec<(String, Vec<u8>)> = Vec::new();
    let fixed: Vec<(&str, Value)> =
        body.fixed.iter().map(|(member, value)| (member.as_str(), signed(value))).collect();
    let fixed = fixed.iter().map(|(member, value)| ("", *member, value));
    let argued = given.iter().copied().filter(|(_, member, _)| !body.fixed.contains_key(*member));
    for (argument, member, value) in fixed.chain(argued) {
        // As browsers do: the three characters that could end the name are percent-encoded.
        let name = member.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
        let items = match value {
            Value::Array(items) => items.iter().collect(),
            value => vec![value],
        };
        for item in items {
            let (extra, bytes) = match item {
                Value::String(text) if is_file(tool, argument) => {
                    let head = format!("; filename=\"{name}\"\r\nContent-Type: application/octet-stream");
                    (head, bytes_of(tool, argument, text)?)
                }
                Value::Object(_) | Value::Array(_) => {
                    ("\r\nContent-Type: application/json".to_owned(), item.to_string().into_bytes())
                }
                item => (String::new(), plain(item).into_bytes()),
            };
            parts.push((format!("Content-Disposition: form-data; name=\"{name}\"{extra}"), bytes));
        }
    }
    let content: Vec<u8> = parts.iter().flat_map(|(head, bytes)| [head.as_bytes(), bytes].concat()).collect();
    let boundary = format!("cask-{}", Digest::of_bytes(&content).hex());
    let mut out = Vec::new();
    for (head, bytes) in parts {
        out.extend_from_slice(format!("--{boundary}\r\n{head}\r\n\r\n").as_bytes());
        out.extend_from_slice(&bytes);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok((format!("multipart/form-data; boundary={boundary}"), out))
}

/// Whether the input schema says that this argument is the content of a file (in base64).
fn is_file(tool: &Tool, argument: &str) -> bool {
    let schema = tool.input_schema.get("properties").and_then(|properties| properties.get(argument));
    let is = |schema: &Value| {
        schema.get("contentEncoding").and_then(Value::as_str) == Some("base64")
            || matches!(schema.get("format").and_then(Value::as_str), Some("binary" | "byte"))
    };
    schema.is_some_and(|schema| is(schema) || schema.get("items").is_some_and(is))
}

fn bytes_of(tool: &Tool, argument: &str, text: &str) -> Result<Vec<u8>, Denial> {
    if !is_file(tool, argument) {
        return Ok(text.as_bytes().to_vec());
    }
    base64::engine::general_purpose::STANDARD.decode(text).map_err(|_| {
        let message = format!("the argument `{argument}` is not base64");
        let fault = Fault { pointer: format!("/{argument}"), message: "not base64".to_owned() };
        Denial { faults: vec![fault], ..Denial::new(ReasonCode::DeniedParamValidation, message) }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[test]
    fn fixed_numbers_are_sent_as_they_were_signed() {
        let sent = |text: &str| {
            let fixed: BTreeMap<String, Value> =
                BTreeMap::from([("amount".to_owned(), serde_json::from_str(text).unwrap())]);
            let body = BodyBinding {
                media: "application/json".to_owned(),
                members: BTreeMap::new(),
                whole: None,
                fixed,
                under: None,
            };
            (super::json(&body, &[]).to_string(), form(&body, &[]), canon::canonical(&body.fixed).unwrap())
        };
        for text in ["1.0", "1e0", "10E-1"] {
            assert_eq!(sent(text), sent("1"), "{text}");
        }
        assert_eq!(
            sent("{\"b\": 2.50, \"a\": [1.0]}").0,
            json!({"amount": {"a": [1], "b": 2.5}}).to_string()
        );
    }
}
