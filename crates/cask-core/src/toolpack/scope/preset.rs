//! Presets: ready-made scopes for the tools of a toolpack.
//!
//! A scope takes nothing from tools outside of it. So what a preset leaves out it puts into a scope that serves nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{Constraints, Limit, Review, Scope, risk_of};
use crate::endpoint::{Effect, Risk};
use crate::toolpack::{Binding, Fixed, Tool, strings, words};

/// A ready-made boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Reads of safe and low risk, pages of at most 100.
    ReadonlyMinimal,
    /// All reads.
    ReadonlyAll,
    /// Reads, and writes that a person confirms.
    WriteWithConfirmation,
    /// Everything but administration.
    AdminBlocked,
    /// Everything but tools whose answers look sensitive by the names of their fields.
    NoSensitiveOutputs,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Preset; 5] = [
        Preset::ReadonlyMinimal,
        Preset::ReadonlyAll,
        Preset::WriteWithConfirmation,
        Preset::AdminBlocked,
        Preset::NoSensitiveOutputs,
    ];

    /// Their names.
    pub const NAMES: [&'static str; 5] = [
        "readonly_minimal",
        "readonly_all",
        "write_with_confirmation",
        "admin_blocked",
        "no_sensitive_outputs",
    ];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Preset::ReadonlyMinimal => "readonly_minimal",
            Preset::ReadonlyAll => "readonly_all",
            Preset::WriteWithConfirmation => "write_with_confirmation",
            Preset::AdminBlocked => "admin_blocked",
            Preset::NoSensitiveOutputs => "no_sensitive_outputs",
        }
    }

    /// The preset of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Preset> {
        Preset::ALL.into_iter().find(|preset| preset.as_str() == name)
    }

    /// The scopes that it makes of these tools; none where it would hold nothing.
    #[must_use]
    pub fn scopes(self, tools: &[Fixed]) -> BTreeMap<String, Scope> {
        let reads = |tool: &&Fixed| tool.effect == Effect::Read;
        let mut out = BTreeMap::new();
        let mut add = |name: &str, scope: Scope| {
            if !scope.tools.is_empty() {
                out.insert(name.to_owned(), scope);
            }
        };
        let name = self.as_str();
        let (kept, withheld): (Vec<&Fixed>, Vec<&Fixed>) = match self {
            Preset::ReadonlyMinimal => {
                tools.iter().partition(|tool| reads(tool) && risk_of(tool) <= Risk::Low)
            }
            Preset::ReadonlyAll => tools.iter().partition(reads),
            Preset::WriteWithConfirmation => {
                tools.iter().partition(|tool| matches!(tool.effect, Effect::Read | Effect::Write))
            }
            Preset::AdminBlocked => tools.iter().partition(|tool| tool.effect != Effect::Admin),
            Preset::NoSensitiveOutputs => tools.iter().partition(|tool| !is_sensitive(tool)),
        };
        match self {
            Preset::ReadonlyMinimal => {
                let pages = kept.iter().filter_map(|tool| Some((tool.name.clone(), pages(tool)?)));
                let constraints: Constraints = pages.collect();
                add(name, Scope { constraints, ..of("read what is public or plain", &kept) });
            }
            Preset::ReadonlyAll => add(name, of("read everything", &kept)),
            Preset::WriteWithConfirmation => {
                let (read, write): (Vec<&Fixed>, Vec<&Fixed>) = kept.into_iter().partition(reads);
                add(&format!("{name}.reads"), of("read everything", &read));
                let asked = of("create and change, each time with a person's leave", &write);
                add(name, Scope { confirm: true, ..asked });
            }
            // what is served beside is as it was: there is nothing to hold
            Preset::AdminBlocked => {}
            Preset::NoSensitiveOutputs => add(name, of("what answers nothing sensitive", &kept)),
        }
        let what = format!("what {name} leaves out");
        let nothing = Scope { effects: BTreeSet::new(), ..of(&what, &withheld) };
        let rest = if self == Preset::AdminBlocked { name.to_owned() } else { format!("{name}.withheld") };
        add(&rest, nothing);
        out
    }
}

