//! Who may decide: several signers, thresholds, changes of the trust, its root, keys that are lost.

use crate::world::{Ran, World};

const BOB: &str = "bob@example.com";

/// A world with a pending toolpack, trusted alice, and bob, who may do everything too.
fn two() -> World {
    let world = World::new();
    ok(&world.cask(&["gate", "sync"]));
    ok(&world.cask(&["trust", "init"]));
    trust_bob(&world, &[]);
    world
}

fn trust_bob(world: &World, more: &[&str]) {
    let made = world.cask(&["keys", "new", "--by", BOB]);
    ok(&made);
    let key = made.out.lines().nth(1).unwrap().to_owned();
    let roles = ["--role", "approve", "--role", "seal", "--role", "trust"];
    let all: Vec<&str> =
        ["trust", "add", BOB, "--key", &key].into_iter().chain(roles).chain(more.iter().copied()).collect();
    ok(&world.cask(&all));
}

fn ok(ran: &Ran) {
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

fn refused(ran: &Ran, what: &str) {
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains(what), "{}", ran.err);
}

fn trust_root(world: &World) -> String {
    let shown = world.cask(&["trust", "show"]).out;
    let line = shown.lines().find(|line| line.starts_with("pin it")).unwrap();
    line.rsplit(' ').next().unwrap().to_owned()
}

#[test]
fn critical_subjects_take_two_and_the_rest_is_served_meanwhile() {
    let world = two();
    ok(&world.cask(&["trust", "threshold", "critical", "2"]));
    let ran = world.cask(&["gate", "allow", "get_user"]);
    ok(&ran);
    // The policy covers a critical tool as well, so it takes two.
    assert!(ran.out.contains("not served before more signers agree"), "{}", ran.out);
    ok(&world.cask(&["gate", "allow", "--all", "--yes"]));
    let check = world.cask(&["gate", "check"]);
    assert_eq!(check.code, 1, "{}", check.out);
    assert!(
        check.out.contains("quorum-not-met") && check.out.contains("1 of 2 signers agree"),
        "{}",
        check.out
    );
    assert_eq!(world.cask(&["gate", "check", "--toolset", "readonly"]).code, 1, "the policy is short");
    let ran = world.cask(&["run"]);
    assert!(ran.code == 2 && ran.err.contains("denied_quorum_not_met"), "{}", ran.err);
    // The same again by the same signer is no second one.
    ok(&world.cask(&["gate", "allow", "pay", "policy"]));
    assert_eq!(world.cask(&["gate", "check"]).code, 1);
    let ran = world.cask(&["gate", "allow", "--all", "--yes", "--by", BOB]);
    ok(&ran);
    assert!(!ran.out.contains("not served"), "{}", ran.out);
    ok(&world.cask(&["gate", "check"]));
    let status = world.cask(&["gate", "status", "--status", "approved", "--format", "json"]);
    assert_eq!(status.out.matches("\"standing\":\"approved\"").count(), 6, "{}", status.out);
}

