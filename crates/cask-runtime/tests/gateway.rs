//! The gateway against real servers on loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use cask_core::audit;
use cask_core::lock::{Approved, Surface};
use cask_core::toolpack::{Fixed, Tool};
use cask_runtime::answer::Outcome;
use cask_runtime::audit::AuditLog;
use cask_runtime::{Accepted, Credentials, Gateway, Settings, mcp};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

const SECRET: &str = "tok-hunter2-0123456789";

type Hits = Arc<AtomicUsize>;

/// Nothing was decided since the start.
#[derive(Debug)]
struct Nothing;

impl Accepted for Nothing {
    fn highest_revision(&self) -> Result<u64, String> {
        Ok(0)
    }
}

async fn count(
    State(hits): State<Hits>,
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> Response {
    hits.fetch_add(1, Ordering::SeqCst);
    next.run(request).await
}

fn json_body(value: Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

/// A user that moved: within the path of the tool, or out of it.
async fn hop(Path(id): Path<String>) -> Response {
    match id.as_str() {
        "old" => Redirect::temporary("/v1/hop/9?from=old").into_response(),
        "out" => Redirect::temporary("/v1/users/9").into_response(),
        "up" => Redirect::temporary("/v1/hop/..%2fusers%2f9").into_response(),
        _ => json_body(json!({"id": id, "name": "Ann"})),
    }
}

/// The upstream: each path misbehaves in its own way.
async fn upstream() -> (SocketAddr, Hits) {
    let hits = Hits::default();
    let gzip = |bytes: usize| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(b"\"").unwrap();
        for _ in 0..bytes / 65536 {
            encoder.write_all(&[b'0'; 65536]).unwrap();
        }
        encoder.finish().unwrap()
    };
    let bomb = gzip(64 << 20);
    let router = Router::new()
        .route(
            "/v1/users/{id}",
            get(|Path(id): Path<String>| async move { json_body(json!({"id": id, "name": "Ann"})) }),
        )
        .route("/v1/odd", get(|| async { json_body(json!({"id": 7})) }))
        .route("/v1/html", get(|| async { ([(header::CONTENT_TYPE, "text/html")], "<p>hi") }))
        .route("/v1/slow", get(|| async { pending::<Response>().await }))
        .route("/v1/hop/{id}", axum::routing::any(hop))
        .route("/v1/loop", get(|| async { Redirect::temporary("/v1/loop") }))
        .route("/v1/unlisted", get(|| async { Redirect::temporary("http://unlisted.example/") }))
        .route("/v1/away", get(|| async { Redirect::temporary("http://169.254.169.254/latest") }))
        .route("/v1/file", get(|| async { (StatusCode::FOUND, [(header::LOCATION, "file:///etc/passwd")]) }))
        .route(
            "/v1/echo",
            get(|headers: HeaderMap| async move {
                let sent = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
                (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    json_body(json!({"you_sent": sent, "pad": "x".repeat(9000)})),
                )
            }),
        )
        .route(
            "/v1/bomb",
            get(move || async move {
                ([(header::CONTENT_TYPE, "application/json"), (header::CONTENT_ENCODING, "gzip")], bomb)
            }),
        )
        .route(
            "/v1/huge",
            get(|| async {
                let body = Body::from("[".to_owned() + &"0,".repeat(1 << 20));
                ([(header::CONTENT_TYPE, "application/json")], body)
            }),
        )
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&hits), count));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, hits)
}

fn tool(name: &str, host: &str, path: &str) -> Tool {
    let args = if path.contains("{id}") { json!({"id": {"in": "path", "name": "id"}}) } else { json!({}) };
    let properties = if path.contains("{id}") { json!({"id": {"type": "string"}}) } else { json!({}) };
    let required: Vec<&String> = properties.as_object().unwrap().keys().collect();
    serde_json::from_value(json!({
        "name": name, "title": name, "description": format!("{name}."),
        "input_schema": {"type": "object", "properties": properties, "required": required, "additionalProperties": false},
        "output_schema": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
        "annotations": {"readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": true},
        "effect": "read", "risk": "low", "reasons": [], "scope": "users",
        "guards": {"timeout_ms": if name == "slow" { 50 } else { 10_000 }, "max_response_bytes": 1 << 20},
        "binding": {"http": {
            "method": if name == "post_hop" { "POST" } else { "GET" }, "scheme": "http", "host": host, "path": path,
            "args": args, "accept": ["application/json"],
            "auth": [{"type": "bearer"}],
        }},
        "evidence": {"endpoint": "ep_0"},
    }))
    .unwrap()
}

