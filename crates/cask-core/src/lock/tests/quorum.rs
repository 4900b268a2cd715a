//! Laws of agreement: it only ever adds up, and nothing that is taken away lets more through.

use proptest::prelude::*;

use super::super::change::{self, decide, subjects};
use super::super::key::Key;
use super::super::quorum::explain;
use super::super::sign::{Own, Pen, Signs as _, approve_trust, seal};
use super::super::status::{Against, verify};
use super::super::trust::{BadChange, BadTrust, Content, Miss, Revoked, Role, Signer, Thresholds, Trust};
use super::super::*;
use super::{NOW, own, surface};

const AT: &str = "2026-11-22T10:00:00Z";

fn team() -> Vec<(&'static str, Own)> {
    vec![("alice", own(1)), ("bob", own(2)), ("carol", own(3))]
}

fn content(thresholds: Thresholds) -> Content {
    let signers = team().into_iter().map(|(id, key)| Signer::new(id, vec![key.key().text()])).collect();
    Content { thresholds, signers, ..Content::default() }
}

fn trust(content: Content) -> Trust {
    Trust::new(content, Vec::new()).unwrap()
}

fn two_of_three() -> Content {
    content(Thresholds { low: 2, trust: 2, ..Thresholds::default() })
}

fn pen<'a>(by: &'a str, key: &'a Own, until: Option<&'a str>) -> Pen<'a> {
    Pen { by, at: AT, until, reason: "", signer: key }
}

/// Everything of a surface, approved by these, and sealed by alice.
fn approved_by(surface: &Surface, who: &[(&str, u8, Option<&str>)]) -> Lockfile {
    let mut lockfile = change::pending(None, surface).unwrap();
    for (by, seed, until) in who {
        let key = own(*seed);
        for (id, now) in subjects(surface).unwrap() {
            decide(&mut lockfile, &id, &now, State::Approved, &pen(by, &key, *until)).unwrap();
        }
    }
    sealed(lockfile)
}

fn sealed(mut lockfile: Lockfile) -> Lockfile {
    lockfile.seal = Some(seal(&lockfile, &pen("alice", &own(1), None)).unwrap());
    lockfile
}

fn served(surface: &Surface, lockfile: &Lockfile, trust: &Trust, now: &str) -> BTreeSet<String> {
    let against = Against { trust, now, seen: None };
    verify(surface.clone(), lockfile, &against)
        .map_or_else(|_| BTreeSet::new(), |one| one.tools.into_keys().collect())
}

fn misses(lockfile: &Lockfile, trust: &Trust) -> Vec<(String, Option<Miss>)> {
    let against = Against { trust, now: NOW, seen: None };
    let id = "tool/a";
    explain(id, &lockfile.subjects[id], lockfile, &against)
        .into_iter()
        .map(|(one, miss)| (one.by.clone(), miss))
        .collect()
}

#[test]
fn it_takes_distinct_signers() {
    let (surface, trust) = (surface(&["a"]), trust(two_of_three()));
    assert!(served(&surface, &approved_by(&surface, &[("alice", 1, None)]), &trust, NOW).is_empty());
    assert!(
        served(&surface, &approved_by(&surface, &[("alice", 1, None), ("alice", 1, None)]), &trust, NOW)
            .is_empty()
    );
    let both = approved_by(&surface, &[("alice", 1, None), ("bob", 2, None)]);
    assert_eq!(served(&surface, &both, &trust, NOW).len(), 1);
    // Two keys of one signer are one signer.
    let mut shared = two_of_three();
    shared.signers[0].keys.push(own(4).key().text());
    let mut twice = approved_by(&surface, &[("alice", 1, None)]);
    for (id, now) in subjects(&surface).unwrap() {
        let mut other = twice.clone();
        decide(&mut other, &id, &now, State::Approved, &pen("alice", &own(4), None)).unwrap();
        let second = other.subjects[&id].approvals.last().unwrap().clone();
        twice.subjects.get_mut(&id).unwrap().approvals.push(second);
    }
    assert!(served(&surface, &sealed(twice), &self::trust(shared), NOW).is_empty());
}

