//! Paths that fit templates already accepted are taken out of the trie before anything is inferred:
//! better inference never moves what was approved.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::endpoint::observed::Observed;
use crate::endpoint::schema::{Property, Schema};
use crate::endpoint::traffic::Traffic;
use crate::endpoint::{Endpoint, Place, Segment, Template, TypeSet};

use super::look::{Look, look};
use super::sketch::{RootName, Sketch};
use super::{Node, decode};

/// A template with what is known of its parameters' values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pin {
    /// The template.
    pub template: Template,
    /// For each parameter what its values are known to be.
    pub kinds: Vec<Kind>,
    /// By method, what successful answers have.
    answers: BTreeMap<Box<str>, Answers>,
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
    /// Whether a value is one of these; what it looks like is asked only where it matters.
    fn fits(self, seen: impl FnOnce() -> Look) -> bool {
        // Only what reads like the API's own words is told apart; other identifiers may be new styles.
        self == Kind::Any || !reads_like_a_word(seen())
    }
}

fn reads_like_a_word(look: Look) -> bool {
    matches!(look, Look::Word | Look::Code | Look::Keyword | Look::Slug)
}

/// The pins of accepted endpoints, by host: the endpoints of one path are one pin, whatever their methods.
#[must_use]
pub fn pins(endpoints: &[Endpoint]) -> BTreeMap<&str, Vec<Pin>> {
    let mut by_path = BTreeMap::<(&str, String), Vec<&Endpoint>>::new();
    for endpoint in endpoints {
        by_path.entry((&endpoint.host, endpoint.template.anonymous())).or_default().push(endpoint);
    }
    let mut pins = BTreeMap::<&str, Vec<Pin>>::new();
    for ((host, _), endpoints) in by_path {
        pins.entry(host).or_default().extend(Pin::of(&endpoints));
    }
    pins
}

impl Pin {
    /// The pin of the endpoints of one path.
    fn of(endpoints: &[&Endpoint]) -> Option<Self> {
        let template = endpoints.iter().map(|endpoint| &endpoint.template).min()?.clone();
        // A description alone does not say what values are; where they were seen to differ, they are anything.
        let seen: Vec<Vec<Kind>> = endpoints
            .iter()
            .filter(|endpoint| endpoint.observed > 0)
            .map(|endpoint| kinds(endpoint))
            .collect();
        let kind = |slot: usize| {
            let mut kinds = seen.iter().filter_map(|kinds| kinds.get(slot).copied());
            let first = kinds.next().unwrap_or(Kind::Any);
            if kinds.all(|kind| kind == first) { first } else { Kind::Any }
        };
        let answers = endpoints
            .iter()
            .filter_map(|endpoint| Some((endpoint.method.as_str().into(), Answers::of(endpoint)?)));
        Some(Self {
            kinds: (0..template.params().count()).map(kind).collect(),
            answers: answers.collect(),
            template,
        })
    }

    /// The pin of a template of which nothing more is known.
    #[must_use]
    pub fn any(template: Template) -> Self {
        Self { kinds: template.params().map(|_| Kind::Any).collect(), template, answers: BTreeMap::new() }
    }

    /// Takes whatever fits the template: what the pin itself would refuse was learned to belong there after all.
    pub fn relax(&mut self) {
        *self = Self::any(self.template.clone());
    }

    /// Judges no answers any more: what was refused by them has been learned, and where it became a literal that
    /// literal goes first.
    pub fn forget_answers(&mut self) {
        self.answers.clear();
    }

    /// The decoded values of a path that fits.
    #[must_use]
    pub fn values(&self, path: &str) -> Option<Vec<String>> {
        let values = self.template.captures(path)?;
        values
            .iter()
            .zip(&self.kinds)
            .all(|(value, kind)| kind.fits(|| look(value)))
            .then(|| values.into_iter().map(decode).collect())
    }
}

/// What the values of an endpoint's path parameters were.
fn kinds(endpoint: &Endpoint) -> Vec<Kind> {
    let kind = |name: &str| {
        let mut params = endpoint.params.iter().filter(|param| param.place == Place::Path);
        match params.find(|param| param.name == name).map(|param| &param.schema) {
            Some(schema) if schema.types == TypeSet::INTEGER => Kind::Number,
            Some(schema) if schema.format.as_deref() == Some("uuid") => Kind::Uuid,
            _ => Kind::Any,
        }
    };
    endpoint.template.params().map(kind).collect()
}

/// What the successful answers of an endpoint have at their root.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Answers {
    /// All names that any of them had: what is answered with none of these was no part of the endpoint.
    names: BTreeSet<RootName>,
    /// So many answers are not without all of them by chance.
    enough: u32,
}

