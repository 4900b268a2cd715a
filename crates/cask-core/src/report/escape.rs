//! Outside text made harmless, one function per target.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Longest name or message shown to a person, in characters. JSON carries the whole text.
pub const SHOWN: usize = 400;
/// A tool has at most 16 KiB.
const LONGEST: usize = 16 * 1024;

/// For a terminal or a log: nothing moves the cursor, changes colour, hides or reorders text.
#[must_use]
pub fn terminal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clip(text, SHOWN).chars() {
        visible(c, &mut out);
    }
    out
}

/// As [`terminal`], but as long as anything that is signed can be: what somebody approves they must be able to read.
#[must_use]
pub fn whole(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clip(text, LONGEST).chars() {
        visible(c, &mut out);
    }
    out
}

/// The first characters of a text, and how many more there are, where it is too long for a place that cannot hold it.
#[must_use]
pub fn counted(text: &str, max: usize) -> Cow<'_, str> {
    match text.chars().count().saturating_sub(max) {
        0 => Cow::Borrowed(text),
        more => Cow::Owned(format!("{} (and {more} more characters: use the text format)", clip(text, max))),
    }
}

/// For a terminal, a message of several lines that quotes what came from outside: as [`terminal`], but the
/// lines stay and nothing is cut.
#[must_use]
pub fn lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\n' { out.push(c) } else { visible(c, &mut out) }
    }
    out
}

/// For a Markdown paragraph, list item or table cell on GitHub: no links, mentions, references, HTML,
/// headings, emphasis or new lines.
///
/// What stands between backticks becomes a code span; everything else is plain text.
#[must_use]
pub fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let clipped = clip(text, SHOWN);
    let mut rest: &str = &clipped;
    while let Some((before, tail)) = rest.split_once('`') {
        let Some((inside, after)) = tail.split_once('`') else { break };
        prose(before, &mut out);
        if out.ends_with('`') {
            // two spans side by side would be read as one
            out.push('\u{200b}');
        }
        out.push_str(&code(inside));
        rest = after;
    }
    prose(rest, &mut out);
    out
}

/// For Markdown: one code span, also inside a table.
///
/// GitHub makes no links, mentions or references inside code. A pipe would end the table cell even there, and
/// its escape is read differently by different renderers, so the span is interrupted for it.
#[must_use]
pub fn code(text: &str) -> String {
    let mut inner = String::with_capacity(text.len());
    for c in clip(text, SHOWN).chars() {
        visible(if c == '`' { '\'' } else { c }, &mut inner);
    }
    let spans: Vec<String> = inner
        .split('|')
        .map(|span| match span {
            "" => String::new(),
            _ if span.trim().is_empty() => "` `".to_owned(),
            span => format!("`{span}`"),
        })
        .collect();
    let joined = spans.join("&#124;");
    if joined.is_empty() { "`\"\"`".to_owned() } else { joined }
}

/// For text inside an HTML element, whether or not Markdown is read there.
#[must_use]
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut plain = String::new();
    for c in clip(text, SHOWN).chars() {
        visible(c, &mut plain);
    }
    for c in defused(&plain).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' | '\'' | '`' | '*' | '_' | '~' | '[' | ']' | '(' | ')' | '|' | '\\' => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// The first `max` characters, with an ellipsis where something was cut.
#[must_use]
pub fn clip(text: &str, max: usize) -> Cow<'_, str> {
    match text.char_indices().nth(max) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
    }
}

fn prose(text: &str, out: &mut String) {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        visible(c, &mut plain);
    }
    for c in defused(&plain).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '|' => out.push_str("&#124;"),
            '`' => out.push_str("&#96;"),
            '\\' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '-' | '!' | '~' | '$'
            | '=' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
}

/// Breaks what GitHub links after rendering, where no escape helps: a zero-width space behind `@`, `#`, `://`'s
/// colon, `www` and between letters and a number that could be an issue key.
fn defused(text: &str) -> String {
    const BREAK: char = '\u{200b}';
    let mut out = String::with_capacity(text.len());
    let mut before = [' '; 3];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        let [_, _, last] = before;
        let www = c == '.' && before.iter().all(|b| b.eq_ignore_ascii_case(&'w'));
        let scheme = c == ':' && (next == '/' || last.is_alphabetic() && next.is_alphanumeric());
        let key = c == '-' && last.is_ascii_alphabetic() && next.is_ascii_digit();
        if www || scheme {
            out.push(BREAK);
        }
        out.push(c);
        if matches!(c, '@' | '#') || key {
            out.push(BREAK);
        }
        let [_, b, d] = before;
        before = [b, d, c];
    }
    out
}

/// Writes a character, or its code where it would be invisible or act on the text around it.
fn visible(c: char, out: &mut String) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if c.is_control() || invisible(c) => {
            let _ = write!(out, "\\u{{{:04x}}}", u32::from(c));
        }
        c => out.push(c),
    }
}

/// Format characters of Unicode that hide, join or reorder text, among them everything of UAX #9.
fn invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}