#[test]
fn a_change_of_trust_takes_the_quorum_of_the_trust_before_it() {
    let world = two();
    ok(&world.cask(&["trust", "threshold", "trust", "2"]));
    let file = world.root().join("trust.yaml");
    let before = std::fs::read_to_string(&file).unwrap();
    let ran = world.cask(&["trust", "threshold", "high", "2"]);
    assert_eq!(
        (ran.code, ran.out.contains("waits, agreed to by alice@example.com")),
        (1, true),
        "{}",
        ran.out
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before, "nothing counts yet");
    refused(&world.cask(&["trust", "threshold", "low", "1"]), "a change of the trust waits");
    refused(&world.cask(&["trust", "approve", "--by", BOB]), "--digest sha256:");
    let shown = world.cask(&["trust", "show"]).out;
    assert!(shown.contains("threshold `high`: 1 before, 2 now"), "{shown}");
    let digest = shown.lines().find_map(|line| line.trim().strip_prefix("digest ")).unwrap().to_owned();
    let ran = world.cask(&["trust", "approve", "--digest", &digest]);
    assert_eq!(ran.code, 1, "the same signer twice is one");
    let ran = world.cask(&["trust", "approve", "--digest", &digest, "--by", BOB]);
    ok(&ran);
    assert!(world.cask(&["trust", "show"]).out.contains("high 2"));
    assert!(!world.root().join("trust.pending.yaml").exists());
    refused(&world.cask(&["trust", "approve"]), "no change of the trust waits");
    // Somebody who can write the repository puts a change there: no honest command takes it along.
    assert_eq!(world.cask(&["trust", "threshold", "medium", "2"]).code, 1);
    let pending = world.root().join("trust.pending.yaml");
    let planted = std::fs::read_to_string(&pending).unwrap();
    let planted = planted
        .split("approvals:")
        .next()
        .unwrap()
        .replace("medium: 2", "medium: 1")
        .replace("trust: 2", "trust: 1");
    std::fs::write(&pending, planted).unwrap();
    refused(&world.cask(&["trust", "threshold", "low", "2"]), "a change of the trust waits");
    assert!(world.cask(&["trust", "show"]).out.contains("agreed to by nobody whose agreement counts"));
    ok(&world.cask(&["trust", "discard"]));
    // What nobody agreed to is refused, whatever was changed.
    ok(&world.cask(&["gate", "allow", "get_user"]));
    let good = std::fs::read_to_string(&file).unwrap();
    let bob = good.find("  - id: bob@example.com").unwrap();
    let after_bob = bob + good[bob..].find("approvals:").unwrap();
    let without_bob = format!("{}{}", &good[..bob], &good[after_bob..]);
    let next = good.replace("revision: ", "revision: 1").replace("trust: 2", "trust: 1");
    for (name, forged) in [
        ("fewer signers asked for", good.replace("trust: 2", "trust: 1")),
        ("one signer less", without_bob),
        ("the one before", before),
        ("a later number", next),
        (
            "a role more",
            good.replacen("max_risk: critical", "max_risk: critical\n    from: 2026-01-01T00:00:00Z", 1),
        ),
    ] {
        std::fs::write(&file, &forged).unwrap();
        for command in [
            &["gate", "check"][..],
            &["run"],
            &["trust", "check"],
            &["trust", "show"],
            &["gate", "allow", "pay"],
        ] {
            let ran = world.cask(command);
            assert!(ran.code == 3, "{name}: {command:?}: {}{}", ran.out, ran.err);
        }
    }
    std::fs::write(&file, good).unwrap();
    ok(&world.cask(&["trust", "check"]));
}

#[test]
fn a_trust_root_from_outside_holds_where_nothing_is_remembered() {
    let world = two();
    let root = trust_root(&world);
    ok(&world.cask(&["gate", "allow", "--all", "--yes"]));
    // Another machine: nothing is remembered there, and the repository came from somebody who can write it.
    let theirs = two();
    ok(&theirs.cask(&["gate", "allow", "--all", "--yes"]));
    std::fs::remove_dir_all(theirs.root().join("state")).unwrap();
    ok(&theirs.cask(&["gate", "check"]));
    refused(&theirs.cask(&["gate", "check", "--trust-root", &root]), "--trust-root");
    let mut pinned = theirs.command(&["run"]);
    refused(&pinned.env("CASK_TRUST_ROOT", &root).output().unwrap().into(), "--trust-root");
    // A change that the quorum made is followed from the root on.
    ok(&world.cask(&["trust", "threshold", "low", "1"]));
    ok(&world.cask(&["trust", "threshold", "high", "2"]));
    std::fs::remove_dir_all(world.root().join("state")).unwrap();
    ok(&world.cask(&["trust", "check", "--trust-root", &root]));
    let kept: Vec<_> = std::fs::read_dir(world.root().join("trust")).unwrap().collect();
    assert_eq!(kept.len(), 3);
    std::fs::remove_file(world.root().join("trust/3.yaml")).unwrap();
    refused(&world.cask(&["trust", "check", "--trust-root", &root]), "revision 3");
    std::fs::remove_file(world.root().join("trust.yaml")).unwrap();
    refused(&world.cask(&["run", "--trust-root", &root]), "there is no");
    refused(&world.cask(&["run", "--trust-root", "sha256:1"]), "not a digest");
}

