use proptest::prelude::*;
use serde_json::{Value, json};

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
        ..Report::default()
    }
}

/// A report of one section with these findings.
fn with(findings: Vec<Finding>) -> Report {
    Report {
        kind: "drift",
        sections: vec![Section { title: "what drifted".into(), findings }],
        ..Report::default()
    }
}

fn finding(severity: Severity, path: &str, message: &str) -> Finding {
    Finding {
        code: "some-code",
        severity,
        basis: Basis::New,
        details: Vec::new(),
        at: At { method: "GET".into(), path: path.into(), ..At::default() },
        message: message.into(),
        before: None,
        after: None,
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
    let value: Value = serde_json::from_str(&shown).unwrap();
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

/// So many breaking findings, and as many as that make 5,000 to review and for information.
fn crowd(breaking: usize) -> Report {
    let severity = |at: usize| match at % 2 {
        _ if at < breaking => Severity::Breaking,
        0 => Severity::Warning,
        _ => Severity::Info,
    };
    // The breaking ones do not come first, and the second section has one of them.
    let mut findings: Vec<Finding> =
        (0..5_000).rev().map(|at| finding(severity(at), &format!("/v1/{at}"), "it moved")).collect();
    let last = findings.split_off(4_999);
    let mut report = with(findings);
    report.sections.push(Section { title: "and these".into(), findings: last });
    report
}

/// The rows of the findings with that word.
fn rows(markdown: &str, word: &str) -> usize {
    markdown.lines().filter(|line| line.starts_with('|') && line.contains(word)).count()
}

#[test]
fn a_comment_keeps_what_breaks_and_says_what_it_leaves_out() {
    let shown = crowd(100).render(Format::GithubMd);
    assert!(shown.len() <= markdown::LIMIT && shown.len() > markdown::LIMIT - 1_000, "{}", shown.len());
    assert_eq!(rows(&shown, "❌ breaking"), 100);
    assert_eq!(rows(&shown, "ℹ️ info"), 0, "before a warning");
    let left = 5_000 - 100 - rows(&shown, "⚠️ warning");
    assert!(shown.contains(&format!("**{left} of 5000 findings are left out**")), "{shown}");
    assert!(shown.contains("`--format text` shows all of them"));
    assert!(!shown.contains("Do not decide"));
    assert!(shown.contains(" of 4999)</summary>") && shown.contains("and these</b> (1)</summary>"));
    assert_eq!(shown.matches("<details").count(), 2);
    assert_eq!(shown.matches("</details>").count(), 2);
}

#[test]
fn a_comment_that_cannot_hold_what_breaks_says_so() {
    let shown = crowd(3_000).render(Format::GithubMd);
    let breaking = rows(&shown, "❌ breaking");
    assert!(shown.len() <= markdown::LIMIT && breaking > 100);
    assert_eq!(rows(&shown, "⚠️ warning"), 0);
    let sentence = format!("**Even of the 3000 breaking ones only {breaking} fit.** Do not decide on this");
    assert!(shown.contains(&sentence), "{sentence}");
}

#[test]
fn what_fits_is_left_whole() {
    let mut report = report();
    report.sections[0].findings[1].details = vec!["a detail".into(); 50];
    let shown = report.render(Format::GithubMd);
    assert_eq!(shown.matches("a detail").count(), 50);
    assert!(!shown.contains("left out"), "{shown}");
    report.sections[0].findings[1].details = vec!["x".repeat(300); 1_000];
    let shown = report.render(Format::GithubMd);
    assert!(shown.contains("<br>• … and 981 more |") && !shown.contains("left out"), "{shown}");
}

fn sarif(report: &Report) -> Value {
    let text = report.render(Format::Sarif);
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(text, json::canonical(&value) + "\n");
    value
}

/// The file that every result is shown at.
fn uris(report: &Report) -> Vec<String> {
    let value = sarif(report);
    let results = value["runs"][0]["results"].as_array().unwrap();
    let place = |result: &Value| result["locations"][0]["physicalLocation"].clone();
    assert!(results.iter().all(|result| place(result)["region"]["startLine"] == 1));
    results.iter().map(|result| place(result)["artifactLocation"]["uri"].as_str().unwrap().into()).collect()
}

#[test]
fn sarif_has_what_code_scanning_asks_for() {
    let mut report = report();
    report.sections[0].findings[1].code = "response-field-removed";
    let value = sarif(&report);
    assert_eq!(value["version"], "2.1.0");
    assert!(value["$schema"].as_str().unwrap().ends_with("sarif-2.1.0.json"));
    let run = &value["runs"][0];
    let driver = &run["tool"]["driver"];
    assert_eq!((&driver["name"], &driver["version"]), (&json!("cask"), &json!(env!("CARGO_PKG_VERSION"))));
    let rules = driver["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 2, "only those that are used");
    for rule in rules {
        for part in ["shortDescription", "fullDescription", "help"] {
            assert!(!rule[part]["text"].as_str().unwrap().is_empty(), "{rule}");
        }
        assert!(rule["defaultConfiguration"]["level"].is_string(), "{rule}");
    }
    let page = crate::explain::find("response-field-removed").unwrap();
    assert_eq!(rules[0]["help"]["text"], page.explain);
    let results = run["results"].as_array().unwrap();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(result["ruleId"], rules[index]["id"]);
        let name = &result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"];
        assert!(name.as_str().unwrap().starts_with("GET api.example.com/v1/"), "{name}");
    }
    let levels: Vec<_> = results.iter().map(|result| &result["level"]).collect();
    assert_eq!(levels, ["error", "note"]);
    assert_eq!(run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap().len(), 1);
}

#[test]
fn sarif_names_files_of_the_repository() {
    let table = [
        (("", "", ""), "caskmcp.lock.yaml"),
        (("a/toolpack.yaml", "", ""), "a/toolpack.yaml"),
        (("a/toolpack.yaml", "a", "artifact/tools.json"), "a/artifact/tools.json"),
        (("a/toolpack.yaml", "./a/", "b\\c d.json"), "a/b/c%20d.json"),
        (("a/toolpack.yaml", "a", "/home/x/tools.json"), "tools.json"),
        (("a/toolpack.yaml", "/home/x", "b/tools.json"), "tools.json"),
        (("a/toolpack.yaml", "a", "../../up/tools.json"), "tools.json"),
        (("a/toolpack.yaml", "a", "../tools.json"), "tools.json"),
        (("C:\\x\\lock.yaml", "", ""), "lock.yaml"),
        (("//host/share", "", ""), "share"),
        (("a/toolpack.yaml", "", "https://evil.test/?x#y"), "https%3A/evil.test/%3Fx%23y"),
        (("a/toolpack.yaml", "", "/"), "a/toolpack.yaml"),
        (("a/toolpack.yaml", "", "\u{202e}\n"), "%E2%80%AE%0A"),
    ];
    for ((artifact, folder, file), expected) in table {
        let mut found = finding(Severity::Info, "", "moved");
        found.at.file = file.to_owned();
        let report = Report { artifact: artifact.into(), folder: folder.into(), ..with(vec![found]) };
        assert_eq!(uris(&report), [expected], "{artifact} {folder} {file}");
    }
}

fn fingerprints(report: &Report) -> Vec<String> {
    let value = sarif(report);
    let results = value["runs"][0]["results"].as_array().unwrap();
    results.iter().map(|result| result["partialFingerprints"]["cask/v1"].as_str().unwrap().into()).collect()
}

#[test]
fn fingerprints_follow_the_place_and_not_the_words() {
    let same = |message: &str| finding(Severity::Warning, "/v1/a", message);
    let mut other = same("5 of 9");
    other.at.pointer = "/x".into();
    let before = fingerprints(&with(vec![same("3 of 7"), same("4 of 8"), other.clone()]));
    let distinct: std::collections::BTreeSet<_> = before.iter().collect();
    assert_eq!(distinct.len(), 3);
    assert!(
        before[0].ends_with(":1") && before[1].ends_with(":2") && before[2].ends_with(":1"),
        "{before:?}"
    );
    other.message = "6 of 10".into();
    other.severity = Severity::Info;
    other.details = vec!["more".into()];
    other.after = Some(json!(7));
    let mut report = with(vec![other, same("9 of 9"), same("8 of 9")]);
    report.counts.insert("figures".into(), 10);
    assert_eq!(fingerprints(&report), before);
}

#[test]
fn sarif_makes_nothing_of_outside_text() {
    let mut report = report();
    report.sections[0].findings[1].details = vec!["see [this](https://evil.test) {0} {id}".into()];
    report.sections[0].findings[0].message = "x".repeat(1 << 20);
    let text = report.render(Format::Sarif);
    assert!(text.len() < 40_000, "{}", text.len());
    assert!(text.trim_end().chars().all(|c| !c.is_control()) && !text.contains('\u{202e}'), "{text}");
    let value = sarif(&report);
    for result in value["runs"][0]["results"].as_array().unwrap() {
        let message = result["message"]["text"].as_str().unwrap();
        assert!(!message.contains("](") && !message.contains("{0}"), "{message}");
    }
    assert!(text.contains("{id}"), "the paths of a service stay as they are");
}

/// What a browser takes for tags.
fn tags(html: &str) -> Vec<&str> {
    html.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()).collect()
}

/// Every element that is opened is one of a report and is closed again.
fn well_formed(html: &str) {
    const ELEMENTS: &str = "html head title style body main header p span h1 h2 h3 h4 table tbody tr th td ul ol li \
                            details summary code article div pre del ins";
    let mut open = Vec::new();
    for tag in tags(html) {
        let name = tag.split_whitespace().next().unwrap();
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "{tag}"),
            None if name == "meta" || tag == "!doctype html" => {}
            None => {
                assert!(ELEMENTS.split_whitespace().any(|known| known == name), "{tag}");
                open.push(name);
            }
        }
    }
    assert!(open.is_empty(), "{open:?}");
    for bad in ["<script", "src=", "href=", "url(", "@import", "onerror="] {
        assert!(!html.contains(bad), "{bad}");
    }
    let equivalents: Vec<_> = html.lines().filter(|line| line.contains("http-equiv=")).collect();
    let policy = r#"<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">"#;
    assert_eq!(equivalents, [policy]);
    assert!(html.chars().all(|c| c == '\n' || !c.is_control()));
    assert!(!html.contains(['\u{202e}', '\u{200b}']));
}