/// A scope that fits these tools exactly.
fn of(intent: &str, tools: &[&Fixed]) -> Scope {
    let host = |tool: &&Fixed| {
        let Binding::Http(http) = &tool.binding;
        http.host.clone()
    };
    Scope {
        intent: intent.to_owned(),
        tools: tools.iter().map(|tool| tool.name.clone()).collect(),
        hosts: tools.iter().map(host).collect(),
        effects: tools.iter().map(|tool| tool.effect).collect(),
        max_risk: tools.iter().map(|tool| risk_of(tool)).max().unwrap_or(Risk::Safe),
        confirm: false,
        constraints: BTreeMap::new(),
        review: Review::Suggested,
    }
}

/// Arguments that say how much is answered at once.
const PAGE: [&str; 10] =
    ["count", "first", "limit", "max_results", "page_size", "pagesize", "per_page", "perpage", "size", "top"];
/// The most that is asked for at once.
const MOST: i64 = 100;

/// Limits for the arguments of a tool that say how much is answered at once, if it has such.
fn pages(tool: &Tool) -> Option<BTreeMap<String, Limit>> {
    let required = strings(tool.input_schema.get("required"));
    let arguments = tool.input_schema.get("properties").and_then(Value::as_object)?;
    let limits = arguments.iter().filter_map(|(name, schema)| {
        let number = schema.get("type").and_then(Value::as_str) == Some("integer");
        let page = PAGE.contains(&words::split(name).join("_").as_str());
        let limit = || Limit {
            min: Some(1),
            max: Some(MOST),
            optional: !required.contains(name),
            ..Limit::default()
        };
        (number && page).then(|| (name.clone(), limit()))
    });
    let limits: BTreeMap<String, Limit> = limits.collect();
    (!limits.is_empty()).then_some(limits)
}

/// Reasons that say so of the whole answer, which an output schema may show only in part.
const TELLING: [&str; 4] = ["auth-answer", "sensitive-fields", "sensitive-values", "sensitive-words"];

/// Words in the names of fields, two of them as one, for secrets and for what belongs to a person.
#[rustfmt::skip]
const SENSITIVE: [&str; 30] = [
    "password", "secret", "token", "apikey", "privatekey", "credential", "ssn", "socialsecurity", "cardnumber",
    "cvc", "cvv", "iban", "accountnumber", "routingnumber", "balance", "salary", "birth", "dob", "taxid", "passport",
    "nationalid", "diagnosis", "email", "phone", "address", "latitude", "longitude", "ipaddress", "religion", "gender",
];

/// Whether the answers of a tool look sensitive by name. An answer of which nothing is known does.
fn is_sensitive(tool: &Tool) -> bool {
    let Binding::Http(http) = &tool.binding;
    let told = tool.reasons.iter().any(|reason| TELLING.contains(&reason.code.as_str()));
    let answers = match &tool.output_schema {
        Some(schema) => !has_fields(schema, 0) || sensitive_fields(schema, 0),
        None => !http.accept.is_empty(),
    };
    told || answers
}

/// Levels of a schema that are looked at; ours are not deeper.
const MAX_DEPTH: usize = 16;

fn inner(schema: &Map<String, Value>) -> impl Iterator<Item = &Map<String, Value>> {
    let list =
        move |key: &str| schema.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let map = move |key: &str| schema.get(key).and_then(Value::as_object).into_iter().flat_map(Map::values);
    let one = move |key: &str| schema.get(key).into_iter();
    let below = map("properties").chain(list("anyOf")).chain(one("items")).chain(one("additionalProperties"));
    below.filter_map(Value::as_object)
}

fn has_fields(schema: &Map<String, Value>, depth: usize) -> bool {
    // the one that cask wraps an answer in says nothing of it
    let fields = schema.get("properties").and_then(Value::as_object).map(Map::keys);
    fields.is_some_and(|mut names| names.any(|name| name != "result"))
        || depth < MAX_DEPTH && inner(schema).any(|below| has_fields(below, depth + 1))
}

fn sensitive_fields(schema: &Map<String, Value>, depth: usize) -> bool {
    let listed = |word: &str| SENSITIVE.contains(&word);
    let named = |name: &String| {
        let all = words::split(name);
        let mut pairs = all.iter().zip(all.iter().skip(1));
        all.iter().any(|word| listed(&words::singular(word)))
            || pairs.any(|(one, two)| listed(&format!("{one}{two}")))
    };
    depth >= MAX_DEPTH
        || schema.get("properties").and_then(Value::as_object).is_some_and(|fields| fields.keys().any(named))
        || inner(schema).any(|below| sensitive_fields(below, depth + 1))
}