#[test]
fn an_approval_counts_within_the_limits_of_its_signer() {
    let surface = surface(&["a"]);
    let lockfile = approved_by(&surface, &[("alice", 1, None), ("bob", 2, None)]);
    let bob = |change: &dyn Fn(&mut Content)| {
        let mut content = two_of_three();
        change(&mut content);
        let trust = trust(content);
        (misses(&lockfile, &trust)[1].1, served(&surface, &lockfile, &trust, NOW).len())
    };
    let key = own(2).key().id();
    let revoke = |at: &str, compromised| Revoked {
        key: key.clone(),
        at: at.to_owned(),
        compromised,
        reason: String::new(),
    };
    assert_eq!(bob(&|_| {}), (None, 1));
    assert_eq!(bob(&|c| c.signers[1].max_risk = crate::endpoint::Risk::Safe), (Some(Miss::Risk), 0));
    assert_eq!(bob(&|c| c.signers[1].roles = [Role::Trust].into()), (Some(Miss::Role), 0));
    assert_eq!(bob(&|c| c.signers[1].until = Some(AT.to_owned())), (Some(Miss::Window), 0));
    assert_eq!(bob(&|c| c.signers[1].from = Some(NOW.to_owned())), (Some(Miss::Window), 0));
    assert_eq!(
        bob(&|c| c.signers[1].until = Some(NOW.to_owned())),
        (None, 1),
        "what was signed in time still counts"
    );
    assert_eq!(bob(&|c| c.revoked.push(revoke(AT, false))), (Some(Miss::Revoked), 0));
    assert_eq!(bob(&|c| c.revoked.push(revoke(NOW, false))), (None, 1), "revoked after it was signed");
    assert_eq!(bob(&|c| c.revoked.push(revoke(NOW, true))), (Some(Miss::Compromised), 0));
    assert_eq!(bob(&|c| drop(c.signers.remove(1))), (Some(Miss::Unknown), 0));
    assert_eq!(bob(&|c| c.signers[1].id = "bobby".to_owned()), (Some(Miss::Owner), 0));
    assert_eq!(bob(&|c| c.author_may_approve = false), (Some(Miss::NoAuthor), 0));
    // The first of two to end is the end of both.
    let lockfile = approved_by(&surface, &[("alice", 1, Some("2026-12-01T00:00:00Z")), ("bob", 2, None)]);
    let trust = trust(two_of_three());
    let against = Against { trust: &trust, now: NOW, seen: None };
    let approved = verify(surface.clone(), &lockfile, &against).unwrap();
    assert_eq!(approved.tools()["a"].until.as_deref(), Some("2026-12-01T00:00:00Z"));
    assert_eq!(served(&surface, &lockfile, &trust, "2026-12-01T00:00:00Z").len(), 0);
}

#[test]
fn an_approval_of_a_later_revision_is_none_of_an_older_one() {
    let (surface, trust) = (surface(&["a"]), trust(content(Thresholds::default())));
    let now = subjects(&surface).unwrap();
    let mut later = change::pending(None, &surface).unwrap();
    later.revision = 9;
    for (id, now) in &now {
        decide(&mut later, id, now, State::Approved, &pen("alice", &own(1), None)).unwrap();
    }
    let older = sealed(Lockfile { revision: 8, ..later.clone() });
    assert!(served(&surface, &older, &trust, NOW).is_empty());
    assert_eq!(misses(&older, &trust)[0].1, Some(Miss::Later));
    assert_eq!(served(&surface, &sealed(later), &trust, NOW).len(), 1);
}

#[test]
fn a_policy_that_was_approved_for_less_does_not_serve_more() {
    let mut surface = surface(&["a"]);
    let trust = trust(content(Thresholds::default()));
    let lockfile = approved_by(&surface, &[("alice", 1, None)]);
    surface.tools.push(Fixed::new(super::tool("danger", "critical")).unwrap());
    assert_eq!(
        served(&surface, &lockfile, &trust, NOW),
        ["a".to_owned()].into(),
        "the new tool takes nothing away"
    );
    // Approved itself, it waits for its policy and its host to be approved for such a risk.
    let mut next = change::pending(Some(&lockfile), &surface).unwrap();
    let now = subjects(&surface).unwrap();
    for (id, more) in [("tool/danger", false), ("host/api.example.com", false), (POLICY, true)] {
        decide(&mut next, id, &now[id], State::Approved, &pen("alice", &own(1), None)).unwrap();
        for (id, entry) in &lockfile.subjects {
            next.subjects.entry(id.clone()).or_insert_with(|| entry.clone());
        }
        let mut as_served = next.clone();
        for (id, entry) in &lockfile.subjects {
            if as_served.subjects[id].state == State::Pending {
                as_served.subjects.insert(id.clone(), entry.clone());
            }
        }
        assert_eq!(served(&surface, &sealed(as_served), &trust, NOW).contains("danger"), more, "{id}");
    }
}

