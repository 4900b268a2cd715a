//! `cask doctor`: four verdicts, each with its exit code, and nothing that it changes.

use serde_json::Value;

use crate::world::{Ran, World, files};

const APPROVED: &str = "lockfile/caskmcp.lock.approved.yaml";

fn ok(ran: &Ran) {
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

/// What doctor says, as JSON.
fn doctor(world: &World, code: i32, verdict: &str) -> Value {
    let ran = world.cask(&["doctor", "--format", "json"]);
    assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
    let said: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((said["verdict"].as_str(), said["schema_version"].as_str()), (Some(verdict), Some("1")));
    let canonical = cask_core::canon::canonical(&said).unwrap();
    assert_eq!(ran.out.trim_end().as_bytes(), canonical, "JSON is canonical");
    said
}

/// The rows of one check, each as `status: message → hint`.
fn rows(said: &Value, code: &str) -> Vec<String> {
    let checks = said["checks"].as_array().unwrap().iter().filter(|check| check["code"] == code);
    let row = |check: &Value| {
        let word = |name: &str| check[name].as_str().unwrap().to_owned();
        format!("{}: {} → {}", word("status"), word("message"), word("hint"))
    };
    checks.map(row).collect()
}

fn row(said: &Value, code: &str) -> String {
    let rows = rows(said, code);
    assert_eq!(rows.len(), 1, "{code}: {said:#}");
    rows[0].clone()
}

#[test]
fn what_is_approved_is_ready() {
    let world = World::approved();
    let before = files(&world.root());
    let said = doctor(&world, 0, "ready");
    assert_eq!(files(&world.root()), before, "nothing is changed");
    for (code, expected) in [
        ("root", "ok: .caskmcp can be written"),
        ("state-lock", "ok: nobody holds the lock"),
        ("toolpack-opens", "ok: tp_0123456789ab: 2 tools for demo"),
        ("lockfile", "ok: tp_0123456789ab: revision 1, 2 tools served"),
        ("pending-work", "ok: tp_0123456789ab: everything is decided"),
        ("approvals-ending", "ok: tp_0123456789ab: no approval ends within 14 days"),
        ("policy", "ok: tp_0123456789ab: the policy fits the tools"),
        ("audit-log", "ok: tp_0123456789ab: the audit log can be begun"),
        (
            "trust",
            "warn: trust revision 1, 1 signer; nothing outside the repository pins it → CASK_TRUST_ROOT=sha256:",
        ),
        ("clock", "warn: CASK_NOW holds the time at 2026-11-22T10:00:00Z"),
    ] {
        let row = row(&said, code);
        assert!(row.starts_with(expected), "{code}: {row}");
    }
    let ran = world.cask(&["doctor"]);
    ok(&ran);
    assert!(ran.out.ends_with("\nready\n") && ran.out.contains("warn  clock"), "{}", ran.out);
    // Pinned, the trust is nothing to be warned about.
    let shown: Value = serde_json::from_str(&world.cask(&["trust", "show", "--json"]).out).unwrap();
    let mut pinned = world.command(&["doctor"]);
    let ran: Ran = pinned.env("CASK_TRUST_ROOT", shown["digest"].as_str().unwrap()).output().unwrap().into();
    assert!(ran.code == 0 && ran.out.contains("from the root that was pinned"), "{}{}", ran.out, ran.err);
}

#[test]
fn what_a_command_fixes_is_named() {
    let world = World::approved();
    let lock = world.root().join("state/lock");
    std::fs::write(&lock, "pid 1 (cask mint)").unwrap();
    let said = doctor(&world, 1, "fixable");
    assert!(row(&said, "state-lock").ends_with("→ cask state unlock"), "{said:#}");
    ok(&world.cask(&["state", "unlock"]));
    doctor(&world, 0, "ready");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let key = world.root().join("state/keys/alice@example.com.pem");
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
        let said = doctor(&world, 1, "fixable");
        assert!(row(&said, "keys-private").contains("(mode 644) → chmod 600"), "{said:#}");
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    // In a repository, the keys must be out of git's reach.
    let git = std::process::Command::new("git").arg("init").arg("-q").current_dir(world.path("")).status();
    assert!(git.unwrap().success());
    let said = doctor(&world, 0, "ready");
    assert!(row(&said, "state-ignored").starts_with("ok: git ignores"), "{said:#}");
    // The folder of the state says so itself, and its root says it again.
    std::fs::remove_file(world.root().join(".gitignore")).unwrap();
    doctor(&world, 0, "ready");
    std::fs::remove_file(world.root().join("state/.gitignore")).unwrap();
    let said = doctor(&world, 1, "fixable");
    assert!(row(&said, "state-ignored").ends_with("→ echo /state/ >> .caskmcp/.gitignore"), "{said:#}");
    let git = std::process::Command::new("git")
        .args(["add", ".caskmcp/state"])
        .current_dir(world.path(""))
        .status();
    assert!(git.unwrap().success());
    let said = doctor(&world, 1, "fixable");
    assert!(row(&said, "state-ignored").contains("is committed"), "{said:#}");
    // A root without a toolpack is one that `mint` begins.
    let empty = World::empty();
    std::fs::create_dir(empty.root()).unwrap();
    assert!(row(&doctor(&empty, 1, "fixable"), "toolpacks").contains("cask mint"));
}

#[test]
fn what_somebody_has_to_decide_is_blocked() {
    let world = World::new();
    ok(&world.cask(&["gate", "sync"]));
    let said = doctor(&world, 2, "blocked");
    assert!(row(&said, "lockfile").contains("nothing is approved yet"), "{said:#}");
    ok(&world.cask(&["gate", "allow", "--all", "--yes"]));
    doctor(&world, 0, "ready");
    // An older lockfile than the one that was accepted.
    let old = world.read(APPROVED);
    ok(&world.cask(&["gate", "block", "pay"]));
    doctor(&world, 0, "ready");
    world.write(APPROVED, &old);
    let said = doctor(&world, 2, "blocked");
    assert!(row(&said, "lockfile").contains("denied_lockfile_rolled_back"), "{said:#}");
    // A tool that is not the one that was approved.
    let world = World::approved();
    world.edit("artifact/tools.json", "Does one thing.", "Does another thing.");
    let said = doctor(&world, 2, "blocked");
    let pending = row(&said, "pending-work");
    assert!(
        pending.contains("changed-after-approval: tool/get_user") && pending.contains("cask diff"),
        "{pending}"
    );
    // A trust that is not the one that was accepted here.
    let world = World::approved();
    std::fs::copy(World::approved().root().join("trust.yaml"), world.root().join("trust.yaml")).unwrap();
    let said = doctor(&world, 2, "blocked");
    assert!(row(&said, "trust").contains("is not the one that was accepted on this machine"), "{said:#}");
}

#[test]
fn what_is_not_as_it_should_be_is_misconfigured() {
    let said = doctor(&World::empty(), 3, "misconfigured");
    assert!(row(&said, "root").contains(".caskmcp is not there"), "{said:#}");
    let world = World::approved();
    let manifest = world.read("toolpack.yaml");
    world.write("toolpack.yaml", "schema_version: \"1\"\nid: tp_0123456789ab\nname: demo\nzap: 1\n");
    let said = doctor(&world, 3, "misconfigured");
    assert!(row(&said, "toolpack-opens").starts_with("fail: "), "{said:#}");
    world.write("toolpack.yaml", &manifest);
    world.edit("artifact/policy.cedar", "permit (principal", "permit (principle");
    let said = doctor(&world, 3, "misconfigured");
    assert!(row(&said, "policy").contains("policy.cedar: "), "{said:#}");
    let world = World::approved();
    std::fs::write(world.root().join("trust.yaml"), "signers: 1\n").unwrap();
    let said = doctor(&world, 3, "misconfigured");
    assert!(row(&said, "trust").starts_with("fail: "), "{said:#}");
    let world = World::approved();
    let mut command = world.command(&["doctor", "--format", "json"]);
    let ran: Ran = command.env("CASK_NOW", "yesterday").output().unwrap().into();
    assert!(ran.code == 3 && ran.out.contains("CASK_NOW is `yesterday`"), "{}{}", ran.out, ran.err);
    // A clock that is behind the last seal: approvals would end too late.
    let mut command = world.command(&["doctor", "--format", "json"]);
    let ran: Ran = command.env("CASK_NOW", "2026-11-01T00:00:00Z").output().unwrap().into();
    assert!(
        ran.code == 3 && ran.out.contains("was sealed at 2026-11-22T10:00:00Z"),
        "{}{}",
        ran.out,
        ran.err
    );
    // A log whose chain is broken ends the calls.
    let log = world.root().join("state/audit/tp_0123456789ab.jsonl");
    std::fs::create_dir_all(log.parent().unwrap()).unwrap();
    std::fs::write(log, "{}\n").unwrap();
    let said = doctor(&world, 3, "misconfigured");
    assert!(row(&said, "audit-log").starts_with("fail: audit log"), "{said:#}");
}

#[test]
fn an_approval_that_ends_soon_is_told() {
    let world = World::new();
    ok(&world.cask(&["gate", "sync"]));
    ok(&world.cask(&["gate", "allow", "--all", "--yes", "--until", "2026-12-03"]));
    let said = doctor(&world, 0, "ready");
    let row = row(&said, "approvals-ending");
    assert!(
        row.starts_with("warn: tp_0123456789ab: from 2026-12-03T00:00:00Z on these end: tool/get_user, "),
        "{row}"
    );
}

/// What a program says of its version is all that is asked of it.
#[cfg(unix)]
#[test]
fn programs_around_it_are_found() {
    let world = World::approved();
    let said = doctor(&world, 0, "ready");
    assert!(row(&said, "git").starts_with("ok: found git "), "{said:#}");
    let make = "mkdir bin && printf '#!/bin/sh\necho This is cvc5 version 1.3.1 [git]\n' > bin/cvc5 && \
                chmod +x bin/cvc5 && touch bin/chromium";
    assert!(world.wrapped(&["sh", "-c", make], &[]).status().unwrap().success());
    let mut command = world.command(&["doctor"]);
    let path = format!("{}:{}", world.path("bin").display(), std::env::var("PATH").unwrap());
    let ran: Ran = command.env("PATH", path).output().unwrap().into();
    assert!(ran.out.contains("found cvc5 1.3.1: policy changes can be proved"), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("found chromium"), "{}", ran.out);
    let mut command = world.command(&["doctor"]);
    let ran: Ran = command.env("PATH", world.path("nothing")).output().unwrap().into();
    assert!(
        ran.code == 0 && ran.out.contains("count as wider") && ran.out.contains("git not found"),
        "{}",
        ran.out
    );
}
