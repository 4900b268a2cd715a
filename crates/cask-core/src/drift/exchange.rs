//! One endpoint, before and now.

use std::collections::BTreeMap;

use super::evidence::{Count, DECLARED, chance};
use super::pair::place;
use super::rules::{Area, Direction, Kind};
use super::walk::{Context, moved, walk};
use super::{Difference, Sink};
use crate::endpoint::{Auth, Endpoint, Param, Payload, Place, Schema};
use crate::finding::{At, Severity};
use crate::json::token;

/// Statuses of a place that is not there.
const GONE: [u16; 4] = [404, 405, 410, 501];

pub(super) fn compare(before: &Endpoint, now: &Endpoint, sink: &mut Sink) {
    service(before, now, sink);
    params(before, now, sink);
    request(before, now, sink);
    if before.operation.as_ref().map(|o| &o.document) == now.operation.as_ref().map(|o| &o.document) {
        responses(before, now, sink);
    }
}

/// A property of the endpoint as a whole: as sure as the number of calls on both sides.
fn whole(before: &Endpoint, now: &Endpoint) -> f64 {
    if before.observed == 0 || now.observed == 0 {
        return 0.0;
    }
    chance(Count::new(0, before.observed), Count::new(now.observed, now.observed))
}

fn service(before: &Endpoint, now: &Endpoint, sink: &mut Sink) {
    let mut push = |area, kind, message: String, was: serde_json::Value, is: serde_json::Value| {
        let at = (Direction::Service, area, kind);
        sink.push(Difference::new(at, place(now), whole(before, now), message).values(was, is));
    };
    let words = |auth: &[String]| serde_json::Value::from(auth.to_vec());
    let (was, is) = (schemes(before), schemes(now));
    let known = before.observed > 0 || !was.is_empty();
    match (was.is_empty(), is.is_empty()) {
        (true, false) if known => {
            push(
                Area::Auth,
                Kind::Added,
                format!("calls now carry {}", is.join(", ")),
                words(&was),
                words(&is),
            );
        }
        (false, true) if now.observed > 0 => {
            push(Area::Auth, Kind::Removed, "calls carry no credentials".to_owned(), words(&was), words(&is));
        }
        (false, false) if !was.iter().any(|auth| is.contains(auth)) => {
            let message = format!("calls carry {} instead of {}", is.join(", "), was.join(", "));
            push(Area::Auth, Kind::Changed, message, words(&was), words(&is));
        }
        _ => {}
    }
    let why = |e: &Endpoint, other: &Endpoint| {
        let fresh: Vec<&str> = (e.reasons.iter())
            .filter(|reason| !other.reasons.iter().any(|old| old.code == reason.code))
            .map(|reason| reason.detail.as_str())
            .collect();
        if fresh.is_empty() { String::new() } else { format!(": {}", fresh.join("; ")) }
    };
    if before.effect != now.effect {
        let kind = if now.effect > before.effect { Kind::Raised } else { Kind::Lowered };
        let message =
            format!("{} is now {}{}", before.effect.as_str(), now.effect.as_str(), why(now, before));
        push(Area::Effect, kind, message, before.effect.as_str().into(), now.effect.as_str().into());
    } else if before.risk != now.risk {
        // a change of effect moves the risk with it
        let kind = if now.risk > before.risk { Kind::Raised } else { Kind::Lowered };
        let message =
            format!("risk {} is now {}{}", before.risk.as_str(), now.risk.as_str(), why(now, before));
        push(Area::Risk, kind, message, before.risk.as_str().into(), now.risk.as_str().into());
    }
    operation(before, now, sink);
}

