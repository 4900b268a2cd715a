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

/// Merges what belongs together: the same change of several members of one object, then the same change on several
/// endpoints. Differences that chance explains stay as they are.
pub(super) fn once(found: Vec<Difference>, positions: f64) -> Vec<Difference> {
    let (weak, strong): (Vec<_>, Vec<_>) = found.into_iter().partition(|d: &Difference| d.weak(positions));
    let mut out = shared(siblings(strong));
    out.extend(weak);
    out
}

/// What a difference is called inside its object.
fn leaf(at: &At) -> (&str, &str) {
    at.pointer.rsplit_once('/').unwrap_or(("", &at.pointer))
}

/// Several members of one object, changed in the same way.
fn siblings(found: Vec<Difference>) -> Vec<Difference> {
    let mut groups: BTreeMap<(At, Coordinates), Vec<Difference>> = BTreeMap::new();
    let mut out = Vec::new();
    for difference in found {
        let mergeable = matches!(
            difference.at.1,
            Area::Field | Area::Presence | Area::Type | Area::Null | Area::Format | Area::Envelope
        );
        if !mergeable || difference.place.pointer.ends_with("/*") {
            out.push(difference);
            continue;
        }
        let parent = At { pointer: leaf(&difference.place).0.to_owned(), ..difference.place.clone() };
        groups.entry((parent, difference.at)).or_default().push(difference);
    }
    for ((parent, _), mut group) in groups {
        if group.len() == 1 {
            out.append(&mut group);
            continue;
        }
        group.sort_by(|a, b| a.place.cmp(&b.place));
        let side = |pick: fn(&Difference) -> &Option<Value>| -> Option<Value> {
            let members: serde_json::Map<String, Value> = (group.iter())
                .filter_map(|d| Some((leaf(&d.place).1.to_owned(), pick(d).clone()?)))
                .collect();
            (!members.is_empty()).then_some(Value::Object(members))
        };
        let (before, after) = (side(|d| &d.before), side(|d| &d.after));
        let message = list(group.iter().map(|d| d.message.as_str()), "; ");
        let identifier = group.iter().all(|d| d.identifier);
        let best = group.into_iter().min_by(|a, b| a.chance.total_cmp(&b.chance));
        out.extend(best.map(|d| Difference { place: parent, message, before, after, identifier, ..d }));
    }
    out
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
            _ => leaf(&difference.place).1.to_owned(),
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
        let count = match others.len() {
            1 => "1 other place".to_owned(),
            n => format!("{n} other places"),
        };
        let message = format!("{}; the same in {count}: {names}", first.message);
        // Identifiers of one data set are of one kind. When all of them change together the data set may be another
        // one: that is a single observation, whatever the counts say.
        let most = if first.identifier { Severity::Warning } else { first.most };
        out.push(Difference { message, most, ..first });
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
