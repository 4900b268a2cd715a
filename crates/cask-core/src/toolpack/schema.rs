//! From learned schemas to the JSON Schema that MCP clients get.
//!
//! What comes out is self-contained (no `$ref`), has an object at the top, never `anyOf` there, one `type`
//! per node, and no boolean where a schema is expected: what the strictest known clients and the lint of
//! the official Inspector accept. Inputs are closed; outputs are open and only say what was always so.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::endpoint::{Schema, TypeSet};

use super::hostile;

mod open;
mod plain;

pub use plain::{plain, union_of};

/// Deeper input is passed through without being described.
const INPUT_DEPTH: usize = 8;

/// Bytes of JSON that an output schema may take, and what is tried in turn to get there:
/// levels of nesting, members per object, whether `required` lists are written.
const OUTPUT_BYTES: usize = 220;
const OUTPUT_TRIES: [open::Limits; 8] = [
    open::Limits { depth: 3, breadth: 24, required: true },
    open::Limits { depth: 3, breadth: 24, required: false },
    open::Limits { depth: 3, breadth: 8, required: false },
    open::Limits { depth: 2, breadth: 24, required: false },
    open::Limits { depth: 2, breadth: 8, required: false },
    open::Limits { depth: 2, breadth: 5, required: false },
    open::Limits { depth: 1, breadth: 12, required: false },
    open::Limits { depth: 1, breadth: 6, required: false },
];

/// Bytes of JSON that one argument may take at most before its members are no longer described.
const ARGUMENT_BYTES: usize = 4096;

/// The schema of one tool argument.
#[must_use]
pub fn argument(schema: &Schema) -> Value {
    let whole = plain(schema);
    for depth in [INPUT_DEPTH, 4, 3, 2, 1] {
        let value = input(&whole, depth, true);
        if size(&value) <= ARGUMENT_BYTES {
            return value;
        }
    }
    input(&whole, 0, false)
}

/// The schema of a path parameter, without a note: the name and the path say what it identifies.
#[must_use]
pub fn identifier(schema: &Schema) -> Value {
    input(&plain(schema), 1, false)
}

/// The same argument in as few bytes as keep its type.
#[must_use]
pub fn bare_argument(schema: &Schema) -> Value {
    input(&plain(schema), 0, false)
}

/// The output schema of a tool for the answers it was seen to give, and whether they must be wrapped.
#[must_use]
pub fn output(answer: &Schema) -> (Value, bool) {
    let answer = plain(answer);
    let wrap = answer.types != TypeSet::OBJECT;
    let node = open::Node::of(&answer);
    // measured in turn, and only the one that is taken is written
    let around = wrapped_size(wrap, node.is_some());
    let fits = |limits: &&open::Limits| {
        let room = OUTPUT_BYTES.checked_sub(around);
        room.is_some_and(|room| node.as_ref().is_none_or(|node| node.fits(**limits, room)))
    };
    let limits = OUTPUT_TRIES.iter().find(fits).or(OUTPUT_TRIES.last());
    let inner = node.as_ref().zip(limits).map(|(node, limits)| node.write(*limits));
    (wrapped(inner, wrap), wrap)
}

/// The output schema in as few bytes as possible.
#[must_use]
pub fn bare_output(wrap: bool) -> Value {
    wrapped(None, wrap)
}

fn wrapped(inner: Option<Value>, wrap: bool) -> Value {
    if !wrap {
        return inner.unwrap_or_else(|| json!({"type": "object"}));
    }
    match inner {
        Some(inner) => json!({"type": "object", "properties": {"result": inner}, "required": ["result"]}),
        None => json!({"type": "object", "required": ["result"]}),
    }
}

/// Bytes that [`wrapped`] puts around an inner schema.
fn wrapped_size(wrap: bool, inner: bool) -> usize {
    size(&wrapped(inner.then_some(Value::Null), wrap)) - if inner { size(&Value::Null) } else { 0 }
}

/// Bytes as they go over the wire.
#[must_use]
pub fn size<T: Serialize + ?Sized>(value: &T) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // what cannot be written is not sent either
    if serde_json::to_writer(&mut count, value).is_err() { usize::MAX } else { count.0 }
}

/// The types of a schema, from its keywords where it names none.
fn types(schema: &Schema) -> TypeSet {
    if schema.redacted.is_some() && schema.types.is_empty() {
        TypeSet::STRING
    } else if !schema.types.is_empty() {
        if schema.types.has(TypeSet::NUMBER) { schema.types.without(TypeSet::INTEGER) } else { schema.types }
    } else if !schema.properties.is_empty() || schema.additional.is_some() {
        TypeSet::OBJECT
    } else if schema.items.is_some() {
        TypeSet::ARRAY
    } else {
        TypeSet::NONE
    }
}

