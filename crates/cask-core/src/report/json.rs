//! A report for programs: canonical, versioned JSON.

use serde_json::{Value, json};

use super::{Report, SCHEMA_VERSION, order};
use crate::finding::{Finding, Severity};

pub(super) fn render(report: &Report) -> String {
    let mut findings: Vec<(&str, &Finding)> = (report.sections.iter())
        .flat_map(|section| section.findings.iter().map(|finding| (section.title.as_str(), finding)))
        .collect();
    findings.sort_by(|(_, a), (_, b)| order(a, b));
    let findings: Vec<Value> = findings.into_iter().map(|(group, finding)| member(group, finding)).collect();
    let mut counts: serde_json::Map<String, Value> =
        report.counts.iter().map(|(name, count)| (name.clone(), json!(count))).collect();
    for (name, severity) in
        [("breaking", Severity::Breaking), ("warning", Severity::Warning), ("info", Severity::Info)]
    {
        counts.insert(name.to_owned(), json!(report.count(severity)));
    }
    let subject: serde_json::Map<String, Value> =
        report.subject.iter().map(|(label, value)| (label.clone(), json!(value))).collect();
    let mut text = canonical(&json!({
        "schema_version": SCHEMA_VERSION,
        "kind": report.kind,
        "title": report.title,
        "verdict": report.verdict().as_str(),
        "exit": report.verdict().code(),
        "subject": subject,
        "counts": counts,
        "notes": report.notes,
        "next": report.next,
        "findings": findings,
    }));
    text.push('\n');
    text
}

/// A finding, and the heading it stands under.
fn member(group: &str, finding: &Finding) -> Value {
    let mut value = json!(finding);
    if let Some(members) = value.as_object_mut() {
        if !group.is_empty() {
            members.insert("group".to_owned(), group.into());
        }
        if let Some(class) = crate::diff::class(finding) {
            members.insert("class".to_owned(), class.as_str().into());
        }
    }
    value
}

/// Canonical JSON. Whole numbers that have no exact canonical form become strings: a report has to be written
/// whatever the traffic held.
pub(super) fn canonical(value: &Value) -> String {
    let bytes = crate::canon::canonical(value)
        .or_else(|_| crate::canon::canonical(&exact(value.clone())))
        .unwrap_or_else(|_| b"null".to_vec());
    String::from_utf8_lossy(&bytes).into_owned()
}

fn exact(value: Value) -> Value {
    match value {
        Value::Number(number) if crate::canon::canonical(&number).is_err() => {
            Value::String(number.to_string())
        }
        Value::Array(items) => items.into_iter().map(exact).collect(),
        Value::Object(members) => members.into_iter().map(|(name, member)| (name, exact(member))).collect(),
        other => other,
    }
}