fn operation(before: &Endpoint, now: &Endpoint, sink: &mut Sink) {
    let (Some(was), Some(is)) = (&before.operation, &now.operation) else { return };
    let fresh: Vec<&str> = is.fields.iter().filter(|f| !was.fields.contains(f)).map(String::as_str).collect();
    let (kind, message) = if !fresh.is_empty() {
        (Kind::Added, format!("operation `{}` now also asks for `{}`", is.name, fresh.join("`, `")))
    } else if was.document != is.document || was.persisted != is.persisted {
        (Kind::Changed, format!("operation `{}` is sent with another document", is.name))
    } else {
        return;
    };
    let at = (Direction::Service, Area::Operation, kind);
    sink.push(
        Difference::new(at, place(now), 0.0, message).values(was.document.as_str(), is.document.as_str()),
    );
}

/// How calls authenticate, in words; what a description calls OAuth is a bearer token on the wire.
fn schemes(endpoint: &Endpoint) -> Vec<String> {
    let mut words: Vec<String> = (endpoint.auth.iter())
        .map(|auth| match auth {
            Auth::Bearer | Auth::Oauth2 | Auth::OpenId => "a bearer token".to_owned(),
            Auth::Basic => "basic authentication".to_owned(),
            Auth::Scheme(name) => format!("the scheme `{name}`"),
            Auth::HeaderKey(name) => format!("a key in header `{name}`"),
            Auth::QueryKey(name) => format!("a key in parameter `{name}`"),
            Auth::Cookie(name) => format!("cookie `{name}`"),
        })
        .collect();
    words.dedup();
    words
}

fn params(before: &Endpoint, now: &Endpoint, sink: &mut Sink) {
    let path = |e: &Endpoint| -> Vec<Param> {
        e.params.iter().filter(|p| p.place == Place::Path).cloned().collect()
    };
    // path parameters are known by position: their names are cask's own
    for (was, is) in path(before).iter().zip(&path(now)) {
        let context = param_context(before, now, is);
        walk(&counted(was), &counted(is), &context, sink);
    }
    let named = |e: &Endpoint| -> BTreeMap<(Place, String), Param> {
        (e.params.iter())
            .filter(|p| p.place != Place::Path)
            .map(|p| ((p.place, p.name.clone()), p.clone()))
            .collect()
    };
    let (was, is) = (named(before), named(now));
    for (key, param) in &is {
        let context = param_context(before, now, param);
        match was.get(key) {
            Some(old) => {
                let counts = (presence(old, before), presence(param, now));
                context.presence(counts.0, counts.1, sink);
                walk(&old.schema, &param.schema, &context, sink);
            }
            None => {
                let (never, some) = (Count::new(0, calls(before)), presence(param, now));
                let kind = if some.always() { Kind::AddedAlways } else { Kind::Added };
                let message = context.moved(never, some);
                let at = (Direction::Request, Area::Param, kind);
                sink.push(Difference::new(at, context.at(), chance(never, some), message));
            }
        }
    }
    for (key, param) in was.iter().filter(|(key, _)| !is.contains_key(key)) {
        let _ = key;
        let context = param_context(before, now, param);
        let (some, never) = (presence(param, before), Count::new(0, calls(now)));
        if some.always() {
            let message = context.moved(some, never);
            let at = (Direction::Request, Area::Param, Kind::Removed);
            sink.push(Difference::new(at, context.at(), chance(some, never), message));
        }
    }
}

/// The schema of a path parameter, which is in every call, with their number.
fn counted(param: &Param) -> Schema {
    Schema { seen: param.seen, ..param.schema.clone() }
}

fn calls(endpoint: &Endpoint) -> u64 {
    if endpoint.observed == 0 && endpoint.declared { DECLARED } else { endpoint.observed }
}

/// Which sides come from a description alone.
fn declared(before: &Endpoint, now: &Endpoint) -> (bool, bool) {
    (before.observed == 0, now.observed == 0)
}

fn presence(param: &Param, endpoint: &Endpoint) -> Count {
    match (endpoint.observed, param.required) {
        (0, true) => Count::new(DECLARED, DECLARED),
        (0, false) => Count::new(0, 0),
        (n, _) => Count::new(param.seen, n),
    }
}

