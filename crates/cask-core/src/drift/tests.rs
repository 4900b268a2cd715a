//! Every rule has a case `cases/drift/<code>.json`: patches (RFC 7396) of one endpoint for `before`, for a `fires` that
//! must report exactly this rule, and for a `quiet` that must not report it. A list stands for several endpoints.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::*;

fn read(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/drift").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = serde_json::json!({});
    }
    let members = target.as_object_mut().unwrap();
    for (name, value) in patch {
        if value.is_null() {
            members.remove(name);
        } else {
            merge(members.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

fn endpoints(patches: &Value) -> Vec<Endpoint> {
    let base = read("base.json");
    let one = |patch: &Value| {
        let mut endpoint = base.clone();
        merge(&mut endpoint, patch);
        serde_json::from_value(endpoint.clone()).unwrap_or_else(|error| panic!("{error}: {endpoint:#}"))
    };
    match patches {
        Value::Array(patches) => patches.iter().map(one).collect(),
        patch => vec![one(patch)],
    }
}

#[test]
fn every_rule_has_a_case_that_fires_and_one_that_stays_quiet() {
    let mut faults = Vec::new();
    for row in rules::all() {
        let code = row.rule.code;
        let case = read(&format!("{code}.json"));
        let before = endpoints(&case["before"]);
        let fired = compare(&before, &endpoints(&case["fires"]));
        let codes: Vec<_> = fired.findings.iter().map(|f| f.code).collect();
        if codes != [code] {
            faults.push(format!("{code} fires: {:#?}\nweak {:#?}", fired.findings, fired.weak));
        } else if fired.findings[0].severity != row.rule.severity {
            faults.push(format!("{code} is {:?}", fired.findings[0].severity));
        }
        let quiet = compare(&before, &endpoints(&case["quiet"]));
        if quiet.findings.iter().any(|f| f.code == code) {
            faults.push(format!("{code} is not quiet: {:#?}", quiet.findings));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn nothing_changed_nothing_found() {
    for row in rules::all() {
        let case = read(&format!("{}.json", row.rule.code));
        for side in ["before", "fires", "quiet"] {
            let endpoints = endpoints(&case[side]);
            let drift = compare(&endpoints, &endpoints);
            assert!(
                drift.findings.is_empty() && drift.weak.is_empty(),
                "{side} of {}: {drift:#?}",
                row.rule.code
            );
        }
    }
}

#[test]
fn the_order_of_endpoints_does_not_matter() {
    let case = read("host-changed.json");
    let (before, now) = (endpoints(&case["before"]), endpoints(&case["fires"]));
    let (mut before_reversed, mut now_reversed) = (before.clone(), now.clone());
    before_reversed.reverse();
    now_reversed.reverse();
    assert_eq!(compare(&before, &now), compare(&before_reversed, &now_reversed));
}

#[test]
fn rules_are_told_apart_explained_and_mirrored() {
    let mut codes = BTreeSet::new();
    let mut places = BTreeMap::new();
    for row in rules::all() {
        assert!(codes.insert(row.rule.code), "{} twice", row.rule.code);
        if let Some(other) = places.insert(row.at, row.rule.code) {
            panic!("{other} and {} stand at {:?}", row.rule.code, row.at);
        }
        assert!(row.rule.explain.matches(". ").count() >= 1, "{}: two sentences", row.rule.code);
        assert!(!row.rule.title.ends_with('.') && !row.rule.title.is_empty());
    }
    for row in rules::all() {
        match row.mirror {
            Mirror::Code(code) => {
                let mirror = rules::all().find(|other| other.rule.code == code);
                let mirror =
                    mirror.unwrap_or_else(|| panic!("{} mirrors {code}, which is no rule", row.rule.code));
                assert_eq!(mirror.at.0, row.at.0, "{}: the mirror is on the other side", row.rule.code);
                assert!(mirror.mirror != Mirror::Itself, "{code} says it is its own mirror");
            }
            Mirror::Itself => assert_eq!(row.at.2, Kind::Changed, "{}", row.rule.code),
            Mirror::Waived(why) => assert!(why.len() > 20, "{}: say why", row.rule.code),
        }
    }
}

#[test]
fn absence_of_traffic_is_never_called_removed() {
    let before = endpoints(&serde_json::json!([{}, {"template": "/v1/other", "id": "ep_2"}]));
    let drift = compare(&before, &before[1..]);
    assert_eq!(drift.findings.len(), 1);
    assert_eq!(drift.findings[0].basis, Basis::Unobserved);
    assert!(drift.findings[0].severity < Severity::Breaking);
    let nothing = compare(&before, &[]);
    assert!(nothing.findings.is_empty());
    assert_eq!(nothing.uncalled, 2);
}

#[test]
fn a_repeated_parameter_is_compared_by_what_is_in_it() {
    let of = |schema: &Value| {
        let path = serde_json::json!({"name": "user_id", "in": "path", "required": true, "seen": 50,
            "schema": {"types": ["integer"], "seen": 50}});
        let page = serde_json::json!({"name": "page", "in": "query", "required": true, "seen": 50, "schema": schema});
        endpoints(&serde_json::json!({ "params": [path, page] }))
    };
    let number = serde_json::json!({"types": ["integer"], "seen": 50});
    let text = serde_json::json!({"types": ["string"], "seen": 50});
    let list = |of: &Value| serde_json::json!({"types": ["array"], "seen": 50, "items": of});
    let codes = |before: &Value, now: &Value| -> Vec<&str> {
        compare(&of(before), &of(now)).findings.iter().map(|finding| finding.code).collect()
    };
    for (before, now) in [(&number, &list(&number)), (&list(&number), &number), (&list(&text), &text)] {
        assert_eq!(codes(before, now), [""; 0], "{before} {now}");
    }
    for (before, now) in
        [(&number, &text), (&number, &list(&text)), (&list(&number), &text), (&list(&number), &list(&text))]
    {
        assert_eq!(codes(before, now), ["request-retyped"], "{before} {now}");
    }
}

/// Endpoints that answer with these members, each of one type and always there.
fn answering(root: &Value) -> Vec<Endpoint> {
    fn schema(shape: &Value) -> Value {
        match shape {
            Value::Object(members) => {
                let property = |shape: &Value| serde_json::json!({"required": true, "seen": 50, "of": 50, "schema": schema(shape)});
                let properties: BTreeMap<_, _> =
                    members.iter().map(|(name, shape)| (name, property(shape))).collect();
                serde_json::json!({"types": ["object"], "seen": 50, "properties": properties})
            }
            name => serde_json::json!({"types": [name], "seen": 50}),
        }
    }
    let content = serde_json::json!({"application/json": {"seen": 50, "schema": schema(root)}});
    endpoints(&serde_json::json!({"responses": {"200": {"seen": 50, "content": content}}}))
}

#[test]
fn one_change_of_one_answer_is_one_finding() {
    let answer =
        |of: &str| answering(&serde_json::json!({"owner": {"age": of}, "plan": {"seats": of, "ends": of}}));
    let drift = compare(&answer("integer"), &answer("string"));
    let [finding] = drift.findings.as_slice() else { panic!("{:#?}", drift.findings) };
    assert_eq!((finding.code, finding.at.pointer.as_str()), ("response-retyped", "/response/200"));
    for place in ["`owner.age`", "`plan.seats`", "`plan.ends`"] {
        assert!(finding.message.contains(place), "{}", finding.message);
    }
    let before = finding.before.as_ref().unwrap();
    assert_eq!(before["owner/age"], "integer");
    assert_eq!(before["plan"]["seats"], "integer");
}

#[test]
fn a_finding_for_many_places_names_them_all() {
    let objects = |with: bool| {
        let object =
            |n: usize| (format!("o{n}"), serde_json::json!({format!("f{n}"): "string", "stays": "string"}));
        let mut root: serde_json::Map<String, Value> = (0..12).map(object).collect();
        if !with {
            root.values_mut()
                .for_each(|object| object.as_object_mut().unwrap().retain(|name, _| name == "stays"));
        }
        answering(&Value::Object(root))
    };
    let drift = compare(&objects(true), &objects(false));
    let [finding] = drift.findings.as_slice() else { panic!("{:#?}", drift.findings) };
    for n in 0..12 {
        let name = format!("`o{n}.f{n}`");
        assert!(finding.details.iter().any(|line| line.contains(&name)), "{name}: {:#?}", finding.details);
    }
}

#[test]
fn operations_of_one_path_are_apart() {
    let of = |types: &str| {
        let mut all = Vec::new();
        for (name, field) in [("GetUser", "user"), ("GetOrder", "order")] {
            let mut endpoint = answering(&serde_json::json!({field: {"size": types}})).remove(0);
            endpoint.id = format!("ep_{name}");
            endpoint.operation = Some(crate::endpoint::Operation {
                kind: "query".to_owned(),
                name: name.to_owned(),
                document: String::new(),
                persisted: None,
                persisted_as: None,
                fields: Vec::new(),
            });
            all.push(endpoint);
        }
        all
    };
    let drift = compare(&of("integer"), &of("string"));
    assert_eq!(drift.findings.len(), 2, "{:#?}", drift.findings);
}

#[test]
fn what_breaks_is_not_hidden_behind_a_warning() {
    let of = |types: &str| -> Vec<Endpoint> {
        let named = |name: &str, root: Value| {
            let mut endpoint = answering(&root).remove(0);
            endpoint.id = format!("ep_{name}");
            endpoint.template = crate::endpoint::Template::parse(&format!("/v1/{name}")).unwrap();
            endpoint
        };
        let id = serde_json::json!({"id": types});
        let more = serde_json::json!({"id": types, "owner": {"age": types}});
        vec![named("a", more), named("b", id.clone()), named("c", id)]
    };
    let drift = compare(&of("integer"), &of("string"));
    let breaking = drift.findings.iter().filter(|finding| finding.severity == Severity::Breaking);
    let places: Vec<&str> = breaking.map(|finding| finding.at.pointer.as_str()).collect();
    assert_eq!(places, ["/response/200/owner/age"], "{:#?}", drift.findings);
}

#[test]
fn a_change_that_many_endpoints_share_names_them_all() {
    let of = |types: &str| -> Vec<Endpoint> {
        let one = |n: usize| {
            let mut endpoint = answering(&serde_json::json!({"size": types})).remove(0);
            endpoint.id = format!("ep_{n}");
            endpoint.template = crate::endpoint::Template::parse(&format!("/v1/e{n}")).unwrap();
            endpoint
        };
        (0..12).map(one).collect()
    };
    let drift = compare(&of("integer"), &of("string"));
    let [finding] = drift.findings.as_slice() else { panic!("{:#?}", drift.findings) };
    assert!(finding.details[0].contains("`size` was integer"), "{:#?}", finding.details);
    for n in (0..12).map(|n| format!("/v1/e{n}`")) {
        let told = format!("`GET {}` {}", finding.at.path, finding.details.join(" "));
        assert!(told.contains(&n), "{n}: {told}");
    }
}
