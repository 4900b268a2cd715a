//! Path templates from evidence.
//!
//! The concrete paths of a host form a trie. From the root down, [`mod@partition`] decides for the children
//! of each node which of them are literals and which are values of one parameter; the values' subtrees
//! are looked at as one place from there on, so that the levels below are decided on everything known of them.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::observed::{Observed, add_to};
use super::traffic::Traffic;

mod alike;
pub mod look;
pub mod param;
mod partition;
pub mod pin;
pub mod sketch;
pub mod words;

pub use alike::Compared;
use partition::{Choice, partition};

/// A node of the trie of concrete paths.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Node {
    /// By raw segment.
    pub children: BTreeMap<Box<str>, Node>,
    /// Operations that end here: by method, and GraphQL operation where there is one.
    pub ends: BTreeMap<Box<str>, Box<Traffic>>,
    /// Calls that ended here or below.
    calls: u64,
    /// How many of the children look like values.
    bare: usize,
    /// Once the values below are many: all of them as one child. What looks like a value and is one of
    /// that many is a value, so nothing is lost by merging early, and memory stays bounded.
    many: Option<Box<Many>>,
}

/// Values of one position, merged.
#[derive(Debug, Clone, Default, PartialEq)]
struct Many {
    node: Node,
    values: Observed,
    /// There were too many names: slugs are among the values too, those that come later as well.
    slugs: bool,
}

/// The name under which [`Many`] stands among the children of a node; no path has it.
const MANY: &str = "\0";
/// Children that look like values after which they are merged.
const MAX_VALUES: usize = 96;
/// Other children after which those that do not read like words of an API are merged too.
const MAX_NAMES: usize = 1_500;

/// One segment of a learned path.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Always this text.
    Literal(Box<str>),
    /// A parameter.
    Param {
        /// Literal text before the value.
        prefix: Box<str>,
        /// Literal text after the value.
        suffix: Box<str>,
        /// The look that most of them share.
        look: look::Look,
    },
}

impl Node {
    /// Adds the traffic of one call of `path`. Returns the JSON positions that were there already.
    pub fn add(&mut self, path: &str, end: &str, traffic: Traffic) -> usize {
        let path = path.strip_prefix('/').unwrap_or(path);
        let mut node = self;
        node.calls += u64::from(traffic.calls);
        for segment in path.split('/') {
            // Braces would read as a parameter once this is a template.
            let escaped =
                segment.contains(['{', '}']).then(|| segment.replace('{', "%7B").replace('}', "%7D"));
            node = node.child(escaped.as_deref().unwrap_or(segment));
            node.calls += u64::from(traffic.calls);
        }
        match node.ends.get_mut(end) {
            Some(mine) => {
                let weight = traffic.weight() * 9 / 10;
                mine.merge(traffic);
                weight
            }
            None => {
                node.ends.insert(end.into(), Box::new(traffic));
                0
            }
        }
    }

    /// The child of that segment, made if need be.
    fn child(&mut self, segment: &str) -> &mut Node {
        if !self.children.contains_key(segment) {
            if !self.folds(segment) {
                self.children.insert(segment.into(), Node::default());
                self.bare += usize::from(is_bare_value(segment));
                self.fold();
            }
            if self.folds(segment) {
                let many = self.many.get_or_insert_default();
                many.values.add_text(&decode(segment));
                return &mut many.node;
            }
        }
        self.children.entry(segment.into()).or_default()
    }

    /// Whether a segment goes to the merged values.
    fn folds(&self, segment: &str) -> bool {
        self.many.as_deref().is_some_and(|many| is_bare_value(segment) || (many.slugs && is_slug(segment)))
    }

    /// Merges the children that look like values once they are many. What is counted are distinct names of each sort,
    /// whenever they came: so it does not matter in which order, or in how many parts.
    fn fold(&mut self) {
        let slugs = self.many.as_deref().is_some_and(|many| many.slugs);
        if !slugs && self.children.len() - self.bare > MAX_NAMES {
            self.many.get_or_insert_default().slugs = true;
            self.fold_if(is_slug);
        }
        if self.bare > MAX_VALUES || (self.many.is_some() && self.bare > 0) {
            self.fold_if(is_bare_value);
            self.bare = 0;
        }
    }

    fn count_bare(&mut self) {
        self.bare = self.children.keys().filter(|segment| is_bare_value(segment)).count();
    }

