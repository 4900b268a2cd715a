//! Headers: every name is kept, but only the values that inference needs.

use super::keys::{self, Verdict};
use super::known::Known;
use super::rules::{How, Place, Rules};
use super::{Counts, Kind, tokens, url};

/// Redacts header values in place.
pub(super) fn headers(
    rules: &'static Rules,
    headers: &mut [(String, String)],
    counts: &mut Counts,
    known: &mut Known,
) {
    for (name, value) in headers {
        let verdict = known.header(name, |name| keys::judge(rules, name, Place::Header));
        let clean = match rules.headers.get(name.as_str()) {
            Some(How::Keep) => tokens::scan(rules, value, counts),
            Some(How::First) => Some(value.split(';').next().unwrap_or_default().trim().to_owned()),
            Some(How::Scheme) => Some(scheme(rules, value, counts)),
            Some(How::Challenge) => Some(known_scheme(rules, value).unwrap_or_default().to_owned()),
            Some(How::Cookie) => Some(cookies(rules, value, name.starts_with("set-"), counts)),
            Some(How::Url) => url::url(rules, value, 0, counts),
            Some(How::Link) => Some(links(rules, value, counts)),
            None => dropped(verdict, value, counts),
        };
        if let Some(clean) = clean {
            *value = clean;
        }
        if verdict.secret
            && let Some(clean) = tokens::scan(rules, name, counts)
        {
            *name = clean;
        }
    }
}

fn dropped(verdict: Verdict, value: &str, counts: &mut Counts) -> Option<String> {
    if value.is_empty() || Kind::is_placeholder(value) {
        return None;
    }
    // Personal data under a header's name needs no closer word than `header`.
    let kind = verdict.rule.map_or(Kind::Header, |rule| rule.kind);
    counts.add(kind);
    Some(kind.placeholder().to_owned())
}

fn known_scheme<'v>(rules: &Rules, value: &'v str) -> Option<&'v str> {
    let scheme = value.split_whitespace().next()?.trim_end_matches(',');
    rules.schemes.contains(&scheme.to_ascii_lowercase()).then_some(scheme)
}

/// `Bearer [redacted:credential]`; a first word that is no known scheme may be the secret itself.
fn scheme(rules: &Rules, value: &str, counts: &mut Counts) -> String {
    if value.is_empty() {
        return String::new();
    }
    if !value.contains(Kind::Credential.placeholder()) {
        counts.add(Kind::Credential);
    }
    let placeholder = Kind::Credential.placeholder();
    match known_scheme(rules, value) {
        Some(scheme) if value.trim() != scheme => format!("{scheme} {placeholder}"),
        _ => placeholder.to_owned(),
    }
}

/// `a=[redacted:credential]; b=[redacted:credential]`; of a set cookie only the first pair is one.
fn cookies(rules: &'static Rules, value: &str, set: bool, counts: &mut Counts) -> String {
    let placeholder = Kind::Credential.placeholder();
    let lines = value.split(if set { '\n' } else { ';' });
    let pairs =
        lines.filter_map(|line| line.split(';').next()).map(str::trim).filter(|pair| !pair.is_empty());
    let clean: Vec<String> = pairs
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) => {
                if value != placeholder {
                    counts.add(Kind::Credential);
                }
                let name = name.trim();
                format!("{}={placeholder}", tokens::scan(rules, name, counts).as_deref().unwrap_or(name))
            }
            None => placeholder.to_owned(),
        })
        .collect();
    clean.join(if set { "\n" } else { "; " })
}

/// Each `<…>` as a URL, the rest as text.
fn links(rules: &'static Rules, value: &str, counts: &mut Counts) -> String {
    let mut out = String::with_capacity(value.len());
    for piece in value.split_inclusive('>') {
        match piece.split_once('<').and_then(|(before, target)| Some((before, target.strip_suffix('>')?))) {
            Some((before, target)) => {
                out.push_str(before);
                out.push('<');
                out.push_str(&url::url(rules, target, 0, counts).unwrap_or_else(|| target.to_owned()));
                out.push('>');
            }
            None => out.push_str(piece),
        }
    }
    tokens::scan(rules, &out, counts).unwrap_or(out)
}
