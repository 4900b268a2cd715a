use serde_json::json;

use super::*;
use crate::finding::Basis;

const HOSTILE: &str = "a|b`c` <img src=x onerror=1> @octocat #12 https://evil.test www.evil.test \
    [x](http://evil.test) **b** me@evil.test \u{1b}[31m\u{202e}drawkcab\u{200b}\n# head\n```\nfence ABC-12 x/y#3";

fn report() -> Report {
    let finding = |severity, pointer: &str, message: &str| Finding {
        code: "some-code",
        severity,
        basis: Basis::New,
        details: Vec::new(),
        at: At {
            host: "api.example.com".into(),
            method: "GET".into(),
            path: format!("/v1/{HOSTILE}"),
            pointer: pointer.into(),
            ..At::default()
        },
        message: message.into(),
        before: Some(json!(9_007_199_254_740_993_u64)),
        after: Some(json!({"b": 1, "a": HOSTILE})),
    };
    Report {
        kind: "drift",
        title: format!("title {HOSTILE}"),
        subject: vec![("toolpack".into(), HOSTILE.into())],
        sections: vec![Section {
            title: HOSTILE.into(),
            findings: vec![
                finding(Severity::Info, "/z", "later"),
                finding(Severity::Breaking, "/a", HOSTILE),
            ],
        }],
        counts: [("fields compared".to_owned(), 3)].into(),
        notes: vec![HOSTILE.into()],
        next: vec![format!("cask explain {HOSTILE}")],
    }
}

#[test]
fn text_for_a_terminal_has_no_control_but_its_own_newlines() {
    let shown = report().render(Format::Text { colour: false });
    assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown}");
    assert!(!shown.contains(['\u{202e}', '\u{200b}']), "{shown}");
    assert!(shown.contains("\\u{202e}drawkcab"), "{shown}");
    assert!(shown.find("/a").unwrap() < shown.find("/z").unwrap(), "worst first: {shown}");
    assert!(report().render(Format::Text { colour: true }).contains("\u{1b}[1;31mbreaking"));
}

/// A small reader of what GitHub would act on: text outside code spans.
fn outside_code(markdown: &str) -> String {
    markdown.lines().map(|line| line.split('`').step_by(2).collect::<String>() + "\n").collect()
}

#[test]
fn markdown_makes_nothing_of_outside_text() {
    let shown = report().render(Format::GithubMd);
    for line in shown.lines() {
        assert_eq!(line.matches('`').count() % 2, 0, "a code span stays open: {line}");
    }
    let plain = outside_code(&shown);
    for bad in
        ["<img", "@octocat", "#12 ", "https:", "http:", "www.", "@evil", "](", "**b", "ABC-12", "#3", "\n# "]
    {
        assert!(!plain.contains(bad), "{bad} in {plain}");
    }
    assert!(!shown.contains("```"), "{shown}");
    let rows: Vec<_> = shown.lines().filter(|line| line.starts_with('|')).collect();
    assert_eq!(rows.len(), 4);
    for row in rows {
        assert_eq!(row.matches('|').count(), 6, "{row}");
    }
}

#[test]
fn code_spans_survive_pipes_backslashes_and_nothing() {
    assert_eq!(escape::code("a|b"), "`a`&#124;`b`");
    assert_eq!(escape::code("\\|"), "`\\`&#124;");
    assert_eq!(escape::code("``"), "`''`");
    assert_eq!(escape::code(""), "`\"\"`");
    assert_eq!(escape::markdown("field `x` of `y"), "field `x` of &#96;y");
    assert_eq!(escape::markdown("`a``b`"), "`a`\u{200b}`b`");
}

#[test]
fn json_is_canonical_and_keeps_the_text_whole() {
    let shown = report().render(Format::Json);
    let value: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(value["verdict"], "breaking");
    assert_eq!(value["counts"], json!({"breaking": 1, "warning": 0, "info": 1, "fields compared": 3}));
    let first = &value["findings"][0];
    assert_eq!(first["severity"], "breaking");
    assert_eq!(first["message"], HOSTILE);
    assert_eq!(first["before"], "9007199254740993", "no canonical form as a number");
    assert_eq!(first["at"]["pointer"], "/a");
    assert_eq!(shown.trim_end(), json::canonical(&value));
}

#[test]
fn the_worst_finding_decides() {
    let mut report = report();
    assert_eq!(report.verdict().code(), 2);
    report.sections[0].findings.retain(|finding| finding.severity == Severity::Info);
    assert_eq!(report.verdict(), Verdict::Pass);
    report.sections[0].findings[0].severity = Severity::Warning;
    assert_eq!(report.verdict().code(), 1);
}

#[test]
fn long_text_is_cut_for_people() {
    let mut report = report();
    report.title = "x".repeat(100_000);
    assert!(report.render(Format::Text { colour: false }).len() < 10_000);
    assert!(report.render(Format::Json).len() > 100_000);
}
