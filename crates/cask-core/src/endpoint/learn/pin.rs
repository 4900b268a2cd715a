//! Paths that fit templates already accepted are taken out of the trie before anything is inferred:
//! better inference never moves what was approved.

use std::collections::BTreeMap;

use crate::endpoint::observed::{Observed, add_to};
use crate::endpoint::traffic::Traffic;
use crate::endpoint::{Endpoint, Place, Segment, Template, TypeSet};

use super::look::{Look, look};
use super::{Node, decode};

/// A template with what is known of its parameters' values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pin {
    /// The template.
    pub template: Template,
    /// For each parameter what its values are known to be.
    pub kinds: Vec<Kind>,
}

/// What the values of an accepted parameter have been so far. A word where only numbers went is another
/// operation, not a new value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Whole numbers only.
    Number,
    /// UUIDs only.
    Uuid,
    /// Anything.
    Any,
}

impl Kind {
    fn fits(self, value: &str) -> bool {
        let seen = look(value);
        match self {
            Kind::Any => true,
            // Only what reads like the API's own words is told apart; other identifiers may be new styles.
            Kind::Number | Kind::Uuid => {
                !matches!(seen, Look::Word | Look::Code | Look::Keyword | Look::Slug)
            }
        }
    }
}

impl Pin {
    /// The pin of an accepted endpoint.
    #[must_use]
    pub fn of(endpoint: &Endpoint) -> Self {
        let kind = |name: &str| {
            let schema = endpoint
                .params
                .iter()
                .find(|param| param.place == Place::Path && param.name == name)
                .map(|param| &param.schema);
            match schema {
                Some(schema) if endpoint.observed > 0 && schema.types == TypeSet::INTEGER => Kind::Number,
                Some(schema) if endpoint.observed > 0 && schema.format.as_deref() == Some("uuid") => {
                    Kind::Uuid
                }
                _ => Kind::Any,
            }
        };
        Self { kinds: endpoint.template.params().map(kind).collect(), template: endpoint.template.clone() }
    }

    /// The pin of a template of which nothing more is known.
    #[must_use]
    pub fn any(template: Template) -> Self {
        Self { kinds: template.params().map(|_| Kind::Any).collect(), template }
    }

    /// The decoded values of a path that fits.
    #[must_use]
    pub fn values(&self, path: &str) -> Option<Vec<String>> {
        let values = self.template.captures(path)?;
        values
            .iter()
            .zip(&self.kinds)
            .all(|(value, kind)| kind.fits(value))
            .then(|| values.into_iter().map(decode).collect())
    }
}

/// What one pinned template took.
#[derive(Debug, Clone)]
pub struct Pinned {
    /// The template, with its parameter names.
    pub template: Template,
    /// Traffic by end.
    pub ends: BTreeMap<Box<str>, Traffic>,
    /// The parameters' values, from left to right, each distinct value once.
    pub values: Vec<Observed>,
}

/// Where several templates fit a path, the one with the least rank has it: the fewest parameters, then
/// literal further left.
pub fn rank(pin: &Pin) -> (usize, Vec<bool>, Pin) {
    let shape: Vec<bool> =
        pin.template.segments().iter().map(|segment| matches!(segment, Segment::Param { .. })).collect();
    (shape.iter().filter(|param| **param).count(), shape, pin.clone())
}

/// Takes from the trie all traffic whose path fits one of the templates, by [`rank`].
pub fn take(root: &mut Node, mut pins: Vec<Pin>) -> Vec<Pinned> {
    pins.sort_by_cached_key(rank);
    pins.into_iter()
        .filter_map(|Pin { template, kinds }| {
            let mut taken = Pinned {
                values: vec![Observed::default(); template.params().count()],
                ends: BTreeMap::new(),
                template,
            };
            let segments = taken.template.segments().to_vec();
            walk(root, &segments, &kinds, &mut Vec::new(), &mut taken);
            (!taken.ends.is_empty()).then_some(taken)
        })
        .collect()
}

/// Takes what is at and below a node; whether there was anything.
fn walk(
    node: &mut Node,
    segments: &[Segment],
    kinds: &[Kind],
    values: &mut Vec<String>,
    taken: &mut Pinned,
) -> bool {
    let Some((segment, rest)) = segments.split_first() else {
        let found = !node.ends.is_empty();
        for (end, traffic) in std::mem::take(&mut node.ends) {
            add_to(&mut taken.ends, end, traffic, Traffic::merge);
        }
        if found {
            let texts = taken.values.iter_mut().zip(values.iter()).filter(|(_, value)| !value.is_empty());
            texts.for_each(|(slot, value)| slot.add_text(value));
        }
        node.recount();
        return found;
    };
    let mut found = false;
    match segment {
        Segment::Literal(text) => {
            if let Some(child) = node.children.get_mut(text.as_str()) {
                found = walk(child, rest, kinds, values, taken);
            }
        }
        Segment::Param { prefix, suffix, .. } => {
            for (name, child) in &mut node.children {
                let stem =
                    name.strip_prefix(prefix.as_str()).and_then(|stem| stem.strip_suffix(suffix.as_str()));
                let kind = kinds.get(values.len()).copied().unwrap_or(Kind::Any);
                if let Some(stem) = stem.filter(|stem| !stem.is_empty() && kind.fits(stem)) {
                    values.push(decode(stem));
                    found |= walk(child, rest, kinds, values, taken);
                    values.pop();
                }
            }
            if prefix.is_empty()
                && suffix.is_empty()
                && let Some(many) = &mut node.many
            {
                let slot = values.len();
                // The merged values are added as a whole; the empty text marks their place.
                values.push(String::new());
                let taken_here = walk(&mut many.node, rest, kinds, values, taken);
                values.pop();
                if let Some(slot) = taken.values.get_mut(slot).filter(|_| taken_here) {
                    slot.merge(many.values.clone());
                }
                found |= taken_here;
            }
        }
    }
    node.recount();
    found
}
