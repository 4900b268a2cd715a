//! Cues in text that a model will read: what may be there to steer it, to get at data or to hide something.
//!
//! [`super::hostile`] decides what a mint takes from outside; this says what stands in a text that is there already,
//! whoever wrote it. A cue is no proof: someone has to read it. The patterns are data (`cues/rules.json`).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use serde::Deserialize;

use super::hostile;

mod encoded;
mod fold;
mod link;
mod rules;
mod signs;

pub use signs::is_hidden;

use fold::Folded;
use rules::{On, Pattern, Rules};

/// The most cues of one kind in one text. More of them say nothing new.
const OF_A_KIND: usize = 16;

/// The longest excerpt, in characters.
const SHOWN: usize = 80;

/// What a cue may be there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It tells the model what to do.
    Instruction,
    /// It asks to keep something from a person.
    Concealment,
    /// It is about other tools.
    OtherTool,
    /// It is written like a part of the conversation, or like something that is not shown.
    Markup,
    /// It presses.
    Pressure,
    /// It asks for a credential, or names a file that holds one.
    Credential,
    /// An address where more can be read.
    Link,
    /// An address that data could be sent to, or that loads something.
    Destination,
    /// It is encoded.
    Encoded,
    /// It is not visible.
    Hidden,
    /// It looks like other letters.
    Confusable,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 11] = [
        Kind::Instruction,
        Kind::Concealment,
        Kind::OtherTool,
        Kind::Markup,
        Kind::Pressure,
        Kind::Credential,
        Kind::Link,
        Kind::Destination,
        Kind::Encoded,
        Kind::Hidden,
        Kind::Confusable,
    ];

    /// Stable name, kebab-case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Instruction => "instruction",
            Kind::Concealment => "concealment",
            Kind::OtherTool => "other-tool",
            Kind::Markup => "markup",
            Kind::Pressure => "pressure",
            Kind::Credential => "credential",
            Kind::Link => "link",
            Kind::Destination => "destination",
            Kind::Encoded => "encoded",
            Kind::Hidden => "hidden",
            Kind::Confusable => "confusable",
        }
    }
}

/// Something in a text that someone should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cue {
    /// What it may be there for.
    pub kind: Kind,
    /// Where it starts in the text, in bytes.
    pub at: usize,
    /// What was found: one short line, safe to print between backticks.
    pub text: String,
}

/// The cues in a text, in their order; a bounded number, in time that grows with the text.
#[must_use]
pub fn find(text: &str) -> Vec<Cue> {
    let mut cues = Cues::default();
    let plain = fold::plain(text);
    let mut words = None;
    for pattern in Rules::get().awake(&plain.text) {
        let folded = match pattern.on {
            On::Text => &plain,
            On::Words => &*words.get_or_insert_with(|| fold::words(text)),
        };
        cues.matches(pattern, folded, text);
    }
    if is_name(text) && hostile::commands(text) {
        cues.push(Kind::Instruction, 0..text.len(), || excerpt(text));
    }
    for (at, said) in signs::hidden(text) {
        cues.push(Kind::Hidden, at..at + 1, || said);
    }
    for (at, word) in signs::confusable(text) {
        cues.push(Kind::Confusable, at..at + 1, || word);
    }
    for (at, blob) in encoded::blobs(text) {
        if !cues.is_address(at) {
            cues.push(Kind::Encoded, at..at + 1, || blob);
        }
    }
    cues.sorted()
}

/// Whether a text is a name, as a member, an argument or an enumeration value has it. A mint gives none that commands.
fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.$@".contains(&b))
}

#[derive(Default)]
struct Cues {
    found: BTreeMap<Kind, Vec<(Range<usize>, Cue)>>,
    /// Addresses, by where they start: what stands in one is part of it.
    addresses: BTreeMap<usize, usize>,
}

impl Cues {
    /// A place counts once a kind.
    fn push(&mut self, kind: Kind, range: Range<usize>, text: impl FnOnce() -> String) {
        let found = self.found.entry(kind).or_default();
        let overlaps = |(other, _): &(Range<usize>, Cue)| other.start < range.end && range.start < other.end;
        if found.len() < OF_A_KIND && !found.iter().any(overlaps) {
            let cue = Cue { kind, at: range.start, text: text() };
            found.push((range, cue));
        }
    }

    fn matches(&mut self, pattern: &Pattern, folded: &Folded, text: &str) {
        for found in pattern.regex().captures_iter(&folded.text) {
            // a group stands for words that make it something else
            let excused = found.iter().skip(1).any(|group| group.is_some());
            let Some(whole) = found.get(0).filter(|_| !excused) else { continue };
            let before = folded.text.get(..whole.start()).unwrap_or_default();
            let range = folded.origin(whole.start())..folded.origin(whole.end());
            let original = text.get(range.clone()).unwrap_or_default();
            let kind = match pattern.id.as_str() {
                "address" if self.is_address(range.start) => continue,
                "address" if link::is_example(whole.as_str()) && !link::sends(before) => Kind::Link,
                "image" | "script-url" | "url" if self.is_address(range.start) => continue,
                "url" if original.is_ascii() && link::is_plain(whole.as_str()) && !link::sends(before) => {
                    Kind::Link
                }
                "url" => Kind::Destination,
                _ => pattern.kind,
            };
            if matches!(kind, Kind::Link | Kind::Destination) {
                self.addresses.insert(range.start, range.end);
            }
            self.push(kind, range, || excerpt(original));
        }
    }

    fn is_address(&self, at: usize) -> bool {
        self.addresses.range(..=at).next_back().is_some_and(|(_, end)| at < *end)
    }

    fn sorted(self) -> Vec<Cue> {
        let mut cues: Vec<Cue> = self.found.into_values().flatten().map(|(_, cue)| cue).collect();
        cues.sort_by_key(|cue| (cue.at, cue.kind));
        cues
    }
}

/// A piece of outside text in one short line: nothing in it hides, moves or ends a span of code.
fn excerpt(text: &str) -> String {
    let mut out = String::new();
    let mut shown = 0;
    let mut space = false;
    for c in text.trim().chars() {
        if shown >= SHOWN {
            out.push('…');
            break;
        }
        shown += match c {
            c if is_hidden(c) => {
                let _ = write!(out, "\\u{{{:04x}}}", u32::from(c));
                8
            }
            c if c.is_whitespace() => {
                if !space {
                    out.push(' ');
                }
                usize::from(!space)
            }
            c => {
                out.push(if c == '`' { '\'' } else { c });
                1
            }
        };
        space = c.is_whitespace();
    }
    out
}

/// The longest pieces that are made of such characters, with their places.
fn pieces(text: &str, of: impl Fn(char) -> bool) -> Vec<(usize, &str)> {
    let mut out = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), '\n')]) {
        match start {
            None if of(c) => start = Some(at),
            Some(from) if !of(c) => {
                start = None;
                out.extend(text.get(from..at).map(|piece| (from, piece)));
            }
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests;
