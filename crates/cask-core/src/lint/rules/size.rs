//! What tools weigh: an agent carries the list of them through the whole conversation.

use super::{Check, row};
use crate::finding::Severity::Warning;
use crate::lint::view::{Hit, View};
use crate::toolpack::{MAX_ENTRY_BYTES, describe};

const AREA: &str = "What tools weigh";

/// Bytes of JSON to a token, as a rule of thumb over the tokenizers in use.
const BYTES_TO_A_TOKEN: usize = 4;

/// How many of the heaviest tools are named.
const NAMED: usize = 5;

pub(super) static RULES: &[Check] = &[
    row(
        AREA,
        "toolset-heavy",
        Warning,
        "the tools of a toolset take much of an agent's context",
        "A client sends all tools of the served toolset to the model with every request. The estimate is a token for four bytes of `tools/list`. Beyond the budget (`budget_tokens` in `cask.toml`, 25,000 if it does not say) a model has less room for its task, costs more, and chooses worse. Make a toolset of the tools that a task needs.",
        heavy,
    ),
    row(
        AREA,
        "tool-entry-heavy",
        Warning,
        "a tool that is too large for some clients",
        "A mint makes no tool of more than 16 KiB, as the client gets it, because some clients refuse larger ones. This one was written by hand or by an older version. Mint again, or take out optional arguments.",
        entry,
    ),
    row(
        AREA,
        "description-long",
        Warning,
        "a description of more than 400 characters",
        "A mint makes no longer ones: what a tool does fits into one or two sentences, and clients cut what is longer. A long description is also where instructions to a model hide. Shorten it.",
        description,
    ),
];

fn heavy(view: &View<'_>) -> Vec<Hit> {
    let budget = view.input.settings.budget_tokens();
    let mut out = Vec::new();
    for (toolset, names) in &view.input.surface.toolsets {
        let mut weights: Vec<(usize, &str)> = view
            .members(names)
            .map(|tool| {
                (view.weights.get(tool.name.as_str()).copied().unwrap_or_default(), tool.name.as_str())
            })
            .collect();
        // with the comma after each
        let bytes = weights.iter().fold(0_usize, |sum, (bytes, _)| sum.saturating_add(bytes + 1));
        let tokens = bytes.div_ceil(BYTES_TO_A_TOKEN) as u64;
        if tokens <= budget {
            continue;
        }
        weights.sort_unstable();
        let heaviest = weights.iter().rev().take(NAMED);
        let heaviest: Vec<String> =
            heaviest.map(|(bytes, name)| format!("`{name}` (about {})", bytes / BYTES_TO_A_TOKEN)).collect();
        let message = format!(
            "the {} tools of `{toolset}` take about {tokens} tokens, and the budget is {budget}",
            weights.len()
        );
        let details = vec![format!("the heaviest: {}", heaviest.join(", "))];
        out.push(Hit::new(format!("toolset/{toolset}"), message).pointer("/tools").details(details));
    }
    out
}

fn entry(view: &View<'_>) -> Vec<Hit> {
    let large = view.weights.iter().filter(|(_, bytes)| **bytes > MAX_ENTRY_BYTES);
    large
        .map(|(name, bytes)| {
            let message =
                format!("`{name}` has {bytes} bytes as a client gets it, and clients take {MAX_ENTRY_BYTES}");
            Hit::new(format!("tool/{name}"), message)
        })
        .collect()
}

fn description(view: &View<'_>) -> Vec<Hit> {
    let mut out = Vec::new();
    for tool in &view.tools {
        let length = tool.description.chars().count();
        if length > describe::MAX {
            let message = format!("the description of `{}` has {length} characters", tool.name);
            out.push(Hit::new(format!("tool/{}", tool.name), message).pointer("/description"));
        }
    }
    out
}
