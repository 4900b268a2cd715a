//! What one path segment looks like by itself. A hint, never a verdict: the decision is made in
//! [`mod@super::partition`] from what the whole capture says.

use crate::endpoint::format;

/// The look of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Look {
    /// Redaction replaced it: it was a value, whatever it was.
    Redacted,
    /// RFC 9562 text form, with or without dashes.
    Uuid,
    /// Hex digits, at least eight, not a word: sha, object id.
    Hex,
    /// Digits only.
    Int,
    /// `2024-05-01`, with or without time.
    Date,
    /// Something with an `@` and a dot behind it.
    Email,
    /// Random-looking letters and digits, possibly behind a prefix (`cus_9aZ…`).
    Random,
    /// Several values joined by commas.
    List,
    /// An IPv4 or IPv6 address.
    Address,
    /// `v1`, `v2beta1`, `1.0`.
    Version,
    /// A conventional stand-in for "the caller's own" or "the current one".
    Keyword,
    /// Letters in camelCase or snake_case: how programmers write, not how people name.
    Code,
    /// Lower- or upper-case letters only.
    Word,
    /// Anything else: slugs, names with digits, percent-encoded text.
    Slug,
}

impl Look {
    /// Whether the look alone says "value" (a lone integer may still be a version).
    #[must_use]
    pub fn is_value(self) -> bool {
        matches!(
            self,
            Look::Redacted
                | Look::Uuid
                | Look::Hex
                | Look::Int
                | Look::Date
                | Look::Email
                | Look::Random
                | Look::List
                | Look::Address
        )
    }
}

/// Segments that stand for something else and are part of the API's own language.
const KEYWORDS: [&str; 14] = [
    "me", "self", "current", "mine", "my", "latest", "search", "new", "count", "all", "bulk", "batch",
    "default", "whoami",
];

/// The look of one raw (percent-encoded) segment.
#[must_use]
pub fn look(segment: &str) -> Look {
    if segment.is_empty() {
        return Look::Word;
    }
    let bytes = segment.as_bytes();
    // most segments and names are a word in small letters, which is nothing else
    if bytes.iter().all(u8::is_ascii_lowercase) {
        return if KEYWORDS.contains(&segment) { Look::Keyword } else { Look::Word };
    }
    // searching for text costs more than everything else here: most segments have none of its first bytes
    let (mut encoded, mut bracket, mut at, mut comma) = (false, false, false, false);
    for byte in bytes {
        encoded |= *byte == b'%';
        bracket |= *byte == b'[';
        at |= *byte == b'@';
        comma |= *byte == b',';
    }
    if segment == super::MANY
        || bracket && segment.contains("[redacted")
        || encoded && segment.contains("%5Bredacted")
    {
        return Look::Redacted;
    }
    let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
    let letters = bytes.iter().filter(|b| b.is_ascii_alphabetic()).count();
    if digits == bytes.len() {
        return Look::Int;
    }
    if is_uuid(bytes) {
        return Look::Uuid;
    }
    if is_date(bytes) {
        return Look::Date;
    }
    if is_version(segment) {
        return Look::Version;
    }
    if at && segment.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'))
        || encoded && segment.contains("%40")
    {
        return Look::Email;
    }
    if comma || encoded && (segment.contains("%2C") || segment.contains("%2c")) {
        return Look::List;
    }
    if segment.parse::<std::net::IpAddr>().is_ok() {
        return Look::Address;
    }
    let hex = bytes.iter().all(u8::is_ascii_hexdigit);
    if hex && bytes.len() >= 8 && digits > 0 {
        return Look::Hex;
    }
    if is_random(bytes, digits) {
        return Look::Random;
    }
    if KEYWORDS.contains(&segment) {
        return Look::Keyword;
    }
    if digits == 0
        && letters + bytes.iter().filter(|b| matches!(b, b'_' | b'.' | b'$')).count() == bytes.len()
    {
        let upper = bytes.iter().filter(|b| b.is_ascii_uppercase()).count();
        let camel = bytes
            .windows(2)
            .any(|pair| matches!(pair, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase()));
        if camel || segment.trim_matches('_').contains('_') || bytes.starts_with(b"$") {
            return Look::Code;
        }
        if upper == 0 || upper == letters || upper == 1 {
            return Look::Word;
        }
    }
    Look::Slug
}

fn is_uuid(bytes: &[u8]) -> bool {
    match bytes.len() {
        36 => format::is_uuid(bytes),
        32 => bytes.iter().all(u8::is_ascii_hexdigit) && bytes.iter().any(u8::is_ascii_digit),
        _ => false,
    }
}

fn is_date(bytes: &[u8]) -> bool {
    bytes.len() >= 10
        && format::is_date(bytes)
        && matches!(bytes.get(10), None | Some(b'T' | b't' | b'%' | b' '))
}

/// `v1`, `v1.2`, `v2beta1`, `1.0`: short, one or two numbers, known stage names.
pub fn is_version(segment: &str) -> bool {
    let body = segment.strip_prefix(['v', 'V']);
    let digits_first = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    match body {
        Some(rest) => {
            segment.len() <= 14
                && digits_first(rest)
                && rest
                    .split(|c: char| c.is_ascii_digit() || c == '.')
                    .all(|stage| matches!(stage, "" | "alpha" | "beta" | "rc" | "p" | "preview" | "_"))
        }
        None => {
            segment.len() <= 5 && digits_first(segment) && segment.contains('.') && {
                segment.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
            }
        }
    }
}

/// Random text changes its character class far more often than words in any programmer's case do.
fn is_random(bytes: &[u8], digits: usize) -> bool {
    let plain =
        bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'=' | b'~' | b'.'));
    if !plain {
        return false;
    }
    let longest = bytes.split(|b| !b.is_ascii_alphanumeric()).max_by_key(|part| part.len()).unwrap_or(bytes);
    let class = |b: u8| {
        if b.is_ascii_digit() {
            0
        } else if b.is_ascii_lowercase() {
            1
        } else {
            2
        }
    };
    let changes = longest.windows(2).filter(|pair| matches!(pair, [a, b] if class(*a) != class(*b))).count();
    let own_digits = longest.iter().filter(|b| b.is_ascii_digit()).count();
    (longest.len() >= 10 && changes * 100 >= longest.len() * 36 && (digits > 0 || longest.len() >= 14))
        || (longest.len() >= 16 && own_digits * 4 >= longest.len())
}
