//! What part a tool could have in a leak: it gives private data, it shows what strangers wrote, it lets data out.
//!
//! Told from effect, auth, the reasons of the mint, and the words of name, path and arguments: a guess that names its ground.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::endpoint::effect::{singular, words};
use crate::endpoint::{Effect, Segment};
use crate::toolpack::{Binding, HttpBinding, Tool};

/// Why a tool has each part; none if nothing says so.
#[derive(Debug, Default)]
pub(super) struct Legs {
    /// It answers what is not for everybody.
    pub private: Option<String>,
    /// It answers what people outside may have written.
    pub untrusted: Option<String>,
    /// What is given to it can be read elsewhere.
    pub out: Option<String>,
}

/// Nouns of what belongs to somebody.
#[rustfmt::skip]
const PRIVATE: [&str; 42] = [
    "user", "me", "profile", "account", "customer", "contact", "client", "order", "invoice", "message", "mail", "inbox",
    "thread", "conversation", "chat", "file", "document", "attachment", "calendar", "event", "note", "patient",
    "employee", "member", "person", "people", "transaction", "payment", "card", "subscription", "ticket", "issue",
    "report", "log", "audit", "secret", "token", "credential", "repo", "repository", "project", "balance",
];

/// Nouns of what anybody can write to somebody.
#[rustfmt::skip]
const WRITTEN: [&str; 33] = [
    "message", "mail", "email", "inbox", "thread", "conversation", "chat", "comment", "reply", "review", "feedback",
    "ticket", "issue", "discussion", "post", "article", "feed", "timeline", "webpage", "website", "crawl", "scrape",
    "rss", "attachment", "submission", "survey", "transcript", "webhook", "notification", "question", "answer",
    "forum", "mention",
];

/// Words of what others will read.
#[rustfmt::skip]
const TELLING: [&str; 22] = [
    "send", "reply", "forward", "share", "publish", "post", "tweet", "invite", "notify", "email", "mail", "message",
    "comment", "upload", "export", "webhook", "hook", "broadcast", "announce", "sms", "fax", "callback",
];

/// Words of what goes to an address that it is given.
#[rustfmt::skip]
const FETCHING: [&str; 14] = [
    "fetch", "crawl", "scrape", "preview", "unfurl", "proxy", "import", "download", "open", "visit", "browse",
    "screenshot", "render", "resolve",
];

/// Arguments that say where to.
#[rustfmt::skip]
const TO: [&str; 12] = [
    "to", "cc", "bcc", "recipient", "url", "uri", "link", "webhook", "callback", "endpoint", "destination", "href",
];

/// Reasons of the mint that say that others get to know.
const TELLS: [&str; 2] = ["tells-others", "hooks"];

/// The parts that a tool could have.
pub(super) fn of(tool: &Tool) -> Legs {
    let Binding::Http(http) = &tool.binding;
    let named = named(tool, http);
    let reads = tool.effect == Effect::Read;
    Legs {
        private: private(tool, http, &named).filter(|_| reads),
        untrusted: word(&named, &WRITTEN).filter(|_| reads),
        out: if reads { fetches(tool, &named) } else { tells(tool, &named) },
    }
}

fn private(tool: &Tool, http: &HttpBinding, named: &BTreeSet<String>) -> Option<String> {
    let sensitive = tool.reasons.iter().find(|reason| reason.code.starts_with("sensitive-"));
    match sensitive {
        Some(reason) => Some(reason.detail.clone()),
        // what is answered without a credential is answered to everybody
        None if http.auth.is_empty() => None,
        None => word(named, &PRIVATE),
    }
}

/// A read goes to an address that it is given, and what is asked for can be in the address.
fn fetches(tool: &Tool, named: &BTreeSet<String>) -> Option<String> {
    let verb = word(named, &FETCHING)?;
    let to = arguments(tool).find(|(name, schema)| is_address(name, schema))?;
    Some(format!("{verb}, and the argument `{}`", to.0))
}

fn tells(tool: &Tool, named: &BTreeSet<String>) -> Option<String> {
    let told = tool.reasons.iter().find(|reason| TELLS.contains(&reason.code.as_str()));
    let to = || {
        let (name, _) =
            arguments(tool).find(|(name, schema)| is_address(name, schema) || is_one(name, &TO))?;
        Some(format!("the argument `{name}`"))
    };
    told.map(|reason| reason.detail.clone()).or_else(|| word(named, &TELLING)).or_else(to)
}

fn arguments(tool: &Tool) -> impl Iterator<Item = (&String, &Value)> {
    tool.input_schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

fn is_address(name: &str, schema: &Value) -> bool {
    let format = schema.get("format").and_then(Value::as_str);
    matches!(format, Some("uri" | "url")) || words(name).iter().any(|word| word == "url" || word == "uri")
}

fn is_one(name: &str, of: &[&str]) -> bool {
    matches!(words(name).as_slice(), [one] if of.contains(&singular(one)))
}

/// The words of the tool's name and of what is fixed in its path, in the singular.
fn named(tool: &Tool, http: &HttpBinding) -> BTreeSet<String> {
    let literal = |segment: &Segment| match segment {
        Segment::Literal(text) => text.clone(),
        Segment::Param { prefix, suffix, .. } => format!("{prefix} {suffix}"),
    };
    let path = http.path.segments().iter().map(literal);
    let all = path.chain([tool.name.clone()]).flat_map(|text| words(&text));
    all.map(|word| singular(&word).to_owned()).collect()
}

fn word(named: &BTreeSet<String>, of: &[&str]) -> Option<String> {
    of.iter().find(|word| named.contains(**word)).map(|word| format!("its name or path has `{word}`"))
}