    fn fold_if(&mut self, folds: impl Fn(&str) -> bool) {
        let (fold, keep) =
            std::mem::take(&mut self.children).into_iter().partition(|(segment, _)| folds(segment));
        self.children = keep;
        let fold: BTreeMap<Box<str>, Node> = fold;
        let many = self.many.get_or_insert_default();
        for (segment, child) in fold {
            many.values.add_text(&decode(&segment));
            many.node.merge_at(child, NEAR);
        }
    }

    /// Adds another trie.
    pub fn merge(&mut self, other: Node) {
        self.merge_at(other, 0);
    }

    fn merge_at(&mut self, mut other: Node, depth: usize) {
        self.calls += other.calls;
        if other.children.len() < WIDE || depth >= NEAR {
            for (segment, theirs) in other.children {
                match self.children.get_mut(&segment) {
                    Some(mine) => mine.merge_at(theirs, depth + 1),
                    None => drop(self.children.insert(segment, theirs)),
                }
            }
        } else {
            let both = self.children.iter_mut();
            let both = both.filter_map(|(segment, mine)| Some((mine, other.children.remove(segment)?)));
            let both: Vec<(&mut Node, Node)> = both.collect();
            both.into_par_iter().for_each(|(mine, theirs)| mine.merge_at(theirs, depth + 1));
            self.children.append(&mut other.children);
        }
        if let Some(theirs) = other.many {
            let mine = self.many.get_or_insert_default();
            mine.slugs |= theirs.slugs;
            mine.node.merge_at(theirs.node, depth + 1);
            mine.values.merge(theirs.values);
        }
        if other.bare > 0 {
            self.count_bare();
        }
        if self.many.as_deref().is_some_and(|many| many.slugs) {
            self.fold_if(is_slug);
        }
        self.fold();
        for (end, traffic) in other.ends {
            add_to(&mut self.ends, end, traffic, |mine, theirs| mine.merge(*theirs));
        }
    }

    /// All children by segment, the merged values under [`MANY`].
    fn branches(&self) -> impl Iterator<Item = (&str, &Node)> {
        let many = self.many.as_deref().map(|many| (MANY, &many.node));
        self.children.iter().map(|(segment, child)| (segment.as_ref(), child)).chain(many)
    }

    /// Drops what is empty and counts the calls that are left.
    fn recount(&mut self) {
        self.children.retain(|_, child| !child.is_empty());
        self.count_bare();
        if self.many.as_deref().is_some_and(|many| many.node.is_empty()) {
            self.many = None;
        }
        let ends: u64 = self.ends.values().map(|traffic| u64::from(traffic.calls)).sum();
        self.calls = ends + self.branches().map(|(_, child)| child.calls).sum::<u64>();
    }

    fn is_empty(&self) -> bool {
        self.ends.is_empty() && self.children.is_empty() && self.many.is_none()
    }

    /// Applies to all traffic at and below.
    pub fn each(&mut self, apply: &mut impl FnMut(&mut Traffic)) {
        self.ends.values_mut().for_each(|traffic| apply(traffic));
        let many = self.many.as_deref_mut().map(|many| &mut many.node);
        for child in self.children.values_mut().chain(many) {
            child.each(apply);
        }
    }

    /// Whether any traffic at or below has it.
    pub fn any(&self, has: &impl Fn(&Traffic) -> bool) -> bool {
        self.ends.values().any(|traffic| has(traffic)) || self.branches().any(|(_, child)| child.any(has))
    }

    /// Calls that ended here or below.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls
    }
}

/// What one look at a trie shows.
#[derive(Debug, Default)]
pub struct Learned {
    /// The path of every operation, as a template would have it; each once, in path order.
    pub paths: Vec<Vec<Part>>,
    /// The word-like values, each with the literal before it.
    pub values: Vec<(String, String)>,
}

/// What is known while a trie is learned.
#[derive(Debug, Clone, Copy)]
pub struct Known<'k, 't> {
    /// Of words, over all tries of a capture.
    pub words: &'k words::Words,
    /// Of its places.
    pub compared: &'k Compared<'t>,
}

/// Tells literals from values in all paths of a trie.
#[must_use]
pub fn learn<'t>(root: &'t Node, known: Known<'_, 't>) -> Learned {
    let mut learned = Learned::default();
    descend(&vec![root], &mut Vec::new(), known, &mut learned);
    learned
}

/// Branches from which on they are looked at apart, on all cores.
const WIDE: usize = 4;
/// Segments below which everything is done in one thread: who waits for others takes up other work meanwhile, on top
/// of its own stack, and paths can be two hundred segments deep.
pub(super) const NEAR: usize = 8;

