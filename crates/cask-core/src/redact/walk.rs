//! Values: the walk through JSON, with what the keys say.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD as STANDARD_NO_PAD;
use serde_json::Value;

use super::keys::{self, KeyRule};
use super::known::Known;
use super::rules::{Place, Rules};
use super::{Counts, Kind, graphql, tokens, url};
use crate::json::Json;

type Says = Option<&'static KeyRule>;

/// JSON inside a string, a URL inside a parameter of a URL: further down it is scanned as plain text.
const MAX_NESTING: u8 = 3;

/// One string: what its key says, then JSON in it, then a URL, then text.
pub(super) fn string(
    rules: &'static Rules,
    text: &str,
    says: Says,
    nesting: u8,
    counts: &mut Counts,
) -> Option<String> {
    named(text, says, counts).or_else(|| unnamed(rules, text, nesting, counts))
}

/// What the key of a string says.
fn named(text: &str, says: Says, counts: &mut Counts) -> Option<String> {
    let rule = says.filter(|rule| rule.fits(text))?;
    counts.add(rule.kind);
    Some(rule.kind.placeholder().to_owned())
}

/// What a string itself shows.
fn unnamed(rules: &'static Rules, text: &str, nesting: u8, counts: &mut Counts) -> Option<String> {
    let look = tokens::Look::at(text);
    if nesting < MAX_NESTING && !look.is_words() {
        let trimmed = text.trim();
        if (trimmed.starts_with('{') && trimmed.ends_with('}'))
            || (trimmed.starts_with('[') && trimmed.ends_with(']') && trimmed.contains('"'))
        {
            if let Ok(mut inner) = Json::parse(trimmed) {
                let mut replaced = Counts::default();
                json(rules, &mut inner, nesting + 1, &mut replaced, &mut Known::brief());
                counts.merge(&replaced);
                return if replaced.iter().next().is_some() {
                    serde_json::to_string(&inner).ok()
                } else {
                    None
                };
            }
        } else if url::is_url(text) {
            let clean = url::url(rules, text, nesting + 1, counts);
            return match tokens::scan(rules, clean.as_deref().unwrap_or(text), counts) {
                None => clean,
                cleaner => cleaner,
            };
        }
        if graphql::is_document(text) {
            return graphql::document(rules, text, nesting, counts);
        }
        if is_encoded_secret(rules, trimmed, nesting) {
            counts.add(Kind::Credential);
            return Some(Kind::Credential.placeholder().to_owned());
        }
    }
    tokens::scan_seen(rules, text, look, counts)
}

/// Whether the text is JSON in base64 that holds a credential. Cursors are written like that too: personal data
/// in them is no reason to break paging.
fn is_encoded_secret(rules: &'static Rules, text: &str, nesting: u8) -> bool {
    let starts = ["eyJ", "eyA", "ewo", "ew0", "W3s"].iter().any(|start| text.starts_with(start));
    if !starts || text.len() < 16 || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/-_=".contains(&b))
    {
        return false;
    }
    let standard: String = text
        .trim_end_matches('=')
        .chars()
        .map(|c| {
            if c == '-' {
                '+'
            } else if c == '_' {
                '/'
            } else {
                c
            }
        })
        .collect();
    let Ok(bytes) = STANDARD_NO_PAD.decode(standard) else { return false };
    let Some(mut inner) = std::str::from_utf8(&bytes).ok().and_then(|text| Json::parse(text).ok()) else {
        return false;
    };
    let mut found = Counts::default();
    json(rules, &mut inner, nesting + 1, &mut found, &mut Known::brief());
    found.iter().any(|(kind, _)| matches!(kind, Kind::Credential | Kind::Token))
}

/// A whole JSON value, in place.
pub(super) fn json(
    rules: &'static Rules,
    value: &mut Json<'_>,
    nesting: u8,
    counts: &mut Counts,
    known: &mut Known,
) {
    Walk { rules, nesting, known, counts }.json(value, None);
}

struct Walk<'c> {
    rules: &'static Rules,
    nesting: u8,
    known: &'c mut Known,
    counts: &'c mut Counts,
}

