//! Changes of a lockfile: brought up to date with a toolpack, allowed, blocked, sealed.

use std::collections::{BTreeMap, BTreeSet};

use super::sign::{self, Pen, SignError};
use super::{Approval, EVERYONE, Entry, Lockfile, POLICY, SCHEMA_VERSION, State, Surface};
use crate::canon::{self, CanonError};
use crate::toolpack::Binding;

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
        author: None,
        withdrawn: BTreeMap::new(),
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
    let mut risks_of: BTreeMap<&str, crate::endpoint::Risk> = BTreeMap::new();
    for tool in &surface.tools {
        let Binding::Http(http) = &tool.binding;
        let highest = risks_of.entry(&http.host).or_insert(tool.risk);
        *highest = tool.risk.max(*highest);
    }
    for (name, schemes) in surface.hosts() {
        let risk = risks_of.get(name).copied().unwrap_or(crate::endpoint::Risk::Safe);
        let digest = canon::digest(&Surface::host_content(name, &schemes))?;
        out.insert(format!("host/{name}"), entry(digest, risk, BTreeSet::new()));
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

/// Whether a decision on `old` is a decision on `new`. One for a higher risk is one for a lower risk too.
#[must_use]
pub fn same(new: &Entry, old: &Entry) -> bool {
    new.digest == old.digest && new.risk <= old.risk && new.toolsets == old.toolsets
}

/// Decides on one subject: `now` is what it is in the toolpack, `state` is `Approved` or `Blocked`.
///
/// An approval joins those that others gave to the same thing. A block replaces all decisions before it, and whoever
/// lifts it begins anew.
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
    let old = lockfile.subjects.get(subject);
    let mut entry = Entry { state, approvals: Vec::new(), ..now.clone() };
    if let Some(old) = old {
        entry.withdrawn.clone_from(&old.withdrawn);
        let joins = old.state == State::Approved && state == State::Approved && joins(now, old);
        if joins {
            entry.risk = old.risk;
            entry.approvals = old.approvals.iter().filter(|one| one.by != pen.by).cloned().collect();
        }
        if old.state == State::Blocked {
            entry.withdrawn = BTreeMap::from([(EVERYONE.to_owned(), lockfile.revision)]);
        }
    }
    entry.approvals.push(sign::approve(&lockfile.toolpack, lockfile.revision, subject, &entry, pen)?);
    lockfile.subjects.insert(subject.to_owned(), entry);
    Ok(())
}

/// Whether what others approved is what is approved now, so that the approvals add up.
fn joins(now: &Entry, old: &Entry) -> bool {
    same(now, old) && now.author == old.author
}

/// Adds an approval that somebody else signed elsewhere. Gives whether it was new; it counts as far as trust says.
pub fn import(lockfile: &mut Lockfile, subject: &str, now: &Entry, approval: Approval) -> bool {
    let fresh = Entry { state: State::Approved, approvals: Vec::new(), ..now.clone() };
    let entry = match lockfile.subjects.remove(subject) {
        Some(old) if old.state == State::Approved && joins(now, &old) => old,
        Some(old) if old.state == State::Blocked => {
            lockfile.subjects.insert(subject.to_owned(), old);
            return false;
        }
        Some(old) => Entry { withdrawn: old.withdrawn, ..fresh },
        None => fresh,
    };
    let mut entry = entry;
    let new = !entry.approvals.contains(&approval);
    if new {
        entry.approvals.retain(|one| one.by != approval.by);
        entry.approvals.push(approval);
    }
    lockfile.subjects.insert(subject.to_owned(), entry);
    new
}

/// Takes back what `by` approved of a subject: their approvals up to now count no more, wherever they are kept. Gives
/// whether there was one.
pub fn withdraw(lockfile: &mut Lockfile, subject: &str, by: &str) -> bool {
    let revision = lockfile.revision;
    let Some(entry) = lockfile.subjects.get_mut(subject).filter(|entry| entry.state == State::Approved)
    else {
        return false;
    };
    let before = entry.approvals.len();
    entry.approvals.retain(|one| one.by != by);
    if entry.approvals.len() == before {
        return false;
    }
    entry.withdrawn.insert(by.to_owned(), revision);
    if entry.approvals.is_empty() {
        entry.state = State::Pending;
    }
    true
}
