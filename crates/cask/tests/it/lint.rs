//! `cask lint` from the outside.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::world::{Ran, World};

const HAR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../cask-core/cases/toolpack/demo/in.har");

/// What the hand-made toolpack is found wanting in: its policy permits everything to everybody.
const OPEN: [&str; 4] =
    ["policy-permits-all", "policy-rule-unexplained", "tool-unconfirmed-sensitive", "tool-unlimited"];

fn report(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}{}", ran.out, ran.err))
}

fn lint(world: &World, more: &[&str]) -> (i32, Value) {
    let ran = world.cask(&[&["lint", "--format", "json"][..], more].concat());
    (ran.code, report(&ran))
}

fn codes(report: &Value) -> BTreeSet<&str> {
    report["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect()
}

fn settings(world: &World, text: &str) {
    std::fs::write(world.path("cask.toml"), text).unwrap();
}

fn waiver(code: &str, subject: &str, until: &str) -> String {
    format!(
        "[[lint.waive]]\ncode = \"{code}\"\nsubject = \"{subject}\"\nreason = \"a toy\"\nuntil = {until}\n"
    )
}

#[test]
fn what_was_minted_is_clean() {
    let world = World::empty();
    let ran = world.cask(&["mint", HAR, "-a", "api.acorn.example"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let (code, report) = lint(&world, &[]);
    assert_eq!((code, &report["verdict"], &report["kind"]), (0, &"pass".into(), &"lint".into()), "{report}");
    assert_eq!((&report["counts"]["breaking"], &report["counts"]["warning"]), (&0.into(), &0.into()));
    assert_eq!(lint(&world, &["--toolset", "readonly"]).0, 0);
}

#[test]
fn every_format_says_it_and_ends_the_same() {
    let world = World::new();
    let (code, report) = lint(&world, &[]);
    assert_eq!(code, 2);
    assert!(codes(&report).is_superset(&OPEN.into()), "{report}");
    let next: Vec<&str> = report["next"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(next, ["cask explain tool-unconfirmed-sensitive"]);
    for format in ["text", "json", "github-md", "sarif", "html"] {
        let ran = world.cask(&["lint", "--format", format]);
        assert_eq!(ran.code, 2, "{format}: {}", ran.err);
        assert!(ran.out.contains("tool-unconfirmed-sensitive"), "{format}: {}", ran.out);
    }
    let explained = world.cask(&["explain", "tool-unconfirmed-sensitive"]);
    assert_eq!(explained.code, 0, "{}", explained.err);
}

#[test]
fn a_toolset_is_looked_at_by_itself() {
    let world = World::new();
    let (code, report) = lint(&world, &["--toolset", "readonly"]);
    assert_eq!(code, 1, "{report}");
    assert!(codes(&report).contains("policy-permits-all"), "{report}");
    let subjects = report["findings"].as_array().unwrap().iter().map(|finding| &finding["at"]["subject"]);
    assert!(subjects.into_iter().all(|subject| subject != "tool/pay"), "{report}");
    let ran = world.cask(&["lint", "--toolset", "nobody"]);
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("no toolset `nobody`") && ran.err.contains("operator, readonly"), "{}", ran.err);
}

#[test]
fn what_is_meant_is_waived_until_a_day() {
    let world = World::new();
    let all = |until: &str| {
        let waivers = [
            ("policy-permits-all", "policy/default"),
            ("policy-rule-unexplained", "policy/*"),
            ("tool-unconfirmed-sensitive", "tool/pay"),
            ("tool-unlimited", "tool/p*"),
        ];
        waivers.map(|(code, subject)| waiver(code, subject, until)).concat()
    };
    settings(&world, &all("2026-11-22"));
    let (code, report) = lint(&world, &[]);
    assert_eq!((code, &report["counts"]["waived"]), (0, &4.into()), "{report}");
    let notes = report["notes"].to_string();
    assert!(notes.contains("waived until 2026-11-22") && notes.contains("a toy"), "{notes}");

    settings(&world, &all("2026-11-21"));
    let (code, report) = lint(&world, &[]);
    assert_eq!(code, 2);
    assert!(
        codes(&report).is_superset(&OPEN.into()) && codes(&report).contains("waiver-expired"),
        "{report}"
    );

    settings(&world, &waiver("host-private", "host/*", "2027-01-31"));
    let (code, report) = lint(&world, &[]);
    assert_eq!(code, 2);
    assert!(codes(&report).contains("waiver-unused"), "{report}");
}

#[test]
fn levels_move_the_exit_code() {
    let world = World::new();
    let off = "[lint]\nlevel.tool-unconfirmed-sensitive = \"off\"\n";
    settings(&world, off);
    assert_eq!(lint(&world, &[]).0, 1);
    let levels = OPEN.map(|code| format!("level.{code} = \"info\"\n")).concat();
    let file = world.path("strict.toml");
    std::fs::write(&file, format!("[lint]\n{levels}")).unwrap();
    let (code, report) = lint(&world, &["--config", file.to_str().unwrap()]);
    assert_eq!(code, 0, "{report}");
    assert!(codes(&report).is_superset(&OPEN.into()), "{report}");
}

#[test]
fn settings_that_make_no_sense_are_refused_with_their_place() {
    let world = World::new();
    for (text, what) in [
        ("[lint]\nlevel.tool-unlimitd = \"off\"\n", &["cask.toml:2:", "no lint rule `tool-unlimitd`"][..]),
        ("[lint]\nlevel.tool-unlimited = \"loud\"\n", &["cask.toml:2:", "no such level"][..]),
        ("[lint]\nbudget = 1\n", &["cask.toml:2:", "unknown field `budget`"][..]),
        ("[limt]\n", &["cask.toml:1:", "unknown field `limt`"][..]),
        ("[lint\n", &["cask.toml:"][..]),
        (
            "[[lint.waive]]\ncode = \"name-near\"\nsubject = \"*\"\nuntil = 2027-01-31\n",
            &["cask.toml:", "missing field `reason`"][..],
        ),
        (
            "[[lint.waive]]\ncode = \"name-near\"\nsubject = \"*\"\nreason = \" \"\nuntil = \"soon\"\n",
            &["cask.toml:4:", "it says why it is meant", "cask.toml:5:", "`soon` is not a date"][..],
        ),
    ] {
        settings(&world, text);
        let ran = world.cask(&["lint"]);
        assert_eq!(ran.code, 3, "{text}: {}", ran.out);
        for what in what {
            assert!(ran.err.contains(what), "{what} in {}", ran.err);
        }
    }
    let ran = world.cask(&["lint", "--config", "nowhere.toml"]);
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("nowhere.toml"), "{}", ran.err);
}

#[test]
fn a_rule_of_the_policy_waives_its_own() {
    let world = World::new();
    let waive = "unconfirmed-sensitive: a toy that moves no money, until 2027-01-31";
    let policy = format!(
        "@id(\"reads\")\n@why(\"it is a toy\")\n@waive(\"tool-{waive}\")\npermit (principal, action, resource);\n"
    );
    world.write("artifact/policy.cedar", &policy);
    let (code, report) = lint(&world, &[]);
    assert_eq!((code, &report["counts"]["waived"]), (1, &1.into()), "{report}");
    assert!(report["notes"].to_string().contains("moves no money"), "{report}");
}

#[test]
fn approvals_are_looked_at_too() {
    let world = World::approved();
    let (_, report) = lint(&world, &[]);
    let codes = codes(&report);
    assert!(codes.contains("approval-without-reason") && codes.contains("trust-single-signer"), "{report}");
    assert!(report["subject"]["lockfile"].as_str().unwrap().contains("(revision 1)"), "{report}");
    // What is refused as a whole is looked at all the same, and that is said.
    world.edit("lockfile/caskmcp.lock.approved.yaml", "revision: 1", "revision: 7");
    let (_, report) = lint(&world, &[]);
    assert!(report["notes"].to_string().contains("the lockfile is not accepted"), "{report}");
}
