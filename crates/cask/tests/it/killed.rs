//! Commands that are killed at any moment, and commands at the same time: what was there stays whole, and
//! the next one goes on as if nothing had been.
#![cfg(unix)]

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::world::{Ran, World, entry, files, har, until};

const MINT: [&str; 4] = ["mint", "second.har", "-a", "api.example.com"];
const APPROVED: &str = "lockfile/caskmcp.lock.approved.yaml";

/// Traffic of these resources; a few bytes of padding make it last.
fn traffic(resources: &[&str], calls: u64) -> String {
    let answer =
        |i: u64| json!({ "id": 90_000 + i * 7, "name": format!("name {i}"), "pad": "x".repeat(300) });
    let all = (0..calls).flat_map(|i| {
        resources.iter().map(move |name| entry(&format!("/v1/{name}/{}", 90_000 + i * 7), &answer(i)))
    });
    har(&all.collect::<Vec<_>>())
}

/// A world with an approved toolpack and a second recording, which will change it.
fn before() -> World {
    let world = World::empty();
    std::fs::write(world.path("first.har"), traffic(&["users"], 20)).unwrap();
    std::fs::write(world.path("second.har"), traffic(&["users", "orders", "invoices"], 1000)).unwrap();
    done(world.cask(&["mint", "first.har", "-a", "api.example.com"]));
    done(world.cask(&["gate", "allow", "--all"]));
    world
}

