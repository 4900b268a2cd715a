//! The signals, taken apart once for all rules.

use std::collections::BTreeSet;

use super::words::{singular, words};
use super::{Signals, rules};

/// What a call may mean by its method (or its GraphQL kind), least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Base {
    /// GET, HEAD, OPTIONS; a GraphQL query or subscription.
    Read,
    /// POST, PUT, PATCH; a mutation.
    Write,
    /// DELETE.
    Delete,
    /// A method no standard knows.
    Unknown,
}

impl Base {
    /// What a method means by itself.
    pub fn of(method: &str) -> Self {
        match method {
            "GET" | "HEAD" | "OPTIONS" => Base::Read,
            "POST" | "PUT" | "PATCH" => Base::Write,
            "DELETE" => Base::Delete,
            _ => Base::Unknown,
        }
    }
}

/// Signals in words.
pub struct Facts<'s> {
    /// What they were.
    pub signals: &'s Signals,
    /// The method that counts: the worst of the one that was sent and those that a header named.
    pub method: &'s str,
    /// By method or operation kind.
    pub base: Base,
    /// The first and last word of the last literal part: where an action is named.
    pub verbs: Vec<String>,
    /// All words of the last literal part.
    pub target: Vec<String>,
    /// The words of everything left of it.
    pub above: Vec<String>,
    /// Whether the last literal is the end of the path (nothing identifies one thing in it).
    pub ends_literal: bool,
    /// Request fields with their flat names.
    pub sent: Vec<(String, &'s str)>,
    /// Response fields likewise.
    pub answered: Vec<(String, &'s str)>,
    /// Why a GET changes something, if it does.
    pub stateful: Option<(&'static str, String)>,
    /// Why a POST only reads, if it does.
    pub reading: Option<String>,
}

/// Extensions of scripts and formats: no words of the API.
const EXTENSIONS: [&str; 10] =
    [".json", ".xml", ".php", ".aspx", ".asp", ".jsp", ".do", ".action", ".html", ".cgi"];

impl<'s> Facts<'s> {
    pub fn of(signals: &'s Signals) -> Self {
        let mut facts = match &signals.operation {
            Some(operation) => Self::of_graphql(signals, &operation.kind, &operation.fields, &operation.name),
            None => Self::of_http(signals),
        };
        facts.reading = rules::reading(&facts);
        facts.stateful = rules::stateful(&facts);
        if facts.changes() {
            // `?action=deleteItem`: the values are the verbs.
            let values = signals
                .query
                .iter()
                .filter(|(name, _)| rules::is_action(name))
                .flat_map(|(_, values)| values);
            for words in values.take(100).map(|value| words(value)) {
                facts.verbs.extend(words.first().cloned());
                facts.target.extend(words);
            }
        }
        facts
    }

    /// Each root field is a name like `refundPayment` or `issueCreate`; its words are target and verbs.
    fn of_graphql(signals: &'s Signals, kind: &str, fields: &[String], name: &str) -> Self {
        let base = if matches!(kind, "query" | "subscription") { Base::Read } else { Base::Write };
        let names: Vec<&str> =
            if fields.is_empty() { vec![name] } else { fields.iter().map(String::as_str).collect() };
        let mut facts = Self::empty(signals, base);
        for name in names {
            let parts = words(name);
            facts.verbs.extend(parts.first().cloned());
            facts.verbs.extend(parts.last().filter(|_| parts.len() > 1).cloned());
            facts.target.extend(parts);
        }
        facts
    }

    fn of_http(signals: &'s Signals) -> Self {
        // an override only raises: which of the two methods a server obeys is not known
        let methods = signals.overrides.iter().chain([&signals.method]);
        let method = methods.max_by_key(|method| Base::of(method)).unwrap_or(&signals.method);
        let mut facts = Self { method, ..Self::empty(signals, Base::of(method)) };
        // A literal part of the path, each with whether a parameter follows in its segment or after it.
        let mut parts: Vec<String> = Vec::new();
        for segment in signals.path.split('/').filter(|segment| !segment.is_empty()) {
            facts.ends_literal = true;
            let mut rest = segment;
            while let Some((before, tail)) = rest.split_once('{') {
                push_part(&mut parts, before);
                facts.ends_literal = false;
                rest = tail.split_once('}').map_or("", |(_, after)| after);
            }
            push_part(&mut parts, rest);
            facts.ends_literal |= rest.starts_with(':');
        }
        if let Some(last) = parts.pop() {
            facts.above = parts.iter().flat_map(|part| words(part)).collect();
            // `chat.postMessage`, `users:batchGet`: the last piece acts, the first pieces say on what.
            let (nouns, action) = match last.rsplit_once([':', '.']) {
                Some((nouns, action)) if !action.is_empty() => (words(nouns), words(action)),
                _ => (Vec::new(), words(&last)),
            };
            facts.verbs.extend(action.first().cloned());
            facts.verbs.extend(action.last().filter(|_| action.len() > 1).cloned());
            facts.target = nouns.into_iter().chain(action).collect();
        }
        facts
    }

    fn empty(signals: &'s Signals, base: Base) -> Self {
        Self {
            signals,
            method: &signals.method,
            base,
            verbs: Vec::new(),
            target: Vec::new(),
            above: Vec::new(),
            ends_literal: false,
            sent: flat(&signals.request),
            answered: flat(&signals.response),
            stateful: None,
            reading: None,
        }
    }

    /// Whether the call changes anything, as far as is known before words are weighed.
    pub fn changes(&self) -> bool {
        match self.base {
            Base::Read => self.stateful.is_some(),
            Base::Write => self.reading.is_none(),
            Base::Delete | Base::Unknown => true,
        }
    }

    /// The first verb of the call that is in the list.
    pub fn verb(&self, list: &[&str]) -> Option<&str> {
        self.verbs.iter().map(String::as_str).find(|word| list.contains(word))
    }

    /// The first word of the target that is in the list of singular nouns.
    pub fn noun(&self, list: &[&str]) -> Option<&str> {
        self.target.iter().map(String::as_str).find(|word| list.contains(&singular(word)))
    }

    /// Likewise of the target or anything above it.
    pub fn anywhere(&self, list: &[&str]) -> Option<&str> {
        let all = self.above.iter().chain(&self.target).map(String::as_str);
        all.into_iter().find(|word| list.contains(&singular(word)))
    }

    /// The first word of target or above that contains one of these stems (`permissionscheme`).
    pub fn stem(&self, list: &[&str]) -> Option<&str> {
        let all = self.above.iter().chain(&self.target).map(String::as_str);
        all.into_iter().find(|word| list.iter().any(|stem| word.contains(stem)))
    }

    /// Whether two words follow each other in the target (`api`, `key`), the second in singular.
    pub fn pair(&self, pairs: &[(&str, &str)]) -> Option<String> {
        self.target.windows(2).find_map(|two| match two {
            [a, b] => pairs.contains(&(a.as_str(), singular(b))).then(|| format!("{a} {b}")),
            _ => None,
        })
    }

    /// The first request field whose flat name (`cardNumber`, `card[number]` → `cardnumber`) is in the list.
    pub fn sends(&self, list: &[&str]) -> Option<&str> {
        field(&self.sent, list)
    }

    /// The first response field likewise.
    pub fn answers(&self, list: &[&str]) -> Option<&str> {
        field(&self.answered, list)
    }

    /// Whether only this answer (of those that are successes or redirects) was seen.
    pub fn only_answers(&self, status: std::ops::Range<u16>) -> bool {
        let good: BTreeSet<u16> =
            self.signals.statuses.iter().copied().filter(|status| (200..400).contains(status)).collect();
        !good.is_empty() && good.iter().all(|seen| status.contains(seen))
    }
}

fn push_part(parts: &mut Vec<String>, text: &str) {
    let lower = text.to_ascii_lowercase();
    let text = EXTENSIONS
        .iter()
        .find(|end| lower.ends_with(*end))
        .map_or(text, |end| text.get(..text.len() - end.len()).unwrap_or(text));
    if text.chars().any(char::is_alphanumeric) {
        // The action of `{name}:cancel` stands alone; in `users:batchGet` it stays with its noun.
        parts.push(text.trim_start_matches(':').to_owned());
    }
}

/// The fields with the flat name of their last part: `cardNumber` and `card[number]` are `cardnumber`.
fn flat(fields: &BTreeSet<String>) -> Vec<(String, &str)> {
    let leaf = |path: &str| -> String {
        let leaf = path.rsplit('/').next().unwrap_or_default();
        leaf.chars().take(100).filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    fields.iter().map(|path| (leaf(path), path.as_str())).collect()
}

fn field<'s>(fields: &[(String, &'s str)], list: &[&str]) -> Option<&'s str> {
    fields.iter().find(|(flat, _)| list.contains(&flat.as_str())).map(|(_, path)| *path)
}
