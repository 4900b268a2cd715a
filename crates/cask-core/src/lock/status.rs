//! The one way to an [`Approved`] surface. It never fails open: what is not proven is not approved.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rayon::prelude::*;

use super::key::{self, Signed};
use super::quorum::{self, Outcome, Place, Votes};
use super::scoped::Scoped;
use super::seen::Seen;
use super::trust::{Miss, Role, Trust};
use super::{
    Approved, ApprovedTool, Entry, Lockfile, NotApproved, POLICY, SCHEMA_VERSION, SCOPE, State, Surface,
    change, is_time, sign,
};
use crate::canon::{CanonError, Digest};
use crate::endpoint::Risk;
use crate::toolpack::Binding;

/// The world in which a lockfile is checked.
#[derive(Debug, Clone, Copy)]
pub struct Against<'a> {
    /// Who may decide.
    pub trust: &'a Trust,
    /// RFC 3339 time now.
    pub now: &'a str,
    /// The last accepted revision, if one is remembered.
    pub seen: Option<&'a Seen>,
}

/// Why a lockfile as a whole is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// The reason code, as in the audit log.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: &'static str,
}

/// Where one subject stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Approved, and the approval covers what is in the toolpack now.
    Approved,
    /// It may not be used, and why.
    Not(NotApproved),
    /// In the lockfile but no longer in the toolpack.
    Removed,
}

/// Where one subject stands, and when it stops to.
type Stand = (Standing, Option<String>);

/// Checks everything that is signed, and gives what may run.
///
/// A problem with one tool or its host makes that tool [`Approved::not_approved`]; a problem with the file or the
/// policy refuses the whole surface. A toolset that was never approved is not in [`Approved::toolsets`].
///
/// # Errors
/// [`Refused`] with the reason.
pub fn verify(surface: Surface, lockfile: &Lockfile, against: &Against<'_>) -> Result<Approved, Refused> {
    // Two halves that do not need each other: the file as a whole, and each subject.
    let (digest, stands) =
        rayon::join(|| accept(lockfile, &surface.toolpack, against), || stands(&surface, lockfile, against));
    let (digest, stands) = (digest?, stands?);
    let standing = |id: &str| stands.get(id).map(|(standing, _)| *standing);
    // What a subject was approved for; none if it is not.
    let covers = |id: &str| match standing(id) {
        Some(Standing::Approved | Standing::Not(NotApproved::Raised)) => {
            lockfile.subjects.get(id).map(|entry| entry.risk)
        }
        _ => None,
    };
    let Some(policy_risk) = covers(POLICY) else {
        let why = match standing(POLICY) {
            Some(Standing::Not(why)) => why,
            _ => NotApproved::Pending,
        };
        return Err(Refused {
            code: why.code(),
            message: format!("the policy ({POLICY}) is not approved: {}", why.words()),
            hint: "see `cask diff`, then `cask gate allow policy`",
        });
    };
    let toolsets: BTreeSet<String> = surface
        .toolsets
        .keys()
        .filter(|name| {
            // One that got or lost members since is still served with those whose own approval names it.
            let id = format!("toolset/{name}");
            covers(&id).is_some() || standing(&id) == Some(Standing::Not(NotApproved::Changed))
        })
        .cloned()
        .collect();
    let end = |id: &str| stands.get(id).and_then(|(_, until)| until.clone());
    let policy_end = end(POLICY);
    let toolset_ends =
        toolsets.iter().filter_map(|name| Some((name.clone(), end(&format!("toolset/{name}"))?))).collect();
    let hosts: BTreeMap<String, (Option<Risk>, Option<String>)> = surface
        .hosts()
        .into_keys()
        .map(|name| (name.to_owned(), (covers(&format!("host/{name}")), end(&format!("host/{name}")))))
        .collect();
    let policy_digest = surface.policy_digest().map_err(uncanonical)?;
    let mut approved = Approved {
        toolpack: surface.toolpack,
        revision: lockfile.revision,
        lockfile_digest: Some(digest),
        tools: BTreeMap::new(),
        toolsets,
        toolset_ends,
        policy: surface.policy,
        policy_digest,
        hosts: BTreeSet::new(),
        scopes: BTreeMap::new(),
        not_approved: BTreeMap::new(),
    };
    let scoped = Scoped::new(&surface.scopes, lockfile);
    for tool in surface.tools {
        let id = format!("tool/{}", tool.name);
        let Binding::Http(http) = &tool.binding;
        let (host_risk, host_end) = hosts.get(&http.host).cloned().unwrap_or_default();
        let why = match standing(&id) {
            Some(Standing::Approved) => {
                // as it was signed: never less than its request alone says
                let risk = lockfile.subjects.get(&id).map_or(Risk::Critical, |entry| entry.risk);
                match host_risk {
                    None => Some(NotApproved::Host),
                    Some(host) if risk > host.min(policy_risk) => Some(NotApproved::Raised),
                    Some(_) => scoped.refuses(&tool, risk, &covers),
                }
            }
            Some(Standing::Not(why)) => Some(why),
            Some(Standing::Removed) | None => Some(NotApproved::Pending),
        };
        match (why, lockfile.subjects.get(&id)) {
            (None, Some(entry)) => {
                approved.hosts.insert(http.host.clone());
                let toolsets = entry.toolsets.intersection(&approved.toolsets).cloned().collect();
                // Without its policy, its host and its scopes no tool is approved: the earliest end counts.
                let scopes = scoped.subjects(&tool.name).map(|id| end(&id));
                let until =
                    [end(&id), policy_end.clone(), host_end].into_iter().chain(scopes).flatten().min();
                let entry = ApprovedTool { digest: entry.digest, toolsets, until, tool: tool.into_tool() };
                approved.tools.insert(entry.tool.name.clone(), entry);
            }
            (why, _) => {
                approved.not_approved.insert(tool.name.clone(), why.unwrap_or(NotApproved::Pending));
            }
        }
    }
    let scopes = surface.scopes.into_iter();
    approved.scopes = scopes.filter(|(name, _)| covers(&format!("{SCOPE}{name}")).is_some()).collect();
    Ok(approved)
}

