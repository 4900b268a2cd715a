//! Everything seen of one operation: what the summary keeps per path and merges per template.

use std::collections::{BTreeMap, BTreeSet};

use crate::capture::{Body, Exchange, Message, Scheme};

use super::learn::sketch::Sketch;
use super::observed::Observed;
use super::{Auth, Operation, auth, graphql, steer};

/// Merged observations of one method (and GraphQL operation) at one place.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Traffic {
    /// Exchanges.
    pub calls: u32,
    /// Of them over TLS.
    pub https: u32,
    /// Query parameters by name.
    pub query: BTreeMap<Box<str>, Query>,
    /// Calls that had a body.
    pub bodies: u32,
    /// Request bodies by media type.
    pub request: BTreeMap<Box<str>, Box<Observed>>,
    /// Answers by status.
    pub responses: BTreeMap<u16, Answer>,
    /// Ways the calls authenticated.
    pub auth: BTreeSet<Auth>,
    /// Methods that a header of the calls named instead of their own, upper case.
    pub overrides: BTreeSet<Box<str>>,
    /// Names of the cookies that answers set.
    pub cookies_set: BTreeSet<Box<str>>,
    /// Picture of the request bodies, for comparing places.
    pub asked: Sketch,
    /// Picture of the bodies of successful answers, for comparing places.
    pub answered: Sketch,
    /// The GraphQL operation, if this is one.
    pub operation: Option<Operation>,
}

/// One query parameter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    /// Calls that had it.
    pub calls: u32,
    /// Calls that had it more than once.
    pub repeated: u32,
    /// Its values.
    pub values: Observed,
}

/// Answers of one status.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// How many.
    pub calls: u32,
    /// Bodies by media type.
    pub content: BTreeMap<Box<str>, Box<Observed>>,
}

impl Traffic {
    /// The observations of a single exchange.
    #[must_use]
    pub fn of(exchange: &Exchange<'_>, call: Option<graphql::Call<'_>>) -> Self {
        let mut traffic = Traffic {
            calls: 1,
            https: u32::from(exchange.scheme == Scheme::Https),
            auth: auth::of(exchange),
            overrides: overrides(exchange),
            cookies_set: cookie_names(&exchange.response),
            ..Traffic::default()
        };
        for (name, value) in &exchange.query {
            let query = traffic.query.entry(name.as_str().into()).or_default();
            query.calls = 1;
            if query.values.total() > 0 {
                query.repeated = 1;
            }
            query.values.add_sent_text(value);
        }
        match call {
            Some(call) => {
                traffic.bodies = 1;
                let variables = traffic.request.entry("application/json".into()).or_default();
                match call.variables {
                    Some(value) => variables.add_sent(&value),
                    None => variables.object = 1,
                }
                // Batches and GET queries carry their document in the query: it is fixed, not an argument.
                traffic.query.retain(|name, _| {
                    !matches!(name.as_ref(), "query" | "variables" | "operationName" | "extensions")
                });
                traffic.operation = Some(call.operation);
            }
            None => {
                if let Some((media, observed)) = body::<true>(&exchange.request) {
                    traffic.bodies = 1;
                    traffic.request.insert(media, observed);
                }
            }
        }
        let mut answer = Answer { calls: 1, ..Answer::default() };
        answer.content.extend(body::<false>(&exchange.response));
        for observed in traffic.request.values() {
            traffic.asked.add(observed);
        }
        for observed in answer.content.values().filter(|_| (200..300).contains(&exchange.status)) {
            traffic.answered.add(observed);
        }
        traffic.responses.insert(exchange.status, answer);
        traffic
    }

    /// JSON positions held.
    #[must_use]
    pub fn weight(&self) -> usize {
        let answers = self.responses.values().flat_map(|answer| answer.content.values());
        let bodies = self.request.values().chain(answers).map(|seen| seen.weight());
        4 + bodies.chain(self.query.values().map(|query| query.values.weight())).sum::<usize>()
    }

    /// Forgets everything but what comparing places needs.
    pub fn forget(&mut self) {
        self.request.clear();
        for query in self.query.values_mut() {
            query.values = Observed::default();
        }
        self.responses.clear();
        self.auth.clear();
        self.overrides.clear();
        self.cookies_set.clear();
    }

    /// Adds everything another one has seen.
    pub fn merge(&mut self, other: Traffic) {
        self.calls += other.calls;
        self.https += other.https;
        self.bodies += other.bodies;
        self.asked.merge(&other.asked);
        self.answered.merge(&other.answered);
        self.cookies_set.extend(other.cookies_set);
        self.auth.extend(other.auth);
        self.overrides.extend(other.overrides);
        // The same operation may be sent with differently written documents: the least text is kept, so
        // that the choice does not depend on order.
        self.operation = match (self.operation.take(), other.operation) {
            (Some(mine), Some(theirs)) => Some(if theirs.document < mine.document { theirs } else { mine }),
            (mine, theirs) => mine.or(theirs),
        };
        for (name, theirs) in other.query {
            let mine = self.query.entry(name).or_default();
            mine.calls += theirs.calls;
            mine.repeated += theirs.repeated;
            mine.values.merge(theirs.values);
        }
        for (media, theirs) in other.request {
            self.request.entry(media).or_default().merge(*theirs);
        }
        for (status, theirs) in other.responses {
            let mine = self.responses.entry(status).or_default();
            mine.calls += theirs.calls;
            for (media, observed) in theirs.content {
                mine.content.entry(media).or_default().merge(*observed);
            }
        }
    }
}

