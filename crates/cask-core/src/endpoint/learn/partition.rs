//! Which children of a trie node are literals, and which are values of a parameter.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::alike::{Likeness, View, calls};
use super::look::{Look, is_version, look};
use super::words::Words;
use super::{Known, Part};

/// What becomes of one or more children.
#[derive(Debug)]
pub enum Choice {
    /// This child is a literal.
    Literal(Box<str>),
    /// These children are values of one parameter.
    Param {
        /// Literal text before each value.
        prefix: Box<str>,
        /// Literal text after each value.
        suffix: Box<str>,
        /// The children, by raw segment.
        members: Vec<Box<str>>,
    },
}

/// File-like endings that stay literal behind a value.
const ENDINGS: [&str; 16] = [
    "json", "xml", "csv", "html", "htm", "pdf", "png", "jpg", "jpeg", "gif", "svg", "txt", "yaml", "yml",
    "zip", "git",
];

/// Decides for all children of a node; with each choice comes what is below it.
pub fn partition<'t>(place: &View<'t>, path: &[Part], known: Known<'_, 't>) -> Vec<(Choice, View<'t>)> {
    let mut choices = Vec::new();
    let mut children: BTreeMap<&str, View<'t>> = BTreeMap::new();
    for (segment, child) in place.iter().flat_map(|node| node.branches()) {
        children.entry(segment).or_default().push(child);
    }
    // The empty segment of `/` and of `/users/`: a parameter is never empty.
    if let Some(below) = children.remove("") {
        choices.push((Choice::Literal("".into()), below));
    }
    let mut classes: BTreeMap<(&str, &str), Vec<Member<'t>>> = BTreeMap::new();
    for (segment, view) in children {
        if known.words.is_accepted(path, segment) {
            choices.push((Choice::Literal(segment.into()), view));
            continue;
        }
        let (prefix, stem, suffix) = decoration(segment);
        classes.entry((prefix, suffix)).or_default().push((segment, stem, view));
    }
    for ((prefix, suffix), members) in classes {
        let bare = prefix.is_empty() && suffix.is_empty();
        let alone = members.len() == 1 && !members.iter().any(|(_, stem, _)| look(stem).is_value());
        // A single decorated word (`index.html`, `jobs:run`) is a literal as a whole.
        let values = if alone && !bare { vec![false] } else { values(&members, path, known) };
        let mut param: Vec<Box<str>> = Vec::new();
        let mut below_param = View::new();
        for ((segment, _, mut below), value) in members.into_iter().zip(values) {
            if value {
                param.push(segment.into());
                below_param.append(&mut below);
            } else {
                choices.push((Choice::Literal(segment.into()), below));
            }
        }
        if !param.is_empty() {
            let param = Choice::Param { prefix: prefix.into(), suffix: suffix.into(), members: param };
            choices.push((param, below_param));
        }
    }
    choices
}

/// Text around a value that belongs to the template: `@user`, `report.json`, `name:cancel`.
pub fn decoration(segment: &str) -> (&str, &str, &str) {
    let (prefix, rest) = segment.strip_prefix('@').map_or(("", segment), |rest| ("@", rest));
    if let Some((stem, verb)) = rest.rsplit_once(':')
        && !stem.is_empty()
        && verb.len() > 1
        && verb.bytes().all(|b| b.is_ascii_alphabetic())
    {
        let at = segment.len() - verb.len() - 1;
        return (prefix, stem, segment.get(at..).unwrap_or_default());
    }
    if let Some((stem, ending)) = rest.rsplit_once('.')
        && !stem.is_empty()
        && ENDINGS.contains(&ending)
    {
        let at = segment.len() - ending.len() - 1;
        return (prefix, stem, segment.get(at..).unwrap_or_default());
    }
    if rest.is_empty() { ("", segment, "") } else { (prefix, rest, "") }
}

/// Raw segment, the part of it that may be a value, and what is below.
type Member<'a> = (&'a str, &'a str, View<'a>);

