//! The one way to an [`Approved`] surface. It never fails open: what is not proven is not approved.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rayon::prelude::*;

use super::change;
use super::sign::{self, Signed};
use super::trust::Trust;
use super::{Approved, ApprovedTool, Entry, Lockfile, NotApproved, POLICY, SCHEMA_VERSION, State, Surface};
use crate::canon::{CanonError, Digest};
use crate::toolpack::Binding;

/// The last lockfile of a toolpack that was accepted here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Its revision.
    pub revision: u64,
    /// [`Lockfile::digest`].
    pub digest: Digest,
}

/// The world in which a lockfile is checked.
#[derive(Debug, Clone, Copy)]
pub struct Against<'a> {
    /// Who may decide.
    pub trust: &'a Trust,
    /// RFC 3339 time now.
    pub now: &'a str,
    /// The last accepted revision, if one is remembered.
    pub seen: Option<Seen>,
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

/// Checks everything that is signed, and gives what may run.
///
/// A problem with one tool makes that tool [`Approved::not_approved`]; a problem with the file or the
/// policy refuses the whole surface. A toolset that was never approved is not in [`Approved::toolsets`].
///
/// # Errors
/// [`Refused`] with the reason.
pub fn verify(surface: Surface, lockfile: &Lockfile, against: &Against<'_>) -> Result<Approved, Refused> {
    // Two halves that do not need each other: the file as a whole, and each subject.
    let (digest, standings) = rayon::join(
        || accept(lockfile, &surface.toolpack, against),
        || standings(&surface, lockfile, against),
    );
    let (digest, standings) = (digest?, standings?);
    let standing = |id: &str| standings.get(id).copied();
    if let Some(why) = match standing(POLICY) {
        Some(Standing::Approved) => None,
        Some(Standing::Not(why)) => Some(why),
        Some(Standing::Removed) | None => Some(NotApproved::Pending),
    } {
        return Err(Refused {
            code: why.code(),
            message: format!("the policy ({POLICY}) is not approved: {}", why.words()),
            hint: "see `cask diff`, then `cask gate allow policy`",
        });
    }
    let toolsets: BTreeSet<String> = surface
        .toolsets
        .keys()
        .filter(|name| {
            // One that got or lost members since is still served with those whose own approval names it.
            let stands = standing(&format!("toolset/{name}"));
            matches!(stands, Some(Standing::Approved | Standing::Not(NotApproved::Changed)))
        })
        .cloned()
        .collect();
    let end = |id: &str| lockfile.subjects.get(id).and_then(until).map(str::to_owned);
    let policy_end = end(POLICY);
    let toolset_ends =
        toolsets.iter().filter_map(|name| Some((name.clone(), end(&format!("toolset/{name}"))?))).collect();
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
        not_approved: BTreeMap::new(),
    };
    for tool in surface.tools {
        let id = format!("tool/{}", tool.name);
        match (standing(&id), lockfile.subjects.get(&id)) {
            (Some(Standing::Approved), Some(entry)) => {
                let Binding::Http(http) = &tool.binding;
                approved.hosts.insert(http.host.clone());
                let toolsets = entry.toolsets.intersection(&approved.toolsets).cloned().collect();
                // Without its policy no tool is approved: the earlier end counts for both.
                let until = until(entry).map(str::to_owned).into_iter().chain(policy_end.clone()).min();
                let entry = ApprovedTool { digest: entry.digest, toolsets, until, tool: tool.into_tool() };
                approved.tools.insert(entry.tool.name.clone(), entry);
            }
            (Some(Standing::Not(why)), _) => {
                approved.not_approved.insert(tool.name.clone(), why);
            }
            _ => {
                approved.not_approved.insert(tool.name.clone(), NotApproved::Pending);
            }
        }
    }
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
            "denied_integrity_mismatch",
            format!("the lockfile is for toolpack {}, not for {toolpack}", lockfile.toolpack),
            "give the lockfile of this toolpack with --lockfile",
        );
    }
    let Some(seal) = &lockfile.seal else {
        return refuse(
            "denied_approval_signature_required",
            "the lockfile has no seal: a pending lockfile never runs".to_owned(),
            "review it with `cask diff` and approve with `cask gate allow`",
        );
    };
    let digest = lockfile.digest().map_err(uncanonical)?;
    let risk =
        lockfile.subjects.values().map(|entry| entry.risk).max().unwrap_or(crate::endpoint::Risk::Safe);
    let Some(key) = against.trust.allows(&seal.by, &seal.key, risk) else {
        return refuse(
            "denied_approval_signature_invalid",
            format!("the lockfile is sealed by `{}` with a key that is not trusted here", seal.by),
            "trust.yaml in the state root lists who is trusted; it belongs next to the lockfile in the repository",
        );
    };
    let message = sign::seal_message(lockfile, &digest, seal).map_err(uncanonical)?;
    let good = sign::signature_of(&seal.signature)
        .is_some_and(|signature| sign::check(&[Signed { message, key, signature }]) == [true]);
    if !good {
        return refuse(
            "denied_approval_signature_invalid",
            "the seal does not verify: the lockfile was changed after it was sealed".to_owned(),
            "restore it from version control; or remove it, then `cask state accept`, `cask gate sync`, and decide anew",
        );
    }
    match against.seen {
        Some(seen) if lockfile.revision < seen.revision => refuse(
            "denied_lockfile_rolled_back",
            format!(
                "the lockfile is revision {}, but revision {} was accepted before",
                lockfile.revision, seen.revision
            ),
            "restore the newest approved lockfile; if this one is meant: `cask state accept`",
        ),
        Some(seen) if lockfile.revision == seen.revision && digest != seen.digest => refuse(
            "denied_lockfile_rolled_back",
            format!("another revision {} of this lockfile was accepted before", lockfile.revision),
            "two people approved at once: bring both decisions together and approve again",
        ),
        _ => Ok(digest),
    }
}