#[test]
fn html_makes_nothing_of_outside_text() {
    let mut report = report();
    let first = &mut report.sections[0].findings[1];
    first.message = format!("</p></details><script>alert(1)</script> {HOSTILE}");
    first.details = vec!["\"'><meta http-equiv=refresh content=0>".into(), "y".repeat(1 << 20)];
    first.before = Some("z".repeat(1 << 20).into());
    let shown = report.render(Format::Html);
    well_formed(&shown);
    assert!(shown.len() < 40_000, "{}", shown.len());
    assert!(shown.contains("&lt;script&gt;") && shown.contains("\\u{202e}drawkcab"), "{shown}");
}

#[test]
fn html_says_in_words_what_it_shows_in_colour() {
    let shown = report().render(Format::Html);
    assert!(shown.contains("<span class=\"verdict\">breaking</span>: a caller breaks"), "{shown}");
    assert!(shown.contains("<p>1 breaking, 1 for information</p>"));
    assert!(shown.contains("<span class=\"severity\">info</span>"));
    assert!(shown.contains("<details open>"));
    let shown = crowd(1).render(Format::Html);
    assert_eq!((shown.matches("<details>").count(), shown.matches("<details open>").count()), (1, 1));
    well_formed(&shown);
}

/// Both sides of a finding as HTML.
fn sides(before: Option<Value>, after: Option<Value>) -> Vec<String> {
    let shown = with(vec![Finding { before, after, ..finding(Severity::Info, "/v1/a", "moved") }]);
    let shown = shown.render(Format::Html);
    well_formed(&shown);
    shown.split("<pre>").skip(1).map(|rest| rest.split("</pre>").next().unwrap().to_owned()).collect()
}