struct World {
    gateway: Arc<Gateway>,
    hits: Hits,
    log: PathBuf,
    _dir: tempfile::TempDir,
}

async fn world(change: impl FnOnce(&mut Settings)) -> World {
    let (address, hits) = upstream().await;
    let host = address.to_string();
    let named = format!("localhost:{}", address.port());
    let paths = [
        ("get_user", "/v1/users/{id}"),
        ("odd", "/v1/odd"),
        ("html", "/v1/html"),
        ("slow", "/v1/slow"),
        ("hop", "/v1/hop/{id}"),
        ("post_hop", "/v1/hop/{id}"),
        ("loop", "/v1/loop"),
        ("away", "/v1/away"),
        ("unlisted", "/v1/unlisted"),
        ("file", "/v1/file"),
        ("echo", "/v1/echo"),
        ("bomb", "/v1/bomb"),
        ("huge", "/v1/huge"),
    ];
    let mut tools: Vec<Tool> = paths.iter().map(|(name, path)| tool(name, &host, path)).collect();
    tools.push(tool("by_name", &named, "/v1/users/{id}"));
    tools.push(tool("nowhere", "does-not-exist.invalid", "/v1/users/{id}"));
    tools.push(tool("metadata", "169.254.169.254", "/latest"));
    tools.push(tool("hidden", &host, "/v1/users/{id}"));
    let all: BTreeSet<String> = tools.iter().map(|tool| tool.name.clone()).collect();
    let mut readonly = all.clone();
    readonly.remove("hidden");
    let surface = Surface {
        toolpack: "tp_000000000000".to_owned(),
        tools: tools.into_iter().map(|tool| Fixed::new(tool).unwrap()).collect(),
        toolsets: BTreeMap::from([("readonly".to_owned(), readonly), ("operator".to_owned(), all)]),
        policy: "@id(\"reads\") permit(principal, action in Action::\"effect_read\", resource);".to_owned(),
        scopes: BTreeMap::new(),
    };
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("audit.jsonl");
    let mut settings = Settings {
        toolset: "readonly".to_owned(),
        base: None,
        credentials: Credentials::read(&[format!("{host}={SECRET}")], &[&host, "other"], &[]).unwrap(),
        opened: vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()],
        redirects: false,
        dry_run: false,
        run_id: "run_test".to_owned(),
        accepted: Arc::new(Nothing),
        fixed_now: None,
    };
    change(&mut settings);
    let approved = Approved::unsafe_without_lockfile(surface).unwrap();
    let gateway = Arc::new(Gateway::new(approved, settings, AuditLog::open(&log).unwrap()));
    World { gateway, hits, log, _dir: dir }
}

impl World {
    async fn call(&self, tool: &str, arguments: Value) -> Outcome {
        let arguments: Map<String, Value> = serde_json::from_value(arguments).unwrap();
        self.gateway.call("test", tool, &arguments, pending()).await
    }