/// For each member whether it is a value.
fn values<'t>(members: &[Member<'t>], path: &[Part], Known { words, compared }: Known<'_, 't>) -> Vec<bool> {
    let looks: Vec<Look> = members.iter().map(|(_, stem, _)| look(stem)).collect();
    let mut value: Vec<bool> = looks.iter().map(|look| look.is_value()).collect();
    spare_lone_number(members, &looks, path, &mut value);

    let view = |indices: &[usize]| -> View<'t> {
        indices.iter().filter_map(|i| members.get(*i)).flat_map(|(_, _, view)| view.iter().copied()).collect()
    };
    let parent = Parent::of(path);
    let before = match path.last() {
        Some(Part::Literal(name)) => name.as_ref(),
        _ => "",
    };
    let open: Vec<Child<'_>> = members
        .iter()
        .zip(&looks)
        .enumerate()
        .filter(|(_, (_, look))| matches!(look, Look::Word | Look::Slug | Look::Code | Look::Keyword))
        .map(|(at, ((_, stem, below), look))| {
            let literalness = literalness(stem, *look, versioned(below), words, before);
            Child { at, stem, look: *look, calls: calls(below), literalness }
        })
        .collect();
    let strong: Vec<usize> = value.iter().enumerate().filter(|(_, yes)| **yes).map(|(i, _)| i).collect();
    let (light, heavy): (Vec<&Child<'_>>, Vec<&Child<'_>>) =
        open.iter().partition(|child| child.calls <= LIGHT);

    let likeness = |child: &Child<'_>, rest: &[usize]| -> Likeness {
        let rest: Vec<usize> = rest.iter().copied().filter(|other| *other != child.at).collect();
        let rest = spread(rest, POOL);
        compared.places(&view(&[child.at]), &view(&rest))
    };

    // Rarely seen siblings: one verdict for all that do not speak against it by themselves.
    let mut pool = strong;
    let group: Vec<&Child<'_>> = light.into_iter().filter(|child| child.literalness < 2.0).collect();
    if !group.is_empty() && group.len() + pool.len() >= 2 {
        let all: Vec<usize> = group.iter().map(|child| child.at).chain(pool.iter().copied()).collect();
        let sample = spread(group.iter().collect(), SAMPLE);
        let share = |child: &&&Child<'_>| likeness(child, &all).share().unwrap_or(NO_EVIDENCE);
        let shares = each(path, &sample, share);
        let alike = shares.iter().sum::<f64>() / sample.len() as f64;
        let literal = group.iter().map(|child| child.literalness).sum::<f64>() / group.len() as f64;
        let many = ((all.len() - 1) as f64).ln_1p();
        let score = literal + parent.literalness() + (0.55 - alike) * 6.0 - 0.6 * many;
        // Where a service begins stand its own words. A few of them that were called once or twice and answered
        // alike are still different things; only names of somebody else's come in numbers.
        let words_only = matches!(parent, Parent::Top) && pool.is_empty() && literal > 0.0;
        if score < 0.0 && !(words_only && all.len() < MANY_WORDS) {
            pool = all;
        }
    }

    // Often seen siblings: tenants offer the same operations and answer alike.
    let tenant = |child: &&Child<'_>| {
        let own = child.literalness + parent.literalness();
        if own >= MOST_LIKENESS {
            return None;
        }
        let peers = heavy.iter().filter(|peer| peer.at != child.at && peer.literalness < 2.0);
        let best = spread(peers.collect(), PEERS)
            .into_iter()
            .map(|peer| likeness(child, &[peer.at]))
            .chain((!pool.is_empty()).then(|| likeness(child, &pool)))
            .filter_map(|likeness| likeness.share().map(|share| (share, likeness.shared)))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let (best, shared) = best.unwrap_or((0.0, 0.0));
        let leaf = view(&[child.at]).iter().all(|node| node.children.is_empty());
        // One operation in common is less telling than a dozen.
        let weight = (0.35 + 0.15 * shared).min(1.0) * 6.0;
        let score = own + (0.6 - best) * weight + if leaf { 1.5 } else { 0.5 };
        (score < 0.0).then_some(child.at)
    };
    let tenants: Vec<usize> = each(path, &heavy, tenant).into_iter().flatten().collect();
    if tenants.len() + pool.len() >= 2 {
        pool.extend(tenants);
    }

    // Once there is a parameter, what looks like a value and offers nothing else is another one.
    let mut late = Vec::new();
    let pooled: BTreeSet<usize> = pool.iter().copied().collect();
    for child in open.iter().filter(|child| !pooled.contains(&child.at)) {
        let known = words.is_known(before, child.stem);
        let joins = !pool.is_empty() && child.look == Look::Slug && {
            let alike = likeness(child, &pool).share().unwrap_or(NO_EVIDENCE);
            child.literalness + parent.literalness() - 0.3 + (0.6 - alike) * 3.0 < 0.0
        };
        // A keyword called once among many values, and answered like them, is a name that happens to be one.
        let stands_in = child.look == Look::Keyword
            && child.calls <= LIGHT
            && pool.len() >= 4
            && likeness(child, &pool).share().is_some_and(|share| share >= 0.65);
        if known || joins || stands_in {
            late.push(child.at);
        }
    }
    for at in pool.into_iter().chain(late) {
        set(&mut value, at);
    }
    value
}

/// The same work for many children; on all cores where the path is short.
fn each<T: Sync, R: Send>(path: &[Part], children: &[T], work: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
    if path.len() < super::NEAR {
        children.par_iter().with_max_len(1).map(work).collect()
    } else {
        children.iter().map(work).collect()
    }
}

