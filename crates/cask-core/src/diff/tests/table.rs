//! The table of rules: each fires, each stays quiet, each has its mirror or says why not.

use super::*;
use crate::diff::rules::{Mirror, RULES};

/// One change of the tool, and the one rule that it falls under.
fn changes() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("/title", json!("x"), "tool-title-changed"),
        ("/description", json!("Gets all users."), "tool-description-changed"),
        ("/input_schema/properties/extra", json!({}), "argument-added"),
        ("/input_schema/properties/api_key", json!({ "type": "string" }), "argument-credential-added"),
        ("/input_schema/properties/user_id", Value::Null, "argument-removed"),
        ("/input_schema/properties/user_id/maxLength", json!(41), "argument-widened"),
        ("/input_schema/properties/user_id/maxLength", json!(39), "argument-narrowed"),
        ("/input_schema/properties/user_id/pattern", json!("a"), "argument-narrowed"),
        ("/input_schema/properties/user_id/format", json!("uuid"), "argument-narrowed"),
        ("/input_schema/properties/user_id/description", json!("x"), "argument-text-changed"),
        ("/input_schema/properties/sort/enum", json!(["asc", "desc", "drop"]), "argument-widened"),
        ("/input_schema/properties/sort/enum", json!(["asc"]), "argument-narrowed"),
        ("/input_schema/properties/sort/enum", json!(["desc", "asc"]), "argument-text-changed"),
        ("/input_schema/properties/sort/enum", Value::Null, "argument-widened"),
        ("/input_schema/required", json!(["user_id", "sort"]), "argument-required"),
        ("/input_schema/required", json!([]), "argument-optional"),
        ("/input_schema/additionalProperties", json!(true), "argument-widened"),
        ("/output_schema/properties/name", json!({ "type": "string" }), "output-field-added"),
        ("/output_schema/properties/access_token", json!({ "type": "string" }), "output-credential-added"),
        ("/output_schema/properties/id", Value::Null, "output-field-removed"),
        ("/output_schema/properties/id/enum", json!(["a"]), "output-narrowed"),
        ("/output_schema/properties/id/type", Value::Null, "output-widened"),
        (
            "/output_schema/properties/id",
            json!({ "anyOf": [{ "type": "null" }, { "type": "string" }] }),
            "output-widened",
        ),
        ("/output_schema/required", json!(["id"]), "output-field-required"),
        ("/output_schema/additionalProperties", json!(false), "output-narrowed"),
        ("/output_schema/patternProperties", json!({}), "output-schema-changed"),
        ("/output_schema/description", json!("x"), "output-text-changed"),
        ("/output_schema", Value::Null, "output-schema-removed"),
        ("/annotations/readOnlyHint", json!(false), "annotation-tightened"),
        ("/annotations/openWorldHint", json!(false), "annotation-relaxed"),
        ("/annotations/destructiveHint", json!(true), "destructive-hint-set"),
        ("/effect", json!("write"), "tool-effect-changed"),
        ("/effect", json!("auth"), "tool-effect-auth"),
        ("/effect", json!("delete"), "tool-effect-destructive"),
        ("/effect", json!("payment"), "tool-effect-destructive"),
        ("/effect", json!("admin"), "tool-effect-destructive"),
        ("/risk", json!("high"), "tool-risk-raised"),
        ("/risk", json!("safe"), "tool-risk-lowered"),
        ("/reasons", json!([]), "tool-reasons-changed"),
        ("/scope", json!("x"), "tool-scope-changed"),
        ("/guards/timeout_ms", json!(30001), "guard-relaxed"),
        ("/guards/max_response_bytes", json!(1), "guard-tightened"),
        ("/binding/http/method", json!("POST"), "tool-method-changed"),
        ("/binding/http/scheme", json!("http"), "tool-scheme-changed"),
        ("/binding/http/path", json!("/admins/{user_id}"), "tool-path-changed"),
        ("/binding/http/args/sort/name", json!("order"), "argument-moved"),
        ("/binding/http/fixed_query", json!([["v", "3"]]), "tool-fixed-part-changed"),
        ("/binding/http/fixed_headers/x-client", json!("x"), "tool-fixed-part-changed"),
        ("/binding/http/body/fixed/query", json!("mutation M { a }"), "tool-fixed-part-changed"),
        ("/binding/http/body/members/a", json!("c"), "argument-moved"),
        ("/binding/http/body/under", json!("variables"), "tool-body-changed"),
        ("/binding/http/body", Value::Null, "tool-body-changed"),
        ("/binding/http/accept", json!([]), "tool-accept-changed"),
        ("/binding/http/auth", json!([{ "type": "bearer" }]), "tool-auth-changed"),
        ("/binding/http/wrap", json!(true), "tool-result-changed"),
        ("/evidence/endpoint", json!("ep_1"), "tool-evidence-changed"),
    ]
}

