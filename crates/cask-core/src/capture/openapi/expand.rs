//! Schemas of a description as [`Schema`]s: references followed, `allOf` merged, cycles cut.
//!
//! The tree grows breadth first in a flat list, so that a bounded part of a large or endless schema is
//! the part nearest to its root, and nothing recurses.

use std::collections::BTreeSet;

use serde_json::Value;

use super::document::Document;
use super::shown;
use crate::endpoint::schema::Property;
use crate::endpoint::{Schema, TypeSet};
use crate::json::Json;

/// Depth of an expanded schema.
const MAX_DEPTH: usize = 24;
/// Members of an enumeration beyond which it is left open.
const MAX_ENUM: usize = 1_000;

/// Which way a body goes: what is `readOnly` is not sent, what is `writeOnly` is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    Request,
    Response,
}

/// The place of a node in its parent.
enum Slot<'d> {
    Root,
    Property { name: &'d str, required: bool },
    Additional,
    Items,
    Any,
}

struct Node<'d> {
    /// Schemas that must all hold here.
    sources: Vec<&'d Json<'d>>,
    /// The addresses of those schemas in the document, once known: two nodes with the same are one place.
    place: Vec<usize>,
    parent: usize,
    depth: usize,
    slot: Slot<'d>,
    schema: Schema,
}

/// Expands one schema to at most `cap` nodes; what is cut off allows anything (of the type it names).
///
/// What a `$ref` points to is expanded once for all that point to it, and noted where it was met first.
pub fn expand<'d>(document: &Document<'d>, root: &'d Json<'d>, side: Side, cap: usize, at: &str) -> Schema {
    let key = match root {
        Json::Object(members) if members.len() == 1 => root.get("$ref").and_then(Json::as_str),
        _ => None,
    };
    let Some(reference) = key else { return grow(document, root, side, cap, at) };
    if let Some(known) = document.expanded.borrow().get(&(reference, side, cap)) {
        return known.clone();
    }
    let schema = grow(document, root, side, cap, at);
    document.expanded.borrow_mut().insert((reference, side, cap), schema.clone());
    schema
}

fn grow<'d>(document: &Document<'d>, root: &'d Json<'d>, side: Side, cap: usize, at: &str) -> Schema {
    let root = Node {
        sources: vec![root],
        place: Vec::new(),
        parent: 0,
        depth: 0,
        slot: Slot::Root,
        schema: Schema::default(),
    };
    let mut nodes = vec![root];
    let mut index = 0;
    while let Some(node) = nodes.get_mut(index) {
        let sources = std::mem::take(&mut node.sources);
        let (parent, depth) = (node.parent, node.depth);
        let flat = Flat::of(document, sources, at);
        let place: Vec<usize> =
            flat.sources.iter().map(|source| std::ptr::from_ref(*source).addr()).collect();
        let again = !place.is_empty() && is_above(&nodes, parent, index, &place);
        let (schema, children) = flat.shallow(document, side, at);
        let room = nodes.len() + children.len() <= cap && depth < MAX_DEPTH;
        let Some(node) = nodes.get_mut(index) else { break };
        node.place = place;
        node.schema = schema;
        if again && !children.is_empty() {
            let name =
                flat.entered.first().map_or("a schema".to_owned(), |name| format!("`{}`", shown(name, 120)));
            document.note(at, format!("{name} contains itself; the inner one is left open"));
            node.schema.closed = false;
        } else if !room && !children.is_empty() {
            document.note(
                at,
                format!(
                    "a schema is larger than {cap} nodes or {MAX_DEPTH} levels; its far parts are left open"
                ),
            );
            node.schema.closed = false;
        } else {
            nodes.extend(children.into_iter().map(|(slot, sources)| Node {
                sources,
                place: Vec::new(),
                parent: index,
                depth: depth + 1,
                slot,
                schema: Schema::default(),
            }));
        }
        index += 1;
    }
    assemble(nodes)
}

