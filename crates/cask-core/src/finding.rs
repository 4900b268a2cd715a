//! One vocabulary for judgements: gate, diff, drift and verify all speak in [`Finding`]s.
//!
//! A finding says "checked: no". "Could not check" is an error, and never a finding.

use serde::Serialize;
use serde_json::Value;

/// How much a finding matters; decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know; exit 0.
    Info,
    /// Needs review; exit 1.
    Warning,
    /// Breaks a caller or lets an agent do more; exit 2.
    Breaking,
}

/// What the evidence says about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// The evidence shows the opposite of what was accepted.
    Contradicted,
    /// Something that was not there before.
    New,
    /// Nothing was seen either way.
    Unobserved,
}

/// A line in a table of rules: what `cask explain CODE` prints and what a finding points to.
#[derive(Debug)]
pub struct Rule {
    /// Kebab-case, unique over all tables, never reused.
    pub code: &'static str,
    /// The severity of its findings.
    pub severity: Severity,
    /// One line.
    pub title: &'static str,
    /// What it means, why it matters and what to do: a short paragraph.
    pub explain: &'static str,
}

/// One judgement.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// The rule's code.
    pub code: &'static str,
    /// The rule's severity.
    pub severity: Severity,
    /// What the evidence says.
    pub basis: Basis,
    /// Where.
    pub at: At,
    /// What happened, in one sentence.
    pub message: String,
    /// What whoever decides has to read besides, a line each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// What it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// The place of a finding; empty parts do not apply.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
pub struct At {
    /// A lockfile subject (`tool/get_user`).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// Host of the endpoint.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// Method of the endpoint.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub method: String,
    /// Path template of the endpoint.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// File, where a file is meant.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub file: String,
    /// RFC 6901 JSON pointer inside.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pointer: String,
}
