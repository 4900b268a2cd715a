//! `cask drift`, `verify` and `explain` from the outside, on traffic that was minted.

use serde_json::{Value, json};

use crate::world::{self, World, entry};

const CALLS: u64 = 20;

/// A HAR of calls to two endpoints. `answer` makes the body of a user from its number.
fn har(first: u64, answer: impl Fn(u64) -> Value) -> String {
    let entries: Vec<Value> = (first..first + CALLS)
        .flat_map(|i| {
            [
                entry(&format!("/v1/users/{}", 90_000 + i * 7), &answer(i)),
                entry("/v1/status", &json!({ "up": true, "load": i })),
            ]
        })
        .collect();
    world::har(&entries)
}

fn user(i: u64) -> Value {
    let mut user = json!({ "id": 90_000 + i * 7, "name": format!("name {i}"), "visits": i * 3 });
    if i.is_multiple_of(2) {
        user["note"] = json!(format!("note number {i}"));
    }
    user
}

fn minted() -> World {
    let world = World::empty();
    std::fs::write(world.path("before.har"), har(1, user)).unwrap();
    let ran = world.cask(&["mint", "before.har", "-a", "api.example.com"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    world
}

fn findings(out: &str) -> Vec<(String, String, String)> {
    let report: Value = serde_json::from_str(out).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (report["findings"].as_array().unwrap().iter())
        .map(|f| (text(&f["code"]), text(&f["severity"]), text(&f["at"]["pointer"])))
        .collect()
}

#[test]
fn the_same_service_does_not_drift_and_another_one_does() {
    let world = minted();
    // other calls, other values, and by chance never the optional field
    let quiet = |i| {
        let mut user = user(i);
        user.as_object_mut().unwrap().remove("note");
        user
    };
    std::fs::write(world.path("same.har"), har(5_000, user)).unwrap();
    std::fs::write(world.path("quiet.har"), har(5_000, quiet)).unwrap();
    let same = world.cask(&["drift", "same.har", "--format", "json"]);
    assert_eq!((same.code, findings(&same.out)), (0, vec![]), "{}", same.err);
    assert_eq!(
        world.cask(&["drift", "quiet.har"]).code,
        0,
        "an optional field that is not seen is not drift"
    );

    let changed =
        |i| json!({ "id": 90_000 + i * 7, "visits": format!("{i} times"), "full_name": format!("name {i}") });
    std::fs::write(world.path("after.har"), har(5_000, changed)).unwrap();
    let drift = world.cask(&["drift", "after.har", "--format", "json"]);
    assert_eq!(drift.code, 2, "{}{}", drift.out, drift.err);
    let found = findings(&drift.out);
    let breaking = |code: &str, pointer: &str| (code.to_owned(), "breaking".to_owned(), pointer.to_owned());
    assert!(found.contains(&breaking("response-field-renamed", "/response/200/name")), "{found:?}");
    assert!(found.contains(&breaking("response-retyped", "/response/200/visits")), "{found:?}");
    assert_eq!(
        found.iter().filter(|(_, severity, _)| severity == "breaking").count(),
        2,
        "each once: {found:?}"
    );

    let report: Value = serde_json::from_str(&drift.out).unwrap();
    let at = &report["findings"][0]["at"];
    assert_eq!((at["host"].as_str(), at["method"].as_str()), (Some("api.example.com"), Some("GET")));
    let markdown = world.cask(&["drift", "after.har", "--format", "github-md"]);
    assert!(markdown.code == 2 && markdown.out.starts_with("### ❌"), "{}", markdown.out);
}

#[test]
fn captures_and_baselines_are_named_as_the_manual_says() {
    let world = minted();
    std::fs::write(world.path("after.har"), har(5_000, user)).unwrap();
    let ran = world.cask(&["capture", "import", "after.har", "-a", "api.example.com"]);
    let id = ran.out.split_whitespace().find_map(|word| {
        let at = word.find("cap_")?;
        word.get(at..at + 16)
    });
    let id = id.unwrap_or_else(|| panic!("{}", ran.out));
    let pack = std::fs::read_dir(world.root().join("toolpacks")).unwrap().next().unwrap().unwrap().path();
    let baseline = pack.join("artifact/baseline.json");
    let baseline = baseline.to_str().unwrap();
    assert_eq!(world.cask(&["drift", "--baseline", baseline, "--capture-id", id]).code, 0);
    assert_eq!(world.cask(&["drift", "--from-capture", id, "--to-capture", id]).code, 0);
    let missing = world.cask(&["drift"]);
    assert!(missing.code == 3 && missing.err.contains("--capture-id"), "{}", missing.err);
    let broken = world.path("broken.json");
    std::fs::write(&broken, "{\"schema_version\": \"1\",").unwrap();
    let ran = world.cask(&["drift", "--baseline", "broken.json", "--capture-id", id]);
    assert!(ran.code == 3 && ran.err.contains("broken.json"), "{}", ran.err);
}

#[test]
fn a_minted_toolpack_verifies_until_somebody_touches_it() {
    let world = minted();
    for mode in ["contracts", "replay"] {
        let ran = world.cask(&["verify", "--mode", mode]);
        assert_eq!(ran.code, 0, "{mode}: {}{}", ran.out, ran.err);
    }
    let pack = std::fs::read_dir(world.root().join("toolpacks")).unwrap().next().unwrap().unwrap().path();
    let contracts = pack.join("artifact/contracts.yaml");
    let text = std::fs::read_to_string(&contracts).unwrap();
    std::fs::write(&contracts, text.replacen("200", "201", 1)).unwrap();
    let codes = |mode: &str| {
        let ran = world.cask(&["verify", "--mode", mode, "--format", "json"]);
        assert_eq!(ran.code, 2, "{mode}: {}{}", ran.out, ran.err);
        findings_by_file(&ran.out)
    };
    let file = "artifact/contracts.yaml".to_owned();
    assert_eq!(
        codes("contracts"),
        [("artifact-changed".to_owned(), file.clone()), ("contract-broken".to_owned(), file.clone())]
    );
    assert_eq!(codes("replay"), [("replay-differs".to_owned(), file)]);
    std::fs::write(&contracts, text).unwrap();

    let openapi = pack.join("artifact/openapi.yaml");
    std::fs::remove_file(&openapi).unwrap();
    assert_eq!(codes("contracts"), [("artifact-missing".to_owned(), "artifact/openapi.yaml".to_owned())]);
}

fn findings_by_file(out: &str) -> Vec<(String, String)> {
    let report: Value = serde_json::from_str(out).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut all: Vec<_> = (report["findings"].as_array().unwrap().iter())
        .map(|f| (text(&f["code"]), text(&f["at"]["file"])))
        .collect();
    all.sort();
    all
}

#[test]
fn codes_and_tools_are_explained() {
    let world = minted();
    let code = world.cask(&["explain", "response-field-removed"]);
    assert!(code.code == 0 && code.out.contains("breaking (exit 2)"), "{}", code.out);
    let all = world.cask(&["explain"]);
    for known in ["denied_policy", "replay-differs", "skip-preflight", "method-read", "host-changed"] {
        assert!(all.out.contains(known), "{known}");
    }
    let pack = std::fs::read_dir(world.root().join("toolpacks")).unwrap().next().unwrap().unwrap().path();
    let tools: Value =
        serde_json::from_str(&std::fs::read_to_string(pack.join("artifact/tools.json")).unwrap()).unwrap();
    let name = tools["tools"][0]["name"].as_str().unwrap();
    let tool = world.cask(&["explain", name]);
    assert!(
        tool.code == 0 && tool.out.contains("seen 20 times") && tool.out.contains("risk"),
        "{}",
        tool.out
    );
    let unknown = world.cask(&["explain", "response-field-remove"]);
    assert!(
        unknown.code == 3 && unknown.err.contains("did you mean `response-field-removed`"),
        "{}",
        unknown.err
    );
}

#[test]
fn minting_accepts_nothing_that_approving_does_not() {
    let world = minted();
    assert_eq!(world.cask(&["gate", "allow", "--all", "--yes"]).code, 0);
    let changed = |i| json!({ "id": 90_000 + i * 7, "visits": format!("{i} times") });
    std::fs::write(world.path("after.har"), har(5_000, changed)).unwrap();
    assert_eq!(world.cask(&["drift", "after.har"]).code, 2);
    assert_eq!(world.cask(&["mint", "after.har", "-a", "api.example.com"]).code, 0);
    assert_eq!(world.cask(&["drift", "after.har"]).code, 2, "what was minted is not accepted yet");
    assert_eq!(world.cask(&["gate", "allow", "--all", "--yes"]).code, 0);
    let ran = world.cask(&["drift", "after.har"]);
    assert_eq!(ran.code, 0, "{}", ran.out);
}

#[test]
fn more_of_the_same_traffic_moves_no_approved_tool() {
    let world = World::empty();
    let traffic = |calls: std::ops::Range<u64>, size: &dyn Fn(u64) -> Value| {
        let all = calls.map(|i| {
            entry(
                &format!("/v1/files/{}", 50_000 + i * 13),
                &json!({ "id": 50_000 + i * 13, "size": size(i), "name": "a" }),
            )
        });
        world::har(&all.collect::<Vec<_>>())
    };
    let number = |i: u64| json!(i * 100);
    for (name, text) in [
        ("few.har", traffic(0..2, &number)),
        ("more.har", traffic(2..30, &number)),
        ("other.har", traffic(30..60, &|i| json!(format!("{i} KB")))),
    ] {
        std::fs::write(world.path(name), text).unwrap();
    }
    let mint = |file: &str| {
        let ran = world.cask(&["mint", file, "-a", "api.example.com"]);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        let tools = world.only_pack().join("artifact/tools.json");
        (std::fs::read_to_string(tools).unwrap(), world.cask(&["gate", "check"]).code)
    };
    let (few, _) = mint("few.har");
    assert_eq!(world.cask(&["gate", "allow", "--all", "--yes"]).code, 0);
    assert_eq!(mint("more.har"), (few.clone(), 0), "it stays as it was approved");
    let replay = world.cask(&["verify", "--mode", "replay"]);
    assert_eq!(replay.code, 0, "{}{}", replay.out, replay.err);
    let (other, check) = mint("other.har");
    assert!(other != few && check == 2, "what contradicts it is a change");
    assert!(world.cask(&["diff"]).code > 0);
}