impl NotApproved {
    /// The reason code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            NotApproved::Pending => "denied_not_approved",
            NotApproved::Blocked => "denied_blocked",
            NotApproved::Changed => "denied_integrity_mismatch",
            NotApproved::Unsigned => "denied_approval_signature_required",
            NotApproved::BadSignature => "denied_approval_signature_invalid",
            NotApproved::Expired => "denied_approval_expired",
            NotApproved::Short => "denied_quorum_not_met",
            NotApproved::Revoked => "denied_approval_key_revoked",
            NotApproved::Raised => "denied_risk_not_covered",
            NotApproved::Host => "denied_host_not_approved",
            NotApproved::Scope => "denied_scope_not_approved",
            NotApproved::OutOfScope => "denied_out_of_scope",
        }
    }

    /// What it means, for a message.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            NotApproved::Pending => "nobody has decided on it yet",
            NotApproved::Blocked => "it is blocked",
            NotApproved::Changed => "it is not what was approved",
            NotApproved::Unsigned => "it says approved, but no approval is there",
            NotApproved::BadSignature => "an approval does not verify, or its key is not trusted",
            NotApproved::Expired => "its approval has ended",
            NotApproved::Short => "fewer signers approved it than trust.yaml asks for",
            NotApproved::Revoked => "the key that approved it was revoked",
            NotApproved::Raised => "the risk is higher than what was approved",
            NotApproved::Host => "the host that it calls is not approved",
            NotApproved::Scope => "a scope that holds it is not approved as it is now",
            NotApproved::OutOfScope => "it is outside of what one of its scopes allows",
        }
    }
}

