//! Characters that are not seen, or not seen for what they are.

use std::fmt::Write as _;

use super::rules::Rules;
use super::{SHOWN, excerpt, pieces};

/// Whether a character is not seen: it has no form, hides or reorders others, or has one only by agreement (private
/// use). White space that ends lines or parts words is none of these.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        c if c.is_control() => true,
        c => matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{e000}'..='\u{f8ff}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
            | '\u{f0000}'..='\u{10ffff}'),
    }
}

/// The ASCII letter or digit that a character looks like.
pub(super) fn alike(c: char) -> Option<char> {
    if c.is_ascii() {
        return None;
    }
    Rules::get().confusables.get(&c).copied().or_else(|| styled(c))
}

/// Letters and digits that Unicode has again in another style.
fn styled(c: char) -> Option<char> {
    let from = |first: u8, number: u32| u8::try_from(number).ok().map(|number| char::from(first + number));
    let code = u32::from(c);
    match c {
        '\u{ff10}'..='\u{ff19}' => from(b'0', code - 0xff10),
        '\u{ff21}'..='\u{ff3a}' => from(b'a', code - 0xff21),
        '\u{ff41}'..='\u{ff5a}' => from(b'a', code - 0xff41),
        // thirteen alphabets, capitals before small letters
        '\u{1d400}'..='\u{1d6a3}' => from(b'a', (code - 0x1d400) % 26),
        '\u{1d7ce}'..='\u{1d7ff}' => from(b'0', (code - 0x1d7ce) % 10),
        '\u{24b6}'..='\u{24cf}' => from(b'a', code - 0x24b6),
        '\u{24d0}'..='\u{24e9}' => from(b'a', code - 0x24d0),
        _ => None,
    }
}

/// Runs of what is not seen, with their places: which character, how many, and what they spell.
pub(super) fn hidden(text: &str) -> Vec<(usize, String)> {
    struct Run {
        at: usize,
        first: char,
        count: usize,
        spelled: String,
    }
    let mut runs: Vec<Run> = Vec::new();
    let mut going = false;
    let mut before = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, c)| *c);
        let counts = is_hidden(c) && !joins(before, c, next);
        if counts && !going {
            runs.push(Run { at, first: c, count: 0, spelled: String::new() });
        }
        if let Some(run) = runs.last_mut().filter(|_| counts) {
            run.count += 1;
            run.spelled.extend(spelled(c));
        }
        going = counts;
        before = Some(c);
    }
    let said = |run: Run| {
        let mut said = format!("U+{:04X}", u32::from(run.first));
        if run.count > 1 {
            let _ = write!(said, " and {} more", run.count - 1);
        }
        if !run.spelled.trim().is_empty() {
            let _ = write!(said, " that spell \"{}\"", excerpt(&run.spelled));
        }
        (run.at, said)
    };
    runs.into_iter().map(said).collect()
}

/// Whether it only joins or selects what stands around it: a picture, a letter of a script that needs it.
fn joins(before: Option<char>, c: char, next: Option<char>) -> bool {
    let picture = |c: char| !c.is_ascii() && !is_hidden(c);
    let letter = |c: char| c > '\u{2ff}' && !is_hidden(c);
    match c {
        '\u{fe0e}' | '\u{fe0f}' => before.is_some_and(picture) || next == Some('\u{20e3}'),
        '\u{200c}' | '\u{200d}' => {
            before.is_some_and(|c| c == '\u{fe0f}' || letter(c)) && next.is_some_and(letter)
        }
        _ => false,
    }
}

/// The ASCII character that a tag or a variation selector can stand for.
fn spelled(c: char) -> Option<char> {
    let code = u32::from(c);
    let byte = match c {
        '\u{e0000}'..='\u{e007f}' => code - 0xe0000,
        '\u{fe00}'..='\u{fe0f}' => code - 0xfe00,
        '\u{e0100}'..='\u{e01ef}' => code - 0xe0100 + 16,
        _ => return None,
    };
    char::from_u32(byte).filter(|c| matches!(c, ' '..='~'))
}

/// Words that mix Latin letters with their look-alikes, or are written in another style, with their places.
pub(super) fn confusable(text: &str) -> Vec<(usize, String)> {
    if text.is_ascii() {
        return Vec::new();
    }
    let words = pieces(text, char::is_alphabetic);
    words.into_iter().filter(|(_, word)| misleads(word)).map(|(at, word)| (at, escaped(word))).collect()
}

fn misleads(word: &str) -> bool {
    let table = &Rules::get().confusables;
    let latin = word.chars().any(|c| c.is_ascii());
    latin && word.chars().any(|c| table.contains_key(&c))
        || word.chars().filter(|c| styled(*c).is_some()).nth(1).is_some()
}

/// The word, with what only looks like a letter as its number.
fn escaped(word: &str) -> String {
    let mut out = String::new();
    for c in word.chars() {
        match alike(c) {
            Some(_) => {
                let _ = write!(out, "\\u{{{:04x}}}", u32::from(c));
            }
            None => out.push(c),
        }
        if out.len() > SHOWN {
            out.push('…');
            break;
        }
    }
    out
}
