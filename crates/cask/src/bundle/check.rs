//! Whether the members of a bundle are what `cask run` would serve: the files against their digests, the trust against the
//! one that was pinned, the lockfile against both.

use std::collections::BTreeMap;

use cask_core::artifact::{self, BadArtifact, Manifest, manifest};
use cask_core::canon::{self, Digest};
use cask_core::finding::Finding;
use cask_core::lock::seen::Seen;
use cask_core::lock::status::{self, Against, Refused};
use cask_core::lock::trust::Trust;
use cask_core::lock::{Lockfile, Surface, rules as gate};
use cask_core::toolpack::scope::Scope;
use cask_core::verify::{self, bundle as rules};
use serde_json::Value;

use super::{Members, names, secrets};

/// What the members are checked against.
#[derive(Debug, Clone, Copy)]
pub struct World<'w> {
    /// RFC 3339 time now.
    pub now: &'w str,
    /// The trust that everything must come from, if it is pinned.
    pub pin: Option<Digest>,
    /// The last revision that was accepted, where one is remembered.
    pub seen: Option<&'w Seen>,
}

/// What members amount to.
#[derive(Debug, Default)]
pub struct Checked {
    /// The toolpack's id; empty where the members have none.
    pub toolpack: String,
    /// The revision of the lockfile.
    pub revision: u64,
    /// The digest of the lockfile, if there is one.
    pub lockfile: Option<Digest>,
    /// The digest of the trust, if there is one.
    pub trust: Option<Digest>,
    /// Tools that would be served.
    pub served: usize,
    /// What speaks against it.
    pub findings: Vec<Finding>,
}

/// Checks the members of a bundle, or what would become one. The record is not looked at.
#[must_use]
pub fn check(members: &Members<'_>, world: &World<'_>) -> Checked {
    let mut look = Look { members, out: Checked::default() };
    if let Some(manifest) = look.manifest() {
        look.belongs(&manifest);
        look.files(&manifest);
        look.contents(&manifest.id);
        look.baseline(&manifest.id);
        look.decisions(&manifest, world);
    }
    look.out.findings.extend(secrets::find(members));
    look.out
}

struct Look<'m> {
    members: &'m Members<'m>,
    out: Checked,
}

impl<'m> Look<'m> {
    fn say(&mut self, finding: Finding) {
        self.out.findings.push(finding);
    }

