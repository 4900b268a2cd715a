//! The table of lint rules. One rule says one thing, and finds it by itself.

use super::view::{Hit, View};
use crate::finding::{Rule, Severity};

mod access;
mod around;
mod flow;
mod hosts;
mod lock;
mod names;
mod policy;
mod schema;
mod secrets;
mod size;
mod text;
mod waivers;

pub(super) use waivers::{EXPIRED, INVALID, UNUSED};

/// What a rule finds.
type Find = fn(&View<'_>) -> Vec<Hit>;

/// A row of the table.
#[derive(Debug)]
pub struct Check {
    /// Code, severity and words.
    pub rule: Rule,
    /// The heading of its findings.
    pub area: &'static str,
    pub(super) find: Find,
}

/// Every lint rule, area by area.
pub fn all() -> impl Iterator<Item = &'static Check> {
    access::RULES
        .iter()
        .chain(flow::RULES)
        .chain(policy::RULES)
        .chain(text::RULES)
        .chain(schema::RULES)
        .chain(names::RULES)
        .chain(hosts::RULES)
        .chain(secrets::RULES)
        .chain(size::RULES)
        .chain(around::RULES)
        .chain(lock::RULES)
        .chain(waivers::RULES)
}

/// The rule of a code.
#[must_use]
pub fn find(code: &str) -> Option<&'static Check> {
    all().find(|check| check.rule.code == code)
}

/// Shortens the rows of the tables.
const fn row(
    area: &'static str,
    code: &'static str,
    severity: Severity,
    title: &'static str,
    explain: &'static str,
    find: Find,
) -> Check {
    Check { rule: Rule { code, severity, title, explain }, area, find }
}
