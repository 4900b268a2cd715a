//! How alike two places of the trie are: do they offer the same operations, and do those answer alike?
//!
//! Every comparison returns agreement and contradiction, each a sum of small weights, so that "nothing
//! to compare" (0, 0) is told from "compared and different".

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::AddAssign;

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

/// Compares the operations offered at and below two places, and their answers.
pub fn places(a: &View<'_>, b: &View<'_>, depth: usize) -> Likeness {
    let mut sum = Likeness::default();
    if depth > MAX_DEPTH {
        return sum;
    }
    let (calls_a, calls_b) = (calls(a), calls(b));
    let ends: BTreeSet<&str> =
        a.iter().chain(b).flat_map(|node| node.ends.keys()).map(AsRef::as_ref).collect();
    for end in ends {
        let (left, right) = (traffic(a, end), traffic(b, end));
        if left.is_empty() || right.is_empty() {
            let (n, others) = if left.is_empty() { (seen(&right), calls_a) } else { (seen(&left), calls_b) };
            let here = if left.is_empty() { calls_b } else { calls_a };
            sum.differ += surprise(n, here, others);
        } else {
            sum.shared += 1.0;
            let answers = answers(&left, &right);
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
    }
    let names: BTreeSet<&str> =
        a.iter().chain(b).flat_map(|node| node.branches()).map(|(name, _)| name).collect();
    let (mut only_a, mut only_b): (View<'_>, View<'_>) = (Vec::new(), Vec::new());
    let mut alone = Likeness::default();
    for name in names {
        let (left, right) = (child(a, name), child(b, name));
        if !left.is_empty() && !right.is_empty() {
            sum += places(&left, &right, depth + 1);
        } else {
            let (mine, here, others) =
                if left.is_empty() { (&right, calls_b, calls_a) } else { (&left, calls_a, calls_b) };
            if look(name) == Look::Word || look(name) == Look::Code {
                alone.differ += surprise(calls(mine) as u32, here, others).min(1.0);
            }
            if left.is_empty() {
                only_b.extend(right);
            } else {
                only_a.extend(left);
            }
        }
    }
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

pub fn calls(view: &View<'_>) -> u64 {
    view.iter().map(|node| node.calls()).sum()
}

fn seen(side: &[&Traffic]) -> u32 {
    side.iter().map(|traffic| traffic.calls).sum()
}

fn traffic<'a>(view: &View<'a>, end: &str) -> Vec<&'a Traffic> {
    view.iter().filter_map(|node| node.ends.get(end).map(AsRef::as_ref)).collect()
}

fn child<'a>(view: &View<'a>, name: &str) -> View<'a> {
    view.iter().filter_map(|node| node.branch(name)).collect()
}
