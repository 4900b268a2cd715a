//! A hermetic world for one test: an empty directory, a cleared environment, a fixed time, and a toolpack
//! made by hand.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

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

    /// A path in the working directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A world in which everything is approved.
    pub fn approved() -> Self {
        let world = Self::new();
        assert_eq!(world.cask(&["gate", "sync"]).code, 0);
        let allowed = world.cask(&["gate", "allow", "--all"]);
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
        let file = json!({ "schema_version": "1", "tools": tools });
        self.write("artifact/tools.json", &serde_json::to_string_pretty(&file).unwrap());
    }

    /// Changes a file of the toolpack.
    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "{name} has no {from}");
        self.write(name, &text.replacen(from, to, 1));
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cask"));
        command.args(args).current_dir(self.dir.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("CASK_NOW", "2026-11-22T10:00:00Z").env("CASK_AS", "alice@example.com");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn cask(&self, args: &[&str]) -> Ran {
        self.command(args).output().unwrap().into()
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

/// Every file below a directory with its bytes.
pub fn files(dir: &Path) -> std::collections::BTreeMap<PathBuf, Vec<u8>> {
    let mut out = std::collections::BTreeMap::new();
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
