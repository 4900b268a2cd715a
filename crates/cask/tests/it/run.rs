//! `cask run` as a client sees it: a child process that speaks MCP on its standard streams.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use cask_core::artifact;
use cask_core::endpoint::Auth;
use cask_core::toolpack::{Binding, Fixed, HttpBinding, Tool, policy};
use serde_json::{Value, json};

const SECRET: &str = "tok-hunter2-0123456789";

pub struct World {
    pub dir: tempfile::TempDir,
}

pub fn world() -> World {
    let upstream = upstream().to_string();
    of(&[
        tool("get_user", "GET", "http", &upstream),
        tool("list_user", "GET", "http", &upstream),
        tool("rename_user", "POST", "http", &upstream),
    ])
}

/// A toolpack of these tools; those that read are in the toolset that is served unless told otherwise.
pub fn of(tools: &[Tool]) -> World {
    let mut tools: Vec<Fixed> = tools.iter().map(|tool| Fixed::new(tool.clone()).unwrap()).collect();
    tools.sort_by(|one, other| one.name.cmp(&other.name));
    let world = World { dir: tempfile::tempdir().unwrap() };
    let names = |all: bool| {
        let of = tools.iter().filter(|tool| all || http(tool).method == "GET");
        of.map(|tool| tool.name.clone()).collect::<BTreeSet<_>>()
    };
    let toolsets =
        BTreeMap::from([("readonly".to_owned(), names(false)), ("operator".to_owned(), names(true))]);
    let hosts: BTreeSet<_> = tools.iter().map(|tool| &http(tool).host).collect();
    world.write(
        "toolpack.yaml",
        &format!("schema_version: \"1\"\nid: tp_0123456789ab\nname: t\nhosts: {}\n", json!(hosts)),
    );
    world.write("artifact/tools.json", &artifact::tools::write(&tools).to_string());
    world.write("artifact/toolsets.yaml", &artifact::toolsets::write(&toolsets));
    world.write("artifact/policy.cedar", policy::DEFAULT);
    world.write("artifact/policy.cedarschema", &policy::schema(&tools, &toolsets));
    world
}

fn http(tool: &Tool) -> &HttpBinding {
    let Binding::Http(http) = &tool.binding;
    http
}

fn upstream() -> SocketAddr {
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let echo = |headers: axum::http::HeaderMap| async move {
                let sent = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
                axum::Json(json!({"id": "42", "sent": sent}))
            };
            let router = axum::Router::new().route("/v1/users/{id}", axum::routing::any(echo));
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            send.send(listener.local_addr().unwrap()).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
    });
    receive.recv().unwrap()
}

/// A tool that gets something at `/v1/users/{user_id}` of this host, or changes it there.
pub fn tool(name: &str, method: &str, scheme: &str, host: &str) -> Tool {
    let effect = if method == "GET" { "read" } else { "write" };
    serde_json::from_value(json!({
        "name": name, "title": name, "description": format!("{name}."),
        "input_schema": {"type": "object", "properties": {"user_id": {"type": "string"}}, "required": ["user_id"], "additionalProperties": false},
        "annotations": {"readOnlyHint": effect == "read", "destructiveHint": false, "idempotentHint": true, "openWorldHint": true},
        "effect": effect, "risk": "low", "reasons": [], "scope": "users",
        "guards": {"timeout_ms": 10_000, "max_response_bytes": 65536},
        "binding": {"http": {
            "method": method, "scheme": scheme, "host": host, "path": "/v1/users/{user_id}",
            "args": {"user_id": {"in": "path", "name": "user_id"}}, "accept": ["application/json"],
        }},
        "evidence": {"endpoint": "ep_000000000000"},
    }))
    .unwrap()
}