/// Checks the file as a whole: version, toolpack, seal, revision. Gives [`Lockfile::digest`].
///
/// # Errors
/// [`Refused`] with the reason.
pub fn accept(lockfile: &Lockfile, toolpack: &str, against: &Against<'_>) -> Result<Digest, Refused> {
    let refuse = |code, message: String, hint| Err(Refused { code, message, hint });
    if lockfile.schema_version != SCHEMA_VERSION {
        return refuse(
            "denied_integrity_mismatch",
            format!("the lockfile has schema version `{}`, not `{SCHEMA_VERSION}`", lockfile.schema_version),
            "use the version of cask that wrote it, or a later one",
        );
    }
    if lockfile.toolpack != toolpack {
        return refuse(
            "denied_lockfile_foreign",
            format!("the lockfile is for toolpack {}, not for {toolpack}", lockfile.toolpack),
            "give the lockfile of this toolpack with --lockfile",
        );
    }
    let Some(seal) = &lockfile.seal else {
        return refuse(
            "denied_lockfile_not_sealed",
            "the lockfile has no seal: a pending lockfile never runs".to_owned(),
            "review it with `cask diff` and approve with `cask gate allow`",
        );
    };
    let digest = lockfile.digest().map_err(uncanonical)?;
    let decided = lockfile.subjects.values().filter(|entry| entry.state != State::Pending);
    let risk = decided.map(|entry| entry.risk).max().unwrap_or(Risk::Safe);
    let may = against.trust.may(&seal.by, &seal.key, Role::Seal, risk, &seal.at);
    let key = match may
        .and_then(|key| if in_future(&seal.at, against.now) { Err(Miss::Future) } else { Ok(key) })
    {
        Ok(key) => key,
        Err(miss @ (Miss::Revoked | Miss::Compromised)) => {
            return refuse(
                "denied_lockfile_seal_revoked",
                format!("the lockfile is sealed by `{}`, but {}", seal.by, miss.words()),
                RESEAL,
            );
        }
        Err(miss) => {
            return refuse(
                "denied_lockfile_seal_not_trusted",
                format!(
                    "the lockfile is sealed by `{}` with a key that is not trusted here: {}",
                    seal.by,
                    miss.words()
                ),
                "trust.yaml in the state root lists who is trusted; it belongs next to the lockfile in the repository",
            );
        }
    };
    let message = sign::seal_message(lockfile, &digest, seal).map_err(uncanonical)?;
    let signed: Vec<Signed> = key.signed(message, &seal.signature).into_iter().collect();
    if key::check(&signed) != [true] {
        return refuse(
            "denied_lockfile_changed",
            "the seal does not verify: the lockfile was changed after it was sealed".to_owned(),
            "restore it from version control; or remove it, then `cask state accept`, `cask gate sync`, and decide anew",
        );
    }
    let Some(seen) = against.seen else { return Ok(digest) };
    if lockfile.revision < seen.revision {
        return refuse(
            "denied_lockfile_rolled_back",
            format!(
                "the lockfile is revision {}, but revision {} was accepted before",
                lockfile.revision, seen.revision
            ),
            "restore the newest approved lockfile; if this one is meant: `cask state accept`",
        );
    }
    if lockfile.revision == seen.revision && digest != seen.digest {
        return refuse(
            "denied_lockfile_rolled_back",
            format!("another revision {} of this lockfile was accepted before", lockfile.revision),
            "two people approved at once: bring both decisions together and approve again",
        );
    }
    if lockfile.revision == seen.revision + 1 && lockfile.previous != Some(seen.digest) {
        return refuse(
            "denied_lockfile_forked",
            format!(
                "revision {} does not come after the revision {} accepted here",
                lockfile.revision, seen.revision
            ),
            FORKED,
        );
    }
    if let Some(id) = seen.forgotten(lockfile) {
        return refuse(
            "denied_lockfile_forked",
            format!("`{id}` was blocked in revision {}, and nobody lifted that block since", seen.revision),
            FORKED,
        );
    }
    if let Some((id, least)) = seen.revived(lockfile) {
        return refuse(
            "denied_lockfile_forked",
            format!(
                "what was approved of `{id}` before revision {least} was taken back in the revision {} accepted here, and \
                 counts again",
                seen.revision
            ),
            FORKED,
        );
    }
    let newer = lockfile.revision > seen.revision;
    if newer && against.trust.content().revoked.iter().any(|revoked| revoked.key == seal.key) {
        return refuse(
            "denied_lockfile_seal_revoked",
            format!(
                "the lockfile is newer than the one accepted here, and sealed by `{}` with a revoked key",
                seal.by
            ),
            RESEAL,
        );
    }
    Ok(digest)
}

