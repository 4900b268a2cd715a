//! The mergeable summary of a service's traffic, and the endpoints it shows.

use std::collections::BTreeMap;

use crate::capture::{Body, Exchange, Scheme};
use crate::endpoint::learn::words::{Values, Words};
use crate::endpoint::learn::{Learned, Node, Part, decode, learn};
use crate::endpoint::traffic::Traffic;
use crate::endpoint::{Effect, Endpoint, Param, Payload, Place, Response, Risk, Segment, Template};
use crate::ids;
use crate::redact::Redacted;

use super::observed::Observed;
use super::{graphql, infer};

/// Everything remembered of a set of exchanges. Order-free: any split and any order of the same
/// exchanges, merged, is the same summary.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// Tries of concrete paths by host.
    hosts: BTreeMap<Box<str>, Node>,
    /// Identifiers that answers carried: what is answered as a value and asked in a path is a parameter.
    values: Values,
}

impl Summary {
    /// Nothing seen yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one exchange.
    pub fn observe(&mut self, exchange: &Redacted<Exchange<'_>>) {
        let exchange = exchange.get();
        let call = graphql::call(exchange);
        let end = match &call {
            Some(call) => format!("{} {} {}", exchange.method, call.operation.kind, call.operation.name),
            None => exchange.method.clone(),
        };
        if let Body::Json(answer) = &exchange.response.body {
            self.values.add(answer);
        }
        let traffic = Traffic::of(exchange, call);
        let mut single = Node::default();
        single.ends.insert(end.into(), traffic);
        self.hosts.entry(exchange.host.as_str().into()).or_default().at(&exchange.path).merge(single);
    }

    /// Adds everything another summary has seen.
    pub fn merge(&mut self, other: Summary) {
        self.values.merge(other.values);
        for (host, node) in other.hosts {
            match self.hosts.get_mut(&host) {
                Some(mine) => mine.merge(node),
                None => {
                    self.hosts.insert(host, node);
                }
            }
        }
    }

    /// The endpoints, sorted by host, path and method. Exchanges that fit a pinned endpoint belong
    /// to it; only the rest is inferred.
    #[must_use]
    pub fn endpoints(&self, _pinned: &[Endpoint]) -> Vec<Endpoint> {
        let mut out = Vec::new();
        let mut words = Words::with(&self.values);
        for root in self.hosts.values() {
            words.add(root);
        }
        for (host, root) in &self.hosts {
            out.extend(learn(root.clone(), &words).into_iter().map(|learned| endpoint(host, learned)));
        }
        out.sort_by(|a, b| {
            (&a.host, &a.template, &a.method, &a.id).cmp(&(&b.host, &b.template, &b.method, &b.id))
        });
        out
    }
}

fn endpoint(host: &str, learned: Learned) -> Endpoint {
    let Learned { parts, end, traffic } = learned;
    let method = end.split(' ').next().unwrap_or_default().to_owned();
    let (template, mut params) = name_params(parts, traffic.calls);
    params.extend(traffic.query.iter().map(|(name, query)| Param {
        name: name.to_string(),
        place: Place::Query,
        required: query.calls >= traffic.calls,
        seen: u64::from(query.calls),
        style: String::new(),
        explode: None,
        schema: if query.repeated > 0 {
            crate::endpoint::Schema {
                types: crate::endpoint::TypeSet::ARRAY,
                seen: u64::from(query.calls),
                items: Some(Box::new(infer::text_schema(&query.values, name))),
                ..Default::default()
            }
        } else {
            infer::text_schema(&query.values, name)
        },
    }));
    let payload = |observed: &Observed, text: bool| Payload {
        seen: u64::from(observed.total()),
        schema: if text { infer::text_schema(observed, "") } else { infer::schema(observed, "") },
    };
    let request =
        traffic.request.iter().map(|(media, seen)| (media.to_string(), payload(seen, false))).collect();
    let responses = traffic
        .responses
        .iter()
        .map(|(status, answer)| {
            let content = answer
                .content
                .iter()
                .map(|(media, seen)| (media.to_string(), payload(seen, false)))
                .collect();
            (*status, Response { seen: u64::from(answer.calls), content })
        })
        .collect();
    let operation_key =
        traffic.operation.as_ref().map(|op| format!("{} {}", op.kind, op.name)).unwrap_or_default();
    Endpoint {
        id: ids::endpoint(&method, host, &template.anonymous(), &operation_key),
        method,
        scheme: if traffic.https > 0 { Scheme::Https } else { Scheme::Http },
        host: host.to_owned(),
        template,
        operation: traffic.operation.clone(),
        observed: u64::from(traffic.calls),
        declared: false,
        params,
        request,
        request_required: traffic.bodies >= traffic.calls,
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

/// Names the parameters for what they identify and makes the template.
fn name_params(parts: Vec<Part>, calls: u32) -> (Template, Vec<Param>) {
    let mut segments = Vec::new();
    let mut params: Vec<Param> = Vec::new();
    for (i, part) in parts.iter().enumerate() {
        match part {
            Part::Literal(text) => segments.push(Segment::Literal(text.to_string())),
            Part::Param { prefix, suffix, values } => {
                let before = parts.get(..i).unwrap_or_default().iter().rev().find_map(|part| match part {
                    Part::Literal(text) => Some(decode(text)),
                    Part::Param { .. } => None,
                });
                let schema = infer::text_schema(values, "id");
                let base = format!("{}_id", before.unwrap_or_else(|| "item".to_owned()));
                let mut name = base.clone();
                let mut n = 2;
                while params.iter().any(|param| param.name == name) {
                    name = format!("{base}_{n}");
                    n += 1;
                }
                segments.push(Segment::Param {
                    prefix: prefix.to_string(),
                    name: name.clone(),
                    suffix: suffix.to_string(),
                });
                params.push(Param {
                    name,
                    place: Place::Path,
                    required: true,
                    seen: u64::from(calls),
                    style: String::new(),
                    explode: None,
                    schema,
                });
            }
        }
    }
    (Template::new(segments), params)
}
