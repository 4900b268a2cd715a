//! Flows: values that one endpoint answered and that a later request sent back.
//!
//! Only values that are unlikely to be equal by chance count, and only in the order answer, then request.
//! Both sides keep the same sample (the smallest hashes), so that memory is bounded and the sample is the
//! same for any split and order of the exchanges.

use std::collections::{BTreeMap, BTreeSet};

use crate::capture::{Body, Exchange};
use crate::json::{Json, token};

use super::learn::look::{Look, look};
use super::learn::words::hash_of_value;

/// Distinct values followed.
const MAX_VALUES: usize = 4_000;
/// Requests remembered per value.
const MAX_USES: usize = 8;

/// Where a value was: the concrete place (see [`place`]) and the pointer or parameter there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// Position of the exchange in its capture.
    pub seq: u64,
    /// Host, end and path of the exchange, see [`place`].
    pub place: Box<str>,
    /// JSON pointer with `*` for items and keys, or `path`/`query`/`body` place of a request.
    pub pointer: Box<str>,
}

/// The values seen to pass.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Passing {
    /// The first answer that had the value.
    answered: BTreeMap<u64, Spot>,
    /// Requests that had it.
    sent: BTreeMap<u64, BTreeSet<Spot>>,
    /// The greatest hash that still has a place, once one of the two is full.
    limit: Option<u64>,
}

/// A flow between two concrete places.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Passed {
    /// Where it was answered.
    pub from: Spot,
    /// Where it was sent.
    pub to: Spot,
    /// The value's hash, to count distinct ones.
    pub value: u64,
}

/// The name of a concrete place: host, end (method and operation) and path.
#[must_use]
pub fn place(host: &str, end: &str, path: &str) -> Box<str> {
    [host, end, path].join("\n").into()
}

impl Passing {
    /// Adds one exchange.
    pub fn add(&mut self, exchange: &Exchange<'_>, end: &str) {
        let place = place(&exchange.host, end, &exchange.path);
        let mut own = BTreeSet::new();
        for (i, segment) in exchange.path.split('/').enumerate().skip(1) {
            if is_distinctive(segment) {
                self.send(segment, exchange.seq, &place, || format!("path/{}", i - 1), &mut own);
            }
        }
        for (name, value) in exchange.query.iter().filter(|(_, value)| is_distinctive(value)) {
            self.send(value, exchange.seq, &place, || format!("query/{name}"), &mut own);
        }
        if let Body::Json(body) = &exchange.request.body {
            let mut at = Vec::new();
            walk(body, &mut at, &mut |value, at| {
                if !(value.number || is_distinctive(value.text)) {
                    return;
                }
                let value = value.text;
                self.send(value, exchange.seq, &place, || format!("body{}", pointer(at)), &mut own);
            });
        }
        if let Body::Json(body) = &exchange.response.body
            && (200..300).contains(&exchange.status)
        {
            let mut at = Vec::new();
            walk(body, &mut at, &mut |value, at| {
                let hash = hash_of_value(value.text);
                // What the request itself named is only repeated by the answer. Once the sample is full, most
                // values are not in it, which is the cheapest thing to ask.
                if self.keeps(hash) && (value.number || is_distinctive(value.text)) && !own.contains(&hash) {
                    let spot = Spot { seq: exchange.seq, place: place.clone(), pointer: pointer(at).into() };
                    let first = self.answered.entry(hash).or_insert_with(|| spot.clone());
                    if spot < *first {
                        *first = spot;
                    }
                    self.trim();
                }
            });
        }
    }

    fn send(&mut self, value: &str, seq: u64, place: &str, at: impl Fn() -> String, own: &mut BTreeSet<u64>) {
        let hash = hash_of_value(value);
        own.insert(hash);
        if !self.keeps(hash) {
            return;
        }
        let uses = self.sent.entry(hash).or_default();
        uses.insert(Spot { seq, place: place.into(), pointer: at().into() });
        if uses.len() > MAX_USES {
            uses.pop_last();
        }
        self.trim();
    }

    /// Whether neither sample is full of smaller ones.
    fn keeps(&self, hash: u64) -> bool {
        self.limit.is_none_or(|limit| hash <= limit)
    }

    /// Keeps the samples within their bounds.
    fn trim(&mut self) {
        fn trimmed<T>(map: &mut BTreeMap<u64, T>) -> Option<u64> {
            while map.len() > MAX_VALUES {
                map.pop_last();
            }
            if map.len() < MAX_VALUES { None } else { map.last_key_value().map(|(last, _)| *last) }
        }
        let limits = [trimmed(&mut self.answered), trimmed(&mut self.sent)];
        self.limit = limits.into_iter().flatten().min();
    }

    /// Adds what another one has seen.
    pub fn merge(&mut self, other: Passing) {
        if self.answered.is_empty() && self.sent.is_empty() {
            *self = other;
            return;
        }
        for (hash, spot) in other.answered {
            match self.answered.get_mut(&hash) {
                Some(first) if spot < *first => *first = spot,
                Some(_) => {}
                None => drop(self.answered.insert(hash, spot)),
            }
        }
        for (hash, spots) in other.sent {
            let uses = self.sent.entry(hash).or_default();
            uses.extend(spots);
            while uses.len() > MAX_USES {
                uses.pop_last();
            }
        }
        self.trim();
    }

    /// Every value that was answered and later sent elsewhere.
    pub fn passed(&self) -> impl Iterator<Item = Passed> + '_ {
        self.answered.iter().flat_map(|(hash, from)| {
            let uses = self.sent.get(hash).into_iter().flatten();
            uses.filter(|to| to.seq > from.seq && to.place != from.place).map(|to| Passed {
                from: from.clone(),
                to: to.clone(),
                value: *hash,
            })
        })
    }
}

/// How long a value is that passes.
const LENGTHS: std::ops::RangeInclusive<usize> = 5..=128;

/// Whether a value is unlikely to be equal to another by chance.
fn is_distinctive(value: &str) -> bool {
    LENGTHS.contains(&value.len())
        && has_digit(value)
        && matches!(look(value), Look::Uuid | Look::Hex | Look::Random | Look::Int)
}

/// Looks at every byte, many at a time: that is quicker than stopping at the first.
fn has_digit(value: &str) -> bool {
    value.bytes().fold(false, |any, byte| any | byte.is_ascii_digit())
}

/// A value that may be followed.
struct Value<'t> {
    text: &'t str,
    /// It is a number that is large enough; text is yet to be looked at.
    number: bool,
}

/// Hands out numbers that are distinctive and texts that may be.
fn walk<'j>(value: &'j Json<'_>, at: &mut Vec<&'j str>, found: &mut impl FnMut(&Value<'_>, &[&str])) {
    if at.len() > 12 {
        return;
    }
    match value {
        Json::Str(text) if LENGTHS.contains(&text.len()) && has_digit(text) => {
            found(&Value { text, number: false }, at);
        }
        Json::Int(number) if *number >= 10_000 => {
            found(&Value { text: &number.to_string(), number: true }, at);
        }
        Json::Array(items) => {
            at.push("*");
            items.iter().for_each(|item| walk(item, at, found));
            at.pop();
        }
        Json::Object(members) => {
            for (name, member) in members {
                at.push(if is_distinctive(name) { "*" } else { name });
                walk(member, at, found);
                at.pop();
            }
        }
        _ => {}
    }
}

/// RFC 6901.
fn pointer(at: &[&str]) -> String {
    at.iter().fold(String::new(), |mut out, name| {
        out.push('/');
        out.push_str(&token(name));
        out
    })
}
