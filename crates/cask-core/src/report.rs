//! The one exit: a [`Report`] of findings, rendered for a person, a program or a pull request.
//!
//! Everything a report shows may come from traffic. It is escaped here, once per target, by [`escape`];
//! whoever builds a report passes plain text and puts outside names between backticks.

use std::collections::BTreeMap;

use crate::finding::{At, Finding, Severity};

pub mod escape;
mod html;
mod json;
mod markdown;
mod sarif;
mod text;

/// The version of the JSON form.
pub const SCHEMA_VERSION: &str = "1";

/// Sections with more findings than this start closed, so that the verdict stays in sight.
const OPEN_UP_TO: usize = 20;

/// What a command found, before anybody decided how to show it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// Which report: `drift`, `diff`, `verify`, `gate`.
    pub kind: &'static str,
    /// One line that says what was compared or checked.
    pub title: String,
    /// What it is about, in order: label and value (`toolpack`, `tp_…`).
    pub subject: Vec<(String, String)>,
    /// Findings in named groups, in the order to show them.
    pub sections: Vec<Section>,
    /// Figures beside the severities: what was compared, what stayed unobserved.
    pub counts: BTreeMap<String, u64>,
    /// Sentences that qualify the result.
    pub notes: Vec<String>,
    /// Commands to type next, in order.
    pub next: Vec<String>,
    /// The file that findings without a file of their own are shown at: its path in the repository. Only
    /// [`Format::Sarif`] asks for it.
    pub artifact: String,
    /// What it amounts to, where somebody said what counts; otherwise the worst finding decides.
    pub verdict: Option<Verdict>,
    /// The folder in the repository that the files of the findings are relative to; empty if they are whole paths.
    pub folder: String,
}

/// A group of findings under one heading.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Section {
    /// The heading; empty for none.
    pub title: String,
    /// The findings; rendering sorts them.
    pub findings: Vec<Finding>,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For a terminal. Colour only if the caller knows that it is wanted.
    Text {
        /// Whether to use ANSI colours.
        colour: bool,
    },
    /// Canonical JSON (RFC 8785), one line.
    Json,
    /// GitHub-flavoured Markdown for a pull request comment, short enough for one.
    GithubMd,
    /// SARIF 2.1.0 for code scanning, one line.
    Sarif,
    /// One file for a browser, without scripts and without anything from elsewhere.
    Html,
}

/// What a report amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing, or nothing to act on.
    Pass,
    /// Someone should look.
    Review,
    /// Breaks a caller or lets an agent do more.
    Breaking,
}

impl Verdict {
    /// `pass`, `review` or `breaking`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Review => "review",
            Verdict::Breaking => "breaking",
        }
    }

    /// The exit code: 0, 1 or 2.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Verdict::Pass => 0,
            Verdict::Review => 1,
            Verdict::Breaking => 2,
        }
    }
}

impl Report {
    /// All findings, section by section.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.sections.iter().flat_map(|section| &section.findings)
    }

    /// Findings of that severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings().filter(|finding| finding.severity == severity).count()
    }

    /// What was said counts; otherwise the worst finding decides.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.verdict.unwrap_or_else(|| self.worst())
    }

    fn worst(&self) -> Verdict {
        match self.findings().map(|finding| finding.severity).max() {
            None | Some(Severity::Info) => Verdict::Pass,
            Some(Severity::Warning) => Verdict::Review,
            Some(Severity::Breaking) => Verdict::Breaking,
        }
    }

    /// The report as text that ends with a newline. The same report gives the same bytes.
    #[must_use]
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Text { colour } => text::render(self, colour),
            Format::Json => json::render(self),
            Format::GithubMd => markdown::render(self),
            Format::Sarif => sarif::render(self),
            Format::Html => html::render(self),
        }
    }

    /// `2 breaking, 1 to review`, or `no findings`.
    fn tally(&self) -> String {
        tally(|severity| self.count(severity))
    }
}

/// How many of each severity, in words.
fn tally(count: impl Fn(Severity) -> usize) -> String {
    let parts: Vec<String> = [
        (Severity::Breaking, "breaking"),
        (Severity::Warning, "to review"),
        (Severity::Info, "for information"),
    ]
    .into_iter()
    .map(|(severity, word)| (count(severity), word))
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}"))
    .collect();
    if parts.is_empty() { "no findings".to_owned() } else { parts.join(", ") }
}

/// Findings in the order of their place, worst place first: what is read together stands together.
fn grouped(findings: &[Finding]) -> Vec<(At, Vec<&Finding>)> {
    let mut groups: BTreeMap<At, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        let place = At { pointer: String::new(), ..finding.at.clone() };
        groups.entry(place).or_default().push(finding);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    for (_, group) in &mut groups {
        group.sort_by(|a, b| order(a, b));
    }
    let worst = |group: &[&Finding]| group.iter().map(|finding| finding.severity).max();
    groups.sort_by_key(|(_, group)| std::cmp::Reverse(worst(group)));
    groups
}

/// Worst first, then by place, code and message.
fn order(a: &Finding, b: &Finding) -> std::cmp::Ordering {
    (b.severity.cmp(&a.severity))
        .then_with(|| a.at.cmp(&b.at))
        .then_with(|| a.code.cmp(b.code))
        .then_with(|| a.message.cmp(&b.message))
}

/// A place in one line: the subject, `GET host/path`, the file.
fn place(at: &At) -> String {
    let endpoint = format!("{}{}", at.host, at.path);
    [&at.subject, &at.method, &endpoint, &at.file]
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(" ")
}

/// What a finding was and is, each in one short line: where both are long, what differs is in it.
fn brief(finding: &Finding) -> (Option<String>, Option<String>) {
    const SHOWN: usize = 120;
    let line = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        other => json::canonical(other),
    };
    windows(finding.before.as_ref().map(line), finding.after.as_ref().map(line), SHOWN)
}

/// Both texts, each cut to `shown` characters: where both are long, what differs is in them.
fn windows(before: Option<String>, after: Option<String>, shown: usize) -> (Option<String>, Option<String>) {
    let same = match (&before, &after) {
        (Some(before), Some(after)) => before.chars().zip(after.chars()).take_while(|(a, b)| a == b).count(),
        _ => 0,
    };
    // A little of what is the same says where this is.
    let skip = if same > shown / 2 { same - shown / 4 } else { 0 };
    let window = |text: String| {
        let rest: String = text.chars().skip(skip).collect();
        let start = if skip > 0 { "…" } else { "" };
        format!("{start}{}", escape::clip(&rest, shown))
    };
    (before.map(window), after.map(window))
}

#[cfg(test)]
mod tests;
