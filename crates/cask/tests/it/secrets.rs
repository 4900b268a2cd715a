//! Planted secrets: whatever is sent and answered, none of it is in any file, log or output of the pipeline.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::world::{World, entry, files, har};

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

/// What only `high_risk_pii` takes, by the name it stands under.
const PERSONAL: &[(&str, &str)] = &[
    ("first_name", "Wilhelmina"),
    ("lastName", "Featherstonehaugh"),
    ("nickname", "quokka-of-the-north"),
    ("street", "17 Quincunx Lane"),
    ("city", "Llanfairpwllgwyngyll"),
    ("zip", "LL61 5UJ"),
    ("postalCode", "LL61 5UJ"),
    ("account_number", "AC-7730091"),
    ("bank_account_number", "BA 55120937"),
    ("latitude", "53.220913"),
    ("date_of_birth", "1967-03-29"),
    ("passport_number", "X77392015"),
    ("religion", "pastafarian"),
    ("diagnosis", "acrophobia"),
    ("ip_address", "198.51.100.23"),
    ("clientIp", "2001:db8:85a3::8a2e:370:7334"),
    ("user_agent", "Mozilla/5.0 (Canary; Wilhelmina-PC)"),
    ("note", "wants the window seat, as her late sister did"),
    ("comment", "call after seven, knock twice"),
];

/// A capture in which all of that is in bodies, forms, parameters, headers and free text.
fn personal() -> String {
    let whole: Value = PERSONAL.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    let addresses = "seen at 198.51.100.23 and [2001:db8:85a3::8a2e:370:7334]";
    let entries = (0..6).map(|round| {
        let form = PERSONAL.iter().map(|(key, value)| format!("{key}={}", value.replace(' ', "+")));
        let form = form.collect::<Vec<_>>().join("&");
        let body = json!({ "id": round, "person": whole, "people": [whole, whole], "detail": addresses, "latitude": 53.220913 });
        let mut one = entry(&format!("/v1/people?{form}"), &body);
        let (mime, text) = match round % 2 {
            0 => ("application/json", body.to_string()),
            _ => ("application/x-www-form-urlencoded", form),
        };
        one["request"]["method"] = json!("POST");
        one["request"]["postData"] = json!({ "mimeType": mime, "text": text });
        let headers = ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Client", "User-Agent", "Referer"];
        let value = |name| match name {
            "User-Agent" => "Mozilla/5.0 (Canary; Wilhelmina-PC)",
            "Referer" => "https://api.example.com/people?first_name=Wilhelmina&city=Llanfairpwllgwyngyll",
            _ => "198.51.100.23",
        };
        let headers = headers.map(|name| json!({ "name": name, "value": value(name) }));
        one["request"]["headers"].as_array_mut().unwrap().extend(headers.clone());
        one["response"]["headers"].as_array_mut().unwrap().extend(headers);
        one
    });
    har(&entries.collect::<Vec<_>>())
}

/// Where which of these was found.
struct Leaks {
    planted: Vec<(&'static str, String)>,
    found: Vec<String>,
}

impl Leaks {
    fn look(&mut self, place: &str, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        for (kind, _) in self.planted.iter().filter(|(_, secret)| text.contains(secret)) {
            self.found.push(format!("{kind} in {place}"));
        }
    }

    /// Looks at what a command says.
    fn run(&mut self, world: &World, args: &[&str]) {
        let ran = world.cask(args);
        self.look(&format!("stdout of {args:?}"), ran.out.as_bytes());
        self.look(&format!("stderr of {args:?}"), ran.err.as_bytes());
    }

    /// Looks at everything that was written.
    fn end(mut self, world: &World) {
        let all = files(&world.root());
        assert!(all.len() > 10, "only {} files were looked at", all.len());
        for (path, bytes) in &all {
            self.look(&path.display().to_string(), bytes);
        }
        assert!(self.found.is_empty(), "{:#?}", self.found);
    }
}

#[test]
fn no_personal_data_survives_where_it_is_at_high_risk() {
    let world = World::empty();
    std::fs::write(world.path("traffic.har"), personal()).unwrap();
    // As it is, and as a form or a URL writes it.
    let written = |value: &str| [" ", "+", "%20"].map(|space| value.replace(' ', space));
    let planted =
        PERSONAL.iter().flat_map(|(kind, value)| written(value).map(|value| (*kind, value))).collect();
    let mut leaks = Leaks { planted, found: Vec::new() };
    let strict = ["--redaction-profile", "high_risk_pii"];
    leaks.run(&world, &[&["mint", "traffic.har"], &strict[..]].concat());
    leaks.run(&world, &[&["mint", "traffic.har", "-a", "api.example.com"], &strict[..]].concat());
    assert_eq!(world.cask(&["verify"]).code, 0, "nothing was minted");
    for args in REVIEW {
        leaks.run(&world, args);
    }
    leaks.run(&world, &["explain", "create_person"]);
    leaks.run(&world, &["drift", "traffic.har", "--all", "--format", "json"]);
    leaks.run(&world, &[&["capture", "import", "traffic.har", "-a", "*.example.com"], &strict[..]].concat());
    leaks.end(&world);
    // It is the profile that takes it: another one does not.
    let other = World::empty();
    std::fs::write(other.path("traffic.har"), personal()).unwrap();
    assert_eq!(other.cask(&["mint", "traffic.har", "-a", "api.example.com"]).code, 0);
    let kept = files(&other.root()).into_values().collect::<Vec<_>>().concat();
    assert!(String::from_utf8_lossy(&kept).contains("Featherstonehaugh"));
}

/// What is asked of a toolpack in a review.
const REVIEW: &[&[&str]] = &[
    &["diff"],
    &["diff", "--format", "json"],
    &["diff", "--format", "github-md"],
    &["gate", "status"],
    &["gate", "allow", "--all", "--yes"],
    &["gate", "check"],
    &["gate", "snapshot"],
    &["drift", "traffic.har", "--all"],
    &["verify", "--mode", "contracts"],
    &["verify", "--mode", "replay"],
    &["config", "--format", "json"],
];

#[test]
fn none_survives_in_any_file_or_output() {
    let world = World::empty();
    std::fs::write(world.path("traffic.har"), capture()).unwrap();
    let mut leaks = Leaks { planted: planted(), found: Vec::new() };
    leaks.run(&world, &["mint", "traffic.har"]);
    leaks.run(&world, &["mint", "traffic.har", "-a", "api.example.com"]);
    for args in REVIEW {
        leaks.run(&world, args);
    }
    leaks.run(&world, &["explain", "create_thing"]);
    leaks.run(&world, &["mint", "traffic.har", "-a", "other.example.com"]);
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
    leaks.look("stdout of run", &output.stdout);
    leaks.look("stderr of run", &output.stderr);
    leaks.end(&world);
}