impl Walk<'_> {
    fn json(&mut self, value: &mut Json<'_>, says: Says) {
        match value {
            Json::Null | Json::Bool(_) => {}
            Json::Float(number) => {
                if let Some(rule) = says
                    && *number != 0.0
                    && rule.fits_number(number.abs().to_bits())
                {
                    self.counts.add(rule.kind);
                    *number = 0.0;
                }
            }
            Json::Int(number) => {
                if let Some(rule) = says
                    && rule.fits_number(number.unsigned_abs())
                {
                    self.counts.add(rule.kind);
                    *number = 0;
                }
            }
            Json::Uint(number) => {
                if let Some(rule) = says
                    && rule.fits_number(*number)
                {
                    self.counts.add(rule.kind);
                    *value = Json::Int(0);
                }
            }
            Json::Str(text) => {
                let (rules, nesting, counts) = (self.rules, self.nesting, &mut *self.counts);
                let clean = match named(text, says, counts) {
                    None => self.known.clean(text, || unnamed(rules, text, nesting, counts)),
                    said => said,
                };
                if let Some(clean) = clean {
                    *text = Cow::Owned(clean);
                }
            }
            Json::Array(items) => {
                for item in items {
                    // `secrets: [{name}]` lists objects; only `secrets: {a: b}` is a map of secrets.
                    let says = says.filter(|rule| !(rule.inside && matches!(item, Json::Object(_))));
                    self.json(item, says);
                }
            }
            Json::Object(members) => self.object(members, says),
        }
    }

    fn object(&mut self, members: &mut [(Cow<'_, str>, Json<'_>)], parent: Says) {
        let mut label = None;
        if members.iter().any(|(key, _)| is_pair_value(key)) {
            label = members
                .iter()
                .filter(|(key, _)| is_pair_name(key))
                .find_map(|(_, name)| keys::rule(self.rules, name.as_str()?, Place::Query));
        }
        let kubernetes_secret =
            members.iter().any(|(key, value)| key == "kind" && value.as_str() == Some("Secret"));
        let mut secret_keys = false;
        for (key, value) in members.iter_mut() {
            let verdict = self.known.key(key, |key| keys::judge(self.rules, key, Place::Body));
            secret_keys |= verdict.secret;
            let says = verdict.rule.or_else(|| inherited(self.rules, key, label, parent, kubernetes_secret));
            self.json(value, says);
        }
        if secret_keys {
            let keys = members.iter_mut().map(|(key, _)| key);
            rename(self.rules, keys, self.counts);
        }
    }
}

pub(super) fn is_pair_name(key: &str) -> bool {
    matches!(key, "name" | "key" | "field" | "header" | "Name" | "Key" | "parameter" | "k")
}

fn is_pair_value(key: &str) -> bool {
    matches!(key, "value" | "values" | "val" | "Value" | "v")
}

/// What a key without a rule of its own holds: the value of a named pair, the inside of a secret.
pub(super) fn inherited(
    rules: &'static Rules,
    key: &str,
    label: Says,
    parent: Says,
    kubernetes_secret: bool,
) -> Says {
    if is_pair_value(key) && label.is_some() {
        return label;
    }
    if kubernetes_secret && key == "data" {
        return keys::rule(rules, "secrets", Place::Body);
    }
    let generic = || {
        is_pair_value(key)
            || matches!(key, "plaintext" | "plain" | "hash" | "salt" | "raw" | "data" | "text" | "content")
    };
    parent.filter(|rule| rule.inside || generic())
}

/// Replaces keys that are secrets themselves; a second one of the same kind gets a number.
fn rename<'k, 'a: 'k>(
    rules: &'static Rules,
    keys: impl Iterator<Item = &'k mut Cow<'a, str>>,
    counts: &mut Counts,
) {
    let mut taken = Taken::default();
    for key in keys {
        let Some(clean) = tokens::scan(rules, key, counts) else {
            taken.names.insert(key.to_string());
            continue;
        };
        *key = Cow::Owned(taken.free(clean));
    }
}

/// Names that an object has so far.
#[derive(Default)]
struct Taken {
    names: BTreeSet<String>,
    /// The number that the next key of a placeholder is tried with: a map by e-mail address has thousands.
    next: BTreeMap<String, u64>,
}

impl Taken {
    fn free(&mut self, name: String) -> String {
        if self.names.insert(name.clone()) {
            return name;
        }
        let next = self.next.entry(name.clone()).or_insert(2);
        loop {
            let numbered = format!("{name}#{next}");
            *next += 1;
            if self.names.insert(numbered.clone()) {
                return numbered;
            }
        }
    }
}

/// An owned JSON value, in place.
pub(super) fn value(rules: &'static Rules, value: &mut Value, says: Says, counts: &mut Counts) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => {
            let size = number
                .as_u64()
                .or_else(|| number.as_i64().map(i64::unsigned_abs))
                .or_else(|| number.as_f64().map(|float| float.abs().to_bits()));
            if let (Some(rule), Some(size)) = (says, size)
                && rule.fits_number(size)
            {
                counts.add(rule.kind);
                *number = 0.into();
            }
        }
        Value::String(text) => {
            if let Some(clean) = string(rules, text, says, 0, counts) {
                *text = clean;
            }
        }
        Value::Array(items) => {
            for item in items {
                self::value(rules, item, says.filter(|rule| !(rule.inside && item.is_object())), counts);
            }
        }
        Value::Object(members) => {
            let label = members
                .iter()
                .any(|(key, _)| is_pair_value(key))
                .then(|| {
                    members
                        .iter()
                        .filter(|(key, _)| is_pair_name(key))
                        .find_map(|(_, name)| keys::rule(rules, name.as_str()?, Place::Query))
                })
                .flatten();
            let kubernetes_secret = members.get("kind").and_then(Value::as_str) == Some("Secret");
            let mut secret_keys = false;
            for (key, member) in members.iter_mut() {
                let verdict = keys::judge(rules, key, Place::Body);
                secret_keys |= verdict.secret;
                let says = verdict.rule.or_else(|| inherited(rules, key, label, says, kubernetes_secret));
                self::value(rules, member, says, counts);
            }
            if secret_keys {
                let old = std::mem::take(members);
                let mut taken = Taken::default();
                for (key, member) in old {
                    let key = match tokens::scan(rules, &key, counts) {
                        Some(clean) => taken.free(clean),
                        None => {
                            taken.names.insert(key.clone());
                            key
                        }
                    };
                    members.insert(key, member);
                }
            }
        }
    }
}
