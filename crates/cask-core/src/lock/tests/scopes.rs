//! Laws of scopes: a tool in one is served only within it, and nobody takes a tool out of its scope unseen.

use serde_json::{Value, json};

use super::super::change::{decide, pending, subjects, withdraw};
use super::super::sign::{Pen, seal};
use super::super::status::{Against, Standing, standings};
use super::super::*;
use super::{NOW, allow_all, check, key, reseal, surface, trust_in};
use crate::toolpack::scope::Scope;

fn scope(tools: &[&str], more: &Value) -> Scope {
    let mut value = json!({
        "intent": "x", "tools": tools, "hosts": ["api.example.com"], "effects": ["read"], "max_risk": "low",
    });
    value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(value).unwrap()
}

fn scoped(tools: &[&str], scopes: &[(&str, Scope)]) -> Surface {
    let scopes = scopes.iter().map(|(name, scope)| ((*name).to_owned(), scope.clone())).collect();
    Surface { scopes, ..surface(tools) }
}

fn why(surface: &Surface, lockfile: &Lockfile, tool: &str) -> Option<NotApproved> {
    check(surface, lockfile).unwrap().not_approved().get(tool).copied()
}

#[test]
fn without_scopes_no_byte_of_a_lockfile_changes() {
    let text = crate::artifact::lockfile::write(&allow_all(&surface(&["a"]), None));
    assert!(!text.contains("scope") && !text.contains("tools:"), "{text}");
    let scoped = scoped(&["a"], &[("one", scope(&["a"], &json!({})))]);
    let lockfile = allow_all(&scoped, None);
    let text = crate::artifact::lockfile::write(&lockfile);
    assert!(text.contains("  scope/one:\n"), "{text}");
    assert_eq!(crate::artifact::lockfile::read(&text), Ok(lockfile.clone()));
    assert_eq!(crate::artifact::lockfile::read_yaml(&text), Ok(lockfile));
}

#[test]
fn a_tool_in_a_scope_is_served_only_while_that_is_approved() {
    let plain = allow_all(&surface(&["a", "b"]), None);
    let now = scoped(&["a", "b"], &[("one", scope(&["a"], &json!({})))]);
    assert_eq!(why(&now, &plain, "a"), Some(NotApproved::Scope), "nobody has decided on the scope");
    assert_eq!(why(&now, &plain, "b"), None, "it is in no scope");
    let lockfile = allow_all(&now, None);
    let approved = check(&now, &lockfile).unwrap();
    assert_eq!(approved.tools().len(), 2);
    assert_eq!(approved.scopes().keys().collect::<Vec<_>>(), ["one"]);
    // What is signed covers all but the review.
    for more in [
        json!({"intent": "y"}),
        json!({"confirm": true}),
        json!({"max_risk": "medium"}),
        json!({"effects": ["read", "write"]}),
        json!({"hosts": ["api.example.com", "evil.example"]}),
        json!({"constraints": {"a": {"user_id": {"constant": "1"}}}}),
    ] {
        let changed = scoped(&["a", "b"], &[("one", scope(&["a"], &more))]);
        assert_eq!(why(&changed, &lockfile, "a"), Some(NotApproved::Scope), "{more}");
    }
    let accepted = scoped(&["a", "b"], &[("one", scope(&["a"], &json!({"review": "accepted"})))]);
    assert_eq!(why(&accepted, &lockfile, "a"), None);
}

