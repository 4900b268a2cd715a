//! One schema, before and now, position by position.

use serde_json::{Value, json};

use super::evidence::{Count, DECLARED, chance};
use super::rules::{Area, Direction, Kind};
use super::shape::{akin, alike, overlap, types};
use super::{Difference, Sink};
use crate::endpoint::schema::Property;
use crate::endpoint::{Schema, TypeSet};
use crate::finding::{At, Severity};
use crate::json::token;

/// Levels below which nothing is compared.
const MAX_DEPTH: usize = 48;

/// Where a walk is.
#[derive(Debug, Clone)]
pub(super) struct Context {
    /// Whose side.
    pub direction: Direction,
    /// The endpoint, and the pointer to this position.
    pub place: At,
    /// `response 200`, `query parameter`.
    pub subject: String,
    /// The position in words that a person would use: `user.emails[]`.
    pub field: String,
    /// Exchanges on both sides: what comes in one exchange is not independent.
    pub caps: (u64, u64),
    /// Lists on both sides that this position is in: what comes in one list is hardly more independent. Another type
    /// in all of them needs no such care.
    pub lists: (u64, u64),
    /// Which sides come from a description alone.
    pub declared: (bool, bool),
}

impl Context {
    fn below(&self, pointer: &str, field: String) -> Self {
        let pointer = format!("{}/{pointer}", self.place.pointer);
        Self { place: At { pointer, ..self.place.clone() }, field, ..self.clone() }
    }

    fn member(&self, name: &str) -> Self {
        let field = if self.field.is_empty() { name.to_owned() } else { format!("{}.{name}", self.field) };
        self.below(&token(name), field)
    }

    /// `response 200 field `user.name``, for a sentence.
    pub(super) fn label(&self) -> String {
        match self.field.as_str() {
            "" => format!("{} body", self.subject),
            field if self.textual() => format!("{} `{field}`", self.subject),
            field => format!("{} field `{field}`", self.subject),
        }
    }

    /// Whether values here travel as text.
    fn textual(&self) -> bool {
        self.subject.ends_with("parameter")
    }

    fn in_path(&self) -> bool {
        self.place.pointer.starts_with("/request/path/")
    }

    /// Whether the field's name is that of an identifier.
    fn names_identifier(&self) -> bool {
        let name = self.field.rsplit(['.', '[']).next().unwrap_or_default();
        let name = name.trim_end_matches(']');
        name.eq_ignore_ascii_case("id")
            || name.ends_with("_id")
            || name.ends_with("Id")
            || name.ends_with("ID")
    }

    /// As [`moved`], of this position.
    pub(super) fn moved(&self, before: Count, now: Count) -> String {
        moved(&self.label(), before, now, self.declared)
    }

    /// The place.
    pub(super) fn at(&self) -> At {
        self.place.clone()
    }

    fn weigh(&self, before: Count, now: Count) -> f64 {
        chance(before.capped(self.caps.0.min(self.lists.0)), now.capped(self.caps.1.min(self.lists.1)))
    }

    fn push(&self, area: Area, kind: Kind, chance: f64, message: String, sink: &mut Sink) {
        sink.push(Difference::new((self.direction, area, kind), self.at(), chance, message));
    }

    /// A part that is on both sides, but perhaps not as often.
    pub(super) fn presence(&self, before: Count, now: Count, sink: &mut Sink) {
        sink.positions += 1;
        let kind = match (before.always(), now.always()) {
            (true, false) if now.n() > 0 => Kind::Lowered,
            (false, true) if before.n() > 0 => Kind::Raised,
            _ => return,
        };
        let message = self.moved(before, now);
        self.push(Area::Presence, kind, self.weigh(before, now), message, sink);
    }
}

/// `… was in 4 of 5, now in none of 6`. What a description says was not counted.
pub(super) fn moved(what: &str, before: Count, now: Count, declared: (bool, bool)) -> String {
    let side = |count: Count, declared| match (declared, count.k()) {
        (true, 0) => "not in the description".to_owned(),
        (true, _) => "in the description".to_owned(),
        (false, 0) => format!("in none of {}", count.n()),
        (false, k) => format!("in {k} of {}", count.n()),
    };
    format!("{what} was {}, now {}", side(before, declared.0), side(now, declared.1))
}