const ALL: [&str; 6] = ["array", "boolean", "null", "number", "object", "string"];

/// The names of these types; of none, all.
fn names(types: TypeSet) -> Vec<&'static str> {
    if types.is_empty() { ALL.to_vec() } else { types.names().collect() }
}

/// One node per type; several become `anyOf`, because clients differ on lists of types.
fn per_type(names: &[&'static str], mut node: impl FnMut(&'static str) -> Map<String, Value>) -> Value {
    if let [one] = names {
        return Value::Object(node(one));
    }
    json!({"anyOf": names.iter().map(|name| Value::Object(node(name))).collect::<Vec<_>>()})
}

fn input(schema: &Schema, depth: usize, describe: bool) -> Value {
    let values = enumeration(schema);
    let mut value = per_type(&names(types(schema)), |name| {
        let mut node = Map::new();
        node.insert("type".to_owned(), json!(name));
        let fitting: Vec<Value> = values.iter().filter(|value| is_type(value, name)).cloned().collect();
        if !fitting.is_empty() {
            node.insert("enum".to_owned(), Value::Array(fitting));
            return node;
        }
        match name {
            "string" => {
                bounds(&mut node, schema, &["minLength", "maxLength", "pattern"]);
                if let Some(format) =
                    schema.format.as_deref().filter(|format| STRING_FORMATS.contains(format))
                {
                    node.insert("format".to_owned(), json!(format));
                }
            }
            "integer" | "number" => bounds(
                &mut node,
                schema,
                &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
            ),
            "array" => {
                bounds(&mut node, schema, &["minItems", "maxItems", "uniqueItems"]);
                let items = schema.items.as_deref().filter(|_| depth > 0);
                // an array without `items` is refused by some clients
                node.insert(
                    "items".to_owned(),
                    items.map_or_else(any, |items| input(items, depth - 1, describe)),
                );
            }
            "object" => input_object(&mut node, schema, depth, describe),
            _ => {}
        }
        node
    });
    if let (Some(node), true) = (value.as_object_mut(), describe) {
        if let Some(text) = schema.description.as_deref().and_then(hostile::note) {
            node.insert("description".to_owned(), json!(text));
        }
        if let Some(default) = schema.default.as_ref().filter(|default| is_tame(default)) {
            node.insert("default".to_owned(), default.clone());
        }
    }
    value
}

fn input_object(node: &mut Map<String, Value>, schema: &Schema, depth: usize, describe: bool) {
    if depth == 0 {
        return;
    }
    let mut properties = Map::new();
    let mut required = BTreeSet::new();
    let mut whole = true;
    for (name, property) in &schema.properties {
        if !is_member(name) {
            whole = false;
            continue;
        }
        properties.insert(name.clone(), input(&property.schema, depth - 1, describe));
        if property.required {
            required.insert(name.clone());
        }
    }
    let closed = whole && schema.additional.is_none() && (schema.closed || !properties.is_empty());
    if !properties.is_empty() {
        node.insert("properties".to_owned(), Value::Object(properties));
    }
    if !required.is_empty() {
        node.insert("required".to_owned(), json!(required));
    }
    if closed {
        node.insert("additionalProperties".to_owned(), json!(false));
    } else if let Some(values) = schema.additional.as_deref().filter(|values| !types(values).is_empty()) {
        node.insert("additionalProperties".to_owned(), input(values, depth - 1, describe));
    }
}

/// The schema that takes everything, in the spelling that lints accept.
fn any() -> Value {
    per_type(&ALL, |name| {
        let mut node = Map::new();
        node.insert("type".to_owned(), json!(name));
        if name == "array" {
            let items: Vec<Value> = ALL.iter().skip(1).map(|name| json!({"type": name})).collect();
            node.insert("items".to_owned(), json!({"anyOf": items}));
        }
        node
    })
}

/// Formats of strings that clients know; the text of a format comes from outside.
const STRING_FORMATS: [&str; 13] = [
    "date",
    "date-time",
    "duration",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "time",
    "uri",
    "uri-reference",
    "uuid",
    "byte",
    "binary",
];

