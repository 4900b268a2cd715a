//! The mergeable summary of a service's traffic, and the endpoints it shows.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use rayon::prelude::*;

use crate::capture::{Body, Exchange, Scheme, is_too_deep};
use crate::ids;
use crate::redact::Redacted;

use super::flow::{self, Passing};
use super::index::Index;
use super::learn::words::{Values, Words};
use super::learn::{Compared, Known, Learned, Node, Part, learn, param, pin};
use super::observed::{Observed, add_to};
use super::route::Routes;
use super::traffic::Traffic;
use super::{
    Effect, Endpoint, Flow, Param, Payload, Place, Response, Risk, Schema, Segment, Template, TypeSet,
};
use super::{auth, effect, graphql, infer};

/// Times that proven values are carried to other places.
const ROUNDS: usize = 3;

/// Everything remembered of a set of exchanges. Order-free: any split and any order of the same
/// exchanges, merged, is the same summary.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// Tries of concrete paths by host.
    hosts: BTreeMap<Box<str>, Node>,
    /// Identifiers that answers carried: what is answered as a value and asked in a path is a parameter.
    values: Values,
    /// Values that went from an answer into a later request.
    passing: Passing,
    /// JSON positions held, about.
    weight: usize,
    /// Where they are counted, with those of the summaries that are made beside this one.
    room: Room,
    /// There was too much to hold: only what learning templates needs was kept. See [`Summary::is_lean`].
    lean: bool,
    /// A second look: templates are known.
    routes: Option<Routes>,
}

/// JSON positions that the summaries of one room hold before they become lean. One takes some 400 bytes with its share
/// of the maps above it, and while captures are read there are also those that they are merged into.
const MAX_WEIGHT: usize = 120_000;

/// How much is held by the summaries that several threads make of one traffic: it does not matter how that falls to
/// them.
#[derive(Debug, Clone, Default)]
pub struct Room(Arc<AtomicUsize>);

/// What is in it is no part of what a summary says.
impl PartialEq for Room {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Room {
    fn held(&self) -> usize {
        self.0.load(Relaxed)
    }

    /// Counts so many positions instead of so many others.
    fn swap(&self, before: usize, now: usize) {
        self.0.fetch_add(now, Relaxed);
        self.0.fetch_sub(before, Relaxed);
    }
}

impl Summary {
    /// Nothing seen yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`Summary::new`], beside others in one room.
    #[must_use]
    pub fn sharing(room: &Room) -> Self {
        Self { room: room.clone(), ..Self::default() }
    }

    /// Adds one exchange. A GraphQL batch counts as the calls it is made of.
    pub fn observe(&mut self, exchange: &Redacted<Exchange<'_>>) {
        let exchange = exchange.get();
        // a capture may have been stored by another hand
        if is_too_deep(&exchange.path) {
            return;
        }
        match graphql::unbatch(exchange) {
            Some(calls) => calls.iter().for_each(|call| self.observe_one(call)),
            None => self.observe_one(exchange),
        }
    }

    fn observe_one(&mut self, exchange: &Exchange<'_>) {
        let call = graphql::call(exchange);
        let end = match &call {
            Some(call) => format!("{} {} {}", exchange.method, call.operation.kind, call.operation.name),
            None => exchange.method.clone(),
        };
        if let Body::Json(answer) = &exchange.response.body {
            self.values.add(answer);
        }
        self.passing.add(exchange, &end);
        let mut traffic = Traffic::of(exchange, call);
        if let Some(routes) = &mut self.routes {
            routes.add(&exchange.host, &exchange.path, &end, traffic);
            return;
        }
        let mut weight = self.weight;
        if self.lean {
            traffic.forget();
        } else {
            weight += traffic.weight();
        }
        if !self.hosts.contains_key(exchange.host.as_str()) {
            self.hosts.insert(exchange.host.as_str().into(), Node::default());
        }
        if let Some(root) = self.hosts.get_mut(exchange.host.as_str()) {
            weight -= root.add(&exchange.path, &end, traffic).min(weight);
        }
        self.weigh(weight);
        self.check_weight();
    }

    fn weigh(&mut self, weight: usize) {
        self.room.swap(std::mem::replace(&mut self.weight, weight), weight);
    }

    /// Becomes lean if there is too much. The running weight is a guess from above: it is counted first.
    fn check_weight(&mut self) {
        if self.lean || self.room.held() <= MAX_WEIGHT {
            return;
        }
        let mut weight = 0;
        for root in self.hosts.values_mut() {
            root.each(&mut |traffic| weight += traffic.weight());
        }
        self.weigh(weight);
        if self.room.held() > MAX_WEIGHT / 2 {
            self.slim();
        }
    }