#[test]
fn html_marks_the_words_that_differ() {
    let text = |text: &str| Some(json!(text));
    assert_eq!(
        sides(text("get one user by id"), text("get every user by name")),
        ["get <del>one </del>user by <del>id</del>", "get <ins>every </ins>user by <ins>name</ins>"]
    );
    assert_eq!(sides(None, text("a <b>")), ["(none)", "<ins>a &lt;b&gt;</ins>"]);
    assert_eq!(sides(text("a b"), text("a  b")), ["<del>a b</del>", "<ins>a  b</ins>"]);
    assert_eq!(sides(text("same"), text("same")), ["same", "same"]);
    let object = |kind: &str| Some(json!({"type": kind, "format": "id"}));
    assert_eq!(
        sides(object("string"), object("integer"))[1],
        "{\n  &#34;format&#34;: &#34;id&#34;,\n  &#34;type&#34;: <ins>&#34;integer&#34;\n</ins>}"
    );
    // What is far behind the start of a long text, and what has too many words, is still there.
    let long = "word ".repeat(100_000);
    let end = |word: &str| text(&format!("{long}{word}"));
    let [one, two] = <[String; 2]>::try_from(sides(end("ONE"), end("TWO"))).unwrap();
    assert!(one.ends_with("ONE") && two.ends_with("TWO") && one.len() < 10_000 && !one.contains("<del>"));
}

