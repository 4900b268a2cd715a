//! `cask scopes` from the outside: what is suggested, taken over, approved, and held while it is served.

use std::path::{Path, PathBuf};

use cask_core::artifact;
use cask_core::toolpack::Binding;

use crate::run::{self, Client};
use crate::world::{Ran, World};

const FILE: &str = "scopes/scopes.yaml";
const SUGGESTED: &str = "artifact/scopes.suggested.yaml";

/// A suggestion that is a guess about money, and one that is not.
const SUGGESTIONS: &str = r#"schema_version: "1"
scopes:
  users.payment:
    intent: move money through users
    surface: {hosts: [api.example.com], tools: [pay], effects: [payment]}
    risk: critical
    confirm: true
    confidence: low
    signals:
      - {signal: never-seen, detail: nobody saw it}
    review_required: true
    review: suggested
  users.read:
    intent: read users
    surface: {hosts: [api.example.com], tools: [get_user], effects: [read]}
    risk: low
    confirm: false
    constraints:
      get_user:
        user_id: {enum: [u-1, u-2]}
    confidence: high
    signals: []
    review_required: false
    review: suggested
"#;

/// Scopes as a person writes them, with one limit.
fn scopes(hosts: &str, limit: &str) -> String {
    format!(
        r#"# who may read what
schema_version: "1"
toolpacks:
  tp_0123456789ab:
    scopes:
      reads: # both ways
        intent: read users
        tools: [get_user, list_user]
        hosts: ["{hosts}"]
        effects: [read]
        max_risk: medium
        constraints:
          get_user:
            user_id: {limit}
        review: accepted
"#
    )
}

