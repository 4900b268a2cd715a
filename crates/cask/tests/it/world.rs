//! A hermetic world for one test: an empty directory, a cleared environment, a fixed time, and a toolpack
//! made by hand.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use cask_core::artifact;
use cask_core::toolpack::Fixed;
use serde_json::{Value, json};

/// The toolpack's id.
pub const ID: &str = "tp_0123456789ab";

/// The world.
pub struct World {
    dir: tempfile::TempDir,
}

/// What a command did.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl World {
    /// A world with a toolpack of two tools: `get_user` (low) and `pay` (critical).
    pub fn new() -> Self {
        let world = Self { dir: tempfile::tempdir().unwrap() };
        let manifest = format!("schema_version: \"1\"\nid: {ID}\nname: demo\nhosts: [api.example.com]\n");
        world.write("toolpack.yaml", &manifest);
        world.write_tools(&[
            tool("get_user", "read", "low", "GET"),
            tool("pay", "payment", "critical", "POST"),
        ]);
        world.write(
            "artifact/toolsets.yaml",
            "schema_version: \"1\"\ntoolsets:\n  operator: [get_user, pay]\n  readonly: [get_user]\n",
        );
        world.write("artifact/policy.cedar", "@id(\"reads\") permit (principal, action, resource);\n");
        world.write("artifact/policy.cedarschema", "entity Agent;\n");
        world
    }

    /// A world with nothing in it.
    pub fn empty() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// A world with the same files.
    pub fn copy(&self) -> Self {
        let copy = Self::empty();
        copy_dir(self.dir.path(), copy.dir.path());
        copy
    }

    /// A path in the working directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A world in which everything is approved.
    pub fn approved() -> Self {
        let world = Self::new();
        assert_eq!(world.cask(&["gate", "sync"]).code, 0);
        let allowed = world.cask(&["gate", "allow", "--all", "--yes"]);
        assert_eq!(allowed.code, 0, "{}", allowed.err);
        world
    }

    /// The state root.
    pub fn root(&self) -> PathBuf {
        self.dir.path().join(".caskmcp")
    }

    /// A path in the toolpack.
    pub fn pack(&self, name: &str) -> PathBuf {
        self.root().join("toolpacks").join(ID).join(name)
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.pack(name)).unwrap()
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.pack(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn write_tools(&self, tools: &[Value]) {
        let fixed = |tool: &Value| Fixed::new(serde_json::from_value(tool.clone()).unwrap()).unwrap();
        let tools: Vec<Fixed> = tools.iter().map(fixed).collect();
        self.write("artifact/tools.json", &artifact::tools::write(&tools).to_string());
    }

    /// Changes a file of the toolpack.
    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "{name} has no {from}");
        self.write(name, &text.replacen(from, to, 1));
    }

    pub fn command(&self, args: &[&str]) -> Command {
        self.wrapped(&[], args)
    }

    /// The command as the last words of another one (`sh -c …`, `unshare …`).
    pub fn wrapped(&self, by: &[&str], args: &[&str]) -> Command {
        let mut words = by.iter().chain([&env!("CARGO_BIN_EXE_cask")]).chain(args);
        let mut command = Command::new(words.next().unwrap());
        command.args(words).current_dir(self.dir.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("CASK_NOW", "2026-11-22T10:00:00Z").env("CASK_AS", "alice@example.com");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn cask(&self, args: &[&str]) -> Ran {
        self.command(args).output().unwrap().into()
    }

    /// How a subject stands, in one word.
    pub fn standing(&self, subject: &str) -> String {
        let ran = self.cask(&["gate", "status", "--format", "json"]);
        let status: Value = serde_json::from_str(&ran.out).unwrap();
        let mut all = status["subjects"].as_array().unwrap().iter();
        let one = all.find(|one| one["subject"] == subject).unwrap();
        one["standing"].as_str().unwrap().to_owned()
    }

    /// The folder of the only toolpack.
    pub fn only_pack(&self) -> PathBuf {
        let mut all = std::fs::read_dir(self.root().join("toolpacks")).unwrap();
        let one = all.next().unwrap().unwrap().path();
        assert!(all.next().is_none(), "there is one toolpack");
        one
    }

    /// Every file under the root but what is in `state/`, by its path there.
    pub fn tree(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let root = self.root();
        let all =
            files(&root).into_iter().map(|(path, bytes)| (path.strip_prefix(&root).unwrap().into(), bytes));
        all.filter(|(path, _): &(PathBuf, _)| !path.starts_with("state")).collect()
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A tool of `api.example.com`.
pub fn tool(name: &str, effect: &str, risk: &str, method: &str) -> Value {
    json!({
        "name": name, "title": name, "description": "Does one thing.",
        "input_schema": { "type": "object", "properties": { "user_id": { "type": "string" } },
            "required": ["user_id"], "additionalProperties": false },
        "annotations": { "readOnlyHint": method == "GET", "destructiveHint": false, "idempotentHint": true,
            "openWorldHint": true },
        "effect": effect, "risk": risk, "reasons": [], "scope": "users",
        "guards": { "timeout_ms": 30000, "max_response_bytes": 1_048_576 },
        "binding": { "http": { "method": method, "scheme": "https", "host": "api.example.com",
            "path": "/users/{user_id}", "args": { "user_id": { "in": "path", "name": "user_id" } } } },
        "evidence": { "endpoint": "ep_0123456789ab" }
    })
}

/// One call of `api.example.com` and its answer, as a HAR entry.
pub fn entry(path: &str, answer: &Value) -> Value {
    let text = answer.to_string();
    json!({
        "startedDateTime": "2026-01-01T00:00:00.000Z", "time": 1,
        "request": { "method": "GET", "url": format!("https://api.example.com{path}"), "httpVersion": "HTTP/1.1",
            "headers": [{ "name": "authorization", "value": "Bearer abcdefghijklmnopqrstuvwxyz0123456789" },
                { "name": "accept", "value": "application/json" }],
            "queryString": [], "cookies": [], "headersSize": -1, "bodySize": 0 },
        "response": { "status": 200, "statusText": "OK", "httpVersion": "HTTP/1.1", "cookies": [],
            "headers": [{ "name": "content-type", "value": "application/json" }], "redirectURL": "",
            "headersSize": -1, "bodySize": text.len(),
            "content": { "size": text.len(), "mimeType": "application/json", "text": text } },
        "cache": {}, "timings": { "send": 0, "wait": 1, "receive": 0 }, "_resourceType": "xhr"
    })
}

/// A HAR of these entries.
pub fn har(entries: &[Value]) -> String {
    json!({ "log": { "version": "1.2", "creator": { "name": "test", "version": "1" }, "entries": entries } })
        .to_string()
}

/// Looks again and again until it is so; a minute is long enough for anything here.
pub fn until(what: &str, mut so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !so() {
        assert!(Instant::now() < end, "still not so: {what}");
        std::thread::yield_now();
    }
}

/// Copies a folder's contents into another.
pub fn copy_dir(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() {
            std::fs::create_dir(&to).unwrap();
            copy_dir(&from, &to);
        } else {
            std::fs::copy(&from, &to).unwrap();
        }
    }
}

/// Every file below a directory with its bytes.
pub fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut out = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(files(&path));
        } else {
            out.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    out
}
