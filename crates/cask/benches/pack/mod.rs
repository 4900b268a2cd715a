//! Toolpacks for the benchmarks, of any size.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cask_core::artifact;
use cask_core::toolpack::{Fixed, Tool, policy};
use serde_json::json;

/// The id of every toolpack made here.
pub const ID: &str = "tp_0123456789ab";

/// Tools of ordinary size, sorted by name.
pub fn tools(count: usize, host: &str) -> Vec<Fixed> {
    let mut tools: Vec<Fixed> = (0..count).map(|index| Fixed::new(tool(index, host)).unwrap()).collect();
    tools.sort_by(|one, other| one.name.cmp(&other.name));
    tools
}

/// Writes a toolpack of this many tools of one host under a state root; nothing of it is approved.
pub fn write(root: &Path, count: usize, host: &str) {
    let tools = tools(count, host);
    let all: BTreeSet<String> = tools.iter().map(|tool| tool.name.clone()).collect();
    let toolsets = BTreeMap::from([("readonly".to_owned(), all.clone()), ("operator".to_owned(), all)]);
    let dir = root.join("toolpacks").join(ID);
    let write = |name: &str, text: &str| {
        let path: PathBuf = dir.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("toolpack.yaml", &format!("schema_version: \"1\"\nid: {ID}\nname: bench\nhosts: [\"{host}\"]\n"));
    write("artifact/tools.json", &artifact::tools::write(&tools).to_string());
    write("artifact/toolsets.yaml", &artifact::toolsets::write(&toolsets));
    write("artifact/policy.cedar", policy::DEFAULT);
    write("artifact/policy.cedarschema", &policy::schema(&tools, &toolsets));
}

/// A tool of ordinary size: a path and five query parameters, an answer of a dozen fields.
pub fn tool(index: usize, host: &str) -> Tool {
    let mut properties = json!({"user_id": {"type": "string", "description": "The user's id."}});
    let mut args = json!({"user_id": {"in": "path", "name": "user_id"}});
    for name in ["fields", "page", "per_page", "sort", "since"] {
        properties[name] = json!({"type": "string", "description": format!("The {name} of the list.")});
        args[name] = json!({"in": "query", "name": name});
    }
    let mut fields = json!({"id": {"type": "string"}, "name": {"type": "string"}});
    for number in 0..10 {
        fields[format!("field_{number}")] = json!({"type": ["string", "null"]});
    }
    let path =
        if index == 0 { "/v1/users/{user_id}".to_owned() } else { format!("/v1/things{index}/{{user_id}}") };
    serde_json::from_value(json!({
        "name": format!("get_user_{index}"), "title": format!("Get user {index}"),
        "description": "Get one user by its id. Returns id, name and ten more fields.",
        "input_schema": {"type": "object", "properties": properties, "required": ["user_id"], "additionalProperties": false},
        "output_schema": {"type": "object", "properties": fields, "required": ["id", "name"]},
        "annotations": {"readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": true},
        "effect": "read", "risk": "low", "reasons": [{"code": "safe-method", "detail": "GET"}], "scope": "users",
        "guards": {"timeout_ms": 10_000, "max_response_bytes": 1 << 20},
        "binding": {"http": {
            "method": "GET", "scheme": "http", "host": host, "path": path, "args": args,
            "accept": ["application/json"],
        }},
        "evidence": {"endpoint": "ep_000000000000"},
    }))
    .unwrap()
}