    /// The text of a member; none if it is not there, or is no text.
    fn text(&mut self, name: &str) -> Option<&'m str> {
        let bytes = self.members.get(name)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Some(text),
            Err(error) => {
                self.say(verify::unreadable(name, &format!("not UTF-8 at byte {}", error.valid_up_to())));
                None
            }
        }
    }

    /// What a reader makes of a member; none if it is not there, or refused, which is then said.
    fn read<T, E: std::fmt::Display>(
        &mut self,
        name: &str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(name)?;
        read(text).map_err(|why| self.say(verify::unreadable(name, &why.to_string()))).ok()
    }

    /// The manifest of the one toolpack.
    fn manifest(&mut self) -> Option<Manifest> {
        let end = format!("/{}", manifest::MANIFEST);
        let ids = |name: &'m String| name.strip_prefix("toolpacks/")?.strip_suffix(end.as_str());
        let ids: Vec<&str> = self.members.keys().filter_map(ids).collect();
        let [id] = ids.as_slice() else {
            let there = ids.len().to_string();
            self.say(rules::mismatch("the number of toolpacks", "1", &there));
            return None;
        };
        let found = self.read(&in_pack(id, manifest::MANIFEST), manifest::read)?;
        if found.id != *id {
            self.say(rules::mismatch("the toolpack", id, &found.id));
        }
        self.out.toolpack.clone_from(&found.id);
        Some(found)
    }

    /// Only what bundles carry, and one lockfile.
    fn belongs(&mut self, manifest: &Manifest) {
        let lockfile = self.lockfile_name(manifest);
        let other = |name: &str| {
            let lockfiles = names::LOCKFILES.map(|other| in_pack(&manifest.id, other));
            lockfiles.iter().any(|other| other == name) && lockfile.as_deref() != Some(name)
        };
        let mut findings = Vec::new();
        for name in self.members.keys() {
            if !names::carried(name, &manifest.id) {
                findings.push(rules::unlisted(name, "is not something that bundles carry"));
            } else if other(name) {
                findings.push(rules::unlisted(name, "is not the lockfile that the manifest names"));
            }
        }
        self.out.findings.extend(findings);
    }

    /// The sealed lockfile: what the manifest says, or the first of the usual names that is there.
    fn lockfile_name(&self, manifest: &Manifest) -> Option<String> {
        if let Some(named) = &manifest.lockfile {
            return Some(in_pack(&manifest.id, named));
        }
        let usual = names::LOCKFILES.map(|name| in_pack(&manifest.id, name));
        usual.into_iter().find(|name| self.members.contains_key(name))
    }

    /// The toolpack's files against the digests in its manifest.
    fn files(&mut self, manifest: &Manifest) {
        let mut texts = BTreeMap::new();
        for file in names::FILES {
            if let Some(text) = self.text(&in_pack(&manifest.id, file)) {
                texts.insert(file.to_owned(), text.to_owned());
            }
        }
        let expected: Vec<&str> = manifest.paths.values().map(String::as_str).collect();
        for mut found in verify::digests(&manifest.digests, &texts, &expected, &manifest::OWNED) {
            found.at.file = in_pack(&manifest.id, &found.at.file);
            self.say(found);
        }
    }

    /// What the approved digests stand for is what they stand for.
    fn contents(&mut self, id: &str) {
        let name = in_pack(id, names::CONTENTS);
        let Some(value) = self.read(&name, json) else { return };
        let kept = value.get("contents").and_then(Value::as_object);
        let Some(kept) = kept else {
            return self.say(verify::unreadable(&name, "it has no `contents`"));
        };
        let wrong = kept
            .iter()
            .find(|(digest, value)| !canon::digest(value).is_ok_and(|is| is.to_string() == digest.as_str()));
        if let Some((digest, _)) = wrong {
            let digest: String = digest.chars().take(80).collect();
            self.say(verify::unreadable(&name, &format!("what it keeps as `{digest}` is something else")));
        }
    }

    /// The accepted baseline is one, and of this toolpack.
    fn baseline(&mut self, id: &str) {
        let name = names::baseline(id);
        let Some(baseline) = self.read(&name, artifact::baseline::read) else { return };
        if baseline.toolpack != id {
            self.say(rules::mismatch("the toolpack of the accepted baseline", id, &baseline.toolpack));
        }
    }

    /// What would be served.
    fn surface(&mut self, manifest: &Manifest) -> Option<Surface> {
        let members = self.members;
        let text = |file: &str| -> Result<String, BadArtifact> {
            let bytes = members.get(&in_pack(&manifest.id, file));
            let bytes = bytes.ok_or_else(|| BadArtifact::new(file, "not there"))?;
            String::from_utf8(bytes.to_vec()).map_err(|_| BadArtifact::new(file, "not UTF-8"))
        };
        match artifact::served(manifest, text) {
            Ok(toolpack) => {
                let scopes = self.scopes(&manifest.id)?;
                Some(Surface { scopes, ..Surface::from(toolpack) })
            }
            Err(error) => {
                let name = in_pack(&manifest.id, manifest::MANIFEST);
                self.say(verify::unreadable(&name, &error.to_string()));
                None
            }
        }
    }

    /// What holds its tools: nothing where there is no `scopes.yaml`.
    fn scopes(&mut self, id: &str) -> Option<BTreeMap<String, Scope>> {
        if !self.members.contains_key(names::SCOPES) {
            return Some(BTreeMap::new());
        }
        let mut all = self.read(names::SCOPES, artifact::scopes::read)?.toolpacks;
        Some(all.remove(id).unwrap_or_default().scopes)
    }

    /// Who may approve: `trust.yaml`, which must come from every revision before it and from the pinned one.
    fn trust(&mut self, pin: Option<Digest>) -> Option<Trust> {
        if !self.members.contains_key(names::TRUST) {
            self.say(rules::trust(names::TRUST, "there is no `trust.yaml`: nobody is trusted"));
            return None;
        }
        let trust = self.read(names::TRUST, artifact::trust::read)?;
        let mut kept = Vec::new();
        let earlier = self.members.keys().filter(|name| names::trust_revision(name).is_some());
        for name in earlier.cloned().collect::<Vec<_>>() {
            kept.extend(self.read(&name, artifact::trust::read));
        }
        let first = kept.iter().min_by_key(|trust| trust.revision());
        if let Some(Ok(first)) = first.map(Trust::digest)
            && let Err(why) = trust.comes_from(first, &kept)
        {
            self.say(rules::trust(names::TRUST, &why.to_string()));
        }
        if let Some(pin) = pin
            && let Err(why) = trust.comes_from(pin, &kept)
        {
            let why = format!("it is not the trust that --trust-root names, nor comes from it: {why}");
            self.say(rules::trust(names::TRUST, &why));
        }
        self.out.trust = trust.digest().ok();
        Some(trust)
    }

    /// What is approved, and by whom.
    fn decisions(&mut self, manifest: &Manifest, world: &World<'_>) {
        let Some(name) = self.lockfile_name(manifest).filter(|name| self.members.contains_key(name)) else {
            let folder = in_pack(&manifest.id, "lockfile");
            return self.say(gate::whole(&nothing_approved(), &folder));
        };
        let (trust, surface) = (self.trust(world.pin), self.surface(manifest));
        let lockfile = self.read(&name, artifact::lockfile::read);
        let (Some(trust), Some(surface), Some(lockfile)) = (trust, surface, lockfile) else { return };
        self.out.revision = lockfile.revision;
        self.out.lockfile = lockfile.digest().ok();
        let against = Against { trust: &trust, now: world.now, seen: world.seen };
        self.standings(&surface, &lockfile, &against);
        match status::verify(surface, &lockfile, &against) {
            Ok(approved) => self.out.served = approved.tools().len(),
            Err(refused) => self.say(gate::whole(&refused, &name)),
        }
    }

    fn standings(&mut self, surface: &Surface, lockfile: &Lockfile, against: &Against<'_>) {
        // What is refused here is refused as a whole as well.
        let Ok(standings) = status::standings(surface, lockfile, against) else { return };
        let found = standings.iter().filter_map(|(id, standing)| gate::subject(id, *standing));
        self.out.findings.extend(found);
    }
}

fn in_pack(id: &str, file: &str) -> String {
    format!("{}/{file}", names::pack(id))
}

fn json(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text)
}

fn nothing_approved() -> Refused {
    Refused {
        code: "denied_lockfile_not_sealed",
        message: "nothing is approved: there is no sealed lockfile".to_owned(),
        hint: "review it with `cask diff` and approve with `cask gate allow`",
    }
}