fn param_context(before: &Endpoint, now: &Endpoint, param: &Param) -> Context {
    let place_name = param.place.as_str();
    Context {
        direction: Direction::Request,
        place: At { pointer: format!("/request/{place_name}/{}", token(&param.name)), ..place(now) },
        subject: format!("{place_name} parameter"),
        field: param.name.clone(),
        caps: (calls(before), calls(now)),
        lists: (u64::MAX, u64::MAX),
        declared: declared(before, now),
    }
}

fn request(before: &Endpoint, now: &Endpoint, sink: &mut Sink) {
    let bodies = |e: &Endpoint| {
        let seen = e.request.values().map(|payload| payload.seen).sum();
        match (e.observed, e.request_required) {
            (0, true) => Count::new(DECLARED, DECLARED),
            (0, false) => Count::new(0, if e.request.is_empty() { DECLARED } else { 0 }),
            (n, _) => Count::new(seen, n),
        }
    };
    let (was, is) = (bodies(before), bodies(now));
    let pointer = At { pointer: "/request/body".to_owned(), ..place(now) };
    sink.positions += 1;
    if was.never() && is.always() || was.always() && is.never() {
        let kind = if is.always() { Kind::AddedAlways } else { Kind::Removed };
        let message = moved("a request body", was, is, declared(before, now));
        let at = (Direction::Request, Area::Body, kind);
        sink.push(Difference::new(at, pointer, chance(was, is), message));
        return;
    }
    let make = |_: &str| Context {
        direction: Direction::Request,
        place: pointer.clone(),
        subject: "request".to_owned(),
        field: String::new(),
        caps: (calls(before), calls(now)),
        lists: (u64::MAX, u64::MAX),
        declared: declared(before, now),
    };
    payloads(&before.request, &now.request, &make, sink);
}

/// Compares bodies by media type. One other media type instead of one is a change, and the bodies are still compared.
fn payloads(
    before: &BTreeMap<String, Payload>,
    now: &BTreeMap<String, Payload>,
    context: &dyn Fn(&str) -> Context,
    sink: &mut Sink,
) {
    let mut pairs: Vec<(&str, &Payload, &Payload)> = Vec::new();
    for (media, is) in now {
        if let Some(was) = before.get(media) {
            pairs.push((media, was, is));
        }
    }
    if pairs.is_empty()
        && let (Some((from, was)), Some((to, is))) = (before.first_key_value(), now.first_key_value())
        && before.len() == 1
        && now.len() == 1
    {
        let context = context(to);
        let at = (context.direction, Area::Media, Kind::Changed);
        let count = |payload: &Payload, cap: u64| if payload.seen == 0 { cap } else { payload.seen };
        let (n1, n2) = (count(was, context.caps.0), count(is, context.caps.1));
        let chance = chance(Count::new(0, n1), Count::new(n2, n2));
        let message = format!("{} is `{to}` instead of `{from}`", context.label());
        sink.push(Difference::new(at, context.at(), chance, message).values(from.as_str(), to.as_str()));
        pairs.push((to, was, is));
    }
    for (media, was, is) in pairs {
        let mut context = context(media);
        let cap = |seen: u64, cap: u64| if seen == 0 { cap } else { seen };
        context.caps = (cap(was.seen, context.caps.0), cap(is.seen, context.caps.1));
        walk(&was.schema, &is.schema, &context, sink);
    }
}

