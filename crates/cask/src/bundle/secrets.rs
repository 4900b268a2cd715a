//! What redaction would take out of a member. Everything in a toolpack went through it once; what people wrote into it
//! since did not.

use std::borrow::Cow;

use cask_core::artifact::yaml;
use cask_core::finding::Finding;
use cask_core::redact::{Kind, Profile, Redactor};
use cask_core::verify::bundle as rules;
use serde_json::{Value, json};

use super::Members;

/// Kinds that must not be passed on. Personal data of those who approve is meant to be there.
const KINDS: [Kind; 2] = [Kind::Credential, Kind::Token];
/// More of one member help nobody.
const MOST: usize = 20;

/// Every place that holds what looks like a credential: member, kind, and where in it. Never the value.
pub fn find(members: &Members<'_>) -> Vec<Finding> {
    let redactor = Redactor::new(Profile::DefaultSafe);
    let mut findings = Vec::new();
    for (name, bytes) in members {
        // What is no text is refused elsewhere.
        let Ok(text) = std::str::from_utf8(bytes) else { continue };
        let mut search = Search { redactor, found: Vec::new(), at: Vec::new() };
        match tree(name, text) {
            Some(value) => search.value(&value),
            None => search.lines(text),
        }
        let found = search.found.into_iter().take(MOST);
        findings.extend(found.map(|(kind, place)| rules::credential(name, kind.as_str(), &place)));
    }
    findings
}

/// A member as a tree, if its format is one.
fn tree(name: &str, text: &str) -> Option<Value> {
    match name.rsplit('.').next() {
        Some("json") => serde_json::from_str(text).ok(),
        Some("yaml") => yaml::read(name, text).ok(),
        _ => None,
    }
}

struct Search {
    redactor: Redactor,
    found: Vec<(Kind, String)>,
    at: Vec<String>,
}

impl Search {
    /// Every text and every name in a tree, by its look. By the name it stands under only where that is the name of
    /// something that is sent: elsewhere `password` is a field of the service, and what stands there is its type.
    fn value(&mut self, value: &Value) {
        if self.found.len() >= MOST {
            return;
        }
        match value {
            Value::String(text) => self.look(text, None),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.below(index.to_string(), item);
                }
            }
            Value::Object(members) => {
                for (name, member) in members {
                    self.look(name, None);
                    match name.as_str() {
                        "fixed_headers" | "fixed_query" => self.sent(name, member),
                        _ => self.below(name.clone(), member),
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn below(&mut self, step: String, value: &Value) {
        self.at.push(step);
        self.value(value);
        self.at.pop();
    }

    /// Headers (by name) or query pairs (name and value) that go with every call.
    fn sent(&mut self, step: &str, value: &Value) {
        self.at.push(step.to_owned());
        match value {
            Value::Object(headers) => {
                for (name, value) in headers {
                    self.look(value.as_str().unwrap_or_default(), Some(name));
                }
            }
            Value::Array(pairs) => {
                for pair in pairs {
                    let (name, value) =
                        (pair.get(0).and_then(Value::as_str), pair.get(1).and_then(Value::as_str));
                    self.look(value.unwrap_or_default(), name);
                }
            }
            _ => {}
        }
        self.at.pop();
    }

    /// A text without a tree, line by line and as a whole: a private key has many lines.
    fn lines(&mut self, text: &str) {
        for (number, line) in text.lines().enumerate() {
            self.at = vec![format!("line {}", number + 1)];
            self.look(line, None);
        }
        if self.found.is_empty() {
            self.at = vec!["several lines".to_owned()];
            self.look(text, None);
        }
        self.at.clear();
    }

    fn look(&mut self, text: &str, name: Option<&str>) {
        let clean = match name {
            Some(name) => {
                let mut value = json!({ name: text });
                self.redactor.value(&mut value);
                value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
            }
            None => match self.redactor.text(text) {
                Cow::Borrowed(_) => return,
                Cow::Owned(clean) => clean,
            },
        };
        for kind in KINDS {
            let count = |text: &str| text.matches(kind.placeholder()).count();
            if count(&clean) > count(text) {
                self.found.push((kind, self.place()));
            }
        }
    }

    /// A pointer, or a line. A name on the way may be a secret itself.
    fn place(&self) -> String {
        let step = |step: &String| format!("/{}", cask_core::json::token(&self.redactor.text(step)));
        match self.at.as_slice() {
            [line] if line.contains(' ') => line.clone(),
            steps => steps.iter().map(step).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Put together here, so that no scanner takes this file for a leak.
    fn token() -> String {
        format!("ghp_{}", "aB3dE5fG7hJ9".repeat(3))
    }

    fn found(name: &str, text: &str) -> Vec<(String, String)> {
        let members: Members<'_> = [(name.to_owned(), Cow::Borrowed(text.as_bytes()))].into();
        find(&members).into_iter().map(|found| (found.at.pointer, found.message)).collect()
    }

    #[test]
    fn a_credential_is_found_where_it_stands_and_not_repeated() {
        let secret = token();
        for (name, text, place) in [
            (
                "t.json",
                json!({"tools": [{"description": format!("use {secret}")}]}).to_string(),
                "/tools/0/description",
            ),
            (
                "t.json",
                json!({"tools": [{"fixed_headers": {"x-api-key": "hunter2"}}]}).to_string(),
                "/tools/0/fixed_headers",
            ),
            ("t.json", json!({"fixed_query": [["api_key", "hunter2"]]}).to_string(), "/fixed_query"),
            ("s.yaml", format!("a:\n  - b: {secret}\n"), "/a/0/b"),
            ("p.cedar", format!("permit (principal, action, resource);\n// {secret}\n"), "line 2"),
        ] {
            let found = found(name, &text);
            assert_eq!(found.len(), 1, "{name} {text}: {found:?}");
            for (pointer, message) in found {
                assert_eq!(pointer, place);
                assert!(!message.contains(&secret) && !message.contains("hunter2"), "{message}");
            }
        }
    }

    #[test]
    fn fields_of_a_service_are_no_credentials() {
        let text = json!({
            "properties": {"password": {"type": "string"}, "secrets": {"type": "array"}, "token": {"type": "string"}},
            "members": {"password": "password", "api_key": "api_key"},
            "required": ["password", "token"],
            "auth": [{"type": "cookie", "name": "session"}, {"type": "bearer"}],
            "fixed_headers": {"x-api-version": "2026-01-01", "accept": "application/json"},
            "digest": "sha256:867ef4c01d5474e527b460b61b84b92ff16859ee43730d9c8e1c52bd4778f39b",
            "was": "[redacted:credential]",
            "by": "ada@example.com",
        });
        let contracts = "required:\n  /password: [string]\n  /token: [string]\n";
        for (name, text) in [("t.json", text.to_string()), ("c.yaml", contracts.to_owned())] {
            let found = found(name, &text);
            assert!(found.is_empty(), "{found:?}");
        }
    }
}
