//! How alike two places of the trie are: do they offer the same operations, and do those answer alike?
//!
//! Every comparison returns agreement and contradiction, each a sum of small weights, so that "nothing
//! to compare" (0, 0) is told from "compared and different".

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;
use std::ops::AddAssign;
use std::sync::{Mutex, PoisonError};

use crate::endpoint::traffic::Traffic;

use super::Node;
use super::look::{Look, look};
use super::sketch::Sketch;

/// Several nodes seen as one, without merging them.
pub type View<'a> = Vec<&'a Node>;

/// Weighed evidence for and against "the same thing".
#[derive(Debug, Clone, Copy, Default)]
pub struct Likeness {
    /// What both have.
    pub agree: f64,
    /// What one has and the other should have if it were the same.
    pub differ: f64,
    /// Operations that both offer.
    pub shared: f64,
}

impl Likeness {
    /// Share of the evidence that agrees; `None` where there is next to none.
    pub fn share(self) -> Option<f64> {
        let all = self.agree + self.differ;
        (all > 0.3).then(|| self.agree / all)
    }

    fn times(self, weight: f64) -> Self {
        Self { agree: self.agree * weight, differ: self.differ * weight, shared: self.shared }
    }
}

impl AddAssign for Likeness {
    fn add_assign(&mut self, other: Self) {
        self.agree += other.agree;
        self.differ += other.differ;
        self.shared += other.shared;
    }
}

const MAX_DEPTH: usize = 8;

/// Comparisons remembered at most; one takes up to half a kilobyte.
const MAX_COMPARED: usize = 8_192;

/// What was compared already: a trie is learned several times, each time with more known of its words, and most of its
/// places are compared each time anew.
///
/// Nodes are told apart by their addresses, which no other node can have while `'t` lasts: that must not be made shorter.
#[derive(Debug, Default)]
pub struct Compared<'t> {
    known: Mutex<BTreeMap<Box<[usize]>, Likeness>>,
    nodes: PhantomData<fn(&'t Node) -> &'t Node>,
}

impl<'t> Compared<'t> {
    /// As [`places`].
    pub fn places(&self, a: &[&'t Node], b: &[&'t Node]) -> Likeness {
        let address = |node: &&'t Node| std::ptr::from_ref::<Node>(node).addr();
        // no node is at 0
        let key: Box<[usize]> = a.iter().map(address).chain([0]).chain(b.iter().map(address)).collect();
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known().get(&key).copied() {
            return found;
        }
        let found = places(a, b, 0);
        let mut known = known();
        if known.len() < MAX_COMPARED {
            known.insert(key, found);
        }
        found
    }
}

/// Compares the operations offered at and below two places, and their answers.
fn places<'a>(a: &[&'a Node], b: &[&'a Node], depth: usize) -> Likeness {
    let mut sum = Likeness::default();
    if depth > MAX_DEPTH {
        return sum;
    }
    let (calls_a, calls_b) = (calls(a), calls(b));
    let ends = |node: &'a Node| node.ends.iter().map(|(end, traffic)| (end.as_ref(), traffic.as_ref()));
    sides(a, b, ends, |_, left, right| {
        if left.is_empty() || right.is_empty() {
            let (n, others) = if left.is_empty() { (seen(right), calls_a) } else { (seen(left), calls_b) };
            let here = if left.is_empty() { calls_b } else { calls_a };
            sum.differ += surprise(n, here, others);
        } else {
            sum.shared += 1.0;
            let answers = answers(left, right);
            match answers.share() {
                Some(share) => {
                    sum.agree += share;
                    sum.differ += 1.0 - share;
                }
                // Answers without content neither prove nor disprove.
                None => {
                    sum.agree += 0.5;
                    sum.differ += 0.5;
                }
            }
        }
    });
    let (mut only_a, mut only_b): (View<'_>, View<'_>) = (Vec::new(), Vec::new());
    let mut alone = Likeness::default();
    sides(a, b, Node::branches, |name, left, right| {
        if !left.is_empty() && !right.is_empty() {
            sum += places(left, right, depth + 1);
        } else {
            let (mine, here, others) =
                if left.is_empty() { (right, calls_b, calls_a) } else { (left, calls_a, calls_b) };
            if matches!(look(name), Look::Word | Look::Code) {
                alone.differ += surprise(calls(mine) as u32, here, others).min(1.0);
            }
            only_a.extend(left);
            only_b.extend(right);
        }
    });
    if !only_a.is_empty() && !only_b.is_empty() {
        // Different names on both sides: perhaps values of one parameter, perhaps different things.
        let as_values = places(&only_a, &only_b, depth + 1);
        match as_values.share() {
            Some(share) if share > 0.5 => sum += as_values.times(0.8),
            _ => sum += alone,
        }
    } else {
        sum += alone;
    }
    sum
}

