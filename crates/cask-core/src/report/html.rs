//! A report as one file that can be mailed: a browser shows it without cask, without a script and without the network.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use super::escape::{lines, terminal, whole};
use super::json::canonical;
use super::{OPEN_UP_TO, Report, Section, Verdict, grouped, place, windows};
use crate::finding::{Finding, Severity};

/// Sides with more words than this are shown whole, without marks.
const WORDS: usize = 400;

/// Longest side, in characters.
const LONGEST: usize = 8_000;

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
"#;

const STYLE: &str = "
:root { --text: #1f2328; --soft: #59636e; --line: #d1d9e0; --page: #ffffff; --card: #f6f8fa; --removed: #ffd7d5;
  --added: #c8f0d0; --red: #b3261e; --yellow: #8a5a00; --blue: #0a58a8; --green: #1a7f37; color-scheme: light dark }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6edf3; --soft: #9aa4ae; --line: #3d444d; --page: #0d1117; --card: #161b22; --removed: #67242a;
    --added: #1d4a2b; --red: #ff8a80; --yellow: #e3b341; --blue: #79b8ff; --green: #56d364 }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere }
h1 { font-size: 1.4rem; margin: 0 }
h2 { font-size: 1.1rem; margin: 1.5rem 0 .25rem }
h3 { font-size: 1rem; margin: 1rem 0 .25rem }
h4 { font-size: .8rem; margin: 0; color: var(--soft); font-weight: normal }
p, ul, ol { margin: .25rem 0 }
code, pre { font: .875em/1.5 ui-monospace, monospace }
header { border-left: .4rem solid var(--tone); padding: .25rem 0 .25rem .75rem; margin-bottom: 1rem }
.verdict, .severity { color: var(--tone); font-weight: bold }
.breaking { --tone: var(--red) }
.review, .warning { --tone: var(--yellow) }
.info { --tone: var(--blue) }
.pass { --tone: var(--green) }
table { border-collapse: collapse }
th { text-align: left; vertical-align: top; padding-right: 1rem; color: var(--soft); font-weight: normal }
details { border-top: 1px solid var(--line); margin-top: 1rem; padding-top: .5rem }
summary { font-weight: bold; cursor: pointer }
article { background: var(--card); border-left: .25rem solid var(--tone); margin: .5rem 0; padding: .5rem .75rem }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: .75rem; margin-top: .5rem }
pre { margin: 0; white-space: pre-wrap; max-height: 30rem; overflow: auto }
del { background: var(--removed) }
ins { background: var(--added) }
@media (max-width: 40rem) { .sides { grid-template-columns: 1fr } }
@media print {
  body { font-size: 10pt }
  article { break-inside: avoid }
  pre { max-height: none }
  details::details-content { content-visibility: visible }
}
";

