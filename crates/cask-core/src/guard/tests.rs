//! The decision vectors: documents that another implementation could be held to as well.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::*;
use crate::lock::{Approved, NotApproved};
use crate::toolpack::Tool;
use crate::toolpack::scope::Scope;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    #[serde(rename = "about")]
    _about: String,
    surface: SurfaceDoc,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SurfaceDoc {
    toolpack: String,
    revision: u64,
    tools: Vec<Tool>,
    toolsets: BTreeMap<String, BTreeSet<String>>,
    policy: String,
    hosts: BTreeSet<String>,
    #[serde(default)]
    until: BTreeMap<String, String>,
    #[serde(default)]
    toolset_until: BTreeMap<String, String>,
    #[serde(default)]
    not_approved: BTreeMap<String, String>,
    #[serde(default)]
    scopes: BTreeMap<String, Scope>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    call: CallDoc,
    now: Option<String>,
    #[serde(default)]
    highest_revision: u64,
    #[serde(default)]
    calls: Vec<Earlier>,
    expect: Expect,
    /// A text that must not be in the answer.
    never: Option<String>,
}

fn noon() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallDoc {
    principal: String,
    toolset: String,
    tool: String,
    arguments: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Earlier {
    #[serde(rename = "tool")]
    _tool: String,
    effect: Effect,
    at: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    decision: String,
    reason_code: String,
    guard: Option<String>,
    policies: Option<Vec<String>>,
    faults: Option<Vec<String>>,
    #[serde(default)]
    challenge: bool,
    request: Option<RequestDoc>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestDoc {
    method: String,
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    #[serde(default)]
    body_has: Vec<String>,
}

fn surface(doc: SurfaceDoc) -> Rules {
    let why = |text: &str| match text {
        "pending" => NotApproved::Pending,
        "blocked" => NotApproved::Blocked,
        "changed" => NotApproved::Changed,
        "unsigned" => NotApproved::Unsigned,
        "bad_signature" => NotApproved::BadSignature,
        "expired" => NotApproved::Expired,
        "short" => NotApproved::Short,
        "revoked" => NotApproved::Revoked,
        "raised" => NotApproved::Raised,
        "host" => NotApproved::Host,
        "scope" => NotApproved::Scope,
        "out_of_scope" => NotApproved::OutOfScope,
        other => panic!("unknown state {other}"),
    };
    let tools = doc.tools.into_iter().map(|tool| {
        let toolsets = doc.toolsets.iter().filter(|(_, names)| names.contains(&tool.name));
        let approved = ApprovedTool {
            digest: crate::canon::digest(&tool).unwrap(),
            toolsets: toolsets.map(|(name, _)| name.clone()).collect(),
            until: doc.until.get(&tool.name).cloned(),
            tool,
        };
        (approved.tool.name.clone(), approved)
    });
    let approved = Approved {
        toolpack: doc.toolpack,
        revision: doc.revision,
        lockfile_digest: Some(Digest::of_bytes(b"lockfile")),
        tools: tools.collect(),
        toolsets: doc.toolsets.keys().cloned().collect(),
        toolset_ends: doc.toolset_until.clone(),
        policy_digest: Digest::of_bytes(doc.policy.as_bytes()),
        policy: doc.policy,
        hosts: doc.hosts,
        scopes: doc.scopes,
        not_approved: doc.not_approved.iter().map(|(name, text)| (name.clone(), why(text))).collect(),
    };
    Rules::new(approved, None)
}

fn check(file: &str, surface: &Rules, case: &Case) -> ReasonCode {
    let place = format!("{file}: {}", case.name);
    let mut counters = Counters::default();
    for earlier in &case.calls {
        counters.record(earlier.effect, earlier.at.parse().unwrap());
    }
    let call = Call {
        principal: &case.call.principal,
        toolset: &case.call.toolset,
        tool: &case.call.tool,
        arguments: &case.call.arguments,
    };
    let moment = Moment {
        now: case.now.as_ref().map_or_else(noon, |now| now.parse().unwrap()),
        counters: &counters,
        highest_revision: case.highest_revision,
    };
    let expect = &case.expect;
    match decide(surface, call, moment) {
        Ok(permit) => {
            assert_eq!(
                (expect.decision.as_str(), expect.reason_code.as_str()),
                ("allow", "allowed_policy"),
                "{place}"
            );
            if let Some(policies) = &expect.policies {
                assert_eq!(permit.policies(), policies, "{place}");
            }
            let (got, want) =
                (permit.request(), expect.request.as_ref().expect("an allowed case shows its request"));
            assert_eq!(
                (got.method.as_str(), got.url.as_str()),
                (want.method.as_str(), want.url.as_str()),
                "{place}"
            );
            for (name, value) in &want.headers {
                let found = got.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value);
                assert_eq!(found, Some(value), "{place}: {name}");
            }
            let text = String::from_utf8(got.body.clone().unwrap_or_default()).unwrap();
            match &want.body {
                Some(Value::String(body)) => assert_eq!(&text, body, "{place}"),
                Some(body) => assert_eq!(&serde_json::from_str::<Value>(&text).unwrap(), body, "{place}"),
                None => assert!(got.body.is_none() || !want.body_has.is_empty(), "{place}: a body"),
            }
            for part in &want.body_has {
                assert!(text.contains(part.as_str()), "{place}: {part} is not in {text}");
            }
            ReasonCode::AllowedPolicy
        }
        Err(denial) => {
            assert_eq!(denial.reason_code.as_str(), expect.reason_code, "{place}: {denial:?}");
            let confirm = denial.reason_code == ReasonCode::ConfirmationRequired;
            assert_eq!(expect.decision, if confirm { "confirm" } else { "deny" }, "{place}");
            assert_eq!(Some(denial.guard), expect.guard.as_deref(), "{place}");
            assert_eq!(denial.challenge.is_some(), expect.challenge, "{place}");
            if let Some(policies) = &expect.policies {
                assert_eq!(&denial.policies, policies, "{place}");
            }
            if let Some(faults) = &expect.faults {
                let mut got: Vec<_> = denial.faults.iter().map(|fault| fault.pointer.clone()).collect();
                let mut want = faults.clone();
                got.sort();
                want.sort();
                assert_eq!(got, want, "{place}");
            }
            if let Some(never) = &case.never {
                assert!(!format!("{denial:?}").contains(never.as_str()), "{place}: {denial:?}");
            }
            denial.reason_code
        }
    }
}

#[test]
fn decision_vectors_hold_and_cover_every_refusal_of_the_chain() {
    let mut seen = BTreeSet::new();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/decision");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for path in files {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let vectors: Vectors = serde_json::from_str(&std::fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{file}: {error}"));
        let surface = surface(vectors.surface);
        for case in &vectors.cases {
            seen.insert(check(&file, &surface, case));
        }
    }
    // These come from the network, from confirmations, from a lockfile that is refused as a whole or from broken
    // invariants, not from the chain.
    let elsewhere = |code: &str| {
        let prefixes = ["denied_confirmation", "denied_lockfile_", "upstream_"];
        let chain = code == "denied_lockfile_rolled_back";
        !chain && prefixes.iter().any(|prefix| code.starts_with(prefix)) || {
            let runtime = [
                "allowed_confirmation_granted",
                "cancelled",
                "denied_address_not_allowed",
                "denied_content_type_not_allowed",
                "denied_host_resolution_failed",
                "denied_redirect_not_allowlisted",
                "denied_response_too_large",
                "denied_scheme_not_allowed",
                "denied_timeout",
                "dry_run",
                "error_internal",
                "output_schema_mismatch",
            ];
            runtime.contains(&code)
        }
    };
    for reason in REASONS {
        assert!(
            seen.contains(&reason.reason) || elsewhere(reason.code),
            "no vector ends with {}",
            reason.code
        );
    }
}