#[test]
fn a_signer_decides_within_their_limits() {
    let world = World::new();
    ok(&world.cask(&["gate", "sync"]));
    ok(&world.cask(&["trust", "init"]));
    let key = world.cask(&["keys", "new", "--by", BOB]).out.lines().nth(1).unwrap().to_owned();
    ok(&world.cask(&["trust", "add", BOB, "--key", &key, "--max-risk", "low", "--role", "approve"]));
    refused(&world.cask(&["gate", "allow", "get_user", "--by", BOB]), "cannot seal");
    refused(&world.cask(&["trust", "threshold", "low", "1", "--by", BOB]), "may not change the trust");
    // Their approval goes by file; it counts as far as the trust says.
    let ran = world.cask(&["gate", "export", "--sign", "--by", BOB, "get_user", "pay", "--file", "bob.json"]);
    ok(&ran);
    let ran = world.cask(&["gate", "import", "bob.json"]);
    ok(&ran);
    assert!(ran.out.contains("tool/get_user by bob@example.com: counts"), "{}", ran.out);
    assert!(
        ran.out.contains("tool/pay by bob@example.com: does not count: the signer may not decide"),
        "{}",
        ran.out
    );
    ok(&world.cask(&["gate", "allow", "policy", "toolset/readonly", "host/api.example.com"]));
    assert_eq!(world.standing("tool/get_user"), "approved");
    assert_eq!(world.standing("tool/pay"), "pending", "what does not count does not get in");
    assert!(world.cask(&["gate", "import", "bob.json"]).out.contains("nothing new"));
    // A file of approvals is good for what it was signed for.
    let text = std::fs::read_to_string(world.path("bob.json")).unwrap();
    std::fs::write(world.path("other.json"), text.replace("tp_0123456789ab", "tp_ffffffffffff")).unwrap();
    refused(&world.cask(&["gate", "import", "other.json"]), "are for toolpack");
    world.edit("artifact/tools.json", "Does one thing.", "Does another thing.");
    ok(&world.cask(&["gate", "sync"]));
    refused(&world.cask(&["gate", "import", "bob.json"]), "is not what was approved");
    for (name, bad) in [("empty", ""), ("not ours", "{}"), ("cut", &text[..text.len() / 2])] {
        std::fs::write(world.path("bad.json"), bad).unwrap();
        refused(&world.cask(&["gate", "import", "bad.json"]), "bad.json");
        assert!(!name.is_empty());
    }
}

#[test]
fn whoever_made_a_change_may_not_be_the_one_to_approve_it() {
    let world = two();
    ok(&world.cask(&["trust", "self-approval", "off"]));
    ok(&world.cask(&["gate", "sync"]));
    let ran = world.cask(&["gate", "allow", "--all", "--yes"]);
    ok(&ran);
    assert!(ran.out.contains("not served before more signers agree"), "{}", ran.out);
    let check = world.cask(&["gate", "check"]);
    assert!(check.out.contains("the signer made the change"), "{}", check.out);
    ok(&world.cask(&["gate", "allow", "--all", "--yes", "--by", BOB]));
    ok(&world.cask(&["gate", "check"]));
}

#[test]
fn a_revoked_key_counts_up_to_then_and_a_compromised_one_never_did() {
    let world = two();
    ok(&world.cask(&["gate", "allow", "--all", "--yes", "--by", BOB]));
    let key = world.cask(&["trust", "show"]).out;
    let key = key
        .lines()
        .find(|line| line.starts_with("bob@example.com signs with"))
        .unwrap()
        .rsplit(' ')
        .next()
        .unwrap()
        .to_owned();
    let at = |time: &str, args: &[&str]| -> Ran {
        world.command(args).env("CASK_NOW", time).output().unwrap().into()
    };
    ok(&at("2026-11-23T00:00:00Z", &["keys", "revoke", &key, "--reason", "left"]));
    ok(&at("2026-11-23T01:00:00Z", &["gate", "check"]));
    refused(&at("2026-11-23T01:00:00Z", &["gate", "allow", "pay", "--by", BOB]), "revoked");
    ok(&at("2026-11-23T02:00:00Z", &["keys", "revoke", &key, "--compromised"]));
    let check = at("2026-11-23T03:00:00Z", &["gate", "check"]);
    assert_eq!(check.code, 2, "{}", check.out);
    assert!(
        check.out.contains("approval-key-revoked") && check.out.contains("denied_lockfile_seal_revoked"),
        "{}",
        check.out
    );
    let ran = at("2026-11-23T03:00:00Z", &["run"]);
    assert!(ran.code == 2 && ran.err.contains("cask gate reseal"), "{}", ran.err);
    // Somebody else looks at it, seals it, and approves it again.
    refused(&at("2026-11-23T03:00:00Z", &["gate", "allow", "--all", "--yes"]), "reseal");
    ok(&at("2026-11-23T03:00:00Z", &["gate", "reseal", "--yes"]));
    assert_eq!(at("2026-11-23T03:00:00Z", &["gate", "check"]).code, 2);
    ok(&at("2026-11-23T03:00:00Z", &["gate", "allow", "--all", "--yes"]));
    ok(&at("2026-11-23T03:00:00Z", &["gate", "check"]));
}

