use serde_json::json;

use super::*;

fn kinds(then: &Value, now: &Value) -> Vec<(String, Kind)> {
    compare(then, now).into_iter().map(|one| (one.pointer, one.kind)).collect()
}

fn one(then: &Value, now: &Value) -> Kind {
    let all = kinds(then, now);
    assert_eq!(all.len(), 1, "{then} {now}: {all:?}");
    all[0].1
}

#[test]
fn keywords_have_a_direction() {
    use Kind::{Narrower, Other, Text, Wider};
    use What::{Format, Limit, Members, Null, Pattern, Types, Values, Whole};
    for (then, now, there, back) in [
        (json!({ "type": "string" }), json!({}), Wider(Types), Narrower(Types)),
        (json!({ "type": "integer" }), json!({ "type": "number" }), Wider(Types), Narrower(Types)),
        (json!({ "type": ["string"] }), json!({ "type": "string" }), Text, Text),
        (json!({ "enum": [1] }), json!({ "enum": [2, 1.0] }), Wider(Values), Narrower(Values)),
        (
            json!({ "enum": [{ "a": 1, "b": 2 }] }),
            json!({ "enum": [{ "b": 2, "a": 1 }, 3] }),
            Wider(Values),
            Narrower(Values),
        ),
        (json!({ "maxLength": 4 }), json!({ "maxLength": 5 }), Wider(Limit), Narrower(Limit)),
        (json!({ "minItems": 4 }), json!({ "minItems": 3 }), Wider(Limit), Narrower(Limit)),
        (json!({ "maximum": 4 }), json!({ "maximum": 4.0 }), Text, Text),
        (json!({ "minimum": 4 }), json!({}), Wider(Limit), Narrower(Limit)),
        (json!({ "multipleOf": 4 }), json!({ "multipleOf": 2 }), Wider(Limit), Narrower(Limit)),
        (json!({ "multipleOf": 4 }), json!({ "multipleOf": 3 }), Other(Limit), Other(Limit)),
        (json!({ "uniqueItems": true }), json!({}), Wider(Limit), Narrower(Limit)),
        (json!({ "uniqueItems": false }), json!({}), Text, Text),
        (json!({}), json!({ "nullable": true }), Wider(Null), Narrower(Null)),
        (json!({ "format": "date" }), json!({}), Wider(Format), Narrower(Format)),
        (json!({ "pattern": "a" }), json!({ "pattern": "b" }), Other(Pattern), Other(Pattern)),
        (json!({ "additionalProperties": false }), json!({}), Wider(Members), Narrower(Members)),
        (json!({ "additionalProperties": true }), json!({}), Text, Text),
        (json!({ "not": {} }), json!({}), Wider(Whole), Narrower(Whole)),
        (json!({ "$ref": "#" }), json!({}), Other(Whole), Other(Whole)),
        (json!({ "title": "a" }), json!({}), Text, Text),
        (json!(false), json!({}), Wider(Whole), Narrower(Whole)),
        (json!(true), json!({}), Text, Text),
        (json!(3), json!({}), Other(Whole), Other(Whole)),
    ] {
        assert_eq!((one(&then, &now), one(&now, &then)), (there, back), "{then} {now}");
    }
}

#[test]
fn alternatives_are_compared_by_their_type() {
    let text = json!({ "type": "string", "maxLength": 4 });
    let either = json!({ "anyOf": [{ "type": "null" }, { "type": "string", "maxLength": 4 }] });
    assert_eq!(one(&text, &either), Kind::Wider(What::Null));
    assert_eq!(one(&either, &text), Kind::Narrower(What::Null));
    let longer = json!({ "anyOf": [{ "type": "null" }, { "type": "string", "maxLength": 5 }] });
    assert_eq!(kinds(&either, &longer), [("/anyOf/1/maxLength".to_owned(), Kind::Wider(What::Limit))]);
    let more =
        json!({ "anyOf": [{ "type": "integer" }, { "type": "string", "maxLength": 4 }, { "type": "null" }] });
    assert_eq!(one(&either, &more), Kind::Wider(What::Types));
    // words stand beside the alternatives
    let told = json!({ "anyOf": either["anyOf"], "description": "x" });
    assert_eq!(one(&either, &told), Kind::Text);
    // two branches of a type cannot be told apart: the sets are compared
    let two = json!({ "anyOf": [{ "type": "string", "enum": ["a"] }, { "type": "string", "enum": ["b"] }] });
    let three = json!({ "anyOf": [{ "enum": ["a"], "type": "string" }, { "type": "string", "enum": ["b"] }, { "type": "null" }] });
    assert_eq!(one(&two, &three), Kind::Wider(What::Values));
}

#[test]
fn what_comes_with_a_member_is_said_once() {
    let none = json!({ "type": "object" });
    let member = json!({ "type": "object", "properties": { "a": { "type": "string" } }, "required": ["a"] });
    assert_eq!(one(&none, &member), Kind::AddedRequired);
    assert_eq!(one(&member, &none), Kind::Removed);
    let deep =
        |inner: Value| json!({ "properties": { "a": { "items": { "properties": { "b/c": inner } } } } });
    let found = compare(&deep(json!({ "maximum": 1 })), &deep(json!({ "maximum": 2 })));
    assert_eq!(found[0].pointer, "/properties/a/items/properties/b~1c/maximum");
    assert_eq!(found[0].member, "a.b/c");
}

#[test]
fn however_deep_it_ends() {
    let nest = |inner: Value| (0..90).fold(inner, |inner, _| json!({ "items": inner }));
    let found = compare(&nest(json!({ "maximum": 1 })), &nest(json!({ "maximum": 2 })));
    assert!(matches!(found.as_slice(), [one] if one.kind == Kind::Other(What::Whole)), "{found:?}");
}
