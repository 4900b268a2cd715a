use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::Map;

use super::change::{Way, way};
use super::limit::Misfit;
use super::preset::Preset;
use super::suggest::{Confidence, unsure};
use super::*;
use crate::endpoint::{Auth, Reason};
use crate::toolpack::tests::endpoint;
use crate::toolpack::{Fixed, Options, compile};

fn limit(text: &str) -> Limit {
    serde_json::from_str(text).unwrap()
}

fn scope(text: &str) -> Scope {
    let mut value = json!({
        "intent": "x", "tools": ["a"], "hosts": ["api.example.com"], "effects": ["read"], "max_risk": "low",
    });
    let more: Map<String, Value> = serde_json::from_str(text).unwrap();
    value.as_object_mut().unwrap().extend(more);
    serde_json::from_value(value).unwrap()
}

static PLAIN: LazyLock<Fixed> = LazyLock::new(|| {
    let made = compile(vec![endpoint("GET", "/things")], &Options::default()).unwrap();
    made.tools[0].clone()
});

/// A tool of a service that nobody has called.
fn tool(name: &str, effect: Effect, risk: Risk, reasons: &[&str]) -> Fixed {
    PLAIN.changed(|tool| {
        tool.name = name.to_owned();
        tool.scope = format!("things.{}", effect.as_str());
        (tool.effect, tool.risk) = (effect, risk);
        tool.reasons = because(reasons);
    })
}

fn because(codes: &[&str]) -> Vec<Reason> {
    codes.iter().map(|code| Reason { code: (*code).to_owned(), detail: String::new() }).collect()
}

