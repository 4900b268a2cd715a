//! Schemas without alternatives: what a description says with `anyOf` and its like, flattened to what any of them
//! allows.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::endpoint::schema::Property;
use crate::endpoint::{Schema, TypeSet};

/// The schema without alternatives: what any of them allows. Also bounds the depth of what follows.
#[must_use]
pub fn plain(schema: &Schema) -> Cow<'_, Schema> {
    if is_plain(schema, 0) { Cow::Borrowed(schema) } else { Cow::Owned(flat(schema, 0)) }
}

/// Deeper schemas are only named by their types.
const MAX_DEPTH: usize = 24;

/// Whether there is nothing to flatten: so with all that comes from traffic.
fn is_plain(schema: &Schema, depth: usize) -> bool {
    let inner = schema.items.as_deref().into_iter().chain(schema.additional.as_deref());
    let mut below = inner.chain(schema.properties.values().map(|property| &*property.schema));
    depth <= MAX_DEPTH && schema.any_of.is_empty() && below.all(|schema| is_plain(schema, depth + 1))
}

fn flat(schema: &Schema, depth: usize) -> Schema {
    if depth > MAX_DEPTH {
        return Schema { types: schema.types, ..Schema::default() };
    }
    let below = |inner: &Option<Box<Schema>>| inner.as_deref().map(|inner| Box::new(flat(inner, depth + 1)));
    let property = |(name, property): (&String, &Property)| {
        (name.clone(), Property { schema: Box::new(flat(&property.schema, depth + 1)), ..*property })
    };
    let own = Schema {
        properties: schema.properties.iter().map(property).collect(),
        items: below(&schema.items),
        additional: below(&schema.additional),
        any_of: Vec::new(),
        ..schema.shallow()
    };
    let mut branches = schema.any_of.iter().map(|branch| flat(branch, depth + 1));
    let Some(first) = branches.next() else { return own };
    let either = branches.fold(first, union);
    both(own, either)
}

/// What either of two schemas allows, and perhaps a little more.
fn union(left: Schema, right: Schema) -> Schema {
    // a schema that says nothing allows everything
    let types = if left.types.is_empty() || right.types.is_empty() {
        TypeSet::NONE
    } else {
        left.types.with(right.types)
    };
    let objects = left.types.has(TypeSet::OBJECT) && right.types.has(TypeSet::OBJECT);
    let mut values = Vec::new();
    if !left.values.is_empty() && !right.values.is_empty() {
        values = left.values;
        for value in right.values {
            if !values.contains(&value) {
                values.push(value);
            }
        }
    }
    let mut properties: BTreeMap<String, Property> = left.properties;
    if objects {
        for (name, property) in &mut properties {
            property.required &= right.properties.get(name).is_some_and(|other| other.required);
        }
    }
    for (name, mut property) in right.properties {
        match properties.remove(&name) {
            Some(own) => {
                property.required &= own.required;
                property.schema = Box::new(union(*own.schema, *property.schema));
                property.seen = property.seen.saturating_add(own.seen);
                property.of = property.of.saturating_add(own.of);
            }
            None => property.required &= !objects,
        }
        properties.insert(name, property);
    }
    Schema {
        types,
        seen: left.seen.saturating_add(right.seen),
        nulls: left.nulls.saturating_add(right.nulls),
        counts: Vec::new(),
        format: left.format.filter(|format| right.format.as_ref() == Some(format)),
        values,
        properties,
        additional: either(left.additional, right.additional),
        closed: left.closed && right.closed,
        items: either(left.items, right.items),
        any_of: Vec::new(),
        bounds: left.bounds.into_iter().filter(|(key, value)| right.bounds.get(key) == Some(value)).collect(),
        default: None,
        description: left.description.or(right.description),
        identifier: left.identifier || right.identifier,
        redacted: left.redacted.or(right.redacted),
        sent: None,
    }
}

fn either(left: Option<Box<Schema>>, right: Option<Box<Schema>>) -> Option<Box<Schema>> {
    match (left, right) {
        (Some(left), Some(right)) => Some(Box::new(union(*left, *right))),
        (left, right) => left.or(right),
    }
}

/// Common members together with those of the alternatives: both hold.
fn both(mut own: Schema, other: Schema) -> Schema {
    if own.types.is_empty() {
        own.types = other.types;
    }
    for (name, property) in other.properties {
        own.properties.entry(name).or_insert(property);
    }
    if own.values.is_empty() {
        own.values = other.values;
    }
    own.items = own.items.or(other.items);
    own.additional = own.additional.or(other.additional);
    own.format = own.format.or(other.format);
    own.closed |= other.closed;
    own.redacted = own.redacted.or(other.redacted);
    own
}

/// What all of several bodies allow.
#[must_use]
pub fn union_of<'a>(schemas: impl IntoIterator<Item = &'a Schema>) -> Option<Cow<'a, Schema>> {
    schemas
        .into_iter()
        .map(plain)
        .reduce(|one, other| Cow::Owned(union(one.into_owned(), other.into_owned())))
}