/// Whether one of the nodes above stands for the same place of the document.
fn is_above(nodes: &[Node<'_>], parent: usize, index: usize, place: &[usize]) -> bool {
    let mut up = parent;
    let mut here = index;
    while here > 0 {
        let Some(node) = nodes.get(up) else { return false };
        if node.place == place {
            return true;
        }
        here = up;
        up = node.parent;
    }
    false
}

/// Puts children into their parents, last first: a parent always stands before its children.
fn assemble(mut nodes: Vec<Node<'_>>) -> Schema {
    while let Some(mut node) = nodes.pop() {
        // They were pushed last first.
        node.schema.any_of.reverse();
        let Some(parent) = nodes.get_mut(node.parent) else { return node.schema };
        match node.slot {
            Slot::Root => {}
            Slot::Property { name, required } => {
                let property = Property { required, schema: Box::new(node.schema), ..Property::default() };
                parent.schema.properties.insert(name.to_owned(), property);
            }
            Slot::Additional => parent.schema.additional = Some(Box::new(node.schema)),
            Slot::Items => parent.schema.items = Some(Box::new(node.schema)),
            Slot::Any => parent.schema.any_of.push(node.schema),
        }
    }
    Schema::default()
}

/// Schema objects that hold together: a schema with its references and `allOf`s laid side by side.
struct Flat<'d> {
    sources: Vec<&'d Json<'d>>,
    entered: Vec<&'d str>,
    /// The alternatives of the first `oneOf`/`anyOf` that has more than one.
    alternatives: Vec<&'d Json<'d>>,
    nullable: bool,
}

type Children<'d> = Vec<(Slot<'d>, Vec<&'d Json<'d>>)>;

impl<'d> Flat<'d> {
    fn of(document: &Document<'d>, roots: Vec<&'d Json<'d>>, at: &str) -> Self {
        let mut flat =
            Self { sources: Vec::new(), entered: Vec::new(), alternatives: Vec::new(), nullable: false };
        let mut open: Vec<&'d Json<'d>> = roots;
        open.reverse();
        while let Some(json) = open.pop() {
            if flat.sources.len() + flat.entered.len() >= 200 {
                document.note(at, "more than 200 schemas hold at one place; the rest is left out");
                break;
            }
            let Json::Object(members) = json else { continue };
            let bare = members.len() == 1 && json.get("$ref").is_some();
            if !bare {
                flat.sources.push(json);
            }
            if let Some(reference) = json.get("$ref").and_then(Json::as_str)
                && !flat.entered.contains(&reference)
            {
                flat.entered.push(reference);
                open.extend(document.target(reference, at));
            }
            if let Some(Json::Array(all)) = json.get("allOf") {
                open.extend(all.iter().rev());
            }
            flat.nullable |= is_true(json, "nullable") || is_true(json, "x-nullable");
            for keyword in ["oneOf", "anyOf"] {
                let Some(Json::Array(alternatives)) = json.get(keyword) else { continue };
                let real: Vec<&'d Json<'d>> = alternatives.iter().filter(|one| !is_null(one)).collect();
                flat.nullable |= real.len() < alternatives.len();
                match real.as_slice() {
                    [] => {}
                    [one] => open.push(one),
                    several if flat.alternatives.is_empty() => {
                        flat.alternatives = several.iter().take(50).copied().collect();
                    }
                    _ => document.note(
                        at,
                        "two choices (`oneOf`, `anyOf`) hold at one place; the second is left open",
                    ),
                }
            }
        }
        flat
    }

    fn each<'s>(&'s self, keyword: &'s str) -> impl Iterator<Item = &'d Json<'d>> + 's {
        self.sources.iter().filter_map(move |source| source.get(keyword))
    }

