//! What an agent may send: more of it is more that it can do, less of it breaks who sent it.

use serde_json::Value;

use super::rules::{self as r, Change};
use super::schema::{self, Difference, Kind};
use super::{Subject, credential, text};

/// The arguments of a tool: its input schema.
pub(super) fn compare(tool: &str, then: &Value, now: &Value, out: &mut Subject<'_>) {
    for difference in schema::compare(then, now) {
        let Difference { pointer, member, kind, before, after } = difference;
        let secret = match (kind, &after) {
            (Kind::Added | Kind::AddedRequired, Some(schema)) => credential::names(&member, schema),
            _ => Vec::new(),
        };
        let rule = if secret.is_empty() { rule(kind) } else { &r::ARG_CREDENTIAL };
        let what = if member.is_empty() {
            format!("the arguments of `{tool}`")
        } else {
            format!("argument `{member}` of `{tool}`")
        };
        let details = match kind {
            Kind::Text => text::details(before.as_ref(), after.as_ref()),
            _ => secret.iter().map(|name| format!("named like a credential: {name}")).collect(),
        };
        out.push(rule, &format!("/input_schema{pointer}"), words(&what, kind), before, after);
        out.explain(details);
    }
}

fn rule(kind: Kind) -> &'static Change {
    match kind {
        Kind::Added | Kind::AddedRequired => &r::ARG_ADDED,
        Kind::Removed => &r::ARG_REMOVED,
        Kind::Required => &r::ARG_REQUIRED,
        Kind::Optional => &r::ARG_OPTIONAL,
        // when in doubt, it takes more
        Kind::Wider(_) | Kind::Other(_) => &r::ARG_WIDENED,
        Kind::Narrower(_) => &r::ARG_NARROWED,
        Kind::Text => &r::ARG_TEXT,
    }
}

fn words(what: &str, kind: Kind) -> String {
    match kind {
        Kind::Added => format!("new {what}"),
        Kind::AddedRequired => format!("new {what}, which must be given"),
        Kind::Removed => format!("{what} is gone"),
        Kind::Required => format!("{what} must be given now"),
        Kind::Optional => format!("{what} may be left out now"),
        Kind::Wider(by) => format!("{what} takes more than before ({})", by.words()),
        Kind::Other(by) => format!("{what} takes something else than before ({})", by.words()),
        Kind::Narrower(by) => format!("{what} takes less than before ({})", by.words()),
        Kind::Text => format!("{what}: the words changed"),
    }
}