/// Text as an attacker or an accident would have it.
fn text() -> impl Strategy<Value = String> {
    let parts = "</details>,<details>,<script>,<!--,]]>,`,``,|,\n,\r\n,\t,\\,&,](,{0},\u{202e},\u{1b}[31m,\u{2028},\
                 \u{e0001},\u{85},word, ,=,\",',@octocat,/,..";
    let parts: Vec<&str> = parts.split(',').collect();
    prop_oneof![
        any::<String>(),
        prop::collection::vec(prop::sample::select(parts), 0..30).prop_map(|parts| parts.concat()),
        (1_usize..1_000).prop_map(|times| "|\u{e0001}`".repeat(times)),
    ]
}

fn any_finding() -> impl Strategy<Value = Finding> {
    let side = || prop::option::of(text().prop_map(Value::from));
    (
        prop::sample::select(vec!["some-code", "response-field-removed", "subject-pending"]),
        prop::sample::select(vec![Severity::Info, Severity::Warning, Severity::Breaking]),
        (text(), text(), text(), text()),
        prop::collection::vec(text(), 0..4),
        side(),
        side(),
    )
        .prop_map(|(code, severity, (path, file, pointer, message), details, before, after)| Finding {
            code,
            severity,
            basis: Basis::New,
            at: At { path, file, pointer, ..At::default() },
            message,
            details,
            before,
            after,
        })
}

fn any_report() -> impl Strategy<Value = Report> {
    let texts = || prop::collection::vec(text(), 0..12);
    let section = (text(), prop::collection::vec(any_finding(), 0..20))
        .prop_map(|(title, findings)| Section { title, findings });
    (
        (text(), text(), text()),
        prop::collection::vec((text(), text()), 0..6),
        prop::collection::vec(section, 0..4),
        prop::collection::btree_map(text(), any::<u64>(), 0..6),
        texts(),
        texts(),
    )
        .prop_map(|((title, artifact, folder), subject, sections, counts, notes, next)| Report {
            verdict: None,
            kind: "drift",
            title,
            subject,
            sections,
            counts,
            notes,
            next,
            artifact,
            folder,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_report_fits_a_comment(report in any_report()) {
        let shown = report.render(Format::GithubMd);
        prop_assert!(shown.len() <= markdown::LIMIT, "{}", shown.len());
        for line in shown.lines() {
            prop_assert_eq!(line.matches('`').count() % 2, 0, "a code span stays open: {}", line);
        }
        let plain = outside_code(&shown);
        prop_assert_eq!(plain.matches("<details").count(), plain.matches("</details>").count());
        prop_assert!(!plain.contains("<script") && !plain.contains("<!--"));
        for row in shown.lines().filter(|line| line.starts_with('|')) {
            prop_assert_eq!(row.matches('|').count(), 6, "{}", row);
        }
    }

    #[test]
    fn any_report_is_a_page(report in any_report()) {
        well_formed(&report.render(Format::Html));
    }

    #[test]
    fn any_report_can_be_scanned(report in any_report()) {
        let shown = fingerprints(&report);
        prop_assert_eq!(shown.len(), report.findings().count());
        prop_assert_eq!(shown.iter().collect::<std::collections::BTreeSet<_>>().len(), shown.len());
        for uri in uris(&report) {
            let plain = uri.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~/%".contains(&b));
            prop_assert!(plain && !uri.is_empty() && !uri.starts_with('/'), "{}", uri);
            prop_assert!(uri.split('/').all(|part| !matches!(part, "" | "." | "..")), "{}", uri);
        }
    }
}
