//! What the scopes of a surface leave of its tools.
//!
//! What the lockfile lists of a scope holds as well as what `scopes.yaml` says now. Otherwise whoever can write that file
//! could take a tool out of its scope, and its limits with it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Lockfile, NotApproved};
use crate::endpoint::Risk;
use crate::toolpack::Fixed;
use crate::toolpack::scope::{Scope, risk_of};

/// How the subject id of a scope begins.
pub const SCOPE: &str = "scope/";

/// The scopes of each tool.
pub(super) struct Scoped<'s> {
    scopes: &'s BTreeMap<String, Scope>,
    of: BTreeMap<&'s str, BTreeSet<&'s str>>,
}

impl<'s> Scoped<'s> {
    /// As they are now, and as the lockfile lists them.
    pub fn new(scopes: &'s BTreeMap<String, Scope>, lockfile: &'s Lockfile) -> Self {
        let mut of: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let now = scopes.iter().map(|(name, scope)| (name.as_str(), &scope.tools));
        let listed =
            lockfile.subjects.iter().filter_map(|(id, entry)| Some((id.strip_prefix(SCOPE)?, &entry.tools)));
        for (name, tools) in now.chain(listed) {
            for tool in tools {
                of.entry(tool).or_default().insert(name);
            }
        }
        Self { scopes, of }
    }

    /// The subject ids of the scopes that hold a tool.
    pub fn subjects(&self, tool: &str) -> impl Iterator<Item = String> {
        self.of.get(tool).into_iter().flatten().map(|name| format!("{SCOPE}{name}"))
    }

    /// Why the scopes of a tool, approved for this risk, do not let it be served, if they do not. `covers` says for which
    /// risk a subject is approved.
    pub fn refuses(
        &self,
        tool: &Fixed,
        risk: Risk,
        covers: &dyn Fn(&str) -> Option<Risk>,
    ) -> Option<NotApproved> {
        let names = self.of.get(tool.name.as_str())?;
        names.iter().find_map(|name| {
            // it left the scope, or the scope is gone, and nobody has approved that
            let scope = self.scopes.get(*name).filter(|scope| scope.tools.contains(&tool.name));
            let (Some(scope), Some(covered)) = (scope, covers(&format!("{SCOPE}{name}"))) else {
                return Some(NotApproved::Scope);
            };
            if scope.outside(tool, risk_of(tool)).is_some() {
                return Some(NotApproved::OutOfScope);
            }
            (risk > covered).then_some(NotApproved::Raised)
        })
    }
}