    /// Keeps only what learning templates needs.
    fn slim(&mut self) {
        self.lean = true;
        self.weigh(0);
        for root in self.hosts.values_mut() {
            root.each(&mut Traffic::forget);
        }
    }

    /// Whether there was too much traffic to hold at once. Then [`Summary::endpoints`] has the right
    /// templates but no schemas: look at the same exchanges again with [`Summary::routed`].
    #[must_use]
    pub fn is_lean(&self) -> bool {
        self.lean
    }

    /// An empty summary for a second look: exchanges go straight to these endpoints' templates, and memory
    /// grows with the number of endpoints only. The outcome is that of a summary which held everything.
    #[must_use]
    pub fn routed(endpoints: &[Endpoint]) -> Self {
        Self { routes: Some(Routes::new(endpoints)), ..Self::default() }
    }

    /// Adds everything another summary has seen.
    pub fn merge(&mut self, other: Summary) {
        match (&mut self.routes, other.routes) {
            (Some(mine), Some(theirs)) => mine.merge(theirs),
            (None, theirs) => self.routes = theirs,
            (Some(_), None) => {}
        }
        other.room.swap(other.weight, 0);
        self.weigh(self.weight + other.weight);
        if other.lean && !self.lean {
            self.slim();
        }
        let Summary { hosts, values, passing, lean, .. } = self;
        let tries = || {
            for (host, mut node) in other.hosts {
                if *lean {
                    node.each(&mut Traffic::forget);
                }
                add_to(hosts, host, node, Node::merge);
            }
        };
        rayon::join(tries, || rayon::join(|| values.merge(other.values), || passing.merge(other.passing)));
        self.check_weight();
    }

    /// The endpoints, sorted by host, path and method. Exchanges that fit a pinned endpoint belong
    /// to it; only the rest is inferred.
    #[must_use]
    pub fn endpoints(&self, pinned: &[Endpoint]) -> Vec<Endpoint> {
        self.clone().into_endpoints(pinned)
    }

    /// As [`Summary::endpoints`], without keeping the summary: nothing is copied.
    #[must_use]
    pub fn into_endpoints(mut self, pinned: &[Endpoint]) -> Vec<Endpoint> {
        let hosts = std::mem::take(&mut self.hosts);
        let accepted = pin::pins(pinned);
        let mut templates = learn_templates(&hosts, &accepted, Words::with(std::mem::take(&mut self.values)));
        let mut found = BTreeMap::<Box<str>, Vec<Found>>::new();
        for (host, routes) in self.routes.take().into_iter().flat_map(Routes::into_pinned) {
            found.entry(host).or_default().extend(operations(routes));
        }
        for (host, mut root) in hosts {
            // Accepted and learned templates share out the traffic together, as they will when what is
            // learned now is accepted: compiling again gives the same.
            let mut all = accepted.get(host.as_ref()).cloned().unwrap_or_default();
            all.iter_mut().for_each(pin::Pin::forget_answers);
            let known: BTreeMap<String, usize> =
                all.iter().enumerate().map(|(at, pin)| (pin.template.anonymous(), at)).collect();
            for template in templates.remove(&host).unwrap_or_default() {
                match known.get(&template.anonymous()) {
                    Some(at) => all.get_mut(*at).into_iter().for_each(pin::Pin::relax),
                    None => all.push(pin::Pin::any(template)),
                }
            }
            let pinned = pin::take(&mut root, all);
            found.entry(host).or_default().extend(operations(pinned));
        }
        let mut out: Vec<Endpoint> =
            found.into_iter().flat_map(|(host, found)| endpoints_of(&host, found)).collect();
        out.par_sort_by(|a, b| {
            (&a.host, &a.template, &a.method, &a.id).cmp(&(&b.host, &b.template, &b.method, &b.id))
        });
        self.attach_flows(&mut out);
        out
    }

