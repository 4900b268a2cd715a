//! A path as resources and a deed: what names, descriptions and scopes are made of.

use crate::endpoint::{Endpoint, Segment, TypeSet};

use super::verbs::{ACTIONS, RPC_VERBS};
use super::words;

/// A path as resources: what a name and a description are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Resources from left to right.
    pub parts: Vec<Part>,
    /// What is done to the last resource, where the path says it (`cancel`, `search`).
    pub action: Vec<String>,
    /// Leading words that say nothing about the resource: `api`, `v2`.
    pub dropped: Vec<String>,
}

/// One resource of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its words, as in the path.
    pub words: Vec<String>,
    /// Whether a parameter follows, so that one item is meant.
    pub item: bool,
}

impl Part {
    /// The words as they read in a name: singular if one item is meant.
    #[must_use]
    pub fn spoken(&self) -> Vec<String> {
        if self.item { words::singular_last(&self.words) } else { self.words.clone() }
    }
}

/// The resources of an endpoint's path.
#[must_use]
pub fn shape(endpoint: &Endpoint) -> Shape {
    let mut shape = Shape { parts: Vec::new(), action: Vec::new(), dropped: Vec::new() };
    let segments = endpoint.template.segments();
    for (index, segment) in segments.iter().enumerate() {
        let last = index + 1 == segments.len();
        match segment {
            Segment::Literal(text) => {
                let (text, deed) = text.split_once(':').unwrap_or((text, ""));
                shape.literal(&words::split(extensionless(text)), last);
                if !deed.is_empty() {
                    shape.action = words::split(deed);
                }
            }
            Segment::Param { suffix, .. } => {
                if let Some(part) = shape.parts.last_mut() {
                    part.item = true;
                }
                if let Some(deed) = suffix.strip_prefix(':') {
                    shape.action = words::split(deed);
                }
            }
        }
    }
    shape.take_action(endpoint);
    // `GET /project` that answers with a list is about projects
    if let Some(last) = shape.parts.last_mut().filter(|part| !part.item)
        && shape.action.is_empty()
        && lists(endpoint)
        && let Some(noun) = last.words.last_mut()
    {
        *noun = words::plural(noun);
    }
    shape
}

/// Whether all that was answered to a `GET` that worked is lists.
fn lists(endpoint: &Endpoint) -> bool {
    let worked = endpoint.responses.iter().filter(|(status, _)| (200..300).contains(*status));
    let mut bodies = worked.flat_map(|(_, response)| response.content.values()).peekable();
    endpoint.method == "GET"
        && bodies.peek().is_some()
        && bodies.all(|payload| payload.schema.types == TypeSet::ARRAY)
}

impl Shape {
    fn literal(&mut self, words: &[String], last: bool) {
        let Some(first) = words.first() else { return };
        if super::hostile::commands(&words.join(" ")) {
            return;
        }
        let prefix = matches!(first.as_str(), "api" | "rest" | "public" | "index" | "php" | "latest");
        let noise = words.len() == 1 && (prefix || is_version(first))
            || words.len() == 2
                && (is_number(first) || prefix)
                && words.iter().skip(1).all(|w| is_number(w) || is_version(w));
        if noise && self.parts.is_empty() && !last || words.iter().all(|word| is_version(word)) && !last {
            self.dropped.extend(words.iter().cloned());
        } else {
            self.parts.push(Part { words: words.to_vec(), item: false });
        }
    }

    /// Moves a trailing deed out of the resources.
    fn take_action(&mut self, endpoint: &Endpoint) {
        let Some(last) = self.parts.last().filter(|part| !part.item && self.action.is_empty()) else {
            return;
        };
        let Some(first) = last.words.first().map(String::as_str) else { return };
        let rpc = last.words.len() > 1 && RPC_VERBS.contains(&first);
        let reads = matches!(endpoint.method.as_str(), "GET" | "HEAD");
        let deed = last.words.len() == 1
            && if reads {
                matches!(
                    first,
                    "search" | "autocomplete" | "download" | "export" | "count" | "login" | "logout"
                )
            } else {
                endpoint.method != "DELETE" && ACTIONS.contains(&first)
            };
        if rpc || deed {
            self.action = last.words.clone();
            self.parts.pop();
        }
    }

    /// All resources as words for a name, without doubled words.
    pub(super) fn nouns(&self, one: bool) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        let count = self.parts.len();
        for (index, part) in self.parts.iter().enumerate() {
            let last = index + 1 == count;
            let mut spoken = if last && one { words::singular_last(&part.words) } else { part.spoken() };
            if !last && spoken == ["me"] {
                spoken = vec!["my".to_owned()];
            }
            // `/user/user_settings` is about user settings, not about user user settings
            if out.ends_with(&spoken) || spoken.len() > 1 && out.last() == spoken.first() {
                out.pop();
                if out.ends_with(&spoken) {
                    continue;
                }
            }
            out.extend(spoken);
        }
        out
    }
}

fn extensionless(text: &str) -> &str {
    [".json", ".xml", ".php", ".html", ".aspx", ".do"]
        .iter()
        .find_map(|end| text.strip_suffix(end))
        .unwrap_or(text)
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit())
}

/// `v1`, `v2beta1`, `2024`, `1`.
fn is_version(word: &str) -> bool {
    is_number(word)
        || word
            .strip_prefix('v')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()) && rest.len() < 9)
}

/// The verb for an endpoint whose path names no deed.
#[must_use]
pub fn verb(endpoint: &Endpoint, shape: &Shape) -> &'static str {
    let item = shape.parts.last().is_some_and(|part| part.item);
    let plural =
        shape.parts.last().and_then(|part| part.words.last()).is_some_and(|word| words::is_plural(word));
    match endpoint.method.as_str() {
        "GET" if !item && plural => "list",
        "GET" => "get",
        "HEAD" => "check",
        "POST" if item => "update",
        "POST" => "create",
        "PUT" => "replace",
        "PATCH" => "update",
        "DELETE" => "delete",
        "OPTIONS" => "describe",
        _ => "call",
    }
}