/// Calls through a child up to which it counts as rarely seen.
const LIGHT: u64 = 3;
/// Words at the top of a service that may be values of one parameter.
const MANY_WORDS: usize = 8;
/// Members of a group that are compared with the rest of it.
const SAMPLE: usize = 12;
/// Members of a parameter that stand for all of them in a comparison.
const POOL: usize = 48;
/// Often seen siblings that a child is compared with.
const PEERS: usize = 12;
/// What perfect likeness can weigh at most: beyond it nothing needs comparing.
const MOST_LIKENESS: f64 = 0.4 * 6.0;
/// Likeness assumed where there is nothing to compare.
const NO_EVIDENCE: f64 = 0.5;

/// At most `most` of the members, evenly spread over the (sorted) list.
fn spread<T>(members: Vec<T>, most: usize) -> Vec<T> {
    let step = members.len().div_ceil(most).max(1);
    members.into_iter().step_by(step).collect()
}

fn set(value: &mut [bool], at: usize) {
    if let Some(slot) = value.get_mut(at) {
        *slot = true;
    }
}

/// A child whose look does not settle what it is.
struct Child<'a> {
    at: usize,
    stem: &'a str,
    look: Look,
    calls: u64,
    /// What its text says for a literal (positive) or a value (negative).
    literalness: f64,
}

fn versioned(view: &View<'_>) -> bool {
    view.iter().flat_map(|node| node.children.keys()).any(|name| is_version(name))
}

/// What a segment's text says for a literal (positive) or a value (negative). Where a version follows, it is the name
/// of an API.
fn literalness(stem: &str, look: Look, versioned: bool, words: &Words, before: &str) -> f64 {
    if words.is_known(before, stem) {
        return -4.0;
    }
    let text: f64 = match look {
        Look::Code if stem.contains(|c: char| c.is_ascii_uppercase()) => 1.5,
        Look::Code => 0.0,
        Look::Keyword => 2.5,
        Look::Word if plural(stem) => 1.0,
        Look::Word => 0.8,
        _ if stem.bytes().any(|b| b.is_ascii_digit()) => -1.3,
        _ => -0.8,
    };
    let vocabulary = match words.parents(stem) {
        0 | 1 => 0.0,
        2 => 0.7,
        _ => 2.5,
    };
    // What answers call by name is somebody's name, however it is written.
    let (text, answered) = if words.is_value(stem) { (text.min(0.0), 1.5) } else { (text, 0.0) };
    let versioned = if versioned { 10.0 } else { 0.0 };
    text + vocabulary + versioned - answered
}

/// What stands before a position.
#[derive(Debug)]
enum Parent {
    /// The root, or a version.
    Top,
    /// A parameter or a keyword that stands for one.
    Value,
    /// A literal that reads like a collection.
    Collection,
    /// Any other literal.
    Other,
}

impl Parent {
    fn of(path: &[Part]) -> Self {
        match path.last() {
            None => Parent::Top,
            Some(Part::Param { .. }) => Parent::Value,
            Some(Part::Literal(name)) => match look(name) {
                Look::Version | Look::Int => Parent::Top,
                Look::Keyword => Parent::Value,
                _ if plural(name) => Parent::Collection,
                // What follows a collection stands for a member of it, whether or not it was seen to vary.
                _ => match path.len().checked_sub(2).and_then(|i| path.get(i)) {
                    Some(Part::Literal(before)) if plural(before) => Parent::Value,
                    _ => Parent::Other,
                },
            },
        }
    }

    /// How much the place speaks for a literal.
    fn literalness(&self) -> f64 {
        match self {
            Parent::Top => 2.0,
            Parent::Value => 1.6,
            Parent::Collection => -1.0,
            Parent::Other => 0.0,
        }
    }
}

/// Whether a word reads like an English plural.
fn plural(word: &str) -> bool {
    word.len() > 3 && word.ends_with('s') && !["ss", "us", "is"].iter().any(|end| word.ends_with(end))
}

/// A single number through which nearly everything goes is a version (`/rest/api/3/…`), unless it stands
/// behind a collection's name.
fn spare_lone_number(members: &[Member<'_>], looks: &[Look], path: &[Part], value: &mut [bool]) {
    let mut numbers = looks.iter().enumerate().filter(|(_, look)| **look == Look::Int);
    let (Some((i, _)), None) = (numbers.next(), numbers.next()) else { return };
    let Some((_, stem, below)) = members.get(i) else { return };
    let all: u64 = members.iter().map(|(_, _, view)| calls(view)).sum();
    let wide = below.iter().map(|node| node.children.len()).sum::<usize>() >= 2;
    if stem.len() <= 2
        && calls(below) * 10 >= all * 8
        && wide
        && !matches!(Parent::of(path), Parent::Collection)
        && let Some(slot) = value.get_mut(i)
    {
        *slot = false;
    }
}
