//! What the whole capture says about a word: in how many places the API uses it as its own, and whether
//! answers carry it as a value.

use std::collections::{BTreeMap, BTreeSet};

use crate::json::{self, Json};

use super::{Node, Part};
use crate::endpoint::{Segment, Template};

/// Calls through a child from which its name counts as used there, not passed there.
const USED: u64 = 4;

/// Knowledge about words, over all hosts of a capture.
#[derive(Debug, Default)]
pub struct Words {
    /// Hashes of the names under which a word is used often.
    parents: BTreeMap<u64, BTreeSet<u64>>,
    /// Identifiers that answers carried.
    values: Values,
    /// Values of parameters already learned, by the literal before them.
    known: BTreeMap<String, BTreeSet<String>>,
    /// Literals of accepted templates, by the anonymous path before them.
    accepted: BTreeSet<(String, String)>,
}

impl Words {
    /// Knowledge that includes the values answered.
    #[must_use]
    pub fn with(values: Values) -> Self {
        Self { values, ..Self::default() }
    }

    /// Collects from a trie.
    pub fn add(&mut self, root: &Node) {
        self.walk(0, root);
    }

    fn walk(&mut self, name: u64, node: &Node) {
        for (segment, child) in node.branches() {
            let word = hash(segment);
            if child.calls() >= USED {
                self.parents.entry(word).or_default().insert(name);
            }
            self.walk(word, child);
        }
    }

    /// Remembers that behind this literal this was a value. Returns whether it is news.
    pub fn know(&mut self, before: &str, value: &str) -> bool {
        self.known.entry(before.to_owned()).or_default().insert(value.to_owned())
    }

    /// Whether behind that literal, anywhere in the capture, the segment was a value.
    pub fn is_known(&self, before: &str, value: &str) -> bool {
        !before.is_empty() && self.known.get(before).is_some_and(|values| values.contains(value))
    }

    /// Remembers the literals of an accepted template: they stay literals where the same path leads there.
    pub fn accept(&mut self, template: &Template) {
        let mut before = String::new();
        for segment in template.segments() {
            match segment {
                Segment::Literal(text) => {
                    self.accepted.insert((before.clone(), text.clone()));
                    before.push('/');
                    before.push_str(text);
                }
                Segment::Param { prefix, suffix, .. } => {
                    before.push('/');
                    before.push_str(&format!("{prefix}{{}}{suffix}"));
                }
            }
        }
    }

    /// Whether an accepted template has the segment as a literal behind this path.
    pub fn is_accepted(&self, path: &[Part], segment: &str) -> bool {
        if self.accepted.is_empty() {
            return false;
        }
        let before = path.iter().fold(String::new(), |mut out, part| {
            out.push('/');
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Param { prefix, suffix, .. } => out.push_str(&format!("{prefix}{{}}{suffix}")),
            }
            out
        });
        self.accepted.contains(&(before, segment.to_owned()))
    }

    /// Under how many different names the word is used often.
    pub fn parents(&self, word: &str) -> usize {
        self.parents.get(&hash(word)).map_or(0, BTreeSet::len)
    }

    /// Whether an answer carried the word as the value of an identifier.
    pub fn is_value(&self, word: &str) -> bool {
        self.values.has(word)
    }
}

/// Hashes of the identifiers and names that answers carried.
///
/// Bounded by keeping the smallest hashes: the same sample of the same set in whatever order it came.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Values {
    hashes: BTreeSet<u64>,
}

impl Values {
    const MAX: usize = 50_000;

    /// Collects from one answer.
    pub fn add(&mut self, answer: &Json<'_>) {
        match answer {
            Json::Array(items) => items.iter().for_each(|item| self.add(item)),
            Json::Object(members) => {
                for (name, value) in members {
                    match value {
                        Json::Str(text) if (2..=100).contains(&text.len()) && names_a_value(name) => {
                            self.insert(text);
                        }
                        Json::Array(_) | Json::Object(_) => self.add(value),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn insert(&mut self, text: &str) {
        let hash = hash_of_value(text);
        if self.hashes.len() >= Self::MAX {
            if self.hashes.last().is_some_and(|last| hash > *last) {
                return;
            }
            self.hashes.insert(hash);
            if self.hashes.len() > Self::MAX {
                self.hashes.pop_last();
            }
        } else {
            self.hashes.insert(hash);
        }
    }

    /// Adds another set.
    pub fn merge(&mut self, other: Values) {
        let mut hashes = other.hashes;
        self.hashes.append(&mut hashes);
        while self.hashes.len() > Self::MAX {
            self.hashes.pop_last();
        }
    }

    /// Whether the text was answered as a value (and is in the sample).
    fn has(&self, text: &str) -> bool {
        self.hashes.contains(&hash_of_value(text))
    }
}

/// Members whose strings name things.
fn names_a_value(name: &str) -> bool {
    matches!(name, "id" | "name" | "key" | "login" | "slug" | "handle" | "username" | "code")
        || name.ends_with("Id")
        || name.ends_with("_id")
        || name.ends_with("_name")
        || name.ends_with("Name")
        || name.ends_with("Key")
        || name.ends_with("_slug")
}

/// As [`fn@hash`], eight bytes at a time: of values, which are many and long.
#[must_use]
pub fn hash_of_value(text: &str) -> u64 {
    mixed(json::hash(text))
}

/// FNV-1a, finished with a mix: the same on every machine and in every release.
#[must_use]
pub fn hash(text: &str) -> u64 {
    let h = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    mixed(h)
}

/// Spreads what is in the high bits over all.
fn mixed(mut h: u64) -> u64 {
    h ^= h >> 32;
    h = h.wrapping_mul(0xd6e8_feb8_6659_fd93);
    h ^ (h >> 32)
}
