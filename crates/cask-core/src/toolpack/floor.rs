//! The least risk that a tool can have, told from what its approval signs alone.
//!
//! Effect and risk come from a whole capture, and stand in `tools.json`, which whoever can write the repository can edit.
//! How many signers a tool takes must not hang on that: its request alone says part of it, and this part cannot be argued
//! away.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::endpoint::effect::{Signals, Verdict, classify};
use crate::endpoint::{Effect, Operation, Place, Risk};

use super::{Binding, Tool};

/// What the request of a tool says of its risk, whatever the tool says itself.
#[must_use]
pub fn risk(tool: &Tool) -> Risk {
    let (signals, open) = signals(tool);
    let elsewhere = paths(tool, &signals.path).into_iter().map(|path| {
        let said = Signals { path, ..signals.clone() };
        classify(&said).risk
    });
    let highest = elsewhere.max().unwrap_or(Risk::Safe);
    verdict(&signals, open).risk.max(highest).max(tool.risk)
}

/// What the request of a tool says, and whether it carries code or a body of any shape.
fn signals(tool: &Tool) -> (Signals, bool) {
    let Binding::Http(http) = &tool.binding;
    let mut signals = Signals {
        method: http.method.to_ascii_uppercase(),
        path: decoded(&http.path.to_string()),
        ..Signals::default()
    };
    for (argument, to) in http.args.iter().filter(|(_, to)| to.place == Place::Query) {
        signals.query.insert(to.name.clone(), choices(tool, argument));
    }
    for (name, value) in &http.fixed_query {
        signals.query.entry(name.clone()).or_default().push(value.clone());
    }
    let mut document = signals.query.get("query").and_then(|values| values.first().cloned());
    let mut open = http.args.values().any(|to| is_code(&to.name));
    if let Some(body) = &http.body {
        signals.request = body.members.values().cloned().collect::<BTreeSet<_>>();
        body.fixed.iter().for_each(|(name, value)| names(name, value, 0, &mut signals.request));
        document =
            document.or_else(|| body.fixed.get("query").and_then(|query| query.as_str().map(str::to_owned)));
        open |= body.whole.is_some() || body.members.values().any(|name| is_code(name));
    }
    signals.operation = document.as_deref().map(operation);
    (signals, open)
}

fn verdict(signals: &Signals, open: bool) -> Verdict {
    let mut verdict = classify(signals);
    // What a call does that carries code, or a body of any shape, nobody can tell from its form.
    if open && !matches!(signals.method.as_str(), "GET" | "HEAD" | "OPTIONS") {
        verdict.risk = verdict.risk.max(Risk::Medium);
    }
    verdict
}

/// Paths that would say what this request says elsewhere: in a JSON-RPC method, a header that names the operation, an
/// action among a body's members, or a parameter of the path that can only be few words.
fn paths(tool: &Tool, path: &str) -> Vec<String> {
    let Binding::Http(http) = &tool.binding;
    let headers =
        http.fixed_headers.iter().filter(|(name, _)| NAMING.contains(&name.to_ascii_lowercase().as_str()));
    let mut acts: Vec<String> = headers.map(|(_, value)| value.trim_matches('"').to_owned()).collect();
    if let Some(body) = &http.body {
        let fixed = body.fixed.iter().filter(|(name, _)| is_act(name));
        acts.extend(fixed.filter_map(|(_, value)| value.as_str().map(str::to_owned)));
        let members = body.members.iter().filter(|(_, member)| is_act(member));
        acts.extend(members.flat_map(|(argument, _)| choices(tool, argument)));
    }
    // the end of a URL (SOAP) or of a name is what acts
    let last = |act: &String| act.rsplit(['/', '#']).next().unwrap_or_default().to_owned();
    let mut out: Vec<String> = acts.iter().map(|act| format!("{path}/{}", last(act))).collect();
    for (argument, to) in http.args.iter().filter(|(_, to)| to.place == Place::Path) {
        let place = format!("{{{}}}", to.name);
        out.extend(choices(tool, argument).iter().map(|value| path.replace(&place, value)));
    }
    out
}

/// Headers that name an operation (AWS, SOAP).
const NAMING: [&str; 2] = ["x-amz-target", "soapaction"];

/// A member of a body that names an operation: JSON-RPC's, and what people call it themselves.
fn is_act(member: &str) -> bool {
    matches!(
        member.to_ascii_lowercase().as_str(),
        "method" | "action" | "operation" | "op" | "verb" | "command" | "cmd"
    )
}

/// The words that an argument can only be, by its schema.
fn choices(tool: &Tool, argument: &str) -> Vec<String> {
    let Some(schema) = tool.input_schema.get("properties").and_then(|all| all.get(argument)) else {
        return Vec::new();
    };
    let list = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
    let texts = list.chain(schema.get("const")).filter_map(Value::as_str);
    texts.take(64).map(str::to_owned).collect()
}

/// An argument that is a program of its own.
fn is_code(name: &str) -> bool {
    matches!(
        name.to_ascii_lowercase().as_str(),
        "query" | "sql" | "code" | "script" | "command" | "cmd" | "eval"
    )
}

/// A path as a server reads it: percent-decoded until nothing changes.
fn decoded(path: &str) -> String {
    let mut text = path.to_owned();
    for _ in 0..4 {
        let once: Vec<u8> = percent(text.as_bytes());
        let again = String::from_utf8_lossy(&once).into_owned();
        if again == text {
            break;
        }
        text = again;
    }
    text
}

fn percent(bytes: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        match after {
            [high, low, tail @ ..] if *first == b'%' => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    rest = tail;
                }
                _ => {
                    out.push(*first);
                    rest = after;
                }
            },
            _ => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