/// Where every subject of the surface and the lockfile stands. Says nothing about the seal.
///
/// # Errors
/// [`Refused`] if the surface has no digests, two tools share a name, or `now` is not a time.
pub fn standings(
    surface: &Surface,
    lockfile: &Lockfile,
    against: &Against<'_>,
) -> Result<BTreeMap<String, Standing>, Refused> {
    let now: Timestamp = against.now.parse().map_err(|_| Refused {
        code: "error_internal",
        message: format!("`{}` is not an RFC 3339 time", against.now),
        hint: "unset CASK_NOW or give it a time like 2026-01-31T12:00:00Z",
    })?;
    let names: BTreeSet<&str> = surface.tools.iter().map(|tool| tool.name.as_str()).collect();
    if names.len() != surface.tools.len() {
        return Err(Refused {
            code: "denied_integrity_mismatch",
            message: "two tools of the toolpack have the same name".to_owned(),
            hint: "mint the toolpack again",
        });
    }
    let current = change::subjects(surface).map_err(uncanonical)?;
    let list: Vec<(&String, &Entry)> = current.iter().collect();
    let look = |(id, now_entry): &(&String, &Entry), signed: &mut Vec<Signed>| {
        look(&lockfile.toolpack, id, now_entry, lockfile.subjects.get(*id), now, against.trust, signed)
    };
    let part = |part: &[(&String, &Entry)]| {
        let mut signed = Vec::new();
        let looks: Vec<Look> = part.iter().map(|one| look(one, &mut signed)).collect();
        let mut good = sign::check(&signed).into_iter();
        let settle = |look| match look {
            Look::Settled(standing) => standing,
            // As many answers as signatures were asked about: a short answer is a no.
            Look::IfSigned(signatures, standing) => {
                if (0..signatures).fold(true, |all, _| good.next().unwrap_or(false) && all) {
                    standing
                } else {
                    Standing::Not(NotApproved::BadSignature)
                }
            }
        };
        looks.into_iter().map(settle).collect::<Vec<_>>()
    };
    // One batch a core: the more signatures in one, the less each costs.
    let size = list.len().div_ceil(rayon::current_num_threads()).max(64);
    let answers: Vec<Standing> = list.par_chunks(size).flat_map_iter(part).collect();
    let mut out: BTreeMap<String, Standing> =
        list.into_iter().map(|(id, _)| id.clone()).zip(answers).collect();
    for (id, entry) in &lockfile.subjects {
        out.entry(id.clone()).or_insert(match entry.state {
            State::Blocked => Standing::Not(NotApproved::Blocked),
            State::Pending | State::Approved => Standing::Removed,
        });
    }
    Ok(out)
}

enum Look {
    Settled(Standing),
    /// The standing if this many signatures, the next ones, are all good.
    IfSigned(usize, Standing),
}

fn look(
    toolpack: &str,
    id: &str,
    current: &Entry,
    entry: Option<&Entry>,
    now: Timestamp,
    trust: &Trust,
    signed: &mut Vec<Signed>,
) -> Look {
    let not = |why| Look::Settled(Standing::Not(why));
    let Some(entry) = entry else { return not(NotApproved::Pending) };
    match entry.state {
        State::Pending => return not(NotApproved::Pending),
        // A block needs no valid signature to hold: when in doubt, no.
        State::Blocked => return not(NotApproved::Blocked),
        State::Approved => {}
    }
    if !change::same(current, entry) {
        return not(NotApproved::Changed);
    }
    if entry.approvals.is_empty() {
        return not(NotApproved::Unsigned);
    }
    let before = signed.len();
    let mut ended = false;
    for approval in &entry.approvals {
        let key = trust.allows(&approval.by, &approval.key, entry.risk);
        let signature = sign::signature_of(&approval.signature);
        let message = sign::approval_message(toolpack, id, entry, approval).ok();
        let (Some(key), Some(signature), Some(message)) = (key, signature, message) else {
            signed.truncate(before);
            return not(NotApproved::BadSignature);
        };
        signed.push(Signed { message, key, signature });
        match approval.until.as_deref().map(str::parse::<Timestamp>) {
            Some(Ok(until)) => ended |= now >= until,
            Some(Err(_)) => ended = true,
            None => {}
        }
    }
    let standing = if ended { Standing::Not(NotApproved::Expired) } else { Standing::Approved };
    Look::IfSigned(signed.len() - before, standing)
}

/// When the first approval of a subject ends. The times are RFC 3339 in UTC and whole seconds (checked
/// when the file is read), so they sort as text.
fn until(entry: &Entry) -> Option<&str> {
    entry.approvals.iter().filter_map(|approval| approval.until.as_deref()).min()
}

fn uncanonical(error: CanonError) -> Refused {
    Refused {
        code: "denied_integrity_mismatch",
        message: format!("a signed part has no canonical form: {error}"),
        hint: "mint the toolpack again",
    }
}
