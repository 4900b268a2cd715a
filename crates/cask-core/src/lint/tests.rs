//! Every rule on a toolpack that is clean but for one thing.

use ed25519_dalek::SigningKey;
use serde_json::{Value, json};

use super::*;
use crate::lock::sign::{Own, Pen, Signs as _, approve_trust, seal};
use crate::lock::status::{Against, standings};
use crate::lock::trust::{Content, Signer, Thresholds};
use crate::lock::{State, change};
use crate::toolpack::policy::DEFAULT;
use crate::toolpack::{Fixed, Tool};

mod cases;
mod whole;

const NOW: &str = "2026-11-22T12:00:00Z";

/// How a subject is decided on.
struct Deed {
    state: State,
    until: Option<&'static str>,
    reason: &'static str,
}

impl Deed {
    fn approved() -> Self {
        Deed { state: State::Approved, until: None, reason: "reviewed in PR 12" }
    }
}

/// A toolpack with its lockfile and trust. As it is made, no rule has anything to say to it.
struct World {
    surface: Surface,
    files: BTreeMap<String, String>,
    hosts: Vec<String>,
    asked: Vec<String>,
    paths: BTreeMap<String, String>,
    digests: BTreeMap<String, Digest>,
    /// Decides on every subject; none if there is no lockfile.
    deed: Option<fn(&str) -> Deed>,
    trust: Trust,
    now: &'static str,
    settings: Settings,
    toolset: Option<&'static str>,
}

fn key(seed: u8) -> Own {
    SigningKey::from_bytes(&[seed; 32]).into()
}

fn names(all: &[&str]) -> BTreeSet<String> {
    all.iter().map(|name| (*name).to_owned()).collect()
}

/// A tool of a shop with the arguments `city` and `customer_id`.
fn tool(name: &str, effect: &str, risk: &str, method: &str) -> Value {
    let (_, noun) = name.split_once('_').unwrap_or((name, "thing"));
    json!({
        "name": name, "title": name, "description": "Does one thing.",
        "input_schema": { "type": "object", "additionalProperties": false,
            "properties": { "city": { "type": "string" }, "customer_id": { "type": "string" } },
            "required": ["city", "customer_id"] },
        "output_schema": { "type": "object", "properties": { "id": { "type": "string" } } },
        "annotations": { "readOnlyHint": method == "GET", "destructiveHint": false, "idempotentHint": true,
            "openWorldHint": true },
        "effect": effect, "risk": risk, "reasons": [{ "code": "sensitive-fields", "detail": "answers `vat_number`" }],
        "scope": "shop", "guards": { "timeout_ms": 30000, "max_response_bytes": 1_048_576 },
        "binding": { "http": { "method": method, "scheme": "https", "host": "api.example.com",
            "path": format!("/{noun}s/{{customer_id}}"), "auth": [{ "type": "bearer" }],
            "args": { "city": { "in": "query", "name": "city" },
                "customer_id": { "in": "path", "name": "customer_id" } } } },
        "evidence": { "endpoint": "ep_0123456789ab" }
    })
}

fn fixed(tool: Value) -> Fixed {
    let tool: Tool = serde_json::from_value(tool).unwrap();
    Fixed::new(tool).unwrap()
}

/// Alice and Bob, who sign everything, with so many of them for what is critical.
fn content(critical: u32) -> Content {
    let signer = |(id, seed)| Signer::new(id, vec![key(seed).key().text()]);
    let signers = [("alice", 7), ("bob", 8)].map(signer).into();
    let thresholds = Thresholds { critical, ..Thresholds::default() };
    Content { signers, thresholds, ..Content::default() }
}

fn trust(critical: u32) -> Trust {
    let draft = Trust::new(content(critical), Vec::new()).unwrap();
    let key = key(7);
    let pen = Pen { by: "alice", at: "2026-11-01T10:00:00Z", until: None, reason: "", signer: &key };
    let approval = approve_trust(&draft, &pen).unwrap();
    Trust::new(content(critical), vec![approval]).unwrap()
}

