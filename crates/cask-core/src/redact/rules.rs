//! The rules as data: `rules.json`, read once for each profile.
//!
//! A *shape* finds a secret by how it looks: keywords gate a regular expression, so that clean text
//! costs one automaton walk. A *key* rule says what a member, parameter or header holds by its name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{LazyLock, OnceLock};

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::dfa::DFA;
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, MatchKind, StartKind};
use regex::Regex;
use serde::Deserialize;

use super::keys::{Index, KeyRule, Name};
use super::{Kind, Profile};

/// The rule file, as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub shapes: Vec<ShapeFile>,
    pub keys: Vec<KeyFile>,
    neutral: BTreeSet<String>,
    path_tokens: BTreeSet<String>,
    path_hooks: BTreeSet<String>,
    id_words: BTreeSet<String>,
    schemes: BTreeSet<String>,
    headers: Vec<HeaderFile>,
}

/// `fires` and `quiet` are examples for the tests; `{a20}` stands for 20 random-looking letters and
/// digits, so that no scanner takes this file for a leak.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(test), expect(dead_code, reason = "the examples are read by the tests"))]
pub(super) struct ShapeFile {
    pub id: String,
    pub kind: Kind,
    #[serde(default)]
    pub profile: Option<Profile>,
    keywords: Vec<String>,
    regex: String,
    #[serde(default)]
    unless: Option<String>,
    #[serde(default)]
    entropy: f64,
    #[serde(default)]
    mixed: bool,
    #[serde(default)]
    check: Check,
    pub fires: Vec<String>,
    pub quiet: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(test), expect(dead_code, reason = "the examples are read by the tests"))]
pub(super) struct KeyFile {
    pub id: String,
    pub kind: Kind,
    #[serde(default)]
    pub profile: Option<Profile>,
    pub value: Value,
    #[serde(default)]
    numbers: bool,
    #[serde(default)]
    inside: bool,
    #[serde(default)]
    pub places: Vec<Place>,
    names: Vec<String>,
    #[serde(default)]
    unless: Vec<String>,
    pub fires: Vec<String>,
    pub quiet: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderFile {
    how: How,
    #[serde(default)]
    profile: Option<Profile>,
    names: Vec<String>,
}

/// What is left of a header's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum How {
    /// The value, scanned as text.
    Keep,
    /// A known scheme; what follows it goes.
    Scheme,
    /// A known scheme alone.
    Challenge,
    /// The cookies' names.
    Cookie,
    /// The value, redacted as a URL.
    Url,
    /// A list of `<url>; parameters` (RFC 8288).
    Link,
    /// The part before the first `;`.
    First,
}

/// Where a name stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    /// A member of a JSON body.
    Body,
    /// A query parameter, form field or multipart field.
    Query,
    /// A header or cookie.
    Header,
}

/// What a value must look like for its name to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Value {
    Any,
    Opaque,
    Digits,
    Phone,
    Card,
    Iban,
    Ssn,
}

/// A check that a regular expression cannot express.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Check {
    #[default]
    None,
    Card,
    Ip,
    /// Random-looking as a whole.
    Random,
    /// Letters with digits or signs.
    Coded,
}

/// One secret recognised by its look.
#[derive(Debug)]
pub(super) struct Shape {
    pub kind: Kind,
    pub regex: Pattern,
    /// A match that also matches this is left alone.
    pub unless: Option<Pattern>,
    /// Least Shannon entropy of the secret, in bits per character.
    pub entropy: f64,
    /// Whether the secret must mix letters with digits, or cases.
    pub mixed: bool,
    pub check: Check,
}

/// A regular expression that is compiled when it is first needed: most captures have few kinds of secrets,
/// and compiling all costs more than reading a small capture.
#[derive(Debug)]
pub(super) struct Pattern {
    text: String,
    compiled: OnceLock<Regex>,
}

impl Pattern {
    #[expect(
        clippy::expect_used,
        reason = "the file is part of the program and a test compiles it all; going on without a rule would leak"
    )]
    fn get(&self) -> &Regex {
        self.compiled.get_or_init(|| Regex::new(&self.text).expect("rules.json compiles"))
    }

    /// Whether it is in the text. Finding is much cheaper than capturing.
    pub fn is_match(&self, text: &str) -> bool {
        self.get().is_match(text)
    }

    /// Every match with its groups.
    pub fn captures_iter<'t>(&'t self, text: &'t str) -> regex::CaptureMatches<'t, 't> {
        self.get().captures_iter(text)
    }
}

