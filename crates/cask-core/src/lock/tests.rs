//! Laws of the lockfile: nothing that is signed can change, and nothing fails open.

use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::change::{decide, pending, subjects, withdraw};
use super::seen::Seen;
use super::sign::{Own, Pen, Signs as _, seal};
use super::status::{Against, Refused, verify};
use super::trust::{Content, Signer, Trust};
use super::*;
use crate::artifact::lockfile::{read, read_yaml, write};

mod mutation;
mod quorum;
mod scopes;

const NOW: &str = "2026-11-22T12:00:00Z";

fn key() -> Own {
    own(7)
}

fn own(seed: u8) -> Own {
    SigningKey::from_bytes(&[seed; 32]).into()
}

fn trust_in(key: &Own) -> Trust {
    let signers = vec![Signer::new("alice@example.com", vec![key.key().text()])];
    Trust::new(Content { signers, ..Content::default() }, vec![]).unwrap()
}

fn tool(name: &str, risk: &str) -> Tool {
    serde_json::from_value(json!({
        "name": name, "title": "Get user", "description": "Gets one user.",
        "input_schema": { "type": "object", "properties": { "user_id": { "type": "string", "maxLength": 40 } },
            "required": ["user_id"], "additionalProperties": false },
        "output_schema": { "type": "object", "properties": { "id": { "type": "string" } } },
        "annotations": { "readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": true },
        "effect": "read", "risk": risk, "reasons": [{ "code": "method-get", "detail": "GET" }],
        "scope": "users", "guards": { "timeout_ms": 30000, "max_response_bytes": 1048576 },
        "binding": { "http": { "method": "GET", "scheme": "https", "host": "api.example.com",
            "path": "/users/{user_id}", "args": { "user_id": { "in": "path", "name": "user_id", "explode": false } },
            "fixed_query": [["v", "2"]], "fixed_headers": { "x-client": "web" },
            "body": { "media": "application/json", "members": { "a": "b" }, "fixed": { "query": "query Q { a }" } },
            "accept": ["application/json"], "auth": [], "wrap": false } },
        "evidence": { "endpoint": "ep_0123456789ab" }
    }))
    .unwrap()
}

fn surface(tools: &[&str]) -> Surface {
    let names: BTreeSet<String> = tools.iter().map(|name| (*name).to_owned()).collect();
    Surface {
        toolpack: "tp_0123456789ab".to_owned(),
        tools: tools.iter().map(|name| Fixed::new(tool(name, "low")).unwrap()).collect(),
        toolsets: BTreeMap::from([("operator".to_owned(), names.clone()), ("readonly".to_owned(), names)]),
        policy: "permit (principal, action, resource);".to_owned(),
        scopes: BTreeMap::new(),
    }
}

fn allow_all(surface: &Surface, until: Option<&str>) -> Lockfile {
    let key = key();
    let pen = Pen {
        by: "alice@example.com",
        at: "2026-11-22T10:00:00Z",
        until,
        reason: "reviewed in PR 12",
        signer: &key,
    };
    let mut lockfile = pending(None, surface).unwrap();
    for (id, now) in subjects(surface).unwrap() {
        decide(&mut lockfile, &id, &now, State::Approved, &pen).unwrap();
    }
    lockfile.seal = Some(seal(&lockfile, &pen).unwrap());
    lockfile
}

fn reseal(lockfile: &mut Lockfile) {
    let key = key();
    let pen = Pen { by: "alice@example.com", at: NOW, until: None, reason: "", signer: &key };
    lockfile.seal = Some(seal(lockfile, &pen).unwrap());
}

fn verify_at(
    surface: &Surface,
    lockfile: &Lockfile,
    now: &str,
    seen: Option<Seen>,
) -> Result<Approved, Refused> {
    let trust = trust_in(&key());
    verify(surface.clone(), lockfile, &Against { trust: &trust, now, seen: seen.as_ref() })
}

fn check(surface: &Surface, lockfile: &Lockfile) -> Result<Approved, Refused> {
    verify_at(surface, lockfile, NOW, None)
}

#[test]
fn what_is_approved_may_run() {
    let surface = surface(&["get_user", "list_users"]);
    let approved = check(&surface, &allow_all(&surface, None)).unwrap();
    assert_eq!(approved.tools().len(), 2);
    assert_eq!(approved.toolsets().len(), 2);
    assert_eq!(approved.hosts().iter().collect::<Vec<_>>(), ["api.example.com"]);
    assert!(approved.not_approved().is_empty());
    assert_eq!(approved.tools()["get_user"].toolsets.len(), 2);
}