/// The members of a parameter are looked at as one place; nothing is merged or copied.
fn descend<'t>(place: &alike::View<'t>, path: &mut Vec<Part>, known: Known<'_, 't>, learned: &mut Learned) {
    if place.iter().any(|node| !node.ends.is_empty()) {
        learned.paths.push(path.clone());
    }
    let choices = partition(place, path, known);
    if choices.len() < WIDE || path.len() >= NEAR {
        choices.into_iter().for_each(|choice| follow(choice, path, known, learned));
        return;
    }
    // one at a time: a few of them have most of what is below
    let branches = choices.into_par_iter().with_max_len(1).map(|choice| {
        let mut below = Learned::default();
        follow(choice, &mut path.clone(), known, &mut below);
        below
    });
    for mut below in branches.collect::<Vec<_>>() {
        learned.paths.append(&mut below.paths);
        learned.values.append(&mut below.values);
    }
}

/// Goes on below one choice.
fn follow<'t>(
    (choice, below): (Choice, alike::View<'t>),
    path: &mut Vec<Part>,
    known: Known<'_, 't>,
    learned: &mut Learned,
) {
    let part = match choice {
        Choice::Literal(segment) => Part::Literal(segment),
        Choice::Param { prefix, suffix, members } => {
            let stems = || members.iter().map(|segment| stem(segment, &prefix, &suffix));
            if let Some(Part::Literal(before)) = path.last() {
                let named = stems().filter(|stem| !look::look(stem).is_value());
                learned.values.extend(named.map(|stem| (before.to_string(), stem.to_owned())));
            }
            Part::Param { look: param::common_look(stems()), prefix, suffix }
        }
    };
    path.push(part);
    descend(&below, path, known, learned);
    path.pop();
}

/// Whether a segment, without anything around it, looks like a value.
fn is_bare_value(segment: &str) -> bool {
    look::look(segment).is_value() && partition::decoration(segment).1 == segment
}

fn is_slug(segment: &str) -> bool {
    look::look(segment) == look::Look::Slug
}

fn stem<'s>(segment: &'s str, prefix: &str, suffix: &str) -> &'s str {
    let stem = segment.strip_prefix(prefix).unwrap_or(segment);
    stem.strip_suffix(suffix).unwrap_or(stem)
}

/// Percent-decoding (RFC 3986, 2.1); what does not decode to UTF-8 stays as it is.
#[must_use]
pub fn decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        if let (b'%', [high, low, after @ ..]) = (first, tail)
            && let (Some(high), Some(low)) = ((*high as char).to_digit(16), (*low as char).to_digit(16))
            && let Ok(byte) = u8::try_from(high * 16 + low)
        {
            out.push(byte);
            rest = after;
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trie(names: &[String]) -> Node {
        let mut root = Node::default();
        for name in names {
            root.add(&format!("/{name}"), "GET", Traffic { calls: 1, ..Traffic::default() });
        }
        root
    }

    /// The words, and whether there is more; what is merged has the calls of the others.
    fn kept(root: &Node) -> (Vec<&str>, u64, Option<u64>) {
        let names = root.children.keys().map(AsRef::as_ref).collect();
        (names, root.calls, root.many.as_deref().map(|many| many.node.ends["GET"].calls.into()))
    }

    #[test]
    fn names_are_merged_whenever_and_wherever_they_came() {
        for (slugs, numbers) in [(1_600, 0), (1_490, 90), (1_490, 97), (1_600, 40), (90, 50)] {
            let mut names: Vec<String> = (0..slugs).map(|n| format!("red-fox-{n}-of-them")).collect();
            names.extend((0..numbers).map(|n| (7_000 + n).to_string()));
            names.push("summary".to_owned());
            assert!(is_slug(&names[0]), "{}", names[0]);
            let whole = trie(&names);
            assert_eq!(whole.many.is_some(), slugs >= MAX_NAMES || numbers > MAX_VALUES);
            let mut backwards = names.clone();
            backwards.reverse();
            assert_eq!(kept(&trie(&backwards)), kept(&whole));
            for cut in [1, 40, 800, 1_550].map(|cut| cut.min(names.len())) {
                let (left, right) = names.split_at(cut);
                let mut parts = trie(right);
                parts.merge(trie(left));
                assert_eq!(kept(&parts), kept(&whole), "cut at {cut}");
                // and later ones go the same way
                for node in [&mut parts.clone(), &mut whole.clone()] {
                    node.add("/blue-bird-that-came-later", "GET", Traffic::default());
                    assert_eq!(node.children.contains_key("blue-bird-that-came-later"), slugs < MAX_NAMES);
                }
            }
        }
    }
}
