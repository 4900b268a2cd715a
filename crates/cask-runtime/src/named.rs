//! Text answers that are no JSON: what stands under a name is redacted by that name, as in JSON.
//!
//! XML elements and attributes, HTML fields, lines of YAML or of settings, JSON that does not parse. It is
//! no parser of any of them: whatever looks like a name and its value is one.

use std::borrow::Cow;
use std::sync::LazyLock;

use cask_core::redact::Redactor;
use regex::{Captures, Regex};
use serde_json::{Map, Value};

/// A line is a name and its value only if the value has at most this many words; else it is prose.
const MAX_WORDS: usize = 4;

/// A tag with its attributes, and the text after it.
static TAG: LazyLock<Regex> =
    LazyLock::new(|| regex(r"<([A-Za-z_][\w.:-]*)([^<>]*)>(\s*(?:<!\[CDATA\[)?)([^<>\]]*)"));

/// `name: value` or `name = value`, quoted or not, anywhere.
static PAIR: LazyLock<Regex> = LazyLock::new(|| {
    regex(r#"([A-Za-z_][\w.-]*)["']?(\s*[:=]\s*)("(?:[^"\\\n]|\\.)*"?|'[^'\n]*'?|[^\s"',;<>{}\[\]()&|]+)"#)
});

/// `name: some words` as the whole line.
static LINE: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"(?m)^([ \t]*(?:-[ \t]+)?)([A-Za-z_][\w. -]*?)([ \t]*[:=][ \t]*)(\S[^\n]*?)([ \t\r]*)$")
});

static ATTRIBUTE: LazyLock<Regex> =
    LazyLock::new(|| regex(r#"([A-Za-z_][\w.:-]*)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)"#));

#[expect(clippy::expect_used, reason = "the patterns are part of the program, and a test compiles them all")]
fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern compiles")
}

/// The text with every value replaced whose name says that it is secret or personal.
pub(crate) fn redact(redactor: &Redactor, text: &str) -> String {
    let lines = LINE.replace_all(text, |found: &Captures<'_>| {
        let value = group(found, 4);
        let few = value.split_whitespace().count() <= MAX_WORDS && !value.contains(['<', '{', '[']);
        let clean = few.then(|| judged(redactor, group(found, 2), value)).flatten();
        match clean {
            Some(clean) => {
                format!("{}{}{}{clean}{}", group(found, 1), group(found, 2), group(found, 3), group(found, 5))
            }
            None => group(found, 0).to_owned(),
        }
    });
    let tags = if lines.contains('<') {
        TAG.replace_all(&lines, |found: &Captures<'_>| tag(redactor, found))
    } else {
        Cow::Borrowed(lines.as_ref())
    };
    let pairs = PAIR.replace_all(&tags, |found: &Captures<'_>| {
        let (name, value) = (group(found, 1), group(found, 3));
        let whole = group(found, 0);
        match judged(redactor, name, value) {
            Some(clean) => whole.strip_suffix(value).unwrap_or_default().to_owned() + &clean,
            None => whole.to_owned(),
        }
    });
    pairs.into_owned()
}

fn group<'t>(found: &Captures<'t>, number: usize) -> &'t str {
    found.get(number).map_or("", |group| group.as_str())
}

/// The element's text is named by the element and by its `name`, and so is its `value`.
fn tag(redactor: &Redactor, found: &Captures<'_>) -> String {
    let (element, attributes, between, text) =
        (group(found, 1), group(found, 2), group(found, 3), group(found, 4));
    let label = ATTRIBUTE.captures_iter(attributes).find_map(|found| {
        let is = |name: &str| group(&found, 1).eq_ignore_ascii_case(name);
        (is("name") || is("id") || is("key") || is("property")).then(|| unquoted(group(&found, 3)).0)
    });
    let local = element.rsplit(':').next().unwrap_or(element);
    let names = || std::iter::once(local).chain(label);
    let attributes = ATTRIBUTE.replace_all(attributes, |found: &Captures<'_>| {
        let (name, value) = (group(found, 1), group(found, 3));
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
        let clean = if is("value") || is("content") {
            names().find_map(|name| judged(redactor, name, value))
        } else {
            judged(redactor, name.rsplit(':').next().unwrap_or(name), value)
        };
        format!("{name}{}{}", group(found, 2), clean.as_deref().unwrap_or(value))
    });
    let trimmed = text.trim();
    let clean = names().find_map(|name| judged(redactor, name, trimmed));
    let text = clean.map_or_else(|| text.to_owned(), |clean| text.replacen(trimmed, &clean, 1));
    format!("<{element}{attributes}>{between}{text}")
}

/// What redaction makes of a value under this name, if anything; quotes stay.
fn judged(redactor: &Redactor, name: &str, value: &str) -> Option<String> {
    let (inner, quote) = unquoted(value);
    // What is redacted already is not a value.
    if inner.is_empty() || inner.starts_with("[redacted:") {
        return None;
    }
    let mut member = Value::Object(Map::from_iter([(name.to_owned(), Value::from(inner))]));
    redactor.value(&mut member);
    let clean = member.as_object()?.values().next()?.as_str()?;
    (clean != inner).then(|| format!("{quote}{clean}{quote}"))
}

/// The text in quotes, and the quote. A cut text may lack the second one.
fn unquoted(text: &str) -> (&str, &str) {
    for quote in ["\"", "'"] {
        if let Some(inner) = text.strip_prefix(quote) {
            return (inner.strip_suffix(quote).unwrap_or(inner), quote);
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use cask_core::redact::Profile;

    use super::*;

    #[test]
    fn names_count_in_every_kind_of_text() {
        let redactor = Redactor::new(Profile::DefaultSafe);
        for text in [
            "<user><id>7</id><password>S3CRETx</password></user>",
            "<a:password xmlns:a='x'> S3CRETx </a:password>",
            "<password><![CDATA[S3CRETx]]></password>",
            "<input type=\"hidden\" name=\"password\" value=\"S3CRETx\">",
            "<string name=\"api_key\">S3CRETx</string>",
            "<login password='S3CRETx'/>",
            "user: ann\npassword: S3CRETx\n",
            "db:\n  - password: S3CRETx and more\n",
            "{password: S3CRETx, user: ann}",
            "callback({\"password\":\"S3CRETx\"})",
            "{\"a\": NaN, \"password\": \"S3CRETx",
            "DB_PASSWORD=S3CRETx",
            "it failed for password=S3CRETx, try again",
        ] {
            let clean = redact(&redactor, text);
            assert!(!clean.contains("S3CRETx") && clean.contains("[redacted:"), "{text} -> {clean}");
            assert_eq!(redact(&redactor, &clean), clean, "twice is once");
        }
        for text in [
            "<p class=\"x\">Hello, <b>world</b> &amp; all</p>",
            "name: ann\nage: 7\n",
            "a: 1, b: 2",
            "Note: the password rules are on the next page of this manual.",
            "2026-11-23T10:00:00Z ok",
        ] {
            assert_eq!(redact(&redactor, text), text);
        }
    }
}