#[test]
fn the_file_is_refused_as_a_whole() {
    let surface = surface(&["get_user"]);
    let good = allow_all(&surface, None);
    let refused = |lockfile: &Lockfile| check(&surface, lockfile).unwrap_err().code;

    assert_eq!(refused(&pending(None, &surface).unwrap()), "denied_lockfile_not_sealed");
    assert_eq!(refused(&Lockfile { seal: None, ..good.clone() }), "denied_lockfile_not_sealed");
    assert_eq!(
        refused(&Lockfile { toolpack: "tp_other".to_owned(), ..good.clone() }),
        "denied_lockfile_foreign"
    );
    assert_eq!(refused(&Lockfile { revision: 2, ..good.clone() }), "denied_lockfile_changed");
    let mut gone = good.clone();
    gone.subjects.remove("tool/get_user");
    assert_eq!(refused(&gone), "denied_lockfile_changed");

    let stranger = own(8);
    let pen = Pen { by: "alice@example.com", at: NOW, until: None, reason: "", signer: &stranger };
    let mut sealed_by_stranger = good.clone();
    sealed_by_stranger.seal = Some(seal(&good, &pen).unwrap());
    assert_eq!(refused(&sealed_by_stranger), "denied_lockfile_seal_not_trusted");

    let mut no_policy = good.clone();
    no_policy.subjects.remove(POLICY);
    reseal(&mut no_policy);
    assert_eq!(refused(&no_policy), "denied_not_approved");
}

#[test]
fn an_older_or_another_revision_is_refused() {
    let surface = surface(&["get_user"]);
    let good = allow_all(&surface, None);
    let digest = good.digest().unwrap();
    let seen = |revision, digest| {
        verify_at(
            &surface,
            &good,
            NOW,
            Some(Seen { revision, digest, blocked: BTreeSet::new(), withdrawn: BTreeMap::new() }),
        )
    };
    assert!(seen(1, digest).is_ok());
    assert_eq!(seen(2, digest).unwrap_err().code, "denied_lockfile_rolled_back");
    assert_eq!(seen(1, Digest::of_bytes(b"other")).unwrap_err().code, "denied_lockfile_rolled_back");
}

/// A branch from before a withdrawal has been decided on further, and never heard of it.
#[test]
fn what_was_taken_back_does_not_come_back_in_another_branch() {
    let surface = surface(&["get_user"]);
    let branch = allow_all(&surface, None);
    let mut here = branch.clone();
    assert!(withdraw(&mut here, "tool/get_user", "alice@example.com"));
    reseal(&mut here);
    let seen = Seen::of(&here).unwrap();
    let mut later = branch.clone();
    later.revision += 2;
    reseal(&mut later);
    let refused = verify_at(&surface, &later, NOW, Some(seen.clone())).unwrap_err();
    assert_eq!(refused.code, "denied_lockfile_forked");
    assert!(refused.message.contains("`tool/get_user`"), "{refused}");
    // approved anew after the withdrawal, it counts
    let (id, now) = subjects(&surface).unwrap().into_iter().find(|(id, _)| id == "tool/get_user").unwrap();
    let key = key();
    let pen = Pen { by: "alice@example.com", at: NOW, until: None, reason: "looked again", signer: &key };
    later.subjects.remove(&id);
    decide(&mut later, &id, &now, State::Approved, &pen).unwrap();
    reseal(&mut later);
    assert!(verify_at(&surface, &later, NOW, Some(seen)).is_ok());
}

#[test]
fn a_tool_ends_with_the_policy_and_a_toolset_by_itself() {
    let surface = surface(&["get_user"]);
    let mut lockfile = allow_all(&surface, None);
    for (id, until) in
        [("policy/default", "2026-11-25T00:00:00Z"), ("toolset/readonly", "2026-11-24T00:00:00Z")]
    {
        let ending = allow_all(&surface, Some(until));
        lockfile.subjects.insert(id.to_owned(), ending.subjects[id].clone());
    }
    reseal(&mut lockfile);
    let approved = check(&surface, &lockfile).unwrap();
    assert_eq!(approved.tools()["get_user"].until.as_deref(), Some("2026-11-25T00:00:00Z"));
    assert_eq!(approved.toolset_until("readonly"), Some("2026-11-24T00:00:00Z"));
    assert_eq!(approved.toolset_until("operator"), None);
}