impl Answers {
    /// Fewest answers that say anything.
    const FEWEST: u32 = 4;
    /// How unlikely it must be that answers are without the most frequent name by chance.
    const CHANCE: f64 = 5e-3;

    /// `None` where answers have nothing in common, or names that are data; the operations of GraphQL are told apart
    /// by their documents.
    fn of(endpoint: &Endpoint) -> Option<Self> {
        let good = endpoint.responses.iter().filter(|(status, _)| (200..300).contains(*status));
        let schemas: Vec<&Schema> = good
            .flat_map(|(_, response)| response.content.values())
            .map(|payload| &*payload.schema)
            .collect();
        if endpoint.operation.is_some() || schemas.iter().any(|schema| schema.additional.is_some()) {
            return None;
        }
        let members = || schemas.iter().flat_map(|schema| &schema.properties);
        #[allow(clippy::cast_precision_loss, reason = "counts of calls")]
        let rate = |property: &Property| match property.of {
            0 => f64::from(u8::from(property.required)),
            of => property.seen as f64 / of as f64,
        };
        let most =
            members().map(|(_, property)| rate(property)).reduce(f64::max).filter(|most| *most >= 0.5)?;
        let mut enough = Self::FEWEST;
        while (1.0 - most).powi(enough.cast_signed()) > Self::CHANCE {
            enough += 1;
        }
        Some(Self { names: members().map(|(name, _)| RootName::of(name)).collect(), enough })
    }

    /// Whether answers have anything of these.
    fn knows(&self, seen: &Sketch) -> bool {
        seen.has_any_of(&self.names)
    }
}

/// What one pinned template took.
#[derive(Debug, Clone)]
pub struct Pinned {
    /// The template, with its parameter names.
    pub template: Template,
    /// Traffic by end, of each path apart: merging it all is work for all cores.
    pub ends: BTreeMap<Box<str>, Vec<Box<Traffic>>>,
    /// The parameters' values, from left to right.
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
    let taken = pins.iter().map(|pin| Pinned {
        template: pin.template.clone(),
        ends: BTreeMap::new(),
        values: vec![Observed::default(); pin.template.params().count()],
    });
    let mut taking = Taking { taken: taken.collect(), pins: &pins, path: Vec::new(), took: Vec::new() };
    let open: Vec<usize> = (0..pins.len()).collect();
    taking.walk(root, &open);
    taking.taken.retain(|taken| !taken.ends.is_empty());
    taking.taken
}

/// One walk through the trie.
struct Taking<'p> {
    /// By [`rank`].
    pins: &'p [Pin],
    /// What each of them took.
    taken: Vec<Pinned>,
    /// The segments above; none for merged values.
    path: Vec<Option<Box<str>>>,
    /// Pins that took something, one after another.
    took: Vec<usize>,
}

impl<'p> Taking<'p> {
    /// Takes what is at and below a node, where these pins fit the path so far.
    fn walk(&mut self, node: &mut Node, open: &[usize]) {
        let before = self.took.len();
        let depth = self.path.len();
        let whole =
            |at: &&usize| self.pins.get(**at).is_some_and(|pin| pin.template.segments().len() == depth);
        if !node.ends.is_empty()
            && let Some(at) = open.iter().find(whole)
        {
            self.end(node, *at);
        }
        let mut literals: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut params: Vec<usize> = Vec::new();
        for at in open {
            match self.segment(*at) {
                Some(Segment::Literal(text)) if node.children.contains_key(text.as_str()) => {
                    literals.entry(text).or_default().push(*at);
                }
                Some(Segment::Param { .. }) => params.push(*at),
                Some(Segment::Literal(_)) | None => {}
            }
        }
        let strangers = self.strangers(node, &params);
        for (name, child) in &mut node.children {
            let seen = OnceCell::new();
            let mut fit = literals.remove(name.as_ref()).unwrap_or_default();
            if !strangers.contains(name) {
                fit.extend(params.iter().filter(|at| self.fits(**at, name, &seen)));
            }
            fit.sort_unstable();
            if !fit.is_empty() {
                self.path.push(Some(name.clone()));
                self.walk(child, &fit);
                self.path.pop();
            }
        }
        if let Some(many) = &mut node.many {
            let bare = |at: &usize| match self.segment(*at) {
                Some(Segment::Param { prefix, suffix, .. }) => prefix.is_empty() && suffix.is_empty(),
                _ => false,
            };
            let fit: Vec<usize> = params.into_iter().filter(bare).collect();
            let first = self.took.len();
            self.path.push(None);
            self.walk(&mut many.node, &fit);
            self.path.pop();
            // The merged values are added as a whole.
            let took: BTreeSet<usize> = self.took.get(first..).into_iter().flatten().copied().collect();
            for at in took {
                let slot = self.params_above(at);
                if let Some(slot) = self.taken.get_mut(at).and_then(|taken| taken.values.get_mut(slot)) {
                    slot.merge(many.values.clone());
                }
            }
        }
        if self.took.len() > before {
            node.recount();
        }
    }