impl World {
    fn new() -> Self {
        let tools = [
            tool("delete_customer", "delete", "high", "DELETE"),
            tool("get_customer", "read", "medium", "GET"),
            tool("pay_invoice", "payment", "critical", "POST"),
            tool("update_customer", "write", "medium", "PATCH"),
        ];
        let toolsets = [
            ("billing", names(&["pay_invoice"])),
            ("high_risk", names(&["delete_customer", "pay_invoice"])),
            ("operator", names(&["delete_customer", "get_customer", "pay_invoice", "update_customer"])),
            ("readonly", names(&["get_customer"])),
            ("write_ops", names(&["update_customer"])),
        ];
        let paths = [("policy", "artifact/policy.cedar"), ("openapi", "artifact/openapi.yaml")];
        let own = |(what, path): (&str, &str)| (what.to_owned(), path.to_owned());
        let files = [("artifact/policy.cedar", DEFAULT), ("artifact/openapi.yaml", "info:\n  title: shop\n")];
        Self {
            surface: Surface {
                toolpack: "tp_0123456789ab".to_owned(),
                tools: tools.into_iter().map(fixed).collect(),
                toolsets: toolsets.into_iter().map(|(name, tools)| (name.to_owned(), tools)).collect(),
                policy: DEFAULT.to_owned(),
                scopes: BTreeMap::new(),
            },
            files: files.into_iter().map(own).collect(),
            hosts: vec!["api.example.com".to_owned()],
            asked: vec!["*.example.com".to_owned()],
            paths: paths.into_iter().map(own).collect(),
            digests: [("artifact/openapi.yaml".to_owned(), Digest::of_bytes(b""))].into(),
            deed: Some(|_| Deed::approved()),
            trust: trust(2),
            now: NOW,
            settings: Settings::default(),
            toolset: None,
        }
    }

    /// Adds a tool to `operator`.
    fn add(&mut self, tool: Value) {
        let tool = fixed(tool);
        self.surface.toolsets.get_mut("operator").unwrap().insert(tool.name.clone());
        self.surface.tools.push(tool);
    }

    /// Puts a value into a tool, at a pointer whose last name may be new.
    fn edit(&mut self, name: &str, pointer: &str, new: Value) {
        let at = self.surface.tools.iter().position(|tool| tool.name == name).unwrap();
        let mut value = serde_json::to_value(self.surface.tools[at].as_ref()).unwrap();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let members = value.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        members.insert(key.to_owned(), new);
        self.surface.tools[at] = fixed(value);
    }

    /// Says this of `get_customer`.
    fn say(&mut self, text: &str) {
        self.edit("get_customer", "/description", json!(text));
    }

    /// Gives `get_customer` another argument.
    fn argument(&mut self, name: &str, schema: Value) {
        self.edit("get_customer", &format!("/input_schema/properties/{name}"), schema);
    }

    /// More rules after those that every toolpack has.
    fn rules(&mut self, more: &str) {
        self.surface.policy = format!("{DEFAULT}\n{more}\n");
    }

    /// Other rules than those that every toolpack has.
    fn only(&mut self, rules: &str) {
        self.surface.policy = rules.to_owned();
    }

    fn settings(&mut self, budget_tokens: Option<u64>, waivers: &[(&str, &str, &str)]) {
        let waiver = |(code, subject, until): &(&str, &str, &str)| Waiver {
            code: (*code).to_owned(),
            subject: (*subject).to_owned(),
            reason: "meant".to_owned(),
            until: (*until).to_owned(),
        };
        let waivers = waivers.iter().map(waiver).collect();
        self.settings = Settings::new(Written { budget_tokens, waivers, ..Written::default() }).unwrap();
    }

    fn lockfile(&self) -> Option<Lockfile> {
        let deed = self.deed?;
        let mut lockfile = change::pending(None, &self.surface).unwrap();
        let at = "2026-11-20T10:00:00Z";
        for (id, now) in change::subjects(&self.surface).unwrap() {
            let Deed { state, until, reason } = deed(&id);
            if state == State::Pending {
                continue;
            }
            for (by, seed) in [("alice", 7), ("bob", 8)] {
                let key = key(seed);
                let pen = Pen { by, at, until, reason, signer: &key };
                change::decide(&mut lockfile, &id, &now, state, &pen).unwrap();
            }
        }
        let key = key(7);
        let pen = Pen { by: "alice", at, until: None, reason: "", signer: &key };
        lockfile.seal = Some(seal(&lockfile, &pen).unwrap());
        Some(lockfile)
    }

    fn check(&self) -> Outcome {
        let lockfile = self.lockfile();
        let against = Against { trust: &self.trust, now: self.now, seen: None };
        let standings =
            lockfile.as_ref().map(|lockfile| standings(&self.surface, lockfile, &against).unwrap());
        check(&Input {
            surface: &self.surface,
            manifest: Manifest {
                hosts: &self.hosts,
                asked: &self.asked,
                paths: &self.paths,
                digests: &self.digests,
                owned: &["artifact/policy.cedar"],
            },
            files: &self.files,
            lockfile: lockfile.as_ref(),
            standings: &standings.unwrap_or_default(),
            trust: &self.trust,
            now: self.now,
            settings: &self.settings,
            toolset: self.toolset,
        })
    }

    fn codes(&self) -> BTreeSet<&'static str> {
        self.check().findings.into_iter().map(|finding| finding.code).collect()
    }
}