/// Compares two schemas of one position and everything below.
pub(super) fn walk(before: &Schema, now: &Schema, context: &Context, sink: &mut Sink) {
    descend(before, now, context, 0, sink);
}

fn descend(before: &Schema, now: &Schema, context: &Context, depth: usize, sink: &mut Sink) {
    sink.positions += 1;
    if depth > MAX_DEPTH {
        return;
    }
    let (before, now) = if context.textual() { alike_listed(before, now) } else { (before, now) };
    // alternatives of a description, or nothing known: no statement
    let unclear = |schema: &Schema| !schema.any_of.is_empty() || schema.types.is_empty();
    if unclear(before) || unclear(now) {
        return;
    }
    null(before, now, context, sink);
    if retyped(before, now, context, sink) {
        return;
    }
    values(before, now, context, sink);
    members(before, now, context, depth, sink);
    if let (Some(items), Some(now_items)) = (&before.items, &now.items) {
        let mut inside = context.below("*", format!("{}[]", context.field));
        // the items of one list are not independent either
        inside.lists.0 = inside.lists.0.min(seen(before, context.declared.0));
        inside.lists.1 = inside.lists.1.min(seen(now, context.declared.1));
        descend(items, now_items, &inside, depth + 1, sink);
    }
    if let (Some(before), Some(now)) = (&before.additional, &now.additional) {
        descend(before, now, &context.below("*", format!("{}.*", context.field)), depth + 1, sink);
    }
}

/// A parameter that is repeated is a list; given once, a list of one looks like a value. Where one side is a list
/// and the other is not, what is in the list is compared.
fn alike_listed<'s>(before: &'s Schema, now: &'s Schema) -> (&'s Schema, &'s Schema) {
    let item = |schema: &'s Schema| schema.items.as_deref().filter(|_| types(schema) == TypeSet::ARRAY);
    match (item(before), item(now)) {
        (Some(before), None) => (before, now),
        (None, Some(now)) => (before, now),
        _ => (before, now),
    }
}

/// Values seen here, or as many as a description is worth.
fn seen(schema: &Schema, declared: bool) -> u64 {
    if declared && schema.seen == 0 { DECLARED } else { schema.seen }
}

fn null(before: &Schema, now: &Schema, context: &Context, sink: &mut Sink) {
    let count = |schema: &Schema, declared: bool| {
        let nulls = if schema.types.has(TypeSet::NULL) { schema.nulls.max(1) } else { 0 };
        Count::new(nulls, seen(schema, declared))
    };
    let (was, is) = (count(before, context.declared.0), count(now, context.declared.1));
    let certain = context.declared == (true, true);
    let kind = match (was.k(), is.k()) {
        (0, 1..) => Kind::Added,
        (1.., 0) if !context.declared.0 || certain => Kind::Removed,
        _ => return,
    };
    let area = (context.direction, Area::Null, kind);
    if super::rules::at(area).is_none() {
        return;
    }
    let chance = if certain { 0.0 } else { context.weigh(was, is) };
    let message = format!(
        "{} was null in {} of {}, now in {} of {}",
        context.label(),
        was.k(),
        was.n(),
        is.k(),
        is.n()
    );
    context.push(Area::Null, kind, chance, message, sink);
}

