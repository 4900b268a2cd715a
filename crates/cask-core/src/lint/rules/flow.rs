//! What the tools of one toolset can do together.

use std::collections::BTreeSet;

use super::{Check, row};
use crate::finding::Severity::{Info, Warning};
use crate::lint::legs::Legs;
use crate::lint::view::{Hit, View, few};

const AREA: &str = "What tools can do together";

/// More tools than this are not named.
const NAMED: usize = 6;

pub(super) static RULES: &[Check] = &[
    row(
        AREA,
        "toolset-trifecta",
        Warning,
        "private data, words of strangers and a way out in one toolset",
        "Tools of this toolset can read what is not for everybody, can read what people outside wrote, and can send something to where others read it, the last without a person. An agent that follows a text of a stranger can then carry private data out; none of the tools alone could. Part them into two toolsets, or have a person confirm the way out. Which tool does what is told from words, effect and auth, and may be wrong: the details say why.",
        |view| trifectas(view, true),
    ),
    row(
        AREA,
        "toolset-trifecta-confirmed",
        Info,
        "private data, words of strangers and a way out that is confirmed",
        "As `toolset-trifecta`, but no call was found by which the policy lets data out without a person. Whoever confirms such a call has to read its arguments: they are where private data would leave.",
        |view| trifectas(view, false),
    ),
];

/// Toolsets with all three parts, with or without a person before the last.
fn trifectas(view: &View<'_>, open: bool) -> Vec<Hit> {
    // nothing is served with a policy that cannot be asked
    if view.stances.is_empty() {
        return Vec::new();
    }
    let mut out = Vec::new();
    for (toolset, names) in &view.input.surface.toolsets {
        let private = part(view, names, |legs| legs.private.as_ref());
        let untrusted = part(view, names, |legs| legs.untrusted.as_ref());
        let ways = part(view, names, |legs| legs.out.as_ref());
        if private.is_empty() || untrusted.is_empty() || ways.is_empty() {
            continue;
        }
        let alone = |name: &str| view.stances.get(name).is_some_and(|stance| stance.unconfirmed.is_some());
        let (free, held): (Vec<_>, Vec<_>) = ways.into_iter().partition(|(name, _)| alone(name));
        if free.is_empty() == open {
            continue;
        }
        let mut details = vec![
            format!("private data: {}", list(&private)),
            format!("written by strangers: {}", list(&untrusted)),
        ];
        for (what, ways) in [("a way out, unconfirmed", free), ("a way out, confirmed", held)] {
            if !ways.is_empty() {
                details.push(format!("{what}: {}", list(&ways)));
            }
        }
        let end = if open { "and no person in between" } else { "which a person confirms" };
        let message = format!(
            "toolset `{toolset}` can read private data, read what strangers wrote and send data out, {end}"
        );
        out.push(Hit::new(format!("toolset/{toolset}"), message).pointer("/tools").details(details));
    }
    out
}

/// The tools that have a part, and why.
fn part<'v>(
    view: &'v View<'_>,
    names: &BTreeSet<String>,
    of: fn(&Legs) -> Option<&String>,
) -> Vec<(&'v str, &'v str)> {
    let legs = view.legs.iter().filter(|(name, _)| names.contains(**name));
    legs.filter_map(|(name, legs)| Some((*name, of(legs)?.as_str()))).collect()
}

fn list(tools: &[(&str, &str)]) -> String {
    few(tools.iter().map(|(name, why)| format!("`{name}` ({why})")), NAMED).join(", ")
}
