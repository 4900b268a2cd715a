//! Text: cheap byte tests decide which checks run, an automaton finds keywords, and only then does a
//! regular expression look.

use std::ops::Range;

use super::pii::{self, Found};
use super::rules::{Check, Rules, Shape};
use super::{Counts, Kind};

const DIGIT: u8 = 1;
const UPPER: u8 = 2;
const LOWER: u8 = 4;
const AT: u8 = 8;
/// What stands between the digits of a phone number or card.
const GAP: u8 = 16;
/// What stands between a name and its value, or around a value.
const MARK: u8 = 32;
const PERCENT: u8 = 64;
const OTHER: u8 = 128;

/// The shortest secret that any check finds: `a@b.co`.
const SHORTEST: usize = 6;

const CLASS: [u8; 256] = {
    let mut table = [OTHER; 256];
    let mut byte = 0_usize;
    while byte < 256 {
        #[expect(
            clippy::indexing_slicing,
            clippy::cast_possible_truncation,
            reason = "evaluated at compile time"
        )]
        {
            table[byte] = match byte as u8 {
                b'0'..=b'9' => DIGIT,
                b'A'..=b'Z' => UPPER,
                b'a'..=b'z' => LOWER,
                b'@' => AT,
                b'-' | b'+' | b' ' | b'(' | b'.' => GAP,
                b'=' | b':' | b'"' | b'\'' | b'`' | b'<' => MARK,
                b'%' => PERCENT,
                _ => OTHER,
            };
        }
        byte += 1;
    }
    table
};

/// What kinds of bytes a string has.
#[derive(Clone, Copy)]
pub(super) struct Look {
    mask: u8,
    digits: usize,
    len: usize,
}

impl Look {
    pub fn at(text: &str) -> Look {
        let (mut mask, mut digits) = (0, 0);
        for byte in text.bytes() {
            let class = CLASS.get(usize::from(byte)).copied().unwrap_or(OTHER);
            mask |= class;
            digits += usize::from(class & DIGIT);
        }
        Look { mask, digits, len: text.len() }
    }

    fn has(self, class: u8) -> bool {
        self.mask & class != 0
    }

    /// Nothing but words: neither a number, an address nor anything written in another form. A keyword may still be in it.
    pub fn is_words(self) -> bool {
        self.len < SHORTEST
            || !(self.has(AT | PERCENT | MARK)
                || (self.digits > 0 && self.len >= 7)
                || (self.has(UPPER) && self.len >= 16))
    }

    /// Words, and too few of them for a keyword with what makes it one: nothing could be found. In mere words the
    /// shortest shape is `basic` with eight more; the tests hold all of them to it.
    pub fn is_quiet(self) -> bool {
        self.len < SHORTEST || (self.len < 14 && self.is_words())
    }
}

/// The text with every secret in it replaced; `None` if there is none.
pub(super) fn scan(rules: &'static Rules, text: &str, counts: &mut Counts) -> Option<String> {
    scan_seen(rules, text, Look::at(text), counts)
}

/// The same for a text that has been looked at.
pub(super) fn scan_seen(
    rules: &'static Rules,
    text: &str,
    look: Look,
    counts: &mut Counts,
) -> Option<String> {
    let mut look = look;
    let mut done: Option<String> = None;
    // A replacement can lay bare what stood beside it. Every round removes something; three are plenty.
    for _ in 0..4 {
        let now = done.as_deref().unwrap_or(text);
        if look.is_quiet() || (look.digits >= 8 && (pii::is_date(now) || pii::is_uuid(now))) {
            break;
        }
        let found = find(rules, now, look);
        if found.is_empty() {
            break;
        }
        let clean = replace(now, found, counts);
        look = Look::at(&clean);
        done = Some(clean);
    }
    done
}

fn find(rules: &'static Rules, text: &str, look: Look) -> Vec<Found> {
    let mut found = Vec::new();
    shapes(rules, text, &mut found);
    if look.has(AT | PERCENT) {
        pii::emails(text, &mut found);
    }
    if look.digits >= 8 && look.has(GAP | PERCENT) {
        pii::numbers(text, &mut found);
    }
    if look.digits >= 8 && look.has(UPPER) {
        pii::ibans(text, &mut found);
    }
    found
}

