//! `cask mint`, `cask compile`, `cask config` and `cask demo` from the outside.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::world::files;

const HAR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../cask-core/cases/toolpack/demo/in.har");
const HOST: &str = "api.acorn.example";

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn cask(dir: &Path, words: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_cask"))
        .args(words)
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", dir)
        .env("CASK_NOW", "2026-01-31T12:00:00Z")
        .output()
        .unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn toolpack(dir: &Path) -> PathBuf {
    let mut all = std::fs::read_dir(dir.join(".caskmcp/toolpacks")).unwrap();
    let one = all.next().unwrap().unwrap().path();
    assert!(all.next().is_none(), "there is one toolpack");
    one
}

#[test]
fn the_demo_proves_itself_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let ran = cask(dir.path(), &["demo"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    for code in
        ["denied_not_approved", "denied_path_escape", "confirmation_required", "denied_integrity_mismatch"]
    {
        assert!(ran.out.contains(code), "{code} in {}", ran.out);
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "the demo stays out of the directory");
}

#[test]
fn minting_again_changes_no_byte_and_compiling_its_capture_is_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let ran = cask(dir.path(), &["mint", HAR, "-a", HOST, "--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let minted: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert!(minted["tools"].as_u64() >= Some(10) && minted["changed"] == true, "{}", ran.out);
    let root = dir.path().join(".caskmcp");
    let before = files(&root);
    let ran = cask(dir.path(), &["mint", HAR, HAR, "-a", HOST]);
    assert!(ran.code == 0 && ran.out.contains("nothing changed"), "{}{}", ran.out, ran.err);
    let capture = minted["captures"][0].as_str().unwrap();
    assert_eq!(cask(dir.path(), &["compile", "--capture", capture]).code, 0);
    let now = files(&root);
    let state = root.join("state");
    for (path, bytes) in &before {
        assert!(path.starts_with(&state) || now.get(path) == Some(bytes), "{} changed", path.display());
    }
    assert_eq!(now.len(), before.len());
    for mode in ["contracts", "replay"] {
        let ran = cask(dir.path(), &["verify", "--mode", mode]);
        assert_eq!(ran.code, 0, "{mode}: {}{}", ran.out, ran.err);
    }
}

#[test]
fn a_description_names_what_traffic_shows() {
    let dir = tempfile::tempdir().unwrap();
    let spec = r#"{"openapi": "3.0.3", "info": {"title": "Acorn", "version": "1"},
        "servers": [{"url": "https://api.acorn.example/v1"}],
        "paths": {
          "/customers/{customerRef}": {"get": {"operationId": "customers_fetchOne", "summary": "Fetch one customer",
             "parameters": [{"name": "customerRef", "in": "path", "required": true, "schema": {"type": "string"}}],
             "responses": {"200": {"description": "ok"}}}},
          "/reports": {"get": {"responses": {"200": {"description": "ok"}}}}}}"#;
    std::fs::write(dir.path().join("spec.json"), spec).unwrap();
    let ran = cask(dir.path(), &["mint", "spec.json", HAR]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let pack = toolpack(dir.path());
    let tools = std::fs::read_to_string(pack.join("artifact/tools.json")).unwrap();
    let tools: serde_json::Value = serde_json::from_str(&tools).unwrap();
    let tools = tools["tools"].as_array().unwrap();
    let customer = tools.iter().find(|tool| {
        tool["binding"]["http"]["path"] == "/v1/customers/{customerRef}" && tool["effect"] == "read"
    });
    let customer = customer.unwrap_or_else(|| panic!("declared template is used: {tools:#?}"));
    assert!(
        customer["description"].as_str().unwrap().starts_with("Fetch one customer. Returns id, name,"),
        "{customer:#}"
    );
    assert!(tools.iter().any(|tool| tool["name"] == "list_reports"), "what is only declared is a tool too");
    // Without the description's file: what it declared stays.
    let before = files(&pack);
    let ran = cask(dir.path(), &["mint", HAR, "-a", HOST]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(files(&pack), before);
}

#[test]
fn what_cannot_be_minted_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let ran = cask(dir.path(), &["mint", "https://user:hunter2@app.acorn.example/?token=s3cret"]);
    assert_eq!(ran.code, 3);
    assert!(
        ran.err.contains("app.acorn.example: live capture is not there yet") && ran.err.contains("HAR"),
        "{}",
        ran.err
    );
    assert!(!ran.err.contains("hunter2") && !ran.err.contains("s3cret"), "{}", ran.err);
    let ran = cask(dir.path(), &["mint", HAR]);
    assert!(ran.code == 3 && ran.err.contains(&format!("-a {HOST}")), "{}", ran.err);
    let ran = cask(dir.path(), &["mint", "gone.har", "-a", HOST]);
    assert!(ran.code == 3 && ran.err.contains("gone.har"), "{}", ran.err);
    assert_eq!(cask(dir.path(), &["mint"]).code, 3);
    assert!(!dir.path().join(".caskmcp/toolpacks").exists());
}

#[test]
fn a_broken_toolpack_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(cask(dir.path(), &["mint", HAR, "-a", HOST]).code, 0);
    let pack = toolpack(dir.path());
    let manifest = pack.join("toolpack.yaml");
    let whole = std::fs::read_to_string(&manifest).unwrap();
    for (broken, says) in [
        (whole.replacen("schema_version: \"1\"", "schema_version: \"9\"", 1), "schema_version is `9`"),
        (whole.replacen("name:", "sudo: true\nname:", 1), "sudo"),
        (whole.chars().take(whole.len() / 2).collect(), "toolpack.yaml"),
    ] {
        std::fs::write(&manifest, &broken).unwrap();
        let before = files(&pack);
        let ran = cask(dir.path(), &["mint", HAR, "-a", HOST]);
        assert!(ran.code == 3 && ran.err.contains(says), "{says}: {}", ran.err);
        assert_eq!(files(&pack), before);
    }
}

#[test]
fn client_configurations_start_the_server_from_anywhere() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(cask(dir.path(), &["mint", HAR, "-a", HOST]).code, 0);
    let ran = cask(dir.path(), &["config", "--auth", "env:ACORN_TOKEN"]);
    let config: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let server = &config["mcpServers"]["api-acorn-example"];
    assert!(Path::new(server["command"].as_str().unwrap()).is_absolute());
    let args: Vec<&str> =
        server["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
    let toolpack = args[args.iter().position(|arg| *arg == "--toolpack").unwrap() + 1];
    assert!(Path::new(toolpack).is_absolute() && Path::new(toolpack).is_file());
    assert!(args.ends_with(&["--auth", "env:ACORN_TOKEN"]));
    assert!(
        cask(dir.path(), &["config", "--format", "codex"])
            .out
            .starts_with("[mcp_servers.api-acorn-example]\ncommand = \"")
    );
    assert_eq!(
        cask(dir.path(), &["config", "--auth", "sk-literal"]).code,
        3,
        "a literal credential is refused"
    );
}

#[test]
fn rules_and_toolsets_of_their_owner_outlive_a_new_mint() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(cask(dir.path(), &["mint", HAR, "-a", HOST]).code, 0);
    let pack = toolpack(dir.path());
    let policy = pack.join("artifact/policy.cedar");
    let mine = std::fs::read_to_string(&policy).unwrap()
        + "\n@id(\"mine\")\nforbid (principal, action in [Action::\"toolset_support\"], resource);\n";
    std::fs::write(&policy, &mine).unwrap();
    let toolsets = pack.join("artifact/toolsets.yaml");
    let text = std::fs::read_to_string(&toolsets).unwrap();
    std::fs::write(&toolsets, format!("{text}  support: [get_customer, gone]\n").replace(", gone", ""))
        .unwrap();
    let ran = cask(dir.path(), &["mint", HAR, "-a", HOST]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(std::fs::read_to_string(&policy).unwrap(), mine);
    assert!(std::fs::read_to_string(&toolsets).unwrap().contains("support: [get_customer]"));
    for words in [
        &["gate", "allow", "--all", "--yes", "--as", "a@example.com"][..],
        &["gate", "check"],
        &["verify", "--mode", "contracts"],
        &["verify", "--mode", "replay"],
    ] {
        let ran = cask(dir.path(), words);
        assert_eq!(ran.code, 0, "{words:?}: {}{}", ran.out, ran.err);
    }
    let ran = cask(dir.path(), &["mint", HAR, "-a", HOST]);
    assert!(ran.out.contains("everything in it is decided"), "{}", ran.out);
}

#[test]
fn a_stricter_redaction_stays_when_minting_again() {
    let dir = tempfile::tempdir().unwrap();
    let strict = ["mint", HAR, "-a", HOST, "--redaction-profile", "high_risk_pii"];
    assert_eq!(cask(dir.path(), &strict).code, 0);
    let ran = cask(dir.path(), &["mint", HAR, "-a", HOST]);
    assert!(ran.code == 0 && ran.out.contains("nothing changed"), "{}{}", ran.out, ran.err);
}

#[cfg(unix)]
#[test]
fn what_can_be_read_only_once_is_refused_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe.har");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let ran = cask(dir.path(), &["mint", "pipe.har", "-a", HOST]);
    assert!(ran.code == 3 && ran.err.contains("pipe.har: not a regular file"), "{}", ran.err);
}
