//! Formats of strings, recognised by their own text.
//!
//! The names are those of the OpenAPI format registry. A format is claimed only if every string of a
//! position has it, so a recogniser may be generous where text of that form is never anything else.

/// A recognised format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// RFC 9562.
    Uuid,
    /// RFC 3339 date and time.
    DateTime,
    /// RFC 3339 full date.
    Date,
    /// An e-mail address (also a redacted one).
    Email,
    /// An absolute URI, RFC 3986.
    Uri,
    /// Dotted quad.
    Ipv4,
    /// RFC 4291.
    Ipv6,
    /// A whole number written as a string.
    Int64,
    /// Base64, RFC 4648, padded to fours.
    Byte,
    /// ISO 8601 duration.
    Duration,
}

impl Format {
    /// The registry's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Format::Uuid => "uuid",
            Format::DateTime => "date-time",
            Format::Date => "date",
            Format::Email => "email",
            Format::Uri => "uri",
            Format::Ipv4 => "ipv4",
            Format::Ipv6 => "ipv6",
            Format::Int64 => "int64",
            Format::Byte => "byte",
            Format::Duration => "duration",
        }
    }

    /// The format of a non-empty string.
    #[must_use]
    pub fn of(text: &str) -> Option<Format> {
        let bytes = text.as_bytes();
        let first = *bytes.first()?;
        if bytes.len() > 2048 {
            return None;
        }
        let digit = first.is_ascii_digit();
        if (digit || first == b'-') && is_whole(bytes) {
            return (bytes.len() <= 20).then_some(Format::Int64);
        }
        if digit && bytes.len() >= 10 && is_date(bytes) {
            return match bytes.len() {
                10 => Some(Format::Date),
                _ => is_time(bytes.get(10..).unwrap_or_default()).then_some(Format::DateTime),
            };
        }
        if bytes.len() == 36 && first.is_ascii_hexdigit() && is_uuid(bytes) {
            return Some(Format::Uuid);
        }
        if first.is_ascii_alphabetic() && is_uri(text) {
            return Some(Format::Uri);
        }
        if digit && bytes.len() <= 15 && text.parse::<std::net::Ipv4Addr>().is_ok() {
            return Some(Format::Ipv4);
        }
        if (first.is_ascii_hexdigit() || first == b':')
            && (3..=45).contains(&bytes.len())
            && bytes.iter().filter(|b| **b == b':').count() >= 2
            && text.parse::<std::net::Ipv6Addr>().is_ok()
        {
            return Some(Format::Ipv6);
        }
        if first == b'P' && is_duration(bytes) {
            return Some(Format::Duration);
        }
        if is_base64(bytes) {
            return Some(Format::Byte);
        }
        None
    }

    /// The format that a redaction placeholder stands for.
    #[must_use]
    pub fn of_redacted(kind: &str) -> Option<Format> {
        (kind == "email").then_some(Format::Email)
    }
}

/// The kind in a placeholder that is the whole string: `[redacted:email]` → `email`.
#[must_use]
pub fn redacted_kind(text: &str) -> Option<&str> {
    text.strip_prefix("[redacted:")?.strip_suffix(']')
}

/// How text from a query, a form or a path reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalar {
    /// `true`, `false`
    Boolean,
    /// A whole number without leading zeros that fits 64 bits.
    Integer,
    /// A decimal number.
    Float,
    /// Anything else.
    Text,
}

/// The type that text reads as.
#[must_use]
pub fn scalar(text: &str) -> Scalar {
    let bytes = text.as_bytes();
    match bytes {
        b"true" | b"false" => return Scalar::Boolean,
        [] => return Scalar::Text,
        _ => {}
    }
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    if digits.iter().all(u8::is_ascii_digit) {
        let leading_zero = digits.len() > 1 && digits.first() == Some(&b'0');
        return if !leading_zero && text.parse::<i64>().is_ok() { Scalar::Integer } else { Scalar::Text };
    }
    let decimal = digits.first().is_some_and(u8::is_ascii_digit)
        && digits.iter().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'-' | b'+'))
        && text.parse::<f64>().is_ok_and(f64::is_finite);
    if decimal { Scalar::Float } else { Scalar::Text }
}

fn is_whole(bytes: &[u8]) -> bool {
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

/// Whether 36 bytes are the text form of RFC 9562.
pub(super) fn is_uuid(bytes: &[u8]) -> bool {
    bytes.iter().enumerate().all(|(i, b)| match i {
        8 | 13 | 18 | 23 => *b == b'-',
        _ => b.is_ascii_hexdigit(),
    })
}

/// Whether the first ten bytes are a full date of RFC 3339.
pub(super) fn is_date(bytes: &[u8]) -> bool {
    bytes.iter().take(10).enumerate().all(|(i, b)| match i {
        4 | 7 => *b == b'-',
        _ => b.is_ascii_digit(),
    })
}

/// `T10:00:00Z`, with fraction and offset: what follows the date in RFC 3339.
fn is_time(rest: &[u8]) -> bool {
    rest.len() >= 6
        && matches!(rest.first(), Some(b'T' | b't' | b' '))
        && rest
            .iter()
            .skip(1)
            .all(|b| b.is_ascii_digit() || matches!(b, b':' | b'.' | b'Z' | b'z' | b'+' | b'-'))
        && rest.get(3) == Some(&b':')
}

/// The longest scheme that a URI is believed to have.
const MAX_SCHEME: usize = 12;

fn is_uri(text: &str) -> bool {
    // a scheme is short: text without a colon near its start is told apart at once
    let near = text.as_bytes().iter().take(MAX_SCHEME + 1).position(|byte| *byte == b':');
    let Some((scheme, rest)) = near.and_then(|at| text.split_at_checked(at)) else { return false };
    let Some(rest) = rest.strip_prefix("://") else {
        return matches!(scheme, "urn" | "mailto");
    };
    scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'.' | b'-'))
        && !rest.is_empty()
        && !rest.contains(char::is_whitespace)
}

fn is_duration(bytes: &[u8]) -> bool {
    bytes.len() >= 3
        && bytes.iter().any(u8::is_ascii_digit)
        && bytes
            .iter()
            .skip(1)
            .all(|b| b.is_ascii_digit() || matches!(b, b'Y' | b'M' | b'W' | b'D' | b'T' | b'H' | b'S' | b'.'))
        && bytes.last().is_some_and(u8::is_ascii_uppercase)
}

/// Padded base64 that is not also a word or a number: it mixes cases with digits or symbols.
fn is_base64(bytes: &[u8]) -> bool {
    if bytes.len() < 8 || !bytes.len().is_multiple_of(4) {
        return false;
    }
    let body = bytes.strip_suffix(b"==").or_else(|| bytes.strip_suffix(b"=")).unwrap_or(bytes);
    let (mut upper, mut lower, mut other) = (false, false, body.len() < bytes.len());
    for byte in body {
        match byte {
            b'A'..=b'Z' => upper = true,
            b'a'..=b'z' => lower = true,
            b'0'..=b'9' | b'+' | b'/' => other = true,
            _ => return false,
        }
    }
    upper && lower && (other || bytes.len() >= 16)
}