fn put(root: &Path, text: &str) -> PathBuf {
    let path = root.join(FILE);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

fn ok(ran: &Ran) {
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

fn says(ran: &Ran, code: i32, what: &str) {
    let said = format!("{}{}", ran.out, ran.err);
    assert_eq!(ran.code, code, "{said}");
    assert!(said.contains(what), "{what}: {said}");
}

#[test]
fn an_approved_scope_is_held_and_an_edited_one_serves_nothing() {
    let world = run::world();
    let root = world.dir.path().join("root");
    let tools = root.join("toolpacks/tp_0123456789ab/artifact/tools.json");
    let tools = artifact::tools::read(&std::fs::read_to_string(tools).unwrap()).unwrap();
    let Binding::Http(http) = &tools[0].binding;
    let limits = |get: &str| {
        let list = "          list_user:\n            user_id: {enum: [\"7\"]}\n        review:";
        scopes(&http.host, get).replace("        review:", list)
    };
    let file = put(&root, &limits("{prefix: \"4\"}"));
    world.approve();
    let lockfile = root.join("toolpacks/tp_0123456789ab/lockfile/caskmcp.lock.approved.yaml");
    assert!(std::fs::read_to_string(lockfile).unwrap().contains("  scope/reads:\n"));

    // The tests' client always asks for user 42.
    let mut client = world.serve(&[]);
    assert_eq!(client.names(), ["get_user", "list_user"]);
    assert_eq!(client.call("get_user").0, "allowed_policy");
    let (code, text) = client.call("list_user");
    assert_eq!(code, "denied_scope_constraint");
    assert!(text.contains("/user_id") && !text.contains("42"), "{text}");
    client.end();

    let again = |expect: &str| {
        let mut client = world.serve(&[]);
        let names = client.names();
        for tool in ["get_user", "list_user"] {
            assert_eq!(client.call(tool).0, expect);
        }
        let said = client.end();
        (names, said)
    };
    // Whichever way it was changed, and if it is gone.
    for limit in ["{prefix: \"42\"}", "{prefix: \"4\", optional: true}"] {
        put(&root, &limits(limit));
        let (names, said) = again("denied_scope_not_approved");
        assert!(names.is_empty(), "{names:?}");
        assert!(said.contains("2 withheld: 2 in a scope that is not approved"), "{said}");
    }
    std::fs::remove_file(&file).unwrap();
    assert!(again("denied_scope_not_approved").0.is_empty());
    let check = world.cask(&["gate", "check"]);
    assert_eq!(check.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&check.stdout).contains("scope-gone"));
    // That it is gone is not approved in passing. Somebody approves that it holds nothing: nothing limits the tools then.
    world.approve();
    assert!(again("denied_scope_not_approved").0.is_empty());
    put(
        &root,
        "schema_version: \"1\"\ntoolpacks:\n  tp_0123456789ab:\n    scopes:\n      reads:\n        intent: \"none\"\n        \
         tools: []\n        hosts: []\n        effects: []\n        max_risk: safe\n        confirm: false\n        review: accepted\n",
    );
    world.approve();
    assert_eq!(again("allowed_policy").0.len(), 2);
    std::fs::remove_file(&file).unwrap();
    world.approve();
    assert_eq!(again("allowed_policy").0.len(), 2);
}

#[test]
fn a_guess_about_money_is_not_approved_before_a_person_takes_it_over() {
    let world = World::new();
    world.write(SUGGESTED, SUGGESTIONS);
    says(&world.cask(&["scopes", "check"]), 2, "scope-unsure");
    ok(&world.cask(&["gate", "sync"]));
    for args in [&["gate", "allow", "pay"][..], &["gate", "export", "pay", "--sign"]] {
        says(&world.cask(args), 3, "review: accepted");
    }
    // All is all but that.
    says(&world.cask(&["gate", "allow", "--all", "--yes"]), 1, "left out");
    assert_eq!(
        (world.standing("tool/get_user"), world.standing("tool/pay")),
        ("approved".into(), "pending".into())
    );
    ok(&world.cask(&["gate", "allow", "get_user"]));
    says(&world.cask(&["scopes", "merge"]), 1, "scope-proposed");
    assert!(!world.root().join(FILE).exists(), "only shown");
    ok(&world.cask(&["scopes", "merge", "--write"]));
    let file = world.root().join(FILE);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("users.payment:") && text.contains("user_id:"), "{text}");
    assert_eq!(artifact::scopes::write(&artifact::scopes::read(&text).unwrap()), text);
    // It only stands there.
    ok(&world.cask(&["gate", "sync"]));
    says(&world.cask(&["gate", "allow", "pay"]), 3, "review: accepted");
    says(&world.cask(&["scopes", "check"]), 2, "scope-review-open");
    std::fs::write(&file, text.replace("review: suggested", "review: accepted")).unwrap();
    ok(&world.cask(&["gate", "allow", "pay"]));
    ok(&world.cask(&["scopes", "check"]));
    // The scope itself is still to be approved, and says so.
    says(&world.cask(&["gate", "check"]), 1, "scope/users.payment");
    ok(&world.cask(&["gate", "allow", "scope/users.payment", "scope/users.read"]));
    ok(&world.cask(&["gate", "check"]));
    ok(&world.cask(&["scopes", "diff"]));
    let listed = world.cask(&["scopes", "list"]);
    assert!(listed.out.contains("users.payment") && listed.out.contains("accepted"), "{}", listed.out);
    says(&world.cask(&["scopes", "show", "users.payment"]), 0, "never-seen");
    says(&world.cask(&["scopes", "show", "users"]), 3, "users.payment, users.read");
}

#[test]
fn merging_changes_nothing_that_a_person_wrote() {
    let world = World::new();
    world.write(SUGGESTED, SUGGESTIONS);
    let mine = scopes("api.example.com", "{prefix: u-}").replace("reads: #", "users.read: #");
    let file = put(&world.root(), &mine);
    let ran = world.cask(&["scopes", "merge"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("scope-differs") && ran.out.contains("scope-proposed"), "{}", ran.out);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), mine);
    ok(&world.cask(&["scopes", "merge", "--write"]));
    let after = std::fs::read_to_string(&file).unwrap();
    let mut rest = after.lines();
    for line in mine.lines() {
        assert!(rest.any(|one| one == line), "{line}\nin\n{after}");
    }
    let read = |text: &str| {
        artifact::scopes::read(text).unwrap().toolpacks.remove("tp_0123456789ab").unwrap().scopes
    };
    let (before, now) = (read(&mine), read(&after));
    assert_eq!(now.keys().collect::<Vec<_>>(), ["users.payment", "users.read"]);
    assert_eq!(now["users.read"], before["users.read"]);
    says(&world.cask(&["scopes", "merge", "--write"]), 0, "nothing to add");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), after);
    // Where nothing can be added without changing what stands there, a person has to.
    let flow = "{schema_version: \"1\", toolpacks: {}}\n";
    put(&world.root(), flow);
    says(&world.cask(&["scopes", "merge", "--write"]), 3, "not written in blocks");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), flow);
}

