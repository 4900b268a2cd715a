//! One real change is reported once, however many places show it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::rules::{Area, Coordinates, Direction, Kind};
use super::{Difference, place_of};
use crate::finding::{At, Severity};

/// Endpoints of one host on which the same change is one change of something they share.
const SHARED: usize = 3;
/// Names listed in a sentence.
const LISTED: usize = 8;

/// Merges what belongs together: the same change of several members of one object, the same change on several
/// endpoints, and then what is left of the same change in one request or answer. Differences that chance explains stay
/// as they are.
pub(super) fn once(found: Vec<Difference>, positions: f64) -> Vec<Difference> {
    let (weak, strong): (Vec<_>, Vec<_>) = found.into_iter().partition(|d: &Difference| d.weak(positions));
    let mut out = within(shared(within(strong, object)), message);
    out.extend(weak);
    out
}

/// What a difference is called inside its object.
fn leaf(at: &At) -> &str {
    at.pointer.rsplit_once('/').map_or(at.pointer.as_str(), |(_, name)| name)
}

/// The object that a member is in; the items of a list are no members.
fn object(pointer: &str) -> Option<&str> {
    pointer.rsplit_once('/').filter(|(_, name)| *name != "*").map(|(object, _)| object)
}

/// The request or the answer that a position is in: `/response/200`, `/request/body`.
fn message(pointer: &str) -> Option<&str> {
    let mut ends = pointer.match_indices('/').map(|(at, _)| at).skip(2);
    pointer.get(..ends.next().unwrap_or(pointer.len()))
}

/// Several positions of one pair of endpoints in one scope, changed in the same way.
///
/// What may be no more than a warning stays apart from what breaks.
fn within(found: Vec<Difference>, scope: fn(&str) -> Option<&str>) -> Vec<Difference> {
    type Key = (String, usize, Coordinates, Severity);
    let mut groups: BTreeMap<Key, Vec<Difference>> = BTreeMap::new();
    let mut out = Vec::new();
    for difference in found {
        let mergeable = matches!(
            difference.at.1,
            Area::Field | Area::Presence | Area::Type | Area::Null | Area::Format | Area::Envelope
        );
        match scope(&difference.place.pointer).filter(|_| mergeable) {
            Some(scope) => {
                let key = (scope.to_owned(), difference.pair, difference.at, difference.most);
                groups.entry(key).or_default().push(difference);
            }
            None => out.push(difference),
        }
    }
    for mut group in groups.into_values() {
        group.sort_by(|a, b| a.place.cmp(&b.place));
        // Of two at one position (an object, and what was merged of its members) one would hide the other.
        let apart = group.windows(2).all(|two| matches!(two, [a, b] if a.place != b.place));
        if group.len() == 1 || !apart {
            out.append(&mut group);
        } else {
            out.extend(merged(group));
        }
    }
    out
}

/// One difference for several.
fn merged(group: Vec<Difference>) -> Option<Difference> {
    let common = group.iter().map(|d| d.place.pointer.as_str()).reduce(common)?.to_owned();
    let side = |pick: fn(&Difference) -> &Option<Value>| -> Option<Value> {
        let name = |d: &Difference| d.place.pointer.get(common.len() + 1..).unwrap_or_default().to_owned();
        let members: serde_json::Map<String, Value> =
            group.iter().filter_map(|d| Some((name(d), pick(d).clone()?))).collect();
        (!members.is_empty()).then_some(Value::Object(members))
    };
    let (before, after) = (side(|d| &d.before), side(|d| &d.after));
    let message = list(group.iter().map(|d| d.message.as_str()), "; ");
    let identifier = group.iter().all(|d| d.identifier);
    // Whatever the sentence leaves out is told here.
    let whole = group.len() <= LISTED && group.iter().all(|d| d.details.is_empty());
    let details = if whole { Vec::new() } else { group.iter().flat_map(told).collect() };
    let best = group.into_iter().min_by(|a, b| a.chance.total_cmp(&b.chance))?;
    let place = At { pointer: common, ..best.place.clone() };
    Some(Difference { place, message, before, after, identifier, details, ..best })
}

