//! A text as it is matched: what is hidden left out, look-alikes as what they look like, all in lower case.

use super::is_hidden;
use super::signs::alike;

/// A folded text, and where its bytes stand in the original.
pub(super) struct Folded {
    pub text: String,
    /// Empty where every byte stands where it stood.
    at: Vec<usize>,
}

impl Folded {
    /// Where a byte of the folded text stands in the original.
    pub fn origin(&self, byte: usize) -> usize {
        self.at.get(byte).copied().unwrap_or(byte)
    }

    fn push(&mut self, c: char, at: usize) {
        self.text.push(c);
        self.at.extend(std::iter::repeat_n(at, c.len_utf8()));
    }
}

/// The text with all its signs.
pub(super) fn plain(text: &str) -> Folded {
    let simple = |b: u8| matches!(b, b'\t' | b'\n' | b'\r' | b' '..=b'~');
    if text.bytes().all(simple) {
        return Folded { text: text.to_ascii_lowercase(), at: Vec::new() };
    }
    let mut out = Folded { text: String::new(), at: Vec::new() };
    for (at, c) in text.char_indices().filter(|(_, c)| !is_hidden(*c)) {
        out.push(alike(c).unwrap_or_else(|| c.to_ascii_lowercase()), at);
    }
    out.at.push(text.len());
    out
}

/// Its ASCII words: one space before each, one after the last. Names are parted into theirs.
pub(super) fn words(text: &str) -> Folded {
    let name = !text.contains(char::is_whitespace);
    let mut out = Folded { text: " ".to_owned(), at: vec![0] };
    let mut before = ' ';
    for (at, c) in text.char_indices().filter(|(_, c)| !is_hidden(*c)) {
        let seen = alike(c).unwrap_or(c);
        let word = seen.is_ascii_alphanumeric();
        let hump = name && seen.is_ascii_uppercase() && before.is_ascii_lowercase();
        if (hump || !word) && !out.text.ends_with(' ') {
            out.push(' ', at);
        }
        if word {
            out.push(seen.to_ascii_lowercase(), at);
        }
        before = seen;
    }
    if !out.text.ends_with(' ') {
        out.push(' ', text.len());
    }
    out.at.push(text.len());
    out
}
