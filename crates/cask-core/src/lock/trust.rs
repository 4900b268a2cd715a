//! Who may decide, and how many of them it takes.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::key::{self, Key};
use super::sign;
use super::{Approval, EVERYONE, is_time};
use crate::canon::{self, CanonError, Digest};
use crate::endpoint::Risk;

/// The subject that an approval of a trust file is about.
pub const SUBJECT: &str = "trust/default";

/// More signers than any team has, and few enough to check all their approvals.
const MAX_SIGNERS: usize = 1_000;

/// What a signer may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Allow and block subjects.
    Approve,
    /// Seal lockfiles: say that a revision is whole and comes after the one before.
    Seal,
    /// Change who is trusted.
    Trust,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Approve, Self::Seal, Self::Trust];

    /// Lower-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Seal => "seal",
            Self::Trust => "trust",
        }
    }
}

/// Someone who may decide, and the keys that speak for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signer {
    /// As in [`Approval::by`].
    pub id: String,
    /// As [`Key::text`] writes them.
    pub keys: Vec<String>,
    /// What they may do; everything if it is not said.
    #[serde(default = "all_roles")]
    pub roles: BTreeSet<Role>,
    /// The highest risk tier that they may decide on; any if it is not said.
    #[serde(default = "any_risk")]
    pub max_risk: Risk,
    /// RFC 3339: what they signed before does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// RFC 3339: what they sign from then on does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

fn all_roles() -> BTreeSet<Role> {
    Role::ALL.into()
}

fn any_risk() -> Risk {
    Risk::Critical
}

impl Signer {
    /// Someone with these keys who may do everything.
    #[must_use]
    pub fn new(id: impl Into<String>, keys: Vec<String>) -> Self {
        let id = id.into();
        Self { id, keys, roles: all_roles(), max_risk: any_risk(), from: None, until: None }
    }
}

/// How many distinct signers it takes, by risk tier, and to change the trust itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    /// For subjects of risk `safe`.
    pub safe: u32,
    /// `low`
    pub low: u32,
    /// `medium`
    pub medium: u32,
    /// `high`
    pub high: u32,
    /// `critical`
    pub critical: u32,
    /// For the next revision of the trust file.
    pub trust: u32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { safe: 1, low: 1, medium: 1, high: 1, critical: 1, trust: 1 }
    }
}

impl Thresholds {
    /// How many it takes for a subject of this risk: never fewer than for a lower one.
    #[must_use]
    pub fn of(&self, risk: Risk) -> u32 {
        let asked = |risk| match risk {
            Risk::Safe => self.safe,
            Risk::Low => self.low,
            Risk::Medium => self.medium,
            Risk::High => self.high,
            Risk::Critical => self.critical,
        };
        Risk::ALL.into_iter().filter(|tier| *tier <= risk).map(asked).max().unwrap_or(u32::MAX)
    }

    /// All of them with their names.
    #[must_use]
    pub fn all(&self) -> [(&'static str, u32); 6] {
        let Self { safe, low, medium, high, critical, trust } = *self;
        [
            ("safe", safe),
            ("low", low),
            ("medium", medium),
            ("high", high),
            ("critical", critical),
            ("trust", trust),
        ]
    }

    /// The one of that name.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut u32> {
        Some(match name {
            "safe" => &mut self.safe,
            "low" => &mut self.low,
            "medium" => &mut self.medium,
            "high" => &mut self.high,
            "critical" => &mut self.critical,
            "trust" => &mut self.trust,
            _ => return None,
        })
    }
}

/// A key that no longer speaks for its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoked {
    /// [`Key::id`]
    pub key: String,
    /// RFC 3339: what it signed from then on does not count.
    pub at: String,
    /// Somebody else may have it: nothing that it ever signed counts.
    #[serde(default)]
    pub compromised: bool,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// What a trust file says, without who agreed to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Content {
    /// Counts up with every change, from 1.
    pub revision: u64,
    /// [`Trust::digest`] of the revision before this one.
    pub previous: Option<Digest>,
    /// Whether whoever made a change counts among those who approve it.
    pub author_may_approve: bool,
    /// How many it takes.
    pub thresholds: Thresholds,
    /// Who may decide.
    pub signers: Vec<Signer>,
    /// Keys that do not count any more.
    pub revoked: Vec<Revoked>,
}