/// What a header calls the method: one word, or what is no method at all.
fn overrides(exchange: &Exchange<'_>) -> BTreeSet<Box<str>> {
    let named = exchange.request.headers.iter().filter(|(name, _)| steer::names_method(name));
    let methods =
        named.map(|(_, value)| value.trim().chars().take(20).collect::<String>().to_ascii_uppercase());
    methods.filter(|method| *method != exchange.method).map(Into::into).take(16).collect()
}

fn cookie_names(message: &Message<'_>) -> BTreeSet<Box<str>> {
    let set = message.headers.iter().filter(|(name, _)| name == "set-cookie");
    set.filter_map(|(_, value)| value.split_once('=')).map(|(name, _)| name.trim().into()).take(16).collect()
}

/// The media type and the observations of a message's body.
fn body<const SENT: bool>(message: &Message<'_>) -> Option<(Box<str>, Box<Observed>)> {
    let mut observed = Box::<Observed>::default();
    let media = match &message.body {
        Body::None => return None,
        Body::Json(value) => {
            if SENT {
                observed.add_sent(value)
            } else {
                observed.add(value)
            }
            // JSON under a wrong content type is recorded as what it is.
            if message.media.contains("json") { message.media.as_str() } else { "application/json" }
        }
        Body::Form(pairs) => {
            form(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())), &mut observed);
            "application/x-www-form-urlencoded"
        }
        Body::Multipart(parts) => {
            let members =
                parts.iter().map(|part| (part.name.as_str(), part.value.as_deref().unwrap_or_default()));
            form(members, &mut observed);
            for part in parts.iter().filter(|part| part.file) {
                if let Some(field) = observed.fields.get_mut(part.name.as_str()) {
                    *field = Observed { string: 1, ..Observed::default() };
                }
            }
            "multipart/form-data"
        }
        Body::Text(_) => {
            observed.string = 1;
            if message.media.is_empty() { "text/plain" } else { &message.media }
        }
        Body::Binary(_) => {
            observed.string = 1;
            if message.media.is_empty() { "application/octet-stream" } else { &message.media }
        }
    };
    Some((media.into(), observed))
}

/// Form pairs as an object; `a[b]`, `a[]` and `a[0][c]` (Rails, Stripe, PHP) become nested members.
fn form<'p>(pairs: impl Iterator<Item = (&'p str, &'p str)>, into: &mut Observed) {
    let mut root = Fields::new();
    for (name, value) in pairs {
        let (head, rest) = name.split_once('[').map_or((name, None), |(head, rest)| (head, Some(rest)));
        let mut keys = vec![head];
        if let Some(rest) = rest.and_then(|rest| rest.strip_suffix(']')) {
            keys.extend(rest.split("]["));
        } else if rest.is_some() {
            keys = vec![name];
        }
        keys.truncate(16);
        let Some((last, above)) = keys.split_last() else { continue };
        // An empty key (`a[][b]`) starts a new item each time a member repeats; one item is enough to type it.
        let node = above.iter().fold(&mut root, |node, key| &mut node.entry(*key).or_default().members);
        node.entry(*last).or_default().texts.push(value);
    }
    add_fields(&root, into);
}

type Fields<'p> = BTreeMap<&'p str, Field<'p>>;

/// What stands under one name of a form.
#[derive(Default)]
struct Field<'p> {
    texts: Vec<&'p str>,
    /// Array levels have numeric or empty keys.
    members: Fields<'p>,
}

impl Field<'_> {
    fn is_list(&self) -> bool {
        self.texts.len() + usize::from(!self.members.is_empty()) > 1
    }

    fn add_to(&self, into: &mut Observed) {
        for text in &self.texts {
            into.add_sent_text(text);
        }
        if !self.members.is_empty() {
            add_fields(&self.members, into);
        }
    }
}

fn add_fields(fields: &Fields<'_>, into: &mut Observed) {
    let listed = !fields.is_empty() && fields.keys().all(|name| name.bytes().all(|b| b.is_ascii_digit()));
    if listed {
        into.array += 1;
        let items = into.items.get_or_insert_default();
        fields.values().for_each(|field| field.add_to(items));
        return;
    }
    into.object += 1;
    for (name, field) in fields {
        let slot = into.fields.slot(*name);
        if field.is_list() {
            slot.array += 1;
            field.add_to(slot.items.get_or_insert_default());
        } else {
            field.add_to(slot);
        }
    }
    into.settle();
}
