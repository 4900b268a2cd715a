//! A small, bounded picture of the bodies seen at one place: enough to tell whether two places answer alike.
//!
//! It keeps the field paths nearest to the root and, level by level, those with the smallest hashes. What is
//! among the kept ones of a whole is among the kept ones of each part, so sketches merge exactly, in any order.

use std::collections::BTreeSet;

use crate::endpoint::observed::Observed;

use super::words::hash;

/// Field paths kept.
const KEPT: usize = 40;
/// Levels looked at.
const LEVELS: u8 = 5;

/// Level of a field path, then its hash.
type Key = (u8, u32);

/// Field paths with how often they were there, and their parents.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sketch {
    /// Bodies seen.
    pub bodies: u32,
    /// Bodies whose root is an object or array.
    pub structured: u32,
    /// By key, no key twice: for so few, a sorted list is quicker than a tree to merge and to compare.
    fields: Vec<(Key, Field)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Field {
    /// Hash of the object that holds it; 0 is the root.
    parent: u32,
    /// Level of that object.
    level: u8,
    /// Objects that had it.
    count: u32,
    /// Objects that could have had it.
    of: u32,
}

/// The name of a field at the root of a body, as sketches keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RootName(Key);

impl RootName {
    /// Of this name.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self((0, key_of(name, 0)))
    }
}

impl Sketch {
    /// Adds the bodies that were observed.
    pub fn add(&mut self, seen: &Observed) {
        self.bodies += seen.total();
        self.structured += seen.object + seen.array;
        self.walk(seen, 0, 0);
    }

    fn walk(&mut self, seen: &Observed, path: u32, level: u8) {
        if level >= LEVELS {
            return;
        }
        for (name, field) in seen.fields.iter() {
            let here = key_of(name, path);
            let key = (level, here);
            if self.fields.len() >= KEPT && self.fields.last().is_some_and(|(last, _)| key > *last) {
                continue;
            }
            let (count, of) = (field.total(), seen.object);
            match self.fields.binary_search_by_key(&key, |(key, _)| *key) {
                Ok(at) => {
                    if let Some((_, mine)) = self.fields.get_mut(at) {
                        mine.count += count;
                        mine.of += of;
                    }
                }
                Err(at) => {
                    let field = Field { parent: path, level: level.saturating_sub(1), count, of };
                    self.fields.insert(at, (key, field));
                    self.fields.truncate(KEPT);
                }
            }
            self.walk(field, here, level + 1);
        }
        if let Some(items) = &seen.items {
            self.walk(items, path.wrapping_add(1), level);
        }
    }

    /// Whether bodies had a field of one of these names at their root; true if that cannot be told.
    pub fn has_any_of(&self, names: &BTreeSet<RootName>) -> bool {
        let full = self.fields.len() >= KEPT && self.fields.last().is_some_and(|((level, _), _)| *level == 0);
        full || names.iter().any(|name| self.fields.binary_search_by_key(&name.0, |(key, _)| *key).is_ok())
    }

    /// How many bodies there were, if all of them had the same field at their root; else 0.
    pub fn alike(&self) -> u32 {
        let root = |((level, _), field): &&(Key, Field)| *level == 0 && field.parent == 0;
        let always = self.fields.iter().filter(root).any(|(_, field)| field.count == self.structured);
        if always && self.structured == self.bodies { self.bodies } else { 0 }
    }

    /// Adds another sketch.
    pub fn merge(&mut self, other: &Sketch) {
        self.bodies += other.bodies;
        self.structured += other.structured;
        if self.fields.is_empty() {
            self.fields.clone_from(&other.fields);
            return;
        }
        let mut all = Vec::with_capacity(KEPT.min(self.fields.len() + other.fields.len()));
        for (key, mine, theirs) in side_by_side(&self.fields, &other.fields).take(KEPT) {
            let Some(either) = mine.or(theirs) else { continue };
            let sum = |of: fn(&Field) -> u32| mine.map_or(0, of) + theirs.map_or(0, of);
            all.push((key, Field { count: sum(|field| field.count), of: sum(|field| field.of), ..*either }));
        }
        self.fields = all;
    }

    /// Agreement and contradiction of two sketches.
    pub fn compare(&self, other: &Sketch) -> (f64, f64) {
        let (mut agree, mut differ) = (0.0, 0.0);
        if self.bodies > 0 && other.bodies > 0 {
            let alike = (self.structured > 0) == (other.structured > 0);
            if alike { agree += 0.2 } else { differ += 0.7 }
        }
        // Beyond the last kept key of a full sketch, absence means nothing.
        let horizon = |sketch: &Sketch| {
            if sketch.fields.len() < KEPT {
                (u8::MAX, u32::MAX)
            } else {
                sketch.fields.last().map_or((0, 0), |(key, _)| *key)
            }
        };
        let limit = horizon(self).min(horizon(other));
        for (_, mine, theirs) in
            side_by_side(&self.fields, &other.fields).take_while(|(key, ..)| *key <= limit)
        {
            match (mine, theirs) {
                (Some(_), Some(_)) => agree += 1.0,
                (Some(mine), None) => differ += mine.missed(other.parents(mine)),
                (None, Some(theirs)) => differ += theirs.missed(self.parents(theirs)),
                (None, None) => {}
            }
        }
        (agree, differ)
    }

    /// Objects here that could have had the field: those of its siblings, by parent.
    fn parents(&self, field: &Field) -> u32 {
        if field.parent <= 1 && field.level == 0 {
            return self.structured;
        }
        self.fields
            .iter()
            .find(|(_, mine)| mine.parent == field.parent && mine.level == field.level)
            .map_or(0, |(_, mine)| mine.of)
    }
}

/// The hash of a field below a path.
fn key_of(name: &str, path: u32) -> u32 {
    (hash(name) as u32).wrapping_add(path.rotate_left(7).wrapping_mul(0x9e37_79b1))
}

/// Every key of two sorted lists once, in order, with what each list has under it.
fn side_by_side<'f>(
    mine: &'f [(Key, Field)],
    theirs: &'f [(Key, Field)],
) -> impl Iterator<Item = (Key, Option<&'f Field>, Option<&'f Field>)> {
    let (mut mine, mut theirs) = (mine.iter().peekable(), theirs.iter().peekable());
    std::iter::from_fn(move || {
        let key = match (mine.peek(), theirs.peek()) {
            (Some((left, _)), Some((right, _))) => *left.min(right),
            (Some((key, _)), None) | (None, Some((key, _))) => *key,
            (None, None) => return None,
        };
        let left = mine.next_if(|(other, _)| *other == key).map(|(_, field)| field);
        let right = theirs.next_if(|(other, _)| *other == key).map(|(_, field)| field);
        Some((key, left, right))
    })
}

impl Field {
    /// How surprising it is that `parents` objects of the other side are without this field.
    fn missed(&self, parents: u32) -> f64 {
        let rate = (f64::from(self.count) + 1.0) / (f64::from(self.of) + 2.0);
        1.0 - (1.0 - rate.min(0.99)).powf(f64::from(parents))
    }
}
