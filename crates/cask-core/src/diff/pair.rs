//! Which tool of now is which tool of before: by its name, and where that is another one, by what it calls.

use std::collections::{BTreeMap, BTreeSet};

use crate::canon;
use crate::toolpack::{Binding, Fixed};

/// Tools by name.
pub(super) type Tools<'s> = BTreeMap<&'s str, &'s Fixed>;

/// A tool of before and of now.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pair<'s> {
    /// On both sides, perhaps under another name.
    Both(&'s Fixed, &'s Fixed),
    Added(&'s Fixed),
    Removed(&'s Fixed),
}

/// The pairs: those of now by name, then what is gone.
pub(super) fn pairs<'s>(old: &Tools<'s>, new: &Tools<'s>) -> Vec<Pair<'s>> {
    let renamed = renamed(old, new);
    let found: BTreeSet<&str> = renamed.values().map(|then| then.name.as_str()).collect();
    let now = new.iter().map(|(name, &now)| match old.get(name).or_else(|| renamed.get(name)) {
        Some(&then) => Pair::Both(then, now),
        None => Pair::Added(now),
    });
    let gone = old.iter().filter(|(name, _)| !new.contains_key(*name) && !found.contains(*name));
    now.chain(gone.map(|(_, &then)| Pair::Removed(then))).collect()
}

/// How a tool is known again under another name, the surest first.
const KEYS: [fn(&Fixed) -> Option<String>; 3] = [call, binding, endpoint];

/// The tools that were there under another name, by the name of now. A key counts only where one tool that is gone and
/// one that is new have it, so that nothing depends on an order.
fn renamed<'s>(old: &Tools<'s>, new: &Tools<'s>) -> Tools<'s> {
    let mut gone: Vec<&'s Fixed> = apart(old, new);
    let mut fresh: Vec<&'s Fixed> = apart(new, old);
    let mut found = Tools::new();
    for key in KEYS {
        if gone.is_empty() || fresh.is_empty() {
            break;
        }
        let then = only(&gone, key);
        let mut taken = BTreeSet::new();
        for (key, now) in only(&fresh, key) {
            if let Some(&then) = then.get(&key) {
                found.insert(now.name.as_str(), then);
                taken.insert(then.name.as_str());
            }
        }
        gone.retain(|then| !taken.contains(then.name.as_str()));
        fresh.retain(|now| !found.contains_key(now.name.as_str()));
    }
    found
}

/// The tools of one side whose names the other does not have.
fn apart<'s>(tools: &Tools<'s>, others: &Tools<'s>) -> Vec<&'s Fixed> {
    tools.iter().filter(|(name, _)| !others.contains_key(*name)).map(|(_, &tool)| tool).collect()
}

/// Tools by a key that only one of them has.
fn only<'s>(tools: &[&'s Fixed], key: fn(&Fixed) -> Option<String>) -> BTreeMap<String, &'s Fixed> {
    let mut out: BTreeMap<String, Option<&'s Fixed>> = BTreeMap::new();
    for &tool in tools {
        if let Some(key) = key(tool) {
            out.entry(key).and_modify(|one| *one = None).or_insert(Some(tool));
        }
    }
    out.into_iter().filter_map(|(key, tool)| Some((key, tool?))).collect()
}

/// Method, host, path up to the names of its parameters, and what is sent with every call.
fn call(tool: &Fixed) -> Option<String> {
    let Binding::Http(http) = &tool.binding;
    let fixed = http.body.as_ref().map(|body| &body.fixed);
    let path = http.path.anonymous();
    serde_json::to_string(&(&http.method, &http.host, path, &http.fixed_query, &http.fixed_headers, fixed))
        .ok()
}

fn binding(tool: &Fixed) -> Option<String> {
    let bytes = canon::canonical(&tool.binding).ok()?;
    String::from_utf8(bytes).ok()
}

fn endpoint(tool: &Fixed) -> Option<String> {
    Some(tool.evidence.endpoint.clone()).filter(|endpoint| !endpoint.is_empty())
}