fn done(ran: Ran) {
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

/// What a command wrote that was not finished.
fn leftovers(root: &Path) -> Vec<PathBuf> {
    let unfinished = |path: &PathBuf| {
        let names = path.strip_prefix(root).unwrap().iter().map(|name| name.to_string_lossy());
        names.into_iter().any(|name| name.starts_with(".importing-") || name.starts_with(".cask-"))
    };
    files(root).into_keys().filter(unfinished).collect()
}

/// The files of the toolpack that approvals are about.
fn served(tree: &BTreeMap<PathBuf, Vec<u8>>) -> Vec<&Vec<u8>> {
    let names = ["tools.json", "toolsets.yaml", "policy.cedar", "policy.cedarschema"];
    tree.iter()
        .filter(|(path, _)| names.iter().any(|name| path.ends_with(name)))
        .map(|(_, bytes)| bytes)
        .collect()
}

fn draft(world: &World) -> Option<PathBuf> {
    let all = std::fs::read_dir(world.root()).unwrap().flatten();
    all.map(|entry| entry.path()).find(|path| path.to_string_lossy().contains(".importing-"))
}

#[test]
fn a_mint_that_is_killed_leaves_the_toolpack_and_the_next_one_mends() {
    /// How far it has come: by what can be seen from outside.
    type Reached = fn(&World, &World) -> bool;
    fn differs(now: &World, start: &World, name: &str) -> bool {
        let read = |world: &World| std::fs::read(world.only_pack().join(name)).unwrap();
        read(now) != read(start)
    }
    let points: [(&str, Reached); 7] = [
        ("holds the lock", |now, _| {
            std::fs::read_to_string(now.root().join("state/lock")).is_ok_and(|note| note.starts_with("pid"))
        }),
        ("has a draft", |now, _| draft(now).is_some()),
        ("has written some of it", |now, _| {
            let lines = draft(now).map(|draft| draft.join("exchanges.jsonl"));
            lines.and_then(|lines| lines.metadata().ok()).is_some_and(|meta| meta.len() > 300_000)
        }),
        ("has its capture", |now, _| std::fs::read_dir(now.root().join("captures")).unwrap().count() == 2),
        ("has written the baseline", |now, start| differs(now, start, "artifact/baseline.json")),
        ("has written the tools", |now, start| differs(now, start, "artifact/tools.json")),
        ("has written the manifest", |now, start| differs(now, start, "toolpack.yaml")),
    ];
    let start = before();
    let whole = start.copy();
    done(whole.cask(&MINT));
    let (old, new) = (start.tree(), whole.tree());
    assert_ne!(old, new);
    for (number, (point, reached)) in points.into_iter().enumerate() {
        // A command may be done before it is seen to be there; then it is tried again.
        let killed = (0..20).any(|_| {
            let world = start.copy();
            let mut child = world.command(&MINT).spawn().unwrap();
            until(point, || reached(&world, &start) || child.try_wait().unwrap().is_some());
            child.kill().unwrap();
            let killed = child.wait().unwrap().signal().is_some();

            let now = world.tree();
            let pack: Vec<_> = now.iter().filter(|(path, _)| path.starts_with("toolpacks")).collect();
            for (path, bytes) in &pack {
                let known = [&old, &new].iter().any(|tree| tree.get(*path) == Some(bytes));
                assert!(
                    known || leftovers(&world.root()).contains(&world.root().join(path)),
                    "{point}: {path:?}"
                );
            }
            assert!(old.keys().all(|path| now.contains_key(path)), "{point}: something is gone");
            if killed && number < 3 {
                assert!(
                    old.iter().all(|(path, bytes)| now.get(path) == Some(bytes)),
                    "{point}: it has changed"
                );
                done(world.cask(&["gate", "check"]));
                done(world.cask(&["verify"]));
            }
            // Half of a new toolpack is never taken for an approved one.
            let same = served(&now) == served(&old);
            let check = world.cask(&["gate", "check"]);
            assert_eq!(check.code == 0, same, "{point}: {}{}", check.out, check.err);

            done(world.cask(&MINT));
            assert_eq!(leftovers(&world.root()), Vec::<PathBuf>::new(), "{point}");
            assert_eq!(world.tree(), new, "{point}: another toolpack than without the kill");
            killed
        });
        assert!(killed, "no mint was killed when it {point}");
    }
}

/// Kills a command after each change of the state root that can be seen, from the first to the last.
fn killed_at_every_change(start: &World, args: &[&str], check: impl Fn(&World)) {
    for changes in 0.. {
        assert!(changes < 100, "it never ends");
        let world = start.copy();
        let look = || -> BTreeSet<(PathBuf, u64)> {
            let sized = |path: PathBuf| Some((path.clone(), path.metadata().ok()?.len()));
            listed(&world.root()).into_iter().filter_map(sized).collect()
        };
        let mut seen = look();
        let mut child = world.command(args).spawn().unwrap();
        let mut count = 0;
        until("it ends or changes something", || {
            let now = look();
            count += usize::from(now != seen);
            seen = now;
            count > changes || child.try_wait().unwrap().is_some()
        });
        child.kill().unwrap();
        let killed = child.wait().unwrap().signal().is_some();
        check(&world);
        if !killed && count <= changes {
            assert!(changes > 2, "only {changes} changes were seen");
            return;
        }
    }
}

/// Files below a directory in which others come and go.
fn listed(dir: &Path) -> Vec<PathBuf> {
    let Ok(all) = std::fs::read_dir(dir) else { return vec![dir.to_owned()] };
    all.flatten().flat_map(|entry| listed(&entry.path())).collect()
}

#[test]
fn a_decision_that_is_killed_was_made_or_not() {
    let start = World::approved();
    start.edit("artifact/tools.json", "Does one thing.", "Does another thing.");
    done(start.cask(&["gate", "sync"]));
    let allow = ["gate", "allow", "--all"];
    let whole = start.copy();
    done(whole.cask(&allow));
    let (old, new) = (start.read(APPROVED), whole.read(APPROVED));
    assert_ne!(old, new);
    killed_at_every_change(&start, &allow, |world| {
        let now = world.read(APPROVED);
        assert!(now == old || now == new, "neither the old lockfile nor the new one: {now}");
        let status = world.cask(&["gate", "status"]);
        assert!(status.out.contains("seal: valid"), "{}{}", status.out, status.err);
        assert_eq!(world.cask(&["gate", "check"]).code, if now == new { 0 } else { 2 });
        let again = world.cask(&allow);
        if again.code != 0 {
            assert!(now == new && again.err.contains("cask gate sync"), "{}", again.err);
            done(world.cask(&["gate", "sync"]));
            done(world.cask(&allow));
        }
        assert_eq!(world.read(APPROVED), new);
        done(world.cask(&["gate", "check"]));
        assert_eq!(leftovers(&world.root()), Vec::<PathBuf>::new());
    });
}

#[test]
fn a_first_decision_that_is_killed_trusts_one_key_at_most() {
    let start = World::new();
    done(start.cask(&["gate", "sync"]));
    killed_at_every_change(&start, &["gate", "allow", "--all"], |world| {
        let approved = world.pack(APPROVED).exists();
        assert_eq!(world.cask(&["gate", "check"]).code, if approved { 0 } else { 1 });
        let again = world.cask(&["gate", "allow", "--all"]);
        if again.code != 0 {
            assert!(approved && again.err.contains("cask gate sync"), "{}", again.err);
            done(world.cask(&["gate", "sync"]));
            done(world.cask(&["gate", "allow", "--all"]));
        }
        done(world.cask(&["gate", "check"]));
        let trust = std::fs::read_to_string(world.root().join("trust.yaml")).unwrap();
        assert_eq!(trust.matches("ed25519").count(), 1, "{trust}");
    });
}

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
    let ran = together(&world, &[&MINT, &third, &["gate", "allow", "--all"]]);
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
    let by = |who| ["gate", "allow", "--all", "--as", who];
    let ran = together(&world, &[&by("ada@example.com"), &by("bob@example.com")]);
    let won: Vec<_> = ran.iter().filter(|ran| ran.code == 0).collect();
    let lost: Vec<_> = ran.iter().filter(|ran| ran.code == 3).collect();
    assert!(won.len() == 1 && lost.len() == 1, "{}{}", ran[0].err, ran[1].err);
    assert!(won[0].err.contains("trust on first use"), "{}", won[0].err);
    assert!(lost[0].err.contains("is not trusted here"), "{}", lost[0].err);
    done(world.cask(&["gate", "check"]));
    assert!(world.cask(&["gate", "status"]).out.contains("revision 1, seal: valid"));
}
