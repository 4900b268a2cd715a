//! Toolsets: which tools are served together.

use std::collections::{BTreeMap, BTreeSet};

use super::Found;
use super::pair::Pair;
use super::rules::{self as r, Change};
use crate::endpoint::Effect;
use crate::lock::Surface;

/// Compares the toolsets. A tool that only has another name stays where it was.
pub(super) fn compare(before: Option<&Surface>, after: &Surface, pairs: &[Pair<'_>], out: &mut Found) {
    let empty = BTreeMap::new();
    let old = before.map_or(&empty, |before| &before.toolsets);
    let effects: BTreeMap<&str, Effect> =
        after.tools.iter().map(|tool| (tool.name.as_str(), tool.effect)).collect();
    let names: BTreeMap<&str, &str> = pairs.iter().filter_map(renamed).collect();
    for (name, tools) in &after.toolsets {
        let mut out = out.at(&format!("toolset/{name}"));
        let Some(then) = old.get(name) else {
            let plural = if tools.len() == 1 { "" } else { "s" };
            let message = format!("new toolset `{name}` with {} tool{plural}", tools.len());
            out.push(&r::TOOLSET_ADDED, "", message, None, None);
            continue;
        };
        let now: BTreeSet<&str> = tools.iter().map(String::as_str).collect();
        let then: BTreeSet<&str> = then.iter().map(|tool| stays(tool, &now, &names)).collect();
        for tool in now.difference(&then) {
            let message = format!("`{tool}` is now in toolset `{name}`");
            out.push(added(effects.get(tool).copied()), "/tools", message, None, Some((*tool).into()));
        }
        for tool in then.difference(&now) {
            let message = format!("`{tool}` is no longer in toolset `{name}`");
            out.push(&r::TOOLSET_MEMBER_REMOVED, "/tools", message, Some((*tool).into()), None);
        }
    }
    for name in old.keys().filter(|name| !after.toolsets.contains_key(*name)) {
        let message = format!("toolset `{name}` is gone");
        out.at(&format!("toolset/{name}")).push(&r::TOOLSET_REMOVED, "", message, None, None);
    }
}

fn renamed<'s>(pair: &Pair<'s>) -> Option<(&'s str, &'s str)> {
    let Pair::Both(then, now) = *pair else { return None };
    Some((then.name.as_str(), now.name.as_str())).filter(|(then, now)| then != now)
}

/// The name of a member now, if it is still one.
fn stays<'s>(tool: &'s str, now: &BTreeSet<&str>, names: &BTreeMap<&str, &'s str>) -> &'s str {
    names.get(tool).copied().filter(|name| now.contains(name)).unwrap_or(tool)
}

fn added(effect: Option<Effect>) -> &'static Change {
    match effect {
        None | Some(Effect::Read) => &r::TOOLSET_MEMBER_ADDED,
        Some(Effect::Write) => &r::TOOLSET_MEMBER_WRITES,
        Some(Effect::Auth) => &r::TOOLSET_MEMBER_AUTH,
        Some(Effect::Delete | Effect::Payment | Effect::Admin) => &r::TOOLSET_MEMBER_DESTRUCTIVE,
    }
}
