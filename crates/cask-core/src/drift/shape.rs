//! Whether two schemas describe the same thing under different names.

use std::collections::BTreeSet;

use crate::endpoint::{Endpoint, Schema, TypeSet};

/// Types without `null`, and without `integer` where fractions were seen: what two sides are compared by.
pub(super) fn types(schema: &Schema) -> TypeSet {
    let types = schema.types.without(TypeSet::NULL);
    if types.has(TypeSet::NUMBER) { types.without(TypeSet::INTEGER) } else { types }
}

/// Whether any type is in both sets. A whole number is a number.
pub(super) fn overlap(a: TypeSet, b: TypeSet) -> bool {
    let wide = |types: TypeSet| {
        if types.has(TypeSet::INTEGER) || types.has(TypeSet::NUMBER) {
            types.with(TypeSet::INTEGER).with(TypeSet::NUMBER)
        } else {
            types
        }
    };
    let (a, b) = (wide(a), wide(b));
    a.without(b) != a
}

/// Whether a field of one schema could be a field of the other under a new name.
pub(super) fn alike(a: &Schema, b: &Schema) -> bool {
    let (ta, tb) = (types(a), types(b));
    if !ta.is_empty() && !tb.is_empty() && !overlap(ta, tb) {
        return false;
    }
    if let (Some(a), Some(b)) = (&a.format, &b.format)
        && a != b
    {
        return false;
    }
    let names = |schema: &Schema| schema.properties.keys().cloned().collect::<BTreeSet<_>>();
    if jaccard(&names(a), &names(b)) < 0.5 {
        return false;
    }
    match (&a.items, &b.items) {
        (Some(a), Some(b)) => alike(a, b),
        _ => true,
    }
}

/// Whether one name could have come from the other: equal but for case and separators, or one inside the other,
/// or a shared word.
pub(super) fn akin(a: &str, b: &str) -> bool {
    let words = |name: &str| {
        let mut words = BTreeSet::new();
        let mut word = String::new();
        for c in name.chars() {
            if !c.is_alphanumeric() || c.is_uppercase() && word.chars().last().is_some_and(char::is_lowercase)
            {
                words.insert(std::mem::take(&mut word));
            }
            word.extend(c.to_lowercase().filter(|c| c.is_alphanumeric()));
        }
        words.insert(word);
        words.remove("");
        words
    };
    let (a, b) = (words(a), words(b));
    let flat = |words: &BTreeSet<String>| words.iter().map(String::as_str).collect::<String>();
    !a.is_disjoint(&b) || flat(&a).contains(&flat(&b)) || flat(&b).contains(&flat(&a))
}

/// The names of an endpoint's successful answers, two levels deep: what tells one endpoint from another.
pub(super) fn fingerprint(endpoint: &Endpoint) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (_, response) in endpoint.responses.iter().filter(|(status, _)| **status < 400) {
        for payload in response.content.values() {
            collect(&payload.schema, "", 3, &mut names);
        }
    }
    names
}

fn collect(schema: &Schema, prefix: &str, depth: usize, names: &mut BTreeSet<String>) {
    if depth == 0 {
        return;
    }
    for (name, property) in &schema.properties {
        let path = format!("{prefix}/{name}");
        collect(&property.schema, &path, depth - 1, names);
        names.insert(path);
    }
    if let Some(items) = &schema.items {
        collect(items, &format!("{prefix}/*"), depth, names);
    }
}

/// How much two sets have in common, from 0 to 1; two empty sets are the same.
#[allow(clippy::cast_precision_loss, reason = "sizes of name sets")]
pub(super) fn jaccard(a: &BTreeSet<String>, b: &BTreeSet<String>) -> f64 {
    let all = a.union(b).count();
    if all == 0 { 1.0 } else { a.intersection(b).count() as f64 / all as f64 }
}
