//! The table of what can differ between a toolpack and what was approved of it.

use crate::finding::{Rule, Severity};

mod argument;
mod around;
mod output;
mod policy;
mod request;
mod scope;
mod text;
mod tool;

pub(super) use argument::*;
pub(super) use around::*;
pub(super) use output::*;
pub(super) use policy::*;
pub(super) use request::*;
pub(super) use scope::*;
pub(super) use text::*;
pub(super) use tool::*;

pub use super::class::Class;

/// A rule and what its findings mean. A code has one class, so that whoever has a finding has its class.
#[derive(Debug)]
pub struct Change {
    /// The rule.
    pub rule: Rule,
    /// The meaning.
    pub class: Class,
    /// The rule for the change back, or why there is none.
    pub mirror: Mirror,
}

/// The rule for the opposite change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mirror {
    /// Its code.
    Code(&'static str),
    /// The change back is reported by the same rule.
    Itself,
    /// There is none, because.
    Waived(&'static str),
}

/// Shortens the tables.
const fn change(
    class: Class,
    code: &'static str,
    severity: Severity,
    mirror: Mirror,
    title: &'static str,
    explain: &'static str,
) -> Change {
    Change { rule: Rule { code, severity, title, explain }, class, mirror }
}

/// The rule of a code of this table.
#[must_use]
pub fn find(code: &str) -> Option<&'static Change> {
    RULES.iter().find(|change| change.rule.code == code).copied()
}

/// The class of a code of this table.
#[must_use]
pub fn class(code: &str) -> Option<Class> {
    find(code).map(|change| change.class)
}

/// Every rule.
pub const RULES: [&Change; 94] = [
    &TOOL_ADDED,
    &TOOL_ADDED_WRITES,
    &TOOL_ADDED_AUTH,
    &TOOL_ADDED_DESTRUCTIVE,
    &TOOL_REMOVED,
    &TOOL_RENAMED,
    &EFFECT_UNDERSTATED,
    &EFFECT,
    &EFFECT_AUTH,
    &EFFECT_DESTRUCTIVE,
    &EFFECT_LOWERED,
    &HINT_RELAXED,
    &HINT_TIGHTENED,
    &DESTRUCTIVE_SET,
    &DESTRUCTIVE_CLEARED,
    &RISK_RAISED,
    &RISK_LOWERED,
    &GUARD_RELAXED,
    &GUARD_TIGHTENED,
    &REASONS,
    &SCOPE,
    &EVIDENCE,
    &TOOL_OTHER,
    &TOOL_HOST,
    &TOOL_SCHEME,
    &TOOL_METHOD,
    &TOOL_PATH,
    &PATH_PARAMETER,
    &TOOL_AUTH,
    &TOOL_FIXED,
    &TOOL_BODY,
    &TITLE,
    &DESCRIPTION,
    &TEXT_INSTRUCTION,
    &TEXT_CONCEALMENT,
    &TEXT_OTHER_TOOL,
    &TEXT_MARKUP,
    &TEXT_PRESSURE,
    &TEXT_CREDENTIAL,
    &TEXT_DESTINATION,
    &TEXT_ENCODED,
    &TEXT_HIDDEN,
    &TEXT_CONFUSABLE,
    &TEXT_LINK,
    &ARG_ADDED,
    &ARG_CREDENTIAL,
    &ARG_REMOVED,
    &ARG_RENAMED,
    &ARG_REQUIRED,
    &ARG_OPTIONAL,
    &ARG_WIDENED,
    &ARG_NARROWED,
    &ARG_PLACED,
    &ARG_TEXT,
    &OUTPUT_ADDED,
    &OUTPUT_CREDENTIAL,
    &OUTPUT_REMOVED,
    &OUTPUT_OPTIONAL,
    &OUTPUT_REQUIRED,
    &OUTPUT_WIDENED,
    &OUTPUT_NARROWED,
    &OUTPUT,
    &OUTPUT_TEXT,
    &OUTPUT_SCHEMA_ADDED,
    &OUTPUT_SCHEMA_REMOVED,
    &TOOL_WRAP,
    &TOOL_UNWRAP,
    &TOOL_ACCEPT,
    &TOOL_ACCEPT_LESS,
    &HOST_ADDED,
    &HOST_MOVED,
    &PATH_MOVED,
    &TOOLSET_ADDED,
    &TOOLSET_REMOVED,
    &TOOLSET_MEMBER_ADDED,
    &TOOLSET_MEMBER_WRITES,
    &TOOLSET_MEMBER_AUTH,
    &TOOLSET_MEMBER_DESTRUCTIVE,
    &TOOLSET_MEMBER_REMOVED,
    &SCOPE_ADDED,
    &SCOPE_REMOVED,
    &SCOPE_BROADENED,
    &SCOPE_NARROWED,
    &SCOPE_CHANGED,
    &POLICY_ADDED,
    &POLICY_PERMIT_ADDED,
    &POLICY_PERMIT_REMOVED,
    &POLICY_FORBID_ADDED,
    &POLICY_FORBID_REMOVED,
    &POLICY_RULE_CHANGED,
    &POLICY_TEXT,
    &POLICY_UNREADABLE,
    &POLICY_PROVED,
    &POLICY_ALLOWS,
];
