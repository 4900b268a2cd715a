//! Levels, waivers, groups, the demo, and a large toolpack.

use std::path::PathBuf;

use super::*;
use crate::artifact::{self, manifest};
use crate::finding::Severity;

fn written(levels: &[(&str, &str)], waivers: Vec<Waiver>) -> Written {
    let levels = levels.iter().map(|(code, level)| ((*code).to_owned(), (*level).to_owned())).collect();
    Written { levels, budget_tokens: None, waivers }
}

fn waiver(code: &str, subject: &str, reason: &str, until: &str) -> Waiver {
    Waiver { code: code.into(), subject: subject.into(), reason: reason.into(), until: until.into() }
}

#[test]
fn levels_change_the_severity_or_silence_a_rule() {
    let mut world = World::new();
    world.say(&"x".repeat(401));
    world.settings = Settings::new(written(&[("description-long", "breaking")], vec![])).unwrap();
    let found = world.check().findings;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].code, found[0].severity), ("description-long", Severity::Breaking));
    world.settings = Settings::new(written(&[("description-long", "off")], vec![])).unwrap();
    assert!(world.codes().is_empty());
}

#[test]
fn every_fault_of_the_settings_is_said_with_its_place() {
    let levels = [("description-long", "loud"), ("no-such-rule", "off"), ("name-near", "info")];
    let waivers = vec![
        waiver("name-near", "tool/*", "meant", "2027-01-31"),
        waiver("tool-added", "", " ", "soon"),
        waiver("waiver-unused", "*", "meant", "2027-02-30"),
    ];
    let faults = Settings::new(written(&levels, waivers)).unwrap_err();
    let places: Vec<String> = faults.iter().map(|fault| fault.place.to_string()).collect();
    assert_eq!(
        places,
        [
            "lint.level.description-long",
            "lint.level.no-such-rule",
            "lint.waive[1].code",
            "lint.waive[1].subject",
            "lint.waive[1].reason",
            "lint.waive[1].until",
            "lint.waive[2].code",
            "lint.waive[2].until",
        ]
    );
}

#[test]
fn a_waiver_takes_out_what_it_names_until_its_last_day() {
    let mut world = World::new();
    world.say(&"x".repeat(401));
    world.settings(None, &[("description-long", "tool/get_customer", "2026-11-22")]);
    let outcome = world.check();
    assert_eq!((outcome.findings.len(), outcome.waived.len()), (0, 1));
    assert_eq!(
        (outcome.waived[0].reason.as_str(), outcome.waived[0].until.as_str()),
        ("meant", "2026-11-22")
    );
    world.now = "2026-11-23T00:00:00Z";
    assert_eq!(world.codes(), BTreeSet::from(["description-long", "waiver-expired"]));
    world.settings(None, &[("description-long", "tool/get_custom", "2027-01-31")]);
    assert_eq!(world.codes(), BTreeSet::from(["description-long", "waiver-unused"]));
}

#[test]
fn a_rule_of_the_policy_can_say_that_its_own_finding_is_meant() {
    let rule = |waive: &str| {
        format!(
            "@why(\"a desk renames customers all day\") {waive} permit (principal == Agent::\"desk\", \
             action == Action::\"update_customer\", resource) when {{ context.calls.hour < 99 }};"
        )
    };
    let meant = "@waive(\"tool-unconfirmed: small and undone at once, until 2027-01-31\")";
    let mut world = World::new();
    world.only(&rule(""));
    assert_eq!(world.codes(), BTreeSet::from(["tool-unconfirmed"]));
    world.only(&rule(meant));
    let outcome = world.check();
    assert!(outcome.findings.is_empty(), "{outcome:?}");
    assert_eq!(outcome.waived.len(), 1);
    assert_eq!(outcome.waived[0].reason, "small and undone at once");
    world.now = "2027-02-01T00:00:00Z";
    assert_eq!(world.codes(), BTreeSet::from(["tool-unconfirmed", "waiver-expired"]));
    // A second rule that permits the same says nothing of the kind.
    world.now = NOW;
    let other = "@why(\"tests\") permit (principal, action in [Action::\"effect_write\"], resource) \
                 when { context.calls.hour < 9 };";
    world.only(&format!("{}\n{other}", rule(meant)));
    assert!(world.codes().contains("tool-unconfirmed"));
}