#[test]
fn one_pair_of_keys_is_one_voice_however_it_is_written() {
    let own = own(1);
    let Key::Own(public) = own.key().clone() else { panic!() };
    let ssh = ssh_key::PublicKey::new(
        ssh_key::public::KeyData::Ed25519(ssh_key::public::Ed25519PublicKey(public.to_bytes())),
        "somebody",
    );
    let twice = |one: &str, other: &str| {
        let signers = vec![
            Signer::new(one, vec![own.key().text()]),
            Signer::new(other, vec![ssh.to_openssh().unwrap()]),
        ];
        Trust::new(Content { signers, ..Content::default() }, Vec::new())
    };
    assert!(matches!(twice("alice", "bob"), Err(BadTrust::SharedKey { .. })));
    assert!(matches!(twice("alice", "Alice"), Err(BadTrust::Twice(_))));
    // A comment is nobody's word, and stays out.
    let signers = vec![Signer::new("bob", vec![ssh.to_openssh().unwrap()])];
    let trust = trust(Content { signers, ..Content::default() });
    assert!(!trust.signers()[0].keys[0].contains("somebody"));
    for key in ["ssh-ed25519 AAAA", "SHA256:short", "nothing"] {
        let revoked = vec![Revoked {
            key: key.to_owned(),
            at: AT.to_owned(),
            compromised: false,
            reason: String::new(),
        }];
        let content = Content { revoked, ..two_of_three() };
        assert!(matches!(Trust::new(content, Vec::new()), Err(BadTrust::BadRevocation(_))), "{key}");
    }
}

#[test]
fn more_risk_never_takes_fewer_signers() {
    let thresholds = Thresholds { medium: 3, ..Thresholds::default() };
    let counts: Vec<u32> = crate::endpoint::Risk::ALL.into_iter().map(|risk| thresholds.of(risk)).collect();
    assert_eq!(counts, [1, 1, 3, 3, 3]);
}

#[test]
fn a_key_that_the_trust_before_revoked_changes_it_no_more() {
    let mut content = content(Thresholds::default());
    content.revoked = vec![Revoked {
        key: own(1).key().id(),
        at: NOW.to_owned(),
        compromised: false,
        reason: String::new(),
    }];
    let before = trust(content);
    // Signed for a time before the revocation.
    let next = next_trust(&before, |_| {}, &[("alice", 1)]);
    assert!(matches!(next.follows(&before), Err(BadChange::Quorum { have: 0, .. })));
    assert_eq!(next_trust(&before, |_| {}, &[("bob", 2)]).follows(&before), Ok(()));
}

#[test]
fn what_is_signed_for_later_does_not_count_yet() {
    let (surface, trust) = (surface(&["a"]), trust(content(Thresholds::default())));
    let mut lockfile = change::pending(None, &surface).unwrap();
    let key = own(2);
    let later = Pen { at: "2027-01-01T00:00:00Z", ..pen("bob", &key, None) };
    for (id, now) in subjects(&surface).unwrap() {
        decide(&mut lockfile, &id, &now, State::Approved, &later).unwrap();
    }
    let lockfile = sealed(lockfile);
    assert_eq!(misses(&lockfile, &trust)[0].1, Some(Miss::Future));
    assert!(served(&surface, &lockfile, &trust, NOW).is_empty());
    assert_eq!(served(&surface, &lockfile, &trust, "2027-01-01T00:00:00Z").len(), 1);
}

fn next_trust(before: &Trust, change: impl Fn(&mut Content), who: &[(&str, u8)]) -> Trust {
    let mut content = before.content().clone();
    content.revision += 1;
    content.previous = Some(before.digest().unwrap());
    change(&mut content);
    let draft = trust(content.clone());
    let approvals = who.iter().map(|(by, seed)| approve_trust(&draft, &pen(by, &own(*seed), None)).unwrap());
    Trust::new(content, approvals.collect()).unwrap()
}