#[test]
fn a_challenge_is_bound_to_the_exact_call() {
    let text = include_str!("../../vectors/decision/policy.json");
    let vectors: Vectors = serde_json::from_str(text).unwrap();
    let surface = surface(vectors.surface);
    let challenge = |principal: &str, tool: &str, user: &str| {
        let arguments = Map::from_iter([("user_id".to_owned(), Value::from(user))]);
        let call = Call { principal, toolset: "readonly", tool, arguments: &arguments };
        let moment = Moment { now: noon(), counters: &Counters::default(), highest_revision: 0 };
        decide(&surface, call, moment).unwrap_err().challenge.unwrap()
    };
    let all = [
        challenge("a", "rename_user", "1"),
        challenge("b", "rename_user", "1"),
        challenge("a", "retag_user", "1"),
        challenge("a", "rename_user", "2"),
    ];
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 4);
    assert_eq!(all[0], challenge("a", "rename_user", "1"));
}

#[test]
fn fingerprints_ignore_the_order_of_keys_and_take_any_number() {
    let parse = |text| serde_json::from_str::<Map<String, Value>>(text).unwrap();
    let a = fingerprint("t", &parse(r#"{"a":{"x":1,"y":[2]},"b":9007199254740993}"#));
    assert_eq!(a, fingerprint("t", &parse(r#"{"b":9007199254740993,"a":{"y":[2],"x":1}}"#)));
    assert_ne!(a, fingerprint("t", &parse(r#"{"b":9007199254740992,"a":{"y":[2],"x":1}}"#)));
}

#[test]
fn a_base_url_replaces_the_host_and_nothing_else() {
    let text = include_str!("../../vectors/decision/surface.json");
    let vectors: Vectors = serde_json::from_str(text).unwrap();
    let approved = surface(vectors.surface).approved().clone();
    let surface = Rules::new(approved, Some(Base::parse("http://127.0.0.1:8080/staging/").unwrap()));
    let arguments = Map::from_iter([("user_id".to_owned(), Value::from("42"))]);
    let call = Call { principal: "a", toolset: "readonly", tool: "get_user", arguments: &arguments };
    let moment = Moment { now: noon(), counters: &Counters::default(), highest_revision: 0 };
    let permit = decide(&surface, call, moment).unwrap();
    assert_eq!(permit.request().url.as_str(), "http://127.0.0.1:8080/staging/v1/users/42");
    assert_eq!(permit.request().host, "127.0.0.1:8080");
    for bad in ["ftp://x", "http://u:p@x", "http://x/?q", "http://x/#f", "x"] {
        assert!(Base::parse(bad).is_err(), "{bad}");
    }
}
