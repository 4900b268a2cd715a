//! The second stage: what is secret or personal is replaced before anything else sees it.
//!
//! [`Redacted`] is the proof. Summaries, files, reports and the agent get data only through it.
//! A secret is recognised by the name it stands under or by its look; the rules are data
//! (`redact/rules.json`). What replaces it says what it was: `[redacted:credential]`. A number becomes 0,
//! so that its type stays true. Ids, digests and cursors survive: endpoints are inferred from them.
//!
//! Redaction is deterministic, and redacting twice is redacting once.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::capture::{Body, Exchange, Message};
use crate::json::Json;

mod graphql;
mod headers;
mod keys;
mod known;
mod pii;
mod rules;
mod tokens;
mod url;
mod walk;

#[cfg(test)]
mod tests;

use known::Known;
use rules::{Place, Rules};

/// Whether no rule of any profile could find anything in a text that stands alone: short words and numbers. Asking
/// costs next to nothing, and no rule is compiled for it.
#[must_use]
pub fn is_quiet(text: &str) -> bool {
    tokens::Look::at(text).is_quiet()
}

/// A value that has been through redaction; it cannot be made any other way.
#[derive(Debug, Clone, PartialEq)]
pub struct Redacted<T>(T);

impl<T> Redacted<T> {
    /// The redacted value.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// The redacted value, by itself.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// How much is taken for secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Credentials, and personal data that its form gives away.
    #[default]
    DefaultSafe,
    /// Also names, addresses, birth dates, IP addresses, traits and free text; fewer headers.
    HighRiskPii,
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Profile::DefaultSafe => "default_safe",
            Profile::HighRiskPii => "high_risk_pii",
        })
    }
}

/// The name is none of `default_safe`, `high_risk_pii`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no redaction profile of that name; the profiles are default_safe and high_risk_pii")]
pub struct UnknownProfile;

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, UnknownProfile> {
        match text {
            "default_safe" => Ok(Profile::DefaultSafe),
            "high_risk_pii" => Ok(Profile::HighRiskPii),
            _ => Err(UnknownProfile),
        }
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)*) => {
        /// What was replaced.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Kind { $($(#[$doc])* $kind,)* }

        impl Kind {
            /// `credential`, `email`, …
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Kind::$kind => $name,)* }
            }

            /// The text that stands where the secret was: `[redacted:credential]`.
            #[must_use]
            pub const fn placeholder(self) -> &'static str {
                match self { $(Kind::$kind => concat!("[redacted:", $name, "]"),)* }
            }

            /// Whether the text is a placeholder and nothing else.
            #[must_use]
            pub fn is_placeholder(text: &str) -> bool {
                matches!(text, $(concat!("[redacted:", $name, "]"))|*)
            }
        }
    };
}

kinds! {
    /// A password, key, secret or what authorises in any other way.
    Credential = "credential",
    /// A token, recognised by its issuer's form.
    Token = "token",
    /// A header value that no stage needs.
    Header = "header",
    /// An e-mail address.
    Email = "email",
    /// A phone number.
    Phone = "phone",
    /// A payment card number.
    Card = "card",
    /// A bank account number (ISO 13616).
    Iban = "iban",
    /// A social security or tax number.
    Ssn = "ssn",
    /// A person's name.
    Name = "name",
    /// A postal address or a place.
    Address = "address",
    /// A date of birth.
    BirthDate = "birth_date",
    /// A network address or a device.
    Ip = "ip",
    /// The number of an identity document or account.
    Document = "document",
    /// A sensitive trait of a person.
    Trait = "trait",
    /// Free text that may hold anything.
    Text = "text",
}

/// How often each kind was replaced.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Counts(BTreeMap<Kind, u64>);

impl Counts {
    /// Replacements by kind; a kind that was not seen is left out.
    pub fn iter(&self) -> impl Iterator<Item = (Kind, u64)> + '_ {
        self.0.iter().map(|(kind, count)| (*kind, *count))
    }

    /// Adds what another part counted.
    pub fn merge(&mut self, other: &Counts) {
        for (kind, count) in &other.0 {
            *self.0.entry(*kind).or_default() += count;
        }
    }

    fn add(&mut self, kind: Kind) {
        *self.0.entry(kind).or_default() += 1;
    }
}

