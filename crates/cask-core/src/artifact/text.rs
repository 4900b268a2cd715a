//! The text of a long file, in pieces: what is made an endpoint or a tool at a time is never copied into one.

use std::fmt;

use crate::canon::{Digest, Hasher};

/// A text in pieces.
#[derive(Debug, Clone, Default)]
pub struct Text(Vec<String>);

impl Text {
    /// Adds what comes next.
    pub fn push(&mut self, piece: impl Into<String>) {
        let piece = piece.into();
        if !piece.is_empty() {
            self.0.push(piece);
        }
    }

    /// The pieces in order, as bytes.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(String::as_bytes)
    }

    /// The digest of all of it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut hasher = Hasher::default();
        self.pieces().for_each(|piece| hasher.update(piece));
        hasher.finish()
    }

    /// Whether these bytes are the same text.
    #[must_use]
    pub fn is(&self, bytes: &[u8]) -> bool {
        let mut rest = Some(bytes);
        for piece in self.pieces() {
            rest = rest.and_then(|rest| rest.strip_prefix(piece));
        }
        rest.is_some_and(<[u8]>::is_empty)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        let mut out = Self::default();
        out.push(text);
        out
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| f.write_str(piece))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_one_text() {
        let mut text = Text::from("ab".to_owned());
        ["", "c", "de"].into_iter().for_each(|piece| text.push(piece));
        assert_eq!(text.to_string(), "abcde");
        assert_eq!(text.digest(), Digest::of_bytes(b"abcde"));
        assert!(text.is(b"abcde"));
        for other in ["", "abcd", "abcdef", "abXde"] {
            assert!(!text.is(other.as_bytes()), "{other}");
        }
        assert!(Text::default().is(b"") && !Text::default().is(b"a"));
    }
}