/// How surprising it is that the other side, with `others` calls, has none of what this side had `n` times
/// in `here` calls, if both offered it alike. Between 0 and 1.
fn surprise(n: u32, here: u64, others: u64) -> f64 {
    let rate = f64::from(n) / (here as f64 + 1.0);
    let chance = 1.0 - (1.0 - rate.min(0.95)).powf(others as f64);
    // Each call shows one operation only, so what was likelier missed than seen counts for nothing.
    ((chance - 0.5) * 2.0).max(0.0)
}

/// Compares bodies of successful answers and of requests.
fn answers(a: &[&Traffic], b: &[&Traffic]) -> Likeness {
    let mut sum = Likeness::default();
    fn merged<'t>(side: &[&'t Traffic], pick: fn(&Traffic) -> &Sketch) -> Cow<'t, Sketch> {
        let mut all = side.iter().map(|traffic| pick(traffic)).filter(|sketch| sketch.bodies > 0);
        let mut sum = all.next().map_or_else(|| Cow::Owned(Sketch::default()), Cow::Borrowed);
        all.for_each(|sketch| sum.to_mut().merge(sketch));
        sum
    }
    let mut compare = |left: &Sketch, right: &Sketch| {
        let (agree, differ) = left.compare(right);
        sum += Likeness { agree, differ, shared: 0.0 };
    };
    compare(&merged(a, |traffic| &traffic.answered), &merged(b, |traffic| &traffic.answered));
    let (left, right) = (merged(a, |traffic| &traffic.asked), merged(b, |traffic| &traffic.asked));
    compare(&left, &right);
    if (left.bodies > 0) != (right.bodies > 0) {
        sum.differ += 1.0;
    }
    fn queries<'t>(side: &[&'t Traffic]) -> BTreeSet<&'t str> {
        side.iter().flat_map(|traffic| traffic.query.keys()).map(AsRef::as_ref).collect()
    }
    let left = queries(a);
    if !left.is_empty() {
        sum.agree += 0.3 * left.intersection(&queries(b)).count() as f64;
    }
    sum
}

/// Every name that nodes of either side have, in order, with what each side has under it. All of it is laid out and
/// sorted once: looking each name up in each node takes several times as long.
fn sides<'a, T: Copy, I: Iterator<Item = (&'a str, T)>>(
    a: &[&'a Node],
    b: &[&'a Node],
    of: impl Fn(&'a Node) -> I,
    mut found: impl FnMut(&'a str, &[T], &[T]),
) {
    let mut all: Vec<(&str, bool, T)> = Vec::new();
    for (right, nodes) in [(false, a), (true, b)] {
        nodes.iter().for_each(|node| all.extend(of(node).map(|(name, what)| (name, right, what))));
    }
    all.sort_by_key(|(name, ..)| *name);
    let (mut lefts, mut rights) = (Vec::new(), Vec::new());
    for same in all.chunk_by(|(one, ..), (other, ..)| one == other) {
        let Some((name, ..)) = same.first() else { continue };
        lefts.clear();
        rights.clear();
        for (_, right, what) in same {
            if *right { rights.push(*what) } else { lefts.push(*what) }
        }
        found(name, &lefts, &rights);
    }
}

pub fn calls(view: &[&Node]) -> u64 {
    view.iter().map(|node| node.calls()).sum()
}

fn seen(side: &[&Traffic]) -> u32 {
    side.iter().map(|traffic| traffic.calls).sum()
}
