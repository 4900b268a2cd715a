//! Toolsets and the manifest: what holds the tools together.

use std::collections::BTreeSet;

use super::{Check, row};
use crate::finding::Severity::{Info, Warning};
use crate::lint::view::{Hit, View};
use crate::lock::{NotApproved, State, status::Standing};
use crate::toolpack::DEFAULT_TOOLSET;

const AREA: &str = "Toolsets and manifest";

/// Those that every mint makes anew; all others are somebody's own.
const MINTED: [&str; 4] = [DEFAULT_TOOLSET, "write_ops", "high_risk", "operator"];

pub(super) static RULES: &[Check] = &[
    row(
        AREA,
        "toolset-unexplained",
        Warning,
        "a toolset of your own that was approved without a reason",
        "Somebody put these tools together, and no approval of the toolset says what for. Whoever reviews the next tool in it cannot tell whether it belongs. Approve it again with a reason: `cask gate allow toolset/NAME --reason …`.",
        unexplained,
    ),
    row(
        AREA,
        "toolset-empty",
        Warning,
        "a toolset of your own without tools",
        "Serving it serves nothing, and a rule of the policy for it holds nothing back. Its tools were removed or renamed by a later mint, or nobody has filled it yet.",
        empty,
    ),
    row(
        AREA,
        "toolset-blocked-tool",
        Warning,
        "a toolset of your own with a tool that is blocked",
        "Somebody signed that the tool is never to be used, and the toolset still lists it. It is not served; lift the block or take the tool out, so that the list says what an agent gets. The toolsets that every mint makes list all their tools and are not reported.",
        blocked,
    ),
    row(
        AREA,
        "tool-without-toolset",
        Info,
        "a tool that is in no toolset",
        "A tool is served as part of a toolset. This one is in none, so nobody can call it. Put it into one, or leave it out of the toolpack.",
        nowhere,
    ),
    row(
        AREA,
        "manifest-digest-missing",
        Warning,
        "the manifest has no digest of an artifact",
        "Without a digest in `toolpack.yaml` nobody can say whether the file is the one that was written. Mint again to record it. The policy and the toolsets are their owner's and have none.",
        undigested,
    ),
];

pub(super) fn is_own(toolset: &str) -> bool {
    !MINTED.contains(&toolset)
}

/// The toolsets that are somebody's own.
fn own<'v>(view: &'v View<'_>) -> impl Iterator<Item = (&'v String, &'v BTreeSet<String>)> {
    view.input.surface.toolsets.iter().filter(|(name, _)| is_own(name))
}

fn unexplained(view: &View<'_>) -> Vec<Hit> {
    let Some(lockfile) = view.input.lockfile else { return Vec::new() };
    let mut out = Vec::new();
    for (name, _) in own(view) {
        let id = format!("toolset/{name}");
        let entry = lockfile.subjects.get(&id).filter(|entry| entry.state == State::Approved);
        if entry.is_some_and(|entry| entry.approvals.iter().all(|one| one.reason.trim().is_empty())) {
            out.push(Hit::new(id, format!("no approval of toolset `{name}` says what it is for")));
        }
    }
    out
}

fn empty(view: &View<'_>) -> Vec<Hit> {
    let empty = own(view).filter(|(_, tools)| tools.is_empty());
    empty
        .map(|(name, _)| Hit::new(format!("toolset/{name}"), format!("toolset `{name}` has no tool")))
        .collect()
}

fn blocked(view: &View<'_>) -> Vec<Hit> {
    let mut out = Vec::new();
    for (name, tools) in own(view) {
        for tool in tools {
            let standing = view.input.standings.get(&format!("tool/{tool}"));
            if standing == Some(&Standing::Not(NotApproved::Blocked)) {
                let message = format!("toolset `{name}` lists `{tool}`, which is blocked");
                out.push(Hit::new(format!("toolset/{name}"), message).pointer(format!("/tools/{tool}")));
            }
        }
    }
    out
}

fn nowhere(view: &View<'_>) -> Vec<Hit> {
    let served: BTreeSet<&String> = view.input.surface.toolsets.values().flatten().collect();
    let alone = view.tools.iter().filter(|tool| !served.contains(&tool.name));
    alone
        .map(|tool| Hit::new(format!("tool/{}", tool.name), format!("`{}` is in no toolset", tool.name)))
        .collect()
}

fn undigested(view: &View<'_>) -> Vec<Hit> {
    let manifest = view.input.manifest;
    let mut out = Vec::new();
    let paths: BTreeSet<&String> = manifest.paths.values().collect();
    for path in paths {
        let owned = manifest.owned.contains(&path.as_str());
        if !owned && view.input.files.contains_key(path) && !manifest.digests.contains_key(path) {
            let message = format!("the manifest has no digest of `{path}`");
            out.push(Hit::new(path.clone(), message).file(path.clone()));
        }
    }
    out
}