#[test]
fn a_toolset_has_its_own_tools_and_what_is_around_them() {
    let mut world = World::new();
    world.say(&"x".repeat(401));
    world.edit("pay_invoice", "/description", json!("x".repeat(401)));
    world.rules("forbid (principal, action == Action::\"gone\", resource);");
    let subjects = |world: &World| -> BTreeSet<String> {
        world.check().findings.into_iter().map(|finding| finding.at.subject).collect()
    };
    assert_eq!(subjects(&world), names(&["policy/default", "tool/get_customer", "tool/pay_invoice"]));
    world.toolset = Some("billing");
    assert_eq!(subjects(&world), names(&["policy/default", "tool/pay_invoice"]));
    let groups = grouped(world.check().findings);
    let titles: Vec<&str> = groups.iter().map(|(title, _)| *title).collect();
    assert_eq!(titles, ["The policy", "What tools weigh"]);
}

#[test]
fn a_secret_is_found_by_the_name_it_stands_under_and_never_shown() {
    let mut world = World::new();
    world.argument("password", json!({ "type": "string", "default": "hunter2" }));
    world.edit("pay_invoice", "/binding/http/fixed_headers", json!({ "x-api-key": "plum-2931-xk" }));
    world.edit("delete_customer", "/binding/http/fixed_query", json!([["v", "2"]]));
    let found = world.check().findings;
    let secrets: Vec<&Finding> = found.iter().filter(|finding| finding.code == "artifact-secret").collect();
    let places: Vec<&str> = secrets.iter().map(|finding| finding.at.pointer.as_str()).collect();
    let password = "/input_schema/properties/password/default";
    assert_eq!(places, [password, "/binding/http/fixed_headers/x-api-key"]);
    let said = format!("{found:?}");
    assert!(!said.contains("hunter2") && !said.contains("plum-2931"), "{said}");
}

#[test]
fn what_is_blocked_is_served_to_nobody_and_so_not_looked_at() {
    let mut world = World::new();
    world.edit("update_customer", "/description", json!("x".repeat(401)));
    assert_eq!(world.codes(), BTreeSet::from(["description-long"]));
    world.deed = Some(|id| Deed {
        state: if id == "tool/update_customer" { State::Blocked } else { State::Approved },
        ..Deed::approved()
    });
    assert!(world.codes().is_empty());
}

#[test]
fn the_demo_as_it_is_minted_is_clean() {
    let case = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("cases/toolpack/demo/expected");
    let text = |name: &str| std::fs::read_to_string(case.join(name)).unwrap();
    let listed = manifest::read(&text(manifest::MANIFEST)).unwrap();
    let toolpack = artifact::load::<artifact::BadArtifact>(&listed, |name| Ok(text(name))).unwrap();
    let files: BTreeMap<String, String> =
        listed.paths.values().map(|path| (path.clone(), text(path))).collect();
    let outcome = check(&Input {
        surface: &Surface::from(toolpack),
        manifest: Manifest {
            hosts: &listed.hosts,
            asked: &listed.origin.allowed_hosts,
            paths: &listed.paths,
            digests: &listed.digests,
            owned: &manifest::OWNED,
        },
        files: &files,
        lockfile: None,
        standings: &BTreeMap::new(),
        trust: &Trust::default(),
        now: NOW,
        settings: &Settings::default(),
        toolset: None,
    });
    assert!(outcome.findings.iter().all(|finding| finding.severity == Severity::Info), "{outcome:?}");
    assert!(outcome.findings.len() <= 5, "{outcome:?}");
}

#[test]
fn a_large_toolpack_is_checked_as_a_small_one() {
    let mut world = World::new();
    world.deed = None;
    for at in 0..2_000_u32 {
        world.add(tool(&format!("get_customer_{at}_thing"), "read", "low", "GET"));
    }
    let found = world.check().findings;
    let codes: BTreeSet<&str> = found.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, BTreeSet::from(["toolset-heavy"]), "{found:?}");
}