const FORKED: &str = "two people decided on the same revision: take the lockfile that was accepted, and decide again on it; if \
                      this one is meant: `cask state accept`";
const RESEAL: &str = "another signer looks at `cask gate check`, then seals it anew with `cask gate reseal`";

/// Where every subject of the surface and the lockfile stands. Says nothing about the seal.
///
/// # Errors
/// [`Refused`] if the surface has no digests, two tools share a name, or `now` is not a time.
pub fn standings(
    surface: &Surface,
    lockfile: &Lockfile,
    against: &Against<'_>,
) -> Result<BTreeMap<String, Standing>, Refused> {
    let stands = stands(surface, lockfile, against)?;
    Ok(stands.into_iter().map(|(id, (standing, _))| (id, standing)).collect())
}

fn stands(
    surface: &Surface,
    lockfile: &Lockfile,
    against: &Against<'_>,
) -> Result<BTreeMap<String, Stand>, Refused> {
    if !is_time(against.now) {
        return Err(Refused {
            code: "error_internal",
            message: format!("`{}` is not an RFC 3339 time in UTC and whole seconds", against.now),
            hint: "unset CASK_NOW or give it a time like 2026-01-31T12:00:00Z",
        });
    }
    let names: BTreeSet<&str> = surface.tools.iter().map(|tool| tool.name.as_str()).collect();
    if names.len() != surface.tools.len() {
        return Err(Refused {
            code: "denied_integrity_mismatch",
            message: "two tools of the toolpack have the same name".to_owned(),
            hint: "mint the toolpack again",
        });
    }
    let at = Place {
        trust: against.trust,
        toolpack: &lockfile.toolpack,
        revision: lockfile.revision,
        now: against.now,
    };
    let current = change::subjects(surface).map_err(uncanonical)?;
    let list: Vec<(&String, &Entry)> = current.iter().collect();
    let part = |part: &[(&String, &Entry)]| {
        let mut signed = Vec::new();
        let looks: Vec<Look<'_>> = part
            .iter()
            .map(|(id, current)| look(id, current, lockfile.subjects.get(*id), at, &mut signed))
            .collect();
        let mut answers = key::check(&signed).into_iter();
        looks.into_iter().map(|look| look.settle(&mut answers)).collect::<Vec<_>>()
    };
    // One batch a core: the more signatures in one, the less each costs.
    let size = list.len().div_ceil(rayon::current_num_threads()).max(64);
    let answers: Vec<Stand> = list.par_chunks(size).flat_map_iter(part).collect();
    let mut out: BTreeMap<String, Stand> = list.into_iter().map(|(id, _)| id.clone()).zip(answers).collect();
    for (id, entry) in &lockfile.subjects {
        let gone = match entry.state {
            State::Blocked => Standing::Not(NotApproved::Blocked),
            State::Approved => Standing::Removed,
            // a scope holds its tools until somebody approves that it is gone
            State::Pending if id.starts_with(SCOPE) => Standing::Removed,
            // kept only for what was withdrawn of it
            State::Pending => continue,
        };
        out.entry(id.clone()).or_insert((gone, None));
    }
    Ok(out)
}

enum Look<'a> {
    Settled(Standing),
    /// The standing if enough signers agree.
    Votes(Votes<'a>, Standing),
}

