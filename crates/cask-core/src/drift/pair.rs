//! Which endpoint of now is which endpoint of the baseline.

use std::collections::BTreeMap;

use super::evidence::{Count, chance};
use super::rules::{Area, Direction, Kind};
use super::shape::{fingerprint, jaccard};
use super::{Difference, Sink};
use crate::endpoint::{Endpoint, Segment};
use crate::finding::At;

/// Answers that have this much in common may come from one endpoint under two names.
const SAME: f64 = 0.8;
/// With fewer field names than this, likeness says nothing.
const TELLING: usize = 2;
/// More calls than this on a host are scaled down before they are compared.
const CALLS: u64 = 400;

type Pair<'a> = (&'a Endpoint, &'a Endpoint);
type Key<'a> = (&'a str, &'a str, String, Option<&'a str>);

/// Pairs what belongs together; reports what has no partner.
pub(super) fn pair<'a>(baseline: &'a [Endpoint], now: &'a [Endpoint], sink: &mut Sink) -> Vec<Pair<'a>> {
    let known: BTreeMap<Key<'_>, &Endpoint> = baseline.iter().map(|e| (key(e), e)).collect();
    let mut pairs = Vec::new();
    let mut fresh = Vec::new();
    for endpoint in now.iter().filter(|e| e.observed > 0 || e.declared) {
        match known.get(&key(endpoint)) {
            Some(before) => pairs.push((*before, endpoint)),
            None => fresh.push(endpoint),
        }
    }
    let met: std::collections::BTreeSet<Key<'_>> = pairs.iter().map(|(before, _)| key(before)).collect();
    let mut gone: Vec<&Endpoint> = baseline.iter().filter(|e| !met.contains(&key(e))).collect();

    let calls = Calls::of(baseline, now);
    moved_hosts(&mut gone, &mut fresh, &calls, &mut pairs, sink);
    moved_paths(&mut gone, &mut fresh, &calls, &mut pairs, sink);
    for endpoint in gone {
        unseen(endpoint, &calls, sink);
    }
    for endpoint in fresh {
        let message = match endpoint.observed {
            0 => "not in the baseline".to_owned(),
            n => format!("not in the baseline; seen {n} times, {}", endpoint.effect.as_str()),
        };
        let at = (Direction::Service, Area::Endpoint, Kind::Added);
        sink.push(Difference::new(at, place(endpoint), 0.0, message));
    }
    pairs
}

/// The endpoint as a place.
pub(super) fn place(endpoint: &Endpoint) -> At {
    At {
        host: endpoint.host.clone(),
        method: endpoint.method.clone(),
        path: endpoint.template.to_string(),
        pointer: endpoint.operation.as_ref().map_or_else(String::new, |operation| {
            format!("/operation/{}", crate::json::token(&operation.name))
        }),
        ..At::default()
    }
}

fn key(endpoint: &Endpoint) -> Key<'_> {
    let operation = endpoint.operation.as_ref().map(|operation| operation.name.as_str());
    (&endpoint.host, &endpoint.method, endpoint.template.anonymous(), operation)
}

/// Calls per host, before and now.
struct Calls<'a>(BTreeMap<&'a str, (u64, u64)>);

impl<'a> Calls<'a> {
    fn of(baseline: &'a [Endpoint], now: &'a [Endpoint]) -> Self {
        let mut calls: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for endpoint in baseline {
            calls.entry(&endpoint.host).or_default().0 += endpoint.observed;
        }
        for endpoint in now {
            calls.entry(&endpoint.host).or_default().1 += endpoint.observed;
        }
        Self(calls)
    }

    /// How likely it is that an endpoint called `seen` times before is not called now, if callers do what they did.
    ///
    /// Calls to one endpoint are rare among all calls of a host, so only their number and the ratio of the totals
    /// matter: the totals are scaled down and the number is not.
    fn absence(&self, hosts: &[&str], seen: u64) -> f64 {
        let of = |host: &&str| self.0.get(*host).copied().unwrap_or_default();
        let (before, now) = hosts.iter().map(of).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let most = before.max(now).max(1);
        let scale = |n: u64| if most > CALLS { n * CALLS / most } else { n };
        chance(Count::new(seen, scale(before).max(seen)), Count::new(0, scale(now)))
    }
}

fn unseen(endpoint: &Endpoint, calls: &Calls<'_>, sink: &mut Sink) {
    let chance = calls.absence(&[&endpoint.host], endpoint.observed);
    let at = (Direction::Service, Area::Endpoint, Kind::Unseen);
    if endpoint.observed == 0 || super::rules::at(at).is_none_or(|row| chance >= row.level) {
        sink.uncalled += 1;
        return;
    }
    let (_, now) = calls.0.get(endpoint.host.as_str()).copied().unwrap_or_default();
    let message = format!(
        "called {} times before and not once in the {now} calls to this host now; nothing shows that it is gone",
        endpoint.observed
    );
    sink.push(Difference::new(at, place(endpoint), chance, message));
}

