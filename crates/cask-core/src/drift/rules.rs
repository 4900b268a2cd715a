//! The table of drift rules. A difference has coordinates, and the row with these coordinates is its rule.

use crate::finding::{Rule, Severity};

mod request;
mod response;
mod service;

/// Whose side changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// The service as a whole: where it is, what it does, who may call.
    Service,
    /// What a caller sends.
    Request,
    /// What a caller gets.
    Response,
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Area {
    Endpoint,
    Host,
    Auth,
    Effect,
    Risk,
    Operation,
    Param,
    Body,
    Media,
    Status,
    Field,
    Presence,
    Type,
    Null,
    Envelope,
    Enum,
    Format,
    Bounds,
}

/// How it changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It is there now.
    Added,
    /// It is there now, and in every call: callers must send it, or get it.
    AddedAlways,
    /// It is gone, and the evidence says so.
    Removed,
    /// It was not seen, and the evidence does not say that it is gone.
    Unseen,
    /// It is another one.
    Changed,
    /// More than before: an effect, a risk, a set of values, a presence.
    Raised,
    /// Less than before.
    Lowered,
}

/// Where a rule stands in the space of changes.
pub type Coordinates = (Direction, Area, Kind);

/// A row of the table.
#[derive(Debug)]
pub struct ChangeRule {
    /// Code, severity and words.
    pub rule: Rule,
    /// Which difference it judges.
    pub at: Coordinates,
    /// The difference is reported if chance alone would show it less often than this (see
    /// [`super::evidence`]). 1 where the difference does not rest on counts.
    pub level: f64,
    /// The code of the rule for the opposite change, or why there is none.
    pub mirror: Mirror,
}

/// The rule for the opposite change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mirror {
    /// Its code.
    Code(&'static str),
    /// It is its own opposite: the change back is reported by the same rule.
    Itself,
    /// There is none, because.
    Waived(&'static str),
}

/// The level of rules about fields and parameters that were always or never there.
const RARE: f64 = 1e-3;
/// The level of rules about a rate that only moved: most fields are optional, so there are many comparisons, and each
/// moves in every capture.
const RAREST: f64 = 1e-5;
/// The level of rules about values that only few positions can have by chance (`null`, another type, a new member of
/// an enumeration): there are fewer comparisons, so each may be weighed less strictly.
const SELDOM: f64 = 2e-2;
/// The level of the rule about frequent optional fields that were not seen; it only informs.
const UNSEEN: f64 = 2e-3;
/// The level of the rules about `null`: fewer positions still are ever null, and a null that became possible is
/// seldom rare.
const NULLS: f64 = 6e-2;
/// Does not rest on counts.
const CERTAIN: f64 = 1.0;

/// Every drift rule.
pub fn all() -> impl Iterator<Item = &'static ChangeRule> {
    service::RULES.iter().chain(request::RULES).chain(response::RULES)
}

/// The rule at these coordinates.
pub fn at(coordinates: Coordinates) -> Option<&'static ChangeRule> {
    all().find(|row| row.at == coordinates)
}

/// Shortens the rows below.
const fn row(
    at: Coordinates,
    code: &'static str,
    severity: Severity,
    level: f64,
    mirror: Mirror,
    title: &'static str,
    explain: &'static str,
) -> ChangeRule {
    ChangeRule { rule: Rule { code, severity, title, explain }, at, level, mirror }
}
