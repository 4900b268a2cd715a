//! The patterns as data: `rules.json`, read once. Keywords gate a regular expression, so that clean text costs one
//! walk through an automaton.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, OnceLock};

use aho_corasick::AhoCorasick;
use regex::Regex;
use serde::Deserialize;

use super::Kind;

/// The rule file, as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    patterns: Vec<PatternFile>,
    sending: BTreeSet<String>,
    catchers: Vec<String>,
    example_hosts: BTreeSet<String>,
    confusables: BTreeMap<String, String>,
}

/// A capturing group in the expression says that it is something else after all.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PatternFile {
    id: String,
    kind: Kind,
    #[serde(rename = "in")]
    on: On,
    keywords: Vec<String>,
    regex: String,
}

/// What an expression is matched with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum On {
    /// The text, in lower case.
    Text,
    /// Its words: lower-case ASCII letters and digits, one space between two.
    Words,
}

/// One kind of cue.
pub(super) struct Pattern {
    pub id: String,
    pub kind: Kind,
    pub on: On,
    text: String,
    compiled: OnceLock<Regex>,
}

impl Pattern {
    /// The expression, compiled when it is first needed.
    #[expect(
        clippy::expect_used,
        reason = "the file is part of the program and a test compiles it all; going on without a rule would hide a cue"
    )]
    pub fn regex(&self) -> &Regex {
        // words are ASCII by then, and this boundary is much cheaper
        let text = || self.text.replace("\\b", "(?-u:\\b)");
        self.compiled.get_or_init(|| Regex::new(&text()).expect("rules.json compiles"))
    }
}

/// All of it.
pub(super) struct Rules {
    pub patterns: Vec<Pattern>,
    keywords: AhoCorasick,
    /// The pattern of each keyword.
    owners: Vec<usize>,
    /// Verbs before an address that something is sent to.
    pub sending: BTreeSet<String>,
    /// Parts of addresses where anybody collects what is sent.
    pub catchers: Vec<String>,
    /// Hosts that are nobody's (RFC 2606).
    pub example_hosts: BTreeSet<String>,
    /// The letter that a character looks like (UTS 39).
    pub confusables: BTreeMap<char, char>,
}

static RULES: LazyLock<Rules> = LazyLock::new(compiled);

#[expect(
    clippy::expect_used,
    reason = "the file is part of the program and a test compiles it; going on without rules would hide cues"
)]
fn compiled() -> Rules {
    read().expect("rules.json compiles")
}

fn read() -> Result<Rules, String> {
    let file: File = serde_json::from_str(include_str!("rules.json")).map_err(|error| error.to_string())?;
    let (mut patterns, mut keywords, mut owners) = (Vec::new(), Vec::new(), Vec::new());
    for pattern in file.patterns {
        let PatternFile { id, kind, on, keywords: own, regex } = pattern;
        owners.extend(own.iter().map(|_| patterns.len()));
        keywords.extend(own);
        patterns.push(Pattern { id, kind, on, text: regex, compiled: OnceLock::new() });
    }
    let mut confusables = BTreeMap::new();
    for (letter, alike) in &file.confusables {
        let letter = letter.chars().next().ok_or("a look-alike of nothing")?;
        confusables.extend(alike.chars().map(|c| (c, letter)));
    }
    Ok(Rules {
        patterns,
        keywords: AhoCorasick::new(keywords).map_err(|error| error.to_string())?,
        owners,
        sending: file.sending,
        catchers: file.catchers,
        example_hosts: file.example_hosts,
        confusables,
    })
}

impl Rules {
    /// The rules, compiled once.
    pub fn get() -> &'static Rules {
        &RULES
    }

    /// The patterns of which a keyword is in the text, which is in lower case.
    pub fn awake(&self, text: &str) -> impl Iterator<Item = &Pattern> {
        let mut awake = vec![false; self.patterns.len()];
        for keyword in self.keywords.find_overlapping_iter(text) {
            let owner = self.owners.get(keyword.pattern().as_usize());
            if let Some(awake) = owner.and_then(|owner| awake.get_mut(*owner)) {
                *awake = true;
            }
        }
        self.patterns.iter().zip(awake).filter_map(|(pattern, awake)| awake.then_some(pattern))
    }
}