fn mirror(code: &str) -> Option<&'static str> {
    let change = rules::find(code).unwrap();
    match change.mirror {
        Mirror::Code(other) => Some(other),
        Mirror::Itself => Some(change.rule.code),
        Mirror::Waived(_) => None,
    }
}

#[test]
fn each_change_of_a_tool_has_its_rule_and_the_change_back_its_mirror() {
    let before = surface(tool());
    assert!(codes(&before, &before).is_empty());
    for (pointer, new, expect) in changes() {
        let after = surface(with(tool(), pointer, &new));
        assert_eq!(codes(&before, &after), [expect], "{pointer}");
        if let Some(mirror) = mirror(expect) {
            assert_eq!(codes(&after, &before), [mirror], "{pointer}, back");
        }
    }
}

#[test]
fn what_is_neither_more_nor_less_is_both_or_in_doubt_more() {
    let before = surface(tool());
    let both = |pointer: &str, new: Value| codes(&before, &surface(with(tool(), pointer, &new)));
    let integer = json!("integer");
    assert_eq!(
        both("/output_schema/properties/id/type", integer.clone()),
        ["output-widened", "output-narrowed"]
    );
    assert_eq!(
        both("/input_schema/properties/sort/enum", json!(["asc", "drop"])),
        ["argument-widened", "argument-narrowed"]
    );
    let uuid = surface(with(tool(), "/input_schema/properties/user_id/format", &json!("uuid")));
    let date = surface(with(tool(), "/input_schema/properties/user_id/format", &json!("date")));
    assert_eq!(codes(&uuid, &date), ["argument-widened"]);
    assert_eq!(codes(&date, &uuid), ["argument-widened"]);
    // a number may be whole
    let whole = surface(with(tool(), "/output_schema/properties/id/type", &integer));
    let number = surface(with(tool(), "/output_schema/properties/id/type", &json!("number")));
    assert_eq!(codes(&whole, &number), ["output-widened"]);
    assert_eq!(codes(&number, &whole), ["output-narrowed"]);
}

#[test]
fn a_difference_has_its_place_and_both_sides() {
    let after = with(tool(), "/output_schema/properties/id/maxLength", &json!(8));
    let found = findings(&surface(tool()), &surface(after));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].at.subject, "tool/get_user");
    assert_eq!(found[0].at.pointer, "/output_schema/properties/id/maxLength");
    assert_eq!((&found[0].before, &found[0].after), (&None, &Some(json!(8))));
    assert_eq!(found[0].message, "`id` in the result of `get_user` may hold less than before (a limit)");
}

#[test]
fn a_result_that_is_wrapped_is_compared_by_what_is_inside() {
    let list = json!({ "type": "array", "items": { "type": "string" } });
    let wrapped = json!({ "type": "object", "properties": { "result": list }, "required": ["result"] });
    let mut after = with(tool(), "/binding/http/wrap", &json!(true));
    after = with(after, "/output_schema", &wrapped);
    let found = codes(&surface(tool()), &surface(after.clone()));
    assert_eq!(found[0], "tool-result-changed");
    assert!(!found.contains(&"output-field-added") && !found.contains(&"output-field-required"), "{found:?}");
    let back = codes(&surface(after), &surface(tool()));
    assert_eq!(back[0], "tool-result-unwrapped");
}

