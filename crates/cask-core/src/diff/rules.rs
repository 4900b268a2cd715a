//! The table of what can differ between a toolpack and what was approved of it.

use crate::finding::Rule;

mod argument;
mod around;
mod tool;

pub(super) use argument::*;
pub(super) use around::*;
pub(super) use tool::*;

/// What a change means for whoever approves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// An agent could do something that it could not do before.
    CanDoMore,
    /// An agent, or the person who confirms its calls, would read something that nobody reviewed.
    SeesOtherText,
    /// Something that worked does not any more.
    CanDoLess,
    /// Neither; but it is signed, so it has to be approved again.
    Record,
}

impl Class {
    /// The heading of its findings.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Class::CanDoMore => "An agent could do more",
            Class::SeesOtherText => "An agent would read or be told something else",
            Class::CanDoLess => "An agent could do less",
            Class::Record => "For the record",
        }
    }

    /// Stable name, for programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Class::CanDoMore => "can_do_more",
            Class::SeesOtherText => "sees_different_text",
            Class::CanDoLess => "narrows",
            Class::Record => "record",
        }
    }
}

/// A rule and what its findings mean.
#[derive(Debug)]
pub struct Change {
    /// The rule.
    pub rule: Rule,
    /// The meaning.
    pub class: Class,
}

/// The class of a rule of this table.
#[must_use]
pub fn class(code: &str) -> Option<Class> {
    RULES.iter().find(|change| change.rule.code == code).map(|change| change.class)
}

/// Every rule.
pub const RULES: [&Change; 47] = [
    &TOOL_ADDED,
    &EFFECT_UNDERSTATED,
    &HOST_ADDED,
    &TOOL_HOST,
    &TOOL_SCHEME,
    &TOOL_METHOD,
    &TOOL_PATH,
    &TOOL_AUTH,
    &TOOL_FIXED,
    &TOOL_BODY,
    &TOOL_ACCEPT,
    &TOOL_WRAP,
    &ARG_ADDED,
    &ARG_REMOVED,
    &ARG_REQUIRED,
    &ARG_OPTIONAL,
    &ARG_WIDENED,
    &ARG_NARROWED,
    &ARG_PLACED,
    &ARG_TEXT,
    &TITLE,
    &DESCRIPTION,
    &OUTPUT,
    &HINT_RELAXED,
    &HINT_TIGHTENED,
    &EFFECT,
    &RISK_RAISED,
    &RISK_LOWERED,
    &GUARD_RELAXED,
    &GUARD_TIGHTENED,
    &REASONS,
    &SCOPE,
    &EVIDENCE,
    &TOOL_OTHER,
    &TOOL_REMOVED,
    &TOOLSET_ADDED,
    &TOOLSET_REMOVED,
    &TOOLSET_MEMBER_ADDED,
    &TOOLSET_MEMBER_REMOVED,
    &POLICY_ADDED,
    &POLICY_PERMIT_ADDED,
    &POLICY_PERMIT_REMOVED,
    &POLICY_FORBID_ADDED,
    &POLICY_FORBID_REMOVED,
    &POLICY_RULE_CHANGED,
    &POLICY_TEXT,
    &POLICY_UNREADABLE,
];
