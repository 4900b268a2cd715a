//! Two operations that are one endpoint: the same method and path, told apart only by query or fragment.

use crate::endpoint::{Endpoint, Param, Schema};

/// Lets an endpoint allow what either of the two allows.
pub fn into(known: &mut Endpoint, other: Endpoint) {
    for param in &mut known.params {
        let twin = other.params.iter().find(|twin| is_same(param, twin));
        match twin {
            Some(twin) => {
                param.required &= twin.required;
                widen(&mut param.schema, &twin.schema);
            }
            None => param.required = false,
        }
    }
    for mut param in other.params {
        if !known.params.iter().any(|twin| is_same(&param, twin)) {
            param.required = false;
            known.params.push(param);
        }
    }
    known.params.sort_by(|a, b| {
        (a.place, if a.place == crate::endpoint::Place::Path { "" } else { &a.name })
            .cmp(&(b.place, if b.place == crate::endpoint::Place::Path { "" } else { &b.name }))
    });
    for (media, payload) in other.request {
        match known.request.get_mut(&media) {
            Some(twin) => widen(&mut twin.schema, &payload.schema),
            None => {
                known.request.insert(media, payload);
            }
        }
    }
    known.request_required &= other.request_required;
    for (status, response) in other.responses {
        let twin = known.responses.entry(status).or_default();
        for (media, payload) in response.content {
            match twin.content.get_mut(&media) {
                Some(twin) => widen(&mut twin.schema, &payload.schema),
                None => {
                    twin.content.insert(media, payload);
                }
            }
        }
    }
    known.auth.extend(other.auth);
}

fn is_same(a: &Param, b: &Param) -> bool {
    a.place == b.place && a.name == b.name
}

fn widen(schema: &mut Schema, other: &Schema) {
    if schema == other {
        return;
    }
    let lists =
        Schema { values: Vec::new(), ..schema.clone() } == Schema { values: Vec::new(), ..other.clone() };
    if lists && !schema.values.is_empty() && !other.values.is_empty() {
        schema.values.extend(other.values.iter().cloned());
        schema.values.sort_by_key(ToString::to_string);
        schema.values.dedup();
    } else if schema.any_of.iter().all(|one| one != other) {
        let first = std::mem::take(schema);
        let mut any_of = if first.any_of.is_empty() || first.types != crate::endpoint::TypeSet::NONE {
            vec![first]
        } else {
            first.any_of
        };
        any_of.push(other.clone());
        *schema = Schema { any_of, ..Schema::default() };
    }
}
