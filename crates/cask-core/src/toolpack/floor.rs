//! The least risk that a tool can have, told from what its approval signs alone.
//!
//! Effect and risk come from a whole capture, and stand in `tools.json`, which whoever can write the repository can edit.
//! How many signers a tool takes must not hang on that: its request alone says part of it, and this part cannot be argued
//! away.

use std::collections::BTreeSet;

use crate::endpoint::effect::{Signals, classify};
use crate::endpoint::{Effect, Operation, Place, Risk};

use super::{Binding, Tool};

/// What the request of a tool says of its risk, whatever the tool says itself.
#[must_use]
pub fn risk(tool: &Tool) -> Risk {
    let Binding::Http(http) = &tool.binding;
    let mut signals = Signals {
        method: http.method.to_ascii_uppercase(),
        path: http.path.to_string(),
        ..Signals::default()
    };
    for to in http.args.values().filter(|to| to.place == Place::Query) {
        signals.query.insert(to.name.clone(), Vec::new());
    }
    for (name, value) in &http.fixed_query {
        signals.query.entry(name.clone()).or_default().push(value.clone());
    }
    if let Some(body) = &http.body {
        signals.request = body.members.values().chain(body.fixed.keys()).cloned().collect::<BTreeSet<_>>();
        signals.operation = body.fixed.get("query").and_then(|query| operation(query.as_str()?));
    }
    classify(&signals).risk.max(tool.risk)
}

/// A GraphQL document as far as its first word says.
fn operation(document: &str) -> Option<Operation> {
    let word = document.split_whitespace().next()?;
    let kind =
        ["mutation", "subscription"].into_iter().find(|kind| word.starts_with(kind)).unwrap_or("query");
    Some(Operation {
        kind: kind.to_owned(),
        name: String::new(),
        document: String::new(),
        persisted: None,
        persisted_as: None,
        fields: Vec::new(),
    })
}

/// Whether a tool says that it reads and is called with a method that does not (RFC 9110, section 9.2.1).
#[must_use]
pub fn is_understated(tool: &Tool) -> bool {
    let Binding::Http(http) = &tool.binding;
    tool.effect == Effect::Read && matches!(http.method.as_str(), "PUT" | "PATCH" | "DELETE")
}
