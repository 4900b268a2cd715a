//! Changes of a lockfile: brought up to date with a toolpack, allowed, blocked, sealed.

use std::collections::{BTreeMap, BTreeSet};

use super::sign::{self, Pen, SignError};
use super::{Approval, EVERYONE, Entry, Lockfile, POLICY, SCHEMA_VERSION, SCOPE, State, Surface};
use rayon::prelude::*;

use crate::canon::{self, CanonError};
use crate::endpoint::Risk;
use crate::toolpack::{Binding, Fixed};

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
        tools: BTreeSet::new(),
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
    // What a tool says of itself can be edited; what its request says cannot be argued away.
    let floors: Vec<Risk> = surface.tools.par_iter().map(Fixed::floor).collect();
    let highest = floors.iter().copied().max().unwrap_or(Risk::Safe);
    let mut risks = BTreeMap::new();
    let mut out = BTreeMap::new();
    for (tool, risk) in surface.tools.iter().zip(floors) {
        risks.insert(tool.name.as_str(), risk);
        let toolsets = toolsets_of.get(tool.name.as_str()).cloned().unwrap_or_default();
        out.insert(format!("tool/{}", tool.name), entry(tool.digest(), risk, toolsets));
    }
    for (name, tools) in &surface.toolsets {
        let risk = tools.iter().filter_map(|tool| risks.get(tool.as_str())).max();
        let digest = canon::digest(&Surface::toolset_content(name, tools))?;
        let risk = risk.copied().unwrap_or(Risk::Safe);
        out.insert(format!("toolset/{name}"), entry(digest, risk, BTreeSet::new()));
    }
    let mut risks_of: BTreeMap<&str, Risk> = BTreeMap::new();
    for tool in &surface.tools {
        let Binding::Http(http) = &tool.binding;
        let risk = risks.get(tool.name.as_str()).copied().unwrap_or(Risk::Critical);
        let highest = risks_of.entry(&http.host).or_insert(risk);
        *highest = risk.max(*highest);
    }
    for (name, schemes) in surface.hosts() {
        let risk = risks_of.get(name).copied().unwrap_or(Risk::Safe);
        let digest = canon::digest(&Surface::host_content(name, &schemes))?;
        out.insert(format!("host/{name}"), entry(digest, risk, BTreeSet::new()));
    }
    for (name, scope) in &surface.scopes {
        let risk = scope.tools.iter().filter_map(|tool| risks.get(tool.as_str())).max();
        let risk = risk.copied().unwrap_or(Risk::Safe);
        let digest = canon::digest(&scope.content(name))?;
        let entry = entry(digest, risk, BTreeSet::new());
        out.insert(format!("{SCOPE}{name}"), Entry { tools: scope.tools.clone(), ..entry });
    }
    out.insert(POLICY.to_owned(), entry(surface.policy_digest()?, highest, BTreeSet::new()));
    Ok(out)
}

/// Whoever changes a scope takes away what it held tools to: it never takes fewer signers than what was approved of it did.
pub fn raise(subjects: &mut BTreeMap<String, Entry>, base: &Lockfile) {
    for (id, old) in base.subjects.iter().filter(|(id, _)| id.starts_with(SCOPE)) {
        if let Some(new) = subjects.get_mut(id).filter(|_| old.state == State::Approved) {
            new.risk = new.risk.max(old.risk);
        }
    }
}

/// The lockfile that comes after `base`, for this surface: what is unchanged keeps its decision, what is
/// new or changed is pending, what is gone stays listed as it was until someone approves its removal.
/// A blocked subject stays blocked whatever it has become: only an explicit `allow` lifts a block.
///
/// # Errors
/// As [`canon::digest`].
pub fn pending(base: Option<&Lockfile>, surface: &Surface) -> Result<Lockfile, CanonError> {
    let mut subjects = subjects(surface)?;
    base.iter().for_each(|base| raise(&mut subjects, base));
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
    let mut entry = Entry { state, ..joined(lockfile, subject, now) };
    if state == State::Blocked {
        entry.approvals.clear();
    }
    if lockfile.subjects.get(subject).is_some_and(|old| old.state == State::Blocked) {
        entry.withdrawn = BTreeMap::from([(EVERYONE.to_owned(), lockfile.revision)]);
    }
    // A new word takes the place of those before, whatever they were about: none of them must come back.
    if let Some(old) = lockfile.subjects.get(subject) {
        let changed = old.digest != now.digest;
        let replaced = old.approvals.iter().filter(|one| changed || one.by == pen.by);
        entry.withdrawn.extend(replaced.map(|one| (one.by.clone(), lockfile.revision)));
    }
    entry.approvals.retain(|one| one.by != pen.by);
    entry.approvals.push(sign::approve(&lockfile.toolpack, lockfile.revision, subject, &entry, pen)?);
    lockfile.subjects.insert(subject.to_owned(), entry);
    Ok(())
}

/// Whether what others approved is what is approved now, so that the approvals add up.
fn joins(now: &Entry, old: &Entry) -> bool {
    same(now, old) && now.author == old.author
}

/// The entry that one more approval of a subject goes into: with those that others gave to the same thing, or with none.
#[must_use]
pub fn joined(lockfile: &Lockfile, subject: &str, now: &Entry) -> Entry {
    let fresh = Entry { state: State::Approved, approvals: Vec::new(), ..now.clone() };
    match lockfile.subjects.get(subject) {
        // signed for the risk that the others signed for: one for a higher risk is one for a lower risk too
        Some(old) if old.state == State::Approved && joins(now, old) => old.clone(),
        Some(old) => Entry { withdrawn: old.withdrawn.clone(), ..fresh },
        None => fresh,
    }
}

/// Adds an approval that somebody else signed elsewhere. Gives whether it was new: a block stays, and an older word of a
/// signer does not replace a newer one. Whether it counts is for the caller to find out before.
pub fn import(lockfile: &mut Lockfile, subject: &str, now: &Entry, approval: Approval) -> bool {
    if lockfile.subjects.get(subject).is_some_and(|old| old.state == State::Blocked) {
        return false;
    }
    let mut entry = joined(lockfile, subject, now);
    let newer = |one: &Approval| one.by == approval.by && one.revision >= approval.revision;
    let known = lockfile.subjects.get(subject).into_iter().flat_map(|old| &old.approvals);
    if known.chain(&entry.approvals).any(newer) {
        return false;
    }
    // what others said of what it was before is over
    if let Some(old) = lockfile.subjects.get(subject).filter(|old| old.digest != now.digest) {
        entry.withdrawn.extend(old.approvals.iter().map(|one| (one.by.clone(), one.revision + 1)));
    }
    entry.approvals.retain(|one| one.by != approval.by);
    entry.approvals.push(approval);
    lockfile.subjects.insert(subject.to_owned(), entry);
    true
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
    // What they signed for this very revision, and nobody has imported yet, is taken back too.
    entry.withdrawn.insert(by.to_owned(), revision.saturating_add(1));
    if entry.approvals.is_empty() {
        entry.state = State::Pending;
    }
    true
}
