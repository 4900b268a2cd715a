use super::*;

/// `cases/effect/table.tsv`: method, path, what the call has, effect, risk, codes that must have fired.
#[test]
fn the_table_of_real_calls_holds() {
    let table = include_str!("../../../cases/effect/table.tsv");
    let mut wrong = Vec::new();
    let mut lines = 0;
    for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        lines += 1;
        let columns: Vec<&str> = line.split_whitespace().collect();
        let [method, path, has, effect, risk, codes] = columns[..] else { panic!("six columns: {line}") };
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut signals = Signals { method: method.into(), path: path.into(), ..Signals::default() };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            signals.query.insert(name.into(), if value.is_empty() { vec![] } else { vec![value.into()] });
        }
        for item in has.split(',').filter(|item| *item != "-") {
            let (kind, value) = item.split_once(':').unwrap_or((item, ""));
            match kind {
                "in" => drop(signals.request.insert(value.into())),
                "out" => drop(signals.response.insert(value.into())),
                "status" => drop(signals.statuses.insert(value.parse().unwrap())),
                "redacted" => drop(signals.redacted.insert(value.into())),
                "public" => signals.auth_known = true,
                "override" => drop(signals.overrides.insert(value.into())),
                "session" => signals.sets_session = true,
                "query" | "mutation" | "persisted" => {
                    signals.operation = Some(Operation {
                        kind: if kind == "query" { "query" } else { "mutation" }.into(),
                        name: value.into(),
                        document: if kind == "persisted" { String::new() } else { "{ x }".into() },
                        persisted: None,
                        persisted_as: None,
                        fields: vec![value.into()],
                    });
                }
                other => panic!("unknown signal {other}"),
            }
        }
        let verdict = classify(&signals);
        let fired: Vec<&str> = verdict.reasons.iter().map(|reason| reason.code.as_str()).collect();
        let holds = verdict.effect.as_str() == effect
            && verdict.risk.as_str() == risk
            && codes.split(',').all(|code| fired.contains(&code));
        if !holds {
            wrong.push(format!(
                "{line}\n    got {} {} {:?}",
                verdict.effect.as_str(),
                verdict.risk.as_str(),
                verdict.reasons
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {lines} lines:\n{}", wrong.len(), wrong.join("\n"));
    assert!(lines >= 60, "{lines}");
}

#[test]
fn every_rule_is_explained_fires_and_has_its_own_code() {
    let table = include_str!("../../../cases/effect/table.tsv");
    let mut codes = BTreeSet::new();
    for rule in RULES.iter().chain([&rules::PUBLIC]) {
        assert!(codes.insert(rule.code), "{} twice", rule.code);
        assert!(rule.explain.len() > 40, "{}", rule.code);
        assert!(table.contains(rule.code), "no case shows {}", rule.code);
    }
}