#[test]
fn a_rotated_key_takes_over() {
    let world = two();
    ok(&world.cask(&["gate", "allow", "--all", "--yes"]));
    let ran: Ran =
        world.command(&["keys", "rotate"]).env("CASK_NOW", "2026-11-23T00:00:00Z").output().unwrap().into();
    ok(&ran);
    let later = |args: &[&str]| -> Ran {
        world.command(args).env("CASK_NOW", "2026-11-24T00:00:00Z").output().unwrap().into()
    };
    ok(&later(&["gate", "check"]));
    ok(&later(&["gate", "block", "pay"]));
    let old = world.root().join("state/keys/alice@example.com.old.pem");
    refused(&later(&["gate", "block", "get_user", "--sign-with", old.to_str().unwrap()]), "revoked");
    assert!(later(&["keys", "list"]).out.contains("alice@example.com"));
}

#[test]
fn what_is_taken_back_does_not_come_again() {
    let world = two();
    ok(&world.cask(&["gate", "allow", "--all", "--yes", "--by", BOB]));
    ok(&world.cask(&["gate", "export", "pay", "--file", "bob.json"]));
    refused(&world.cask(&["gate", "revoke", "pay"]), "approved none of these");
    let ran = world.cask(&["gate", "revoke", "pay", "--by", BOB]);
    ok(&ran);
    assert_eq!(world.standing("tool/pay"), "pending");
    let ran = world.cask(&["gate", "import", "bob.json"]);
    assert!(ran.out.contains("does not count: it was withdrawn"), "{}{}", ran.out, ran.err);
    assert_eq!(world.cask(&["gate", "check"]).code, 1);
    // Nor does what was approved before a block that is lifted.
    ok(&world.cask(&["gate", "export", "get_user", "--file", "bob2.json"]));
    ok(&world.cask(&["gate", "block", "get_user"]));
    assert!(world.cask(&["gate", "import", "bob2.json"]).out.contains("nothing new"), "a block stays");
    ok(&world.cask(&["trust", "threshold", "low", "2"]));
    ok(&world.cask(&["gate", "allow", "get_user"]));
    let ran = world.cask(&["gate", "import", "bob2.json"]);
    assert!(ran.out.contains("does not count: it was withdrawn"), "{}{}", ran.out, ran.err);
}

#[test]
fn what_is_gone_is_pruned_when_asked() {
    let world = World::approved();
    world.write_tools(&[crate::world::tool("get_user", "read", "low", "GET")]);
    world.edit("artifact/toolsets.yaml", "[get_user, pay]", "[get_user]");
    ok(&world.cask(&["gate", "sync"]));
    assert_eq!(world.standing("tool/pay"), "removed");
    ok(&world.cask(&["gate", "allow", "toolset/operator", "get_user"]));
    assert_eq!(world.standing("tool/pay"), "removed", "kept until it is asked for");
    let ran = world.cask(&["gate", "sync", "--prune-removed"]);
    assert!(ran.out.contains("pruned   tool/pay"), "{}", ran.out);
    let ran = world.cask(&["gate", "allow", "get_user"]);
    assert!(ran.out.contains("removed tool/pay"), "{}{}", ran.out, ran.err);
    ok(&world.cask(&["gate", "check"]));
}

