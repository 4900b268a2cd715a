//! The GitHub Action and the hook for pre-commit, with the real binary. A script that records what it is asked stands for `gh`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::world::{ID, Ran, World, entry, har, tool};

const TOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Answers the question for comments with `GH_IDS`, and keeps the body of the comment that is written.
const GH: &str = r##"#!/usr/bin/env bash
printf '%s\n' "$*" >>gh.calls
[ "${GH_TOKEN:-}" = t0ken ] && [ -z "${GH_FAILS:-}" ] || exit 1
for word in "$@"; do
    case $word in body=@*) cp "${word#body=@}" body.md ;; esac
done
case "$*" in *--jq*) printf '%s' "${GH_IDS:-}" ;; esac
"##;

/// A world with `cask` and this `gh` on the path, as the runner would have it.
struct Runner {
    world: World,
}

impl Runner {
    fn new(world: World) -> Self {
        std::fs::write(world.path("gh.txt"), GH).unwrap();
        // Another process writes the script: one that is still open here could not be run.
        let make = "mkdir bin && cp gh.txt bin/gh && chmod +x bin/gh";
        assert!(world.wrapped(&["sh", "-c", make], &[]).status().unwrap().success());
        Self { world }
    }

    fn path(&self) -> String {
        let cask = Path::new(env!("CARGO_BIN_EXE_cask")).parent().unwrap();
        let before = [self.world.path("bin"), cask.to_owned()];
        let path = std::env::var("PATH").unwrap();
        format!("{}:{path}", before.map(|dir| dir.display().to_string()).join(":"))
    }

