//! GraphQL documents: a literal is a value under the name of its argument, variable or field.
//!
//! A tool sends a document as it was seen, so a literal in it would be kept for ever. Ids survive where their
//! name says that they are some; any other literal that looks random does not, since nothing tells what it is.
//! A broken document is read as far as it goes.

use super::keys::{self, KeyRule};
use super::rules::{Place, Rules};
use super::{Counts, Kind, tokens, url, walk};

type Says = Option<&'static KeyRule>;

/// Rounds after which a document that still changes is left as it is; each removes something.
const ROUNDS: usize = 4;

/// Whether the text is a document, as far as its first words tell.
pub(super) fn is_document(text: &str) -> bool {
    if !text.starts_with(|c: char| "{qmsf#, \t\r\n\u{feff}".contains(c)) {
        return false;
    }
    let mut words = Lexer { rest: text }.filter(|(kind, _)| *kind != Kinds::Ignored);
    match words.next() {
        Some((Kinds::Mark, "{")) => matches!(words.next(), Some((Kinds::Name, _) | (Kinds::Mark, "..."))),
        Some((Kinds::Name, word @ ("query" | "mutation" | "subscription" | "fragment"))) => {
            let mut next = words.next();
            if matches!(next, Some((Kinds::Name, _))) {
                next = words.next();
            }
            let opens = matches!(next, Some((Kinds::Mark, "{" | "(" | "@")));
            opens || word == "fragment" && matches!(next, Some((Kinds::Name, "on")))
        }
        _ => false,
    }
}

/// The document with every secret in it replaced; `None` if there is none.
pub(super) fn document(
    rules: &'static Rules,
    text: &str,
    nesting: u8,
    counts: &mut Counts,
) -> Option<String> {
    let mut done: Option<String> = None;
    for _ in 0..ROUNDS {
        let now = done.as_deref().unwrap_or(text);
        // comments, and what is no document after all
        let clean = literals(rules, now, nesting, counts);
        let clean = match tokens::scan(rules, clean.as_deref().unwrap_or(now), counts) {
            None => clean,
            cleaner => cleaner,
        };
        match clean {
            None => break,
            clean => done = clean,
        }
    }
    done
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kinds {
    Name,
    Int,
    Float,
    Text,
    Block,
    /// Punctuation, or a character that no document has.
    Mark,
    /// White space, commas and comments.
    Ignored,
}

/// The tokens of a document (GraphQL, October 2021, 2.1). Their texts joined are the document again.
struct Lexer<'t> {
    rest: &'t str,
}

impl<'t> Iterator for Lexer<'t> {
    type Item = (Kinds, &'t str);

    fn next(&mut self) -> Option<Self::Item> {
        let first = self.rest.chars().next()?;
        let (kind, len) = match first {
            ' ' | '\t' | '\r' | '\n' | ',' | '\u{feff}' => (Kinds::Ignored, first.len_utf8()),
            '#' => (Kinds::Ignored, self.rest.find(['\n', '\r']).unwrap_or(self.rest.len())),
            '"' if self.rest.starts_with("\"\"\"") => (Kinds::Block, block(self.rest)),
            '"' => (Kinds::Text, quoted(self.rest)),
            '.' if self.rest.starts_with("...") => (Kinds::Mark, 3),
            c if c.is_ascii_alphabetic() || c == '_' => (Kinds::Name, run(self.rest, is_name)),
            c if c.is_ascii_digit() || c == '-' => number(self.rest),
            c => (Kinds::Mark, c.len_utf8()),
        };
        let (token, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, ""));
        self.rest = rest;
        Some((kind, token))
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn run(text: &str, good: fn(u8) -> bool) -> usize {
    text.bytes().take_while(|byte| good(*byte)).count()
}

/// The length of a block string; one without an end goes to the end of the document.
fn block(text: &str) -> usize {
    let mut at = 3;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find("\"\"\"")) {
        let end = at + found;
        if !text.get(..end).is_some_and(|before| before.ends_with('\\')) {
            return end + 3;
        }
        at = end + 3;
    }
    text.len()
}

/// The length of a string; one without an end goes to the end of its line.
fn quoted(text: &str) -> usize {
    let mut bytes = text.bytes().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return at + 1,
            b'\n' | b'\r' => return at,
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
    text.len()
}

fn number(text: &str) -> (Kinds, usize) {
    let sign = usize::from(text.starts_with('-'));
    let tail = |at: usize| text.get(at..).unwrap_or_default();
    let digits = |at: usize| run(tail(at), |byte| byte.is_ascii_digit());
    let mut end = sign + digits(sign);
    if end == sign {
        return (Kinds::Mark, sign.max(1));
    }
    let mut kind = Kinds::Int;
    if tail(end).starts_with('.') && digits(end + 1) > 0 {
        kind = Kinds::Float;
        end += 1 + digits(end + 1);
    }
    if tail(end).starts_with(['e', 'E']) {
        let signed = end + 1 + usize::from(tail(end + 1).starts_with(['+', '-']));
        if digits(signed) > 0 {
            kind = Kinds::Float;
            end = signed + digits(signed);
        }
    }
    (kind, end)
}

/// What holds inside a pair of brackets.
#[derive(Clone, Copy, Default)]
struct Frame<'t> {
    /// What the name of the whole says to members without a name of their own.
    parent: Says,
    /// What the last name says of the value behind it.
    says: Says,
    /// What the name in a pair (`{name: "Authorization", value: …}`) says of its value.
    label: Says,
    key: &'t str,
    /// Whether the last name or one further out is that of ids.
    id: bool,
    /// Whether the name of the whole is.
    ids: bool,
    list: bool,
}