impl Default for Content {
    fn default() -> Self {
        Self {
            revision: 1,
            previous: None,
            author_may_approve: true,
            thresholds: Thresholds::default(),
            signers: Vec::new(),
            revoked: Vec::new(),
        }
    }
}

/// Who may decide. Only [`Trust::new`] makes one, so every key in it is a real key with one owner.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    content: Content,
    approvals: Vec<Approval>,
    /// By [`Key::id`]: whose it is.
    keys: BTreeMap<String, (usize, Key)>,
}

/// A list of signers that cannot be trusted as it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTrust {
    /// Not a public key.
    #[error(
        "`{key}` of signer `{signer}` is not a usable Ed25519 public key (`ed25519:` and 44 base64 characters, or `ssh-ed25519 …`)"
    )]
    NotAKey {
        /// Whose.
        signer: String,
        /// The text.
        key: String,
    },
    /// One key, two owners: an approval could be read as either's.
    #[error("key `{key}` is listed for both `{one}` and `{other}`")]
    SharedKey {
        /// The key.
        key: String,
        /// First owner.
        one: String,
        /// Second owner.
        other: String,
    },
    /// A signer is listed twice.
    #[error("signer `{0}` is listed twice")]
    Twice(String),
    /// A signer without a usable name.
    #[error(
        "`{0}` is not a signer id: it needs 1 to 128 characters, none of them a control character, and is not `*`"
    )]
    BadId(String),
    /// A time that is none.
    #[error("`{0}` is not a time like 2026-01-31T12:00:00Z")]
    BadTime(String),
    /// A threshold that means nothing.
    #[error("threshold `{name}` is {count}: it takes at least 1 and at most 100 signers")]
    BadThreshold {
        /// Its name.
        name: &'static str,
        /// Its value.
        count: u32,
    },
    /// Nobody could ever change this trust again.
    #[error(
        "{have} of the signers may change the trust, and it takes {need}: nobody could ever change it again"
    )]
    LockedOut {
        /// Signers with the role.
        have: usize,
        /// The threshold.
        need: u32,
    },
    /// Too many.
    #[error("{0} signers; at most {MAX_SIGNERS} are read")]
    TooMany(usize),
    /// A revocation that would revoke nothing.
    #[error(
        "revoked key `{0}` is not written as approvals name it: `ed25519:…`, or `SHA256:…` for a key of OpenSSH"
    )]
    BadRevocation(String),
    /// It has no canonical form.
    #[error("it cannot be signed: {0}")]
    NoForm(String),
}

/// Why one trust does not come after another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadChange {
    /// It does not name the one before it.
    #[error("trust revision {revision} does not come after revision {before}")]
    NotNext {
        /// Of the later one.
        revision: u64,
        /// Of the earlier one.
        before: u64,
    },
    /// Too few of those trusted before agreed.
    #[error(
        "trust revision {revision} has the agreement of {have} of the signers that the revision before it trusted to change it; it takes {need}"
    )]
    Quorum {
        /// Of the later one.
        revision: u64,
        /// Who agreed.
        have: usize,
        /// The threshold of the earlier one.
        need: u32,
    },
    /// A revision in between is not there.
    #[error("trust revision {0}, which leads from the trusted one to this one, is not there")]
    Missing(u64),
    /// The chain ends elsewhere.
    #[error("the trust file does not come from {0}")]
    OtherRoot(Digest),
    /// It has no canonical form.
    #[error("it cannot be checked: {0}")]
    NoForm(String),
}

/// Why an approval does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Miss {
    /// Nobody here has this key.
    Unknown,
    /// The key is somebody else's.
    Owner,
    /// The signer may not do that.
    Role,
    /// The signer may not decide on subjects of that risk.
    Risk,
    /// It was signed before the signer was trusted or after.
    Window,
    /// It was signed after the key was revoked.
    Revoked,
    /// The key is compromised.
    Compromised,
    /// The signer made the change.
    Author,
    /// Nobody said who made the change.
    NoAuthor,
    /// It was withdrawn, or is older than a block that was lifted since.
    Withdrawn,
    /// It is for a later revision than this one.
    Later,
    /// It was signed at a time that is still to come.
    Future,
    /// It does not say what it was signed for.
    Signature,
    /// It has ended.
    Ended,
}