    /// What holds at this place itself, and the children still to be expanded.
    fn shallow(&self, document: &Document<'d>, side: Side, at: &str) -> (Schema, Children<'d>) {
        let mut schema = Schema { types: self.types(), ..Schema::default() };
        let mut children: Children<'d> = Vec::new();

        let required: BTreeSet<&str> = self
            .each("required")
            .filter_map(|list| if let Json::Array(names) = list { Some(names) } else { None })
            .flatten()
            .filter_map(Json::as_str)
            .collect();
        let mut names: Vec<&'d str> = Vec::new();
        let mut parts: std::collections::BTreeMap<&'d str, Vec<&'d Json<'d>>> =
            std::collections::BTreeMap::new();
        for properties in self.each("properties") {
            let Json::Object(members) = properties else { continue };
            for (name, value) in members {
                if name.len() > 200 || name.chars().any(char::is_control) {
                    document.note(at, "a property has an unusable name and is left out");
                    continue;
                }
                let entry = parts.entry(name.as_ref()).or_default();
                if entry.is_empty() {
                    names.push(name.as_ref());
                }
                entry.push(value);
            }
        }
        for name in names {
            let sources = parts.remove(name).unwrap_or_default();
            let hidden = match side {
                Side::Request => "readOnly",
                Side::Response => "writeOnly",
            };
            if sources.iter().any(|source| is_true(source, hidden)) {
                continue;
            }
            children.push((Slot::Property { name, required: required.contains(name) }, sources));
        }

        // Required, but described nowhere: it must be there and may be anything.
        let described =
            |name: &&str| !self.each("properties").any(|properties| properties.get(name).is_some());
        for name in required.iter().copied().filter(|name| name.len() <= 200).filter(described).take(200) {
            let property = Property { required: true, ..Property::default() };
            schema.properties.insert(name.to_owned(), property);
        }

        let mut additional: Vec<&'d Json<'d>> = Vec::new();
        for value in self.each("additionalProperties") {
            match value {
                Json::Bool(false) => schema.closed = true,
                Json::Bool(true) | Json::Object(_) => additional.push(value),
                _ => {}
            }
        }
        // An object that is composed of closed parts could hold nothing: such descriptions mean open ones.
        let composed = self.each("properties").nth(1).is_some() || !self.alternatives.is_empty();
        schema.closed &= additional.is_empty() && !composed;
        let patterned = self.each("patternProperties").find_map(|map| match map {
            Json::Object(members) => members.first().map(|(_, value)| value),
            _ => None,
        });
        additional.extend(patterned);
        if !additional.is_empty() {
            children.push((Slot::Additional, additional));
        }
        let items: Vec<&'d Json<'d>> =
            self.each("items").filter(|items| matches!(items, Json::Object(_))).collect();
        if !items.is_empty() {
            children.push((Slot::Items, items));
        }
        children.extend(self.alternatives.iter().map(|one| (Slot::Any, vec![*one])));

        self.values(document, &mut schema, at);
        self.bounds(document, &mut schema, at);
        schema.format = self.each("format").find_map(Json::as_str).map(|format| shown(format, 40));
        if schema.format.is_none() && self.each("type").any(|name| name.as_str() == Some("file")) {
            schema.format = Some("binary".to_owned());
        }
        if side == Side::Request {
            schema.description = self.each("description").find_map(Json::as_str).map(|text| shown(text, 300));
            schema.default = self.each("default").next().and_then(small);
        }
        for keyword in [
            "not",
            "if",
            "prefixItems",
            "contains",
            "dependentSchemas",
            "propertyNames",
            "unevaluatedProperties",
        ] {
            if self.each(keyword).next().is_some() {
                document.note(
                    at,
                    format!("the keyword `{keyword}` is not carried over; more is allowed than declared"),
                );
            }
        }
        if self.nullable && !schema.types.is_empty() {
            schema.types = schema.types.with(TypeSet::NULL);
        }
        (schema, children)
    }

    fn types(&self) -> TypeSet {
        let mut types: Option<TypeSet> = None;
        for declared in self.each("type") {
            let one = |name: &str| if name == "file" { Some(TypeSet::STRING) } else { TypeSet::named(name) };
            let set = match declared {
                Json::Str(name) => one(name).unwrap_or(TypeSet::NONE),
                Json::Array(names) => {
                    names.iter().filter_map(Json::as_str).filter_map(one).fold(TypeSet::NONE, TypeSet::with)
                }
                _ => TypeSet::NONE,
            };
            // What all of them allow; where they contradict each other, what the first says.
            types = Some(match types {
                Some(before) => both(before, set),
                None => set,
            });
        }
        types.filter(|set| !set.is_empty()).unwrap_or_else(|| {
            if self.each("properties").chain(self.each("additionalProperties")).next().is_some() {
                TypeSet::OBJECT
            } else if self.each("items").next().is_some() {
                TypeSet::ARRAY
            } else {
                TypeSet::NONE
            }
        })
    }

