//! What a service does now, against what was accepted.
//!
//! Two lists of endpoints are paired, each pair is walked, and every raw difference gets coordinates and the
//! [`evidence::chance`] of seeing it if nothing had changed. The row of the table with these coordinates judges it:
//! a difference that chance explains is counted as unobserved and not reported.
//!
//! A change that shows in several places is reported once: who finds the larger change (a rename, an envelope, a
//! moved endpoint, a new document) claims the smaller differences by not walking into them.

use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::finding::{At, Basis, Finding, Severity};

mod evidence;
mod exchange;
mod once;
mod pair;
mod rules;
mod shape;
mod walk;

pub use rules::{Area, ChangeRule, Coordinates, Direction, Kind, Mirror, all as rules};

/// How many false breaking findings a whole comparison may expect if nothing changed.
///
/// A finding is breaking only if its chance, times the number of positions compared, stays below this
/// (Bonferroni); otherwise it is a warning.
const FALSE_ALARMS: f64 = 0.05;

/// What a comparison found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Drift {
    /// What to report, sorted by place.
    pub findings: Vec<Finding>,
    /// Differences that chance explains, all [`Severity::Info`]: not drift until more is seen.
    pub weak: Vec<Finding>,
    /// Endpoints on both sides.
    pub endpoints: u64,
    /// JSON positions, parameters and statuses that were compared.
    pub positions: u64,
    /// Endpoints of the baseline that the new capture did not call, with too little evidence to say more.
    pub uncalled: u64,
}

/// Compares the endpoints of a baseline with the endpoints of now.
#[must_use]
pub fn compare(baseline: &[Endpoint], now: &[Endpoint]) -> Drift {
    let mut sink = Sink::default();
    let pairs = pair::pair(baseline, now, &mut sink);
    for (before, now) in &pairs {
        sink.pair += 1;
        exchange::compare(before, now, &mut sink);
    }
    sink.judge(pairs.len() as u64)
}

/// A raw difference, not yet judged.
#[derive(Debug)]
struct Difference {
    at: Coordinates,
    place: At,
    message: String,
    before: Option<Value>,
    after: Option<Value>,
    chance: f64,
    /// Never more severe than this, whatever the rule says.
    most: Severity,
    /// It is about an identifier, as far as its name or its values tell.
    identifier: bool,
    /// Which pair of endpoints it is about: the operations of GraphQL share their path.
    pair: usize,
    /// What it stands for, a line each, where that is more than the message says.
    details: Vec<String>,
}

impl Difference {
    fn new(at: Coordinates, place: At, chance: f64, message: String) -> Self {
        Self {
            at,
            place,
            message,
            before: None,
            after: None,
            chance,
            most: Severity::Breaking,
            identifier: false,
            pair: 0,
            details: Vec::new(),
        }
    }

    fn values(mut self, before: impl Into<Value>, after: impl Into<Value>) -> Self {
        self.before = Some(before.into());
        self.after = Some(after.into());
        self
    }

    /// Whether chance explains it among so many comparisons.
    fn weak(&self, positions: f64) -> bool {
        !self.strong(positions) && rules::at(self.at).is_none_or(|row| self.chance >= row.level)
    }

    /// Whether it stands even though there were so many comparisons.
    fn strong(&self, positions: f64) -> bool {
        self.chance * positions < FALSE_ALARMS
    }

    fn at_most(mut self, severity: Severity) -> Self {
        self.most = severity;
        self
    }
}

/// `GET /v1/users/{id}`, for a sentence.
fn place_of(at: &At) -> String {
    format!("`{} {}`", at.method, at.path)
}

/// Collects raw differences during the walk.
#[derive(Debug, Default)]
struct Sink {
    found: Vec<Difference>,
    positions: u64,
    uncalled: u64,
    /// The pair that is compared.
    pair: usize,
}

impl Sink {
    fn push(&mut self, difference: Difference) {
        self.found.push(Difference { pair: self.pair, ..difference });
    }

    fn judge(self, endpoints: u64) -> Drift {
        let mut drift =
            Drift { endpoints, positions: self.positions, uncalled: self.uncalled, ..Drift::default() };
        #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
        let positions = self.positions.max(1) as f64;
        for difference in once::once(self.found, positions) {
            let Some(row) = rules::at(difference.at) else { continue };
            let weak = difference.weak(positions);
            let strong = difference.strong(positions);
            let severity = match row.rule.severity.min(difference.most) {
                _ if weak => Severity::Info,
                Severity::Breaking if !strong => Severity::Warning,
                severity => severity,
            };
            let basis = match difference.at.2 {
                _ if weak => Basis::Unobserved,
                Kind::Unseen => Basis::Unobserved,
                Kind::Added | Kind::AddedAlways => Basis::New,
                _ => Basis::Contradicted,
            };
            let finding = Finding {
                details: difference.details,
                code: row.rule.code,
                severity,
                basis,
                at: difference.place,
                message: difference.message,
                before: difference.before,
                after: difference.after,
            };
            if weak { drift.weak.push(finding) } else { drift.findings.push(finding) }
        }
        let key = |finding: &Finding| (finding.at.clone(), finding.code, finding.message.clone());
        drift.findings.sort_by_cached_key(key);
        drift.weak.sort_by_cached_key(key);
        drift
    }
}

#[cfg(test)]
mod tests;