#[test]
fn a_trust_follows_from_the_one_before_it_only() {
    let first = trust(two_of_three());
    let lower = |content: &mut Content| content.thresholds.low = 1;
    let good = next_trust(&first, lower, &[("alice", 1), ("bob", 2)]);
    assert_eq!(good.follows(&first), Ok(()));
    let short = |have| Err(BadChange::Quorum { revision: 2, have, need: 2 });
    assert_eq!(next_trust(&first, lower, &[]).follows(&first), short(0));
    assert_eq!(next_trust(&first, lower, &[("alice", 1), ("alice", 1)]).follows(&first), short(1));
    // Whoever comes in with the change does not count for it.
    let mallory = |content: &mut Content| {
        content.signers.push(Signer::new("mallory", vec![own(9).key().text()]));
        content.thresholds.trust = 1;
    };
    assert_eq!(next_trust(&first, mallory, &[("mallory", 9), ("alice", 1)]).follows(&first), short(1));
    // An approval is of this change, not of another.
    let other = next_trust(&first, mallory, &[]);
    let replayed = Trust::new(other.content().clone(), good.approvals().to_vec()).unwrap();
    assert_eq!(replayed.follows(&first), short(0));
    // A chain holds link by link.
    let third = next_trust(&good, |_| {}, &[("bob", 2), ("carol", 3)]);
    let (one, two) = (first.digest().unwrap(), good.digest().unwrap());
    assert_eq!(third.comes_from(one, &[first.clone(), good.clone()]), Ok(()));
    assert_eq!(third.comes_from(two, std::slice::from_ref(&good)), Ok(()));
    assert_eq!(third.comes_from(one, std::slice::from_ref(&first)), Err(BadChange::Missing(2)));
    assert_eq!(
        first.comes_from(two, &[first.clone(), good.clone()]),
        Err(BadChange::OtherRoot(two)),
        "rolled back"
    );
    let skipped = next_trust(&first, |content| content.revision = 3, &[("alice", 1), ("bob", 2)]);
    assert_eq!(skipped.follows(&first), Err(BadChange::NotNext { revision: 3, before: 1 }));
}

#[test]
fn a_trust_that_makes_no_sense_is_none() {
    let with = |change: &dyn Fn(&mut Content)| {
        let mut content = two_of_three();
        change(&mut content);
        Trust::new(content, Vec::new()).map(|_| ())
    };
    assert!(matches!(
        with(&|c| c.signers[1].keys = c.signers[0].keys.clone()),
        Err(BadTrust::SharedKey { .. })
    ));
    assert!(matches!(with(&|c| c.signers[1].id = "alice".to_owned()), Err(BadTrust::Twice(_))));
    assert!(matches!(with(&|c| c.signers[1].id = "*".to_owned()), Err(BadTrust::BadId(_))));
    assert!(matches!(with(&|c| c.signers[1].keys[0].push('x')), Err(BadTrust::NotAKey { .. })));
    assert!(matches!(with(&|c| c.thresholds.low = 0), Err(BadTrust::BadThreshold { .. })));
    assert!(matches!(with(&|c| c.thresholds.trust = 4), Err(BadTrust::LockedOut { have: 3, need: 4 })));
    assert!(matches!(with(&|c| c.signers[0].until = Some("soon".to_owned())), Err(BadTrust::BadTime(_))));
    assert_eq!(Key::read("ed25519:AAAA"), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Take away approvals, signers, keys, roles; lower limits; raise thresholds; revoke: what was not served before is
    /// not served after.
    #[test]
    fn what_is_taken_away_never_lets_more_through(
        who in prop::collection::vec(0..3_usize, 0..6),
        needed in 1..4_u32,
        steps in prop::collection::vec((0..7_u8, 0..3_usize, 0..4_usize), 1..6),
    ) {
        let names = [("alice", 1), ("bob", 2), ("carol", 3)];
        let ends = [None, Some("2026-11-22T11:00:00Z"), Some("2027-01-01T00:00:00Z")];
        let surface = surface(&["a", "b"]);
        let chosen: Vec<_> = who.iter().enumerate().map(|(nth, one)| (names[*one].0, names[*one].1, ends[nth % 3])).collect();
        let mut lockfile = approved_by(&surface, &chosen);
        let mut content = content(Thresholds { low: needed, ..Thresholds::default() });
        let mut before = served(&surface, &lockfile, &trust(content.clone()), NOW);
        for (what, signer, nth) in steps {
            let mut less = content.clone();
            let one = &mut less.signers[signer];
            match what {
                0 => one.keys.clear(),
                1 => drop(one.roles.remove(&Role::Approve)),
                2 => one.max_risk = crate::endpoint::Risk::Safe,
                3 => one.until = Some(AT.to_owned()),
                4 => less.thresholds.low = (less.thresholds.low + 1).min(100),
                5 => less.revoked.push(Revoked { key: own(names[signer].1).key().id(), at: AT.to_owned(), compromised: nth == 0, reason: String::new() }),
                _ => {
                    for entry in lockfile.subjects.values_mut() {
                        if nth < entry.approvals.len() {
                            entry.approvals.remove(nth);
                        }
                    }
                    lockfile = sealed(lockfile);
                }
            }
            if Trust::new(less.clone(), Vec::new()).is_ok() {
                content = less;
            }
            let after = served(&surface, &lockfile, &trust(content.clone()), NOW);
            prop_assert!(after.is_subset(&before), "{after:?} after {before:?}");
            before = after;
        }
    }
}
