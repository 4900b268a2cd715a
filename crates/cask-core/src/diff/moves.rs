//! What moved as a whole: all tools of a host to another host, all tools below a path to below another one. It is said
//! once, and not again for every tool.

use std::collections::{BTreeMap, BTreeSet};

use super::rules as r;
use super::{Found, host_id, listed, pair::Pair};
use crate::endpoint::{Segment, Template};
use crate::toolpack::{Binding, HttpBinding, Tool};

/// Fewer tools are no whole.
const MANY: usize = 3;

/// The moves between two toolpacks.
#[derive(Debug, Default)]
pub(super) struct Moves<'s> {
    /// From which host to which, with the tools.
    hosts: BTreeMap<(&'s str, &'s str), Vec<&'s str>>,
    /// On which host of before, from which prefix to which, with the tools.
    paths: BTreeMap<(&'s str, String, String), Vec<&'s str>>,
}

/// A tool that is on both sides.
#[derive(Clone, Copy)]
struct Both<'s> {
    name: &'s str,
    was: &'s HttpBinding,
    is: &'s HttpBinding,
}

/// Finds the moves.
pub(super) fn find<'s>(pairs: &[Pair<'s>]) -> Moves<'s> {
    let both: Vec<Both<'s>> = pairs.iter().filter_map(both).collect();
    let mut moves = Moves::default();
    for &Both { name, was, is } in &both {
        if was.host != is.host {
            moves.hosts.entry((was.host.as_str(), is.host.as_str())).or_default().push(name);
        }
        if let Some((from, to)) = prefixes(&was.path, &is.path) {
            moves.paths.entry((was.host.as_str(), from, to)).or_default().push(name);
        }
    }
    moves.hosts.retain(|_, tools| tools.len() >= MANY);
    moves.paths.retain(|_, tools| tools.len() >= MANY);
    let (on, below) = totals(&both, &moves);
    moves.hosts.retain(|(from, _), tools| on.get(from) == Some(&tools.len()));
    moves.paths.retain(|(host, from, _), tools| below.get(&(*host, from.clone())) == Some(&tools.len()));
    moves
}

impl<'s> Moves<'s> {
    /// The tool of before as it is after the moves, so that the rest can be compared. `None` if it did not move.
    pub fn applied(&self, then: &Tool, now: &Tool) -> Option<Tool> {
        let (Binding::Http(was), Binding::Http(is)) = (&then.binding, &now.binding);
        let host = self.hosts.contains_key(&(was.host.as_str(), is.host.as_str()));
        let path = !self.paths.is_empty()
            && prefixes(&was.path, &is.path)
                .is_some_and(|(from, to)| self.paths.contains_key(&(was.host.as_str(), from, to)));
        if !(host || path) {
            return None;
        }
        let mut tool = then.clone();
        // another place is another endpoint
        tool.evidence = now.evidence.clone();
        let Binding::Http(http) = &mut tool.binding;
        if host {
            http.host.clone_from(&is.host);
        }
        if path {
            http.path.clone_from(&is.path);
        }
        Some(tool)
    }

    /// The hosts that calls moved to.
    pub fn targets(&self) -> BTreeSet<&'s str> {
        self.hosts.keys().map(|(_, to)| *to).collect()
    }

    /// Says them.
    pub fn tell(&self, out: &mut Found) {
        for ((from, to), tools) in &self.hosts {
            let message = format!("all {} tools that called `{from}` call `{to}` now", tools.len());
            let mut at = out.at(&host_id(to));
            at.push(&r::HOST_MOVED, "", message, Some((*from).into()), Some((*to).into()));
            at.explain(listed(tools));
        }
        for ((host, from, to), tools) in &self.paths {
            let (from, to) = (format!("{from}/"), format!("{to}/"));
            let message =
                format!("all {} tools of `{host}` below `{from}` call below `{to}` now", tools.len());
            let mut at = out.at(&host_id(host));
            at.push(&r::PATH_MOVED, "", message, Some(from.into()), Some(to.into()));
            at.explain(listed(tools));
        }
    }
}

fn both<'s>(pair: &Pair<'s>) -> Option<Both<'s>> {
    let Pair::Both(then, now) = *pair else { return None };
    let (Binding::Http(was), Binding::Http(is)) = (&then.binding, &now.binding);
    Some(Both { name: now.name.as_str(), was, is })
}

type Totals<'s> = (BTreeMap<&'s str, usize>, BTreeMap<(&'s str, String), usize>);

/// How many tools called each host, and how many below each prefix that something moved from.
fn totals<'s>(both: &[Both<'s>], moves: &Moves<'s>) -> Totals<'s> {
    let mut on: BTreeMap<&str, usize> = BTreeMap::new();
    let mut below: BTreeMap<(&str, String), usize> =
        moves.paths.keys().map(|(host, from, _)| ((*host, from.clone()), 0)).collect();
    for tool in both {
        let host = tool.was.host.as_str();
        *on.entry(host).or_default() += 1;
        if below.is_empty() {
            continue;
        }
        let mut prefix = String::new();
        for segment in tool.was.path.segments() {
            count(&mut below, host, &prefix);
            let Segment::Literal(text) = segment else { break };
            prefix.push('/');
            prefix.push_str(text);
        }
        if tool.was.path.params().next().is_none() {
            count(&mut below, host, &prefix);
        }
    }
    (on, below)
}

fn count<'s>(below: &mut BTreeMap<(&'s str, String), usize>, host: &'s str, prefix: &str) {
    if let Some(count) = below.get_mut(&(host, prefix.to_owned())) {
        *count += 1;
    }
}

/// What stands before the part that two paths have in common at their end, if both are literal.
fn prefixes(was: &Template, is: &Template) -> Option<(String, String)> {
    if was == is {
        return None;
    }
    let (old, new) = (was.segments(), is.segments());
    let same = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    Some((literal(old, same)?, literal(new, same)?))
}

/// The segments but for the last `same`, as text.
fn literal(segments: &[Segment], same: usize) -> Option<String> {
    let text = |segment: &Segment| match segment {
        Segment::Literal(text) => Some(format!("/{text}")),
        Segment::Param { .. } => None,
    };
    segments.iter().take(segments.len().saturating_sub(same)).map(text).collect()
}
