//! What a name says about its value: `userPassword`, `x-api-key`, `card[number]`.

use super::Kind;
use super::pii;
use super::rules::{Place, Rules, Value};
use super::tokens;

/// A name in a rule: its words must end the key (`access_key` fits `aws_access_key`, not `access_key_ref`).
#[derive(Debug)]
pub(super) struct Name {
    words: Vec<String>,
    squashed: String,
    /// Written with `*`: also fits where the words are not told apart (`newpassword`).
    loose: bool,
}

impl Name {
    pub fn new(text: &str) -> Name {
        let loose = text.starts_with('*');
        let words: Vec<String> = text.trim_start_matches('*').split('_').map(str::to_owned).collect();
        Name { squashed: words.concat(), words, loose }
    }

    /// The longest word: any key that fits contains it.
    pub fn stem(&self) -> &str {
        self.words.iter().max_by_key(|word| word.len()).map_or("", String::as_str)
    }

    fn fits(&self, words: &[String], squashed: &str) -> bool {
        words.ends_with(&self.words)
            || squashed == self.squashed
            || (self.loose && squashed.ends_with(&self.squashed))
    }
}

/// What a key with one of these names holds.
#[derive(Debug)]
pub(super) struct KeyRule {
    pub kind: Kind,
    pub value: Value,
    /// Whether a JSON number under this key is replaced too (by 0, which keeps its type).
    pub numbers: bool,
    /// Whether every plain member of an object under this key is such a value.
    pub inside: bool,
    /// Where the rule counts; everywhere if empty.
    pub places: Vec<Place>,
    pub names: Vec<Name>,
    pub unless: Vec<Name>,
}

impl KeyRule {
    pub fn holds(&self, place: Place) -> bool {
        match self.places.as_slice() {
            [] => true,
            places => places.contains(&place),
        }
    }

    /// Whether the value looks like what the key says.
    pub fn fits(&self, text: &str) -> bool {
        !text.is_empty()
            && !Kind::is_placeholder(text)
            && match self.value {
                Value::Any => true,
                Value::Opaque => tokens::opaque(text),
                Value::Digits => pii::is_short_code(text),
                Value::Phone => pii::is_phone(text),
                Value::Card => pii::is_card(text),
                Value::Iban => pii::is_iban(text),
                Value::Ssn => pii::is_ssn(text),
            }
    }

    /// Whether the number looks like what the key says.
    pub fn fits_number(&self, number: u64) -> bool {
        self.numbers && number != 0 && (self.value == Value::Any || self.fits(&number.to_string()))
    }
}

/// The rule for a key, if there is one.
pub(super) fn rule(rules: &'static Rules, key: &str, place: Place) -> Option<&'static KeyRule> {
    if place == Place::Body && !rules.stems.is_match(key) {
        return None;
    }
    let all = words(key);
    let whole = all.concat();
    let (mut words, mut squashed) = (all.as_slice(), whole.clone());
    loop {
        let found = rules.keys.iter().find(|rule| {
            rule.holds(place)
                && rule.names.iter().any(|name| name.fits(words, &squashed))
                && !rule.unless.iter().any(|name| name.fits(&all, &whole))
        });
        match words {
            _ if found.is_some() => return found,
            [rest @ .., last] if !rest.is_empty() && rules.neutral.contains(last) => {
                words = rest;
                squashed = words.concat();
            }
            _ => return None,
        }
    }
}

/// Lower-case words of a key in any style; digits that number it (`password2`) are left out.
fn words(key: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut before = ' ';
    let mut chars = key.chars().peekable();
    while let Some(c) = chars.next() {
        let acronym_ends = before.is_ascii_uppercase() && chars.peek().is_some_and(char::is_ascii_lowercase);
        let starts = c.is_ascii_uppercase()
            && (before.is_ascii_lowercase() || before.is_ascii_digit() || acronym_ends);
        if (starts || !c.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words.push(word);
    if let Some(last) = words.last_mut()
        && !matches!(
            last.as_str(),
            "cvv2" | "cvc2" | "address1" | "address2" | "line1" | "line2" | "pkcs12" | "base64"
        )
        && last.trim_end_matches(|c: char| c.is_ascii_digit()).len() > 2
    {
        last.truncate(last.trim_end_matches(|c: char| c.is_ascii_digit()).len());
    }
    words.retain(|word| !word.is_empty() && !word.bytes().all(|byte| byte.is_ascii_digit()));
    words
}

/// What the last keys said: the members of a list's objects repeat.
pub(super) struct Memo<'a> {
    slots: [Option<(&'a str, Verdict)>; SLOTS],
}

const SLOTS: usize = 64;

/// What is known of one key.
#[derive(Clone, Copy)]
pub(super) struct Verdict {
    /// What its value holds.
    pub rule: Option<&'static KeyRule>,
    /// Whether the key itself is a secret (a map by e-mail address).
    pub secret: bool,
}

impl<'a> Memo<'a> {
    pub fn new() -> Self {
        Memo { slots: [None; SLOTS] }
    }

    pub fn look(&mut self, key: &'a str, judge: impl FnOnce(&str) -> Verdict) -> Verdict {
        let bytes = key.as_bytes();
        let [first, last] = [bytes.first(), bytes.last()].map(|byte| usize::from(byte.copied().unwrap_or(0)));
        let middle = usize::from(bytes.get(bytes.len() / 2).copied().unwrap_or(0));
        let slot =
            (bytes.len().wrapping_mul(7) ^ first ^ last.wrapping_mul(5) ^ middle.wrapping_mul(3)) % SLOTS;
        if let Some(Some((known, verdict))) = self.slots.get(slot)
            && *known == key
        {
            return *verdict;
        }
        let verdict = judge(key);
        if let Some(entry) = self.slots.get_mut(slot) {
            *entry = Some((key, verdict));
        }
        verdict
    }
}
