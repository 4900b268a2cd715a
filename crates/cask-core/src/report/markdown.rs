//! A report for a pull request: one comment, however much was found.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::escape::{SHOWN, code, counted, html, markdown};
use super::{OPEN_UP_TO, Report, Section, Verdict, brief, grouped, place, tally};
use crate::finding::{Finding, Severity};

/// Longest comment, in bytes. GitHub takes 65,536 characters; some are left to whoever posts it.
pub(super) const LIMIT: usize = 60_000;

/// What the subject, the notes and the next commands may take of it, each.
const ASIDE: usize = 8_000;

/// What the details of one finding may take.
const DETAILS: usize = 6_000;

/// What is kept for saying that something was left out.
const SENTENCE: usize = 500;

/// `12 of ` in the summary of a section, however large the number.
const OF: usize = 24;

const CLOSE: &str = "\n</details>\n";

/// A line of a section's table.
struct Row {
    section: usize,
    severity: Severity,
    text: String,
}

pub(super) fn render(report: &Report) -> String {
    let (head, subject, tail) = (head(report), subject(report), tail(report));
    let rows = rows(report);
    let room = LIMIT.saturating_sub(head.len() + subject.len() + tail.len());
    let mut shown = fit(report, &rows, room);
    if shown.len() < rows.len() {
        shown = fit(report, &rows, room.saturating_sub(SENTENCE));
    }
    let mut out = head + &left_out(&rows, &shown) + &subject;
    for (number, section) in report.sections.iter().enumerate() {
        let here = |(at, row): &(usize, &Row)| row.section == number && shown.contains(at);
        let lines: Vec<&str> =
            rows.iter().enumerate().filter(here).map(|(_, row)| row.text.as_str()).collect();
        if !lines.is_empty() {
            out += &open(section, lines.len());
            out.extend(lines);
            out += CLOSE;
        }
    }
    out + &tail
}

fn head(report: &Report) -> String {
    let sign = match report.verdict() {
        Verdict::Pass => "✅",
        Verdict::Review => "⚠️",
        Verdict::Breaking => "❌",
    };
    format!("### {sign} {}\n\n**{}**\n", markdown(&report.title), report.tally())
}

fn subject(report: &Report) -> String {
    let lines =
        report.subject.iter().map(|(label, value)| format!("- {}: {}\n", markdown(label), code(value)));
    list("\n", lines)
}

fn tail(report: &Report) -> String {
    let counts = report.counts.iter().map(|(name, count)| format!("- {count} {}\n", markdown(name)));
    let notes = report.notes.iter().map(|note| format!("- {}\n", markdown(note)));
    let next = report.next.iter().map(|step| format!("- {}\n", code(step)));
    list("\n", counts.chain(notes)) + &list("\n**Next**\n\n", next)
}

/// Lines under a heading, while they fit, and how many more there are; nothing if there are none.
fn list(heading: &str, lines: impl Iterator<Item = String>) -> String {
    let mut out = String::new();
    let mut more = 0_usize;
    for line in lines {
        if more > 0 || out.len() + line.len() > ASIDE {
            more += 1;
        } else {
            out += &line;
        }
    }
    if more > 0 {
        let _ = writeln!(out, "- … and {more} more");
    }
    if out.is_empty() { out } else { format!("{heading}{out}") }
}

/// Every finding as a line, in the order to show them.
fn rows(report: &Report) -> Vec<Row> {
    let mut rows = Vec::new();
    for (number, section) in report.sections.iter().enumerate() {
        for (at, findings) in grouped(&section.findings) {
            let place = place(&at);
            for finding in findings {
                rows.push(Row { section: number, severity: finding.severity, text: row(&place, finding) });
            }
        }
    }
    rows
}

/// Which rows there is room for: the worst come first, and of those the ones of earlier sections.
fn fit(report: &Report, rows: &[Row], room: usize) -> BTreeSet<usize> {
    let mut ranked: Vec<(usize, &Row)> = rows.iter().enumerate().collect();
    ranked.sort_by_key(|(_, row)| (Reverse(row.severity), row.section));
    let (mut shown, mut begun, mut used) = (BTreeSet::new(), BTreeSet::new(), 0);
    for (at, row) in ranked {
        if begun.insert(row.section) {
            used += report.sections.get(row.section).map_or(0, |section| open(section, 0).len());
            used += OF + CLOSE.len();
        }
        used += row.text.len();
        if used > room {
            break;
        }
        shown.insert(at);
    }
    shown
}

/// What is missing, in words; nothing if nothing is.
fn left_out(rows: &[Row], shown: &BTreeSet<usize>) -> String {
    if shown.len() == rows.len() {
        return String::new();
    }
    let missing = |severity: Severity| {
        let left = |(at, row): &(usize, &Row)| row.severity == severity && !shown.contains(at);
        rows.iter().enumerate().filter(left).count()
    };
    let (left, total) = (rows.len() - shown.len(), rows.len());
    let mut out = format!(
        "\n**{left} of {total} findings are left out** ({}), because a comment has a limit: the least important \
         ones first. `--format text` shows all of them.\n",
        tally(missing)
    );
    if missing(Severity::Breaking) > 0 {
        let breaking = rows.iter().filter(|row| row.severity == Severity::Breaking).count();
        let fits = breaking - missing(Severity::Breaking);
        let _ = writeln!(
            out,
            "\n**Even of the {breaking} breaking ones only {fits} fit.** Do not decide on this comment alone."
        );
    }
    out
}

/// The start of a section that shows so many of its findings.
fn open(section: &Section, shown: usize) -> String {
    let total = section.findings.len();
    let open = if total > OPEN_UP_TO { "" } else { " open" };
    let title = if section.title.is_empty() { "Findings" } else { &section.title };
    let count = if shown == total { total.to_string() } else { format!("{shown} of {total}") };
    format!(
        "\n<details{open}><summary><b>{}</b> ({count})</summary>\n\n\
         | | where | what | before | after |\n|---|---|---|---|---|\n",
        html(title)
    )
}

fn row(place: &str, finding: &Finding) -> String {
    let where_ = match (place, finding.at.pointer.as_str()) {
        ("", "") => String::new(),
        ("", pointer) => code(pointer),
        (place, "") => code(place),
        (place, pointer) => format!("{}<br>{}", code(place), code(pointer)),
    };
    let (before, after) = brief(finding);
    format!(
        "| {}<br>{} | {where_} | {}{} | {} | {} |\n",
        word(finding),
        code(finding.code),
        markdown(&finding.message),
        details(finding),
        before.map_or_else(String::new, |text| code(&text)),
        after.map_or_else(String::new, |text| code(&text)),
    )
}

fn details(finding: &Finding) -> String {
    let mut out = String::new();
    for (at, detail) in finding.details.iter().enumerate() {
        let line = format!("<br>• {}", markdown(&counted(detail, SHOWN - 60)));
        if out.len() + line.len() > DETAILS {
            let _ = write!(out, "<br>• … and {} more", finding.details.len() - at);
            break;
        }
        out += &line;
    }
    out
}

fn word(finding: &Finding) -> &'static str {
    match finding.severity {
        Severity::Breaking => "❌ breaking",
        Severity::Warning => "⚠️ warning",
        Severity::Info => "ℹ️ info",
    }
}