    fn values(&self, document: &Document<'d>, schema: &mut Schema, at: &str) {
        let mut allowed: Option<Vec<Value>> = None;
        let consts = self.each("const").map(std::slice::from_ref);
        let enums = self
            .each("enum")
            .filter_map(|list| if let Json::Array(all) = list { Some(all.as_slice()) } else { None });
        for list in consts.chain(enums) {
            let scalar = |json: &Json<'_>| !matches!(json, Json::Array(_) | Json::Object(_));
            if list.len() > MAX_ENUM || !list.iter().all(scalar) {
                document.note(
                    at,
                    "an enumeration is too long or has values that are no scalars; it is left open",
                );
                continue;
            }
            let list: Vec<Value> = list.iter().filter_map(small).collect();
            allowed = Some(match allowed {
                Some(before) => before.into_iter().filter(|value| list.contains(value)).collect(),
                None => list,
            });
        }
        let Some(mut values) = allowed else { return };
        if self.nullable && !values.is_empty() && !values.contains(&Value::Null) {
            values.push(Value::Null);
        }
        if schema.types.is_empty() {
            schema.types = values.iter().fold(TypeSet::NONE, |set, value| set.with(type_of(value)));
        }
        values.sort_by_key(ToString::to_string);
        values.dedup();
        schema.values = values;
    }

    /// Bounds in 2020-12 keywords, the tightest of each; `exclusiveMinimum: true` (OpenAPI 3.0) becomes a number.
    fn bounds(&self, document: &Document<'d>, schema: &mut Schema, at: &str) {
        const LEAST: [&str; 5] = ["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"];
        const MOST: [&str; 5] = ["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"];
        for source in &self.sources {
            for (keyword, keep_larger) in
                LEAST.iter().map(|k| (*k, true)).chain(MOST.iter().map(|k| (*k, false)))
            {
                let exclusive = match keyword {
                    "minimum" => "exclusiveMinimum",
                    "maximum" => "exclusiveMaximum",
                    _ => "",
                };
                let keyword =
                    if !exclusive.is_empty() && is_true(source, exclusive) { exclusive } else { keyword };
                let written = if is_true(source, keyword) {
                    keyword.replace("exclusiveM", "m")
                } else {
                    keyword.to_owned()
                };
                let Some(value) = source.get(&written).and_then(small).filter(Value::is_number) else {
                    continue;
                };
                let tighter = schema.bounds.get(keyword).is_none_or(|before| {
                    let (before, now) = (before.as_f64().unwrap_or(0.0), value.as_f64().unwrap_or(0.0));
                    if keep_larger { now > before } else { now < before }
                });
                if tighter {
                    schema.bounds.insert(keyword.to_owned(), value);
                }
            }
            if let Some(value) =
                source.get("multipleOf").and_then(small).filter(|v| v.as_f64().is_some_and(|n| n > 0.0))
            {
                schema.bounds.entry("multipleOf".to_owned()).or_insert(value);
            }
            if is_true(source, "uniqueItems") {
                schema.bounds.insert("uniqueItems".to_owned(), Value::Bool(true));
            }
            if let Some(pattern) = source.get("pattern").and_then(Json::as_str) {
                if document.linear(pattern) {
                    schema
                        .bounds
                        .entry("pattern".to_owned())
                        .or_insert_with(|| Value::String(pattern.to_owned()));
                } else {
                    document.note(
                        at,
                        format!(
                            "the pattern `{}` is not one that runs in linear time; it is left out",
                            shown(pattern, 80)
                        ),
                    );
                }
            }
        }
    }
}

/// The types in both sets; an integer is a number too.
fn both(a: TypeSet, b: TypeSet) -> TypeSet {
    let wide = |set: TypeSet| if set.has(TypeSet::NUMBER) { set.with(TypeSet::INTEGER) } else { set };
    let common = wide(a).without(wide(a).without(wide(b)));
    if a.is_empty() || common.is_empty() {
        return if a.is_empty() { b } else { a };
    }
    if common.has(TypeSet::NUMBER) { common.without(TypeSet::INTEGER) } else { common }
}

fn type_of(value: &Value) -> TypeSet {
    match value {
        Value::Null => TypeSet::NULL,
        Value::Bool(_) => TypeSet::BOOLEAN,
        Value::Number(number) if number.is_f64() => TypeSet::NUMBER,
        Value::Number(_) => TypeSet::INTEGER,
        Value::String(_) => TypeSet::STRING,
        Value::Array(_) => TypeSet::ARRAY,
        Value::Object(_) => TypeSet::OBJECT,
    }
}

/// A value of at most a kilobyte.
fn small(json: &Json<'_>) -> Option<Value> {
    let value = serde_json::to_value(json).ok()?;
    (value.to_string().len() <= 1_024).then_some(value)
}

fn is_null(json: &Json<'_>) -> bool {
    json.get("type").and_then(Json::as_str) == Some("null")
}

fn is_true(json: &Json<'_>, keyword: &str) -> bool {
    json.get(keyword) == Some(&Json::Bool(true))
}
