//! YAML as cask reads and writes it: bounded, without anchors, tags or duplicate keys; sorted and in blocks.

use rayon::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::fmt::Write as _;

use crate::json::Json;

use super::{BadArtifact, Text, Version, known};

/// Reads a document; a newer one is refused by its version before its unknown fields are.
///
/// # Errors
/// [`BadArtifact`] with line and column.
pub fn read<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, BadArtifact> {
    bounded(text, 4_000_000, 64).map_err(|error| match bounded::<Version>(text, 4_000_000, 64) {
        Ok(version) => match known(file, &version.schema_version) {
            Err(newer) => newer,
            Ok(()) => BadArtifact::new(file, error),
        },
        Err(_) => BadArtifact::new(file, error),
    })
}

/// Reads a document of at most so many nodes, so deep: no anchors, aliases, merge keys, tags or duplicate
/// keys.
///
/// # Errors
/// The parser's own words, with line and column.
pub fn bounded<T: DeserializeOwned>(text: &str, nodes: usize, depth: usize) -> Result<T, String> {
    let budget = serde_saphyr::budget! {
        max_events: 2 * nodes,
        max_nodes: nodes,
        max_depth: depth,
        max_anchors: 0,
        max_aliases: 0,
        max_documents: 1,
        max_merge_keys: 0,
    };
    let options = serde_saphyr::options! {
        budget: budget,
        merge_keys: serde_saphyr::options::MergeKeyPolicy::Error,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| error.to_string())
}

/// Writes a value: block style, keys sorted, strings quoted where any YAML reader could take them for
/// something else. What cannot be written as JSON is written as an empty map.
#[must_use]
pub fn write<T: Serialize>(value: &T) -> String {
    as_tree(value, tree)
}

/// Hands a value on as a tree; one that cannot be written as JSON as an empty map.
fn as_tree<T: Serialize, R>(value: &T, to: impl FnOnce(&Json<'_>) -> R) -> R {
    let text = serde_json::to_string(value).unwrap_or_default();
    to(&Json::parse(&text).unwrap_or(Json::Object(Vec::new())))
}

/// Writes a mapping of many, each made and written by itself on all cores, as the only member of the top
/// besides `after`, which sorts after it. The keys come in order.
pub(super) fn many<I: Sync, T: Serialize>(
    key: &str,
    items: &[I],
    make: impl Fn(&I) -> (String, T) + Sync,
    after: (&str, &str),
) -> Text {
    let texts = items.par_iter().map_init(String::new, |out, item| {
        let (name, value) = make(item);
        out.clear();
        as_tree(&value, |tree| member(out, &name, tree, 1));
        out.clone()
    });
    let texts: Vec<String> = texts.collect();
    let mut all = Text::default();
    if texts.is_empty() {
        let mut none = String::new();
        member(&mut none, key, &Json::Object(Vec::new()), 0);
        all.push(none);
    } else {
        all.push(format!("{key}:\n"));
        texts.into_iter().for_each(|text| all.push(text));
    }
    let mut last = String::new();
    member(&mut last, after.0, &after.1.into(), 0);
    all.push(last);
    all
}

/// Writes a value that is a tree already.
#[must_use]
pub fn tree(value: &Json<'_>) -> String {
    let mut out = String::new();
    block(&mut out, value, 0);
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out
}

/// Writes one member of a mapping at that level.
pub(super) fn member(out: &mut String, key: &str, of: &Json<'_>, level: usize) {
    self::key(out, key, level);
    value(out, of, level + 1);
}

/// Writes the key of a member whose value follows.
pub(super) fn key(out: &mut String, key: &str, level: usize) {
    indent(out, level);
    scalar(out, key);
    out.push(':');
}

fn indent(out: &mut String, level: usize) {
    for _ in 0..level {
        out.push_str("  ");
    }
}

/// A value after `key:` or `-`, with what separates it from that.
fn value(out: &mut String, of: &Json<'_>, level: usize) {
    match of {
        Json::Object(members) if !members.is_empty() => {
            out.push('\n');
            block(out, of, level);
        }
        Json::Array(items) if !items.is_empty() => {
            if items.iter().all(|item| !matches!(item, Json::Object(_) | Json::Array(_))) && items.len() <= 8
            {
                out.push_str(" [");
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { ", " });
                    leaf(out, item);
                }
                out.push_str("]\n");
            } else {
                out.push('\n');
                block(out, of, level);
            }
        }
        _ => {
            out.push(' ');
            leaf(out, of);
            out.push('\n');
        }
    }
}