fn literals(rules: &'static Rules, text: &str, nesting: u8, counts: &mut Counts) -> Option<String> {
    let mut out = String::new();
    let mut changed = false;
    let mut stack: Vec<Frame<'_>> = Vec::new();
    let mut frame = Frame::default();
    let (mut name, mut before) = (None, "");
    for (kind, token) in (Lexer { rest: text }) {
        let clean = match kind {
            Kinds::Text | Kinds::Block => {
                let value = plain(kind, token);
                if walk::is_pair_name(frame.key) {
                    frame.label = keys::rule(rules, value.trim(), Place::Query);
                }
                literal(rules, &value, &frame, nesting, counts).map(|clean| written(kind, &clean))
            }
            Kinds::Int | Kinds::Float => digits(kind, token, frame.says, counts),
            _ => None,
        };
        match token {
            ":" => {
                if let Some(name) = name {
                    let own = keys::rule(rules, name, Place::Query);
                    frame.says =
                        own.or_else(|| walk::inherited(rules, name, frame.label, frame.parent, false));
                    frame.id = frame.ids || keys::names_ids(rules, name);
                    frame.key = name;
                }
            }
            "(" => {
                stack.push(frame);
                // `token(value: "…")`: the name of a field or directive is that of its arguments' whole.
                let parent = name.and_then(|name| keys::rule(rules, name, Place::Query));
                frame = Frame { parent, ..Frame::default() };
            }
            "[" => {
                stack.push(frame);
                frame.list = true;
            }
            "{" => {
                stack.push(frame);
                let value = frame.list || matches!(before, ":" | "=");
                // `secrets: [{name}]` lists objects; only `secrets: {a: b}` is a map of secrets.
                let parent = frame.says.filter(|rule| value && !(rule.inside && frame.list));
                frame = Frame { parent, ids: value && frame.id, ..Frame::default() };
            }
            ")" | "]" | "}" => frame = stack.pop().unwrap_or_default(),
            _ => {}
        }
        if kind != Kinds::Ignored {
            name = (kind == Kinds::Name).then_some(token);
            before = token;
        }
        changed |= clean.is_some();
        out.push_str(clean.as_deref().unwrap_or(token));
    }
    changed.then_some(out)
}

fn literal(
    rules: &'static Rules,
    value: &str,
    frame: &Frame<'_>,
    nesting: u8,
    counts: &mut Counts,
) -> Option<String> {
    let replace = |kind: Kind, counts: &mut Counts| {
        counts.add(kind);
        Some(kind.placeholder().to_owned())
    };
    match frame.says {
        Some(rule) if rule.fits(value.trim()) => replace(rule.kind, counts),
        _ if !frame.id && !url::is_url(value) && tokens::random(value.trim()) => replace(Kind::Token, counts),
        _ => walk::string(rules, value, None, nesting + 1, counts),
    }
}

