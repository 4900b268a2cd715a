//! `cask openapi`, `cask config` and `cask init` from the outside.

use std::path::Path;

use serde_json::Value;

use crate::world::{Ran, World, entry, files, har};

const HAR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../cask-core/cases/toolpack/demo/in.har");
const HOST: &str = "api.acorn.example";

fn ok(ran: &Ran) {
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

/// A world with the demo's toolpack.
fn minted() -> World {
    let world = World::empty();
    ok(&world.cask(&["mint", HAR, "-a", HOST]));
    world
}

/// The names of all operations in a document.
fn operations(document: &Value) -> Vec<String> {
    let items = document["paths"].as_object().unwrap().values();
    let operations = items.flat_map(|item| item.as_object().unwrap().values());
    let mut names: Vec<String> =
        operations.filter_map(|operation| operation["operationId"].as_str().map(str::to_owned)).collect();
    names.sort();
    names
}

#[test]
fn the_contract_is_printed_whole_or_as_far_as_it_is_approved() {
    let world = minted();
    let file = std::fs::read_to_string(world.only_pack().join("artifact/openapi.yaml")).unwrap();
    let ran = world.cask(&["openapi"]);
    ok(&ran);
    assert_eq!(ran.out, file, "YAML is the file, byte for byte");
    let ran = world.cask(&["openapi", "--format", "json", "--file", "contract.json"]);
    ok(&ran);
    let whole: Value =
        serde_json::from_str(&std::fs::read_to_string(world.path("contract.json")).unwrap()).unwrap();
    assert_eq!(whole["openapi"], "3.1.0");
    assert!(operations(&whole).len() >= 10);
    let ran = world.cask(&["openapi", "--approved"]);
    assert!(ran.code == 1 && ran.out.is_empty() && ran.err.contains("nothing is approved"), "{}", ran.err);
    ok(&world.cask(&["gate", "allow", "get_customer", "login"]));
    let ran = world.cask(&["openapi", "--approved", "--format", "json"]);
    ok(&ran);
    let approved: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(operations(&approved), ["get_customer", "login"]);
    // The same as YAML, which mints like any other description.
    ok(&world.cask(&["openapi", "--approved", "--file", "approved.yaml"]));
    let other = World::empty();
    std::fs::copy(world.path("approved.yaml"), other.path("approved.yaml")).unwrap();
    ok(&other.cask(&["mint", "approved.yaml"]));
    // What was changed since is not printed as if it were what was minted.
    std::fs::write(world.only_pack().join("artifact/openapi.yaml"), file + "# more\n").unwrap();
    let ran = world.cask(&["openapi"]);
    assert!(ran.code == 3 && ran.err.contains("is not the file that was written"), "{}", ran.err);
}

/// The text of a setting in TOML: its strings and lists of strings are JSON's.
fn toml(text: &str, name: &str) -> Value {
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} = "))).unwrap();
    serde_json::from_str(line).unwrap()
}

#[test]
fn every_client_gets_its_own_shape_with_absolute_paths_and_a_pin() {
    let world = World::approved();
    std::fs::write(world.path("token"), "s3cret").unwrap();
    let shown: Value = serde_json::from_str(&world.cask(&["trust", "show", "--json"]).out).unwrap();
    let root = shown["digest"].as_str().unwrap().to_owned();
    let config = |format: &str, more: &[&str]| {
        let ran = world.cask(&[&["config", "--format", format], more].concat());
        ok(&ran);
        assert!(!ran.out.contains("s3cret") && !ran.err.contains("s3cret"), "{format}");
        (ran.out, ran.err)
    };
    for (format, top, stdio, place) in [
        ("json", "mcpServers", false, ""),
        ("claude-desktop", "mcpServers", false, "claude_desktop_config.json"),
        ("claude-code", "mcpServers", true, "claude mcp add-json --scope user demo '{"),
        ("cursor", "mcpServers", true, "~/.cursor/mcp.json"),
        ("vscode", "servers", true, "MCP: Open User Configuration"),
    ] {
        let (out, err) = config(format, &["--auth", "file:token"]);
        let value: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(value.as_object().unwrap().len(), 1, "{format}: {out}");
        let server = &value[top]["demo"];
        assert_eq!(server["type"].as_str(), stdio.then_some("stdio"), "{format}: {out}");
        assert!(Path::new(server["command"].as_str().unwrap()).is_absolute());
        checked(&server["args"], &root, &world);
        assert!(server.get("env").is_none() && err.contains(place), "{format}: {out}{err}");
    }
    for format in ["codex", "toml"] {
        let (out, _) = config(format, &["--auth", "file:token"]);
        assert!(out.starts_with("[mcp_servers.demo]\n"), "{out}");
        assert!(Path::new(toml(&out, "command").as_str().unwrap()).is_absolute());
        checked(&toml(&out, "args"), &root, &world);
    }
    // Where the credential is in a variable, each client is told to hand that on.
    let (out, _) = config("vscode", &["--auth", "env:TOKEN"]);
    let value: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(value["servers"]["demo"]["env"]["TOKEN"], "${input:TOKEN}");
    assert_eq!(value["inputs"][0]["id"], "TOKEN");
    assert_eq!(value["inputs"][0]["password"], true);
    assert_eq!(toml(&config("codex", &["--auth", "api.example.com=env:TOKEN"]).0, "env_vars")[0], "TOKEN");
    assert!(config("claude-desktop", &["--auth", "env:TOKEN"]).1.contains("--auth file:PATH"));
    assert!(!config("json", &["--no-trust-root"]).0.contains("--trust-root"));
    for bad in ["sk-literal", "api.example.com=sk-literal", "TOKEN=x=env:y"] {
        let ran = world.cask(&["config", "--auth", bad]);
        assert!(
            ran.code == 3 && ran.err.contains("does not belong") && !ran.err.contains(bad),
            "{}",
            ran.err
        );
    }
    // The pin is checked before it is handed on.
    std::fs::copy(World::approved().root().join("trust.yaml"), world.root().join("trust.yaml")).unwrap();
    assert_eq!(world.cask(&["config"]).code, 3);
}

