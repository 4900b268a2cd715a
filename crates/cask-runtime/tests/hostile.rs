//! What a hostile upstream, client or neighbour tries while a gateway runs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use base64::Engine as _;
use cask_core::guard::Base;
use cask_core::lock::{Approved, Surface};
use cask_core::toolpack::{Fixed, Tool};
use cask_runtime::answer::{MAX_SHOWN, Outcome};
use cask_runtime::audit::AuditLog;
use cask_runtime::{Accepted, Credentials, Gateway, Settings, mcp};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

const SECRET: &str = "S3cret/Tok+en=Val9";

/// What the upstream was asked: path with query, and headers.
type Seen = Arc<Mutex<Vec<(String, HeaderMap)>>>;

async fn upstream(
    answer: impl Fn(&str, &HeaderMap) -> Response + Clone + Send + Sync + 'static,
) -> (SocketAddr, Seen) {
    let seen = Seen::default();
    let log = Arc::clone(&seen);
    let router = Router::new().fallback(move |uri: Uri, headers: HeaderMap| {
        let response = answer(&uri.to_string(), &headers);
        log.lock().unwrap().push((uri.to_string(), headers));
        async move { response }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, seen)
}

/// What was decided elsewhere while the gateway runs.
#[derive(Debug)]
struct Decided(Mutex<Result<u64, String>>);

impl Accepted for Decided {
    fn highest_revision(&self) -> Result<u64, String> {
        self.0.lock().unwrap().clone()
    }
}

struct World {
    gateway: Arc<Gateway>,
    decided: Arc<Decided>,
    seen: Seen,
    log: PathBuf,
    dir: tempfile::TempDir,
}

fn tool(name: &str, host: &str, more: Value) -> Tool {
    let mut tool = json!({
        "name": name, "title": name, "description": "d",
        "input_schema": {"type": "object", "properties": {"id": {"type": "string"}}, "additionalProperties": false},
        "annotations": {"readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": true},
        "effect": "read", "risk": "low", "reasons": [], "scope": "s",
        "guards": {"timeout_ms": 10_000, "max_response_bytes": 4 << 20},
        "binding": {"http": {
            "method": "GET", "scheme": "http", "host": host, "path": format!("/{name}"),
            "accept": ["application/json", "application/xml", "text/html", "application/yaml", "text/plain"],
        }},
        "evidence": {"endpoint": "ep_0"},
    });
    for (key, value) in more.as_object().unwrap() {
        tool["binding"]["http"][key] = value.clone();
    }
    serde_json::from_value(tool).unwrap()
}

async fn world(
    auth: &str,
    answer: impl Fn(&str, &HeaderMap) -> Response + Clone + Send + Sync + 'static,
    change: impl FnOnce(&mut Settings, &mut Vec<Tool>, &str),
) -> World {
    let (address, seen) = upstream(answer).await;
    let host = address.to_string();
    let mut tools = vec![
        tool("plain", &host, json!({})),
        tool("query", &host, json!({"auth": [{"type": "query_key", "name": "key"}]})),
        tool("basic", &host, json!({"auth": [{"type": "basic"}]})),
        tool("cookie", &host, json!({"auth": [{"type": "cookie", "name": "sid"}]})),
    ];
    let decided = Arc::new(Decided(Mutex::new(Ok(0))));
    let credentials = if auth.is_empty() { Vec::new() } else { vec![format!("{host}={auth}")] };
    let mut settings = Settings {
        toolset: "readonly".to_owned(),
        base: None,
        credentials: Credentials::read(&credentials, &[&host], &[]).unwrap(),
        opened: vec!["127.0.0.0/8".parse().unwrap()],
        redirects: false,
        dry_run: false,
        run_id: "run_test".to_owned(),
        accepted: decided.clone(),
        fixed_now: None,
    };
    change(&mut settings, &mut tools, &host);
    let names: BTreeSet<String> = tools.iter().map(|tool| tool.name.clone()).collect();
    let surface = Surface {
        toolpack: "tp_000000000000".to_owned(),
        tools: tools.into_iter().map(|tool| Fixed::new(tool).unwrap()).collect(),
        toolsets: BTreeMap::from([("readonly".to_owned(), names)]),
        policy: "permit(principal, action, resource);".to_owned(),
        scopes: BTreeMap::new(),
    };
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("audit.jsonl");
    let approved = Approved::unsafe_without_lockfile(surface).unwrap();
    let gateway = Arc::new(Gateway::new(approved, settings, AuditLog::open(&log).unwrap()));
    World { gateway, decided, seen, log, dir }
}

fn nothing(_: &mut Settings, _: &mut Vec<Tool>, _: &str) {}

fn of_type(media: &'static str, text: impl Into<String>) -> Response {
    ([(header::CONTENT_TYPE, media)], text.into()).into_response()
}

fn fine(_: &str, _: &HeaderMap) -> Response {
    of_type("application/json", "{\"ok\":true}")
}

impl World {
    async fn call(&self, tool: &str) -> Outcome {
        self.gateway.call("test", tool, &Map::new(), pending()).await
    }

    fn hits(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

#[tokio::test]
async fn a_decision_made_elsewhere_holds_for_the_next_call() {
    let world = world("", fine, nothing).await;
    assert!(!world.call("plain").await.is_error);
    *world.decided.0.lock().unwrap() = Ok(1);
    let outcome = world.call("plain").await;
    assert_eq!(outcome.reason_code.as_str(), "denied_lockfile_rolled_back");
    assert!(outcome.text.contains("restart"), "{}", outcome.text);
    *world.decided.0.lock().unwrap() = Err("it is not readable".to_owned());
    assert_eq!(world.call("plain").await.reason_code.as_str(), "error_internal");
    assert_eq!(world.hits(), 1);
}

#[tokio::test]
async fn a_credential_is_masked_in_whatever_spelling_it_comes_back() {
    let auth =
        |headers: &HeaderMap| headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let decoded = move |headers: &HeaderMap| {
        let sent = auth(headers).unwrap();
        let bytes =
            base64::engine::general_purpose::STANDARD.decode(sent.strip_prefix("Basic ").unwrap()).unwrap();
        String::from_utf8(bytes).unwrap()
    };
    let say =
        |text: String| (StatusCode::BAD_REQUEST, of_type("application/json", json!({"m": text}).to_string()));
    let never = |world: World, tool: &'static str, parts: &'static [&'static str]| async move {
        let outcome = world.call(tool).await;
        for part in parts {
            assert!(!outcome.text.contains(part), "{part} in {}", outcome.text);
        }
        assert!(outcome.text.contains("[redacted:") || outcome.text.contains("\"n\":0"), "{}", outcome.text);
    };
    let echo = world(SECRET, move |uri, _| say(format!("bad request {uri}")).into_response(), nothing).await;
    never(echo, "query", &["S3cret", "Val9"]).await;
    let plain =
        |uri: &str, _: &HeaderMap| (StatusCode::BAD_REQUEST, format!("bad request {uri}")).into_response();
    never(world(SECRET, plain, nothing).await, "query", &["S3cret", "Val9"]).await;
    let user = "alice:Tr0ub4dor&3xyz";
    let basic = move |_: &str, headers: &HeaderMap| {
        say(format!("wrong: {}", decoded(headers).split_once(':').unwrap().1)).into_response()
    };
    never(world(user, basic, nothing).await, "basic", &["Tr0ub"]).await;
    let given = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(user));
    never(world(&given, basic, nothing).await, "basic", &["Tr0ub"]).await;
    let cookie = move |_: &str, headers: &HeaderMap| {
        let sent = headers.get("cookie").unwrap().to_str().unwrap();
        say(format!("unknown {}", sent.split(['=', ';']).nth(1).unwrap())).into_response()
    };
    never(world("sid=abcdEFGH1234; csrf=zzzYYY888", cookie, nothing).await, "cookie", &["abcdEFGH"]).await;
    let number = move |_: &str, headers: &HeaderMap| {
        let sent = auth(headers).unwrap();
        of_type("application/json", format!("{{\"n\":{}}}", sent.strip_prefix("Bearer ").unwrap()))
    };
    never(world("8273645182736451", number, nothing).await, "plain", &["8273645"]).await;
    // The copy that the size limit cuts in half: `T` stands at its beginning only.
    let long: &'static str = Box::leak(format!("T0{}", "qR7".repeat(1000)).into_boxed_str());
    let many = move |_: &str, _: &HeaderMap| (StatusCode::BAD_GATEWAY, long.repeat(40)).into_response();
    never(world(long, many, nothing).await, "plain", &["T0", "qR7"]).await;
}

#[tokio::test]
async fn a_redirect_takes_no_headers_to_another_origin() {
    let (other, seen) = upstream(fine).await;
    let there = format!("http://{other}/moved");
    let away = move |_: &str, _: &HeaderMap| Redirect::temporary(&there).into_response();
    let world = world(SECRET, away, |settings, tools, host| {
        settings.redirects = true;
        tools.push(tool("moved", host, json!({"fixed_headers": {"x-tenant": "acme"}})));
        tools.push(tool("elsewhere", &other.to_string(), json!({})));
    })
    .await;
    assert!(!world.call("moved").await.is_error);
    assert_eq!(world.call("plain").await.reason_code.as_str(), "denied_redirect_not_allowlisted");
    let (first, hops) = (world.seen.lock().unwrap().clone(), seen.lock().unwrap().clone());
    assert!(first[0].1.contains_key("authorization") && first[0].1.contains_key("x-tenant"));
    assert_eq!(hops.len(), 1);
    assert!(!hops[0].1.contains_key("authorization") && !hops[0].1.contains_key("x-tenant"));
}

#[tokio::test]
async fn without_its_audit_log_there_is_no_call() {
    let change = |how: fn(&World)| async move {
        let world = world("", fine, nothing).await;
        assert!(!world.call("plain").await.is_error);
        assert!(!world.call("plain").await.is_error);
        how(&world);
        let outcome = world.call("plain").await;
        assert_eq!((outcome.reason_code.as_str(), world.hits()), ("error_internal", 2), "{outcome:?}");
        world
    };
    change(|world| std::fs::remove_file(&world.log).unwrap()).await;
    change(|world| {
        let text = std::fs::read(&world.log).unwrap();
        std::fs::remove_file(&world.log).unwrap();
        std::fs::write(&world.log, text).unwrap();
    })
    .await;
    change(|world| std::fs::write(&world.log, "").unwrap()).await;
    // What somebody else adds must follow.
    change(|world| {
        let text = std::fs::read_to_string(&world.log).unwrap();
        let first = text.lines().next().unwrap();
        std::fs::write(&world.log, format!("{text}{first}\n")).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_log_whose_middle_was_edited_is_not_opened() {
    let world = world("", fine, nothing).await;
    for _ in 0..3 {
        assert!(!world.call("plain").await.is_error);
    }
    let text = std::fs::read_to_string(&world.log).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let removed = world.dir.path().join("removed.jsonl");
    std::fs::write(&removed, format!("{}\n{}\n", lines[..2].join("\n"), lines[3..].join("\n"))).unwrap();
    assert!(AuditLog::open(&removed).unwrap_err().to_string().contains("damaged"));
    #[cfg(unix)]
    {
        let link = world.dir.path().join("link.jsonl");
        std::os::unix::fs::symlink(world.dir.path().join("made.jsonl"), &link).unwrap();
        assert!(AuditLog::open(&link).is_err() && !world.dir.path().join("made.jsonl").exists());
    }
    // The end of a long log is checked, and the chain goes on.
    let long = world.dir.path().join("long.jsonl");
    std::fs::copy(&world.log, &long).unwrap();
    let audit = AuditLog::open(&long).unwrap();
    let mut record = cask_core::audit::Record::read(lines[0]).unwrap();
    while std::fs::metadata(&long).unwrap().len() < 600 * 1024 {
        audit.append(&mut record).unwrap();
    }
    AuditLog::open(&long).unwrap().append(&mut record).unwrap();
    cask_core::audit::verify(std::fs::read_to_string(&long).unwrap().lines()).unwrap();
}

#[tokio::test]
async fn answers_respect_their_limits_whatever_they_are_made_of() {
    let many = |count: usize| -> String {
        Value::Object((0..count).map(|n| (format!("k{n:06}"), json!("v"))).collect()).to_string()
    };
    let members = many(60_000);
    let world = world(
        "",
        move |uri, _| {
            if uri == "/basic" {
                return (StatusCode::INTERNAL_SERVER_ERROR, many(4500)).into_response();
            }
            of_type("application/json", members.clone())
        },
        nothing,
    )
    .await;
    let outcome = world.call("plain").await;
    assert!(outcome.cut && outcome.text.len() <= MAX_SHOWN, "{}", outcome.text.len());
    let shown: Map<String, Value> = serde_json::from_str(&outcome.text).unwrap();
    assert!(shown.len() > 10_000 && shown.contains_key("k000000"));
    let failed = world.call("basic").await;
    assert!(failed.cut && failed.text.len() < 4500, "{}", failed.text.len());
    let text: Value = serde_json::from_str(&failed.text).unwrap();
    assert_eq!((&text["cut"], &text["body"]["k000000"]), (&json!(true), &json!("v")));
}

#[tokio::test]
async fn text_answers_are_redacted_by_their_names() {
    for (media, text) in [
        ("application/xml", "<user><id>7</id><password>hunter2x</password></user>"),
        ("text/html", "<form><input name=\"password\" value=\"hunter2x\"></form>"),
        ("application/yaml", "id: 7\npassword: hunter2x\n"),
        ("text/plain", "login failed: password=hunter2x"),
    ] {
        let world = world("", move |_, _| of_type(media, text), nothing).await;
        let outcome = world.call("plain").await;
        assert!(!outcome.is_error && outcome.text.contains("[redacted:credential]"), "{media}: {outcome:?}");
        assert!(!outcome.text.contains("hunter2x"), "{media}: {}", outcome.text);
    }
}

#[tokio::test]
async fn a_credential_does_not_go_in_clear_to_a_host_that_is_signed_for_tls() {
    let world =
        world(SECRET, fine, |_, tools, host| tools.push(tool("tls", host, json!({"scheme": "https"})))).await;
    let outcome = world.call("plain").await;
    assert_eq!((outcome.reason_code.as_str(), world.hits()), ("denied_scheme_not_allowed", 0));
}

#[tokio::test]
async fn the_credential_of_a_signed_host_does_not_go_to_the_base() {
    let (base, seen) = upstream(fine).await;
    let url = format!("http://{base}");
    let world = world("", fine, |settings, _, host| {
        settings.base = Some(Base::parse(&url).unwrap());
        let given = [format!("{host}={SECRET}")];
        settings.credentials = Credentials::read(&given, &[&base.to_string()], &[host]).unwrap();
    })
    .await;
    assert!(!world.call("plain").await.is_error);
    let seen = seen.lock().unwrap().clone();
    assert!(seen.len() == 1 && !seen[0].1.contains_key("authorization"));
}

#[tokio::test]
async fn what_a_client_calls_things_is_recorded_redacted() {
    let world = world("", fine, nothing).await;
    let secret = format!("ghp_{}", "a1B2c3D4e5F6".repeat(3));
    let name = format!("{secret} {}", "x".repeat(5000));
    world.gateway.call(&name, &name, &Map::new(), pending()).await;
    let log = std::fs::read_to_string(&world.log).unwrap();
    assert!(!log.contains(&secret) && log.contains("[redacted:") && log.len() < 2500, "{log}");
}

/// A client that writes lines as they are.
struct Raw {
    lines: tokio::io::Lines<BufReader<tokio::io::ReadHalf<tokio::io::DuplexStream>>>,
    write: tokio::io::WriteHalf<tokio::io::DuplexStream>,
}

impl Raw {
    fn connect(world: &World) -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let gateway = Arc::clone(&world.gateway);
        let (read, write) = tokio::io::split(theirs);
        tokio::spawn(async move { mcp::serve_lines(gateway, read, write).await });
        let (read, write) = tokio::io::split(ours);
        Self { lines: BufReader::new(read).lines(), write }
    }

    async fn ask(&mut self, line: impl AsRef<[u8]>) -> Value {
        self.write.write_all(&[line.as_ref(), b"\n"].concat()).await.unwrap();
        serde_json::from_str(&self.lines.next_line().await.unwrap().unwrap()).unwrap()
    }

    async fn initialize(&mut self, id: u32, name: &str) -> Value {
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": name, "version": "1"}});
        self.ask(json!({"jsonrpc": "2.0", "id": id, "method": "initialize", "params": params}).to_string())
            .await
    }
}

#[tokio::test]
async fn what_is_no_message_is_answered() {
    let world = world("", fine, nothing).await;
    let mut client = Raw::connect(&world);
    assert_eq!(client.initialize(1, "ann").await["result"]["serverInfo"]["name"], "cask");
    let deep = "[".repeat(10_000);
    for line in [&b"{\"jsonrpc\":"[..], b"{\"n\":1e400}", b"\"\xff\"", deep.as_bytes()] {
        let answer = client.ask(line).await;
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32700), &Value::Null), "{answer}");
    }
    let odd = client.ask(r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":[]}}"#).await;
    assert!(odd["id"] == 7 && odd["error"]["code"].is_i64(), "{odd}");
    let ping = client.ask("\u{feff}{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"ping\"}\r").await;
    assert_eq!(ping["id"], 8, "{ping}");
    let long = client.ask("x".repeat((16 << 20) + 1)).await;
    assert_eq!(long["error"]["code"], -32600, "{long}");
}

#[tokio::test]
async fn a_client_keeps_its_first_name() {
    let world = world("", fine, nothing).await;
    let mut client = Raw::connect(&world);
    client.initialize(1, "bob").await;
    let call = |id: u32, meta: Value| {
        json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "plain", "arguments": {}, "_meta": meta}}).to_string()
    };
    assert!(client.ask(call(2, json!({}))).await["error"].is_null());
    assert_eq!(client.initialize(3, "alice").await["error"]["code"], -32600);
    let meta = json!({"io.modelcontextprotocol/clientInfo": {"name": "alice", "version": "1"}});
    assert_eq!(client.ask(call(4, meta)).await["error"]["code"], -32600);
    assert!(client.ask(call(5, json!({}))).await["error"].is_null());
    assert_eq!(world.hits(), 2);
    let log = std::fs::read_to_string(&world.log).unwrap();
    assert!(log.contains("\"principal\":\"bob\"") && !log.contains("alice"));
    // The newest revision says it with each request.
    let mut client = Raw::connect(&world);
    let named = |id: u32, name: &str| {
        call(
            id,
            json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientInfo": {"name": name, "version": "1"},
                "io.modelcontextprotocol/clientCapabilities": {},
            }),
        )
    };
    assert!(client.ask(named(1, "bob")).await["error"].is_null());
    assert_eq!(client.ask(named(2, "alice")).await["error"]["code"], -32600);
    assert_eq!(world.hits(), 3);
}

#[tokio::test]
async fn a_client_that_leaves_at_once_is_no_error() {
    let world = world("", fine, nothing).await;
    let served = mcp::serve_lines(Arc::clone(&world.gateway), tokio::io::empty(), tokio::io::sink()).await;
    assert!(served.is_ok(), "{served:?}");
}
