//! Everything seen of one operation: what the summary keeps per path and merges per template.

use std::collections::{BTreeMap, BTreeSet};

use crate::capture::{Body, Exchange, Message, Scheme};
use crate::json::Json;

use super::learn::sketch::Sketch;
use super::observed::Observed;
use super::{Auth, Operation, auth, graphql};

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
    pub request: BTreeMap<Box<str>, Observed>,
    /// Answers by status.
    pub responses: BTreeMap<u16, Answer>,
    /// Ways the calls authenticated.
    pub auth: BTreeSet<Auth>,
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
    pub content: BTreeMap<Box<str>, Observed>,
}

impl Traffic {
    /// The observations of a single exchange.
    #[must_use]
    pub fn of(exchange: &Exchange<'_>, call: Option<graphql::Call<'_>>) -> Self {
        let mut traffic = Traffic {
            calls: 1,
            https: u32::from(exchange.scheme == Scheme::Https),
            auth: auth::of(exchange),
            cookies_set: cookie_names(&exchange.response),
            ..Traffic::default()
        };
        for (name, value) in &exchange.query {
            let query = traffic.query.entry(name.as_str().into()).or_default();
            query.calls = 1;
            if query.values.total() > 0 {
                query.repeated = 1;
            }
            query.values.add_text(value);
        }
        match call {
            Some(call) => {
                traffic.bodies = 1;
                let variables = traffic.request.entry("application/json".into()).or_default();
                match call.variables {
                    Some(value) => variables.add(&value),
                    None => variables.object = 1,
                }
                // Batches and GET queries carry their document in the query: it is fixed, not an argument.
                traffic.query.retain(|name, _| {
                    !matches!(name.as_ref(), "query" | "variables" | "operationName" | "extensions")
                });
                traffic.operation = Some(call.operation);
            }
            None => {
                if let Some((media, observed)) = body(&exchange.request) {
                    traffic.bodies = 1;
                    traffic.request.insert(media, observed);
                }
            }
        }
        let mut answer = Answer { calls: 1, ..Answer::default() };
        answer.content.extend(body(&exchange.response));
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
        let queries = self.query.values().map(|query| &query.values);
        4 + self.request.values().chain(answers).chain(queries).map(Observed::weight).sum::<usize>()
    }

    /// Forgets everything but what comparing places needs.
    pub fn forget(&mut self) {
        self.request.clear();
        for query in self.query.values_mut() {
            query.values = Observed::default();
        }
        self.responses.clear();
        self.auth.clear();
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
            self.request.entry(media).or_default().merge(theirs);
        }
        for (status, theirs) in other.responses {
            let mine = self.responses.entry(status).or_default();
            mine.calls += theirs.calls;
            for (media, observed) in theirs.content {
                mine.content.entry(media).or_default().merge(observed);
            }
        }
    }
}

fn cookie_names(message: &Message<'_>) -> BTreeSet<Box<str>> {
    let set = message.headers.iter().filter(|(name, _)| name == "set-cookie");
    set.filter_map(|(_, value)| value.split_once('=')).map(|(name, _)| name.trim().into()).take(16).collect()
}

/// The media type and the observations of a message's body.
fn body(message: &Message<'_>) -> Option<(Box<str>, Observed)> {
    let mut observed = Observed::default();
    let media = match &message.body {
        Body::None => return None,
        Body::Json(value) => {
            observed.add(value);
            // JSON under a wrong content type is recorded as what it is.
            if message.media.contains("json") { message.media.as_str() } else { "application/json" }
        }
        Body::Form(pairs) => {
            form(pairs, &mut observed);
            "application/x-www-form-urlencoded"
        }
        Body::Multipart(parts) => {
            let members: Vec<_> = parts
                .iter()
                .map(|part| (part.name.clone(), part.value.as_deref().unwrap_or_default().to_owned()))
                .collect();
            form(&members, &mut observed);
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
fn form(pairs: &[(String, String)], into: &mut Observed) {
    let mut root = Json::Object(Vec::new());
    for (name, value) in pairs {
        let (head, rest) =
            name.split_once('[').map_or((name.as_str(), None), |(head, rest)| (head, Some(rest)));
        let mut keys = vec![head];
        if let Some(rest) = rest.and_then(|rest| rest.strip_suffix(']')) {
            keys.extend(rest.split("]["));
        } else if rest.is_some() {
            keys = vec![name.as_str()];
        }
        keys.truncate(16);
        plant(&mut root, &keys, value);
    }
    add_form(&root, into);
}

/// Puts `value` at the nested key; array levels are objects with numeric or empty keys until [`add_form`].
fn plant<'a>(node: &mut Json<'a>, keys: &[&'a str], value: &'a str) {
    let Some((key, rest)) = keys.split_first() else { return };
    let Json::Object(members) = node else { return };
    if rest.is_empty() {
        members.push(((*key).into(), Json::Str(value.into())));
        return;
    }
    // An empty key (`a[][b]`) starts a new item each time a member repeats; one item is enough to type it.
    if !members.iter().any(|(name, member)| name == key && matches!(member, Json::Object(_))) {
        members.push(((*key).into(), Json::Object(Vec::new())));
    }
    if let Some((_, member)) =
        members.iter_mut().find(|(name, member)| name == key && matches!(member, Json::Object(_)))
    {
        plant(member, rest, value);
    }
}

fn add_form(node: &Json<'_>, into: &mut Observed) {
    match node {
        Json::Object(members) => {
            let listed = !members.is_empty()
                && members
                    .iter()
                    .all(|(name, _)| name.is_empty() || name.bytes().all(|b| b.is_ascii_digit()));
            if listed {
                into.array += 1;
                let items = into.items.get_or_insert_default();
                for (_, member) in members {
                    add_form(member, items);
                }
                return;
            }
            into.object += 1;
            let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_ref()).collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                let field = into.fields.entry(name.into()).or_default();
                let same: Vec<_> = members.iter().filter(|(other, _)| other == name).collect();
                if let [(_, member)] = same.as_slice() {
                    add_form(member, field);
                } else {
                    field.array += 1;
                    let items = field.items.get_or_insert_default();
                    for (_, member) in same {
                        add_form(member, items);
                    }
                }
            }
        }
        Json::Str(text) => into.add_text(text),
        _ => {}
    }
}
