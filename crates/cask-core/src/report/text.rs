//! A report for a terminal.

use std::fmt::Write as _;

use super::escape::{terminal, whole};
use super::{Report, brief, grouped, place};
use crate::finding::{Finding, Severity};

pub(super) fn render(report: &Report, colour: bool) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", paint(&terminal(&report.title), BOLD, colour));
    let width = report.subject.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
    for (label, value) in &report.subject {
        let _ = writeln!(out, "  {:width$}  {}", terminal(label), terminal(value));
    }
    for section in report.sections.iter().filter(|section| !section.findings.is_empty()) {
        if !section.title.is_empty() {
            let _ = writeln!(out, "\n{}", paint(&terminal(&section.title), BOLD, colour));
        }
        for (at, findings) in grouped(&section.findings) {
            let place = place(&at);
            if !place.is_empty() {
                let _ = writeln!(out, "\n{}", paint(&terminal(&place), BOLD, colour));
            }
            for finding in findings {
                write_finding(finding, colour, &mut out);
            }
        }
    }
    let _ = writeln!(out, "\n{}", paint(&report.tally(), BOLD, colour));
    for (name, count) in &report.counts {
        let _ = writeln!(out, "  {count} {}", terminal(name));
    }
    for note in &report.notes {
        let _ = writeln!(out, "  {}", terminal(note));
    }
    if !report.next.is_empty() {
        let _ = writeln!(out, "\nnext");
        for step in &report.next {
            let _ = writeln!(out, "  {}", terminal(step));
        }
    }
    out
}

const BOLD: &str = "1";

fn write_finding(finding: &Finding, colour: bool, out: &mut String) {
    let (word, paint_code) = match finding.severity {
        Severity::Breaking => ("breaking", "1;31"),
        Severity::Warning => ("warning", "33"),
        Severity::Info => ("info", "36"),
    };
    let mut head = format!("  {}  {}", paint(&format!("{word:8}"), paint_code, colour), finding.code);
    if !finding.at.pointer.is_empty() {
        let _ = write!(head, "  {}", terminal(&finding.at.pointer));
    }
    let _ = writeln!(out, "{head}\n            {}", terminal(&finding.message));
    for detail in &finding.details {
        let _ = writeln!(out, "            - {}", whole(detail));
    }
    match brief(finding) {
        (None, None) => {}
        (before, after) => {
            let side =
                |text: Option<String>| text.map_or_else(|| "(none)".to_owned(), |text| terminal(&text));
            let _ = writeln!(out, "            {} -> {}", side(before), side(after));
        }
    }
}

fn paint(text: &str, code: &str, colour: bool) -> String {
    if colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}