impl Miss {
    /// What it means, for a message.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Unknown => "its key is not in trust.yaml",
            Self::Owner => "its key belongs to somebody else",
            Self::Role => "the signer has no such role",
            Self::Risk => "the signer may not decide on subjects of this risk",
            Self::Window => "it was signed when the signer was not trusted",
            Self::Revoked => "its key was revoked before it was signed",
            Self::Compromised => "its key is compromised",
            Self::Author => "the signer made the change, and another has to approve it",
            Self::NoAuthor => {
                "nobody is on record as the author of the change (`cask gate sync` records one)"
            }
            Self::Withdrawn => "it was withdrawn, or is older than a block that was lifted since",
            Self::Later => "it was signed for a later revision",
            Self::Future => "it was signed at a time that is still to come",
            Self::Signature => "its signature does not verify",
            Self::Ended => "it has ended",
        }
    }
}

/// Whether a text can name a signer: 1 to 128 characters, none of which could end a line, a field or a list where the name
/// is written.
#[must_use]
pub fn is_id(id: &str) -> bool {
    (1..=128).contains(&id.chars().count())
        && id.trim() == id
        && id != EVERYONE
        && !id.chars().any(|c| c.is_control() || matches!(c, '"' | ',' | '\\'))
}

fn told(signer: &Signer) -> String {
    let roles: Vec<&str> = signer.roles.iter().map(|role| role.as_str()).collect();
    let window = |word, time: &Option<String>| {
        time.as_ref().map_or_else(String::new, |time| format!(", {word} {time}"))
    };
    format!(
        "may {} up to {}{}{}",
        roles.join(", "),
        signer.max_risk.as_str(),
        window("from", &signer.from),
        window("until", &signer.until)
    )
}

impl Trust {
    /// Trust in what this says.
    ///
    /// # Errors
    /// [`BadTrust`] with the first thing that cannot be.
    pub fn new(mut content: Content, approvals: Vec<Approval>) -> Result<Self, BadTrust> {
        if content.signers.len() > MAX_SIGNERS {
            return Err(BadTrust::TooMany(content.signers.len()));
        }
        let mut keys: BTreeMap<String, (usize, Key)> = BTreeMap::new();
        // One pair of keys is one voice, however its public half is written.
        let mut points: BTreeMap<[u8; 32], String> = BTreeMap::new();
        let mut ids = BTreeSet::new();
        for (index, signer) in content.signers.iter_mut().enumerate() {
            let id = signer.id.clone();
            if !is_id(&id) {
                return Err(BadTrust::BadId(id.chars().take(128).filter(|c| !c.is_control()).collect()));
            }
            if !ids.insert(id.to_ascii_lowercase()) {
                return Err(BadTrust::Twice(id));
            }
            for text in &mut signer.keys {
                let (key, point) =
                    Key::read(text).and_then(|key| Some((key.clone(), key.bytes()?))).ok_or_else(|| {
                        BadTrust::NotAKey { signer: id.clone(), key: text.chars().take(80).collect() }
                    })?;
                if let Some(one) = points.insert(point, id.clone()) {
                    return Err(BadTrust::SharedKey { key: key.text(), one, other: id });
                }
                // without a comment, which is nobody's word
                *text = key.text();
                keys.insert(key.id(), (index, key));
            }
        }
        for revoked in &content.revoked {
            let known = Key::read(&revoked.key).is_some_and(|key| key.id() == revoked.key);
            let fingerprint = revoked.key.strip_prefix("SHA256:").is_some_and(|rest| rest.len() == 43);
            if !known && !fingerprint {
                return Err(BadTrust::BadRevocation(revoked.key.chars().take(80).collect()));
            }
        }
        let windows = content.signers.iter().flat_map(|signer| [&signer.from, &signer.until]).flatten();
        let signed = approvals.iter().flat_map(|one| [Some(&one.at), one.until.as_ref()]).flatten();
        let times = windows.chain(content.revoked.iter().map(|revoked| &revoked.at)).chain(signed);
        if let Some(bad) = times.into_iter().find(|time| !is_time(time)) {
            return Err(BadTrust::BadTime(bad.chars().take(40).collect()));
        }
        for (name, count) in content.thresholds.all() {
            if !(1..=100).contains(&count) {
                return Err(BadTrust::BadThreshold { name, count });
            }
        }
        let trust = Self { content, approvals, keys };
        let (have, need) = (trust.count(Role::Trust, Risk::Safe), trust.content.thresholds.trust);
        if !trust.content.signers.is_empty() && have < need as usize {
            return Err(BadTrust::LockedOut { have, need });
        }
        trust.digest().map_err(|error| BadTrust::NoForm(error.to_string()))?;
        Ok(trust)
    }

