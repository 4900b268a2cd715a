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

/// Takes from the trie all traffic whose path fits one of the templates; where several fit, the one with
/// the fewest parameters has it, then the one that is literal further left.
pub fn take(root: &mut Node, mut templates: Vec<Template>) -> Vec<Pinned> {
    let parameters = |template: &Template| -> Vec<bool> {
        template.segments().iter().map(|segment| matches!(segment, Segment::Param { .. })).collect()
    };
    templates.sort_by_cached_key(|template| {
        let shape = parameters(template);
        (shape.iter().filter(|param| **param).count(), shape, template.clone())
    });
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

fn walk(node: &mut Node, segments: &[Segment], values: &mut Vec<String>, taken: &mut Pinned) {
    let Some((segment, rest)) = segments.split_first() else {
        if node.ends.is_empty() {
            return;
        }
        for (end, traffic) in std::mem::take(&mut node.ends) {
            match taken.ends.get_mut(&end) {
                Some(mine) => mine.merge(traffic),
                None => {
                    taken.ends.insert(end, traffic);
                }
            }
        }
        node.calls = node.children.values().map(Node::calls).sum();
        for (slot, value) in taken.values.iter_mut().zip(values.iter()) {
            slot.add_text(value);
        }
        return;
    };
    match segment {
        Segment::Literal(text) => {
            if let Some(child) = node.children.get_mut(text.as_str()) {
                walk(child, rest, values, taken);
            }
        }
        Segment::Param { prefix, suffix, .. } => {
            for (name, child) in &mut node.children {
                let stem =
                    name.strip_prefix(prefix.as_str()).and_then(|stem| stem.strip_suffix(suffix.as_str()));
                if let Some(stem) = stem.filter(|stem| !stem.is_empty()) {
                    values.push(decode(stem));
                    walk(child, rest, values, taken);
                    values.pop();
                }
            }
        }
    }
    let ends: u64 = node.ends.values().map(|traffic| u64::from(traffic.calls)).sum();
    node.calls = ends + node.children.values().map(Node::calls).sum::<u64>();
    node.children.retain(|_, child| !child.ends.is_empty() || !child.children.is_empty());
}
