use super::*;

const ID: &str = "tp_0123456789ab";

const TEXT: &str = r#"# ours
schema_version: "1"
toolpacks:
  tp_ffffffffffff:
    scopes: {}
  # the shop
  tp_0123456789ab:
    scopes:
      # who may pay, and how much
      payments:
        intent: move money   # carefully
        tools: [pay]
        hosts: [api.example.com]
        effects: [payment]
        max_risk: critical
        confirm: true
        constraints:
          pay:
            amount: {min: 1, max: 100}
            currency: {enum: [EUR, "NO", yes, 1]}
            tenant: {constant: acme, optional: true}
            iban: {prefix: NO}
        review: accepted
"#;

fn new() -> BTreeMap<String, Scope> {
    let text = TEXT.replace("payments:", "reads.all:").replace("[payment]", "[read]");
    let scope = read(&text).unwrap().toolpacks[ID].scopes["reads.all"].clone();
    BTreeMap::from([("reads.all".to_owned(), scope.clone()), ("payments".to_owned(), scope)])
}

#[test]
fn what_is_written_reads_back() {
    let scopes = read(TEXT).unwrap();
    let written = write(&scopes);
    assert_eq!(read(&written).unwrap(), scopes, "{written}");
    assert_eq!(write(&read(&written).unwrap()), written);
    let limits = &scopes.toolpacks[ID].scopes["payments"].constraints["pay"];
    assert_eq!(limits["amount"].max, Some(100));
    assert_eq!(
        limits["currency"].values,
        ["EUR".into(), "NO".into(), "yes".into(), serde_json::Value::from(1)]
    );
    assert_eq!(read("schema_version: \"1\"\n").unwrap(), Scopes::default());
}

#[test]
fn what_is_not_understood_is_refused_with_its_place() {
    for (from, to, want) in [
        ("schema_version: \"1\"", "schema_version: \"2\"\nmore: 1", "use the cask that wrote it"),
        ("toolpacks:", "toolpack: {}\ntoolpacks:", "toolpack"),
        ("confirm: true", "confirm: true\n        confirmed: true", "confirmed"),
        ("confirm: true", "confirm: true\n        confirm: false", "duplicate"),
        ("max_risk: critical", "max_risk: none", "none"),
        ("        max_risk: critical\n", "", "max_risk"),
        ("        hosts: [api.example.com]\n", "", "hosts"),
        ("        effects: [payment]\n", "", "effects"),
        ("effects: [payment]", "effects: &all [payment]", "anchor"),
        ("      payments:", "      _payments:", "/toolpacks/tp_0123456789ab/scopes/_payments"),
        ("tp_0123456789ab", "shop", "/toolpacks/shop"),
        ("          pay:", "          refund:", "/scopes/payments/constraints/refund"),
        ("{min: 1, max: 100}", "{min: 100, max: 1}", "/constraints/pay/amount"),
        ("{min: 1, max: 100}", "{pattern: a}", "pattern"),
        ("{prefix: NO}", "{}", "/constraints/pay/iban"),
        ("review: accepted", "review: approved", "approved"),
    ] {
        assert!(TEXT.contains(from), "{from}");
        let error = read(&TEXT.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(want) && error.starts_with(FILE), "{to}: {error}");
    }
    assert!(read(&format!("schema_version: {}", "[".repeat(100_000))).is_err());
}

#[test]
fn adding_changes_no_line() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    for text in [
        TEXT.to_owned(),
        TEXT.trim_end().to_owned(),
        TEXT.replace("  tp_0123456789ab:", "  \"tp_0123456789ab\": # quoted"),
        TEXT.replace(ID, "tp_000000000000"),
        TEXT.replace('\n', "\r\n"),
        format!("{TEXT}\n\n# the end\n"),
        "schema_version: \"1\"\n".to_owned(),
        "schema_version: \"1\"\ntoolpacks: {}\n".to_owned(),
        format!("toolpacks:\n  {ID}:\n    scopes: {{}}\nschema_version: \"1\"\n"),
        format!("toolpacks:\n  {ID}: {{}}\nschema_version: \"1\"\n"),
    ] {
        let before = read(&text).unwrap();
        let out = add(Some(&text), ID, &new()).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let after = read(&out).unwrap();
        // Every line is there, in its order, but for what said that there is nothing.
        let mut rest = lines(&out).into_iter();
        for line in lines(&text) {
            let opened = line.replacen(": {}", ":", 1);
            assert!(rest.any(|one| one == line || one == opened), "{line}\nin\n{out}");
        }
        let there = before.toolpacks.get(ID).and_then(|pack| pack.scopes.get("payments"));
        let scopes = &after.toolpacks[ID].scopes;
        assert_eq!(scopes.len(), 2, "{out}");
        assert!(there.is_none_or(|there| scopes["payments"] == *there), "{out}");
        // Once more changes nothing.
        assert_eq!(add(Some(&out), ID, &new()).unwrap(), out);
    }
    let fresh = add(None, ID, &new()).unwrap();
    assert_eq!(write(&read(&fresh).unwrap()), fresh, "a new file is written the one way");
}

#[test]
fn what_cannot_be_added_to_is_left_to_a_person() {
    for text in [
        format!("{{schema_version: \"1\", toolpacks: {{{ID}: {{scopes: {{}}}}}}}}\n"),
        format!("schema_version: \"1\"\ntoolpacks: {{{ID}: {{}}}}\n"),
        format!("schema_version: \"1\"\ntoolpacks:\n    {ID}:\n        scopes: {{}}\n"),
    ] {
        assert!(read(&text).is_ok(), "{text}");
        let error = add(Some(&text), ID, &new()).unwrap_err().to_string();
        assert!(error.contains("not written in blocks"), "{text}: {error}");
    }
}
