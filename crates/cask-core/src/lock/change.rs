//! Changes of a lockfile: brought up to date with a toolpack, allowed, blocked, sealed.

use std::collections::{BTreeMap, BTreeSet};

use super::sign::{self, Pen, SignError};
use super::{Entry, Lockfile, POLICY, SCHEMA_VERSION, State, Surface};
use crate::canon::{self, CanonError};

/// The subjects of a surface as nobody has decided on them yet.
///
/// # Errors
/// As [`canon::digest`].
pub fn subjects(surface: &Surface) -> Result<BTreeMap<String, Entry>, CanonError> {
    let entry = |digest, risk, toolsets| Entry {
        digest,
        state: State::Pending,
        risk,
        toolsets,
        approvals: Vec::new(),
    };
    let mut toolsets_of: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (name, tools) in &surface.toolsets {
        for tool in tools {
            toolsets_of.entry(tool).or_default().insert(name.clone());
        }
    }
    let mut risks = BTreeMap::new();
    let mut out = BTreeMap::new();
    for tool in &surface.tools {
        risks.insert(tool.name.as_str(), tool.risk);
        let toolsets = toolsets_of.get(tool.name.as_str()).cloned().unwrap_or_default();
        out.insert(format!("tool/{}", tool.name), entry(tool.digest(), tool.risk, toolsets));
    }
    for (name, tools) in &surface.toolsets {
        let risk = tools.iter().filter_map(|tool| risks.get(tool.as_str())).max();
        let digest = canon::digest(&Surface::toolset_content(name, tools))?;
        let risk = risk.copied().unwrap_or(crate::endpoint::Risk::Safe);
        out.insert(format!("toolset/{name}"), entry(digest, risk, BTreeSet::new()));
    }
    let risk = surface.risk_of(|_| true);
    out.insert(POLICY.to_owned(), entry(surface.policy_digest()?, risk, BTreeSet::new()));
    Ok(out)
}

/// The lockfile that comes after `base`, for this surface: what is unchanged keeps its decision, what is
/// new or changed is pending, what is gone stays listed as it was until someone approves its removal.
/// A blocked subject stays blocked whatever it has become: only an explicit `allow` lifts a block.
///
/// # Errors
/// As [`canon::digest`].
pub fn pending(base: Option<&Lockfile>, surface: &Surface) -> Result<Lockfile, CanonError> {
    let mut subjects = subjects(surface)?;
    for (id, old) in base.iter().flat_map(|base| &base.subjects) {
        match subjects.get_mut(id) {
            Some(new) if same(new, old) || old.state == State::Blocked => *new = old.clone(),
            Some(_) => {}
            None if old.state == State::Pending => {}
            None => {
                subjects.insert(id.clone(), old.clone());
            }
        }
    }
    Ok(Lockfile {
        schema_version: SCHEMA_VERSION.to_owned(),
        toolpack: surface.toolpack.clone(),
        revision: base.map_or(0, |base| base.revision).saturating_add(1),
        previous: base.map(Lockfile::digest).transpose()?,
        subjects,
        seal: None,
    })
}

/// Whether a decision on `old` is a decision on `new`.
#[must_use]
pub fn same(new: &Entry, old: &Entry) -> bool {
    new.digest == old.digest && new.risk == old.risk && new.toolsets == old.toolsets
}

/// Decides on one subject: `now` is what it is in the toolpack, `state` is `Approved` or `Blocked`.
/// The decision replaces the ones before it.
///
/// # Errors
/// As [`sign::approve`].
pub fn decide(
    lockfile: &mut Lockfile,
    subject: &str,
    now: &Entry,
    state: State,
    pen: &Pen<'_>,
) -> Result<(), SignError> {
    let mut entry = Entry { state, approvals: Vec::new(), ..now.clone() };
    entry.approvals = vec![sign::approve(&lockfile.toolpack, subject, &entry, pen)?];
    lockfile.subjects.insert(subject.to_owned(), entry);
    Ok(())
}
