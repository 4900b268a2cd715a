//! The lockfile and the trust file: what is signed, but not as it should be.

use super::around::is_own;
use super::{Check, row};
use crate::endpoint::Risk;
use crate::finding::Severity::{Info, Warning};
use crate::lint::view::{Hit, View, few};
use crate::lock::status::{Against, Standing, standings};
use crate::lock::trust::SUBJECT;
use crate::lock::{Entry, Lockfile, NotApproved, State};

const AREA: &str = "Approvals and trust";

/// How long before its end an approval is reported.
const DAYS_LEFT: i64 = 14;
/// How long a subject may wait for a decision.
const DAYS_PENDING: i64 = 30;
/// More approvals than this are not listed.
const LISTED: usize = 5;

pub(super) static RULES: &[Check] = &[
    row(
        AREA,
        "approval-ends-soon",
        Warning,
        "an approval that ends within 14 days",
        "The subject is approved now, and will not be in two weeks: the approval has an end, and without it too few signers agree. Then it is not served any more. Review it again and approve it anew, or let it end if that is meant.",
        ending,
    ),
    row(
        AREA,
        "approval-without-reason",
        Warning,
        "something of high or critical risk was approved without a reason",
        "An auditor, or whoever answers for a wrong call, will ask why this was allowed, and the lockfile does not say. Approve it again with `--reason`: what was looked at, and why it is needed.",
        silent,
    ),
    row(
        AREA,
        "pending-long",
        Info,
        "something has waited for a decision for more than 30 days",
        "When the lockfile was sealed nobody had decided on it, and that was a month ago. What nobody needs for a month is rather not wanted: block it or leave it out of the toolpack, so that it is not approved by habit later.",
        waiting,
    ),
    row(
        AREA,
        "trust-single-signer",
        Info,
        "one signer is enough for critical tools",
        "The toolpack has tools that move money or change who may do what, and `trust.yaml` asks for one signer for them. Whoever has one key, or makes one mistake, lets an agent use them. Where there is a second person: `cask trust threshold critical 2`.",
        single,
    ),
    row(
        AREA,
        "trust-empty",
        Warning,
        "a sealed lockfile, and nobody who is trusted",
        "Without signers in `trust.yaml` no signature in the lockfile can be checked, so nothing of it is served, here or in CI. The file belongs into the repository, next to the lockfile. Restore it from version control.",
        untrusted,
    ),
    row(
        AREA,
        "trust-unsigned",
        Info,
        "a trust file that nobody signed",
        "None of those whom `trust.yaml` trusts has signed it: it was written by hand. It counts, but nobody can tell who wrote it, and a trust root that is pinned to it vouches for an unknown hand. `cask trust init` makes one that its first signer signs, and later changes are signed by those before.",
        unsigned,
    ),
];

/// A time so many days later, as RFC 3339.
fn later(time: &str, days: i64) -> Option<String> {
    let time: jiff::Timestamp = time.parse().ok()?;
    let second = time.as_second().checked_add(days.checked_mul(86_400)?)?;
    Some(jiff::Timestamp::from_second(second).ok()?.to_string())
}

fn subjects<'v>(view: &'v View<'_>, state: State) -> impl Iterator<Item = (&'v String, &'v Entry)> {
    let lockfile: Option<&'v Lockfile> = view.input.lockfile;
    let all = lockfile.into_iter().flat_map(|lockfile| &lockfile.subjects);
    all.filter(move |(_, entry)| entry.state == state)
}

/// What stands now, and would not in some days: every signature is asked again.
fn ending(view: &View<'_>) -> Vec<Hit> {
    let input = view.input;
    let (Some(lockfile), Some(then)) = (input.lockfile, later(input.now, DAYS_LEFT)) else {
        return Vec::new();
    };
    let ends =
        |entry: &Entry| entry.approvals.iter().any(|one| one.until.as_ref().is_some_and(|end| *end <= then));
    if !lockfile.subjects.values().any(ends) {
        return Vec::new();
    }
    let against = Against { trust: input.trust, now: &then, seen: None };
    let Ok(standing_then) = standings(input.surface, lockfile, &against) else { return Vec::new() };
    let mut out = Vec::new();
    for (id, entry) in subjects(view, State::Approved) {
        let now = input.standings.get(id) == Some(&Standing::Approved);
        let gone = standing_then.get(id) == Some(&Standing::Not(NotApproved::Expired));
        if now && gone {
            let ends = entry.approvals.iter().filter_map(|one| {
                let end = one.until.as_ref()?;
                Some(format!("the approval by {} ends at {end}", one.by))
            });
            let message = format!("`{id}` is not approved any more in {DAYS_LEFT} days");
            out.push(Hit::new(id.clone(), message).details(few(ends, LISTED)));
        }
    }
    out
}

fn silent(view: &View<'_>) -> Vec<Hit> {
    let mut out = Vec::new();
    for (id, entry) in subjects(view, State::Approved).filter(|(_, entry)| entry.risk >= Risk::High) {
        // of those it is said that nobody knows what they are for
        if id.strip_prefix("toolset/").is_some_and(is_own) {
            continue;
        }
        let silent: Vec<String> = entry
            .approvals
            .iter()
            .filter(|one| one.reason.trim().is_empty())
            .map(|one| format!("by {} at {}", one.by, one.at))
            .collect();
        if !silent.is_empty() {
            let message = format!("`{id}` (risk {}) was approved without a reason", entry.risk.as_str());
            out.push(Hit::new(id.clone(), message).details(few(silent, LISTED)));
        }
    }
    out
}

fn waiting(view: &View<'_>) -> Vec<Hit> {
    let seal = view.input.lockfile.and_then(|lockfile| lockfile.seal.as_ref());
    let Some(seal) = seal else { return Vec::new() };
    // times of one form sort as text
    if later(&seal.at, DAYS_PENDING).is_none_or(|end| view.input.now < end.as_str()) {
        return Vec::new();
    }
    let message = |id: &str| format!("nobody has decided on `{id}` since {}", seal.at);
    subjects(view, State::Pending).map(|(id, _)| Hit::new(id.clone(), message(id))).collect()
}

fn single(view: &View<'_>) -> Vec<Hit> {
    let trust = view.input.trust;
    let critical = view.tools.iter().filter(|tool| tool.risk == Risk::Critical);
    let critical: Vec<String> = critical.map(|tool| format!("`{}`", tool.name)).collect();
    if critical.is_empty() || trust.signers().is_empty() || trust.content().thresholds.critical > 1 {
        return Vec::new();
    }
    let details = vec![format!("critical: {}", few(critical, LISTED).join(", "))];
    vec![Hit::new(SUBJECT, "one signer is enough to approve critical tools").details(details)]
}

fn untrusted(view: &View<'_>) -> Vec<Hit> {
    let sealed = view.input.lockfile.is_some_and(|lockfile| lockfile.seal.is_some());
    if !sealed || !view.input.trust.signers().is_empty() {
        return Vec::new();
    }
    vec![Hit::new(SUBJECT, "the lockfile is sealed, and nobody is trusted: no signature can be checked")]
}

fn unsigned(view: &View<'_>) -> Vec<Hit> {
    let trust = view.input.trust;
    if trust.signers().is_empty() || !trust.approvals().is_empty() {
        return Vec::new();
    }
    vec![Hit::new(SUBJECT, "nobody has signed the trust file")]
}
