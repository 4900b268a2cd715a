//! Path templates of a description, in the odd forms that are found.

use super::document::Document;
use super::{Server, shown};
use crate::capture::is_too_deep;
use crate::endpoint::Template;

/// A template and what had to be changed to make it.
pub struct Path {
    pub template: Template,
    /// Names in the description and in the template, where they differ or stand together.
    pub renamed: Vec<(String, String)>,
    /// Query pairs that are part of the path (`/x?action=list`).
    pub fixed: Vec<(String, String)>,
}

/// Reads `/a/{b}.json`, `{a}:verb`, `{+name}`, `{a}.{b}` (one parameter `a_b`), a query or fragment behind it.
pub fn read(document: &Document<'_>, text: &str, server: &Server, at: &str) -> Option<Path> {
    let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
    if !fragment.is_empty() {
        document.note(at, "a fragment is never sent; it is left out of the path");
    }
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    let fixed: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes())
        .filter(|(_, value)| !value.contains('{'))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    if !query.is_empty() {
        document.note(at, "a query is part of the path; it became parameters with one value");
    }
    let full = format!("{}/{}", server.base, path.trim_start_matches('/'));
    if is_too_deep(&full) {
        document.note(at, "the path has more than 200 parts; the operation is left out");
        return None;
    }
    let mut out = String::new();
    let mut renamed = Vec::new();
    let mut taken: Vec<String> = Vec::new();
    for segment in full.strip_prefix('/').unwrap_or(&full).split('/') {
        if matches!(segment, "." | "..") {
            document
                .note(at, "a path with `.` or `..` is not one that can be called; the operation is left out");
            return None;
        }
        if !is_balanced(segment) {
            document.note(
                at,
                format!("the braces of `{}` do not pair; the operation is left out", shown(segment, 80)),
            );
            return None;
        }
        out.push('/');
        segment_into(document, segment, at, &mut out, &mut renamed, &mut taken);
    }
    match Template::parse(&out) {
        Ok(template) => Some(Path { template, renamed, fixed }),
        Err(error) => {
            document.note(at, format!("{error}; the operation is left out"));
            None
        }
    }
}

/// Whether every `{` is closed before the next one and names something.
fn is_balanced(segment: &str) -> bool {
    let mut rest = segment;
    while let Some((before, tail)) = rest.split_once('{') {
        match tail.split_once('}') {
            Some((name, after)) if !name.is_empty() && !name.contains('{') && !before.contains('}') => {
                rest = after
            }
            _ => return false,
        }
    }
    !rest.contains('}')
}

fn segment_into(
    document: &Document<'_>,
    segment: &str,
    at: &str,
    out: &mut String,
    renamed: &mut Vec<(String, String)>,
    taken: &mut Vec<String>,
) {
    let Some((prefix, _)) = segment.split_once('{') else {
        return literal(segment, out);
    };
    let suffix = segment.rsplit_once('}').map_or("", |(_, suffix)| suffix);
    let mut declared: Vec<&str> = Vec::new();
    let mut rest = segment;
    while let Some((_, tail)) = rest.split_once('{') {
        let (name, after) = tail.split_once('}').unwrap_or((tail, ""));
        declared.push(name);
        rest = after;
    }
    let plain = |name: &str| name.trim_start_matches(['+', '.', ';']).trim_end_matches('*').to_owned();
    let mut name = declared.iter().map(|name| plain(name)).collect::<Vec<_>>().join("_");
    if declared.len() > 1 {
        document.note(at, format!("`{}` is one parameter, `{}`", shown(segment, 80), shown(&name, 80)));
    }
    let mut count = 1;
    let stem = name.clone();
    while taken.contains(&name) {
        count += 1;
        name = format!("{stem}{count}");
    }
    taken.push(name.clone());
    renamed.extend(declared.into_iter().map(|declared| (declared.to_owned(), name.clone())));
    literal(prefix, out);
    out.push('{');
    out.push_str(&name);
    out.push('}');
    literal(suffix, out);
}

/// Literal text as it is on the wire: what may not stand in a path is percent-encoded.
fn literal(text: &str, out: &mut String) {
    for byte in text.bytes() {
        let kept = byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%".contains(&byte);
        match kept {
            true => out.push(char::from(byte)),
            false => out.push_str(&format!("%{byte:02X}")),
        }
    }
}
