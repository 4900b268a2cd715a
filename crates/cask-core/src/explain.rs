//! Every code that cask prints, and what it means: one register over all tables of rules.

use crate::finding::{Rule, Severity};
use crate::toolpack::scope;
use crate::{capture, diff, drift, endpoint, guard, lint, lock, verify};

pub mod doctor;

/// What `cask explain CODE` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// The code, as findings, audit records and summaries have it.
    pub code: &'static str,
    /// Which table it stands in.
    pub table: &'static str,
    /// One line; empty where the explanation is one.
    pub title: &'static str,
    /// What a finding with this code does to the exit code, where it is one.
    pub severity: Option<Severity>,
    /// What it means, why it matters and what to do.
    pub explain: &'static str,
}

impl Page {
    fn of(table: &'static str, rule: &'static Rule) -> Self {
        let Rule { code, severity, title, explain } = rule;
        Page { code, table, title, severity: Some(*severity), explain }
    }
}

/// All pages, table by table.
#[must_use]
pub fn pages() -> Vec<Page> {
    let drift = drift::rules().map(|row| Page::of("drift", &row.rule));
    let verify = verify::rules::RULES.iter().map(|rule| Page::of("verify", rule));
    let bundle = verify::bundle::RULES.iter().map(|rule| Page::of("bundle", rule));
    let lint = lint::rules::all().map(|check| Page::of("lint", &check.rule));
    let diff = diff::rules::RULES.iter().map(|change| Page::of("diff", &change.rule));
    let gate = lock::rules::RULES.iter().map(|rule| Page::of("gate", rule));
    let guard = guard::REASONS.iter().map(|reason| Page {
        code: reason.code,
        table: "guard",
        title: reason.title,
        severity: None,
        explain: reason.explain,
    });
    let risk = endpoint::effect::RULES.iter().chain([&endpoint::effect::PUBLIC]).map(|rule| Page {
        code: rule.code,
        table: "risk",
        title: "",
        severity: None,
        explain: rule.explain,
    });
    let scopes = scope::check::RULES.iter().map(|rule| Page::of("scopes", rule));
    let signals = scope::signal::SIGNALS.iter().map(|sign| Page {
        code: sign.code,
        table: "signals",
        title: "",
        severity: None,
        explain: sign.explain,
    });
    let skip = capture::skip::RULES.iter().map(|rule| Page { severity: None, ..Page::of("skip", rule) });
    let doctor = doctor::CHECKS.into_iter().map(|(code, title, explain)| Page {
        code,
        table: "doctor",
        title,
        severity: None,
        explain,
    });
    diff.chain(lint)
        .chain(gate)
        .chain(scopes)
        .chain(drift)
        .chain(verify)
        .chain(bundle)
        .chain(guard)
        .chain(risk)
        .chain(signals)
        .chain(skip)
        .chain(doctor)
        .collect()
}

/// The page of a code.
#[must_use]
pub fn find(code: &str) -> Option<Page> {
    pages().into_iter().find(|page| page.code == code)
}

/// Codes, and of these tools' names, that may have been meant, the likeliest first.
#[must_use]
pub fn near(asked: &str, tools: &[String]) -> Vec<String> {
    /// Longer input is no code.
    const LONGEST: usize = 80;
    /// How many are worth showing.
    const SHOWN: usize = 5;
    let asked: String = asked.chars().take(LONGEST).map(|c| c.to_ascii_lowercase()).collect();
    let asked = asked.replace('_', "-");
    let pages = pages();
    let known = pages.iter().map(|page| page.code).chain(tools.iter().map(String::as_str));
    let mut close: Vec<(usize, &str)> = known
        .filter_map(|name| {
            let known = name.to_ascii_lowercase().replace('_', "-");
            let distance = match known.contains(&asked) && asked.len() > 3 {
                true => 0,
                false => distance(&asked, &known),
            };
            (distance <= 2 + asked.len() / 5).then_some((distance, name))
        })
        .collect();
    close.sort_unstable();
    close.into_iter().take(SHOWN).map(|(_, name)| name.to_owned()).collect()
}

/// How many letters have to be changed, added or left out (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for ((y, diagonal), above) in b.iter().zip(&row).zip(row.iter().skip(1)) {
            let left = next.last().copied().unwrap_or_default();
            next.push((diagonal + usize::from(x != *y)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_there_once_and_says_something() {
        let mut codes = std::collections::BTreeMap::new();
        for page in pages() {
            if let Some(other) = codes.insert(page.code, page.table) {
                panic!("{} is in {other} and in {}", page.code, page.table);
            }
            assert!(page.explain.len() > 20, "{}", page.code);
            assert!(!page.explain.contains("  "), "{}: a line break left its indent", page.code);
            assert!(
                page.code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c))
            );
        }
        assert!(codes.len() > 80);
    }

    #[test]
    fn a_code_is_found_or_its_like() {
        assert_eq!(find("response-field-removed").unwrap().table, "drift");
        assert_eq!(find("denied_policy").unwrap().table, "guard");
        assert!(find("response-field-remove").is_none());
        assert_eq!(
            near("respons-field-removed", &[]).first().map(String::as_str),
            Some("response-field-removed")
        );
        assert!(near("denied-polcy", &[]).contains(&"denied_policy".to_owned()));
        assert!(near("nullable", &[]).contains(&"response-nullable".to_owned()));
        assert_eq!(near("get_taks", &["get_task".to_owned()]).first().map(String::as_str), Some("get_task"));
        assert!(near("zzzzzz", &[]).is_empty());
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