#[test]
fn each_tool_is_judged_alone() {
    let names = ["changed", "expired", "forged", "fine", "new", "no", "unsigned"];
    let mut surface = surface(&names);
    let mut lockfile = allow_all(&surface, None);
    let expired = allow_all(&surface, Some("2026-11-22T12:00:00Z"));
    surface.tools[0] = surface.tools[0].changed(|tool| tool.description.push('!'));
    lockfile.subjects.insert("tool/expired".to_owned(), expired.subjects["tool/expired"].clone());
    lockfile.subjects.get_mut("tool/forged").unwrap().approvals[0].reason.push('!');
    lockfile.subjects.remove("tool/new");
    lockfile.subjects.get_mut("tool/no").unwrap().state = State::Blocked;
    lockfile.subjects.get_mut("tool/unsigned").unwrap().approvals.clear();
    reseal(&mut lockfile);
    let approved = check(&surface, &lockfile).unwrap();
    assert_eq!(approved.tools().keys().collect::<Vec<_>>(), ["fine"]);
    let why: Vec<(&str, &str)> =
        approved.not_approved().iter().map(|(name, why)| (name.as_str(), why.code())).collect();
    assert_eq!(
        why,
        [
            ("changed", "denied_integrity_mismatch"),
            ("expired", "denied_approval_expired"),
            ("forged", "denied_approval_signature_invalid"),
            ("new", "denied_not_approved"),
            ("no", "denied_blocked"),
            ("unsigned", "denied_approval_signature_required"),
        ]
    );
}

#[test]
fn an_approval_is_good_for_one_subject_and_one_toolpack_only() {
    let surface_a = surface(&["a", "b"]);
    let mut lockfile = allow_all(&surface_a, None);
    let of_b = lockfile.subjects["tool/b"].approvals.clone();
    lockfile.subjects.get_mut("tool/a").unwrap().approvals = of_b;
    reseal(&mut lockfile);
    let approved = check(&surface_a, &lockfile).unwrap();
    assert_eq!(approved.not_approved()["a"], NotApproved::BadSignature);

    let mut elsewhere = surface_a.clone();
    elsewhere.toolpack = "tp_ffffffffffff".to_owned();
    let mut moved = allow_all(&surface_a, None);
    moved.toolpack.clone_from(&elsewhere.toolpack);
    reseal(&mut moved);
    assert!(check(&elsewhere, &moved).is_err(), "the policy's approval names the other toolpack");
}

#[test]
fn minting_again_keeps_decisions_on_what_did_not_change() {
    let mut surface_now = surface(&["blocked", "changed", "kept", "removed"]);
    let mut base = allow_all(&surface_now, None);
    let key = key();
    let pen = Pen { by: "alice@example.com", at: NOW, until: None, reason: "", signer: &key };
    let now = subjects(&surface_now).unwrap();
    decide(&mut base, "tool/blocked", &now["tool/blocked"], State::Blocked, &pen).unwrap();
    reseal(&mut base);
    surface_now.tools.retain(|tool| tool.name != "removed");
    for tool in &mut surface_now.tools {
        if tool.name != "kept" {
            *tool = tool.changed(|tool| tool.title.push('!'));
        }
    }
    let next = pending(Some(&base), &surface_now).unwrap();
    let state = |name: &str| next.subjects[&format!("tool/{name}")].state;
    assert_eq!(state("kept"), State::Approved);
    assert_eq!(state("changed"), State::Pending);
    assert_eq!(state("blocked"), State::Blocked, "a change does not lift a block");
    assert_eq!(state("removed"), State::Approved, "listed until its removal is approved");
    assert_eq!((next.revision, next.previous), (2, Some(base.digest().unwrap())));
    assert_eq!(next.seal, None);
}

/// Every place in a JSON value, as pointers.
fn places(value: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| places(item, &format!("{at}/{index}"), out));
        }
        Value::Object(members) => members.iter().for_each(|(key, item)| {
            places(item, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), out);
        }),
        _ => {}
    }
}

fn other(value: &Value) -> Value {
    match value {
        Value::Bool(value) => json!(!value),
        Value::Number(number) => json!(number.as_u64().unwrap_or(0) + 1),
        Value::String(text) if text == "read" => json!("write"),
        Value::String(text) if text == "low" => json!("safe"),
        Value::String(text) if text == "https" => json!("http"),
        Value::String(text) if text == "path" => json!("query"),
        Value::String(text) => json!(format!("{text}x")),
        Value::Array(items) => Value::Array(items.iter().skip(1).cloned().collect()),
        Value::Object(members) => {
            Value::Object(members.iter().skip(1).map(|(k, v)| (k.clone(), v.clone())).collect())
        }
        Value::Null => json!("x"),
    }
}

#[test]
fn no_field_of_a_tool_can_change_under_its_approval() {
    let surface = surface(&["get_user"]);
    let lockfile = allow_all(&surface, None);
    let value = serde_json::to_value(surface.tools[0].as_ref()).unwrap();
    let mut pointers = Vec::new();
    places(&value, "", &mut pointers);
    let mut tried = 0;
    for pointer in pointers {
        let mut changed = value.clone();
        let place = changed.pointer_mut(&pointer).unwrap();
        let new = other(place);
        if *place == new {
            continue;
        }
        *place = new;
        // What is not a tool any more is refused when tools.json is read.
        let Ok(changed) = serde_json::from_value::<Tool>(changed) else { continue };
        if changed == *surface.tools[0] {
            continue;
        }
        tried += 1;
        let mut with = surface.clone();
        with.tools[0] = Fixed::new(changed).unwrap();
        let served = check(&with, &lockfile).is_ok_and(|approved| !approved.tools().is_empty());
        assert!(!served, "{pointer} was changed and the tool is still served");
    }
    assert!(tried > 40, "only {tried} fields were tried");
}

