//! How an argument becomes part of a URL or header: OpenAPI styles over strict percent-encoding.
//!
//! Everything except RFC 3986 *unreserved* characters is encoded, so no argument can add a delimiter.

use serde_json::{Map, Value};

/// Percent-encodes everything that is not unreserved (RFC 3986, 2.3).
#[must_use]
pub fn percent(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// Percent-decodes once; what is not valid UTF-8 afterwards is replaced.
#[must_use]
pub fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let pair = (first == b'%').then(|| tail.split_first_chunk::<2>()).flatten();
        match pair.and_then(|(&[high, low], after)| Some((hex(high)? << 4 | hex(low)?, after))) {
            Some((byte, after)) => {
                out.push(byte);
                rest = after;
            }
            None => {
                out.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// A literal part of a path template as a URL carries it: what is already encoded stays, what a URL
/// parser would encode is encoded.
#[must_use]
pub fn literal(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        let raw = byte.is_ascii_graphic()
            && !matches!(byte, b'"' | b'#' | b'<' | b'>' | b'?' | b'`' | b'{' | b'}' | b'^' | b'\\');
        if raw {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// The text of a string, number or boolean.
#[must_use]
pub fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        // `1.0` is a whole number to JSON Schema, and `1` to the service
        Value::Number(number) => {
            Some(super::whole(number).map_or_else(|| number.to_string(), |whole| whole.to_string()))
        }
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// An argument as text parts: one for a scalar, several for a list, key and text for a flat object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parts {
    /// A string, number or boolean.
    One(String),
    /// A list of them.
    Many(Vec<String>),
    /// An object of them.
    Named(Vec<(String, String)>),
}

impl Parts {
    /// Takes an argument apart. Lists and objects inside lists and objects are written as JSON.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        let text = |value: &Value| scalar(value).unwrap_or_else(|| value.to_string());
        match value {
            Value::Array(items) => Parts::Many(items.iter().map(text).collect()),
            Value::Object(members) => {
                Parts::Named(members.iter().map(|(key, value)| (key.clone(), text(value))).collect())
            }
            other => Parts::One(text(other)),
        }
    }

    /// Every text that is in it, keys included.
    pub fn texts(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        match self {
            Parts::One(text) => Box::new(std::iter::once(text.as_str())),
            Parts::Many(texts) => Box::new(texts.iter().map(String::as_str)),
            Parts::Named(pairs) => {
                Box::new(pairs.iter().flat_map(|(key, text)| [key.as_str(), text.as_str()]))
            }
        }
    }
}

/// The value of a path parameter (`simple`, `label`, `matrix`) or of a header (`simple`).
///
/// `encode` is applied to every text; the delimiters of the style stay as they are.
#[must_use]
pub fn inline(name: &str, parts: &Parts, style: &str, explode: bool, encode: fn(&str) -> String) -> String {
    let separator = match (style, explode) {
        ("label", true) => ".",
        ("matrix", true) => ";",
        _ => ",",
    };
    let body = match parts {
        Parts::One(text) => encode(text),
        Parts::Many(texts) if style == "matrix" && explode => {
            texts.iter().map(|text| format!("{name}={}", encode(text))).collect::<Vec<_>>().join(separator)
        }
        Parts::Many(texts) => texts.iter().map(|text| encode(text)).collect::<Vec<_>>().join(separator),
        Parts::Named(pairs) => {
            let between = if explode { "=" } else { "," };
            let pair = |(key, text): &(String, String)| format!("{}{between}{}", encode(key), encode(text));
            pairs.iter().map(pair).collect::<Vec<_>>().join(separator)
        }
    };
    match (style, parts) {
        ("label", _) => format!(".{body}"),
        ("matrix", Parts::Many(_) | Parts::Named(_)) if explode => format!(";{body}"),
        ("matrix", _) => format!(";{name}={body}"),
        _ => body,
    }
}

/// The pairs of a query parameter, encoded (`form`, `spaceDelimited`, `pipeDelimited`, `deepObject`).
#[must_use]
pub fn query(name: &str, value: &Value, style: &str, explode: bool) -> Vec<(String, String)> {
    let key = percent(name);
    let separator = match style {
        "spaceDelimited" => "%20",
        "pipeDelimited" => "%7C",
        _ => ",",
    };
    match (value, Parts::of(value)) {
        (Value::Null, _) => Vec::new(),
        (_, Parts::One(text)) => vec![(key, percent(&text))],
        (_, Parts::Many(texts)) if texts.is_empty() => Vec::new(),
        (_, Parts::Many(texts)) if explode => texts.iter().map(|text| (key.clone(), percent(text))).collect(),
        (_, Parts::Many(texts)) => {
            vec![(key, texts.iter().map(|text| percent(text)).collect::<Vec<_>>().join(separator))]
        }
        (Value::Object(members), _) if style == "deepObject" => deep(name, members),
        (_, Parts::Named(pairs)) if explode => {
            pairs.iter().map(|(name, text)| (percent(name), percent(text))).collect()
        }
        (_, Parts::Named(pairs)) => {
            let flat = pairs.iter().flat_map(|(name, text)| [percent(name), percent(text)]);
            vec![(key, flat.collect::<Vec<_>>().join(separator))]
        }
    }
}

/// `name[key]=text`, at any depth; also how nested values are written in forms.
#[must_use]
pub fn deep(name: &str, members: &Map<String, Value>) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (key, value) in members {
        let name = format!("{name}[{key}]");
        match value {
            Value::Object(members) => pairs.extend(deep(&name, members)),
            Value::Array(items) => {
                for item in items {
                    match item {
                        Value::Object(members) => pairs.extend(deep(&format!("{name}[]"), members)),
                        item => pairs.push((percent(&format!("{name}[]")), percent(&plain(item)))),
                    }
                }
            }
            value => pairs.push((percent(&name), percent(&plain(value)))),
        }
    }
    pairs
}

/// The text of a value in a form: `null` is empty, lists are JSON.
#[must_use]
pub fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        value => scalar(value).unwrap_or_else(|| value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn styles_follow_the_openapi_table() {
        let (list, record) = (json!(["a b", "c,d"]), json!({"R": 100, "G": 200}));
        let inline =
            |value: &Value, style, explode| inline("color", &Parts::of(value), style, explode, percent);
        let query = |value: &Value, style, explode| {
            let pairs = query("color", value, style, explode);
            pairs.iter().map(|(key, text)| format!("{key}={text}")).collect::<Vec<_>>().join("&")
        };
        for (got, want) in [
            (inline(&list, "", false), "a%20b,c%2Cd"),
            (inline(&record, "simple", true), "R=100,G=200"),
            (inline(&record, "simple", false), "R,100,G,200"),
            (inline(&list, "label", true), ".a%20b.c%2Cd"),
            (inline(&json!(5), "label", false), ".5"),
            (inline(&list, "matrix", false), ";color=a%20b,c%2Cd"),
            (inline(&list, "matrix", true), ";color=a%20b;color=c%2Cd"),
            (inline(&record, "matrix", true), ";R=100;G=200"),
            (query(&list, "", true), "color=a%20b&color=c%2Cd"),
            (query(&list, "form", false), "color=a%20b,c%2Cd"),
            (query(&list, "spaceDelimited", false), "color=a%20b%20c%2Cd"),
            (query(&list, "pipeDelimited", false), "color=a%20b%7Cc%2Cd"),
            (query(&record, "form", true), "R=100&G=200"),
            (query(&record, "form", false), "color=R,100,G,200"),
            (query(&record, "deepObject", true), "color%5BR%5D=100&color%5BG%5D=200"),
            (query(&json!(null), "", true), ""),
            (query(&json!("a&b=c#d"), "", true), "color=a%26b%3Dc%23d"),
        ] {
            assert_eq!(got, want);
        }
    }
}
