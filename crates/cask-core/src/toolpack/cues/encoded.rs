//! Runs of characters that no word and no name is made of.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;

use super::{excerpt, pieces};

/// Shorter runs that say something cannot say much.
const SPELLS: usize = 24;
/// The least text that a run has to say.
const SAID: usize = 18;
/// Longer runs are no names.
const LONG: usize = 60;
/// Longer runs of hexadecimal digits are no digests, but for those of [`DIGESTS`].
const LONG_HEX: usize = 80;
/// SHA-384 and SHA-512.
const DIGESTS: [usize; 2] = [96, 128];

/// What is encoded, with its place and, where it says something, what.
pub(super) fn blobs(text: &str) -> Vec<(usize, String)> {
    let coded = |c: char| c.is_ascii_alphanumeric() || "+/=_-".contains(c);
    let pieces = pieces(text, coded).into_iter().filter(|(_, piece)| piece.len() >= SPELLS);
    pieces.filter_map(|(at, piece)| Some((at, blob(piece)?))).collect()
}

fn blob(piece: &str) -> Option<String> {
    if piece.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let long = piece.len() >= LONG_HEX && !DIGESTS.contains(&piece.len());
        return long.then(|| excerpt(piece));
    }
    if let Some(said) = decoded(piece) {
        let start: String = piece.chars().take(SPELLS).collect();
        return Some(format!("{start}… says \"{}\"", excerpt(&said)));
    }
    let count = |of: fn(&u8) -> bool| piece.bytes().filter(of).count();
    let mixed = count(u8::is_ascii_uppercase) >= 4
        && count(u8::is_ascii_lowercase) >= 4
        && count(u8::is_ascii_digit) >= 2
        // a path has more parts
        && count(u8::is_ascii_punctuation) * 10 <= piece.len();
    (piece.len() >= LONG && mixed).then(|| excerpt(piece))
}

/// The text that a run of base64 stands for, in either alphabet.
fn decoded(piece: &str) -> Option<String> {
    let standard: String = piece
        .trim_end_matches('=')
        .chars()
        .map(|c| match c {
            '-' => '+',
            '_' => '/',
            c => c,
        })
        .collect();
    let said = String::from_utf8(BASE64_STANDARD_NO_PAD.decode(standard).ok()?).ok()?;
    let plain = |c: char| matches!(c, ' '..='~' | '\n' | '\r' | '\t');
    (said.len() >= SAID && said.chars().all(plain)).then_some(said)
}
