//! A report for a pull request.

use std::fmt::Write as _;

use super::escape::{code, html, markdown};
use super::{Report, Section, Verdict, brief, grouped, place};
use crate::finding::{Finding, Severity};

/// Sections with more findings than this start collapsed, so that the verdict stays in sight.
const OPEN_UP_TO: usize = 20;

pub(super) fn render(report: &Report) -> String {
    let sign = match report.verdict() {
        Verdict::Pass => "✅",
        Verdict::Review => "⚠️",
        Verdict::Breaking => "❌",
    };
    let mut out = format!("### {sign} {}\n\n**{}**\n", markdown(&report.title), report.tally());
    if !report.subject.is_empty() {
        out.push('\n');
        for (label, value) in &report.subject {
            let _ = writeln!(out, "- {}: {}", markdown(label), code(value));
        }
    }
    for section in report.sections.iter().filter(|section| !section.findings.is_empty()) {
        write_section(section, &mut out);
    }
    if !report.counts.is_empty() || !report.notes.is_empty() {
        out.push('\n');
        for (name, count) in &report.counts {
            let _ = writeln!(out, "- {count} {}", markdown(name));
        }
        for note in &report.notes {
            let _ = writeln!(out, "- {}", markdown(note));
        }
    }
    if !report.next.is_empty() {
        out.push_str("\n**Next**\n\n");
        for step in &report.next {
            let _ = writeln!(out, "- {}", code(step));
        }
    }
    out
}

fn write_section(section: &Section, out: &mut String) {
    let open = if section.findings.len() > OPEN_UP_TO { "" } else { " open" };
    let title = if section.title.is_empty() { "Findings" } else { &section.title };
    let count = section.findings.len();
    let _ = writeln!(out, "\n<details{open}><summary><b>{}</b> ({count})</summary>\n", html(title));
    out.push_str("| | where | what | before | after |\n|---|---|---|---|---|\n");
    for (at, findings) in grouped(&section.findings) {
        for finding in findings {
            let where_ = match (place(&at).as_str(), finding.at.pointer.as_str()) {
                ("", "") => String::new(),
                ("", pointer) => code(pointer),
                (place, "") => code(place),
                (place, pointer) => format!("{}<br>{}", code(place), code(pointer)),
            };
            let (before, after) = brief(finding);
            let details = finding.details.iter().map(|detail| format!("<br>• {}", markdown(detail)));
            let _ = writeln!(
                out,
                "| {}<br>{} | {where_} | {}{} | {} | {} |",
                word(finding),
                code(finding.code),
                markdown(&finding.message),
                details.collect::<String>(),
                before.map_or_else(String::new, |text| code(&text)),
                after.map_or_else(String::new, |text| code(&text)),
            );
        }
    }
    out.push_str("\n</details>\n");
}

fn word(finding: &Finding) -> &'static str {
    match finding.severity {
        Severity::Breaking => "❌ breaking",
        Severity::Warning => "⚠️ warning",
        Severity::Info => "ℹ️ info",
    }
}