fn responses(before: &Endpoint, now: &Endpoint, sink: &mut Sink) {
    let good = |status: u16| status < 400;
    let successes = |e: &Endpoint| e.responses.keys().copied().filter(|s| good(*s)).collect::<Vec<_>>();
    let seen = |e: &Endpoint, accept: &dyn Fn(u16) -> bool| -> Count {
        if e.observed == 0 {
            let has = e.responses.keys().any(|status| accept(*status));
            return if has { Count::new(DECLARED, DECLARED) } else { Count::new(0, DECLARED) };
        }
        let of = |accept: &dyn Fn(u16) -> bool| {
            e.responses.iter().filter(|(status, _)| accept(**status)).map(|(_, r)| r.seen).sum()
        };
        Count::new(of(accept), of(&|_| true))
    };
    let (was, is) = (successes(before), successes(now));
    sink.positions += 1;
    if !was.is_empty() && is.is_empty() && now.observed > 0 {
        let gone = now.responses.keys().all(|status| GONE.contains(status));
        let (area, kind) = if gone { (Area::Endpoint, Kind::Removed) } else { (Area::Status, Kind::Removed) };
        let direction = if gone { Direction::Service } else { Direction::Response };
        let (old, new) = (seen(before, &good), seen(now, &good));
        let answers: Vec<u16> = now.responses.keys().copied().collect();
        let list = answers.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
        let message = format!(
            "{} of {} calls succeeded, now none of {}: the answer is always {list}",
            old.k(),
            old.n(),
            new.n()
        );
        sink.push(
            Difference::new((direction, area, kind), place(now), chance(old, new), message)
                .values(was, answers),
        );
        return;
    }
    let swapped = match (was.as_slice(), is.as_slice()) {
        ([from], [to]) if from != to => Some((*from, *to)),
        _ => None,
    };
    if let Some((from, to)) = swapped {
        let at = (Direction::Response, Area::Status, Kind::Changed);
        let pointer = At { pointer: format!("/response/{to}"), ..place(now) };
        let chance = chance(seen(before, &|s| s == to), seen(now, &|s| s == to));
        let message = format!("success was status {from} and is now {to}");
        sink.push(Difference::new(at, pointer, chance, message).values(from, to));
    }
    for (status, answer) in &now.responses {
        let earlier = match swapped {
            Some((from, to)) if to == *status => before.responses.get(&from),
            _ => before.responses.get(status),
        };
        let Some(earlier) = earlier else {
            let at = (Direction::Response, Area::Status, Kind::Added);
            let pointer = At { pointer: format!("/response/{status}"), ..place(now) };
            let (never, some) = (seen(before, &|s| s == *status), seen(now, &|s| s == *status));
            let message = moved(&format!("status {status}"), never, some, declared(before, now));
            let most = if good(*status) { Severity::Breaking } else { Severity::Info };
            // a description need not list every error
            let chance = if before.observed == 0 && !good(*status) { 1.0 } else { chance(never, some) };
            sink.push(Difference::new(at, pointer, chance, message).at_most(most));
            continue;
        };
        let pointer = At { pointer: format!("/response/{status}"), ..place(now) };
        let count = |seen: u64| if seen == 0 { DECLARED } else { seen };
        let bodies = |r: &crate::endpoint::Response| {
            let seen: u64 = r.content.values().map(|payload| payload.seen).sum();
            Count::new(if r.content.is_empty() { 0 } else { count(seen) }, count(r.seen))
        };
        let (old, new) = (bodies(earlier), bodies(answer));
        if old.always() && new.never() || old.never() && new.always() {
            let kind = if new.never() { Kind::Removed } else { Kind::AddedAlways };
            let what = format!("a body of answers with status {status}");
            let message = moved(&what, old, new, declared(before, now));
            let at = (Direction::Response, Area::Body, kind);
            sink.push(Difference::new(at, pointer, chance(old, new), message));
            continue;
        }
        let make = |_: &str| Context {
            direction: Direction::Response,
            place: pointer.clone(),
            subject: format!("response {status}"),
            field: String::new(),
            caps: (count(earlier.seen), count(answer.seen)),
            lists: (u64::MAX, u64::MAX),
            declared: declared(before, now),
        };
        payloads(&earlier.content, &answer.content, &make, sink);
    }
}
