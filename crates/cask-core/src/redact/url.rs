//! Paths and URLs: segments and parameters are looked at as they were before percent-encoding.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::keys;
use super::rules::{Place, Rules};
use super::{Counts, Kind, tokens, walk};

/// Whether the text is a URL as a whole.
pub(super) fn is_url(text: &str) -> bool {
    (text.starts_with("https://") || text.starts_with("http://"))
        && !text.bytes().any(|byte| byte.is_ascii_whitespace())
}

/// A path; `None` if there is nothing to replace.
pub(super) fn path<'p>(rules: &'static Rules, path: &'p str, counts: &mut Counts) -> Option<String> {
    // the segment before, and the one before that
    let mut before = ["", ""];
    let step = |before: &mut [&'p str; 2], segment: &'p str| {
        let [last, _] = *before;
        std::mem::replace(before, [segment, last])
    };
    let special =
        |segment: &str, before: [&str; 2]| segment.contains('%') || may_be_token(rules, segment, before);
    let any = path.split('/').any(|segment| special(segment, step(&mut before, segment)));
    if !any {
        return tokens::scan(rules, path, counts);
    }
    before = ["", ""];
    let mut changed = false;
    let segments: Vec<Cow<'_, str>> = path
        .split('/')
        .map(|segment| {
            let clean = self::segment(rules, segment, step(&mut before, segment), counts);
            changed |= clean.is_some();
            clean.map_or(Cow::Borrowed(segment), Cow::Owned)
        })
        .collect();
    let joined = changed.then(|| segments.join("/"));
    match tokens::scan(rules, joined.as_deref().unwrap_or(path), counts) {
        None => joined,
        cleaner => cleaner,
    }
}

/// Whether what stands before a long segment says that it is a credential if it looks like one.
fn may_be_token(rules: &Rules, segment: &str, [last, second]: [&str; 2]) -> bool {
    let has = |set: &BTreeSet<String>, name: &str| set.contains(&name.to_ascii_lowercase());
    segment.len() >= 20 && (has(&rules.path_tokens, last) || has(&rules.path_hooks, second))
}

fn segment(rules: &'static Rules, segment: &str, before: [&str; 2], counts: &mut Counts) -> Option<String> {
    let plain = decode(segment, false);
    if may_be_token(rules, &plain, before) && tokens::opaque(&plain) {
        counts.add(Kind::Token);
        return Some(Kind::Token.placeholder().to_owned());
    }
    tokens::scan(rules, &plain, counts).map(|clean| encode(&clean))
}

/// A URL or the reference part of one (`/path?query#fragment`).
pub(super) fn url(rules: &'static Rules, text: &str, nesting: u8, counts: &mut Counts) -> Option<String> {
    let (front, fragment) =
        text.split_once('#').map_or((text, None), |(front, fragment)| (front, Some(fragment)));
    let (front, query) = front.split_once('?').map_or((front, None), |(front, query)| (front, Some(query)));
    let (origin, path) = match front.split_once("://") {
        Some((scheme, rest)) => {
            let at = scheme.len() + 3 + rest.find('/').unwrap_or(rest.len());
            front.split_at_checked(at).unwrap_or((front, ""))
        }
        None => ("", front),
    };
    let clean_origin = userinfo(origin, counts);
    let clean_path = self::path(rules, path, counts);
    let clean_query = query.and_then(|query| parameters(rules, query, nesting, counts));
    let clean_fragment = fragment.and_then(|fragment| parameters(rules, fragment, nesting, counts));
    if clean_origin.is_none() && clean_path.is_none() && clean_query.is_none() && clean_fragment.is_none() {
        return None;
    }
    let mut out = clean_origin.unwrap_or_else(|| origin.to_owned());
    out.push_str(clean_path.as_deref().unwrap_or(path));
    for (mark, part, clean) in [('?', query, clean_query), ('#', fragment, clean_fragment)] {
        if let Some(part) = part {
            out.push(mark);
            out.push_str(clean.as_deref().unwrap_or(part));
        }
    }
    Some(out)
}

/// `user:password@` goes from an origin.
fn userinfo(origin: &str, counts: &mut Counts) -> Option<String> {
    let (scheme, rest) = origin.split_once("://")?;
    let (user, host) = rest.rsplit_once('@')?;
    if Kind::is_placeholder(user) {
        return None;
    }
    counts.add(Kind::Credential);
    Some(format!("{scheme}://{}@{host}", Kind::Credential.placeholder()))
}

fn parameters(rules: &'static Rules, query: &str, nesting: u8, counts: &mut Counts) -> Option<String> {
    let mut changed = false;
    let pairs: Vec<Cow<'_, str>> = query
        .split('&')
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or(("", pair));
            let (name, value) = (decode(name, true), decode(value, true));
            let rule = keys::rule(rules, &name, Place::Query);
            let clean_name = tokens::scan(rules, &name, counts);
            let clean_value = walk::string(rules, &value, rule, nesting, counts);
            if clean_name.is_none() && clean_value.is_none() {
                return Cow::Borrowed(pair);
            }
            changed = true;
            let equals = if pair.contains('=') { "=" } else { "" };
            let (name, value) =
                (clean_name.unwrap_or(name.into_owned()), clean_value.unwrap_or(value.into_owned()));
            Cow::Owned(format!("{}{equals}{}", encode(&name), encode(&value)))
        })
        .collect();
    changed.then(|| pairs.join("&"))
}

/// Undoes percent-encoding where the result is text; `+` is a space in a query.
fn decode(text: &str, query: bool) -> Cow<'_, str> {
    if !(text.contains('%') || query && text.contains('+')) {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.as_bytes();
    while let Some((byte, rest)) = bytes.split_first() {
        bytes = rest;
        match (byte, rest) {
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.push(nibble(*high) << 4 | nibble(*low));
                bytes = after;
            }
            (b'+', _) if query => out.push(b' '),
            _ => out.push(*byte),
        }
    }
    String::from_utf8(out).map_or(Cow::Borrowed(text), Cow::Owned)
}

fn nibble(hex: u8) -> u8 {
    match hex {
        b'0'..=b'9' => hex - b'0',
        _ => (hex | 0x20).saturating_sub(b'a') + 10,
    }
}

/// Percent-encodes what may not stand in a segment or parameter; placeholders stay readable.
fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~[]:@!$'()*,;".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