#[test]
fn a_change_goes_one_way_and_is_signed_whichever_way_it_goes() {
    let world = World::new();
    let text = scopes("api.example.com", "{prefix: u-}").replace(", list_user", "");
    let file = put(&world.root(), &text);
    ok(&world.cask(&["gate", "sync"]));
    ok(&world.cask(&["gate", "allow", "--all", "--yes"]));
    ok(&world.cask(&["scopes", "diff"]));
    for (from, to, code, rule) in [
        ("max_risk: medium", "max_risk: low", 1, "scope-narrowed"),
        ("{prefix: u-}", "{prefix: u-1}", 1, "scope-narrowed"),
        ("read users", "read our users", 1, "scope-changed"),
        ("{prefix: u-}", "{prefix: u}", 2, "scope-broadened"),
        ("[read]", "[read, write]", 2, "scope-broadened"),
        ("      reads: # both ways", "      others:", 2, "scope-removed"),
    ] {
        assert!(text.contains(from), "{from}");
        std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
        says(&world.cask(&["scopes", "diff"]), code, rule);
        says(&world.cask(&["diff"]), code, rule);
        assert_eq!(world.cask(&["gate", "check"]).code, 2, "{to}");
    }
    // What is approved and stays is not asked about again.
    std::fs::write(&file, text.replacen("{prefix: u-}", "{prefix: u-1}", 1)).unwrap();
    says(&world.cask(&["gate", "sync"]), 0, "changed  scope/reads");
    ok(&world.cask(&["gate", "allow", "scope/reads"]));
    ok(&world.cask(&["gate", "check"]));
    // A limit that holds nothing is not signed.
    std::fs::write(&file, text.replacen("user_id:", "usr_id:", 1)).unwrap();
    ok(&world.cask(&["gate", "sync"]));
    says(&world.cask(&["gate", "allow", "scope/reads"]), 3, "no argument `usr_id`");
}

#[test]
fn a_preset_holds_what_it_leaves_out() {
    let world = World::new();
    ok(&world.cask(&["scopes", "apply", "admin_blocked"]));
    assert_eq!(world.cask(&["scopes", "apply", "everything"]).code, 3);
    says(&world.cask(&["scopes", "apply", "readonly_all"]), 1, "readonly_all.withheld");
    ok(&world.cask(&["scopes", "apply", "readonly_all", "--write"]));
    ok(&world.cask(&["gate", "sync"]));
    ok(&world.cask(&["gate", "allow", "--all", "--yes"]));
    let mut client = Client::start(world.command(&["run", "--toolset", "operator", "--dry-run"]));
    assert_eq!(client.names(), ["get_user"]);
    assert_eq!(client.call("get_user").0, "dry_run");
    assert_eq!(client.call("pay").0, "denied_out_of_scope");
    client.end();
}

#[test]
fn a_file_that_is_not_understood_stops_everything() {
    let world = World::approved();
    let good = scopes("api.example.com", "{prefix: u-}");
    for (from, to, expect) in [
        ("schema_version: \"1\"", "schema_version: \"2\"", "use the cask that wrote it"),
        ("max_risk:", "maximal_risk:", "maximal_risk"),
        ("{prefix: u-}", "{prefix: u-, min: 1}", "/constraints/get_user/user_id"),
        ("[get_user, list_user]", "&all [get_user]", ""),
        ("toolpacks:", "toolpacks: {", ""),
    ] {
        assert!(good.contains(from), "{from}");
        put(&world.root(), &good.replacen(from, to, 1));
        for args in [
            &["run"][..],
            &["gate", "check"],
            &["gate", "allow", "--all", "--yes"],
            &["diff"],
            &["scopes", "list"],
        ] {
            let ran = world.cask(args);
            assert_eq!(ran.code, 3, "{args:?} {to}: {}", ran.out);
            assert!(ran.err.contains("scopes.yaml") && ran.err.contains(expect), "{args:?}: {}", ran.err);
        }
    }
    #[cfg(unix)]
    {
        let outside = world.path("elsewhere.yaml");
        std::fs::write(&outside, &good).unwrap();
        let file = world.root().join(FILE);
        std::fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink(&outside, &file).unwrap();
        says(&world.cask(&["run"]), 3, "scopes.yaml");
        std::fs::remove_file(&outside).unwrap();
        says(&world.cask(&["run"]), 3, "scopes.yaml");
    }
}