fn shapes(rules: &'static Rules, text: &str, found: &mut Vec<Found>) {
    let mut seen = 0_u128;
    rules.keywords().each(text, |keyword, _| seen |= rules.owners.get(keyword).map_or(0, |owner| 1 << owner));
    while seen != 0 {
        if let Some(shape) = rules.shapes.get(seen.trailing_zeros() as usize) {
            matches(shape, text, found);
        }
        seen &= seen - 1;
    }
}

fn matches(shape: &Shape, text: &str, found: &mut Vec<Found>) {
    // Finding is much cheaper than capturing, and mostly nothing is found.
    if !shape.regex.is_match(text) {
        return;
    }
    for captures in shape.regex.captures_iter(text) {
        let (Some(whole), Some(secret)) = (captures.get(0), captures.get(1).or_else(|| captures.get(0)))
        else {
            continue;
        };
        let good = match shape.check {
            Check::None => !shape.mixed || mixed(secret.as_str()),
            Check::Random => random(secret.as_str()),
            Check::Coded => coded(secret.as_str()),
            Check::Card => pii::is_bare_card(secret.as_str()),
            Check::Ip => pii::is_ip(secret.as_str()),
        };
        let excused = shape.unless.as_ref().is_some_and(|unless| unless.is_match(whole.as_str()));
        if good
            && !excused
            && entropy(secret.as_str()) >= shape.entropy
            && !Kind::is_placeholder(secret.as_str())
        {
            found.push((secret.range(), shape.kind));
        }
    }
}

/// Replaces the places found; of two that overlap, the union goes, under the kind of the first.
fn replace(text: &str, mut found: Vec<Found>, counts: &mut Counts) -> String {
    found.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    let mut places: Vec<(Range<usize>, Kind)> = Vec::with_capacity(found.len());
    for (range, kind) in found {
        match places.last_mut() {
            Some((last, _)) if range.start < last.end => last.end = last.end.max(range.end),
            _ => places.push((range, kind)),
        }
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (range, kind) in places {
        out.push_str(text.get(at..range.start).unwrap_or_default());
        out.push_str(kind.placeholder());
        counts.add(kind);
        at = range.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// Letters with digits, or both cases within a word: not prose.
fn mixed(text: &str) -> bool {
    let look = Look::at(text);
    (look.has(DIGIT) && look.has(UPPER | LOWER))
        || (look.has(LOWER) && text.bytes().skip(1).any(|byte| byte.is_ascii_uppercase()))
}

/// Long, without spaces, and not made of words: what a name that is only sometimes secret needs.
pub(super) fn opaque(text: &str) -> bool {
    text.len() >= 16
        && mixed(text)
        && entropy(text) >= 2.8
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.~+/=:%|".contains(&byte))
        && !pii::is_date(text)
}

/// Random-looking as a whole: a long run of letters and digits that changes its kind of character more often
/// than names and words do, and that is no uuid.
pub(super) fn random(text: &str) -> bool {
    if !opaque(text) || pii::is_uuid(text) {
        return false;
    }
    let class = |byte: u8| (byte.is_ascii_digit(), byte.is_ascii_uppercase());
    let longest = text.as_bytes().split(|byte| !byte.is_ascii_alphanumeric()).max_by_key(|run| run.len());
    let Some(run) = longest.filter(|run| run.len() >= 16) else { return false };
    let changes = run.windows(2).filter(|two| matches!(two, [a, b] if class(*a) != class(*b))).count();
    let digits = run.iter().filter(|byte| byte.is_ascii_digit()).count();
    (1..run.len()).contains(&digits) && (changes * 100 >= run.len() * 30 || digits * 4 >= run.len())
}

/// Letters with digits or signs: what no word of a sentence is.
fn coded(text: &str) -> bool {
    let letter = text.bytes().any(|byte| byte.is_ascii_alphabetic());
    letter && text.bytes().any(|byte| byte.is_ascii_digit() || b"!@#%^&*+~?".contains(&byte))
}

/// Shannon entropy in bits per byte.
fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text.bytes() {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    }
    let total = f64::from(u32::try_from(text.len()).unwrap_or(u32::MAX));
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / total)
        .map(|share| -share * share.log2())
        .sum()
}