/// The names of what is always sent, at any depth.
fn names(at: &str, value: &Value, depth: usize, out: &mut BTreeSet<String>) {
    out.insert(at.to_owned());
    if let (Value::Object(members), true) = (value, depth < 8) {
        members.iter().for_each(|(name, value)| names(&format!("{at}/{name}"), value, depth + 1, out));
    }
}

/// A GraphQL document: one that could change something does, whatever its form hides.
fn operation(document: &str) -> Operation {
    let code = document.lines().map(|line| line.split('#').next().unwrap_or_default());
    let text = code.collect::<Vec<_>>().join(" ");
    let words = |text: &str| -> Vec<String> {
        let name = |c: char| !c.is_ascii_alphanumeric() && c != '_';
        text.split(name).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let all = words(&text);
    let kind = ["mutation", "subscription"].into_iter().find(|kind| all.iter().any(|word| word == kind));
    let inner = text.split_once('{').map(|(_, inner)| inner).unwrap_or_default();
    let fields = if kind == Some("mutation") { words(inner) } else { Vec::new() };
    Operation {
        kind: kind.unwrap_or("query").to_owned(),
        name: String::new(),
        document: String::new(),
        persisted: None,
        persisted_as: None,
        fields: fields.into_iter().take(32).collect(),
    }
}

/// Whether a tool says that it reads, and its request says that it does not: a method that changes (RFC 9110, section
/// 9.2.1), or a POST to something of high risk. A policy goes by what a tool says it does.
#[must_use]
pub fn is_understated(tool: &Tool) -> bool {
    let Binding::Http(http) = &tool.binding;
    if tool.effect != Effect::Read {
        return false;
    }
    matches!(http.method.as_str(), "PUT" | "PATCH" | "DELETE") || {
        let (signals, open) = signals(tool);
        let verdict = verdict(&signals, open);
        verdict.effect != Effect::Read && verdict.risk >= Risk::High
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(method: &str, path: &str, body: Value) -> Tool {
        serde_json::from_value(serde_json::json!({
            "name": "x", "title": "x", "description": "X.", "input_schema": { "type": "object" },
            "annotations": { "readOnlyHint": true, "destructiveHint": false, "idempotentHint": true,
                "openWorldHint": true },
            "effect": "read", "risk": "safe", "reasons": [], "scope": "x",
            "guards": { "timeout_ms": 1, "max_response_bytes": 1 },
            "binding": { "http": { "method": method, "scheme": "https", "host": "a.example", "path": path,
                "body": body } },
            "evidence": { "endpoint": "ep_0123456789ab" }
        }))
        .unwrap()
    }

    fn acting(header: &str, value: &str) -> Tool {
        let mut tool = tool("POST", "/", Value::Null);
        let Binding::Http(http) = &mut tool.binding;
        http.fixed_headers.insert(header.to_owned(), value.to_owned());
        tool
    }

    fn pinned(path: &str, value: &str) -> Tool {
        let mut tool = serde_json::to_value(tool("POST", path, Value::Null)).unwrap();
        tool["input_schema"]["properties"] = serde_json::json!({ "act": { "const": value } });
        tool["binding"]["http"]["args"] = serde_json::json!({ "act": { "in": "path", "name": "act" } });
        serde_json::from_value(tool).unwrap()
    }

    #[test]
    fn what_a_request_says_cannot_be_argued_away() {
        let json =
            |fixed: Value| serde_json::json!({ "media": "application/json", "members": {}, "fixed": fixed });
        let graphql = |document: &str| json(serde_json::json!({ "query": document }));
        for (what, tool, least) in [
            ("a plain read", tool("GET", "/users", Value::Null), Risk::Low),
            ("a payment", tool("POST", "/payments", Value::Null), Risk::Critical),
            ("the same, percent-encoded", tool("POST", "/%70ayments", Value::Null), Risk::Critical),
            ("and twice", tool("POST", "/%2570ayments", Value::Null), Risk::Critical),
            ("a delete", tool("DELETE", "/users/{id}", Value::Null), Risk::High),
            ("a mutation", tool("POST", "/graphql", graphql("mutation { deleteAllUsers }")), Risk::High),
            (
                "behind a comment",
                tool("POST", "/graphql", graphql("#\nmutation { deleteAllUsers }")),
                Risk::High,
            ),
            ("behind a comma", tool("POST", "/graphql", graphql(",mutation { deleteAllUsers }")), Risk::High),
            (
                "behind a query",
                tool("POST", "/graphql", graphql("query A {x} mutation B {deleteUser}")),
                Risk::High,
            ),
            (
                "a JSON-RPC call",
                tool("POST", "/rpc", json(serde_json::json!({ "jsonrpc": "2.0", "method": "users.delete" }))),
                Risk::High,
            ),
            ("an operation in a header", acting("X-Amz-Target", "DynamoDB_20120810.DeleteTable"), Risk::High),
            (
                "a SOAP action",
                acting("SOAPAction", "\"http://a.example/bank#RefundPayment\""),
                Risk::Critical,
            ),
            ("one word of a path", pinned("/users/{act}", "delete"), Risk::High),
            (
                "a role",
                tool("POST", "/x", json(serde_json::json!({ "order": { "role": "admin" } }))),
                Risk::High,
            ),
        ] {
            assert!(risk(&tool) >= least, "{what}: {:?}", risk(&tool));
            // What it says elsewhere than in its method and path raises its risk, and makes no file unreadable.
            let elsewhere =
                ["a JSON-RPC call", "an operation in a header", "a SOAP action", "one word of a path"];
            assert!(elsewhere.contains(&what) || is_understated(&tool) == (least >= Risk::High), "{what}");
        }
        assert_eq!(risk(&tool("GET", "/users", Value::Null)), Risk::Low);
        assert!(!is_understated(&tool("POST", "/users/search", Value::Null)));
    }
}
