//! Disks that are full, files that may not grow, and places that may only be read.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use crate::world::{Ran, World, entry, files, har};

const MINT: [&str; 4] = ["mint", "second.har", "-a", "api.example.com"];

/// A world with an approved toolpack, and a second recording which would change it.
fn world() -> World {
    let world = World::empty();
    let traffic = |name: &str, calls: u64| {
        let answer = json!({ "id": 1, "name": "x".repeat(200) });
        let all = (0..calls).map(|i| entry(&format!("/v1/{name}/{}", 90_000 + i * 7), &answer));
        har(&all.collect::<Vec<_>>())
    };
    std::fs::write(world.path("first.har"), traffic("users", 20)).unwrap();
    std::fs::write(world.path("second.har"), traffic("orders", 20)).unwrap();
    assert_eq!(world.cask(&["mint", "first.har", "-a", "api.example.com"]).code, 0);
    assert_eq!(world.cask(&["gate", "allow", "--all", "--yes"]).code, 0);
    world
}

/// A user namespace with its own mounts: whoever runs this may then mount, and nothing stays mounted.
fn mounting() -> Option<Vec<&'static str>> {
    let words = vec!["unshare", "--map-root-user", "--mount"];
    let try_it =
        Command::new("unshare").args(&words[1..]).args(["sh", "-c", "mount -t tmpfs none /mnt"]).output();
    let can = try_it.is_ok_and(|output| output.status.success());
    if !can {
        eprintln!("not tried here: this system lets nobody mount");
    }
    can.then_some(words)
}

/// Runs a command on a disk of this size that holds the state root. What it leaves there is the second.
fn on_a_disk_of(bytes: usize, world: &World, args: &[&str]) -> Option<(Ran, World)> {
    const SCRIPT: &str = r#"
        mkdir disk && mount -t tmpfs -o size="$BYTES" none disk && cp -a .caskmcp disk || exit 77
        "$0" --root disk/.caskmcp "$@"
        code=$?
        cp -a disk/.caskmcp left
        exit $code"#;
    let mut words = mounting()?;
    words.extend(["sh", "-c", SCRIPT]);
    let ran: Ran = world.wrapped(&words, args).env("BYTES", bytes.to_string()).output().unwrap().into();
    assert_ne!(ran.code, 77, "the disk could not be made: {}", ran.err);
    let left = World::empty();
    std::fs::rename(world.path("left"), left.root()).unwrap();
    std::fs::remove_dir(world.path("disk")).unwrap();
    Some((ran, left))
}

/// How much of a disk the state root takes.
fn pages(world: &World) -> usize {
    files(&world.root()).values().map(|bytes| bytes.len().div_ceil(4096)).sum()
}

/// Every file is what it was or what it was to become, none is missing, and none is half.
fn whole(now: &World, old: &BTreeMap<PathBuf, Vec<u8>>, new: &BTreeMap<PathBuf, Vec<u8>>) {
    let tree = now.tree();
    for (path, bytes) in &tree {
        assert!(
            [old, new].iter().any(|known| known.get(path) == Some(bytes)),
            "{} is neither",
            path.display()
        );
    }
    assert!(old.keys().all(|path| tree.contains_key(path)), "something is gone");
    let status = now.cask(&["gate", "status"]);
    assert!(status.out.contains("seal: valid"), "{}{}", status.out, status.err);
}

#[test]
fn a_full_disk_stops_a_mint_and_harms_nothing() {
    let start = world();
    let done = start.copy();
    assert_eq!(done.cask(&MINT).code, 0);
    let (old, new) = (start.tree(), done.tree());
    let used = pages(&start);
    let (mut refused, mut untouched) = (0, 0);
    // From a disk with no room for the recording to one that has room for all but the last files.
    for room in 0..100 {
        let Some((ran, left)) = on_a_disk_of((used + room) * 4096, &start.copy(), &MINT) else { return };
        whole(&left, &old, &new);
        if ran.code == 0 {
            assert_eq!(left.tree(), new);
            break;
        }
        assert_eq!(ran.code, 3, "{}", ran.err);
        assert!(
            ran.err.contains("disk/.caskmcp/") && ran.err.contains("No space left on device"),
            "{}",
            ran.err
        );
        untouched += usize::from(left.tree() == old);
        refused += 1;
        // With room again it goes on as if nothing had been.
        std::fs::copy(start.path("second.har"), left.path("second.har")).unwrap();
        assert_eq!(left.cask(&MINT).code, 0);
        assert_eq!(left.tree(), new);
    }
    assert!(refused > untouched && untouched > 0, "{untouched} of {refused} left everything as it was");
}