    /// What it says.
    #[must_use]
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// Who of the revision before agreed.
    #[must_use]
    pub fn approvals(&self) -> &[Approval] {
        &self.approvals
    }

    /// Its revision.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.content.revision
    }

    /// Everyone who is trusted.
    #[must_use]
    pub fn signers(&self) -> &[Signer] {
        &self.content.signers
    }

    /// What names this trust: the digest of what it says. Who agreed to it is not part of that.
    ///
    /// # Errors
    /// As [`canon::digest`].
    pub fn digest(&self) -> Result<Digest, CanonError> {
        canon::digest(&self.content)
    }

    /// How many signers have that role up to that risk, whenever they are trusted.
    #[must_use]
    pub fn count(&self, role: Role, risk: Risk) -> usize {
        let revoked = |key: &String| {
            let id = Key::read(key).map(|key| key.id());
            self.content.revoked.iter().any(|revoked| Some(&revoked.key) == id.as_ref())
        };
        let fits = |signer: &&Signer| {
            signer.roles.contains(&role) && signer.max_risk >= risk && !signer.keys.iter().all(revoked)
        };
        self.content.signers.iter().filter(fits).count()
    }

    /// The owner of a key, by [`Key::id`].
    #[must_use]
    pub fn owner(&self, key: &str) -> Option<&str> {
        let (index, _) = self.keys.get(key)?;
        self.content.signers.get(*index).map(|signer| signer.id.as_str())
    }

    /// The key with which `by` did something that takes a role, on a subject of this risk, at this time.
    ///
    /// # Errors
    /// Why it does not count.
    pub fn may(&self, by: &str, key: &str, role: Role, risk: Risk, at: &str) -> Result<&Key, Miss> {
        let (index, found) = self.keys.get(key).ok_or(Miss::Unknown)?;
        let signer = self.content.signers.get(*index).ok_or(Miss::Unknown)?;
        let revoked = self.content.revoked.iter().filter(|revoked| revoked.key == key);
        if signer.id != by {
            return Err(Miss::Owner);
        }
        for revoked in revoked {
            if revoked.compromised {
                return Err(Miss::Compromised);
            }
            if at >= revoked.at.as_str() {
                return Err(Miss::Revoked);
            }
        }
        let early = signer.from.as_deref().is_some_and(|from| at < from);
        if early || signer.until.as_deref().is_some_and(|until| at >= until) {
            return Err(Miss::Window);
        }
        if !signer.roles.contains(&role) {
            return Err(Miss::Role);
        }
        if signer.max_risk < risk { Err(Miss::Risk) } else { Ok(found) }
    }

    /// Whether this trust rightly comes after the one before: enough of those whom that one trusted to change it
    /// agreed. Whoever is only trusted by the change itself does not count.
    ///
    /// # Errors
    /// [`BadChange`]
    pub fn follows(&self, before: &Trust) -> Result<(), BadChange> {
        let (have, need) = (self.agreed(before)?.len(), before.content.thresholds.trust);
        if have < need as usize {
            return Err(BadChange::Quorum { revision: self.revision(), have, need });
        }
        Ok(())
    }

    /// Who of those whom the trust before allowed to change it agreed to this one.
    ///
    /// # Errors
    /// [`BadChange`] if it does not come after that one at all.
    pub fn agreed(&self, before: &Trust) -> Result<BTreeSet<String>, BadChange> {
        let no_form = |error: CanonError| BadChange::NoForm(error.to_string());
        let revision = self.revision();
        let named = self.content.previous == Some(before.digest().map_err(no_form)?);
        if !named || before.revision().checked_add(1) != Some(revision) {
            return Err(BadChange::NotNext { revision, before: before.revision() });
        }
        let mut agreed = BTreeSet::new();
        for approval in self.approvals.iter().filter(|approval| approval.revision == revision) {
            let (by, at) = (approval.by.as_str(), approval.at.as_str());
            // Whatever time it says: the trust that it follows knew already that this key does not count.
            if before.content.revoked.iter().any(|revoked| revoked.key == approval.key) {
                continue;
            }
            let Ok(key) = before.may(by, &approval.key, Role::Trust, Risk::Safe, at) else { continue };
            let message = sign::trust_message(self, approval).map_err(no_form)?;
            let signed: Vec<_> = key.signed(message, &approval.signature).into_iter().collect();
            if key::check(&signed) == [true] {
                agreed.insert(by.to_owned());
            }
        }
        Ok(agreed)
    }

    /// What a change of the trust changes, a line each, for a person who has to agree to it.
    #[must_use]
    pub fn changes_from(&self, before: &Trust) -> Vec<String> {
        let (then, now) = (&before.content, &self.content);
        let mut out = Vec::new();
        let named = |content: &Content, id: &str| content.signers.iter().find(|one| one.id == id).cloned();
        for signer in &now.signers {
            match named(then, &signer.id) {
                None => {
                    out.push(format!("trusts `{}`: {}", signer.id, told(signer)));
                    out.extend(signer.keys.iter().map(|key| format!("`{}` gets the key {key}", signer.id)));
                }
                Some(was) if was != *signer => {
                    if told(&was) != told(signer) {
                        out.push(format!("`{}` was: {}", signer.id, told(&was)));
                        out.push(format!("`{}` is: {}", signer.id, told(signer)));
                    }
                    let added = signer.keys.iter().filter(|key| !was.keys.contains(key));
                    out.extend(added.map(|key| format!("`{}` gets the key {key}", signer.id)));
                    let gone = was.keys.iter().filter(|key| !signer.keys.contains(key));
                    out.extend(gone.map(|key| format!("`{}` loses the key {key}", signer.id)));
                }
                Some(_) => {}
            }
        }
        let gone = then.signers.iter().filter(|was| named(now, &was.id).is_none());
        out.extend(gone.map(|was| format!("trusts `{}` no longer: {}", was.id, told(was))));
        for ((name, was), (_, is)) in then.thresholds.all().into_iter().zip(now.thresholds.all()) {
            if was != is {
                out.push(format!("threshold `{name}`: {was} before, {is} now"));
            }
        }
        if then.author_may_approve != now.author_may_approve {
            let word = if now.author_may_approve { "counts" } else { "does not count" };
            out.push(format!("whoever made a change {word} among those who approve it"));
        }
        for revoked in now.revoked.iter().filter(|one| !then.revoked.contains(one)) {
            let word = if revoked.compromised { "compromised" } else { "revoked" };
            out.push(format!("{word} from {}: `{}`", revoked.at, revoked.key));
        }
        for lifted in then.revoked.iter().filter(|one| !now.revoked.iter().any(|now| now.key == one.key)) {
            out.push(format!("no longer revoked: `{}`", lifted.key));
        }
        out
    }

    /// Whether this trust comes, change by change, from the one with this digest; `kept` has the revisions in between.
    ///
    /// # Errors
    /// [`BadChange`] with the first step that does not hold, seen from here.
    pub fn comes_from(&self, root: Digest, kept: &[Trust]) -> Result<(), BadChange> {
        let digest = |trust: &Trust| trust.digest().map_err(|error| BadChange::NoForm(error.to_string()));
        let mut at = self;
        while digest(at)? != root {
            let Some(previous) = at.content.previous else { return Err(BadChange::OtherRoot(root)) };
            let mut before = None;
            for one in kept {
                // Revisions only go down, so this ends.
                if one.revision() < at.revision() && digest(one)? == previous {
                    before = Some(one);
                }
            }
            let before = before.ok_or(BadChange::Missing(at.revision().saturating_sub(1)))?;
            at.follows(before)?;
            at = before;
        }
        Ok(())
    }
}
