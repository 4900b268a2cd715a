//! What was seen at one JSON position, counted. The raw material of a [`super::Schema`].
//!
//! Merging two of them is addition: associative, commutative and independent of order. Where a set
//! would grow without bound it overflows into a coarser form as soon as its *distinct* members pass
//! a limit; that is a property of the whole input and not of the order it came in.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;

use crate::json::Json;

use super::few::Few;
use super::format::{self, Format};
use super::sent::Sent;

/// Distinct member names after which an object is taken for a map.
const MAX_FIELDS: usize = 400;
/// Distinct strings kept to recognise an enumeration.
const MAX_VALUES: usize = 24;
/// Strings longer than this are never enumeration members.
const MAX_VALUE_LEN: usize = 48;
/// Members up to which looking back at each is cheaper than a set of their names.
const FEW: usize = 32;
/// Levels below which nothing is recorded.
const MAX_DEPTH: usize = 48;

/// Counted observations of one JSON position.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// `null`s.
    pub null: u32,
    /// Booleans.
    pub boolean: u32,
    /// Whole numbers.
    pub integer: u32,
    /// Numbers with a fraction or exponent.
    pub float: u32,
    /// Strings.
    pub string: u32,
    /// Arrays.
    pub array: u32,
    /// Objects.
    pub object: u32,
    /// About the strings.
    pub strings: Option<Box<Strings>>,
    /// What the values kept to, where callers send them.
    pub sent: Option<Box<Sent>>,
    /// Array items.
    pub items: Option<Box<Observed>>,
    /// Object members by name.
    pub fields: Few<Box<str>, Observed>,
    /// All members' values together, once there were too many names.
    pub any_field: Option<Box<Observed>>,
}

/// What the strings of a position have in common.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Strings {
    /// Strings per recognised format, while every string had one.
    pub formats: Few<Format, u32>,
    /// A string had no format: then the position has none, and nobody need look at the others.
    pub plain: bool,
    /// Distinct values with counts, while they are few and short.
    pub values: Few<Box<str>, u32>,
    /// There were too many distinct values, or too long ones.
    pub open: bool,
    /// Redaction placeholders per kind.
    pub redacted: BTreeMap<Box<str>, u32>,
    /// Empty strings.
    pub empty: u32,
}

impl Observed {
    /// Values seen.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.null + self.boolean + self.integer + self.float + self.string + self.array + self.object
    }

    /// JSON positions held, this one included.
    #[must_use]
    pub fn weight(&self) -> usize {
        let inner =
            self.items.as_deref().into_iter().chain(self.any_field.as_deref()).chain(self.fields.values());
        1 + usize::from(self.strings.is_some()) + inner.map(Observed::weight).sum::<usize>()
    }

    /// Adds one JSON value.
    pub fn add(&mut self, value: &Json<'_>) {
        self.add_at::<false>(value, 0);
    }

    /// Adds one that a caller sent.
    pub fn add_sent(&mut self, value: &Json<'_>) {
        self.add_at::<true>(value, 0);
    }

    fn add_at<const SENT: bool>(&mut self, value: &Json<'_>, depth: usize) {
        if SENT {
            self.keep(value);
        }
        match value {
            Json::Null => self.null += 1,
            Json::Bool(_) => self.boolean += 1,
            Json::Int(_) | Json::Uint(_) => self.integer += 1,
            Json::Float(_) => self.float += 1,
            Json::Str(text) => {
                self.string += 1;
                self.strings.get_or_insert_default().add(text);
            }
            Json::Array(items) => {
                self.array += 1;
                if depth < MAX_DEPTH && !items.is_empty() {
                    let slot = self.items.get_or_insert_default();
                    for item in items {
                        slot.add_at::<SENT>(item, depth + 1);
                    }
                }
            }
            Json::Object(members) => {
                self.object += 1;
                if depth < MAX_DEPTH {
                    // A repeated name counts once, or presence could exceed the number of parents.
                    let few = members.len() <= FEW;
                    if few && self.any_field.is_none() {
                        self.fields.expect(members.len());
                    }
                    let mut seen = BTreeSet::new();
                    for (i, (name, member)) in members.iter().enumerate() {
                        let repeated = if few {
                            members.iter().take(i).any(|(earlier, _)| earlier == name)
                        } else {
                            !seen.insert(name.as_ref())
                        };
                        if !repeated {
                            self.add_field::<SENT>(name, member, depth + 1);
                        }
                    }
                    self.settle();
                }
            }
        }
    }

    /// Adds a value that travelled as text (a query value, a form field, a path segment): it is typed by
    /// how it reads.
    pub fn add_text(&mut self, text: &str) {
        let strings = self.strings.get_or_insert_default();
        match format::scalar(text) {
            format::Scalar::Boolean => self.boolean += 1,
            format::Scalar::Integer => self.integer += 1,
            format::Scalar::Float => self.float += 1,
            format::Scalar::Text => {
                self.string += 1;
                strings.add(text);
                return;
            }
        }
        // What reads as a number may turn out to be one member of a set of words.
        strings.remember(text);
    }

    /// Adds one that travelled as text and that a caller sent.
    pub fn add_sent_text(&mut self, text: &str) {
        let sent = self.sent.get_or_insert_default();
        sent.text(text);
        match format::scalar(text) {
            format::Scalar::Boolean => sent.truth(text.eq_ignore_ascii_case("true")),
            format::Scalar::Integer => sent.number(text.parse().ok()),
            format::Scalar::Float | format::Scalar::Text => {}
        }
        self.add_text(text);
    }

    fn keep(&mut self, value: &Json<'_>) {
        match value {
            Json::Bool(truth) => self.sent.get_or_insert_default().truth(*truth),
            Json::Int(number) => self.sent.get_or_insert_default().number(Some(*number)),
            Json::Uint(number) => self.sent.get_or_insert_default().number(i64::try_from(*number).ok()),
            Json::Str(text) => self.sent.get_or_insert_default().text(text),
            Json::Null | Json::Float(_) | Json::Array(_) | Json::Object(_) => {}
        }
    }

    fn add_field<const SENT: bool>(&mut self, name: &str, member: &Json<'_>, depth: usize) {
        if let Some(all) = &mut self.any_field {
            all.add_at::<SENT>(member, depth);
        } else {
            self.fields.slot(name).add_at::<SENT>(member, depth);
            if self.fields.len() > MAX_FIELDS {
                self.settle();
            }
        }
    }

    /// Folds the members into one once their names are too many.
    pub(super) fn settle(&mut self) {
        if self.any_field.is_some() || self.fields.len() > MAX_FIELDS {
            let mut all = self.any_field.take().unwrap_or_default();
            for (_, field) in std::mem::take(&mut self.fields) {
                all.merge(field);
            }
            self.any_field = Some(all);
        }
    }

    /// Adds everything another one has seen.
    pub fn merge(&mut self, other: Observed) {
        self.null += other.null;
        self.boolean += other.boolean;
        self.integer += other.integer;
        self.float += other.float;
        self.string += other.string;
        self.array += other.array;
        self.object += other.object;
        merge_option(&mut self.strings, other.strings, |mine, theirs| mine.merge(*theirs));
        merge_option(&mut self.sent, other.sent, |mine, theirs| mine.merge(&theirs));
        merge_option(&mut self.items, other.items, |mine, theirs| mine.merge(*theirs));
        merge_option(&mut self.any_field, other.any_field, |mine, theirs| mine.merge(*theirs));
        self.fields.merge(other.fields, Observed::merge);
        self.settle();
    }
}