    /// Turns values passed between concrete places into flows between endpoints.
    fn attach_flows(&self, endpoints: &mut [Endpoint]) {
        let mut found = BTreeMap::<(usize, String, String, String), BTreeSet<u64>>::new();
        let index = Index::of(endpoints.iter().map(|endpoint| &endpoint.template));
        let find = |place: &str| locate(endpoints, &index, place);
        let mut cache = BTreeMap::<&str, Option<usize>>::new();
        let passed: Vec<flow::Passed> = self.passing.passed().collect();
        for flow::Passed { from, to, value } in &passed {
            let source = *cache.entry(&from.place).or_insert_with(|| find(&from.place));
            let target = *cache.entry(&to.place).or_insert_with(|| find(&to.place));
            let (Some(source), Some(target)) = (source, target) else { continue };
            let (Some(from_endpoint), Some(to_endpoint)) = (endpoints.get(source), endpoints.get(target))
            else {
                continue;
            };
            let Some(argument) = argument(to_endpoint, &to.pointer) else { continue };
            let key = (target, from_endpoint.id.clone(), from.pointer.to_string(), argument);
            found.entry(key).or_default().insert(*value);
        }
        for ((target, from, pointer, to), values) in found {
            // One value may be equal by chance; two that pass the same way are not.
            if values.len() >= 2
                && let Some(endpoint) = endpoints.get_mut(target)
            {
                endpoint.flows.push(Flow { from, pointer, to, values: values.len() as u64 });
            }
        }
    }
}

/// The endpoint a concrete place belongs to.
fn locate(endpoints: &[Endpoint], index: &Index, place: &str) -> Option<usize> {
    let mut parts = place.splitn(3, '\n');
    let (host, end, path) = (parts.next()?, parts.next()?, parts.next()?);
    let method = end.split(' ').next()?;
    let fits = |endpoint: &Endpoint| {
        endpoint.host == host
            && endpoint.method == method
            && endpoint.template.matches(path)
            && endpoint.operation.as_ref().is_none_or(|op| {
                end.strip_prefix(method).map(str::trim_start) == Some(&format!("{} {}", op.kind, op.name))
            })
    };
    let candidates = index.candidates(path).into_iter().filter_map(|at| Some((at, endpoints.get(at)?)));
    candidates
        .filter(|(_, endpoint)| fits(endpoint))
        .min_by_key(|(_, endpoint)| endpoint.template.params().count())
        .map(|(at, _)| at)
}

/// The argument at a place of a request: a path parameter's name, or the place as it is.
fn argument(endpoint: &Endpoint, pointer: &str) -> Option<String> {
    let Some(index) = pointer.strip_prefix("path/") else { return Some(pointer.to_owned()) };
    match endpoint.template.segments().get(index.parse::<usize>().ok()?)? {
        Segment::Param { name, .. } => Some(format!("path/{name}")),
        Segment::Literal(_) => None,
    }
}

/// Learns the templates of all paths that fit no accepted one, by host.
fn learn_templates(
    hosts: &BTreeMap<Box<str>, Node>,
    accepted: &BTreeMap<&str, Vec<pin::Pin>>,
    mut words: Words,
) -> BTreeMap<Box<str>, Vec<Template>> {
    let open: Vec<(&Box<str>, Cow<'_, Node>)> = hosts
        .iter()
        .map(|(host, root)| match accepted.get(host.as_ref()) {
            None => (host, Cow::Borrowed(root)),
            Some(pins) => {
                let mut rest = root.clone();
                pin::take(&mut rest, pins.clone());
                (host, Cow::Owned(rest))
            }
        })
        .collect();
    open.iter().for_each(|(_, root)| words.add(root));
    accepted.values().flatten().for_each(|pin| words.accept(&pin.template));
    let compared = Compared::default();
    // A value that one place proves (`projects/acme` here) is a value behind the same word elsewhere.
    for round in 0.. {
        let learned: Vec<Learned> = open
            .par_iter()
            .map(|(_, root)| learn(root, Known { words: &words, compared: &compared }))
            .collect();
        let values = learned.iter().flat_map(|learned| &learned.values);
        let news = values.filter(|(before, value)| words.know(before, value)).count();
        if news == 0 || round == ROUNDS {
            let templates = learned.iter().map(|learned| learned.paths.iter().map(|parts| named(parts)));
            return open
                .iter()
                .zip(templates)
                .map(|((host, _), all)| ((*host).clone(), all.collect()))
                .collect();
        }
    }
    BTreeMap::new()
}

/// The learned path as a template with named parameters.
fn named(parts: &[Part]) -> Template {
    let mut names: Vec<String> = Vec::new();
    let segments = parts.iter().enumerate().map(|(at, part)| match part {
        Part::Literal(text) => Segment::Literal(text.to_string()),
        Part::Param { prefix, suffix, look } => {
            let name = param::name(parts, at, *look, &names);
            names.push(name.clone());
            Segment::Param { prefix: prefix.to_string(), name, suffix: suffix.to_string() }
        }
    });
    Template::new(segments.collect())
}

fn path_params(template: &Template, values: &[Observed], calls: u32) -> Vec<Param> {
    let schemas = values.iter().map(|seen| {
        // A path value is an identifier whatever it reads as; the values seen are examples, not a set.
        Schema {
            values: Vec::new(),
            counts: Vec::new(),
            identifier: true,
            seen: 0,
            ..infer::text_schema(seen, "id")
        }
    });
    template
        .params()
        .zip(schemas)
        .map(|(name, schema)| Param {
            name: name.to_owned(),
            place: Place::Path,
            required: true,
            seen: u64::from(calls),
            style: String::new(),
            explode: None,
            schema,
        })
        .collect()
}

/// One operation with its path settled.
struct Found {
    template: Template,
    params: Vec<Param>,
    end: Box<str>,
    traffic: Traffic,
}

/// Templates that a thread takes at once: a few of them have most of the traffic, and lie side by side.
const SHARE: usize = 8;

/// What pinned templates took, an operation each; on all cores.
fn operations(pinned: Vec<pin::Pinned>) -> Vec<Found> {
    let found =
        pinned.into_par_iter().with_max_len(SHARE).flat_map_iter(|pin::Pinned { template, ends, values }| {
            ends.into_iter().map(move |(end, parts)| {
                let traffic = parts.into_iter().fold(Traffic::default(), |mut sum, part| {
                    sum.merge(*part);
                    sum
                });
                let params = path_params(&template, &values, traffic.calls);
                Found { template: template.clone(), params, end, traffic }
            })
        });
    found.collect()
}

impl Found {
    fn sets_session(&self) -> bool {
        self.traffic.cookies_set.iter().any(|name| auth::is_session(name))
    }
}

/// The endpoints of one host, each seen against what is usual there.
fn endpoints_of(host: &str, found: Vec<Found>) -> Vec<Endpoint> {
    // If other calls carry a credential, one without is public; if all answers renew the session, one that
    // does is no login.
    let auth_known = found.iter().any(|found| !found.traffic.auth.is_empty());
    let renewed =
        found.len() > 2 && found.iter().filter(|found| found.sets_session()).count() * 2 > found.len();
    let endpoints = found.into_par_iter().with_max_len(SHARE).map(|found| {
        let sets_session = !renewed && found.sets_session();
        let mut endpoint = endpoint(host, found.template, found.params, &found.end, &found.traffic);
        let overrides = found.traffic.overrides.iter().map(ToString::to_string).collect();
        let signals =
            effect::Signals { overrides, auth_known, sets_session, ..effect::Signals::of(&endpoint) };
        let verdict = effect::classify(&signals);
        endpoint.effect = verdict.effect;
        endpoint.risk = verdict.risk;
        endpoint.reasons = verdict.reasons;
        endpoint
    });
    endpoints.collect()
}

fn endpoint(
    host: &str,
    template: Template,
    mut params: Vec<Param>,
    end: &str,
    traffic: &Traffic,
) -> Endpoint {
    let method = end.split(' ').next().unwrap_or_default().to_owned();
    params.extend(traffic.query.iter().map(|(name, query)| {
        let values = infer::text_schema(&query.values, name);
        let schema = if query.repeated > 0 {
            let types = TypeSet::ARRAY;
            Schema { types, seen: u64::from(query.calls), items: Some(Box::new(values)), ..Schema::default() }
        } else {
            values
        };
        Param {
            name: name.to_string(),
            place: Place::Query,
            required: query.calls >= traffic.calls,
            seen: u64::from(query.calls),
            style: String::new(),
            explode: None,
            schema,
        }
    }));
    let payloads = |content: &BTreeMap<Box<str>, Box<Observed>>| -> BTreeMap<String, Payload> {
        let payload = |seen: &Observed| Payload {
            seen: u64::from(seen.total()),
            schema: Box::new(infer::schema(seen, "")),
        };
        content.iter().map(|(media, seen)| (media.to_string(), payload(seen))).collect()
    };
    let responses = traffic
        .responses
        .iter()
        .map(|(status, answer)| {
            (*status, Response { seen: u64::from(answer.calls), content: payloads(&answer.content) })
        })
        .collect();
    let operation =
        traffic.operation.as_ref().map(|op| format!("{} {}", op.kind, op.name)).unwrap_or_default();
    Endpoint {
        id: ids::endpoint(&method, host, &template.anonymous(), &operation),
        method,
        scheme: if traffic.https > 0 { Scheme::Https } else { Scheme::Http },
        host: host.to_owned(),
        template,
        operation: traffic.operation.clone(),
        observed: u64::from(traffic.calls),
        declared: false,
        params,
        request: payloads(&traffic.request),
        request_required: traffic.bodies > 0 && traffic.bodies >= traffic.calls,
        responses,
        auth: traffic.auth.clone(),
        effect: Effect::Read,
        risk: Risk::Low,
        reasons: Vec::new(),
        declared_name: None,
        summary: None,
        flows: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