#[test]
fn a_limit_lets_through_what_it_says() {
    for (text, fits, not) in [
        (
            r#"{"constant": "prod"}"#,
            json!(["prod", ["prod", "prod"]]),
            json!(["Prod", "", 1, null, ["prod", "x"], {}]),
        ),
        (r#"{"constant": 5}"#, json!([5, 5.0]), json!(["5", 6, 5.5, true])),
        (
            r#"{"enum": ["a", 1, true]}"#,
            json!(["a", 1, 1.0, true, ["a", true]]),
            json!(["b", "1", 2, false, [["a"]]]),
        ),
        (
            r#"{"min": 1, "max": 100}"#,
            json!([1, 100, 50.5]),
            json!([0, 101, 100.5, -1e300, 18446744073709551615_u64, "5", null]),
        ),
        (r#"{"min": 0}"#, json!([0, 18446744073709551615_u64]), json!([-1, -0.5])),
        (
            r#"{"prefix": "team-"}"#,
            json!(["team-", "team-a"]),
            json!(["team", "Team-a", " team-a", 1, ["team-a", "x"]]),
        ),
        (r#"{"max": 9007199254740992}"#, json!([9007199254740992_u64]), json!([9007199254740993_u64])),
    ] {
        let one = limit(text);
        assert_eq!(one.fault(), None, "{text}");
        for value in fits.as_array().unwrap() {
            assert_eq!(one.misfit(Some(value)), None, "{text}: {value}");
        }
        for value in not.as_array().unwrap() {
            assert!(one.misfit(Some(value)).is_some(), "{text}: {value}");
        }
        // What is not said is the service's to say: a limit does not let that through unless it is told to.
        for absent in [None, Some(&json!([]))] {
            assert_eq!(one.misfit(absent), Some(Misfit::Missing), "{text}");
            let optional = Limit { optional: true, ..one.clone() };
            assert_eq!(optional.misfit(absent), None, "{text}");
        }
    }
}

#[test]
fn what_is_no_limit_is_refused_and_lets_nothing_through() {
    for text in [
        "{}",
        r#"{"optional": true}"#,
        r#"{"enum": []}"#,
        r#"{"constant": null}"#,
        r#"{"constant": 1, "min": 0}"#,
        r#"{"enum": [1.5]}"#,
        r#"{"enum": [[1]]}"#,
        r#"{"constant": {"a": 1}}"#,
        r#"{"constant": "a\nb"}"#,
        r#"{"min": 2, "max": 1}"#,
        r#"{"max": 9007199254740993}"#,
        r#"{"prefix": ""}"#,
    ] {
        assert!(limit(text).fault().is_some(), "{text}");
    }
    assert_eq!(limit("{}").misfit(Some(&json!(1))), Some(Misfit::Limit));
    assert!(serde_json::from_str::<Limit>(r#"{"pattern": "x"}"#).is_err());
}

#[test]
fn faults_of_a_scope_have_their_place() {
    let cases: [(&str, &[&str]); 6] = [
        ("{}", &[]),
        (r#"{"intent": "a\u001bb"}"#, &["/intent"]),
        (r#"{"tools": ["a b"]}"#, &["/tools"]),
        (r#"{"hosts": [""]}"#, &["/hosts"]),
        (r#"{"constraints": {"b": {"x": {"min": 1}}}}"#, &["/constraints/b"]),
        (r#"{"constraints": {"a": {"x/y": {}}}}"#, &["/constraints/a/x~1y"]),
    ];
    for (text, want) in cases {
        let pointers: Vec<String> = scope(text).faults().into_iter().map(|(pointer, _)| pointer).collect();
        assert_eq!(pointers, want, "{text}");
    }
    for name in ["users.read", "a", "A_1-b.c"] {
        assert!(is_name(name), "{name}");
    }
    for name in ["", ".hidden", "a/b", "a b", "é", &"x".repeat(65)] {
        assert!(!is_name(name), "{name}");
    }
}

#[test]
fn what_is_signed_is_all_but_the_review() {
    let one = scope(r#"{"confirm": true, "constraints": {"a": {"x": {"min": 1}}}}"#);
    let accepted = Scope { review: Review::Accepted, ..one.clone() };
    assert_eq!(one.content("s"), accepted.content("s"));
    assert_eq!(Scope::of_content(&one.content("s")).unwrap(), accepted);
    let whole = serde_json::to_value(&one).unwrap();
    for name in whole.as_object().unwrap().keys().filter(|name| *name != "review") {
        assert!(one.content("s").get(name).is_some(), "{name} is not signed");
    }
}

#[test]
fn a_change_goes_one_way() {
    let old = r#"{"confirm": true, "effects": ["read", "write"], "max_risk": "medium",
        "constraints": {"a": {"n": {"min": 1, "max": 10}, "s": {"enum": ["x", "y"]}}}}"#;
    for (new, want) in [
        (r#"{}"#, Way::Neutral),
        (r#"{"intent": "y"}"#, Way::Neutral),
        (r#"{"review": "accepted"}"#, Way::Neutral),
        (r#"{"tools": ["a", "b"]}"#, Way::Broadening),
        (r#"{"tools": []}"#, Way::Broadening),
        (r#"{"hosts": ["api.example.com", "b"]}"#, Way::Broadening),
        (r#"{"hosts": []}"#, Way::Narrowing),
        (r#"{"effects": ["read"]}"#, Way::Narrowing),
        (r#"{"effects": ["admin", "read"]}"#, Way::Broadening),
        (r#"{"max_risk": "high"}"#, Way::Broadening),
        (r#"{"max_risk": "low"}"#, Way::Narrowing),
        (r#"{"confirm": false}"#, Way::Broadening),
        (r#"{"constraints": {}}"#, Way::Broadening),
        (
            r#"{"constraints": {"a": {"n": {"min": 2, "max": 10}, "s": {"enum": ["x", "y"]}}}}"#,
            Way::Narrowing,
        ),
        (
            r#"{"constraints": {"a": {"n": {"min": 0, "max": 10}, "s": {"enum": ["x", "y"]}}}}"#,
            Way::Broadening,
        ),
        (r#"{"constraints": {"a": {"n": {"min": 1, "max": 10}, "s": {"enum": ["y", "x"]}}}}"#, Way::Neutral),
        (r#"{"constraints": {"a": {"n": {"enum": [3, 4]}, "s": {"constant": "x"}}}}"#, Way::Narrowing),
        (r#"{"constraints": {"a": {"n": {"min": 1, "max": 10}, "s": {"prefix": "x"}}}}"#, Way::Broadening),
        (
            r#"{"constraints": {"a": {"n": {"min": 1, "max": 10, "optional": true}, "s": {"enum": ["x"]}}}}"#,
            Way::Broadening,
        ),
        (
            r#"{"constraints": {"a": {"n": {"min": 1, "max": 10}, "s": {"enum": ["x", "y"]}, "t": {"min": 0}}}}"#,
            Way::Narrowing,
        ),
    ] {
        let before = scope(old);
        let mut after = serde_json::to_value(&before).unwrap();
        let more: Map<String, Value> = serde_json::from_str(new).unwrap();
        after.as_object_mut().unwrap().extend(more);
        let after: Scope = serde_json::from_value(after).unwrap();
        assert_eq!(way(&before, &after), want, "{new}");
        assert_eq!(way(&before, &before), Way::Neutral);
    }
}

/// What a call is, as far as a scope looks at it.
#[derive(Debug, Clone)]
struct Called {
    tool: Fixed,
    arguments: Map<String, Value>,
    confirmed: bool,
}

/// Whether a scope lets a call through. Of a tool that is not in it, it says `otherwise`.
fn admits(scope: &Scope, call: &Called, otherwise: bool) -> bool {
    if !scope.tools.contains(&call.tool.name) {
        return otherwise;
    }
    scope.outside(&call.tool, call.tool.risk).is_none()
        && (call.confirmed || !scope.confirm)
        && scope.limits(&call.tool.name).all(|(name, limit)| limit.misfit(call.arguments.get(name)).is_none())
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-3..4_i64).prop_map(Value::from),
        prop_oneof![Just("a"), Just("ab"), Just("b"), Just("")].prop_map(Value::from),
        Just(json!(1.5)),
        Just(json!([])),
        Just(json!(["a", "ab"])),
        Just(json!(true)),
    ]
}

fn any_limit() -> impl Strategy<Value = Limit> {
    let scalar = || any_value().prop_filter("a scalar", |value| !value.is_array());
    let form = prop_oneof![
        scalar().prop_map(|one| Limit { constant: Some(one), ..Limit::default() }),
        prop::collection::vec(scalar(), 1..4).prop_map(|values| Limit { values, ..Limit::default() }),
        (prop::option::of(-3..4_i64), prop::option::of(-3..4_i64)).prop_map(|(min, max)| Limit {
            min,
            max,
            ..Limit::default()
        }),
        prop_oneof![Just("a"), Just("ab")]
            .prop_map(|text| Limit { prefix: Some(text.to_owned()), ..Limit::default() }),
    ];
    (form, any::<bool>()).prop_map(|(form, optional)| Limit { optional, ..form })
}

fn any_of<T: Clone + std::fmt::Debug + Ord + 'static>(
    all: &[T],
) -> impl Strategy<Value = BTreeSet<T>> + use<T> {
    prop::sample::subsequence(all.to_vec(), 0..=all.len()).prop_map(|some| some.into_iter().collect())
}

fn any_scope() -> impl Strategy<Value = Scope> {
    let names = ["one", "two"].map(str::to_owned);
    let limits = prop::collection::btree_map(
        prop_oneof![Just("x".to_owned()), Just("y".to_owned())],
        any_limit(),
        0..3,
    );
    let constraints = prop::collection::btree_map(
        prop_oneof![Just("one".to_owned()), Just("two".to_owned())],
        limits,
        0..3,
    );
    (
        any_of(&names),
        any_of(&["api.example.com".to_owned(), "b.example.com".to_owned()]),
        any_of(&[Effect::Read, Effect::Write]),
        prop::sample::select(Risk::ALL.to_vec()),
        any::<bool>(),
        constraints,
    )
        .prop_map(|(tools, hosts, effects, max_risk, confirm, constraints)| Scope {
            intent: String::new(),
            tools,
            hosts,
            effects,
            max_risk,
            confirm,
            constraints,
            review: Review::Suggested,
        })
}

fn any_call() -> impl Strategy<Value = Called> {
    let arguments = prop::collection::btree_map(
        prop_oneof![Just("x".to_owned()), Just("y".to_owned())],
        any_value(),
        0..3,
    );
    let effects = prop::sample::select(vec![Effect::Read, Effect::Write]);
    let risks = prop::sample::select(Risk::ALL.to_vec());
    (prop_oneof![Just("one"), Just("two")], effects, risks, arguments, any::<bool>()).prop_map(
        |(name, effect, risk, arguments, confirmed)| Called {
            tool: tool(name, effect, risk, &[]),
            arguments: arguments.into_iter().collect(),
            confirmed,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// What is not called broadening lets no call through that was refused, whether a scope counts as leave for its
    /// tools or as a limit of what they may do anyway.
    #[test]
    fn what_is_not_broadening_lets_nothing_more_through(
        old in any_scope(),
        new in any_scope(),
        part in any_scope(),
        calls in prop::collection::vec(any_call(), 8),
    ) {
        // Two scopes at random differ in all: a neighbour differs in a part.
        let near = Scope { constraints: part.constraints.clone(), max_risk: part.max_risk, ..old.clone() };
        for (old, new) in [(&old, &new), (&old, &near), (&near, &old)] {
            if way(old, new) == Way::Broadening {
                continue;
            }
            for call in &calls {
                for otherwise in [false, true] {
                    let gained = admits(new, call, otherwise) && !admits(old, call, otherwise);
                    prop_assert!(!gained, "{:?}\n{:?}\n{:?}", old, new, call);
                }
            }
        }
    }

    /// A limit covers only what it lets through.
    #[test]
    fn a_limit_covers_only_what_fits_it(one in any_limit(), other in any_limit(), value in prop::option::of(any_value())) {
        if one.covers(&other) && other.misfit(value.as_ref()).is_none() {
            prop_assert_eq!(one.misfit(value.as_ref()), None);
        }
        prop_assert!(one.fault().is_some() || one.covers(&one));
    }
}

#[test]
fn confidence_follows_from_what_was_seen() {
    const READ: (&str, &str, Effect) = ("GET", "/things/{thing_id}", Effect::Read);
    const ASKED: (&str, &str, Effect) = ("POST", "/things/search", Effect::Read);
    const PAID: (&str, &str, Effect) = ("POST", "/things/{thing_id}/refund", Effect::Payment);
    let of =
        |(method, path, effect): (&str, &str, Effect), risk, observed, declared, auth, reasons: &[&str]| {
            let mut one = endpoint(method, path);
            (one.effect, one.risk, one.observed, one.declared) = (effect, risk, observed, declared);
            one.reasons = because(reasons);
            if auth {
                one.auth = [Auth::Bearer].into();
            }
            let tools = compile(vec![one.clone()], &Options::default()).unwrap().tools;
            suggest(&tools, &[one]).into_values().next().unwrap()
        };
    let (low, medium, critical) = (Risk::Low, Risk::Medium, Risk::Critical);
    for (suggestion, want, review, unsure) in [
        (of(READ, low, 40, false, true, &["method-read"]), Confidence::High, false, false),
        (of(READ, low, 5, true, true, &["method-read"]), Confidence::High, false, false),
        (of(READ, medium, 40, false, true, &["method-read"]), Confidence::High, true, false),
        (of(PAID, critical, 5, false, true, &["payment-fields"]), Confidence::High, true, false),
        (of(PAID, critical, 1, false, true, &["payment-words"]), Confidence::Medium, true, false),
        (of(PAID, critical, 1, false, false, &["payment-words"]), Confidence::Low, true, true),
        (of(PAID, critical, 0, true, true, &["payment-words"]), Confidence::Low, true, true),
        (of(PAID, critical, 0, true, true, &["payment-fields"]), Confidence::Medium, true, false),
        (of(ASKED, low, 0, true, true, &["post-reads"]), Confidence::Low, true, false),
    ] {
        assert_eq!(suggestion.confidence, want, "{suggestion:?}");
        assert_eq!((suggestion.review_required, suggestion.is_unsure()), (review, unsure), "{suggestion:?}");
        assert!(!suggestion.signals.is_empty());
    }
}

#[test]
fn a_guess_is_open_until_a_person_takes_its_tools_over() {
    let tools = [tool("pay", Effect::Payment, Risk::Critical, &["payment-words"])];
    let suggested = suggest(&tools, &[]);
    let open = |scopes: &BTreeMap<String, Scope>| unsure(&suggested, scopes).into_keys().collect::<Vec<_>>();
    let mut scopes = BTreeMap::new();
    assert_eq!(open(&scopes), ["pay"]);
    scopes.insert("mine".to_owned(), scope(r#"{"tools": ["pay"]}"#));
    assert_eq!(open(&scopes), ["pay"], "it only stands there");
    scopes.insert("mine".to_owned(), scope(r#"{"tools": ["pay"], "review": "accepted"}"#));
    assert!(open(&scopes).is_empty());
}

#[test]
fn merging_only_ever_adds() {
    let tools = [
        tool("get_a", Effect::Read, Risk::Low, &["method-read"]),
        tool("get_b", Effect::Read, Risk::Low, &["method-read"]),
        tool("pay", Effect::Payment, Risk::Critical, &["payment-words"]),
    ];
    let suggested = suggest(&tools, &[]);
    let all = merge::suggested(&BTreeMap::new(), &suggested);
    assert_eq!(all.keys().collect::<Vec<_>>(), ["things.payment", "things.read"]);
    // Of what is there nothing is changed, and a tool that is in a scope goes into no other.
    let mine = BTreeMap::from([
        ("things.read".to_owned(), scope(r#"{"tools": ["get_a"]}"#)),
        ("money".to_owned(), scope(r#"{"tools": ["pay"]}"#)),
    ]);
    let merged = merge::merge(&mine, merge::suggested(&mine, &suggested));
    assert!(merged.new.is_empty(), "{merged:?}");
    let codes: Vec<&str> = merged.findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, ["scope-lacks-tool", "scope-differs"]);
}

#[test]
fn what_a_check_finds() {
    let tools = [
        tool("get_a", Effect::Read, Risk::Low, &["method-read"]),
        tool("pay", Effect::Payment, Risk::Critical, &["payment-words"]),
    ];
    let suggested = suggest(&tools, &[]);
    let codes = |scopes: &[(&str, &str)]| -> Vec<&str> {
        let scopes = scopes.iter().map(|(name, text)| ((*name).to_owned(), scope(text))).collect();
        check::check(&scopes, &suggested, &tools).into_iter().map(|finding| finding.code).collect()
    };
    assert_eq!(codes(&[]), ["scope-unsure", "scope-unreviewed"]);
    let money = ("money", r#"{"tools": ["pay"], "effects": [], "review": "accepted"}"#);
    assert_eq!(codes(&[money]), ["scope-unreviewed"], "a scope that serves nothing is meant to");
    let cases: [(&str, &[&str]); 5] = [
        (r#"{"tools": ["get_a"], "review": "accepted"}"#, &[]),
        (r#"{"tools": ["get_a"]}"#, &["scope-review-open"]),
        (r#"{"tools": ["get_a", "got_a"], "review": "accepted"}"#, &["scope-tool-unknown"]),
        (r#"{"tools": ["get_a"], "max_risk": "safe", "review": "accepted"}"#, &["scope-tool-outside"]),
        (
            r#"{"tools": ["get_a"], "review": "accepted", "constraints": {"get_a": {"x": {"min": 1}}}}"#,
            &["scope-argument-unknown"],
        ),
    ];
    for (text, want) in cases {
        assert_eq!(codes(&[money, ("reads", text)]), want, "{text}");
    }
}

#[test]
fn a_limit_that_no_value_can_keep_is_found() {
    let sorted = tool("get_a", Effect::Read, Risk::Low, &[]).changed(|tool| {
        let properties = json!({
            "sort": {"type": "string"}, "page": {"type": "integer"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "odd": {"anyOf": [{"type": "null"}, {"type": "number"}]}, "any": {},
        });
        let schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
        tool.input_schema = std::sync::Arc::new(schema.as_object().unwrap().clone());
    });
    for (argument, limit, idle) in [
        ("sort", r#"{"prefix": "a"}"#, false),
        ("sort", r#"{"max": 1}"#, true),
        ("page", r#"{"max": 1}"#, false),
        ("page", r#"{"enum": ["1"]}"#, true),
        ("tags", r#"{"enum": ["a"]}"#, false),
        ("tags", r#"{"min": 0}"#, true),
        ("odd", r#"{"min": 0}"#, false),
        ("odd", r#"{"constant": true}"#, true),
        ("any", r#"{"constant": true}"#, false),
    ] {
        let text =
            format!(r#"{{"tools": ["get_a"], "constraints": {{"get_a": {{"{argument}": {limit}}}}}}}"#);
        let found = check::idle("s", &scope(&text), std::slice::from_ref(&sorted));
        let codes: Vec<&str> = found.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, if idle { &["scope-limit-idle"][..] } else { &[] }, "{text}");
    }
}

#[test]
fn presets_hold_every_tool_that_they_leave_out() {
    let sees = |name: &str, fields: &[&str]| {
        tool(name, Effect::Read, Risk::Medium, &["method-read"]).changed(|tool| {
            let properties: Map<String, Value> =
                fields.iter().map(|field| ((*field).to_owned(), json!({"type": "string"}))).collect();
            let schema = json!({"type": "object", "properties": properties});
            tool.output_schema = Some(std::sync::Arc::new(schema.as_object().unwrap().clone()));
        })
    };
    let paged = tool("list_a", Effect::Read, Risk::Low, &["method-read"]).changed(|tool| {
        let schema = json!({"type": "object", "properties": {"perPage": {"type": "integer"}, "q": {"type": "string"}}});
        tool.input_schema = std::sync::Arc::new(schema.as_object().unwrap().clone());
    });
    let tools = [
        tool("delete_a", Effect::Delete, Risk::High, &["method-delete"]),
        sees("get_a", &["id", "businessName"]),
        sees("get_person", &["id", "homeAddress"]),
        tool("grant_a", Effect::Admin, Risk::Critical, &["admin-words"]),
        paged,
        tool("put_a", Effect::Write, Risk::Medium, &["method-write"]),
    ];
    let of = |preset: Preset| -> Vec<(String, Vec<String>)> {
        let scopes = preset.scopes(&tools);
        let served = |scope: &Scope, tool: &&Fixed| {
            scope.tools.contains(&tool.name) && scope.outside(tool, risk_of(tool)).is_none()
        };
        for (name, scope) in &scopes {
            assert!(is_name(name) && scope.faults().is_empty(), "{name} {:?}", scope.faults());
            let serves = tools.iter().filter(|tool| served(scope, tool)).count();
            let nothing = name.ends_with(".withheld") || name == "admin_blocked";
            assert_eq!(serves, if nothing { 0 } else { scope.tools.len() }, "{name}");
        }
        scopes.into_iter().map(|(name, scope)| (name, scope.tools.into_iter().collect())).collect()
    };
    let names = |all: &[(String, Vec<String>)]| -> Vec<String> {
        all.iter().map(|(name, tools)| format!("{name}: {}", tools.join(" "))).collect()
    };
    let cases: [(Preset, &[&str]); 5] = [
        (
            Preset::ReadonlyMinimal,
            &[
                "readonly_minimal: list_a",
                "readonly_minimal.withheld: delete_a get_a get_person grant_a put_a",
            ],
        ),
        (
            Preset::ReadonlyAll,
            &["readonly_all: get_a get_person list_a", "readonly_all.withheld: delete_a grant_a put_a"],
        ),
        (
            Preset::WriteWithConfirmation,
            &[
                "write_with_confirmation: put_a",
                "write_with_confirmation.reads: get_a get_person list_a",
                "write_with_confirmation.withheld: delete_a grant_a",
            ],
        ),
        (Preset::AdminBlocked, &["admin_blocked: grant_a"]),
        (
            Preset::NoSensitiveOutputs,
            &[
                "no_sensitive_outputs: delete_a get_a grant_a list_a put_a",
                "no_sensitive_outputs.withheld: get_person",
            ],
        ),
    ];
    for (preset, want) in cases {
        assert_eq!(names(&of(preset)), want);
        assert_eq!(Preset::named(preset.as_str()), Some(preset));
    }
    assert_eq!(Preset::ALL.map(Preset::as_str), Preset::NAMES);
    let minimal = Preset::ReadonlyMinimal.scopes(&tools);
    let pages = limit(r#"{"min": 1, "max": 100, "optional": true}"#);
    let constraints =
        BTreeMap::from([("list_a".to_owned(), BTreeMap::from([("perPage".to_owned(), pages)]))]);
    assert_eq!(minimal["readonly_minimal"].constraints, constraints);
    let confirmed = Preset::WriteWithConfirmation.scopes(&tools);
    let asked = &confirmed["write_with_confirmation"];
    assert!(asked.confirm && asked.effects == BTreeSet::from([Effect::Write]));
}
