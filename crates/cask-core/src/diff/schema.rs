//! Two schemas, keyword by keyword: what fits now that did not fit before, and what does not any more. Whether more is
//! worse is for [`super::argument`] and [`super::output`] to say.
//!
//! The schemas are ours (self-contained, no references), so keywords can be compared one by one. What is not
//! understood is neither more nor less: someone has to look.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::step;

mod branch;
mod keyword;

/// Deeper schemas are compared as a whole.
const DEPTH: usize = 64;

/// A difference at one place.
#[derive(Debug)]
pub(super) struct Difference {
    /// Where in the schema.
    pub pointer: String,
    /// The member it is about, with dots; empty at the top.
    pub member: String,
    pub kind: Kind,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A member is named that was not.
    Added,
    /// And has to be there.
    AddedRequired,
    /// A member is named no more.
    Removed,
    Required,
    Optional,
    /// More fits.
    Wider(What),
    /// Less fits.
    Narrower(What),
    /// Neither, or it cannot be said.
    Other(What),
    /// Only words, or another spelling.
    Text,
}

/// What it is that allows more or less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Types,
    Null,
    Values,
    Limit,
    Pattern,
    Format,
    Members,
    Whole,
}

impl What {
    /// For a sentence: `takes more than before: …`.
    pub fn words(self) -> &'static str {
        match self {
            What::Types => "types",
            What::Null => "`null`",
            What::Values => "values of an enumeration",
            What::Limit => "a limit",
            What::Pattern => "a pattern",
            What::Format => "a format",
            What::Members => "members that are not named",
            What::Whole => "the schema as a whole",
        }
    }
}

/// Everything that differs, in the order of the places.
pub(super) fn compare(then: &Value, now: &Value) -> Vec<Difference> {
    let mut walk = Walk { found: Vec::new() };
    walk.node(&Place::default(), Some(then), Some(now), What::Whole);
    walk.found
}

/// Where the walk is.
#[derive(Debug, Clone, Default)]
struct Place {
    pointer: String,
    member: String,
    depth: usize,
}

impl Place {
    fn keyword(&self, keyword: &str) -> Place {
        Place { pointer: step(&self.pointer, keyword), ..self.clone() }
    }

    fn member(&self, name: &str) -> Place {
        let member = if self.member.is_empty() { name.to_owned() } else { format!("{}.{name}", self.member) };
        Place { pointer: step(&self.pointer, name), member, depth: self.depth }
    }

    fn deeper(self) -> Place {
        Place { depth: self.depth + 1, ..self }
    }
}

/// The schema that takes everything.
static ANY: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);

struct Walk {
    found: Vec<Difference>,
}

impl Walk {
    fn push(&mut self, place: &Place, kind: Kind, before: Option<&Value>, after: Option<&Value>) {
        self.found.push(Difference {
            pointer: place.pointer.clone(),
            member: place.member.clone(),
            kind,
            before: before.cloned(),
            after: after.cloned(),
        });
    }

    /// Two schemas; one that is not there takes everything.
    fn node(&mut self, place: &Place, then: Option<&Value>, now: Option<&Value>, what: What) {
        if then == now {
            return;
        }
        let found = self.found.len();
        match (object(then), object(now)) {
            _ if place.depth > DEPTH => self.push(place, Kind::Other(what), then, now),
            (Some(old), Some(new)) => self.keywords(place, old, new),
            _ if now == Some(&Value::Bool(false)) => self.push(place, Kind::Narrower(what), then, now),
            _ if then == Some(&Value::Bool(false)) => self.push(place, Kind::Wider(what), then, now),
            _ => self.push(place, Kind::Other(what), then, now),
        }
        if self.found.len() == found {
            // the same in another spelling
            self.push(place, Kind::Text, then, now);
        }
    }

    fn keywords(&mut self, place: &Place, old: &Map<String, Value>, new: &Map<String, Value>) {
        let branches = self.branches(place, old, new);
        let keywords: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for keyword in keywords {
            let (before, after) = (old.get(keyword), new.get(keyword));
            let said = branches && !keyword::TEXT.contains(&keyword.as_str());
            if before == after || said {
                continue;
            }
            let at = place.keyword(keyword);
            match keyword.as_str() {
                "properties" => self.properties(&at.deeper(), before, after, new),
                "required" => self.required(place, &at, before, after, (old, new)),
                "items" => self.node(&at.deeper(), before, after, What::Whole),
                "additionalProperties" => self.node(&at.deeper(), before, after, What::Members),
                other => {
                    for kind in keyword::judge(other, before, after) {
                        self.push(&at, kind, before, after);
                    }
                }
            }
        }
    }

    fn properties(
        &mut self,
        place: &Place,
        then: Option<&Value>,
        now: Option<&Value>,
        of: &Map<String, Value>,
    ) {
        let (old, new) = (members(then), members(now));
        let required = names(of);
        let all: BTreeSet<&String> = old.keys().chain(new.keys()).copied().collect();
        for name in all {
            let at = place.member(name);
            match (old.get(name).copied(), new.get(name).copied()) {
                (None, after) => {
                    let must = required.contains(name.as_str());
                    let kind = if must { Kind::AddedRequired } else { Kind::Added };
                    self.push(&at, kind, None, after);
                }
                (before, None) => self.push(&at, Kind::Removed, before, None),
                (before, after) => self.node(&at, before, after, What::Whole),
            }
        }
    }

    /// Whether a member is required comes with a member that is new or gone: said there.
    fn required(
        &mut self,
        place: &Place,
        at: &Place,
        then: Option<&Value>,
        now: Option<&Value>,
        (old, new): Objects<'_>,
    ) {
        let (before, after) = (members(old.get("properties")), members(new.get("properties")));
        for (names, other, kind) in
            [(names(new), names(old), Kind::Required), (names(old), names(new), Kind::Optional)]
        {
            for name in names.difference(&other) {
                let name = (*name).to_owned();
                if before.contains_key(&name) == after.contains_key(&name) {
                    let member = place.member(&name).member;
                    self.push(&Place { member, ..at.clone() }, kind, then, now);
                }
            }
        }
    }
}

/// The schemas that a keyword stands in, before and after.
type Objects<'s> = (&'s Map<String, Value>, &'s Map<String, Value>);

fn object(schema: Option<&Value>) -> Option<&Map<String, Value>> {
    match schema {
        None | Some(Value::Bool(true)) => Some(&ANY),
        Some(Value::Object(members)) => Some(members),
        Some(_) => None,
    }
}

fn members(properties: Option<&Value>) -> BTreeMap<&String, &Value> {
    properties.and_then(Value::as_object).into_iter().flatten().collect()
}

/// The names that are required.
fn names(schema: &Map<String, Value>) -> BTreeSet<&str> {
    let all = schema.get("required").and_then(Value::as_array);
    all.into_iter().flatten().filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests;