fn bounds(node: &mut Map<String, Value>, schema: &Schema, keys: &[&str]) {
    for key in keys {
        let Some(value) = schema.bounds.get(*key) else { continue };
        let sane = match (*key, value) {
            ("pattern", Value::String(text)) => {
                // a pattern is shown to the model and compiled by the gateway: short, without prose, linear
                text.len() <= 100 && !text.contains(char::is_whitespace) && regex::Regex::new(text).is_ok()
            }
            ("uniqueItems", Value::Bool(unique)) => *unique,
            ("minLength" | "maxLength" | "minItems" | "maxItems", value) => {
                value.as_u64().is_some_and(|n| n > 0)
            }
            ("multipleOf", value) => value.as_f64().is_some_and(|n| n > 0.0),
            ("pattern" | "uniqueItems", _) => false,
            (_, value) => value.is_number(),
        };
        if sane && crate::canon::canonical(value).is_ok() {
            node.insert((*key).to_owned(), value.clone());
        }
    }
}

/// The enumeration, if every value may be shown to a model.
fn enumeration(schema: &Schema) -> Vec<Value> {
    let tame = schema.values.len() <= 100 && schema.values.iter().all(is_tame) && schema.redacted.is_none();
    if tame { schema.values.clone() } else { Vec::new() }
}

/// A scalar that cannot carry a sentence.
fn is_tame(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            text.len() <= 64
                && text.split_whitespace().count() <= 4
                && text.chars().all(|c| c.is_ascii_alphanumeric() || " _-.:/+@#,*=%".contains(c))
                && !hostile::commands(text)
        }
        Value::Number(_) => crate::canon::canonical(value).is_ok(),
        Value::Bool(_) | Value::Null => true,
        Value::Array(_) | Value::Object(_) => false,
    }
}

/// Whether a nested member's name may be shown as it is.
fn is_member(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-$@:/".contains(&b))
        // to the JSON library such a name means something else
        && !name.starts_with("$serde_json::")
        && !hostile::commands(name)
}

fn is_type(value: &Value, name: &str) -> bool {
    match value {
        Value::String(_) => name == "string",
        Value::Bool(_) => name == "boolean",
        Value::Null => name == "null",
        Value::Number(number) => name == "number" || name == "integer" && !number.is_f64(),
        Value::Array(_) => name == "array",
        Value::Object(_) => name == "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A member of this name would be read as raw JSON: the whole toolpack would not read back.
    #[test]
    fn no_member_means_something_to_the_parser() {
        let text = r#"{"types":["object"],"seen":2,"properties":{
            "$serde_json::private::RawValue":{"required":true,"seen":2,"of":2,"schema":{"types":["integer"],"seen":2}},
            "id":{"required":true,"seen":2,"of":2,"schema":{"types":["integer"],"seen":2}}}}"#;
        let schema: Schema = serde_json::from_str(text).unwrap();
        for value in [argument(&schema), output(&schema).0] {
            assert_eq!(serde_json::from_str::<Value>(&value.to_string()).unwrap(), value);
            assert!(value["properties"].get("id").is_some(), "{value}");
        }
    }

    /// What is measured is what is written, whatever the shape.
    #[test]
    fn an_output_schema_is_measured_before_it_is_written() {
        let text = r#"{"types":["object"],"seen":9,"properties":{
            "id":{"required":true,"seen":9,"of":9,"schema":{"types":["integer"],"seen":9,"identifier":true}},
            "size":{"required":true,"seen":9,"of":9,"schema":{"types":["integer"],"seen":9}},
            "note":{"required":false,"seen":2,"of":9,"schema":{"types":["null","string"],"seen":2}},
            "none":{"required":false,"seen":2,"of":9,"schema":{"types":["null"],"seen":2}},
            "rows":{"required":true,"seen":9,"of":9,"schema":{"types":["array"],"seen":9,"items":{"types":["array"],"seen":9,
                "items":{"types":["object"],"seen":9,"properties":{
                    "a":{"required":true,"seen":9,"of":9,"schema":{"types":["boolean"],"seen":9}},
                    "b":{"required":true,"seen":1,"of":2,"schema":{"types":["object","string"],"seen":9}}}}}}}}}"#;
        let schema: Schema = serde_json::from_str(text).unwrap();
        let node = open::Node::of(&schema).unwrap();
        for limits in OUTPUT_TRIES {
            let bytes = size(&node.write(limits));
            assert!(node.fits(limits, bytes), "{bytes}");
            assert!(!node.fits(limits, bytes - 1), "{bytes}");
        }
        assert!(size(&output(&schema).0) <= OUTPUT_BYTES);
        let list = Schema { types: TypeSet::ARRAY, items: Some(Box::new(schema)), ..Schema::default() };
        let (wrapped, wrap) = output(&list);
        assert!(wrap && wrapped["properties"]["result"].get("items").is_some(), "{wrapped}");
    }
}