#[test]
fn names_of_credentials_are_those_that_redaction_knows() {
    for (name, schema, is) in [
        ("password", json!({ "type": "string" }), true),
        ("accessToken", json!({ "type": "string" }), true),
        ("session_id", json!({ "type": "string" }), true),
        ("otp", json!({ "type": "integer" }), true),
        ("login", json!({ "type": "object", "properties": { "api_key": { "type": "string" } } }), true),
        ("keys", json!({ "type": "array", "items": { "properties": { "secret": {} } } }), true),
        ("password", json!({ "type": "boolean" }), false),
        ("token_count", json!({ "type": "integer" }), false),
        ("next_page_token", json!({ "type": "string" }), false),
        ("id", json!({ "type": "string" }), false),
        ("name", json!({}), false),
        ("public_key", json!({ "type": "string" }), false),
    ] {
        assert_eq!(!credential::names(name, &schema).is_empty(), is, "{name} {schema}");
    }
    let new = of(vec![
        tool(),
        with(
            with(tool(), "/name", &json!("sign_in")),
            "/output_schema/properties/token",
            &json!({ "type": "string" }),
        ),
    ]);
    let found = findings(&of(vec![tool()]), &new);
    assert!(
        found.iter().any(|one| one.code == "output-credential-added" && one.details[0].contains("token"))
    );
}

#[test]
fn many_differences_of_a_tool_are_cut_but_none_is_lost() {
    let mut after = tool();
    for number in 0..200 {
        let pointer = format!("/input_schema/properties/a{number:03}");
        after = with(after, &pointer, &json!({ "type": "string" }));
    }
    after = with(after, "/effect", &json!("admin"));
    after = with(after, "/title", &json!("x"));
    let found = findings(&surface(tool()), &surface(after));
    assert!(found.len() <= OF_A_TOOL + 3, "{}", found.len());
    assert_eq!(found[0].code, "tool-effect-destructive", "what is dangerous is kept");
    let last = found.iter().find(|one| one.message.starts_with("and ")).unwrap();
    assert_eq!((last.code, last.severity), ("argument-added", Severity::Breaking));
    assert!(last.message.contains("151") && last.details.len() == LISTED + 1, "{}", last.message);
    assert!(found.iter().any(|one| one.code == "tool-title-changed"));
}

#[test]
fn a_tool_has_the_class_of_its_effect() {
    let before = of(vec![tool()]);
    for (effect, code, member) in [
        ("read", "tool-added", "toolset-member-added"),
        ("write", "tool-added-writes", "toolset-member-added-writes"),
        ("auth", "tool-added-auth", "toolset-member-added-auth"),
        ("delete", "tool-added-destructive", "toolset-member-added-destructive"),
        ("payment", "tool-added-destructive", "toolset-member-added-destructive"),
        ("admin", "tool-added-destructive", "toolset-member-added-destructive"),
    ] {
        let new = with(with(tool(), "/name", &json!("other")), "/effect", &json!(effect));
        let after = of(vec![tool(), new]);
        assert_eq!(codes(&before, &after), [code, member], "{effect}");
        assert_eq!(codes(&after, &before), ["tool-removed", "toolset-member-removed"], "{effect}");
    }
}

/// Changes that take more than one value of one tool, and the codes that they have to have.
fn around() -> Vec<(Surface, Surface)> {
    let one = || surface(tool());
    let policy = |text: &str| Surface { policy: text.to_owned(), ..one() };
    let toolsets = |names: &[&str]| {
        let sets = names.iter().map(|name| ((*name).to_owned(), BTreeSet::new()));
        Surface { toolsets: sets.collect(), ..one() }
    };
    let host = |host: &str| with(tool(), "/binding/http/host", &json!(host));
    let respelled = with(tool(), "/binding/http/path", &json!("/users/{id}"));
    let respelled = with(respelled, "/binding/http/args/user_id/name", &json!("id"));
    let understated = with(tool(), "/binding/http/method", &json!("DELETE"));
    let text = one().tools[0].text().replacen('{', "{ ", 1);
    let spaced = Surface { tools: vec![Fixed::read(&text).unwrap()], ..one() };
    vec![
        (one(), surface(host("other.example.com"))),
        (one(), surface(respelled)),
        (one(), surface(understated)),
        (one(), spaced),
        (policy(""), one()),
        (one(), policy("")),
        (policy("@id(\"reads\") permit (principal, action, resource);"), one()),
        (one(), policy("@id(\"reads\") permit (principal, action, resource);")),
        (one(), policy("nonsense")),
        (one(), policy(&format!("{POLICY_TEXT}\n"))),
        (one(), policy(&POLICY_TEXT.replace("admin }", "root }"))),
        (policy("@id(\"no-admin\") forbid (principal, action, resource) when { context.admin };"), one()),
        (toolsets(&["a"]), toolsets(&["b"])),
    ]
}