/// Whether the position is something else now, so that what is below cannot be compared.
fn retyped(before: &Schema, now: &Schema, context: &Context, sink: &mut Sink) -> bool {
    let (was, is) = (types(before), types(now));
    if was.is_empty() || is.is_empty() {
        return true;
    }
    let some = |schema: &Schema, declared| seen(schema, declared).saturating_sub(schema.nulls);
    let (n1, n2) = (some(before, context.declared.0), some(now, context.declared.1));
    let names = |types: TypeSet| types.names().collect::<Vec<_>>().join(" or ");
    let certain = context.declared == (true, true);
    if context.textual() && was.has(TypeSet::STRING) && !overlap(was, is) {
        // what travels as text and reads as a number is still text: callers only chose other values
        return true;
    }
    if !overlap(was, is) {
        let (always, never) = (Count::new(n1, n1), Count::new(0, n2));
        let weight =
            if certain { 0.0 } else { chance(always.capped(context.caps.0), never.capped(context.caps.1)) };
        let (area, message) = match envelope(before, now).or_else(|| envelope(now, before)) {
            Some(inner) if was == TypeSet::ARRAY => (
                Area::Envelope,
                format!("{} was a list and is now inside `{inner}` of an object", context.label()),
            ),
            Some(inner) => (
                Area::Envelope,
                format!("{} was a list inside `{inner}` and now is the list", context.label()),
            ),
            None => (Area::Type, format!("{} was {} and is now {}", context.label(), names(was), names(is))),
        };
        let at = (context.direction, area, Kind::Changed);
        let mut difference = Difference::new(at, context.at(), weight, message).values(names(was), names(is));
        difference.identifier = before.identifier || now.identifier || context.names_identifier();
        if context.in_path() {
            // callers choose what is in a path: another kind of identifier need not be another service
            difference = difference.at_most(Severity::Warning);
        }
        sink.push(difference);
        return true;
    }
    let fresh = is.without(was);
    let widened = was.has(TypeSet::NUMBER) && fresh == TypeSet::INTEGER;
    if !fresh.is_empty() && !widened {
        let k = if fresh == TypeSet::OBJECT { objects(now, false).max(1) } else { 1 };
        let weight = if certain { 0.0 } else { context.weigh(Count::new(0, n1), Count::new(k.min(n2), n2)) };
        let at = (context.direction, Area::Type, Kind::Added);
        let message = format!("{} was {} and is now also {}", context.label(), names(was), names(fresh));
        sink.push(Difference::new(at, context.at(), weight, message).values(names(was), names(is)));
    }
    false
}

/// The member of an object that holds what was a bare list.
fn envelope<'a>(list: &Schema, object: &'a Schema) -> Option<&'a str> {
    if types(list) != TypeSet::ARRAY || types(object) != TypeSet::OBJECT {
        return None;
    }
    let mut inside = (object.properties.iter())
        .filter(|(_, property)| types(&property.schema) == TypeSet::ARRAY && alike(list, &property.schema));
    let (name, _) = inside.next()?;
    inside.next().is_none().then_some(name)
}

fn values(before: &Schema, now: &Schema, context: &Context, sink: &mut Sink) {
    if let (Some(was), Some(is)) = (&before.format, &now.format)
        && was != is
        && types(before).has(TypeSet::STRING)
        && types(now).has(TypeSet::STRING)
    {
        let (n1, n2) = (seen(before, context.declared.0), seen(now, context.declared.1));
        let weight = context.weigh(Count::new(n1, n1), Count::new(0, n2));
        let at = (context.direction, Area::Format, Kind::Changed);
        let message = format!("{} had format {was} and now has {is}", context.label());
        sink.push(Difference::new(at, context.at(), weight, message).values(was.as_str(), is.as_str()));
    }
    let certain = context.declared == (true, true);
    if !before.values.is_empty() {
        let n1 = seen(before, context.declared.0).saturating_sub(before.nulls);
        let n2 = seen(now, context.declared.1).saturating_sub(now.nulls);
        for (i, value) in now.values.iter().enumerate().filter(|(_, value)| !before.values.contains(value)) {
            let k = now.counts.get(i).copied().unwrap_or(1);
            let weight =
                if certain { 0.0 } else { context.weigh(Count::new(0, n1), Count::new(k.min(n2), n2)) };
            let at = (context.direction, Area::Enum, Kind::Added);
            let message = format!(
                "{} now has the value `{}`, in {k} of {n2}; it was in none of {n1}",
                context.label(),
                text(value)
            );
            sink.push(
                Difference::new(at, context.at(), weight, message)
                    .values(before.values.clone(), now.values.clone()),
            );
        }
    }
    if certain && context.direction == Direction::Request {
        declared(before, now, context, sink);
    }
}