/// Replaces what is secret or personal. Cheap to make and to copy: the rules are compiled once.
#[derive(Debug, Clone, Copy)]
pub struct Redactor {
    rules: &'static Rules,
}

impl Redactor {
    /// A redactor with the rules of a profile.
    #[must_use]
    pub fn new(profile: Profile) -> Self {
        Redactor { rules: Rules::of(profile) }
    }

    /// Redacts a whole exchange. For many, a [`Pass`] is quicker.
    #[must_use]
    pub fn exchange<'a>(&self, exchange: Exchange<'a>) -> Redacted<Exchange<'a>> {
        Pass { rules: self.rules, counts: Counts::default(), known: Known::brief() }.exchange(exchange)
    }

    /// Builds what it takes longest to build, so that nobody waits for it later. Several threads that call this share the
    /// work.
    pub fn warm(&self) {
        self.rules.warm();
    }

    /// Begins a pass over many exchanges.
    #[must_use]
    pub fn pass(&self) -> Pass {
        self.warm();
        Pass { rules: self.rules, counts: Counts::default(), known: Known::long() }
    }

    /// Redacts a text: an error body of an upstream, a message.
    #[must_use]
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        walk::string(self.rules, text, None, 0, &mut Counts::default())
            .map_or(Cow::Borrowed(text), Cow::Owned)
    }

    /// Redacts a URL, or a path with a query: also by the names of its parameters.
    #[must_use]
    pub fn url<'t>(&self, text: &'t str) -> Cow<'t, str> {
        url::url(self.rules, text, 0, &mut Counts::default()).map_or(Cow::Borrowed(text), Cow::Owned)
    }

    /// Redacts a JSON value in place, before it reaches an agent.
    pub fn value(&self, value: &mut serde_json::Value) {
        walk::value(self.rules, value, None, &mut Counts::default());
    }

    /// Redacts a captured JSON value in place.
    pub fn json<'a>(&self, json: &mut Json<'a>) {
        walk::json(self.rules, json, 0, &mut Counts::default(), &mut Known::brief());
    }
}

/// A redactor at work on many exchanges: what it replaced, and what it knows from those before.
#[derive(Debug)]
pub struct Pass {
    rules: &'static Rules,
    counts: Counts,
    known: Known,
}

impl Pass {
    /// Redacts a whole exchange.
    #[must_use]
    pub fn exchange<'a>(&mut self, mut exchange: Exchange<'a>) -> Redacted<Exchange<'a>> {
        if let Some(path) = url::path(self.rules, &exchange.path, &mut self.counts) {
            exchange.path = path;
        }
        if let Some((_, host)) = exchange.host.rsplit_once('@') {
            exchange.host = host.to_owned();
        }
        self.pairs(&mut exchange.query);
        self.message(&mut exchange.request);
        self.message(&mut exchange.response);
        Redacted(exchange)
    }

    /// What was replaced so far.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    fn message(&mut self, message: &mut Message<'_>) {
        headers::headers(self.rules, &mut message.headers, &mut self.counts, &mut self.known);
        self.replace(&mut message.media);
        match &mut message.body {
            Body::None | Body::Text(_) | Body::Binary(_) => {}
            Body::Json(json) => walk::json(self.rules, json, 0, &mut self.counts, &mut self.known),
            Body::Form(pairs) => self.pairs(pairs),
            Body::Multipart(parts) => {
                for part in parts {
                    let rule = keys::rule(self.rules, &part.name, Place::Query);
                    self.replace(&mut part.name);
                    self.replace(&mut part.media);
                    if let Some(value) = &mut part.value
                        && let Some(clean) = walk::string(self.rules, value, rule, 0, &mut self.counts)
                    {
                        *value = Cow::Owned(clean);
                    }
                }
            }
        }
    }

    /// Query parameters or form fields.
    fn pairs(&mut self, pairs: &mut [(String, String)]) {
        for (name, value) in pairs {
            let rule = keys::rule(self.rules, name, Place::Query);
            if let Some(clean) = walk::string(self.rules, value, rule, 0, &mut self.counts) {
                *value = clean;
            }
            self.replace(name);
        }
    }

    /// Redacts a name or media type by its look alone.
    fn replace(&mut self, text: &mut String) {
        if let Some(clean) = tokens::scan(self.rules, text, &mut self.counts) {
            *text = clean;
        }
    }
}