#[test]
fn nor_can_the_policy_or_a_toolset() {
    let good = surface(&["a", "b"]);
    let lockfile = allow_all(&good, None);
    let mut changed = good.clone();
    changed.policy.push(' ');
    assert_eq!(check(&changed, &lockfile).unwrap_err().code, "denied_integrity_mismatch");
    let mut changed = good.clone();
    changed.toolsets.get_mut("readonly").unwrap().remove("b");
    let approved = check(&changed, &lockfile).unwrap();
    assert_eq!(approved.not_approved()["b"], NotApproved::Changed);
}

#[test]
fn a_new_tool_moves_none_that_is_approved() {
    let lockfile = allow_all(&surface(&["a"]), None);
    let approved = check(&surface(&["a", "b"]), &lockfile).unwrap();
    assert_eq!(
        approved.tools()["a"].toolsets,
        BTreeSet::from(["operator".to_owned(), "readonly".to_owned()])
    );
    assert_eq!(approved.not_approved()["b"], NotApproved::Pending);
    // Nor does a tool get into a toolset that its own approval does not name.
    let mut wider = surface(&["a"]);
    wider.toolsets.insert("extra".to_owned(), BTreeSet::from(["a".to_owned()]));
    let approved = check(&wider, &lockfile).unwrap();
    assert_eq!(approved.not_approved()["a"], NotApproved::Changed);
    assert!(!approved.toolsets().contains("extra"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Flip one bit anywhere in a signed lockfile: it does not parse, it is refused, or it means exactly
    /// what it meant (a bit that only moves white space or quoting).
    #[test]
    fn no_byte_of_a_signed_lockfile_can_change(at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let surface = surface(&["get_user", "list_users"]);
        let good = allow_all(&surface, Some("2027-01-01T00:00:00Z"));
        let mut bytes = write(&good).into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let Ok(text) = String::from_utf8(bytes) else { return Ok(()) };
        let Ok(changed) = read(&text) else { return Ok(()) };
        if changed != good {
            prop_assert!(check(&surface, &changed).is_err(), "byte {at} changed and is accepted");
        }
    }

    /// What is written is read back equal, whatever stands in the free text.
    #[test]
    fn a_lockfile_survives_its_file(reason in any::<String>(), by in "[a-z:#&'!?é@.-]{1,30}", name in "[A-Za-z0-9_-]{1,64}") {
        let mut lockfile = allow_all(&surface(&[&name]), None);
        for entry in lockfile.subjects.values_mut() {
            entry.approvals[0].reason.clone_from(&reason);
            entry.approvals[0].by.clone_from(&by);
        }
        let text = write(&lockfile);
        prop_assert_eq!(read_yaml(&text), Ok(lockfile.clone()), "as any YAML parser reads it");
        prop_assert_eq!(read(&text), Ok(lockfile));
    }
}

#[test]
fn bad_files_say_what_is_wrong() {
    let good = write(&allow_all(&surface(&["get_user"]), None));
    for (name, text, expect) in [
        (
            "newer",
            good.replace("schema_version: \"1\"", "schema_version: \"2\"\nextra: 1"),
            "use the version that wrote it",
        ),
        ("unknown field", good.replace("revision: 1", "revision: 1\nextra: 1"), "extra"),
        ("duplicate key", good.replace("revision: 1", "revision: 1\nrevision: 2"), "duplicate"),
        (
            "duplicate subject",
            format!("{}  policy/default:\n    digest: x\n", good.split("seal:").next().unwrap()),
            "duplicate",
        ),
        ("anchor bomb", "schema_version: &a \"1\"\ntoolpack: *a\n".to_owned(), "anchor"),
        ("deep", format!("schema_version: {}", "[".repeat(100_000)), ""),
        ("truncated", good.chars().take(good.len() / 2).collect(), "/"),
        ("subject", good.replace("  tool/get_user:", "  thing/get_user:"), "/subjects/thing~1get_user"),
        ("time", good.replace("2026-11-22T10:00:00Z", "2026-11-22 10:00"), "approvals/0/at"),
        ("empty", String::new(), ""),
    ] {
        let error = read(&text).expect_err(name).to_string();
        assert!(error.contains(expect) || name == "truncated", "{name}: {error}");
    }
}