fn look<'a>(
    id: &str,
    current: &Entry,
    entry: Option<&'a Entry>,
    at: Place<'_>,
    signed: &mut Vec<Signed>,
) -> Look<'a> {
    let not = |why| Look::Settled(Standing::Not(why));
    let Some(entry) = entry else { return not(NotApproved::Pending) };
    match entry.state {
        State::Pending => return not(NotApproved::Pending),
        // A block needs no valid signature to hold: when in doubt, no.
        State::Blocked => return not(NotApproved::Blocked),
        State::Approved => {}
    }
    if entry.approvals.is_empty() {
        return not(NotApproved::Unsigned);
    }
    // A toolset that got or lost members is still served with those whose own approval names it, as long as the
    // approval that it has counts.
    let standing = if change::same(current, entry) {
        Standing::Approved
    } else if current.digest == entry.digest && current.toolsets == entry.toolsets {
        Standing::Not(NotApproved::Raised)
    } else if id.starts_with("toolset/") {
        Standing::Not(NotApproved::Changed)
    } else {
        return not(NotApproved::Changed);
    };
    Look::Votes(quorum::votes(id, entry, at, signed), standing)
}

impl Look<'_> {
    fn settle(self, answers: &mut impl Iterator<Item = bool>) -> Stand {
        let (votes, standing) = match self {
            Look::Settled(standing) => return (standing, None),
            Look::Votes(votes, standing) => (votes, standing),
        };
        let why = match votes.count(answers) {
            Outcome::Enough(until) => return (standing, until.map(str::to_owned)),
            Outcome::Ended => NotApproved::Expired,
            Outcome::Short { worst: Some(Miss::Revoked | Miss::Compromised), .. } => NotApproved::Revoked,
            Outcome::Short { some: false, worst: Some(Miss::Unknown | Miss::Owner | Miss::Signature) } => {
                NotApproved::BadSignature
            }
            Outcome::Short { .. } => NotApproved::Short,
        };
        (Standing::Not(why), None)
    }
}

/// Whether a time lies ahead: clocks differ by minutes, not by more. What is signed for later does not count yet.
pub(super) fn in_future(at: &str, now: &str) -> bool {
    const SKEW: SignedDuration = SignedDuration::from_mins(10);
    match (at.parse::<Timestamp>(), now.parse::<Timestamp>()) {
        (Ok(at), Ok(now)) => at.duration_since(now) > SKEW,
        _ => true,
    }
}

/// The subjects on which enough signers agreed, as the lockfile has them, whatever they have become since; also where that
/// has ended. This is what somebody reviewed: what a change is to be compared with.
#[must_use]
pub fn agreed(lockfile: &Lockfile, against: &Against<'_>) -> BTreeSet<String> {
    let at = Place {
        trust: against.trust,
        toolpack: &lockfile.toolpack,
        revision: lockfile.revision,
        now: against.now,
    };
    let approved: Vec<(&String, &Entry)> =
        lockfile.subjects.iter().filter(|(_, entry)| entry.state == State::Approved).collect();
    let part = |part: &[(&String, &Entry)]| {
        let mut signed = Vec::new();
        let votes: Vec<Votes<'_>> =
            part.iter().map(|(id, entry)| quorum::votes(id, entry, at, &mut signed)).collect();
        let mut answers = key::check(&signed).into_iter();
        let counted = votes.into_iter().map(|votes| votes.count(&mut answers));
        let enough = counted.map(|outcome| matches!(outcome, Outcome::Enough(_) | Outcome::Ended));
        part.iter()
            .zip(enough)
            .filter(|(_, enough)| *enough)
            .map(|((id, _), _)| (*id).clone())
            .collect::<Vec<_>>()
    };
    let size = approved.len().div_ceil(rayon::current_num_threads()).max(64);
    approved.par_chunks(size).flat_map_iter(part).collect()
}

fn uncanonical(error: CanonError) -> Refused {
    Refused {
        code: "denied_integrity_mismatch",
        message: format!("a signed part has no canonical form: {error}"),
        hint: "mint the toolpack again",
    }
}
