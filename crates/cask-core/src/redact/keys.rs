//! What a name says about its value: `userPassword`, `x-api-key`, `card[number]`.

use std::collections::BTreeMap;

use super::pii;
use super::rules::{Place, Rules, Value};
use super::tokens;
use super::{Counts, Kind};

/// A name in a rule: its words must end the key (`access_key` fits `aws_access_key`, not `access_key_ref`).
#[derive(Debug)]
pub(super) struct Name {
    words: Vec<String>,
    squashed: String,
    /// Written with `*`: also fits where the words are not told apart (`newpassword`).
    pub loose: bool,
}

impl Name {
    pub fn new(text: &str) -> Name {
        let loose = text.starts_with('*');
        let words: Vec<String> = text.trim_start_matches('*').split('_').map(str::to_owned).collect();
        Name { squashed: words.concat(), words, loose }
    }

    /// The longest word.
    pub fn stem(&self) -> &str {
        self.words.iter().max_by_key(|word| word.len()).map_or("", String::as_str)
    }

    /// The words joined.
    pub fn squashed(&self) -> &str {
        &self.squashed
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

/// The names of all rules, so that a key is compared with few of them.
#[derive(Debug)]
pub(super) struct Index {
    /// By the last word: the whole name and its rule.
    by_word: BTreeMap<String, Vec<(Vec<String>, usize)>>,
    /// Rules by the whole name without separators.
    by_whole: BTreeMap<String, Vec<usize>>,
    /// Loose names without separators.
    loose: Vec<(String, usize)>,
}

impl Index {
    pub fn new(rules: &[KeyRule]) -> Index {
        let mut index = Index { by_word: BTreeMap::new(), by_whole: BTreeMap::new(), loose: Vec::new() };
        for (number, name) in rules
            .iter()
            .enumerate()
            .flat_map(|(number, rule)| rule.names.iter().map(move |name| (number, name)))
        {
            index
                .by_word
                .entry(name.words.last().cloned().unwrap_or_default())
                .or_default()
                .push((name.words.clone(), number));
            index.by_whole.entry(name.squashed.clone()).or_default().push(number);
            if name.loose {
                index.loose.push((name.squashed.clone(), number));
            }
        }
        index
    }

    /// Of the rules with a fitting name, the one with the least rank; one without a rank does not count.
    fn find<R: Ord>(
        &self,
        words: &[String],
        squashed: &str,
        rank: impl Fn(usize) -> Option<R>,
    ) -> Option<usize> {
        let by_word = words.last().and_then(|word| self.by_word.get(word)).into_iter().flatten();
        let by_word = by_word.filter(|(name, _)| words.ends_with(name)).map(|(_, number)| *number);
        let by_whole = self.by_whole.get(squashed).into_iter().flatten().copied();
        let loose = self
            .loose
            .iter()
            .filter(|(name, _)| squashed.ends_with(name.as_str()))
            .map(|(_, number)| *number);
        let all = by_word.chain(by_whole).chain(loose);
        all.filter_map(|number| Some((rank(number)?, number))).min().map(|(_, number)| number)
    }
}

/// The rule for a key, if there is one.
pub(super) fn rule(rules: &'static Rules, key: &str, place: Place) -> Option<&'static KeyRule> {
    // what redaction itself wrote into a name says nothing
    if !rules.has_stem(key, place) || key.contains("[redacted:") {
        return None;
    }
    let all = words(key);
    let whole = all.concat();
    // A rule that takes any value goes before those that ask for a look: what one of them would leave alone,
    // another may mean.
    let rank = |number: usize| {
        let rule = rules.keys.get(number)?;
        let good = rule.holds(place) && !rule.unless.iter().any(|name| name.fits(&all, &whole));
        good.then_some((rule.value != Value::Any, number))
    };
    let (mut words, mut squashed) = (all.as_slice(), whole.clone());
    loop {
        if let Some(number) = rules.index.find(words, &squashed, rank) {
            return rules.keys.get(number);
        }
        match words {
            [rest @ .., last] if !rest.is_empty() && rules.neutral.contains(last) => {
                words = rest;
                squashed = words.concat();
            }
            _ => return None,
        }
    }
}

/// Whether the name says that its values are ids.
pub(super) fn names_ids(rules: &Rules, key: &str) -> bool {
    words(key).last().is_some_and(|word| rules.id_words.contains(word))
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

/// What is known of one key.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Verdict {
    /// What its value holds.
    pub rule: Option<&'static KeyRule>,
    /// Whether the key itself is a secret (a map by e-mail address).
    pub secret: bool,
}

/// Judges one key.
pub(super) fn judge(rules: &'static Rules, key: &str, place: Place) -> Verdict {
    Verdict {
        rule: rule(rules, key, place),
        secret: tokens::scan(rules, key, &mut Counts::default()).is_some(),
    }
}
