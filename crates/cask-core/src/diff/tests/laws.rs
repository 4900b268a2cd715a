//! Laws that hold for any two toolpacks.

use proptest::prelude::*;

use super::*;
use crate::diff::rules::Mirror;

/// Changes of schemas whose direction is known: what goes one way comes back the other.
fn edits() -> Vec<(&'static str, Value)> {
    let id = "/input_schema/properties/user_id";
    let text = json!({ "type": "string" });
    let nullable = json!({ "anyOf": [{ "type": "null" }, { "type": "string" }] });
    vec![
        ("/input_schema/properties/extra", text.clone()),
        ("/input_schema/properties/extra", nullable.clone()),
        (
            "/input_schema/properties/nested",
            json!({ "type": "object", "properties": { "a": text }, "required": ["a"] }),
        ),
        (
            "/input_schema/properties/nested",
            json!({ "type": "object", "properties": { "a": { "type": "integer" } } }),
        ),
        ("/input_schema/properties/list", json!({ "type": "array", "items": text, "maxItems": 4 })),
        ("/input_schema/properties/list", json!({ "type": "array", "items": nullable, "minItems": 1 })),
        (id, Value::Null),
        (id, json!({ "type": "string", "maxLength": 41, "pattern": "^a" })),
        (id, json!({ "type": ["string", "null"], "format": "uuid" })),
        (id, json!({ "type": "number", "minimum": 1, "multipleOf": 2 })),
        (id, json!({ "type": "integer", "minimum": 2, "multipleOf": 4, "nullable": true })),
        ("/input_schema/properties/sort/enum", json!(["asc", "up"])),
        ("/input_schema/properties/sort/enum", Value::Null),
        ("/input_schema/required", json!(["sort"])),
        ("/input_schema/required", json!(["user_id", "sort", "extra"])),
        ("/input_schema/additionalProperties", json!(true)),
        ("/input_schema/additionalProperties", text.clone()),
        ("/output_schema/properties/name", text.clone()),
        ("/output_schema/properties/id", nullable.clone()),
        ("/output_schema/properties/id", json!({ "type": "integer", "exclusiveMaximum": 9 })),
        ("/output_schema/properties/list", json!({ "type": "array", "uniqueItems": true })),
        ("/output_schema/properties/list", json!({ "type": "array" })),
        ("/output_schema/required", json!(["id", "name"])),
        ("/output_schema/additionalProperties", json!(false)),
        ("/output_schema/description", json!("One user.")),
        ("/output_schema", Value::Null),
    ]
}

fn edited(edits: &[(&'static str, Value)]) -> Value {
    edits.iter().fold(tool(), |tool, (pointer, new)| {
        let parent = pointer.rsplit_once('/').unwrap().0;
        // an edit below what another took away has nothing to change
        if tool.pointer(parent).is_some_and(Value::is_object) { with(tool, pointer, new) } else { tool }
    })
}

fn some_edits() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    proptest::sample::subsequence(edits(), 0..=6).prop_shuffle()
}

fn mirrored(code: &str) -> &'static str {
    let change = rules::find(code).unwrap();
    match change.mirror {
        Mirror::Code(other) => rules::find(other).unwrap().rule.code,
        Mirror::Itself | Mirror::Waived(_) => change.rule.code,
    }
}

fn sorted(mut codes: Vec<&'static str>) -> Vec<&'static str> {
    codes.sort_unstable();
    codes
}

/// Every place of a value, as a pointer.
fn places(value: &Value, at: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let at = step(at, name);
                out.push(at.clone());
                places(member, &at, out);
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                let at = step(at, &number.to_string());
                out.push(at.clone());
                places(item, &at, out);
            }
        }
        _ => {}
    }
}

/// The value a little different, in ways that fit its type.
fn others(value: &Value) -> Vec<Value> {
    match value {
        Value::Bool(is) => vec![json!(!is)],
        Value::Number(number) => {
            vec![json!(number.as_u64().unwrap() + 1), json!(number.as_u64().unwrap() - 1)]
        }
        Value::String(text) => {
            vec![json!(format!("{text}x")), json!(""), json!("https"), json!("admin"), json!("high")]
        }
        Value::Array(items) => {
            vec![json!([]), Value::Array(items.iter().chain(items.first()).cloned().collect())]
        }
        Value::Object(_) => vec![json!({})],
        Value::Null => Vec::new(),
    }
}

/// Whatever single place of a tool changes or goes: if its digest is another one, it is said.
#[test]
fn no_single_change_goes_unsaid() {
    let before = surface(tool());
    let mut all = Vec::new();
    places(&tool(), "", &mut all);
    let mut tried = 0;
    for pointer in all {
        let mut changes = Vec::new();
        for other in others(tool().pointer(&pointer).unwrap()) {
            let mut changed = tool();
            *changed.pointer_mut(&pointer).unwrap() = other;
            changes.push(changed);
        }
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let mut gone = tool();
        match gone.pointer_mut(parent).unwrap() {
            Value::Object(members) => drop(members.remove(key)),
            Value::Array(items) => drop(items.remove(key.parse().unwrap())),
            _ => {}
        }
        changes.push(gone);
        for changed in changes {
            // another name is another tool, and has its own tests
            let Ok(parsed) = serde_json::from_value::<Tool>(changed.clone()) else { continue };
            let after = surface(changed);
            if parsed.name == "get_user" && before.tools[0].digest() != after.tools[0].digest() {
                tried += 1;
                assert!(!findings(&before, &after).is_empty(), "{pointer}: {parsed:?}");
            }
        }
    }
    assert!(tried > 80, "{tried}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Nothing is said exactly where nothing differs.
    #[test]
    fn something_is_said_where_and_only_where_something_differs(one in some_edits(), other in some_edits()) {
        let (one, other) = (surface(edited(&one)), surface(edited(&other)));
        prop_assert!(findings(&one, &one).is_empty());
        let same = one.tools[0].digest() == other.tools[0].digest();
        prop_assert_eq!(findings(&one, &other).is_empty(), same);
    }

    /// What is wider one way is narrower the other.
    #[test]
    fn the_way_back_is_the_mirror(one in some_edits(), other in some_edits()) {
        let (one, other) = (surface(edited(&one)), surface(edited(&other)));
        let there = sorted(codes(&one, &other));
        let back = sorted(codes(&other, &one).into_iter().map(mirrored).collect());
        prop_assert_eq!(there, back);
    }

    /// Neither the order of the tools nor that of the members of their schemas matters.
    #[test]
    fn order_does_not_matter(
        edits in proptest::collection::vec(some_edits(), 4),
        order in Just(vec![0_usize, 1, 2, 3]).prop_shuffle(),
    ) {
        let named = |number: usize| format!("get_user_{number}");
        let tools: Vec<Value> =
            edits.iter().enumerate().map(|(number, edits)| with(edited(edits), "/name", &json!(named(number)))).collect();
        let shuffled: Vec<Value> = order.iter().map(|number| reversed(&tools[*number])).collect();
        let before = of((0..4).map(|number| with(tool(), "/name", &json!(named(number)))).collect());
        prop_assert_eq!(compare(Some(&before), &of(tools.clone())), compare(Some(&before), &of(shuffled.clone())));
        prop_assert_eq!(compare(Some(&of(tools)), &before), compare(Some(&of(shuffled)), &before));
    }
}

/// The same value with the members of its objects the other way round.
fn reversed(value: &Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members.iter().rev().map(|(name, member)| (name.clone(), reversed(member))).collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(reversed).collect()),
        one => one.clone(),
    }
}