/// What only a description can say about a request.
fn declared(before: &Schema, now: &Schema, context: &Context, sink: &mut Sink) {
    let lost: Vec<String> = (before.values.iter())
        .filter(|value| !now.values.is_empty() && !now.values.contains(value))
        .map(|value| format!("`{}`", text(value)))
        .collect();
    if !lost.is_empty() {
        let at = (Direction::Request, Area::Enum, Kind::Removed);
        let message = format!("{} no longer allows {}", context.label(), lost.join(", "));
        sink.push(
            Difference::new(at, context.at(), 0.0, message).values(before.values.clone(), now.values.clone()),
        );
    }
    let narrower = now.bounds.iter().any(|(name, bound)| before.bounds.get(name) != Some(bound));
    if narrower {
        let at = (Direction::Request, Area::Bounds, Kind::Lowered);
        let message = format!("{} has other bounds", context.label());
        sink.push(
            Difference::new(at, context.at(), 0.0, message).values(json!(before.bounds), json!(now.bounds)),
        );
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Objects seen at this position.
fn objects(schema: &Schema, declared: bool) -> u64 {
    if declared && schema.seen == 0 {
        return DECLARED;
    }
    let parents = schema.properties.values().map(|property| property.of).max();
    parents.unwrap_or(if types(schema) == TypeSet::OBJECT {
        schema.seen.saturating_sub(schema.nulls)
    } else {
        0
    })
}

/// How often a member was there. A description says "always" or nothing.
fn count(property: &Property, declared: bool) -> Count {
    match (declared && property.of == 0, property.required) {
        (true, true) => Count::new(DECLARED, DECLARED),
        (true, false) => Count::new(0, 0),
        (false, _) => Count::new(property.seen, property.of),
    }
}

fn members(before: &Schema, now: &Schema, context: &Context, depth: usize, sink: &mut Sink) {
    // a map on one side: its keys are data, whatever the other side took them for
    if before.additional.is_some() || now.additional.is_some() {
        let both =
            before.properties.iter().filter_map(|(name, p)| Some((name, p, now.properties.get(name)?)));
        for (name, was, is) in both {
            descend(&was.schema, &is.schema, &context.member(name), depth + 1, sink);
        }
        return;
    }
    let (parents_before, parents_now) =
        (objects(before, context.declared.0), objects(now, context.declared.1));
    let mut fresh: Vec<(&String, &Property)> = Vec::new();
    for (name, is) in &now.properties {
        match before.properties.get(name) {
            Some(was) => {
                let context = context.member(name);
                context.presence(count(was, context.declared.0), count(is, context.declared.1), sink);
                descend(&was.schema, &is.schema, &context, depth + 1, sink);
            }
            None => fresh.push((name, is)),
        }
    }
    for (name, was) in before.properties.iter().filter(|(name, _)| !now.properties.contains_key(*name)) {
        sink.positions += 1;
        let some = count(was, context.declared.0);
        let never = Count::new(0, parents_now);
        let field = context.member(name);
        if let Some(i) = renamed(name, was, &fresh) {
            let (to, is) = fresh.remove(i);
            let arrived = context.weigh(Count::new(0, parents_before), count(is, context.declared.1));
            let left = context.weigh(some, never);
            // an optional field that is gone proves nothing by itself; its successor in every answer does
            let weight = if some.always() { arrived.min(left) } else { arrived };
            let message = format!(
                "{} is now `{to}`, in {} of {}",
                field.label(),
                is.seen.max(is.of),
                is.of.max(is.seen)
            );
            let at = (context.direction, Area::Field, Kind::Changed);
            sink.push(Difference::new(at, field.at(), weight, message).values(name.as_str(), to.as_str()));
            continue;
        }
        if some.always() {
            let message = field.moved(some, never);
            field.push(Area::Field, Kind::Removed, context.weigh(some, never), message, sink);
        } else if some.k() > 0 && context.direction == Direction::Response {
            let message = format!(
                "{} was in {} of {} and was not seen now, in {}",
                field.label(),
                some.k(),
                some.n(),
                never.n()
            );
            field.push(Area::Field, Kind::Unseen, context.weigh(some, never), message, sink);
        }
    }
    for (name, is) in fresh {
        sink.positions += 1;
        let (never, some) = (Count::new(0, parents_before), count(is, context.declared.1));
        let kind = if some.always() { Kind::AddedAlways } else { Kind::Added };
        let field = context.member(name);
        let message = field.moved(never, some);
        field.push(Area::Field, kind, context.weigh(never, some), message, sink);
    }
}

/// Which of the new members took the place of the one that is gone: of the same shape, in every object, and either
/// with a name that is akin or the only one there.
fn renamed(name: &str, was: &Property, fresh: &[(&String, &Property)]) -> Option<usize> {
    let fits =
        |(_, is): &(&String, &Property)| (is.required || is.seen == is.of) && alike(&was.schema, &is.schema);
    let mut akin_ones = fresh.iter().enumerate().filter(|(_, new)| fits(new) && akin(name, new.0));
    match (akin_ones.next(), akin_ones.next()) {
        (Some((i, _)), None) => Some(i),
        _ => None,
    }
}
