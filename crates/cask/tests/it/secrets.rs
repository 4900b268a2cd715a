//! Planted secrets: whatever is sent and answered, none of it is in any file, log or output of the pipeline.

use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::world::World;

/// Secrets and personal data, put together here so that no scanner takes this file for a leak.
fn planted() -> Vec<(&'static str, String)> {
    let random = |n: usize, salt: usize| -> String {
        let letters = b"aB3dE5fG7hJ9kL2mN4pQ6rS8tU";
        (0..n).map(|i| letters[(i * 7 + salt * 11 + i * i * salt) % letters.len()] as char).collect()
    };
    let jwt = format!("eyJ{}.eyJ{}.{}", random(20, 1), random(30, 2), random(40, 3));
    vec![
        ("bearer", random(40, 4)),
        ("cookie", random(32, 5)),
        ("api key", random(32, 6)),
        ("password", "correct-horse-battery-9".to_owned()),
        ("jwt", jwt),
        ("aws", format!("AKIA{}", "Q7RDKX2MPL5TVWZY")),
        ("github", format!("ghp_{}", random(36, 7))),
        ("slack", format!("xoxb-{}-{}-{}", "123456789012", "234567890123", random(24, 8))),
        ("stripe", format!("sk_live_{}", random(24, 9))),
        ("google", format!("AIza{}", random(35, 10))),
        ("email", "ada.lovelace77@mail-canary.example".to_owned()),
        ("phone", "+1-555-0123-4567".to_owned()),
        ("card", "4111 1111 1111 1111".to_owned()),
        ("iban", "DE89 3704 0044 0532 0130 00".to_owned()),
        ("ssn", "078-05-1120".to_owned()),
    ]
}

/// A capture in which every secret is in every place that suits it.
fn capture() -> String {
    let all = planted();
    let get = |kind: &str| all.iter().find(|(name, _)| *name == kind).unwrap().1.clone();
    let mut entries = Vec::new();
    for (kind, secret) in &all {
        for round in 0..3 {
            let encoded: String = secret.bytes().map(|b| format!("%{b:02X}")).collect();
            let nested = json!({ "deep": [{ "note": format!("about {secret}, see below") }] }).to_string();
            let body = json!({
                "id": round, "password": get("password"), "contact": { "email": get("email"), "phone": get("phone") },
                "items": [{ "text": format!("x {} y", if *kind == "bearer" || *kind == "cookie" || *kind == "api key" || *kind == "password" { "-" } else { secret }) }],
                "access_token": get("bearer"), "client_secret": get("api key"), "card_number": get("card"),
                "iban": get("iban"), "ssn": get("ssn"), "nested": if matches!(*kind, "bearer" | "cookie" | "api key" | "password") { "{}" } else { &nested },
            });
            let form = format!(
                "password={}&token={}&email={}",
                get("password"),
                get("bearer"),
                get("email").replace('@', "%40")
            );
            let (mime, sent) = if round == 0 {
                ("application/x-www-form-urlencoded", form)
            } else {
                ("application/json", body.to_string())
            };
            let path = if matches!(*kind, "jwt" | "github" | "stripe" | "email") {
                format!("/{encoded}")
            } else {
                String::new()
            };
            entries.push(json!({
                "startedDateTime": "2026-01-01T00:00:00Z", "time": 1,
                "request": {
                    "method": "POST", "httpVersion": "HTTP/2", "headersSize": -1, "bodySize": -1,
                    "url": format!("https://api.example.com/v1/things{path}?access_token={}&email={}", get("api key"), get("email")),
                    "headers": [
                        { "name": "Authorization", "value": format!("Bearer {}", get("bearer")) },
                        { "name": "Cookie", "value": format!("session={}", get("cookie")) },
                        { "name": "X-Api-Key", "value": get("api key") },
                        { "name": "X-Custom", "value": secret },
                    ],
                    "cookies": [{ "name": "session", "value": get("cookie") }],
                    "queryString": [{ "name": "access_token", "value": get("api key") }],
                    "postData": { "mimeType": mime, "text": sent },
                },
                "response": {
                    "status": 200, "statusText": "", "httpVersion": "HTTP/2", "redirectURL": "", "headersSize": -1, "bodySize": -1,
                    "cookies": [], "headers": [{ "name": "Set-Cookie", "value": format!("session={}; HttpOnly", get("cookie")) }],
                    "content": { "size": 1, "mimeType": "application/json", "text": body.to_string() },
                },
                "cache": {}, "timings": { "send": 0, "wait": 1, "receive": 0 },
            }));
        }
    }
    json!({ "log": { "version": "1.2", "creator": { "name": "t", "version": "1" }, "entries": entries } })
        .to_string()
}

fn leaks(place: &str, bytes: &[u8], found: &mut Vec<String>) {
    let text = String::from_utf8_lossy(bytes);
    for (kind, secret) in planted() {
        if text.contains(&secret) {
            found.push(format!("{kind} in {place}"));
        }
    }
}

fn files(dir: &Path, found: &mut Vec<String>, seen: &mut usize) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found, seen);
        } else {
            *seen += 1;
            leaks(&path.display().to_string(), &std::fs::read(&path).unwrap(), found);
        }
    }
}

#[test]
fn none_survives_in_any_file_or_output() {
    let world = World::empty();
    std::fs::write(world.path("traffic.har"), capture()).unwrap();
    let mut found = Vec::new();
    let commands: &[&[&str]] = &[
        &["mint", "traffic.har"],
        &["mint", "traffic.har", "-a", "api.example.com"],
        &["diff"],
        &["diff", "--format", "json"],
        &["diff", "--format", "github-md"],
        &["gate", "status"],
        &["gate", "allow", "--all"],
        &["gate", "check"],
        &["gate", "snapshot"],
        &["drift", "traffic.har", "--all"],
        &["verify", "--mode", "contracts"],
        &["verify", "--mode", "replay"],
        &["explain", "create_thing"],
        &["config", "--format", "json"],
        &["mint", "traffic.har", "-a", "other.example.com"],
    ];
    for args in commands {
        let ran = world.cask(args);
        leaks(&format!("stdout of {args:?}"), ran.out.as_bytes(), &mut found);
        leaks(&format!("stderr of {args:?}"), ran.err.as_bytes(), &mut found);
    }
    assert!(world.root().join("captures").exists(), "nothing was minted");

    let (_, token) = planted().remove(0);
    let mut server = world
        .command(&["run", "--toolset", "operator", "--auth", "env:CANARY"])
        .env("CANARY", &token)
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = server.stdin.take().unwrap();
    let call = json!({ "name": "create_thing", "arguments": { "password": token, "nonsense": token } });
    for (id, method, params) in [
        (
            1,
            "initialize",
            json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } }),
        ),
        (2, "tools/list", json!({})),
        (3, "tools/call", call),
    ] {
        let line: Value = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        writeln!(input, "{line}").unwrap();
        if id == 1 {
            writeln!(input, r#"{{"jsonrpc":"2.0","method":"notifications/initialized"}}"#).unwrap();
        }
    }
    drop(input);
    let output = server.wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("create_thing"), "no tool was listed");
    leaks("stdout of run", &output.stdout, &mut found);
    leaks("stderr of run", &output.stderr, &mut found);

    let mut seen = 0;
    files(&world.root(), &mut found, &mut seen);
    assert!(seen > 10, "only {seen} files were looked at");
    assert!(found.is_empty(), "{found:#?}");
}