/// All rules of one profile, compiled.
#[derive(Debug)]
pub(super) struct Rules {
    pub shapes: Vec<Shape>,
    /// The keywords of all shapes.
    keywords: Vec<String>,
    tables: Tables,
    /// The shape of each keyword.
    pub owners: Vec<usize>,
    pub keys: Vec<KeyRule>,
    pub index: Index,
    /// Words that may follow a name without changing what it holds (`password_hash`).
    pub neutral: BTreeSet<String>,
    /// Path segments after which a long random segment is a credential.
    pub path_tokens: BTreeSet<String>,
    /// Path segments after which the second one, if it is long and random, is a credential.
    pub path_hooks: BTreeSet<String>,
    /// Words that end the name of something that ids are given to.
    pub id_words: BTreeSet<String>,
    /// Authentication schemes, lower case.
    pub schemes: BTreeSet<String>,
    pub headers: BTreeMap<String, How>,
}

/// What takes longer than all the rest of starting up, and is built when it is first needed.
#[derive(Debug, Default)]
struct Tables {
    /// Finds the keywords of all shapes, ignoring ASCII case.
    keywords: OnceLock<Keywords>,
    /// The stems of the names that count in bodies, queries and headers. Members of bodies are many and are looked
    /// up with nothing remembered when an answer is cleaned; for the others a table that is quicker to build does.
    body: OnceLock<Stems<DFA>>,
    query: OnceLock<Stems<NFA>>,
    header: OnceLock<Stems<NFA>>,
    /// How many of them somebody has set out to build.
    begun: AtomicUsize,
}

static DEFAULT_SAFE: LazyLock<Rules> = LazyLock::new(|| compiled(Profile::DefaultSafe));
static HIGH_RISK_PII: LazyLock<Rules> = LazyLock::new(|| compiled(Profile::HighRiskPii));

#[expect(
    clippy::expect_used,
    reason = "the file is part of the program and a test compiles it; going on without rules would leak"
)]
fn compiled(profile: Profile) -> Rules {
    read().and_then(|file| Rules::compile(file, profile)).expect("rules.json compiles")
}

/// Reads the rule file that is built in.
pub(super) fn read() -> Result<File, String> {
    serde_json::from_str(include_str!("rules.json")).map_err(|error| error.to_string())
}

impl Rules {
    /// The rules of a profile, compiled once.
    pub fn of(profile: Profile) -> &'static Rules {
        match profile {
            Profile::DefaultSafe => &DEFAULT_SAFE,
            Profile::HighRiskPii => &HIGH_RISK_PII,
        }
    }

    /// Whether the key could have a rule: false for most, and cheap.
    pub fn has_stem(&self, key: &str, place: Place) -> bool {
        match place {
            Place::Body => self.tables.body.get_or_init(|| self.stems(place)).any(key),
            Place::Query => self.tables.query.get_or_init(|| self.stems(place)).any(key),
            Place::Header => self.tables.header.get_or_init(|| self.stems(place)).any(key),
        }
    }

    #[expect(clippy::expect_used, reason = "as for the whole file")]
    fn stems<A: Table>(&self, place: Place) -> Stems<A> {
        Stems::new(&self.keys, place).expect("rules.json compiles")
    }

    /// Finds the keywords of all shapes, ignoring ASCII case.
    #[expect(clippy::expect_used, reason = "as for the whole file")]
    pub fn keywords(&self) -> &Keywords {
        self.tables.keywords.get_or_init(|| Keywords::new(&self.keywords).expect("rules.json compiles"))
    }

    /// Builds the tables that nobody else is building: threads that all call this share the work, and go on when there is
    /// none left to begin.
    pub fn warm(&self) {
        let tables: [&dyn Fn(); 4] = [
            &|| _ = self.has_stem("", Place::Body),
            &|| _ = self.keywords(),
            &|| _ = self.has_stem("", Place::Header),
            &|| _ = self.has_stem("", Place::Query),
        ];
        while let Some(build) = tables.get(self.tables.begun.fetch_add(1, Relaxed)) {
            build();
        }
    }

    fn compile(file: File, profile: Profile) -> Result<Rules, String> {
        // High risk has the rules of both; a header kept by default only is dropped there.
        let applies =
            |rule: Option<Profile>| profile == Profile::HighRiskPii || rule != Some(Profile::HighRiskPii);
        let (mut shapes, mut keywords, mut owners) = (Vec::new(), Vec::new(), Vec::new());
        for shape in file.shapes.into_iter().filter(|shape| applies(shape.profile)) {
            let pattern = |text: &str| Pattern { text: text.to_owned(), compiled: OnceLock::new() };
            owners.extend(shape.keywords.iter().map(|_| shapes.len()));
            shapes.push(Shape {
                kind: shape.kind,
                regex: pattern(&shape.regex),
                unless: shape.unless.as_deref().map(pattern),
                entropy: shape.entropy,
                mixed: shape.mixed,
                check: shape.check,
            });
            keywords.extend(shape.keywords);
        }
        let keys: Vec<KeyRule> = file
            .keys
            .into_iter()
            .filter(|key| applies(key.profile))
            .map(|key| KeyRule {
                kind: key.kind,
                value: key.value,
                numbers: key.numbers,
                inside: key.inside,
                places: key.places,
                names: key.names.iter().map(|name| Name::new(name)).collect(),
                unless: key.unless.iter().map(|name| Name::new(name)).collect(),
            })
            .collect();
        let headers = file
            .headers
            .into_iter()
            .filter(|header| header.profile.is_none_or(|only| only == profile))
            .flat_map(|header| header.names.into_iter().map(move |name| (name, header.how)))
            .collect();
        Ok(Rules {
            keywords,
            tables: Tables::default(),
            index: Index::new(&keys),
            shapes,
            owners,
            keys,
            neutral: file.neutral,
            path_tokens: file.path_tokens,
            path_hooks: file.path_hooks,
            id_words: file.id_words,
            schemes: file.schemes,
            headers,
        })
    }
}