    fn records(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.log).unwrap();
        audit::verify(text.lines()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn hits(&self) -> usize {
        self.hits.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_call_is_made_shown_and_recorded_twice() {
    let world = world(|_| {}).await;
    let outcome = world.call("get_user", json!({"id": "42"})).await;
    assert_eq!(outcome.structured, Some(json!({"id": "42", "name": "Ann"})), "{outcome:?}");
    assert!(!outcome.is_error && world.hits() == 1);
    let [intent, done] = &world.records()[..] else { panic!("two records") };
    assert_eq!(
        (intent["decision"].as_str(), intent["reason_code"].as_str()),
        (Some("allow"), Some("allowed_policy"))
    );
    assert_eq!(intent["policies"], json!(["reads"]));
    assert_eq!(intent["provenance_mode"], "unsafe_no_lockfile");
    assert_eq!(intent["evidence_refs"], json!([]));
    assert_eq!(done["evidence_refs"][0], format!("intent:{}", intent["hash"].as_str().unwrap()));
    assert_eq!(done["evidence_refs"][1], "status:200");
    let fields: BTreeSet<&str> = intent.as_object().unwrap().keys().map(String::as_str).collect();
    let wanted = "seq timestamp run_id toolpack tool_id tool_digest scope_id principal request_fingerprint decision \
        reason_code policies evidence_refs lockfile_digest policy_digest confirmation_issuer provenance_mode prev hash";
    assert_eq!(fields, wanted.split_whitespace().collect());
}

#[tokio::test]
async fn the_upstream_may_misbehave() {
    let world = world(|_| {}).await;
    for (tool, code) in [
        ("hop", "denied_redirect_not_allowlisted"),
        ("odd", "output_schema_mismatch"),
        ("html", "denied_content_type_not_allowed"),
        ("slow", "denied_timeout"),
        ("echo", "upstream_error"),
        ("bomb", "denied_response_too_large"),
        ("huge", "denied_response_too_large"),
    ] {
        let arguments = if tool == "hop" { json!({"id": "old"}) } else { json!({}) };
        let outcome = world.call(tool, arguments).await;
        assert_eq!((outcome.reason_code.as_str(), outcome.is_error), (code, true), "{tool}: {outcome:?}");
        assert!(outcome.structured.is_none() && !outcome.text.contains(SECRET), "{tool}");
        let text: Value = serde_json::from_str(&outcome.text).unwrap();
        assert_eq!(text["reason_code"], code);
        assert_eq!(world.records().last().unwrap()["reason_code"], code);
    }
    let echo = world.call("echo", json!({})).await;
    let text: Value = serde_json::from_str(&echo.text).unwrap();
    assert_eq!(text["status"], 500);
    assert_eq!(
        text["body"]["you_sent"], "Bearer [redacted:credential]",
        "the credential went out and is masked"
    );
    assert!(echo.cut && echo.text.len() < 6000, "the body is bounded");
    assert_eq!(world.hits(), 8);
    assert!(!std::fs::read_to_string(&world.log).unwrap().contains(SECRET));
}

#[tokio::test]
async fn addresses_are_checked_and_nothing_is_sent() {
    let closed = world(|settings| settings.opened.clear()).await;
    for (tool, arguments, code) in [
        ("get_user", json!({"id": "1"}), "denied_address_not_allowed"),
        ("by_name", json!({"id": "1"}), "denied_address_not_allowed"),
        ("nowhere", json!({"id": "1"}), "denied_host_resolution_failed"),
        ("metadata", json!({}), "denied_address_not_allowed"),
    ] {
        let outcome = closed.call(tool, arguments).await;
        assert_eq!(outcome.reason_code.as_str(), code, "{tool}: {outcome:?}");
    }
    assert_eq!(closed.hits(), 0);
    let open = world(|settings| settings.opened.push("169.254.0.0/16".parse().unwrap())).await;
    assert!(!open.call("by_name", json!({"id": "1"})).await.is_error);
    assert_eq!(open.call("metadata", json!({})).await.reason_code.as_str(), "denied_address_not_allowed");
}

#[tokio::test]
async fn redirects_are_followed_only_within_limits() {
    let world = world(|settings| settings.redirects = true).await;
    let moved = world.call("hop", json!({"id": "old"})).await;
    assert_eq!(moved.structured, Some(json!({"id": "9", "name": "Ann"})));
    let (none, id) = (json!({}), |id: &str| json!({"id": id}));
    for (tool, arguments, code, hits) in [
        ("hop", id("out"), "denied_redirect_not_allowlisted", 1),
        ("hop", id("up"), "denied_redirect_not_allowlisted", 1),
        ("post_hop", id("old"), "denied_redirect_not_allowlisted", 1),
        ("loop", none.clone(), "denied_redirect_not_allowlisted", 4),
        ("away", none.clone(), "denied_address_not_allowed", 1),
        ("unlisted", none.clone(), "denied_host_not_allowed", 1),
        ("file", none.clone(), "denied_scheme_not_allowed", 1),
    ] {
        let before = world.hits();
        let outcome = world.call(tool, arguments).await;
        assert_eq!(
            (outcome.reason_code.as_str(), world.hits() - before),
            (code, hits),
            "{tool}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn without_an_audit_record_there_is_no_call() {
    let mut world = world(|_| {}).await;
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    assert!(!world.call("get_user", json!({"id": "1"})).await.is_error);
    // The log becomes shorter behind the gateway's back: the chain cannot go on.
    std::fs::write(&world.log, "").unwrap();
    let outcome = world.call("get_user", json!({"id": "1"})).await;
    assert_eq!((outcome.reason_code.as_str(), world.hits()), ("error_internal", 1));
    // A disk that is full.
    world.log = PathBuf::from("/dev/full");
    let Ok(full) = AuditLog::open(&world.log) else { return };
    let approved = world.gateway.rules().approved().clone();
    let settings = Settings {
        toolset: "readonly".to_owned(),
        base: None,
        credentials: Credentials::default(),
        opened: vec!["127.0.0.0/8".parse().unwrap()],
        redirects: false,
        dry_run: false,
        run_id: "run_test".to_owned(),
        accepted: Arc::new(Nothing),
        fixed_now: None,
    };
    world.gateway = Arc::new(Gateway::new(approved, settings, full));
    let outcome = world.call("get_user", json!({"id": "1"})).await;
    assert_eq!((outcome.reason_code.as_str(), world.hits()), ("error_internal", 1));
}

#[tokio::test]
async fn the_audit_chain_goes_on_across_writers_and_refuses_a_damaged_end() {
    let one = world(|_| {}).await;
    one.call("get_user", json!({"id": "1"})).await;
    let approved = one.gateway.rules().approved().clone();
    let second = {
        let mut other = world(|_| {}).await;
        other.gateway = Arc::new(Gateway::new(
            approved,
            Settings {
                toolset: "readonly".to_owned(),
                base: None,
                credentials: Credentials::default(),
                opened: vec!["127.0.0.0/8".parse().unwrap()],
                redirects: false,
                dry_run: true,
                run_id: "run_other".to_owned(),
                accepted: Arc::new(Nothing),
                fixed_now: None,
            },
            AuditLog::open(&one.log).unwrap(),
        ));
        other
    };
    second.call("get_user", json!({"id": "2"})).await;
    one.call("get_user", json!({"id": "3"})).await;
    second.call("nothing", json!({})).await;
    let runs: Vec<_> =
        one.records().iter().map(|record| record["run_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(runs, ["run_test", "run_test", "run_other", "run_other", "run_test", "run_test", "run_other"]);
    let text = std::fs::read_to_string(&one.log).unwrap();
    std::fs::write(&one.log, text.replacen("run_other", "run_0ther", 9)).unwrap();
    assert!(AuditLog::open(&one.log).unwrap_err().to_string().contains("damaged"));
    std::fs::write(&one.log, text.trim_end()).unwrap();
    assert!(AuditLog::open(&one.log).unwrap_err().to_string().contains("not complete"));
}

#[tokio::test]
async fn a_dry_run_sends_nothing_and_masks_the_credential() {
    let world = world(|settings| settings.dry_run = true).await;
    let outcome = world.call("get_user", json!({"id": "a b"})).await;
    let text: Value = serde_json::from_str(&outcome.text).unwrap();
    assert_eq!(text["reason_code"], "dry_run");
    assert!(text["request"]["url"].as_str().unwrap().ends_with("/v1/users/a%20b"));
    assert_eq!(
        text["credential"],
        json!({"in": "header", "name": "authorization", "value": "[redacted:credential]"})
    );
    assert_eq!(
        world.call("get_user", json!({"id": "../x"})).await.reason_code.as_str(),
        "denied_path_escape"
    );
    assert_eq!(world.hits(), 0);
    assert_eq!(world.records().len(), 3);
}

#[tokio::test]
async fn a_cancelled_call_ends_and_is_recorded() {
    let world = world(|_| {}).await;
    let hits = Arc::clone(&world.hits);
    let reached = async move {
        while hits.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    };
    // Not `slow`: that one may time out first on a busy machine.
    let arguments = Map::new();
    let outcome = world.gateway.call("test", "slow", &arguments, reached).await;
    let code = outcome.reason_code.as_str();
    assert!(matches!(code, "cancelled" | "denied_timeout"), "{code}");
    assert_eq!(world.records().last().unwrap()["reason_code"], code);
}

/// One MCP client that speaks raw lines, so that nothing of the server's library checks itself.
struct Client {
    lines: tokio::io::Lines<BufReader<tokio::io::ReadHalf<tokio::io::DuplexStream>>>,
    write: tokio::io::WriteHalf<tokio::io::DuplexStream>,
    meta: Value,
    next: u64,
}

impl Client {
    async fn connect(world: &World, version: &str) -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let gateway = Arc::clone(&world.gateway);
        tokio::spawn(async move { mcp::serve(gateway, theirs).await });
        let (read, write) = tokio::io::split(ours);
        let info = json!({"name": "raw-client", "version": "1"});
        let mut client = Self { lines: BufReader::new(read).lines(), write, meta: json!({}), next: 0 };
        if version == "2026-07-28" {
            client.meta = json!({
                "io.modelcontextprotocol/protocolVersion": version,
                "io.modelcontextprotocol/clientInfo": info,
                "io.modelcontextprotocol/clientCapabilities": {},
            });
            let found = client.request("server/discover", json!({})).await;
            assert!(
                found["result"]["supportedVersions"].as_array().unwrap().contains(&json!(version)),
                "{found}"
            );
        } else {
            let hello = json!({"protocolVersion": version, "capabilities": {}, "clientInfo": info});
            let found = client.request("initialize", hello).await;
            assert_eq!(found["result"]["protocolVersion"], version, "{found}");
            assert_eq!(found["result"]["serverInfo"]["name"], "cask");
            client.send(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        }
        client
    }

    async fn send(&mut self, message: Value) {
        self.write.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    async fn request(&mut self, method: &str, mut params: Value) -> Value {
        self.next += 1;
        if self.meta.as_object().is_some_and(|meta| !meta.is_empty()) {
            params["_meta"] = self.meta.clone();
        }
        self.send(json!({"jsonrpc": "2.0", "id": self.next, "method": method, "params": params})).await;
        loop {
            let answer: Value =
                serde_json::from_str(&self.lines.next_line().await.unwrap().unwrap()).unwrap();
            if answer["id"] == json!(self.next) {
                return answer;
            }
        }
    }
}

#[tokio::test]
async fn three_protocol_revisions_are_spoken() {
    for version in ["2025-06-18", "2025-11-25", "2026-07-28"] {
        let world = world(|_| {}).await;
        let mut client = Client::connect(&world, version).await;
        let list = client.request("tools/list", json!({})).await;
        let tools = list["result"]["tools"].as_array().unwrap();
        let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
        assert!(names.contains(&"get_user") && !names.contains(&"hidden"), "{names:?}");
        let user = tools.iter().find(|tool| tool["name"] == "get_user").unwrap();
        for member in ["title", "description", "inputSchema", "outputSchema", "annotations"] {
            assert!(!user[member].is_null(), "{member}");
        }
        assert_eq!(user["annotations"]["destructiveHint"], false);
        assert_eq!(user["_meta"]["cask"]["risk"], "low");
        let digest = user["_meta"]["cask"]["digest"].as_str().unwrap();
        assert!(digest.len() == 16 && digest.bytes().all(|b| b.is_ascii_hexdigit()), "{digest}");

        let good = client.request("tools/call", json!({"name": "get_user", "arguments": {"id": "42"}})).await;
        assert_eq!(good["result"]["structuredContent"], json!({"id": "42", "name": "Ann"}), "{good}");
        assert_eq!(
            good["result"]["resultType"],
            if version == "2026-07-28" { json!("complete") } else { Value::Null }
        );
        for (name, code) in [("hidden", "denied_toolset_not_allowed"), ("rm_rf", "denied_unknown_action")] {
            let refused = client.request("tools/call", json!({"name": name, "arguments": {"id": "1"}})).await;
            assert_eq!(refused["result"]["isError"], true, "{refused}");
            assert_eq!(refused["result"]["_meta"]["cask"]["reason_code"], code);
            let text: Value =
                serde_json::from_str(refused["result"]["content"][0]["text"].as_str().unwrap()).unwrap();
            assert_eq!(text["reason_code"], code);
            assert!(refused["result"]["structuredContent"].is_null());
        }
        let bad = client.request("tools/list", json!({"cursor": "17"})).await;
        assert_eq!(bad["error"]["code"], -32602, "{bad}");
        if version != "2026-07-28" {
            assert!(client.request("ping", json!({})).await["error"].is_null());
        }
        assert_eq!(world.hits(), 1);
        assert_eq!(world.records()[0]["principal"], "raw-client");
    }
}

#[tokio::test]
async fn the_official_client_lists_and_calls() {
    use rmcp::ServiceExt as _;
    let world = world(|_| {}).await;
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let gateway = Arc::clone(&world.gateway);
    tokio::spawn(async move { mcp::serve(gateway, theirs).await });
    let client = ().serve(ours).await.unwrap();
    let tools = client.list_all_tools().await.unwrap();
    assert_eq!(tools.len(), 16);
    let params = rmcp::model::CallToolRequestParams::new("get_user")
        .with_arguments(serde_json::from_value(json!({"id": "7"})).unwrap());
    let result = client.call_tool(params).await.unwrap();
    assert_eq!(result.structured_content, Some(json!({"id": "7", "name": "Ann"})));
    client.cancel().await.unwrap();
}
