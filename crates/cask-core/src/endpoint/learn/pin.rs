//! Paths that fit templates already accepted are taken out of the trie before anything is inferred:
//! better inference never moves what was approved.

use std::collections::BTreeMap;

use crate::endpoint::observed::Observed;
use crate::endpoint::traffic::Traffic;
use crate::endpoint::{Segment, Template};

use super::{Node, decode};

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
pub fn rank(template: &Template) -> (usize, Vec<bool>, Template) {
    let shape: Vec<bool> =
        template.segments().iter().map(|segment| matches!(segment, Segment::Param { .. })).collect();
    (shape.iter().filter(|param| **param).count(), shape, template.clone())
}

/// Takes from the trie all traffic whose path fits one of the templates, by [`rank`].
pub fn take(root: &mut Node, mut templates: Vec<Template>) -> Vec<Pinned> {
    templates.sort_by_cached_key(rank);
    templates.dedup_by(|a, b| a.anonymous() == b.anonymous());
    templates
        .into_iter()
        .filter_map(|template| {
            let mut taken = Pinned {
                values: vec![Observed::default(); template.params().count()],
                ends: BTreeMap::new(),
                template,
            };
            let segments = taken.template.segments().to_vec();
            walk(root, &segments, &mut Vec::new(), &mut taken);
            (!taken.ends.is_empty()).then_some(taken)
        })
        .collect()
}

/// Takes what is at and below a node; whether there was anything.
fn walk(node: &mut Node, segments: &[Segment], values: &mut Vec<String>, taken: &mut Pinned) -> bool {
    let Some((segment, rest)) = segments.split_first() else {
        let found = !node.ends.is_empty();
        for (end, traffic) in std::mem::take(&mut node.ends) {
            match taken.ends.get_mut(&end) {
                Some(mine) => mine.merge(traffic),
                None => {
                    taken.ends.insert(end, traffic);
                }
            }
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
                found = walk(child, rest, values, taken);
            }
        }
        Segment::Param { prefix, suffix, .. } => {
            for (name, child) in &mut node.children {
                let stem =
                    name.strip_prefix(prefix.as_str()).and_then(|stem| stem.strip_suffix(suffix.as_str()));
                if let Some(stem) = stem.filter(|stem| !stem.is_empty()) {
                    values.push(decode(stem));
                    found |= walk(child, rest, values, taken);
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
                let taken_here = walk(&mut many.node, rest, values, taken);
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