#[test]
fn tools_are_chosen_by_risk() {
    let world = World::new();
    ok(&world.cask(&["gate", "sync"]));
    let ran = world.cask(&["gate", "allow", "--risk-max", "medium"]);
    ok(&ran);
    assert_eq!(world.standing("tool/get_user"), "approved");
    assert_eq!(world.standing("tool/pay"), "pending");
    ok(&world.cask(&["gate", "check", "--toolset", "readonly"]));
    assert_eq!(world.cask(&["gate", "check", "--toolset", "operator"]).code, 1);
    refused(&world.cask(&["gate", "check", "--toolset", "nothing"]), "no toolset");
    ok(&world.cask(&["gate", "allow", "--only", "critical"]));
    ok(&world.cask(&["gate", "check"]));
}

#[test]
fn what_was_decided_is_never_decided_again_in_passing() {
    let world = World::new();
    ok(&world.cask(&["gate", "sync"]));
    ok(&world.cask(&["gate", "allow", "get_user", "--until", "2026-11-23"]));
    // An approval that ended does not come back because what it approved has changed.
    let later = |args: &[&str]| -> Ran {
        world.command(args).env("CASK_NOW", "2026-11-24T00:00:00Z").output().unwrap().into()
    };
    ok(&later(&["gate", "allow", "policy", "get_user", "host/api.example.com"]));
    let ran = later(&["run"]);
    assert!(ran.code == 3 && ran.err.contains("toolset `readonly` is not approved"), "{}", ran.err);
    world.edit("artifact/toolsets.yaml", "readonly: [get_user]", "readonly: [get_user, pay]");
    let ran = later(&["run"]);
    assert!(ran.code == 3 && ran.err.contains("toolset `readonly` is not approved"), "{}", ran.err);
    world.edit("artifact/toolsets.yaml", "readonly: [get_user, pay]", "readonly: [get_user]");
    // A policy that changed is not approved along with a tool, of whatever risk.
    world.edit("artifact/policy.cedar", "reads", "all");
    ok(&later(&["gate", "sync"]));
    ok(&later(&["gate", "allow", "pay"]));
    assert_eq!(world.standing("policy/default"), "changed");
    // A block is lifted by name only.
    ok(&later(&["gate", "block", "get_user"]));
    for args in [&["--toolset", "readonly"][..], &["--only", "low"], &["--risk-max", "critical"], &["--all"]]
    {
        let args: Vec<&str> = ["gate", "allow"].iter().chain(args).copied().collect();
        later(&args);
        assert_eq!(world.standing("tool/get_user"), "blocked", "{args:?}");
    }
}

#[test]
fn what_one_signer_approved_is_still_shown_to_the_other() {
    let world = two();
    ok(&world.cask(&["trust", "threshold", "low", "2"]));
    ok(&world.cask(&["gate", "allow", "--all", "--yes"]));
    ok(&world.cask(&["gate", "allow", "--all", "--yes", "--by", BOB]));
    ok(&world.cask(&["diff"]));
    world.edit("artifact/tools.json", "Does one thing.", "Does another thing.");
    ok(&world.cask(&["gate", "sync"]));
    ok(&world.cask(&["gate", "allow", "get_user"]));
    let ran = world.cask(&["diff"]);
    assert!(
        ran.code == 1 && ran.out.contains("tool-description-changed") || ran.out.contains("new tool"),
        "{}",
        ran.out
    );
    ok(&world.cask(&["gate", "allow", "get_user", "--by", BOB]));
    ok(&world.cask(&["diff"]));
}

