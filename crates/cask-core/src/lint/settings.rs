//! What a repository says about its own lint: levels, the budget of a toolset, and waivers.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::rules;
use crate::finding::{Finding, Rule, Severity};

/// The tokens that the tools of one toolset may take of a client's context.
pub const BUDGET_TOKENS: u64 = 25_000;

/// How much a rule matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing is said.
    Off,
    /// Its findings have this severity.
    At(Severity),
}

/// The name is none of `off`, `info`, `warning`, `breaking`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no such level; the levels are off, info, warning and breaking")]
pub struct UnknownLevel;

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(text: &str) -> Result<Self, UnknownLevel> {
        match text {
            "off" => Ok(Level::Off),
            "info" => Ok(Level::At(Severity::Info)),
            "warning" => Ok(Level::At(Severity::Warning)),
            "breaking" => Ok(Level::At(Severity::Breaking)),
            _ => Err(UnknownLevel),
        }
    }
}

/// Says that a finding is meant, why, and until when.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Waiver {
    /// The rule.
    pub code: String,
    /// The subject of the finding, or how it begins and a `*`.
    pub subject: String,
    /// Why.
    pub reason: String,
    /// The last day on which it counts, UTC: `2027-01-31`.
    pub until: String,
}

impl Waiver {
    /// What is wrong with it, member by member.
    #[must_use]
    pub fn faults(&self) -> Vec<(Member, String)> {
        let mut out = Vec::new();
        match rules::find(&self.code) {
            None => out.push((Member::Code, unknown(&self.code))),
            Some(_) if self.code.starts_with("waiver-") => {
                out.push((Member::Code, format!("`{}` is about waivers and cannot be waived", self.code)));
            }
            Some(_) => {}
        }
        if self.subject.trim().is_empty() {
            out.push((
                Member::Subject,
                "it says what is waived: a subject, or how it begins and a `*`".into(),
            ));
        }
        if self.reason.trim().is_empty() {
            out.push((Member::Reason, "it says why it is meant".into()));
        }
        if !is_date(&self.until) {
            out.push((Member::Until, format!("`{}` is not a date like 2027-01-31", short(&self.until))));
        }
        out
    }

    /// Whether it is about this finding.
    #[must_use]
    pub fn covers(&self, finding: &Finding) -> bool {
        let at = &finding.at;
        let subject = if at.subject.is_empty() { &at.file } else { &at.subject };
        let fits = match self.subject.strip_suffix('*') {
            Some(start) => subject.starts_with(start),
            None => *subject == self.subject,
        };
        fits && self.code == finding.code
    }

    /// Whether its last day is over. A time that cannot be read is never before an end.
    #[must_use]
    pub fn is_over(&self, now: &str) -> bool {
        now.get(..10).is_none_or(|today| today > self.until.as_str())
    }
}

/// RFC 3339 `full-date`.
fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok_and(|date| date.to_string() == text)
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

fn unknown(code: &str) -> String {
    format!("there is no lint rule `{}`", short(code))
}

/// Settings as they were written, not checked yet.
#[derive(Debug, Clone, Default)]
pub struct Written {
    /// Code → level.
    pub levels: BTreeMap<String, String>,
    /// As in [`BUDGET_TOKENS`].
    pub budget_tokens: Option<u64>,
    /// In order.
    pub waivers: Vec<Waiver>,
}

/// A member of a waiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Member {
    /// [`Waiver::code`]
    Code,
    /// [`Waiver::subject`]
    Subject,
    /// [`Waiver::reason`]
    Reason,
    /// [`Waiver::until`]
    Until,
}

impl Member {
    /// Its name in the file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Member::Code => "code",
            Member::Subject => "subject",
            Member::Reason => "reason",
            Member::Until => "until",
        }
    }
}

/// Where in the settings a fault is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The level of this code.
    Level(String),
    /// This member of this waiver, counted from 0.
    Waiver(usize, Member),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Level(code) => write!(f, "lint.level.{}", short(code)),
            Place::Waiver(index, member) => write!(f, "lint.waive[{index}].{}", member.as_str()),
        }
    }
}

/// One thing that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {why}")]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// What.
    pub why: String,
}

/// Settings that make sense. Only [`Settings::new`] makes others than the default ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    levels: BTreeMap<String, Level>,
    budget_tokens: u64,
    waivers: Vec<Waiver>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { levels: BTreeMap::new(), budget_tokens: BUDGET_TOKENS, waivers: Vec::new() }
    }
}

impl Settings {
    /// Checks what was written.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn new(written: Written) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut levels = BTreeMap::new();
        for (code, level) in written.levels {
            let place = Place::Level(code.clone());
            if rules::find(&code).is_none() {
                faults.push(Fault { place, why: unknown(&code) });
                continue;
            }
            match level.parse::<Level>() {
                Ok(level) => {
                    levels.insert(code, level);
                }
                Err(error) => faults.push(Fault { place, why: format!("`{}`: {error}", short(&level)) }),
            }
        }
        for (index, waiver) in written.waivers.iter().enumerate() {
            let found = waiver.faults().into_iter();
            faults.extend(found.map(|(member, why)| Fault { place: Place::Waiver(index, member), why }));
        }
        if faults.is_empty() {
            let budget_tokens = written.budget_tokens.unwrap_or(BUDGET_TOKENS);
            Ok(Self { levels, budget_tokens, waivers: written.waivers })
        } else {
            Err(faults)
        }
    }

    /// Codes whose level the repository set, and to what: whoever reads a report has to know what it does not say.
    pub fn set_levels(&self) -> impl Iterator<Item = String> + '_ {
        self.levels.iter().map(|(code, level)| match level {
            Level::Off => format!("`{code}` is off here"),
            Level::At(severity) => format!("`{code}` is {severity:?} here").to_lowercase(),
        })
    }

    /// The severity of a rule's findings here; none if nothing is to be said.
    #[must_use]
    pub fn severity(&self, rule: &Rule) -> Option<Severity> {
        match self.levels.get(rule.code) {
            None => Some(rule.severity),
            Some(Level::At(severity)) => Some(*severity),
            Some(Level::Off) => None,
        }
    }

    /// The tokens that a toolset may take.
    #[must_use]
    pub fn budget_tokens(&self) -> u64 {
        self.budget_tokens
    }

    /// The waivers, in the order in which they were written.
    #[must_use]
    pub fn waivers(&self) -> &[Waiver] {
        &self.waivers
    }
}
