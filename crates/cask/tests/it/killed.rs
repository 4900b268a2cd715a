//! Commands that are killed at any moment: what was there stays whole, and the next one goes on as if nothing
//! had been.
#![cfg(unix)]

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::world::{Ran, World, entry, files, har, until};

pub const MINT: [&str; 4] = ["mint", "second.har", "-a", "api.example.com"];
const APPROVED: &str = "lockfile/caskmcp.lock.approved.yaml";

/// Traffic of these resources; a few bytes of padding make it last.
pub fn traffic(resources: &[&str], calls: u64) -> String {
    let answer =
        |i: u64| json!({ "id": 90_000 + i * 7, "name": format!("name {i}"), "pad": "x".repeat(300) });
    let all = (0..calls).flat_map(|i| {
        resources.iter().map(move |name| entry(&format!("/v1/{name}/{}", 90_000 + i * 7), &answer(i)))
    });
    har(&all.collect::<Vec<_>>())
}

/// A world with an approved toolpack and a second recording, which will change it.
pub fn before() -> World {
    let world = World::empty();
    std::fs::write(world.path("first.har"), traffic(&["users"], 20)).unwrap();
    std::fs::write(world.path("second.har"), traffic(&["users", "orders", "invoices"], 1000)).unwrap();
    done(world.cask(&["mint", "first.har", "-a", "api.example.com"]));
    done(world.cask(&["gate", "allow", "--all", "--yes"]));
    world
}

pub fn done(ran: Ran) {
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

/// What a command wrote that was not finished.
pub fn leftovers(root: &Path) -> Vec<PathBuf> {
    let unfinished = |path: &PathBuf| {
        let names = path.strip_prefix(root).unwrap().iter().map(|name| name.to_string_lossy());
        names.into_iter().any(|name| name.starts_with(".importing-") || name.starts_with(".cask-"))
    };
    files(root).into_keys().filter(unfinished).collect()
}

/// The files of the toolpack that approvals are about.
fn served(tree: &BTreeMap<PathBuf, Vec<u8>>) -> Vec<&Vec<u8>> {
    let names = ["tools.json", "toolsets.yaml", "policy.cedar"];
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
    let allow = ["gate", "allow", "--all", "--yes"];
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
    killed_at_every_change(&start, &["gate", "allow", "--all", "--yes"], |world| {
        let approved = world.pack(APPROVED).exists();
        assert_eq!(world.cask(&["gate", "check"]).code, if approved { 0 } else { 1 });
        let again = world.cask(&["gate", "allow", "--all", "--yes"]);
        if again.code != 0 {
            assert!(approved && again.err.contains("cask gate sync"), "{}", again.err);
            done(world.cask(&["gate", "sync"]));
            done(world.cask(&["gate", "allow", "--all", "--yes"]));
        }
        done(world.cask(&["gate", "check"]));
        let trust = std::fs::read_to_string(world.root().join("trust.yaml")).unwrap();
        assert_eq!(trust.matches("- id: ").count(), 1, "{trust}");
        assert_eq!(leftovers(&world.root()), Vec::<PathBuf>::new());
    });
}

#[test]
fn unlocking_clears_away_what_a_killed_one_left() {
    let world = World::approved();
    let unfinished = [world.pack("artifact/.cask-AbCdEf"), world.root().join("state/keys/.cask-GhIjKl")];
    let others = world.pack("artifact/notes.cask-1");
    unfinished.iter().for_each(|path| std::fs::write(path, "half").unwrap());
    std::fs::write(&others, "whole").unwrap();
    // Whoever came to an end by itself left nothing: nobody looks.
    done(world.cask(&["gate", "sync"]));
    assert!(unfinished.iter().all(|path| path.exists()));
    std::fs::write(world.root().join("state/lock"), "pid 4711 (cask mint)").unwrap();
    let ran = world.cask(&["state", "unlock"]);
    assert!(ran.code == 0 && ran.out.contains("pid 4711 (cask mint)"), "{}{}", ran.out, ran.err);
    assert!(!unfinished.iter().any(|path| path.exists()) && others.exists());
}
