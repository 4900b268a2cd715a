//! `cask migrate` on toolpacks that the Python package really made.

use std::path::PathBuf;
use std::process::Command;

use crate::world::World;

/// A state root of caskmcp: made now if the program is there, otherwise the one that was kept.
fn theirs(world: &World) -> PathBuf {
    let root = world.path("theirs");
    let Some(program) = std::env::var_os("CASK_TEST_CASKMCP") else {
        let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fixtures/caskmcp-0.2.0rc1");
        crate::world::copy_dir(std::path::Path::new(kept), &{
            std::fs::create_dir(&root).unwrap();
            root.clone()
        });
        return root;
    };
    // It leaves a state root of its own where it is run.
    let elsewhere = world.path("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let run = |args: &[&str]| {
        let out = Command::new(&program)
            .arg("--no-interactive")
            .args(args)
            .current_dir(&elsewhere)
            .output()
            .unwrap();
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    };
    run(&["demo", "--generate-only", "--out", "../theirs"]);
    let pack = std::fs::read_dir(root.join("toolpacks")).unwrap().next().unwrap().unwrap().path();
    let lockfile = pack.join("lockfile/caskmcp.lock.pending.yaml");
    let lockfile = lockfile.to_str().unwrap();
    let by = ["--by", "security@example.com", "--reason", "reviewed", "-l", lockfile];
    run(&[&["--root", "../theirs", "gate", "allow", "get_users", "delete_user"][..], &by].concat());
    run(&["--root", "../theirs", "gate", "block", "create_user", "--reason", "no", "-l", lockfile]);
    root
}

#[test]
fn tools_and_names_come_along_and_approvals_never_do() {
    let world = World::empty();
    let root = theirs(&world);
    let root = root.to_str().unwrap();
    let ran = world.cask(&["migrate", root]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    for said in [
        "8 operations on api.example.com; 8 of 8 tools keep their names",
        "delete_user by security@example.com: reviewed",
        "cask gate block create_user",
        "nothing was written",
    ] {
        assert!(ran.out.contains(said), "{said}: {}", ran.out);
    }
    assert!(!world.root().exists(), "only shown");
    // Whoever goes on with what caskmcp wrote is told how to take it over.
    let ran = world.cask(&["--root", root, "diff"]);
    assert!(ran.code == 3 && ran.err.contains("cask migrate"), "{}", ran.err);
    let ran = world.cask(&["migrate", root, "--write"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let said = |what: &str| ran.out.rfind(what).unwrap_or_else(|| panic!("{what}: {}", ran.out));
    assert!(said("gate block create_user --lockfile") < said("gate allow --all"), "{}", ran.out);
    let tools = std::fs::read_to_string(world.only_pack().join("artifact/tools.json")).unwrap();
    for name in [
        "create_order",
        "create_user",
        "delete_user",
        "get_product",
        "get_products",
        "get_user",
        "get_users",
        "update_user",
    ] {
        assert!(tools.contains(&format!("\"name\":\"{name}\"")), "{name}");
    }
    assert!(!tools.contains("Call create_user first"), "their descriptions stay there");
    assert_eq!(world.cask(&["gate", "check"]).code, 1, "nothing is approved");
    assert_eq!(world.cask(&["run"]).code, 1);
    assert_eq!(world.cask(&["verify"]).code, 0);
    // Ours is nothing to migrate.
    let ran = world.cask(&["migrate", world.root().to_str().unwrap()]);
    assert!(ran.code == 0 && ran.out.contains("nothing to do"), "{}{}", ran.out, ran.err);
}

#[test]
fn what_is_no_toolpack_is_refused_with_its_place() {
    let world = World::empty();
    let refused = |args: &[&str], what: &str| {
        let ran = world.cask(args);
        assert!(ran.code == 3 && ran.err.contains(what), "{}{}", ran.out, ran.err);
    };
    refused(&["migrate", "nowhere"], "no toolpack is there");
    let root = theirs(&world);
    let pack = std::fs::read_dir(root.join("toolpacks")).unwrap().next().unwrap().unwrap().path();
    let file = pack.join("toolpack.yaml");
    let good = std::fs::read_to_string(&file).unwrap();
    for (bad, what) in [
        ("hello\n".to_owned(), "not a toolpack of caskmcp"),
        (good.replace("schema_version: '1.0'", "schema_version: '2.0'"), "schema_version"),
        (good.replace("artifact/contract.json", "../../../etc/passwd"), "toolpack"),
        (good.replace("contract_json:", "x:").replace("contract_yaml:", "y:"), "it names no contract"),
    ] {
        std::fs::write(&file, bad).unwrap();
        refused(&["migrate", file.to_str().unwrap()], what);
    }
    std::fs::write(&file, good).unwrap();
    std::fs::write(pack.join("artifact/contract.json"), "{\"openapi\": \"3.1.0\"}").unwrap();
    refused(&["migrate", root.to_str().unwrap()], "contract.json");
}