pub(super) fn render(report: &Report) -> String {
    let (word, meaning) = verdict(report.verdict());
    let mut out = HEAD.to_owned();
    let _ = writeln!(out, "<title>cask {}: {word}</title>", plain(report.kind));
    let _ = writeln!(out, "<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<header class=\"{word}\">");
    let _ = writeln!(out, "<p><span class=\"verdict\">{word}</span>: {meaning}</p>");
    let _ = writeln!(out, "<h1>{}</h1>\n<p>{}</p>\n</header>", prose(&report.title), report.tally());
    if !report.subject.is_empty() {
        out.push_str("<table>\n<tbody>\n");
        for (label, value) in &report.subject {
            let (label, value) = (plain(label), plain(value));
            let _ = writeln!(out, "<tr><th scope=\"row\">{label}</th><td><code>{value}</code></td></tr>");
        }
        out.push_str("</tbody>\n</table>\n");
    }
    let counts = report.counts.iter().map(|(name, count)| format!("{count} {}", plain(name)));
    write_list("Counts", "ul", counts, &mut out);
    for section in report.sections.iter().filter(|section| !section.findings.is_empty()) {
        write_section(section, &mut out);
    }
    write_list("Notes", "ul", report.notes.iter().map(|note| prose(note)), &mut out);
    let next = report.next.iter().map(|step| format!("<code>{}</code>", plain(step)));
    write_list("Next", "ol", next, &mut out);
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

/// The verdict, and what it means for whoever got this file.
fn verdict(verdict: Verdict) -> (&'static str, &'static str) {
    let meaning = match verdict {
        Verdict::Pass => "there is nothing to act on",
        Verdict::Review => "someone should look",
        Verdict::Breaking => "a caller breaks, or an agent could do more",
    };
    (verdict.as_str(), meaning)
}

/// A list under a heading; nothing if it has no items.
fn write_list(heading: &str, tag: &str, items: impl Iterator<Item = String>, out: &mut String) {
    let items: String = items.map(|item| format!("<li>{item}</li>\n")).collect();
    if !items.is_empty() {
        let _ = writeln!(out, "<h2>{heading}</h2>\n<{tag}>\n{items}</{tag}>");
    }
}

fn write_section(section: &Section, out: &mut String) {
    let count = section.findings.len();
    let open = if count > OPEN_UP_TO { "" } else { " open" };
    let title = if section.title.is_empty() { "Findings" } else { &section.title };
    let _ = writeln!(out, "<details{open}>\n<summary>{} ({count})</summary>", plain(title));
    for (at, findings) in grouped(&section.findings) {
        let place = place(&at);
        if !place.is_empty() {
            let _ = writeln!(out, "<h3><code>{}</code></h3>", plain(&place));
        }
        for finding in findings {
            write_finding(finding, out);
        }
    }
    out.push_str("</details>\n");
}

fn write_finding(finding: &Finding, out: &mut String) {
    let word = match finding.severity {
        Severity::Breaking => "breaking",
        Severity::Warning => "warning",
        Severity::Info => "info",
    };
    let _ = writeln!(out, "<article class=\"{word}\">\n<p><span class=\"severity\">{word}</span>");
    let _ = writeln!(out, "<code>{}</code>", plain(finding.code));
    if !finding.at.pointer.is_empty() {
        let _ = writeln!(out, "<code>{}</code>", plain(&finding.at.pointer));
    }
    let _ = writeln!(out, "</p>\n<p>{}</p>", prose(&finding.message));
    if !finding.details.is_empty() {
        let items: String =
            finding.details.iter().map(|detail| format!("<li>{}</li>\n", prose(detail))).collect();
        let _ = writeln!(out, "<ul>\n{items}</ul>");
    }
    if finding.before.is_some() || finding.after.is_some() {
        let (before, after) = sides(finding);
        out.push_str("<div class=\"sides\">\n");
        for (label, side) in [("before", before), ("after", after)] {
            let _ = writeln!(out, "<div><h4>{label}</h4><pre>{side}</pre></div>");
        }
        out.push_str("</div>\n");
    }
    out.push_str("</article>\n");
}

/// What a finding was and is, with marks where they differ.
fn sides(finding: &Finding) -> (String, String) {
    let (mut before, mut after) =
        (finding.before.as_ref().map(readable), finding.after.as_ref().map(readable));
    let long = |text: &String| text.chars().nth(LONGEST).is_some();
    if before.iter().chain(&after).any(long) {
        (before, after) = windows(before, after, LONGEST);
    }
    let none = || "(none)".to_owned();
    let (old, new) = marked(before.as_deref().unwrap_or_default(), after.as_deref().unwrap_or_default());
    (before.map_or_else(none, |_| old), after.map_or_else(none, |_| new))
}

/// A string as it is; everything else as JSON with a line for each member.
fn readable(value: &Value) -> String {
    if let Value::String(text) = value {
        return text.clone();
    }
    let text = canonical(value);
    let sorted: Result<Value, serde_json::Error> = serde_json::from_str(&text);
    sorted.and_then(|value| serde_json::to_string_pretty(&value)).unwrap_or(text)
}

/// Both texts as HTML: what only the first has in `<del>`, what only the second has in `<ins>`.
fn marked(before: &str, after: &str) -> (String, String) {
    let (before, after) = (lines(before), lines(after));
    let (old, new) = (words(&before), words(&after));
    if old.len() > WORDS || new.len() > WORDS {
        return (escaped(&before), escaped(&after));
    }
    let (mut kept, mut found) = common(&old, &new);
    if before != after && kept.len() == old.len() && found.len() == new.len() {
        // The words are the same, the space between them is not: that has to be seen too.
        kept.clear();
        found.clear();
    }
    (mark(&old, &kept, "del"), mark(&new, &found, "ins"))
}

/// Words, each with the white space behind it.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let space = rest.split_at(end).1;
        let gap = space.len() - space.trim_start().len();
        let (word, tail) = rest.split_at(end + gap);
        words.push(word);
        rest = tail;
    }
    words
}

/// Which words of each side belong to the longest sequence that both have.
fn common(old: &[&str], new: &[&str]) -> (BTreeSet<usize>, BTreeSet<usize>) {
    let same = |a: &str, b: &str| a.trim_end() == b.trim_end();
    // The length of that sequence for every two beginnings.
    let mut table = vec![vec![0_usize; new.len() + 1]];
    for a in old {
        let mut row = vec![0_usize];
        let above = table.last().map(Vec::as_slice).unwrap_or_default();
        for ((b, diagonal), up) in new.iter().zip(above).zip(above.iter().skip(1)) {
            let left = row.last().copied().unwrap_or_default();
            row.push(if same(a, b) { diagonal + 1 } else { left.max(*up) });
        }
        table.push(row);
    }
    let length = |i: usize, j: usize| table.get(i).and_then(|row| row.get(j)).copied().unwrap_or_default();
    let (mut kept, mut found) = (BTreeSet::new(), BTreeSet::new());
    let (mut i, mut j) = (old.len(), new.len());
    while let (Some(a), Some(b)) = (i.checked_sub(1), j.checked_sub(1)) {
        if old.get(a).zip(new.get(b)).is_some_and(|(a, b)| same(a, b)) {
            kept.insert(a);
            found.insert(b);
            (i, j) = (a, b);
        } else if length(a, j) >= length(i, b) {
            i = a;
        } else {
            j = b;
        }
    }
    (kept, found)
}

fn mark(words: &[&str], kept: &BTreeSet<usize>, tag: &str) -> String {
    let mut out = String::new();
    let mut open = false;
    for (at, word) in words.iter().enumerate() {
        if open == kept.contains(&at) {
            let _ = write!(out, "<{}{tag}>", if open { "/" } else { "" });
            open = !open;
        }
        out.push_str(&escaped(word));
    }
    if open {
        let _ = write!(out, "</{tag}>");
    }
    out
}

/// Text with what stands between backticks as code.
fn prose(text: &str) -> String {
    let shown = whole(text);
    let mut out = String::with_capacity(shown.len() + 16);
    let mut rest = shown.as_str();
    while let Some((before, tail)) = rest.split_once('`') {
        let Some((inside, after)) = tail.split_once('`') else { break };
        let _ = write!(out, "{}<code>{}</code>", escaped(before), escaped(inside));
        rest = after;
    }
    out + &escaped(rest)
}

/// One line of text: nothing in it hides, moves or reorders text.
fn plain(text: &str) -> String {
    escaped(&terminal(text))
}

/// Text that ends no element and begins none, wherever in the file it stands.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' | '\'' | '`' | '=' => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}