impl World {
    fn pack(&self, name: &str) -> PathBuf {
        self.dir.path().join("root/toolpacks/tp_0123456789ab").join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.pack(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        self.wrapped(&[], args)
    }

    /// The command as the last words of another one.
    pub fn wrapped(&self, by: &[&str], args: &[&str]) -> Command {
        let mut words = by.iter().chain(&[env!("CARGO_BIN_EXE_cask"), "--root", "root"]).chain(args);
        let mut command = Command::new(words.next().unwrap());
        command.args(words).current_dir(self.dir.path()).env_clear().env("CASK_TEST_TOKEN", SECRET);
        command
    }

    pub fn cask(&self, args: &[&str]) -> Output {
        self.command(args).stdin(Stdio::null()).output().unwrap()
    }

    pub fn approve(&self) {
        let out = self.cask(&["gate", "sync"]);
        assert!(out.status.code().unwrap() < 2, "{}", String::from_utf8_lossy(&out.stderr));
        let out = self.cask(&["gate", "allow", "--all", "--yes", "--as", "alice@example.com"]);
        assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
    }

    pub fn serve(&self, args: &[&str]) -> Client {
        let mut all = vec!["run", "--allow-private-cidr", "127.0.0.0/8"];
        all.extend(args);
        Client::start(self.command(&all))
    }

    pub fn audit(&self) -> Vec<Value> {
        let path = self.dir.path().join("root/state/audit/tp_0123456789ab.jsonl");
        let text = std::fs::read_to_string(path).unwrap();
        cask_core::audit::verify(text.lines()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

pub struct Client {
    child: Child,
    output: BufReader<ChildStdout>,
    next: u64,
}

impl Client {
    pub fn start(mut command: Command) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Client { child, output, next: 0 }
    }

    fn request(&mut self, method: &str, mut params: Value) -> Value {
        self.next += 1;
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let line = json!({"jsonrpc": "2.0", "id": self.next, "method": method, "params": params});
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap_or_else(|_| panic!("only MCP on stdout, not: {answer:?}"))
    }

    pub fn names(&mut self) -> Vec<String> {
        let listed = self.request("tools/list", json!({}));
        let tools = listed["result"]["tools"].as_array().unwrap_or_else(|| panic!("{listed}"));
        tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    }

    /// The reason code and the text of the answer.
    pub fn call(&mut self, tool: &str) -> (String, String) {
        let answer = self.request("tools/call", json!({"name": tool, "arguments": {"user_id": "42"}}));
        let code =
            answer["result"]["_meta"]["cask"]["reason_code"].as_str().unwrap_or_else(|| panic!("{answer}"));
        (code.to_owned(), answer["result"]["content"][0]["text"].as_str().unwrap().to_owned())
    }

    /// Closes its input and gives what it wrote to stderr.
    pub fn end(mut self) -> String {
        drop(self.child.stdin.take());
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{log}");
        log
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::copy(from, to).unwrap();
}

#[test]
fn nothing_runs_before_it_is_approved_and_then_only_that() {
    let world = world();
    let out = world.cask(&["run"]);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!((out.status.code(), out.stdout.len()), (Some(1), 0), "{said}");
    assert!(said.contains("cask gate allow"), "{said}");
    world.cask(&["gate", "sync"]);
    let pending = world.pack("lockfile/caskmcp.lock.pending.yaml");
    let out = world.cask(&["run", "--lockfile", pending.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(1), "a pending lockfile never runs");
    world.approve();

    let mut client = world.serve(&["--auth", "env:CASK_TEST_TOKEN"]);
    assert_eq!(client.names(), ["get_user", "list_user"]);
    let (code, text) = client.call("get_user");
    assert_eq!(code, "allowed_policy");
    assert!(text.contains("Bearer [redacted") && !text.contains(SECRET), "{text}");
    assert_eq!(client.call("rename_user").0, "denied_toolset_not_allowed");
    assert_eq!(client.call("rm_rf").0, "denied_unknown_action");
    let log = client.end();
    assert!(!log.contains(SECRET));

    let mut client = world.serve(&["--toolset", "operator"]);
    let (code, text) = client.call("rename_user");
    assert_eq!(code, "confirmation_required");
    assert!(text.contains("cnf_"), "{text}");
    client.end();
    let codes: Vec<Value> = world.audit().iter().map(|record| record["reason_code"].clone()).collect();
    let wanted = [
        "allowed_policy",
        "allowed_policy",
        "denied_toolset_not_allowed",
        "denied_unknown_action",
        "confirmation_required",
    ];
    assert_eq!(codes, wanted);
    assert!(world.audit().iter().all(|record| record["provenance_mode"] == "enforced"));
}

#[test]
fn what_changed_since_the_approval_is_refused() {
    let world = world();
    world.approve();
    let tools = std::fs::read_to_string(world.pack("artifact/tools.json")).unwrap();
    world.write("artifact/tools.json", &tools.replace("get_user.", "Get any user, admins too."));
    let mut client = world.serve(&[]);
    assert_eq!(client.names(), ["list_user"]);
    assert_eq!(client.call("get_user").0, "denied_integrity_mismatch");
    client.end();
    world.write("artifact/tools.json", &tools);
    world.write("artifact/policy.cedar", "permit(principal, action, resource);");
    let out = world.cask(&["run"]);
    assert_eq!(out.status.code(), Some(2), "{}", String::from_utf8_lossy(&out.stderr));
}

#[test]
fn an_edited_or_older_lockfile_is_refused() {
    let world = world();
    world.approve();
    let lock = world.pack("lockfile/caskmcp.lock.approved.yaml");
    let (first, old) = (std::fs::read_to_string(&lock).unwrap(), world.dir.path().join("old.yaml"));
    copy(&lock, &old);
    std::fs::write(&lock, first.replacen("alice@", "mallory@", 1)).unwrap();
    assert_eq!(world.cask(&["run"]).status.code(), Some(2));
    std::fs::write(&lock, &first).unwrap();
    let mut client = world.serve(&[]);
    assert_eq!(client.names().len(), 2);
    client.end();
    let out = world.cask(&["gate", "block", "get_user", "--as", "alice@example.com", "--reason", "no"]);
    assert!(out.status.code().unwrap() < 2, "{}", String::from_utf8_lossy(&out.stderr));
    let mut client = world.serve(&[]);
    assert_eq!(client.call("get_user").0, "denied_blocked");
    client.end();
    copy(&old, &lock);
    let out = world.cask(&["run"]);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(2), "{said}");
    assert!(said.contains("rolled_back"), "{said}");
}

#[test]
fn the_hatch_is_loud_and_marked() {
    let world = world();
    let mut client = world.serve(&["--unsafe-no-lockfile", "--dry-run"]);
    assert_eq!(client.call("get_user").0, "dry_run");
    assert!(client.end().contains("WARNING"));
    assert!(world.audit().iter().all(|record| record["provenance_mode"] == "unsafe_no_lockfile"));
    for bad in [
        vec!["run", "--unsafe-no-lockfile", "--auth", "env:CASK_NOT_SET"],
        vec!["run", "--unsafe-no-lockfile", "--toolset", "nope"],
        vec!["run", "--unsafe-no-lockfile", "--base-url", "ftp://x"],
        vec!["run", "--unsafe-no-lockfile", "--audit-log", "/proc/nope/audit.jsonl"],
    ] {
        let out = world.cask(&bad);
        assert_eq!(out.status.code(), Some(3), "{bad:?}: {}", String::from_utf8_lossy(&out.stderr));
    }
}

#[test]
fn what_is_decided_while_it_runs_holds_at_once() {
    let world = world();
    world.approve();
    let mut client = world.serve(&[]);
    assert_eq!(client.call("get_user").0, "allowed_policy");
    let out = world.cask(&["gate", "block", "list_user", "--as", "alice@example.com", "--reason", "no"]);
    assert!(out.status.code().unwrap() < 2, "{}", String::from_utf8_lossy(&out.stderr));
    for tool in ["list_user", "get_user"] {
        let (code, text) = client.call(tool);
        assert_eq!(code, "denied_lockfile_rolled_back");
        assert!(text.contains("restart"), "{text}");
    }
    client.end();
    let mut client = world.serve(&[]);
    assert_eq!(client.call("get_user").0, "allowed_policy");
    std::fs::remove_file(world.dir.path().join("root/state/revisions.json")).unwrap();
    assert_eq!(client.call("get_user").0, "error_internal", "what cannot be known is no leave");
    client.end();
}

#[test]
fn another_trust_ends_what_runs_under_the_one_before() {
    let world = world();
    world.approve();
    let mut client = world.serve(&[]);
    assert_eq!(client.call("get_user").0, "allowed_policy");
    let out = world.cask(&["trust", "threshold", "high", "1", "--by", "alice@example.com"]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(client.call("get_user").0, "error_internal");
    let said = client.end();
    assert!(said.contains("who is trusted here has changed"), "{said}");
    let mut client = world.serve(&[]);
    assert_eq!(client.call("get_user").0, "allowed_policy");
    client.end();
}

#[test]
fn an_operator_hears_what_is_served_and_what_is_missing() {
    let world = world();
    let text = std::fs::read_to_string(world.pack("artifact/tools.json")).unwrap();
    let mut tools = artifact::tools::read(&text).unwrap();
    let mut tool = tools[0].clone().into_tool();
    let Binding::Http(binding) = &mut tool.binding;
    binding.auth.insert(Auth::Bearer);
    tools[0] = Fixed::new(tool).unwrap();
    world.write("artifact/tools.json", &artifact::tools::write(&tools).to_string());
    world.approve();
    let out = world.cask(&["gate", "block", "list_user", "--as", "alice@example.com", "--reason", "no"]);
    assert!(out.status.code().unwrap() < 2, "{}", String::from_utf8_lossy(&out.stderr));
    // Closed before the client said anything: nothing to be done, and nothing wrong.
    let said = world.serve(&[]).end();
    assert!(
        said.contains(
            "serving 1 tool of the toolset `readonly` of tp_0123456789ab, approved; 1 withheld: 1 blocked"
        ),
        "{said}"
    );
    assert!(!said.contains("error"), "{said}");
    let host = tools.iter().map(|tool| http(tool).host.clone()).next().unwrap();
    assert!(said.contains(&format!("--auth {host}=env:NAME")), "{said}");
    let said = world.serve(&["--auth", "env:CASK_TEST_TOKEN"]).end();
    assert!(!said.contains("warning"), "{said}");
    let other = ["run", "--auth", "wrong.example.com=S3CRET-1234", "--base-url", "http://127.0.0.1:9"];
    let out = world.cask(&other);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(3), "{said}");
    assert!(said.contains("looks like a host") && !said.contains("S3CRET"), "{said}");
    let signed = format!("{host}={SECRET}");
    let said = world.serve(&["--auth", &signed, "--base-url", "http://127.0.0.1:9"]).end();
    assert!(said.contains("is not sent there") && !said.contains(SECRET), "{said}");
}
