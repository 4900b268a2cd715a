//! Scopes: each change has its rule.

use super::*;
use crate::lock::SCOPE;

fn one() -> Value {
    json!({ "intent": "x", "tools": ["get_user"], "hosts": ["api.example.com"], "effects": ["read"],
        "max_risk": "low", "constraints": { "get_user": { "user_id": { "prefix": "u-" } } } })
}

fn scoped(scopes: &Value) -> Surface {
    Surface { scopes: serde_json::from_value(scopes.clone()).unwrap(), ..surface(tool()) }
}

/// What the scopes become, and the rule for it.
fn changes() -> Vec<(Value, &'static str)> {
    let changed = |key: &str, value: Value| {
        let mut one = one();
        one[key] = value;
        json!({ "s": one })
    };
    let limit = |limit: Value| changed("constraints", json!({ "get_user": { "user_id": limit } }));
    vec![
        (json!({}), "scope-removed"),
        (json!({ "s": one(), "t": one() }), "scope-added"),
        (changed("intent", json!("y")), "scope-changed"),
        (changed("hosts", json!([])), "scope-narrowed"),
        (changed("confirm", json!(true)), "scope-narrowed"),
        (changed("effects", json!(["read", "write"])), "scope-broadened"),
        (changed("max_risk", json!("high")), "scope-broadened"),
        (changed("tools", json!([])), "scope-broadened"),
        (changed("constraints", json!({})), "scope-broadened"),
        (limit(json!({ "prefix": "u-1" })), "scope-narrowed"),
        (limit(json!({ "enum": ["u-1", "u-2"] })), "scope-narrowed"),
        (limit(json!({ "prefix": "u" })), "scope-broadened"),
        (limit(json!({ "prefix": "u-", "optional": true })), "scope-broadened"),
    ]
}

pub(super) fn cases() -> Vec<(Surface, Surface)> {
    changes().iter().map(|(after, _)| (scoped(&json!({ "s": one() })), scoped(after))).collect()
}

#[test]
fn each_change_of_a_scope_has_its_rule() {
    let before = scoped(&json!({ "s": one() }));
    for (scopes, code) in changes() {
        let after = scoped(&scopes);
        assert_eq!(codes(&before, &after), [code], "{scopes}");
        let alone = super::super::scopes(Some(&before), &after);
        assert_eq!(alone, findings(&before, &after), "{scopes}");
        assert!(alone[0].at.subject.starts_with(SCOPE), "{scopes}");
        let back = codes(&after, &before);
        match rules::find(code).unwrap().mirror {
            rules::Mirror::Code(other) => assert_eq!(back, [other], "{scopes}, back"),
            rules::Mirror::Itself => assert_eq!(back, [code], "{scopes}, back"),
            rules::Mirror::Waived(_) => assert_eq!(back.len(), 1, "{scopes}, back"),
        }
    }
    let mut accepted = one();
    accepted["review"] = json!("accepted");
    assert!(codes(&before, &scoped(&json!({ "s": accepted }))).is_empty(), "the review is not signed");
}