impl Strings {
    fn add(&mut self, text: &str) {
        if text.is_empty() {
            self.empty += 1;
        } else if let Some(kind) = format::redacted_kind(text) {
            *self.redacted.entry(kind.into()).or_default() += 1;
            if let Some(format) = Format::of_redacted(kind).filter(|_| !self.plain) {
                self.formats.add(format, 1, AddAssign::add_assign);
            }
        } else if !self.plain {
            match Format::of(text) {
                Some(format) => self.formats.add(format, 1, AddAssign::add_assign),
                None => self.lose_format(),
            }
        }
        self.remember(text);
    }

    fn lose_format(&mut self) {
        self.plain = true;
        self.formats.clear();
    }

    /// Counts a value as a possible enumeration member.
    fn remember(&mut self, text: &str) {
        if self.open {
            return;
        }
        if text.len() > MAX_VALUE_LEN || text.starts_with("[redacted:") {
            self.close();
            return;
        }
        *self.values.slot(text) += 1;
        if self.values.len() > MAX_VALUES {
            self.close();
        }
    }

    fn close(&mut self) {
        self.open = true;
        self.values.clear();
    }

    fn merge(&mut self, other: Strings) {
        if self.plain || other.plain {
            self.lose_format();
        } else {
            self.formats.merge(other.formats, AddAssign::add_assign);
        }
        for (kind, n) in other.redacted {
            *self.redacted.entry(kind).or_default() += n;
        }
        self.empty += other.empty;
        if self.open || other.open {
            self.close();
            return;
        }
        self.values.merge(other.values, AddAssign::add_assign);
        if self.values.len() > MAX_VALUES {
            self.close();
        }
    }
}

/// Adds a value to what a map has under the key.
pub(super) fn add_to<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: V, merge: fn(&mut V, V)) {
    match map.entry(key) {
        Entry::Occupied(mut mine) => merge(mine.get_mut(), value),
        Entry::Vacant(slot) => {
            slot.insert(value);
        }
    }
}

fn merge_option<T>(mine: &mut Option<T>, theirs: Option<T>, merge: impl FnOnce(&mut T, T)) {
    match (mine.as_mut(), theirs) {
        (Some(mine), Some(theirs)) => merge(mine, theirs),
        (None, Some(theirs)) => *mine = Some(theirs),
        (_, None) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_name_counts_once_however_many_there_are() {
        for count in [2, FEW - 1, FEW, FEW + 1, 300] {
            let mut members: Vec<_> = (0..count).map(|n| (format!("k{n}").into(), Json::Null)).collect();
            members.push(("k0".into(), Json::Int(1)));
            let mut seen = Observed::default();
            seen.add(&Json::Object(members));
            assert_eq!(seen.fields.len(), count);
            assert!(seen.fields.values().all(|field| field.total() == 1), "{count}");
        }
    }
}
