//! Commands at the same time: each ends with a clear outcome, and what they leave is whole.
#![cfg(unix)]

use std::path::PathBuf;

use crate::killed::{MINT, before, done, leftovers, traffic};
use crate::world::{Ran, World};

/// Runs commands at the same time.
fn together(world: &World, all: &[&[&str]]) -> Vec<Ran> {
    let running: Vec<_> = all.iter().map(|args| world.command(args).spawn().unwrap()).collect();
    running.into_iter().map(|child| child.wait_with_output().unwrap().into()).collect()
}

#[test]
fn two_mints_at_once_take_turns_or_say_who_is_first() {
    let world = before();
    std::fs::write(world.path("third.har"), traffic(&["carts"], 40)).unwrap();
    let third = ["mint", "third.har", "-a", "api.example.com"];
    let ran = together(&world, &[&MINT, &third, &["gate", "allow", "--all", "--yes"]]);
    assert!(ran.iter().any(|ran| ran.code == 0));
    for ran in ran {
        assert!(ran.code == 0 || (ran.code == 3 && ran.err.contains("is held by pid")), "{}", ran.err);
    }
    assert_eq!(leftovers(&world.root()), Vec::<PathBuf>::new());
    // What came after the decision is not in the lockfile; nothing else is to be said.
    let verify = world.cask(&["verify"]);
    assert!(verify.code < 2, "{}", verify.out);
    done(world.cask(&["verify", "--mode", "replay"]));
    let status = world.cask(&["gate", "status"]);
    assert!(status.out.contains("seal: valid"), "{}{}", status.out, status.err);
    // Whoever had to give way comes through now; then there is nothing left to do.
    done(world.cask(&MINT));
    done(world.cask(&third));
    let tree = world.tree();
    for args in [MINT, third] {
        let ran = world.cask(&args);
        assert!(ran.code == 0 && ran.out.contains("nothing changed"), "{}{}", ran.out, ran.err);
    }
    assert_eq!(world.tree(), tree);
    let tools = std::fs::read_to_string(world.only_pack().join("artifact/tools.json")).unwrap();
    for name in ["user", "order", "invoice", "cart"] {
        assert!(tools.contains(&format!("get_{name}")), "{name} is not in the toolpack");
    }
}

#[test]
fn of_two_first_signers_at_once_one_is_trusted() {
    let world = World::new();
    done(world.cask(&["gate", "sync"]));
    let by = |who| ["gate", "allow", "--all", "--yes", "--as", who];
    let ran = together(&world, &[&by("ada@example.com"), &by("bob@example.com")]);
    let won: Vec<_> = ran.iter().filter(|ran| ran.code == 0).collect();
    let lost: Vec<_> = ran.iter().filter(|ran| ran.code == 3).collect();
    assert!(won.len() == 1 && lost.len() == 1, "{}{}", ran[0].err, ran[1].err);
    assert!(won[0].err.contains("trust on first use"), "{}", won[0].err);
    // On a busy machine the second may give up waiting.
    let why = ["is not trusted here", "is held by pid"];
    assert!(why.iter().any(|why| lost[0].err.contains(why)), "{}", lost[0].err);
    let late = world.cask(&by("carol@example.com"));
    assert!(late.code == 3 && late.err.contains("is not trusted here"), "{}", late.err);
    done(world.cask(&["gate", "check"]));
    assert!(world.cask(&["gate", "status"]).out.contains("revision 1, seal: valid"));
}
