//! The baseline: endpoints as accepted. What a description declares and what traffic shows become one here.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::endpoint::schema::Property;
use crate::endpoint::{Endpoint, Param, Payload, Schema, TypeSet};

/// Declared and observed endpoints as one list, sorted by host, path, method and operation.
///
/// An observed endpoint on a declared template keeps the declared names; its traffic adds what the
/// description left out and what is really answered.
#[must_use]
pub fn merge(declared: Vec<Endpoint>, observed: Vec<Endpoint>) -> Vec<Endpoint> {
    let mut all: Vec<Endpoint> = Vec::with_capacity(declared.len() + observed.len());
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for endpoint in declared.into_iter().chain(observed) {
        match places.get(&endpoint.id).and_then(|at| all.get_mut(*at)) {
            None => {
                places.insert(endpoint.id.clone(), all.len());
                all.push(endpoint);
            }
            Some(known) => *known = join(known.clone(), &endpoint),
        }
    }
    sort(&mut all);
    all
}

/// The one order of endpoints in every artifact.
pub fn sort(endpoints: &mut [Endpoint]) {
    endpoints.par_sort_by_cached_key(|endpoint| {
        (
            endpoint.host.clone(),
            endpoint.template.to_string(),
            endpoint.method.clone(),
            endpoint.operation.as_ref().map(|operation| operation.name.clone()),
            endpoint.id.clone(),
        )
    });
}

fn join(mut one: Endpoint, other: &Endpoint) -> Endpoint {
    let trusted = one.declared || !other.declared;
    one.observed = one.observed.saturating_add(other.observed);
    one.declared |= other.declared;
    one.scheme = one.scheme.min(other.scheme);
    one.request_required =
        if one.declared && trusted { one.request_required } else { other.request_required };
    for param in &other.params {
        match one.params.iter_mut().find(|known| same(known, param)) {
            Some(known) => {
                known.required |= param.required && !trusted;
                known.seen = known.seen.saturating_add(param.seen);
                known.schema = union(&known.schema, &param.schema, 0);
            }
            None => {
                // a parameter that only traffic knows is not required by the description's callers
                let required = param.required && (other.declared || !one.declared);
                one.params.push(Param { required, ..param.clone() });
            }
        }
    }
    let order: Vec<String> = one.template.params().map(str::to_owned).collect();
    one.params.sort_by_key(|param| {
        (param.place, order.iter().position(|name| *name == param.name), param.name.clone())
    });
    contents(&mut one.request, &other.request);
    for (status, response) in &other.responses {
        let known = one.responses.entry(*status).or_default();
        known.seen = known.seen.saturating_add(response.seen);
        contents(&mut known.content, &response.content);
    }
    one.auth.extend(other.auth.iter().cloned());
    // two opinions: the worse one holds
    if other.risk > one.risk {
        one.effect = other.effect;
    }
    one.risk = one.risk.max(other.risk);
    one.reasons.extend(other.reasons.iter().cloned());
    one.reasons.sort();
    one.reasons.dedup();
    one.declared_name = one.declared_name.or_else(|| other.declared_name.clone());
    one.summary = one.summary.or_else(|| other.summary.clone());
    one.flows.extend(other.flows.iter().cloned());
    one.flows.sort();
    one.flows.dedup();
    one
}

fn same(one: &Param, other: &Param) -> bool {
    one.place == other.place && one.name == other.name
}

fn contents(one: &mut BTreeMap<String, Payload>, other: &BTreeMap<String, Payload>) {
    for (media, payload) in other {
        match one.get_mut(media) {
            Some(known) => {
                known.seen = known.seen.saturating_add(payload.seen);
                *known.schema = union(&known.schema, &payload.schema, 0);
            }
            None => {
                one.insert(media.clone(), payload.clone());
            }
        }
    }
}

/// What both know of one position: the first is the declared one where one is.
fn union(one: &Schema, other: &Schema, depth: usize) -> Schema {
    if depth > 40 || !one.any_of.is_empty() || !other.any_of.is_empty() {
        return one.clone();
    }
    let mut out = one.clone();
    out.seen = one.seen.saturating_add(other.seen);
    out.nulls = one.nulls.saturating_add(other.nulls);
    // nothing declared means anything, but what is seen is worth more than that
    out.types = one.types.with(other.types);
    if out.types.has(TypeSet::NUMBER) {
        out.types = out.types.without(TypeSet::INTEGER);
    }
    out.format = one.format.clone().or_else(|| other.format.clone());
    if !other.values.is_empty() && !out.values.is_empty() {
        for value in &other.values {
            if !out.values.contains(value) {
                out.values.push(value.clone());
            }
        }
        out.counts.clear();
    }
    for (name, property) in &other.properties {
        let merged = match out.properties.get(name) {
            Some(known) => Property {
                required: known.required && (property.of == 0 || property.required),
                seen: known.seen.saturating_add(property.seen),
                of: known.of.saturating_add(property.of),
                schema: Box::new(union(&known.schema, &property.schema, depth + 1)),
            },
            None => property.clone(),
        };
        out.properties.insert(name.clone(), merged);
    }
    // declared, but missing in objects that were seen: not always there after all
    if other.seen > 0 {
        for (name, property) in &mut out.properties {
            property.required &= other.properties.contains_key(name);
        }
    }
    out.items = inner(&one.items, &other.items, depth);
    out.additional = inner(&one.additional, &other.additional, depth);
    out.identifier |= other.identifier;
    out.redacted = one.redacted.clone().or_else(|| other.redacted.clone());
    out
}

fn inner(one: &Option<Box<Schema>>, other: &Option<Box<Schema>>, depth: usize) -> Option<Box<Schema>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(Box::new(union(one, other, depth + 1))),
        (one, other) => one.clone().or_else(|| other.clone()),
    }
}