#[test]
fn a_full_disk_stops_a_decision_and_harms_nothing() {
    let start = World::approved();
    let block = ["gate", "block", "pay"];
    let done = start.copy();
    assert_eq!(done.cask(&block).code, 0);
    let used = pages(&start);
    let mut refused = 0;
    for room in 0..20 {
        let Some((ran, left)) = on_a_disk_of((used + room) * 4096, &start.copy(), &block) else { return };
        whole(&left, &start.tree(), &done.tree());
        if ran.code == 0 {
            break;
        }
        refused += 1;
        assert_eq!(ran.code, 3, "{}", ran.err);
        assert!(
            ran.err.contains("disk/.caskmcp/") && ran.err.contains("No space left on device"),
            "{}",
            ran.err
        );
        assert!(ran.err.contains("free some space"), "{}", ran.err);
    }
    assert!(refused > 0, "the disk was never full");
}

#[test]
fn a_file_that_may_not_grow_is_named() {
    let start = world();
    let limited = |blocks: &str, args: &[&str]| -> (Ran, World) {
        let world = start.copy();
        let script = format!("ulimit -f {blocks}; trap '' XFSZ; exec \"$0\" \"$@\"");
        let ran = world.wrapped(&["sh", "-c", &script], args).output().unwrap().into();
        (ran, world)
    };
    for (args, file) in [
        (&MINT[..], ".importing-"),
        (&["capture", "import", "second.har", "-a", "api.example.com"], ".importing-"),
        (&["drift", "second.har"], ".importing-"),
        (&["gate", "block", "get_user"], "approved.contents.json"),
        (&["gate", "snapshot"], "baselines/"),
    ] {
        let (ran, world) = limited("1", args);
        assert_eq!(ran.code, 3, "{args:?}: {}", ran.err);
        assert!(ran.err.contains(file) && ran.err.contains("File too large"), "{args:?}: {}", ran.err);
        assert_eq!(world.tree(), start.tree(), "{args:?}");
        assert_eq!(world.cask(&["gate", "check"]).code, 0, "{args:?}");
    }
    let (ran, world) = limited("unlimited", &MINT);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_ne!(world.tree(), start.tree(), "it is the limit that stopped the others");
}

/// Runs a command that is not above the modes of files, not even for root.
fn humble(world: &World, args: &[&str]) -> Ran {
    let drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    world.wrapped(if root { &drop } else { &[] }, args).output().unwrap().into()
}

/// Everything that writes says that it cannot and where; what only reads goes on.
fn only_reads(start: &World, cask: impl Fn(&[&str]) -> Ran, why: &str, hint: &str) {
    let before = files(&start.root());
    for args in [
        &MINT[..],
        &["capture", "import", "second.har", "-a", "api.example.com"],
        &["drift", "second.har"],
        &["gate", "sync"],
        &["gate", "allow", "--all", "--yes"],
        &["gate", "block", "get_user"],
        &["gate", "snapshot"],
        &["run"],
    ] {
        let ran = cask(args);
        assert_eq!(ran.code, 3, "{args:?}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(".caskmcp") && ran.err.contains(why), "{args:?}: {}", ran.err);
        let hint = if args[0] == "run" { "without an audit log nothing is served" } else { hint };
        assert!(ran.err.contains(hint), "{args:?}: {}", ran.err);
    }
    for args in [
        &["gate", "check"][..],
        &["gate", "status"],
        &["diff"],
        &["verify"],
        &["explain", "get_user"],
        &["config"],
    ] {
        let ran = cask(args);
        assert_eq!(ran.code, 0, "{args:?}: {}{}", ran.out, ran.err);
    }
    assert_eq!(files(&start.root()), before);
}

#[test]
fn a_root_that_belongs_to_others_is_read_and_not_written() {
    use std::os::unix::fs::PermissionsExt as _;
    let start = world();
    let dirs = || Command::new("find").arg(start.root()).args(["-type", "d"]).output().unwrap().stdout;
    let mode = |mode| {
        for dir in String::from_utf8(dirs()).unwrap().lines() {
            std::fs::set_permissions(dir, std::fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    let lock = start.root().join("state/lock");
    std::fs::set_permissions(&lock, std::fs::Permissions::from_mode(0o444)).unwrap();
    mode(0o555);
    only_reads(&start, |args| humble(&start, args), "Permission denied", "check who owns it and its mode");
    mode(0o755);
}

#[test]
fn a_disk_that_may_only_be_read_is_not_written() {
    let start = world();
    let Some(mut words) = mounting() else { return };
    let script = "mount --bind .caskmcp .caskmcp && mount -o remount,bind,ro .caskmcp && exec \"$0\" \"$@\"";
    words.extend(["sh", "-c", script]);
    let cask = |args: &[&str]| start.wrapped(&words, args).output().unwrap().into();
    only_reads(&start, cask, "Read-only file system", "give another place with --root");
}