/// Endpoints that are at another host now: one finding for each pair of hosts.
fn moved_hosts<'a>(
    gone: &mut Vec<&'a Endpoint>,
    fresh: &mut Vec<&'a Endpoint>,
    calls: &Calls<'_>,
    pairs: &mut Vec<Pair<'a>>,
    sink: &mut Sink,
) {
    let mut moves: BTreeMap<(&str, &str), Vec<Pair<'a>>> = BTreeMap::new();
    for &before in gone.iter() {
        let (_, method, template, operation) = key(before);
        let same = |e: &&&Endpoint| {
            let (host, m, t, o) = key(e);
            host != before.host && (m, &t, o) == (method, &template, operation)
        };
        let mut candidates = fresh.iter().filter(same);
        if let (Some(&after), None) = (candidates.next(), candidates.next()) {
            moves.entry((&before.host, &after.host)).or_default().push((before, after));
        }
    }
    for ((from, to), moved) in moves {
        let before: u64 = moved.iter().map(|(before, _)| before.observed).sum();
        let chance = calls.absence(&[from, to], before);
        let at = (Direction::Service, Area::Host, Kind::Changed);
        let place = At { host: from.to_owned(), ..At::default() };
        let message = format!("{} endpoints of `{from}` are now called at `{to}`", moved.len());
        sink.push(Difference::new(at, place, chance, message).values(from, to));
        claim(moved, gone, fresh, pairs);
    }
}

/// Endpoints that have another path or method now, known by their answers.
fn moved_paths<'a>(
    gone: &mut Vec<&'a Endpoint>,
    fresh: &mut Vec<&'a Endpoint>,
    calls: &Calls<'_>,
    pairs: &mut Vec<Pair<'a>>,
    sink: &mut Sink,
) {
    let mut moved = Vec::new();
    for &before in gone.iter() {
        let names = fingerprint(before);
        let close = |e: &&&Endpoint| {
            e.host == before.host && e.operation.is_none() && before.operation.is_none() && {
                let generalised = e.method == before.method && generalises(before, e);
                let theirs = fingerprint(e);
                (generalised || near(before, e) && names.len() >= TELLING) && jaccard(&names, &theirs) >= SAME
            }
        };
        let mut candidates = fresh.iter().filter(close);
        if let (Some(&after), None) = (candidates.next(), candidates.next())
            && !moved.iter().any(|(_, taken): &Pair<'_>| std::ptr::eq(*taken, after))
        {
            moved.push((before, after));
        }
    }
    for (before, after) in &moved {
        // the same place, read once as a name and once as a parameter: nothing moved
        if before.method == after.method && generalises(before, after) {
            continue;
        }
        let chance = calls.absence(&[&before.host], before.observed);
        let at = (Direction::Service, Area::Endpoint, Kind::Changed);
        let (was, is) = (
            format!("{} {}", before.method, before.template),
            format!("{} {}", after.method, after.template),
        );
        let message = format!("now called as `{is}`, with the same answers");
        sink.push(Difference::new(at, place(before), chance, message).values(was, is));
    }
    claim(moved, gone, fresh, pairs);
}

fn claim<'a>(
    moved: Vec<Pair<'a>>,
    gone: &mut Vec<&'a Endpoint>,
    fresh: &mut Vec<&'a Endpoint>,
    pairs: &mut Vec<Pair<'a>>,
) {
    gone.retain(|e| !moved.iter().any(|(before, _)| std::ptr::eq(*before, *e)));
    fresh.retain(|e| !moved.iter().any(|(_, after)| std::ptr::eq(*after, *e)));
    pairs.extend(moved);
}

/// Whether the paths differ only where one has a parameter and the other a literal.
fn generalises(a: &Endpoint, b: &Endpoint) -> bool {
    let (a, b) = (a.template.segments(), b.template.segments());
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| match (a, b) {
            (Segment::Literal(a), Segment::Literal(b)) => a == b,
            _ => true,
        })
}

/// Whether one endpoint may be the other after a move: the same path under another method, or one literal changed,
/// added or left out.
fn near(a: &Endpoint, b: &Endpoint) -> bool {
    if a.template.anonymous() == b.template.anonymous() {
        return true;
    }
    let text = |e: &Endpoint| e.template.anonymous().split('/').map(str::to_owned).collect::<Vec<_>>();
    let (a_parts, b_parts) = (text(a), text(b));
    let start = a_parts.iter().zip(&b_parts).take_while(|(a, b)| a == b).count();
    let end = a_parts.iter().rev().zip(b_parts.iter().rev()).take_while(|(a, b)| a == b).count();
    let longest = a_parts.len().max(b_parts.len());
    a.method == b.method && start + end + 1 >= longest
}