    /// Children that read like the API's own words, are called again and again, and answer with nothing that the
    /// accepted endpoints they fit ever answered, while others beside them do: not values of their parameter, but
    /// operations that came later. What was a value when an endpoint was accepted stays one: its answers are known.
    fn strangers(&self, node: &Node, params: &[usize]) -> BTreeSet<Box<str>> {
        let last = self.path.len() + 1;
        let ends_here = |at: &&usize| {
            let pin = self.pins.get(**at);
            pin.is_some_and(|pin| pin.template.segments().len() == last && !pin.answers.is_empty())
        };
        let judges: Vec<usize> = params.iter().filter(ends_here).copied().collect();
        let mut strangers = BTreeSet::new();
        if judges.is_empty() {
            return strangers;
        }
        // By pin and method: whether anything here still answers as accepted. Asked only where there is a suspect.
        let mut neighbours = BTreeMap::<(usize, &str), bool>::new();
        for (name, child) in &node.children {
            if !child.children.is_empty() || child.many.is_some() || !reads_like_a_word(look(name)) {
                continue;
            }
            let seen = OnceCell::new();
            let fitting = || judges.iter().filter(|at| self.fits(**at, name, &seen));
            let mut suspect = false;
            let mut known = false;
            for (end, traffic) in &child.ends {
                let pins = fitting().filter_map(|at| Some((*at, self.pins.get(*at)?.answers.get(end)?)));
                for (at, answers) in pins {
                    known |= answers.knows(&traffic.answered);
                    suspect |= traffic.answered.alike() >= answers.enough
                        && *neighbours.entry((at, end)).or_insert_with(|| {
                            let mut answered = node.branches().filter_map(|(_, child)| child.ends.get(end));
                            answered.any(|traffic| answers.knows(&traffic.answered))
                        });
                }
            }
            if suspect && !known {
                strangers.insert(name.clone());
            }
        }
        strangers
    }

    /// The segment of a pin for what is right below the path so far.
    fn segment(&self, at: usize) -> Option<&'p Segment> {
        self.pins.get(at)?.template.segments().get(self.path.len())
    }

    /// How many parameters a pin has for the path so far.
    fn params_above(&self, at: usize) -> usize {
        let above = self.pins.get(at).map(|pin| pin.template.segments().iter().take(self.path.len()));
        above.into_iter().flatten().filter(|segment| matches!(segment, Segment::Param { .. })).count()
    }

    /// Whether a pin goes on with a value of that name. What a name looks like is found out once.
    fn fits(&self, at: usize, name: &str, seen: &OnceCell<Look>) -> bool {
        let Some(Segment::Param { prefix, suffix, .. }) = self.segment(at) else { return false };
        let stem = name.strip_prefix(prefix.as_str()).and_then(|stem| stem.strip_suffix(suffix.as_str()));
        let Some(stem) = stem.filter(|stem| !stem.is_empty()) else { return false };
        let Some(pin) = self.pins.get(at).filter(|pin| pin.kinds.iter().any(|kind| *kind != Kind::Any))
        else {
            return true;
        };
        let kind = pin.kinds.get(self.params_above(at)).copied();
        let whole = stem.len() == name.len();
        let seen = || if whole { *seen.get_or_init(|| look(name)) } else { look(stem) };
        kind.unwrap_or(Kind::Any).fits(seen)
    }

    /// Takes the traffic that ends at a node.
    fn end(&mut self, node: &mut Node, at: usize) {
        let Some(taken) = self.taken.get_mut(at) else { return };
        for (end, traffic) in std::mem::take(&mut node.ends) {
            taken.ends.entry(end).or_default().push(traffic);
        }
        let segments = taken.template.segments().iter().zip(&self.path);
        let params = segments.filter_map(|(segment, name)| match segment {
            Segment::Param { prefix, suffix, .. } => Some((prefix, suffix, name)),
            Segment::Literal(_) => None,
        });
        for (slot, (prefix, suffix, name)) in taken.values.iter_mut().zip(params) {
            if let Some(name) = name {
                slot.add_text(&decode(super::stem(name, prefix, suffix)));
            }
        }
        self.took.push(at);
    }
}
