//! Scopes, as they are and as they were approved.

use std::collections::BTreeMap;

use super::Found;
use super::rules as r;
use crate::lock::{SCOPE, Surface};
use crate::toolpack::scope::change::{self, Way};

pub(super) fn compare(before: Option<&Surface>, after: &Surface, out: &mut Found) {
    let none = BTreeMap::new();
    let old = before.map_or(&none, |before| &before.scopes);
    for (name, scope) in &after.scopes {
        let mut subject = out.at(&format!("{SCOPE}{name}"));
        let Some(then) = old.get(name) else {
            let count = scope.tools.len();
            let message =
                format!("new scope `{name}` with {count} tool{}", if count == 1 { "" } else { "s" });
            subject.push(&r::SCOPE_ADDED, "", message, None, super::json(scope));
            continue;
        };
        for step in change::compare(then, scope) {
            let rule = match step.way {
                Way::Broadening => &r::SCOPE_BROADENED,
                Way::Narrowing => &r::SCOPE_NARROWED,
                Way::Neutral => &r::SCOPE_CHANGED,
            };
            subject.push(rule, &step.pointer, step.message, step.before, step.after);
        }
    }
    for name in old.keys().filter(|name| !after.scopes.contains_key(*name)) {
        let message = format!("scope `{name}` is gone, and its limits with it");
        out.at(&format!("{SCOPE}{name}")).push(&r::SCOPE_REMOVED, "", message, None, None);
    }
}