/// A key without any of these has no rule.
#[derive(Debug)]
struct Stems<A> {
    keywords: Keywords<A>,
    /// The length of each stem that must stand as a word.
    bounds: Vec<Option<usize>>,
}

impl<A: Table> Stems<A> {
    /// A name's longest word stands as a word in every key that fits, or the key has the whole name.
    fn new(keys: &[KeyRule], place: Place) -> Result<Self, String> {
        let names = keys.iter().filter(|rule| rule.holds(place)).flat_map(|rule| &rule.names);
        let mut stems: BTreeMap<&str, bool> = BTreeMap::new();
        for name in names {
            stems.entry(name.stem()).or_insert(true);
            // One word alone is found as a word; only a loose name hides in a longer one.
            if name.loose || name.stem() != name.squashed() {
                stems.insert(name.squashed(), false);
            }
        }
        Ok(Stems {
            keywords: Keywords::new(&stems.keys().collect::<Vec<_>>())?,
            bounds: stems.iter().map(|(stem, word)| word.then_some(stem.len())).collect(),
        })
    }

    fn any(&self, key: &str) -> bool {
        let bytes = key.as_bytes();
        let mut any = false;
        self.keywords.each(key, |stem, end| {
            any |= self.bounds.get(stem).copied().flatten().is_none_or(|len| {
                let start = end.saturating_sub(len);
                let joined = start
                    .checked_sub(1)
                    .and_then(|before| bytes.get(before))
                    .is_some_and(u8::is_ascii_alphanumeric)
                    && bytes.get(start).is_some_and(u8::is_ascii_lowercase);
                !joined && !bytes.get(end).is_some_and(u8::is_ascii_lowercase)
            });
        });
        any
    }
}

/// An automaton that is walked by hand.
pub(super) trait Table: Automaton + Sized {
    /// One that finds these words in any case, wherever they stand.
    fn of<T: AsRef<[u8]>>(words: &[T]) -> Result<Self, aho_corasick::BuildError>;
}

impl Table for DFA {
    fn of<T: AsRef<[u8]>>(words: &[T]) -> Result<Self, aho_corasick::BuildError> {
        DFA::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .start_kind(StartKind::Unanchored)
            .prefilter(false)
            .build(words)
    }
}

impl Table for NFA {
    fn of<T: AsRef<[u8]>>(words: &[T]) -> Result<Self, aho_corasick::BuildError> {
        NFA::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .prefilter(false)
            .build(words)
    }
}

/// Finds words in text, ignoring ASCII case. Strings are short: walking a table by hand beats a
/// search that starts up cleverly.
#[derive(Debug)]
pub(super) struct Keywords<A = DFA> {
    table: A,
    start: StateID,
}

impl<A: Table> Keywords<A> {
    fn new<T: AsRef<[u8]>>(words: &[T]) -> Result<Self, String> {
        let table = A::of(words).map_err(|error| error.to_string())?;
        let start = table.start_state(Anchored::No).map_err(|error| error.to_string())?;
        Ok(Keywords { table, start })
    }

    /// Calls with the number and the end of each word found, as often as it is found.
    pub fn each(&self, text: &str, mut found: impl FnMut(usize, usize)) {
        let mut state = self.start;
        for (at, byte) in text.bytes().enumerate() {
            state = self.table.next_state(Anchored::No, state, byte);
            if self.table.is_special(state) && self.table.is_match(state) {
                for nth in 0..self.table.match_len(state) {
                    found(self.table.match_pattern(state, nth).as_usize(), at + 1);
                }
            }
        }
    }
}
