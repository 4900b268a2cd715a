//! Names of tools and toolsets that are taken for each other.

use super::{Check, row};
use crate::endpoint::{Effect, Risk};
use crate::finding::Severity::{Breaking, Info, Warning};
use crate::lint::alike;
use crate::lint::view::{Hit, View};

const AREA: &str = "Names";

pub(super) static RULES: &[Check] = &[
    row(
        AREA,
        "name-collision",
        Warning,
        "names that look the same",
        "Only case, separators or look-alike letters tell these names apart (`l` and `1`, `O` and `0`, `m` and `rn`). A model and a reviewer take one for the other, and some clients do not tell them apart at all. Rename one.",
        same,
    ),
    row(
        AREA,
        "name-near",
        Info,
        "names that one letter tells apart",
        "One letter more, less or other makes one name of the other. That can be meant; it is also what a slip or a tool that poses as another looks like. Plurals, numbers, `get` and `set`, and names of fewer than six letters are not reported.",
        near,
    ),
    row(
        AREA,
        "name-reserved",
        Breaking,
        "a tool with the name of a group",
        "In the policy every tool is an action, and so is every group of an effect, a risk tier or a toolset (`effect_read`, `risk_high`, `toolset_operator`). With one name for both, no rule means what it says, and the policy has no schema. Rename the tool.",
        reserved,
    ),
];

/// The names of one kind of subject at a time.
fn kinds<'v>(view: &'v View<'_>) -> [(&'static str, Vec<&'v str>); 2] {
    let tools = view.tools.iter().map(|tool| tool.name.as_str()).collect();
    let toolsets = view.input.surface.toolsets.keys().map(String::as_str).collect();
    [("tool", tools), ("toolset", toolsets)]
}

fn same(view: &View<'_>) -> Vec<Hit> {
    let mut out = Vec::new();
    for (kind, names) in kinds(view) {
        for group in alike::same(&names) {
            let Some(first) = group.first() else { continue };
            let names: Vec<String> = group.iter().map(|name| format!("`{name}`")).collect();
            let message = format!("these names are hard to tell apart: {}", names.join(", "));
            out.push(Hit::new(format!("{kind}/{first}"), message).pointer("/name"));
        }
    }
    out
}

fn near(view: &View<'_>) -> Vec<Hit> {
    let mut out = Vec::new();
    for (kind, names) in kinds(view) {
        for (one, other) in alike::near(&names).0 {
            let message = format!("one letter tells `{one}` from `{other}`");
            // a second name that is near is another finding
            out.push(Hit::new(format!("{kind}/{one}"), message).pointer(format!("/name/{other}")));
        }
    }
    out
}

fn reserved(view: &View<'_>) -> Vec<Hit> {
    let toolsets = &view.input.surface.toolsets;
    let is_group = |name: &str| {
        let of = |kind: &str| name.strip_prefix(kind);
        of("effect_").is_some_and(|rest| Effect::ALL.iter().any(|effect| effect.as_str() == rest))
            || of("risk_").is_some_and(|rest| Risk::ALL.iter().any(|risk| risk.as_str() == rest))
            || of("toolset_").is_some_and(|rest| toolsets.contains_key(rest))
    };
    let tools = view.input.surface.tools.iter().filter(|tool| is_group(&tool.name));
    tools
        .map(|tool| {
            let message = format!("`{}` is also the name of a group of tools in the policy", tool.name);
            Hit::new(format!("tool/{}", tool.name), message).pointer("/name")
        })
        .collect()
}