/// The arguments of a server start `cask run` as it is here, from anywhere.
fn checked(args: &Value, root: &str, world: &World) {
    let args: Vec<&str> = args.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    let after = |name: &str| args[args.iter().position(|word| *word == name).unwrap() + 1];
    assert_eq!(after("--trust-root"), root);
    assert!(Path::new(after("--root")).is_absolute() && Path::new(after("--toolpack")).is_file());
    let file = Path::new(after("--auth").strip_prefix("file:").unwrap());
    assert!(file.is_absolute() && std::fs::read(file).unwrap() == b"s3cret");
    let run = args.iter().position(|word| *word == "run").unwrap();
    let check: Vec<&str> = args[..run].iter().copied().chain(["gate", "check"]).collect();
    ok(&world.cask(&check));
}

#[test]
fn a_repository_is_looked_through_and_gets_what_it_lacks() {
    let world = World::empty();
    let file = |name: &str, text: &str| {
        let path = world.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let calls =
        [entry("/users/1", &serde_json::json!({"id": 1})), entry("/users/2", &serde_json::json!({"id": 2}))];
    file("recorded/app.har", &har(&calls));
    file("recorded/broken.har", "{\"log\": ");
    file(
        "api/billing.yaml",
        "openapi: 3.1.0\ninfo: {title: Billing, version: \"1\"}\nservers: [{url: \"https://billing.example.com\"}]\n\
         paths:\n  /bills:\n    get: {responses: {\"200\": {description: ok}}}\n",
    );
    file("node_modules/x/openapi.yaml", "openapi: 3.1.0\n");
    file("cask.toml", "# mine\n");
    file(".gitignore", "/out");
    let ran = world.cask(&["init"]);
    ok(&ran);
    for said in [
        "found 2 recordings and 1 API description",
        "recording    recorded/app.har",
        "description  api/billing.yaml",
        "not read: recorded/broken.har",
        "api.example.com",
        "billing.example.com",
        "cask.toml: is there and stays as it is",
        ".github/workflows/cask.yml: new",
        "  | /.caskmcp/state/",
        "cask mint recorded/app.har -a api.example.com\n",
        "cask mint api/billing.yaml\n",
    ] {
        assert!(ran.out.contains(said), "{said}: {}", ran.out);
    }
    assert!(!ran.out.contains("node_modules"), "{}", ran.out);
    let read = |name: &str| std::fs::read_to_string(world.path(name)).unwrap();
    assert_eq!(read("cask.toml"), "# mine\n");
    assert_eq!(read(".gitignore"), "/out\n/.caskmcp/state/\n/.caskmcp/evidence/\n");
    let workflow = read(".github/workflows/cask.yml");
    assert!(
        workflow.contains("uses: cask-tools/cask@v") && workflow.contains("trust-root: ${{ vars."),
        "{workflow}"
    );
    let workflow: Value = cask_core::artifact::yaml::read("cask.yml", &workflow).unwrap();
    assert_eq!(workflow["permissions"]["contents"], "read");
    // Doing it again changes nothing.
    let before = files(&world.path(""));
    ok(&world.cask(&["init", "--yes"]));
    assert_eq!(files(&world.path("")), before);
    // What it says to type next works.
    ok(&world.cask(&["mint", "recorded/app.har", "-a", "api.example.com"]));
    // Nothing to begin with is nothing wrong.
    let empty = World::empty();
    let ran = empty.cask(&["init"]);
    ok(&ran);
    assert!(ran.out.contains("cask mint traffic.har") && empty.path("cask.toml").is_file(), "{}", ran.out);
}

#[test]
fn the_long_name_is_the_same_command() {
    let world = minted();
    let long = |program: &Path, args: &[&str]| -> Ran {
        let mut command = std::process::Command::new(program);
        command.args(args).current_dir(world.path("")).env_clear().output().unwrap().into()
    };
    let alias = Path::new(env!("CARGO_BIN_EXE_caskmcp"));
    for args in [&["--version"][..], &["gate", "check"], &["no-such-command"]] {
        let (one, other) = (world.cask(args), long(alias, args));
        assert_eq!((one.code, one.out, one.err), (other.code, other.out, other.err), "{args:?}");
    }

    // Alone it is no command at all, and says so.
    let alone = world.path(&format!("caskmcp{}", std::env::consts::EXE_SUFFIX));
    std::fs::copy(alias, &alone).unwrap();
    let ran = long(&alone, &["--version"]);
    assert_eq!(ran.code, 3, "{}", ran.out);
    assert!(ran.err.contains("starts the cask beside it") && ran.err.contains("hint:"), "{}", ran.err);
}
