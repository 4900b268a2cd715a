//! A report for code scanning: SARIF 2.1.0, as GitHub and editors read it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::escape::{clip, terminal};
use super::json::canonical;
use super::{Report, brief, order, place};
use crate::canon::Digest;
use crate::explain::{self, Page};
use crate::finding::{At, Finding, Severity};

/// GitHub refuses a run with more results.
const MOST: usize = 25_000;

/// Longest message or path, in characters.
const LONGEST: usize = 4_000;

/// Longest description of a rule that GitHub takes, in characters.
const DESCRIPTION: usize = 1_000;

/// Code scanning shows nothing that is not at a file. Where a report knows of none, this is what it is about.
const LOCKFILE: &str = "caskmcp.lock.yaml";

pub(super) fn render(report: &Report) -> String {
    let mut findings: Vec<&Finding> = report.findings().collect();
    findings.sort_by(|a, b| order(a, b));
    let left_out = findings.len().saturating_sub(MOST);
    findings.truncate(MOST);
    let mut worst: BTreeMap<&str, Severity> = BTreeMap::new();
    for finding in &findings {
        worst.entry(finding.code).or_insert(finding.severity);
    }
    let codes: Vec<&str> = worst.keys().copied().collect();
    let pages = explain::pages();
    let rules: Vec<Value> = worst.iter().map(|(code, severity)| rule(code, *severity, &pages)).collect();
    let mut seen = BTreeMap::new();
    let results: Vec<Value> =
        findings.into_iter().map(|finding| result(report, finding, &codes, &mut seen)).collect();
    let mut text = canonical(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "cask",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": "https://github.com/cask-tools/cask",
                "rules": rules,
            }},
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notifications(report, left_out),
            }],
            "columnKind": "utf16CodeUnits",
            "results": results,
        }],
    }));
    text.push('\n');
    text
}

/// What qualifies the results, and what is not among them.
fn notifications(report: &Report, left_out: usize) -> Vec<Value> {
    let note = |level: &str, text: String| json!({"level": level, "message": {"text": text}});
    let mut notes: Vec<Value> = report.notes.iter().map(|text| note("note", plain(text))).collect();
    if left_out > 0 {
        let text = format!("{left_out} findings are left out: GitHub takes no more than {MOST}");
        notes.push(note("warning", text));
    }
    notes
}

/// A rule as the register of codes explains it.
fn rule(code: &str, worst: Severity, pages: &[Page]) -> Value {
    let page = pages.iter().find(|page| page.code == code);
    let title = page.map(|page| page.title).filter(|title| !title.is_empty()).unwrap_or(code);
    let text = page.map_or(title, |page| page.explain);
    let severity = page.and_then(|page| page.severity).unwrap_or(worst);
    json!({
        "id": code,
        "shortDescription": {"text": clip(title, DESCRIPTION)},
        "fullDescription": {"text": clip(text, DESCRIPTION)},
        "help": {"text": text},
        "defaultConfiguration": {"level": level(severity)},
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Breaking => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn result(report: &Report, finding: &Finding, codes: &[&str], seen: &mut BTreeMap<String, u64>) -> Value {
    let uri = uri(report, &finding.at.file);
    let digest = fingerprint(finding, &uri);
    let ordinal = seen.entry(digest.clone()).or_default();
    *ordinal += 1;
    let fingerprint = format!("{digest}:{ordinal}");
    json!({
        "ruleId": finding.code,
        "ruleIndex": codes.binary_search(&finding.code).unwrap_or_default(),
        "level": level(finding.severity),
        "message": {"text": message(finding)},
        "locations": [{
            "physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}},
            "logicalLocations": logical(&finding.at),
        }],
        // GitHub compares no other than its own name for it, and would take the hash of the line, which is the
        // same line for all findings of a file: they would become one.
        "partialFingerprints": {"cask/v1": fingerprint, "primaryLocationLineHash": fingerprint},
    })
}

/// What stays the same while the finding does: neither its words nor its figures.
fn fingerprint(finding: &Finding, uri: &str) -> String {
    let At { subject, host, method, path, file, pointer } = &finding.at;
    let file = if file.is_empty() { "" } else { uri };
    let parts = json!([finding.code, subject, host, method, path, file, pointer]);
    Digest::of_bytes(canonical(&parts).as_bytes()).hex()
}

/// The place in words of the service: the subject or the endpoint, and the pointer inside.
fn logical(at: &At) -> Vec<Value> {
    let place = place(&At { file: String::new(), ..at.clone() });
    let name = [place.as_str(), at.pointer.as_str()].join(" ");
    let name = name.trim();
    if name.is_empty() { Vec::new() } else { vec![json!({"fullyQualifiedName": terminal(name)})] }
}

/// The message, what it was and is in short, and the details.
fn message(finding: &Finding) -> String {
    let mut text = plain(&finding.message);
    let (before, after) = brief(finding);
    for (label, side) in [("before", before), ("after", after)] {
        if let Some(side) = side {
            let _ = write!(text, "\n{label}: {}", plain(&side));
        }
    }
    for detail in &finding.details {
        let _ = write!(text, "\n- {}", plain(detail));
    }
    clip(&text, LONGEST).into_owned()
}

/// Text as a SARIF message has it: what could be a link (`[text](target)`) or a placeholder (`{0}`) is interrupted
/// by a zero-width space.
///
/// The standard would have every brace doubled. Many readers do not undo that, and the paths of a service are full
/// of braces that are no placeholders.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut last = ' ';
    for c in terminal(text).chars() {
        if (last == ']' && c == '(') || (last == '{' && c.is_ascii_digit()) {
            out.push('\u{200b}');
        }
        out.push(c);
        last = c;
    }
    out
}

/// The file of a finding, or the one that the report is about.
fn uri(report: &Report, file: &str) -> String {
    let path = if file.is_empty() {
        report.artifact.clone()
    } else if report.folder.is_empty() || absolute(file) {
        file.to_owned()
    } else {
        format!("{}/{file}", report.folder)
    };
    [path.as_str(), report.artifact.as_str()]
        .into_iter()
        .map(relative)
        .find(|uri| !uri.is_empty())
        .unwrap_or_else(|| LOCKFILE.to_owned())
}

/// A path as a relative URI with forward slashes.
///
/// Of a path that is absolute, or that leads out of where cask runs, only the name of the file is kept: where the
/// repository begins cannot be known here, and a path of somebody's machine means nothing to a reader.
fn relative(path: &str) -> String {
    let mut outside = absolute(path);
    let path = clip(path, LONGEST).replace('\\', "/");
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => outside |= parts.pop().is_none(),
            part => parts.push(part),
        }
    }
    if outside {
        parts.drain(..parts.len().saturating_sub(1));
    }
    encoded(&parts.join("/"))
}

/// Whether a path starts at a root, of whatever system.
fn absolute(path: &str) -> bool {
    path.starts_with(['/', '\\']) || path.as_bytes().get(1) == Some(&b':')
}

/// Percent-encoded but for the unreserved characters of RFC 3986 and the slash.
fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