/// All that a difference stands for, a line each.
fn told(difference: &Difference) -> Vec<String> {
    let Difference { message, details, .. } = difference;
    if details.is_empty() { vec![message.clone()] } else { details.clone() }
}

/// The position that both are in, or are.
fn common<'p>(a: &'p str, b: &str) -> &'p str {
    let shared = |end: &usize| {
        let (head, tail) = (a.get(..*end), b.get(*end..));
        head == b.get(..*end) && tail.is_some_and(|tail| tail.is_empty() || tail.starts_with('/'))
    };
    let mut ends = [a.len()].into_iter().chain(a.rmatch_indices('/').map(|(at, _)| at));
    ends.find(shared).and_then(|end| a.get(..end)).unwrap_or_default()
}

/// The same change of the same field, or of authentication, on several endpoints of a host: something they share.
///
/// What is new is never merged: the same name may well have arrived for different reasons.
fn shared(found: Vec<Difference>) -> Vec<Difference> {
    type Key = (String, Coordinates, String, String);
    let mut groups: BTreeMap<Key, Vec<Difference>> = BTreeMap::new();
    let mut out = Vec::new();
    for difference in found {
        let (direction, area, kind) = difference.at;
        let mergeable = match area {
            Area::Auth => true,
            Area::Field | Area::Type | Area::Presence | Area::Format => {
                direction != Direction::Service && !matches!(kind, Kind::Added | Kind::AddedAlways)
            }
            _ => false,
        };
        if !mergeable {
            out.push(difference);
            continue;
        }
        let name = match area {
            // path parameters have names of cask's own making
            _ if difference.place.pointer.starts_with("/request/path/") => "/".to_owned(),
            Area::Auth => String::new(),
            _ => leaf(&difference.place).to_owned(),
        };
        let sides = format!("{:?} {:?}", difference.before, difference.after);
        // requests and responses share their types
        let at = if area == Area::Auth { difference.at } else { (Direction::Response, area, kind) };
        groups.entry((difference.place.host.clone(), at, name, sides)).or_default().push(difference);
    }
    for mut group in groups.into_values() {
        if group.len() < SHARED {
            out.append(&mut group);
            continue;
        }
        // response before request, better evidence first
        group.sort_by(|a, b| {
            (b.at.0.cmp(&a.at.0)).then(a.chance.total_cmp(&b.chance)).then_with(|| a.place.cmp(&b.place))
        });
        let mut group = group.into_iter();
        let Some(first) = group.next() else { continue };
        let others: std::collections::BTreeSet<String> = group.map(|d| place_of(&d.place)).collect();
        let names = list(others.iter().map(String::as_str), ", ");
        let mut details = Vec::new();
        if others.len() > LISTED || !first.details.is_empty() {
            details = told(&first);
            details.extend(others.iter().map(|other| format!("the same in {other}")));
        }
        let count = match others.len() {
            1 => "1 other place".to_owned(),
            n => format!("{n} other places"),
        };
        let message = format!("{}; the same in {count}: {names}", first.message);
        // Identifiers of one data set are of one kind. When all of them change together the data set may be another
        // one: that is a single observation, whatever the counts say.
        let most = if first.identifier { Severity::Warning } else { first.most };
        out.push(Difference { message, most, details, ..first });
    }
    out
}

fn list<'a>(parts: impl Iterator<Item = &'a str>, between: &str) -> String {
    let parts: Vec<&str> = parts.collect();
    let shown: Vec<&str> = parts.iter().take(LISTED).copied().collect();
    match parts.len() - shown.len() {
        0 => shown.join(between),
        more => format!("{}{between}and {more} more", shown.join(between)),
    }
}