fn digits(kind: Kinds, token: &str, says: Says, counts: &mut Counts) -> Option<String> {
    let rule = says?;
    let number = token.trim_start_matches('-');
    let float = || number.parse::<f64>().ok().filter(|number| *number != 0.0).map(f64::to_bits);
    let size = number.parse::<u64>().ok().or_else(float)?;
    rule.fits_number(size).then(|| {
        counts.add(rule.kind);
        if kind == Kinds::Int { "0" } else { "0.0" }.to_owned()
    })
}

/// The value of a string token, without quotes and escapes.
fn plain(kind: Kinds, token: &str) -> String {
    if kind == Kinds::Block {
        let inner = token.get(3..).unwrap_or_default();
        return inner.strip_suffix("\"\"\"").unwrap_or(inner).replace("\\\"\"\"", "\"\"\"");
    }
    let mut out = String::with_capacity(token.len());
    let mut chars = token.chars().skip(1).peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => match chars.next() {
                Some('b') => out.push('\u{8}'),
                Some('f') => out.push('\u{c}'),
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('t') => out.push('\t'),
                Some('u') => {
                    let braced = chars.next_if_eq(&'{').is_some();
                    let mut code = 0_u32;
                    for _ in 0..if braced { 8 } else { 4 } {
                        let Some(digit) = chars.peek().and_then(|c| c.to_digit(16)) else { break };
                        code = code.wrapping_mul(16).wrapping_add(digit);
                        chars.next();
                    }
                    if braced {
                        chars.next_if_eq(&'}');
                    }
                    out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                Some(other) => out.push(other),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

/// A string token again. What JSON escapes, GraphQL reads the same.
fn written(kind: Kinds, value: &str) -> String {
    if kind == Kinds::Block && !value.ends_with(['"', '\\']) {
        return format!("\"\"\"{}\"\"\"", value.replace("\"\"\"", "\\\"\"\""));
    }
    serde_json::Value::from(value).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::capture::{Body, Exchange, Message, Scheme};
    use crate::json::Json;
    use crate::redact::{Profile, Redactor};

    /// 32 letters and digits, made here so that no scanner takes this file for a leak.
    fn secret() -> String {
        (0..32_u32)
            .map(|n| char::from_digit((n * 7 + 3) % 36, 36).unwrap())
            .collect::<String>()
            .replace('a', "Q")
    }

    fn clean(text: &str) -> String {
        Redactor::new(Profile::DefaultSafe).text(text).into_owned()
    }

    #[test]
    fn literals_are_values_under_their_names() {
        for document in [
            "mutation A { login(email: \"x\", pw: \"S\") { t } }",
            "mutation { login(p: \"S\") { ok } }",
            "mutation B { signIn(input: {username: \"u\", passwd: \"S\"}) { t } }",
            "query D($t: Text = \"S\") { a(token: $t) { id } }",
            "query D($tokens: [Text!]! = [\"x\", \"S\"]) { a { id } }",
            "query E { a(token: \"\"\"S\"\"\") { id } }",
            "query E { a(token: \"\"\"\n  S\n  \"\"\") { id } }",
            "query F @auth(bearer: \"S\") { a { id } }",
            "query H { a(auth: \"S\") { id } }",
            "query J { a(session: \"S\") { id } }",
            "{ me(key: \"S\") { id } }",
            "{ a(headers: [{name: \"Authorization\", value: \"S\"}]) { id } }",
            "{ a(secrets: {one: \"S\"}) { id } }",
            "{ id: login(p: \"S\") { id } }",
            "# Authorization: Bearer S\n{ a { id } }",
            "fragment F on T { a(password: \"S\") }",
            "query { a(json: \"{\\\"password\\\": \\\"S\\\"}\") { id } }",
            "query { a(password: \"S",
            "mutation { a(password: \"\\u0041S\") { id } }",
        ] {
            let document = document.replace('S', &secret());
            let redacted = clean(&document);
            assert!(
                !redacted.contains(&secret()) && redacted.contains("[redacted:"),
                "{document} -> {redacted}"
            );
            assert_eq!(clean(&redacted), redacted);
        }
        assert_eq!(
            clean("mutation { a(pin: 4827163, n: 4827163, password: -12.5e3, b: [1, 2]) { id } }"),
            "mutation { a(pin: 0, n: 4827163, password: 0.0, b: [1, 2]) { id } }"
        );
        assert_eq!(
            clean("{ a(password: \"x\\\"y\", b: 1) }"),
            "{ a(password: \"[redacted:credential]\", b: 1) }"
        );
    }

    #[test]
    fn what_is_no_secret_survives() {
        for document in [
            "query A { node(id: \"MDQ6VXNlcjE1ODMyMzE5Nzg5\") { id } }",
            "query A { nodes(ids: [\"9aZbY8cX7dW6eV5fU4gT3\"]) { id } }",
            "query A { list(first: 10, after: \"Y3Vyc29yOnYyOpHOAAF3Qg9kZ8\") { id } }",
            "query A { a(where: {userId: {_eq: \"9aZbY8cX7dW6eV5fU4gT3\"}}) { id } }",
            "query A { a(x: \"550e8400-e29b-41d4-a716-446655440000\", day: \"2025-03-01T12:30:00.000+01:00\") { id } }",
            "query A { search(query: \"repo:rust-lang/rust is:open label:E-easy\") { token { id } } }",
            "mutation A($token: String!, $n: Int = 5) { login(token: $token) @include(if: true) { token } }",
            "{ a(field: \"customField10010Value\", branch: \"release-2024-01-candidate\", t: \"\") { key: name } }",
            "{ a(url: \"https://api.example.com/v1/users/9aZbY8cX7dW6eV5fU4gT3\") { id } }",
            "query the database for 5 { words }",
        ] {
            assert_eq!(clean(document), document);
        }
    }

    #[test]
    fn documents_are_found_wherever_they_stand() {
        let document = format!("mutation {{ login(p: \"{}\") {{ ok }} }}", secret());
        let call = || Json::Object(vec![("query".into(), Json::Str(document.clone().into()))]);
        let pair = || vec![("query".to_owned(), document.clone())];
        let escaped: String = document.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let mut exchange = Exchange {
            seq: 0,
            method: "POST".into(),
            scheme: Scheme::Https,
            host: "api.example.com".into(),
            path: "/graphql".into(),
            query: pair(),
            request: Message::default(),
            status: 200,
            response: Message::default(),
        };
        exchange.response.headers = vec![("location".into(), format!("/graphql?query={escaped}"))];
        for body in [Body::Json(call()), Body::Json(Json::Array(vec![call(), call()])), Body::Form(pair())] {
            exchange.request.body = body;
            let redacted = Redactor::new(Profile::DefaultSafe).exchange(exchange.clone());
            let text = serde_json::to_string(redacted.get()).unwrap();
            assert!(!text.contains(&secret()), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]

        #[test]
        fn any_document_twice_is_once(
            start in proptest::sample::select(vec!["{a", "query A(", "mutation{", "fragment F on T{", "# x\n{a"]),
            rest in "(\\PC|\"|\"\"\"|\\\\|[{}()\\[\\]:=$@#,\n-]|[0-9.eE+-]{1,6}|password: |token|value|pin:|id:|p:|\\\\u0041|[A-Za-z0-9]{20}|\\[redacted:token\\]){0,40}",
        ) {
            let redactor = Redactor::new(Profile::DefaultSafe);
            let text = format!("{start}{rest}");
            let once = redactor.text(&text).into_owned();
            prop_assert_eq!(redactor.text(&once), once.as_str());
        }

        #[test]
        fn tokens_are_the_whole_document(text in "(\\PC|\"|\"\"\"|\\\\|#|\n|[0-9.eE-]){0,60}") {
            let joined: String = super::Lexer { rest: &text }.map(|(_, token)| token).collect();
            prop_assert_eq!(joined, text);
        }
    }
}