    /// Runs the action's script with these inputs.
    fn run(&self, inputs: &[(&str, &str)]) -> Ran {
        for file in ["gh.calls", "body.md", "output", "summary"] {
            let _ = std::fs::remove_file(self.world.path(file));
        }
        let mut command = Command::new("bash");
        command.arg(format!("{TOP}/action/run.sh")).current_dir(self.world.path("")).env_clear();
        command.env("PATH", self.path()).env("CASK_NOW", "2026-11-22T10:00:00Z").stdin(Stdio::null());
        command.env("RUNNER_TEMP", self.world.path("")).env("GITHUB_OUTPUT", self.world.path("output"));
        command.env("GITHUB_STEP_SUMMARY", self.world.path("summary"));
        command.env("GITHUB_REPOSITORY", "acme/app").env("PR_NUMBER", "12").env("GH_TOKEN", "t0ken");
        command.envs(inputs.iter().copied()).output().unwrap().into()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.world.path(name)).unwrap_or_default()
    }

    fn outputs(&self) -> BTreeMap<String, String> {
        let text = self.read("output");
        let pairs = text.lines().map(|line| line.split_once('=').unwrap());
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

#[test]
fn a_pull_request_that_changes_nothing_passes_and_is_told_so() {
    let runner = Runner::new(World::approved());
    let ran = runner.run(&[]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let outputs = runner.outputs();
    let output = |name: &str| outputs.get(name).map(String::as_str);
    assert_eq!((output("verdict"), output("diff"), output("gate")), (Some("pass"), Some("0"), Some("0")));
    assert_eq!((output("drift"), output("comment")), (Some(""), Some("created")));
    let body = runner.read("body.md");
    assert!(body.starts_with("<!-- cask report . -->\n### ✅ the toolpack is what was approved"), "{body}");
    assert!(body.contains("2 tools") || body.contains("6 of 6 subjects are approved"), "{body}");
    assert!(runner.read("summary").contains("the toolpack is what was approved"));
    let calls = runner.read("gh.calls");
    assert!(calls.contains("--method POST repos/acme/app/issues/12/comments -F body=@"), "{calls}");
    let sarif: Value =
        serde_json::from_str(&std::fs::read_to_string(&outputs["diff-sarif"]).unwrap()).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
}

#[test]
fn what_an_agent_could_do_more_fails_the_job_and_the_comment_is_kept_up_to_date() {
    let runner = Runner::new(World::approved());
    let hostile = "Does one thing.\\n::error::owned @everyone";
    runner.world.edit("artifact/tools.json", "Does one thing.", hostile);
    let manifest = runner.world.pack("toolpack.yaml");
    let inputs = [("GH_IDS", "77\n78"), ("INPUT_TOOLPACK", manifest.to_str().unwrap())];
    let ran = runner.run(&inputs);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    let outputs = runner.outputs();
    assert_eq!((outputs["verdict"].as_str(), outputs["comment"].as_str()), ("breaking", "updated"));
    assert!(runner.read("gh.calls").contains("--method PATCH repos/acme/app/issues/comments/77 -F body=@"));
    let body = runner.read("body.md");
    assert!(body.contains("get_user") && body.len() < 65_536, "{body}");
    // Whatever the checks print is no command of the runner.
    let command = |line: &&str| line.starts_with("::");
    let known = [
        "::group::cask ",
        "::stop-commands::",
        "::endgroup::",
        "::warning title=cask::no trust-root is given",
    ];
    let token = |line: &str| line.trim_matches(':').bytes().all(|byte| byte.is_ascii_hexdigit());
    for line in ran.out.lines().filter(command) {
        assert!(known.iter().any(|known| line.starts_with(known)) || token(line), "{line}");
    }
    // It is up to the repository what fails it.
    assert_eq!(runner.run(&[("INPUT_FAIL_ON", "never")]).code, 0);
    assert_eq!(runner.outputs()["verdict"], "breaking");
    let quiet = [("INPUT_COMMENT", "false"), ("INPUT_SARIF", "false"), ("INPUT_FAIL_ON", "never")];
    assert_eq!(runner.run(&quiet).code, 0);
    assert_eq!(
        (runner.read("gh.calls"), runner.outputs().contains_key("diff-sarif")),
        (String::new(), false)
    );
}

#[test]
fn what_waits_for_a_decision_fails_only_where_that_is_asked_for() {
    let world = World::approved();
    let tools = [("get_user", "low"), ("list_users", "low"), ("pay", "critical")];
    world.write_tools(&tools.map(|(name, risk)| match name {
        "pay" => tool(name, "payment", risk, "POST"),
        _ => tool(name, "read", risk, "GET"),
    }));
    let runner = Runner::new(world);
    let gate = |ran: Ran| (ran.code, runner.outputs()["gate"].clone());
    assert_eq!(gate(runner.run(&[("INPUT_FAIL_ON", "never")])), (0, "1".to_owned()));
    assert_ne!(runner.run(&[("INPUT_FAIL_ON", "review")]).code, 0);
}

#[test]
fn drift_is_checked_where_a_capture_is_given() {
    let world = World::empty();
    let call = |i: u64, key: &str| {
        let id = 90_000 + i * 7;
        let answer = serde_json::json!({ "id": id, key: format!("name {i}"), "visits": i * 3 });
        entry(&format!("/v1/users/{id}"), &answer)
    };
    let calls = |first: u64, key: &str| har(&(first..first + 20).map(|i| call(i, key)).collect::<Vec<_>>());
    std::fs::write(world.path("old.har"), calls(1, "name")).unwrap();
    std::fs::write(world.path("-new.har"), calls(5_000, "full_name")).unwrap();
    for words in [&["mint", "old.har", "-a", "api.example.com"][..], &["gate", "allow", "--all", "--yes"]] {
        let ran = world.cask(words);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    }
    let runner = Runner::new(world);
    let ran = runner.run(&[("INPUT_CAPTURE", "old.har\n")]);
    assert_eq!((ran.code, runner.outputs()["drift"].as_str()), (0, "0"), "{}{}", ran.out, ran.err);
    let ran = runner.run(&[("INPUT_CAPTURE", "-new.har")]);
    assert_eq!((ran.code, runner.outputs()["drift"].as_str()), (2, "2"), "{}{}", ran.out, ran.err);
    assert!(runner.read("body.md").contains("full") && runner.outputs().contains_key("drift-sarif"));
}

#[test]
fn what_cannot_be_checked_always_fails() {
    let runner = Runner::new(World::empty());
    let ran = runner.run(&[("INPUT_FAIL_ON", "never")]);
    assert_eq!((ran.code, runner.outputs()["verdict"].as_str()), (3, "invalid"), "{}{}", ran.out, ran.err);
    assert!(runner.read("body.md").contains("cask diff could not check"), "{}", runner.read("body.md"));
    let runner = Runner::new(World::approved());
    for (name, value) in [
        ("INPUT_FAIL_ON", "$(touch owned)"),
        ("INPUT_COMMENT", "yes"),
        ("PR_NUMBER", "12/../../../user"),
        ("GITHUB_REPOSITORY", "acme/app/../other"),
        ("INPUT_TRUST_ROOT", "sha256:1"),
        ("INPUT_TOOLPACK", "--help; touch owned"),
    ] {
        let ran = runner.run(&[(name, value)]);
        assert_eq!(ran.code, 3, "{name}: {}{}", ran.out, ran.err);
        assert!(!runner.world.path("owned").exists());
    }
    // A fork may not comment: that is said, and the verdict stands.
    let ran = runner.run(&[("GH_FAILS", "1")]);
    assert!(
        ran.code == 0 && ran.out.contains("::warning title=cask::could not comment"),
        "{}{}",
        ran.out,
        ran.err
    );
    assert_eq!(runner.outputs()["comment"], "none");
}

/// Whatever an expression gives would become part of a script: inputs go by the environment.
#[test]
fn no_expression_stands_in_a_script() {
    let action = std::fs::read_to_string(format!("{TOP}/action.yml")).unwrap();
    let value: Value = cask_core::artifact::yaml::read("action.yml", &action).unwrap();
    let steps = value["runs"]["steps"].as_array().unwrap();
    let scripts: Vec<&str> = steps.iter().filter_map(|step| step["run"].as_str()).collect();
    assert!(scripts.len() >= 4 && scripts.iter().all(|script| !script.contains("${{")), "{scripts:?}");
    for script in ["run.sh", "install.sh", "pre-commit.sh"] {
        let text = std::fs::read_to_string(format!("{TOP}/action/{script}")).unwrap();
        assert!(text.contains("\nset -euo pipefail\n") && !text.contains("${{"), "{script}");
    }
}

/// A repository with the hook.
fn repository(world: &World) -> impl Fn(&[&str]) -> Ran {
    let top: PathBuf = world.path("");
    let cask = Path::new(env!("CARGO_BIN_EXE_cask")).parent().unwrap();
    let path = format!("{}:{}", cask.display(), std::env::var("PATH").unwrap());
    let git = move |words: &[&str]| -> Ran {
        let mut command = Command::new("git");
        command.current_dir(&top).env_clear().env("PATH", &path).env("CASK_NOW", "2026-11-22T10:00:00Z");
        command
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .stdin(Stdio::null());
        command.args(["-c", "user.name=t", "-c", "user.email=t@example.com"]).args(words);
        command.output().unwrap().into()
    };
    assert_eq!(git(&["init", "-q"]).code, 0);
    let hook =
        format!("cp '{TOP}/action/pre-commit.sh' .git/hooks/pre-commit && chmod +x .git/hooks/pre-commit");
    assert!(world.wrapped(&["sh", "-c", hook.as_str()], &[]).status().unwrap().success());
    git
}

#[test]
fn the_hook_keeps_keys_and_changed_tools_out_of_a_repository() {
    let world = World::approved();
    let git = repository(&world);
    std::fs::write(world.path("readme"), "x").unwrap();
    let commit = |what: &[&str]| {
        assert_eq!(git(&[&["add"], what].concat()).code, 0);
        git(&["commit", "-qm", "x"])
    };
    assert_eq!(commit(&["readme"]).code, 0, "what is not cask's is not its matter");
    let ran = commit(&["-f", ".caskmcp"]);
    assert!(ran.code == 1 && ran.err.contains("state/keys/alice@example.com.pem"), "{}{}", ran.out, ran.err);
    assert_eq!(git(&["rm", "-rq", "--cached", ".caskmcp/state"]).code, 0);
    let ran = commit(&[".caskmcp"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    world.edit("artifact/tools.json", "Does one thing.", "Does another thing.");
    let ran = commit(&[".caskmcp"]);
    assert!(ran.code == 1 && ran.err.contains("changed-after-approval"), "{}{}", ran.out, ran.err);
    // Decided, it may go in.
    for words in [&["gate", "sync"][..], &["gate", "allow", "get_user"]] {
        assert_eq!(world.cask(words).code, 0);
    }
    let ran = commit(&[".caskmcp"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(git(&["status", "--porcelain", "--", &format!(".caskmcp/toolpacks/{ID}")]).out.is_empty());
}