#[test]
fn a_tool_does_not_choose_its_own_risk() {
    let world = World::new();
    ok(&world.cask(&["gate", "sync"]));
    ok(&world.cask(&["trust", "init"]));
    let key = world.cask(&["keys", "new", "--by", BOB]).out.lines().nth(1).unwrap().to_owned();
    ok(&world.cask(&["trust", "add", BOB, "--key", &key, "--max-risk", "low"]));
    let mut tool = crate::world::tool("delete_user", "delete", "safe", "DELETE");
    tool["effect"] = "delete".into();
    world.write_tools(&[tool]);
    world.write("artifact/toolsets.yaml", "schema_version: \"1\"\ntoolsets:\n  operator: [delete_user]\n");
    ok(&world.cask(&["gate", "sync"]));
    let status = world
        .cask(&[
            "gate",
            "status",
            "--lockfile",
            world.pack("lockfile/caskmcp.lock.pending.yaml").to_str().unwrap(),
        ])
        .out;
    let line = status.lines().find(|line| line.contains("delete_user")).unwrap().to_owned();
    assert!(!line.contains("safe") && !line.contains("low"), "{line}");
    let ran = world.cask(&["gate", "allow", "--all", "--yes", "--by", BOB]);
    assert!(ran.code == 3 && ran.err.contains("cannot seal"), "{}{}", ran.out, ran.err);
    assert!(
        !world.pack("lockfile/caskmcp.lock.approved.yaml").exists(),
        "what nobody would accept is not written"
    );
    ok(&world.cask(&["gate", "allow", "--all", "--yes"]));
}

#[test]
fn a_fork_of_the_lockfile_is_refused_and_a_block_is_remembered() {
    let world = World::approved();
    let fork = world.copy();
    ok(&world.cask(&["gate", "block", "pay", "--reason", "no"]));
    // The same signer decides elsewhere on the revision before, twice.
    ok(&fork.cask(&["gate", "revoke", "get_user"]));
    ok(&fork.cask(&["gate", "allow", "get_user"]));
    world.write("lockfile/caskmcp.lock.approved.yaml", &fork.read("lockfile/caskmcp.lock.approved.yaml"));
    let ran = world.cask(&["run"]);
    assert!(ran.code == 2 && ran.err.contains("denied_lockfile_forked"), "{}", ran.err);
    ok(&fork.cask(&["gate", "revoke", "get_user"]));
    world.write("lockfile/caskmcp.lock.approved.yaml", &fork.read("lockfile/caskmcp.lock.approved.yaml"));
    let ran = world.cask(&["gate", "check", "--format", "json"]);
    assert!(ran.code == 2 && ran.out.contains("`tool/pay` was blocked in revision 2"), "{}", ran.out);
    ok(&world.cask(&["state", "accept", "--yes"]));
}

#[test]
fn a_file_of_approvals_that_says_what_it_likes_gets_nothing_in() {
    let world = two();
    ok(&world.cask(&["gate", "allow", "--all", "--yes"]));
    ok(&world.cask(&["gate", "export", "--file", "a.json"]));
    let before = world.read("lockfile/caskmcp.lock.approved.yaml");
    let text = std::fs::read_to_string(world.path("a.json")).unwrap();
    let mut forged: serde_json::Value = serde_json::from_str(&text).unwrap();
    for envelope in forged["approvals"].as_array_mut().unwrap() {
        envelope["signatures"][0]["sig"] = "A".repeat(86).into();
    }
    std::fs::write(world.path("forged.json"), forged.to_string()).unwrap();
    let ran = world.cask(&["gate", "import", "forged.json"]);
    assert!(ran.code == 0 && ran.out.contains("nothing new was taken"), "{}{}", ran.out, ran.err);
    assert_eq!(world.read("lockfile/caskmcp.lock.approved.yaml"), before);
    // An older word of a signer does not replace a newer one.
    ok(&world.cask(&["gate", "allow", "pay", "--until", "2026-11-23", "--reason", "for a day"]));
    let ran = world.cask(&["gate", "import", "a.json"]);
    assert!(!ran.out.contains("tool/pay by alice@example.com: counts"), "{}", ran.out);
    assert!(world.read("lockfile/caskmcp.lock.approved.yaml").contains("for a day"));
}

#[cfg(unix)]
#[test]
fn the_state_is_no_link_into_the_repository() {
    let world = World::new();
    std::fs::create_dir_all(world.root().join("captures")).unwrap();
    std::os::unix::fs::symlink("captures", world.root().join("state")).unwrap();
    for command in
        [&["gate", "sync"][..], &["gate", "allow", "--all", "--yes"], &["keys", "new"], &["trust", "init"]]
    {
        let ran = world.cask(command);
        assert!(ran.code == 3 && ran.err.contains("is a symbolic link"), "{command:?}: {}", ran.err);
    }
    assert_eq!(std::fs::read_dir(world.root().join("captures")).unwrap().count(), 0);
}
