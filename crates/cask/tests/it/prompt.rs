//! Questions at a terminal, through a real one that `script` (util-linux) makes.
#![cfg(target_os = "linux")]

use std::io::Write as _;
use std::process::Stdio;

use crate::world::{Ran, World};

const APPROVED: &str = "lockfile/caskmcp.lock.approved.yaml";

/// Types this at a terminal on which the command runs; nothing typed ends the input. What is shown there is in `out`.
fn at_a_terminal(world: &World, typed: &str, args: &str) -> Ran {
    let script = format!("exec script --quiet --return --command \"'$0' {args}\" /dev/null");
    let mut command = world.wrapped(&["sh", "-c", &script], &[]);
    let mut child = command.env("SHELL", "/bin/sh").stdin(Stdio::piped()).spawn().unwrap();
    let mut keyboard = child.stdin.take().unwrap();
    keyboard.write_all(typed.as_bytes()).unwrap();
    let keyboard = (!typed.is_empty()).then_some(keyboard);
    let ran = child.wait_with_output().unwrap().into();
    drop(keyboard);
    ran
}

fn synced() -> World {
    let world = World::new();
    assert_eq!(world.cask(&["gate", "sync"]).code, 0);
    world
}

#[test]
fn everything_is_approved_by_a_yes_and_nothing_else() {
    for (typed, yes) in [
        ("y\n", true),
        ("YES\n", true),
        ("n\n", false),
        ("\n", false),
        ("yes please\n", false),
        ("", false),
        ("\n y\n", false),
    ] {
        let world = synced();
        let ran = at_a_terminal(&world, typed, "gate allow --all");
        assert!(ran.out.contains("approve 1 critical tool (pay) too? [y/N]"), "{typed:?}: {}", ran.out);
        assert_eq!(ran.code, if yes { 0 } else { 3 }, "{typed:?}: {}", ran.out);
        assert_eq!(ran.out.contains("nothing was approved"), !yes, "{typed:?}: {}", ran.out);
        assert_eq!(world.pack(APPROVED).exists(), yes, "{typed:?}");
        assert_eq!(world.cask(&["gate", "check"]).code, if yes { 0 } else { 1 }, "{typed:?}");
    }
}

#[test]
fn only_critical_tools_that_nobody_named_are_asked_about() {
    for args in [
        "gate allow --all --yes",
        "gate allow get_user",
        "gate allow pay",
        "gate allow --toolset operator pay",
    ] {
        let world = synced();
        let ran = at_a_terminal(&world, "n\n", args);
        assert_eq!(ran.code, 0, "{args}: {}", ran.out);
        assert!(!ran.out.contains("[y/N]") && world.pack(APPROVED).exists(), "{args}: {}", ran.out);
    }
    // What was approved before is not asked about again.
    let world = World::approved();
    let ran = at_a_terminal(&world, "n\n", "gate allow --all");
    assert!(ran.code == 0 && !ran.out.contains("[y/N]"), "{}", ran.out);
}

#[test]
fn what_is_asked_cannot_dress_itself_up() {
    let world = World::new();
    world.edit("artifact/tools.json", "\"name\":\"pay\"", "\"name\":\"pay\\u001b[2J\"");
    let ran = at_a_terminal(&world, "n\n", "gate allow --all");
    assert!(ran.code != 0 && !ran.out.contains("\u{1b}[2J"), "{:?}", ran.out);
}

#[test]
fn where_nobody_can_answer_nobody_is_asked() {
    // A pipeline approves critical tools only where it says so.
    let world = synced();
    let ran = world.cask(&["gate", "allow", "--all"]);
    assert!(ran.code == 3 && ran.err.contains("pay") && ran.err.contains("--yes"), "{}", ran.err);
    assert!(!ran.err.contains("[y/N]") && !world.pack(APPROVED).exists(), "{}", ran.err);
    let ran = world.cask(&["gate", "allow", "--all", "--yes"]);
    assert!(ran.code == 0 && !ran.err.contains("[y/N]"), "{}", ran.err);
    assert_eq!(world.cask(&["gate", "check"]).code, 0);
    // One end that is no terminal is enough.
    for redirected in ["gate allow --all </dev/null", "gate allow --all 2>/dev/null"] {
        let world = synced();
        let ran = at_a_terminal(&world, "n\n", redirected);
        assert!(ran.code == 3 && !ran.out.contains("[y/N]"), "{redirected}: {}", ran.out);
        assert!(!world.pack(APPROVED).exists(), "{redirected}");
    }
}

#[test]
fn a_review_decides_subject_by_subject() {
    let world = synced();
    // host, policy, pay and operator are critical, and come first: their names are typed out.
    let keys = "aapi.example.com\nadefault\nbkrno money\njaoperator\naawy";
    let ran = at_a_terminal(&world, keys, "gate review");
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(ran.out.contains("approved 5 subjects and blocked 1 as alice@example.com"), "{}", ran.out);
    assert_eq!(
        (world.standing("tool/get_user"), world.standing("tool/pay")),
        ("approved".into(), "blocked".into())
    );
    assert!(world.cask(&["gate", "status"]).out.contains("no money"));
    assert_eq!(world.cask(&["gate", "check"]).code, 0);
    let ran = at_a_terminal(&world, "q", "gate review");
    assert!(ran.code == 0 && ran.out.contains("nothing to decide"), "{}", ran.out);
    // Leaving decides nothing, and without a terminal there is no review.
    let world = synced();
    let ran = at_a_terminal(&world, "jjjjaqy", "gate review");
    assert!(ran.code == 1 && ran.out.contains("nothing was decided"), "{}", ran.out);
    assert!(!world.pack(APPROVED).exists());
    let ran = world.cask(&["gate", "review"]);
    assert!(ran.code == 3 && ran.err.contains("cask gate allow NAME"), "{}", ran.err);
}
