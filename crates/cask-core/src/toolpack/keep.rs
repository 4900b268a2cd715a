//! Whether a tool that was approved still says the truth.
//!
//! More traffic makes schemas more exact. A tool that someone approved does not move for that: it stays, byte for
//! byte, as long as all that the new evidence allows is allowed by it, and all that it promises is still promised.

use serde_json::{Map, Value};

use super::Tool;

/// Whether the old tool covers what the new one, compiled from more evidence, would say.
#[must_use]
pub fn covers(old: &Tool, new: &Tool) -> bool {
    let same = old.name == new.name
        && old.title == new.title
        && old.annotations == new.annotations
        && (old.effect, old.risk) == (new.effect, new.risk)
        && old.scope == new.scope
        && old.guards == new.guards
        && old.binding == new.binding
        && old.evidence == new.evidence;
    let answers = match (&old.output_schema, &new.output_schema) {
        (None, _) => true,
        (Some(old), Some(new)) => object(old, new),
        (Some(_), None) => false,
    };
    same && object(&old.input_schema, &new.input_schema) && answers
}

/// Keywords that only tell.
const TEXT: [&str; 4] = ["title", "description", "default", "examples"];

/// Whether all that fits the new schema fits the old one. The schemas are ours: what is not understood has to be equal.
fn allows(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => object(old, new),
        _ => old == new,
    }
}

fn object(old: &Map<String, Value>, new: &Map<String, Value>) -> bool {
    if let Some(branches) = old.get("anyOf").and_then(Value::as_array) {
        let one = |new: &Value| branches.iter().any(|branch| allows(branch, new));
        return match new.get("anyOf").and_then(Value::as_array) {
            Some(all) => all.iter().all(one),
            None => one(&Value::Object(new.clone())),
        };
    }
    old.iter().filter(|(keyword, _)| !TEXT.contains(&keyword.as_str())).all(|(keyword, was)| {
        let is = new.get(keyword);
        match keyword.as_str() {
            "type" => is == Some(was) || was == "number" && is.is_some_and(|is| is == "integer"),
            "enum" => all_in(is, was),
            "required" => all_in(Some(was), is.unwrap_or(&Value::Null)) || *was == Value::Array(Vec::new()),
            "properties" => {
                let (Some(was), Some(is)) = (was.as_object(), is.and_then(Value::as_object)) else {
                    return false;
                };
                was.iter().all(|(name, was)| is.get(name).is_some_and(|is| allows(was, is)))
            }
            "additionalProperties" if *was == Value::Bool(false) => {
                let properties = |of| Map::get(of, "properties").and_then(Value::as_object);
                let known = |name| properties(old).is_some_and(|known| known.contains_key(name));
                is == Some(was) && properties(new).into_iter().flat_map(Map::keys).all(known)
            }
            "items" | "additionalProperties" => is.is_some_and(|is| allows(was, is)),
            _ => is == Some(was),
        }
    })
}

/// Whether each of some items is among others.
fn all_in(some: Option<&Value>, others: &Value) -> bool {
    let (Some(some), Some(others)) = (some.and_then(Value::as_array), others.as_array()) else {
        return false;
    };
    some.iter().all(|item| others.contains(item))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::allows;

    #[test]
    fn what_is_more_exact_is_covered_and_what_is_wider_is_not() {
        let old = json!({"type": "object", "required": ["id"], "properties": {
            "id": {"type": "number"}, "kind": {"enum": ["a", "b"], "type": "string"},
            "tags": {"type": "array", "items": {"type": "string"}}}});
        let with = |pointer: &str, value: serde_json::Value| {
            let mut new = old.clone();
            let (parent, last) = pointer.rsplit_once('/').unwrap();
            new.pointer_mut(parent).unwrap()[last] = value;
            new
        };
        for (pointer, value) in [
            ("/required", json!(["id", "kind"])),
            ("/properties/id", json!({"type": "integer", "description": "Its number."})),
            ("/properties/kind/enum", json!(["a"])),
            ("/properties/more", json!({"type": "string"})),
            ("/properties/tags/items", json!({"type": "string", "format": "uuid"})),
        ] {
            assert!(allows(&old, &with(pointer, value)), "{pointer}");
        }
        for (pointer, value) in [
            ("/required", json!([])),
            ("/properties/id", json!({"type": "string"})),
            ("/properties/kind/enum", json!(["a", "b", "c"])),
            ("/properties/kind", json!({"type": "string"})),
            ("/properties/tags/items", json!({"anyOf": [{"type": "string"}, {"type": "null"}]})),
            ("/properties/tags", json!({"type": "array"})),
            ("/properties", json!({"id": {"type": "number"}})),
        ] {
            assert!(!allows(&old, &with(pointer, value)), "{pointer}");
        }
        let closed = |properties: serde_json::Value| json!({"type": "object", "properties": properties, "additionalProperties": false});
        let (one, two) =
            (json!({"a": {"type": "string"}}), json!({"a": {"type": "string"}, "b": {"type": "string"}}));
        assert!(!allows(&closed(one.clone()), &closed(two)), "another argument");
        assert!(allows(&closed(one.clone()), &closed(one)));
        let either = json!({"anyOf": [{"type": "string"}, {"type": "null"}]});
        assert!(allows(&either, &json!({"type": "string"})) && allows(&either, &either));
        assert!(
            !allows(&either, &json!({"type": "boolean"})) && !allows(&json!({"type": "string"}), &either)
        );
    }
}