#[test]
fn no_tool_leaves_its_scope_unseen() {
    let limited = scope(&["a", "b"], &json!({"constraints": {"a": {"user_id": {"constant": "1"}}}}));
    let now = scoped(&["a", "b", "c"], &[("one", limited.clone())]);
    let lockfile = allow_all(&now, None);
    // The file is gone, the scope is, the tool left it, or it has another name.
    let left = scope(&["b"], &json!({}));
    for scopes in [vec![], vec![("one", left.clone())], vec![("other", limited.clone())]] {
        let later = scoped(&["a", "b", "c"], &scopes);
        assert_eq!(why(&later, &lockfile, "a"), Some(NotApproved::Scope), "{scopes:?}");
        assert_eq!(why(&later, &lockfile, "c"), None);
    }
    // Somebody approves that it left.
    let later = scoped(&["a", "b", "c"], &[("one", left)]);
    assert!(check(&later, &allow_all(&later, None)).unwrap().not_approved().is_empty());
    // A block holds, whatever the file says.
    let key = key();
    let pen = Pen { by: "alice@example.com", at: NOW, until: None, reason: "", signer: &key };
    let mut blocked = lockfile.clone();
    decide(&mut blocked, "scope/one", &subjects(&now).unwrap()["scope/one"], State::Blocked, &pen).unwrap();
    reseal(&mut blocked);
    for surface in [&now, &surface(&["a", "b", "c"])] {
        assert_eq!(why(surface, &blocked, "a"), Some(NotApproved::Scope));
        assert_eq!(pending(Some(&blocked), surface).unwrap().subjects["scope/one"].state, State::Blocked);
    }
    // So does one whose approval was taken back, and somebody is told.
    let mut taken = lockfile.clone();
    assert!(withdraw(&mut taken, "scope/one", "alice@example.com"));
    reseal(&mut taken);
    let plain = surface(&["a", "b", "c"]);
    assert_eq!(why(&plain, &taken, "a"), Some(NotApproved::Scope));
    let trust = trust_in(&key);
    let against = Against { trust: &trust, now: NOW, seen: None };
    assert_eq!(standings(&plain, &taken, &against).unwrap()["scope/one"], Standing::Removed);
    // And what it lists is sealed.
    let mut edited = lockfile;
    edited.subjects.get_mut("scope/one").unwrap().tools.remove("a");
    assert_eq!(check(&now, &edited).unwrap_err().code, "denied_lockfile_changed");
}

#[test]
fn a_tool_outside_of_its_scope_is_not_served() {
    for more in [json!({"hosts": []}), json!({"effects": ["write"]}), json!({"max_risk": "safe"})] {
        let now = scoped(&["a"], &[("one", scope(&["a"], &more))]);
        assert_eq!(why(&now, &allow_all(&now, None), "a"), Some(NotApproved::OutOfScope), "{more}");
    }
    // Every scope of a tool holds it.
    let (wide, none) = (scope(&["a"], &json!({})), scope(&["a"], &json!({"effects": []})));
    let now = scoped(&["a"], &[("wide", wide), ("none", none)]);
    assert_eq!(why(&now, &allow_all(&now, None), "a"), Some(NotApproved::OutOfScope));
    let hatch = Approved::unsafe_without_lockfile(now).unwrap();
    assert_eq!(hatch.not_approved()["a"], NotApproved::OutOfScope);
}

#[test]
fn a_scope_that_was_approved_for_a_lower_risk_covers_no_higher_one() {
    let mut now = scoped(&["a", "b"], &[("one", scope(&["a", "b"], &json!({"max_risk": "critical"})))]);
    let before = allow_all(&now, None);
    let raised = now.tools[0].changed(|tool| tool.risk = crate::endpoint::Risk::High);
    now.tools[0] = raised;
    let mut lockfile = allow_all(&now, None);
    lockfile.subjects.insert("scope/one".to_owned(), before.subjects["scope/one"].clone());
    let key = key();
    let pen = Pen { by: "alice@example.com", at: NOW, until: None, reason: "", signer: &key };
    lockfile.seal = Some(seal(&lockfile, &pen).unwrap());
    assert_eq!(why(&now, &lockfile, "a"), Some(NotApproved::Raised));
    assert_eq!(why(&now, &lockfile, "b"), None);
}

#[test]
fn what_a_scope_was_approved_for_ends_with_it() {
    let now = scoped(&["a"], &[("one", scope(&["a"], &json!({})))]);
    let mut lockfile = allow_all(&now, None);
    let key = key();
    let until = Some("2027-01-01T00:00:00Z");
    let pen = Pen { by: "alice@example.com", at: NOW, until, reason: "", signer: &key };
    decide(&mut lockfile, "scope/one", &subjects(&now).unwrap()["scope/one"], State::Approved, &pen).unwrap();
    reseal(&mut lockfile);
    let approved = check(&now, &lockfile).unwrap();
    assert_eq!(approved.tools()["a"].until.as_deref(), until);
}