fn block(out: &mut String, of: &Json<'_>, level: usize) {
    match of {
        Json::Object(members) if !members.is_empty() => {
            let mut members: Vec<&(Cow<'_, str>, Json<'_>)> = members.iter().collect();
            members.sort_by_key(|(key, _)| key.as_ref());
            for (key, of) in members {
                member(out, key, of, level);
            }
        }
        Json::Array(items) if !items.is_empty() => {
            for item in items {
                indent(out, level);
                out.push('-');
                value(out, item, level + 1);
            }
        }
        _ => {
            leaf(out, of);
            out.push('\n');
        }
    }
}

fn leaf(out: &mut String, of: &Json<'_>) {
    match of {
        Json::Str(text) => scalar(out, text),
        Json::Object(_) => out.push_str("{}"),
        Json::Array(_) => out.push_str("[]"),
        Json::Null => out.push_str("null"),
        Json::Bool(yes) => out.push_str(if *yes { "true" } else { "false" }),
        Json::Int(number) => {
            let _ = write!(out, "{number}");
        }
        Json::Uint(number) => {
            let _ = write!(out, "{number}");
        }
        // a fraction as JSON has it; no other is in a tree
        Json::Float(number) => {
            let _ = write!(out, "{}", serde_json::Value::from(*number));
        }
    }
}

/// Plain where every YAML parser reads the same string, in double quotes anywhere else.
fn scalar(out: &mut String, text: &str) {
    const RESERVED: [&str; 10] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan"];
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.bytes().all(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/' | b':' | b'+' | b'=')
        })
        && !text.ends_with(':')
        && !RESERVED.iter().any(|word| text.eq_ignore_ascii_case(word));
    if plain {
        out.push_str(text);
    } else {
        quote(out, text);
    }
}

/// In double quotes, readable by every YAML parser.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    quote(&mut out, text);
    out
}

fn quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            // Everything that cannot be seen is escaped: nothing in a reviewed file hides.
            c if c.is_control() || (!c.is_ascii() && !c.is_alphanumeric()) => {
                let _ = match u32::from(c) {
                    code @ 0..=0xFFFF => write!(out, "\\u{code:04x}"),
                    code => write!(out, "\\U{code:08x}"),
                };
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn what_is_written_reads_back() {
        let odd = json!({
            "no": "yes", "a: b": ["x", {"y": []}, [1, -2.5], {}], "": null, "é\u{202e}\u{1f600}": "# not a comment",
            "list": (0..20).collect::<Vec<_>>(), "deep": {"a": {"b": {"c": "1e3"}}}, "~": "- x", "t": true,
            "nested": [[["x", {"k": "v"}]], [[]]],
        });
        let text = write(&odd);
        let back: Value = read("x.yaml", &text).unwrap();
        assert_eq!(back, odd, "{text}");
    }

    #[test]
    fn bombs_and_duplicates_are_refused() {
        for bad in ["a: &x 1\nb: *x\n", "a: 1\na: 2\n", "a: !!python/object 1\n", "a: 1\n---\nb: 2\n"] {
            assert!(read::<Value>("x.yaml", bad).is_err(), "{bad}");
        }
        let newer = read::<super::super::toolsets::Toolsets>("x.yaml", "schema_version: \"7\"\nzap: 1\n");
        assert!(matches!(newer, Err(BadArtifact::Newer { .. })), "{newer:?}");
    }
}
