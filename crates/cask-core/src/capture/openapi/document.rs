//! The text of a description as a tree, and the references inside it.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::expand::Side;
use super::{Note, OpenapiError, shown};
use crate::endpoint::Schema;
use crate::json::Json;

/// Bytes of a description beyond which it is refused.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// Notes kept; the rest is counted.
const MAX_NOTES: usize = 200;
/// References that may point to references.
const MAX_CHAIN: usize = 32;

/// Reads JSON or YAML, whichever it is. Both parsers bound the depth, so that dropping the tree is safe too.
pub fn parse<'a>(text: &'a str, file: &str) -> Result<Json<'a>, OpenapiError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let refuse = |line, message| OpenapiError::Syntax { file: file.to_owned(), line, message };
    if text.len() > MAX_BYTES {
        return Err(refuse(0, format!("it has {} bytes, the most that is read is {MAX_BYTES}", text.len())));
    }
    let tree = if text.trim_start().starts_with(['{', '[']) {
        Json::parse(text).map_err(|error| {
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default().to_owned();
            refuse(error.line() as u64, message)
        })?
    } else {
        yaml(text).map_err(|error| {
            let line = error.location().map_or(0, |location| location.line());
            refuse(line, shown(&error.to_string(), 300))
        })?
    };
    let twice = duplicates(&tree);
    if twice.is_empty() {
        Ok(tree)
    } else {
        Err(OpenapiError::Faulty { file: file.to_owned(), faults: twice })
    }
}

fn yaml(text: &str) -> Result<Json<'_>, serde_saphyr::Error> {
    let budget = serde_saphyr::budget! {
        max_depth: 100,
        flow_nesting_limit: 100,
        max_nodes: 4_000_000,
        max_events: 8_000_000,
        max_anchors: 10_000,
        max_aliases: 10_000,
        max_documents: 1,
    };
    // An alias bomb is refused long before it is large: descriptions share by `$ref`.
    let alias_limits = serde_saphyr::alias_limits! {
        max_total_replayed_events: 200_000,
        max_replay_stack_depth: 16,
        max_alias_expansions_per_anchor: 2_000,
    };
    let options = serde_saphyr::options! {
        budget: budget,
        alias_limits: alias_limits,
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::Error,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options)
}

/// Every member that is there twice: which of the two counts would be a guess.
fn duplicates(tree: &Json<'_>) -> Vec<Note> {
    let mut faults = Vec::new();
    let mut open = vec![(String::new(), tree)];
    while let Some((pointer, json)) = open.pop() {
        match json {
            Json::Object(members) => {
                let mut seen = BTreeSet::new();
                for (name, value) in members {
                    if !seen.insert(name) && faults.len() < 20 {
                        let message = format!("the member `{}` is there twice", shown(name, 80));
                        faults.push(Note { pointer: shown(&pointer, 500), message });
                    }
                    if matches!(value, Json::Object(_) | Json::Array(_)) {
                        open.push((child(&pointer, name), value));
                    }
                }
            }
            Json::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    if matches!(value, Json::Object(_) | Json::Array(_)) {
                        open.push((format!("{pointer}/{index}"), value));
                    }
                }
            }
            _ => {}
        }
    }
    faults.sort();
    faults
}

/// The pointer one step down, escaped (RFC 6901).
pub fn child(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", crate::json::token(name))
}

/// A description being read: its tree, what was noted, and references found before.
pub struct Document<'d> {
    pub root: &'d Json<'d>,
    targets: RefCell<BTreeMap<&'d str, Option<&'d Json<'d>>>>,
    notes: RefCell<BTreeMap<Note, u64>>,
    patterns: RefCell<BTreeMap<String, bool>>,
    /// Schemas that a reference points to, by reference, side and cap.
    pub expanded: RefCell<BTreeMap<(&'d str, Side, usize), Schema>>,
}

impl<'d> Document<'d> {
    pub fn new(root: &'d Json<'d>) -> Self {
        Self {
            root,
            targets: RefCell::default(),
            notes: RefCell::default(),
            patterns: RefCell::default(),
            expanded: RefCell::default(),
        }
    }

    /// Notes something that was left out, changed or guessed.
    pub fn note(&self, pointer: &str, message: impl Into<String>) {
        let mut notes = self.notes.borrow_mut();
        let note = Note { pointer: shown(pointer, 500), message: message.into() };
        if notes.len() <= MAX_NOTES || notes.contains_key(&note) {
            *notes.entry(note).or_default() += 1;
        }
    }

    /// Everything noted, sorted, each once.
    pub fn notes(&self) -> Vec<Note> {
        let mut notes: Vec<Note> = self.notes.borrow().keys().take(MAX_NOTES).cloned().collect();
        if self.notes.borrow().len() > MAX_NOTES {
            notes.push(Note {
                pointer: String::new(),
                message: format!("more than {MAX_NOTES} notes; the rest is left out"),
            });
        }
        notes
    }

    /// The value behind `$ref`s, or the value itself; `None` (noted) where a reference leads nowhere.
    pub fn deref(&self, json: &'d Json<'d>, at: &str) -> Option<&'d Json<'d>> {
        let mut json = json;
        for _ in 0..MAX_CHAIN {
            match json.get("$ref").and_then(Json::as_str) {
                Some(reference) => json = self.target(reference, at)?,
                None => return Some(json),
            }
        }
        self.note(at, "a chain of references that does not end");
        None
    }

    /// What a reference points to. Only this file is looked at: nothing is ever fetched.
    pub fn target(&self, reference: &'d str, at: &str) -> Option<&'d Json<'d>> {
        let known = self.targets.borrow().get(reference).copied();
        let found = known.unwrap_or_else(|| {
            let found = self.resolve(reference);
            self.targets.borrow_mut().insert(reference, found);
            found
        });
        if found.is_none() {
            let why = if reference.starts_with('#') {
                "leads nowhere"
            } else {
                "leads out of this file and is not fetched"
            };
            self.note(
                at,
                format!("the reference `{}` {why}; anything is allowed there", shown(reference, 200)),
            );
        }
        found
    }

    fn resolve(&self, reference: &str) -> Option<&'d Json<'d>> {
        let fragment = reference.strip_prefix('#')?;
        let mut json = self.root;
        if fragment.is_empty() {
            return Some(json);
        }
        for token in fragment.strip_prefix('/')?.split('/') {
            let token = percent_decoded(token)?.replace("~1", "/").replace("~0", "~");
            json = match json {
                Json::Array(items) => items.get(token.parse::<usize>().ok()?)?,
                other => other.get(&token)?,
            };
        }
        Some(json)
    }

    /// Whether a pattern compiles and runs in linear time; each is tried once.
    pub fn linear(&self, pattern: &str) -> bool {
        if pattern.len() > 500 {
            return false;
        }
        let known = self.patterns.borrow().get(pattern).copied();
        known.unwrap_or_else(|| {
            let good = regex::RegexBuilder::new(pattern).size_limit(1 << 20).build().is_ok();
            self.patterns.borrow_mut().insert(pattern.to_owned(), good);
            good
        })
    }
}

fn percent_decoded(token: &str) -> Option<Cow<'_, str>> {
    if !token.contains('%') {
        return Some(Cow::Borrowed(token));
    }
    let mut bytes = Vec::with_capacity(token.len());
    let mut rest = token.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            let value = digit(rest.next())? * 16 + digit(rest.next())?;
            bytes.push(u8::try_from(value).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}