#[test]
fn every_rule_fires_somewhere() {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for (pointer, new, _) in changes() {
        let (before, after) = (surface(tool()), surface(with(tool(), pointer, &new)));
        seen.extend(codes(&before, &after));
        seen.extend(codes(&after, &before));
    }
    for effect in ["read", "write", "auth", "delete"] {
        let new = with(with(tool(), "/name", &json!("other")), "/effect", &json!(effect));
        let (before, after) = (of(vec![tool()]), of(vec![tool(), new]));
        seen.extend(codes(&before, &after));
        seen.extend(codes(&after, &before));
    }
    let cases = around().into_iter().chain(moved::cases()).chain(said::cases()).chain(scopes::cases());
    for (before, after) in cases {
        assert!(codes(&before, &before).is_empty() && codes(&after, &after).is_empty());
        seen.extend(codes(&before, &after));
    }
    // What a solver says of a changed rule is told by these.
    for answer in [Answer::Narrower(1), Answer::Wider { tool: "get_user".to_owned(), call: "{}".to_owned() }]
    {
        let with = |policy: String| Surface { policy, ..surface(tool()) };
        let (before, after) = (with(POLICY_TEXT.to_owned()), with(POLICY_TEXT.replace("admin }", "root }")));
        let mut findings: Vec<Finding> =
            compare(Some(&before), &after).into_iter().map(|(_, finding)| finding).collect();
        answered(&mut findings, &answer);
        let proved = matches!(answer, Answer::Narrower(_));
        assert_eq!(findings.iter().any(|one| one.code == "policy-rule-changed"), !proved);
        seen.extend(findings.iter().map(|finding| finding.code));
    }
    let quiet: Vec<&str> =
        RULES.iter().map(|change| change.rule.code).filter(|code| !seen.contains(code)).collect();
    assert!(quiet.is_empty(), "never fired: {quiet:?}");
}

#[test]
fn rules_have_unique_codes_an_explanation_and_the_severity_of_their_class() {
    let codes: BTreeSet<&str> = RULES.iter().map(|change| change.rule.code).collect();
    assert_eq!(codes.len(), RULES.len());
    for change in RULES {
        assert!(change.rule.explain.ends_with('.'), "{}", change.rule.code);
        assert_eq!(rules::class(change.rule.code), Some(change.class));
        let breaking = change.rule.severity == Severity::Breaking;
        match change.class {
            Class::NothingNew | Class::Narrower | Class::Text => assert!(!breaking, "{}", change.rule.code),
            // more data is looked at; where it is sure to be too much, it breaks
            Class::MoreDataOut => {}
            _ => assert!(breaking, "{}", change.rule.code),
        }
    }
}

#[test]
fn every_rule_has_a_mirror_or_says_why_not() {
    for change in RULES {
        let code = change.rule.code;
        match change.mirror {
            Mirror::Itself => {}
            Mirror::Waived(why) => assert!(why.len() > 20, "{code}"),
            Mirror::Code(other) => {
                let other = rules::find(other).unwrap_or_else(|| panic!("{code}: no mirror {other}"));
                match other.mirror {
                    Mirror::Itself => panic!("{code}: its mirror is its own"),
                    // several rules may share the way back
                    Mirror::Code(back) => {
                        assert!(back == code || mirror(back) == Some(other.rule.code), "{code}")
                    }
                    Mirror::Waived(_) => {}
                }
                // one of the two takes something away, unless both are dangerous
                let less = [change.class, other.class].iter().any(|class| *class <= Class::Text);
                let dangerous = change.class >= Class::NewEffect && other.class >= Class::NewEffect;
                assert!(less || dangerous, "{code}");
            }
        }
    }
}
