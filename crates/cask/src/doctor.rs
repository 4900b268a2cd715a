//! Whether a state root is ready to serve with nobody there to help: one table of checks, one function each.

use std::path::PathBuf;

use cask_core::lock::seen::Seen;
use cask_core::lock::status::{self, Against, Refused, Standing};
use cask_core::lock::trust::Trust;
use cask_core::lock::{Approved, Lockfile};

use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::store::Store;
use crate::store::pack::{self, Pack};
use crate::trust;

mod around;
mod packs;
mod root;

/// How one check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// As it should be.
    Ok,
    /// It works, and may not for long or not as meant.
    Warn,
    /// It does not work.
    Fail,
}

impl Status {
    /// `ok`, `warn` or `fail`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Warn => "warn",
            Status::Fail => "fail",
        }
    }
}

/// What all checks amount to: the worst that fails. A warning changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing fails.
    Ready,
    /// A command that is named makes it work.
    Fixable,
    /// Somebody has to decide: something is not approved, or was refused.
    Blocked,
    /// Files or settings are not what they should be.
    Misconfigured,
}

impl Verdict {
    /// Lower-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Ready => "ready",
            Verdict::Fixable => "fixable",
            Verdict::Blocked => "blocked",
            Verdict::Misconfigured => "misconfigured",
        }
    }

    /// The exit code: 0 to 3.
    #[must_use]
    pub fn exit(self) -> Exit {
        match self {
            Verdict::Ready => Exit::Pass,
            Verdict::Fixable => Exit::Review,
            Verdict::Blocked => Exit::Breaking,
            Verdict::Misconfigured => Exit::Invalid,
        }
    }
}

/// What a check says.
#[derive(Debug)]
pub struct Said {
    /// How it came out.
    pub status: Status,
    /// What it means for the whole.
    pub means: Verdict,
    /// What is there.
    pub message: String,
    /// What to do; empty if nothing.
    pub hint: String,
}

impl Said {
    fn ok(message: impl Into<String>) -> Self {
        Self { status: Status::Ok, means: Verdict::Ready, message: message.into(), hint: String::new() }
    }

    fn warn(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { status: Status::Warn, means: Verdict::Ready, message: message.into(), hint: hint.into() }
    }

    fn fail(means: Verdict, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { status: Status::Fail, means, message: message.into(), hint: hint.into() }
    }

    fn error(means: Verdict, error: &Error) -> Self {
        Self::fail(means, &error.message, error.hint.clone().unwrap_or_default())
    }

    fn refused(message: &str, refused: &Refused) -> Self {
        Self::fail(Verdict::Blocked, format!("{message}: {refused} ({})", refused.code), refused.hint)
    }
}

/// One line of the table.
pub struct Check {
    /// Stable, kebab-case.
    pub code: &'static str,
    /// Looks; says nothing where there is nothing to look at.
    pub run: fn(&Ground<'_>) -> Vec<Said>,
}

/// Every check, in the order in which one needs the other.
pub const CHECKS: [Check; 17] = [
    Check { code: "root", run: root::writable },
    Check { code: "state-ignored", run: root::ignored },
    Check { code: "state-lock", run: root::lock },
    Check { code: "keys-private", run: root::keys },
    Check { code: "trust", run: root::trust },
    Check { code: "toolpacks", run: packs::there },
    Check { code: "toolpack-opens", run: packs::opens },
    Check { code: "toolpack-digests", run: packs::digests },
    Check { code: "lockfile", run: packs::lockfile },
    Check { code: "pending-work", run: packs::pending },
    Check { code: "approvals-ending", run: packs::ending },
    Check { code: "policy", run: packs::policy },
    Check { code: "audit-log", run: packs::audit },
    Check { code: "clock", run: around::clock },
    Check { code: "solver", run: around::solver },
    Check { code: "git", run: around::git },
    Check { code: "browser", run: around::browser },
];

/// What the checks look at, read once.
pub struct Ground<'c> {
    ctx: &'c Ctx,
    store: Store,
    now: String,
    /// Whether the state root is there.
    there: bool,
    /// Who is trusted, if that is accepted here.
    trust: Result<Trust, Error>,
    /// The toolpacks by their manifests.
    packs: Vec<(PathBuf, Result<Pack, Error>)>,
    /// Why the toolpacks could not be listed.
    unlisted: Option<Error>,
}

impl<'c> Ground<'c> {
    /// Reads what there is.
    #[must_use]
    pub fn new(ctx: &'c Ctx) -> Self {
        let store = Store::new(&ctx.root);
        let (files, unlisted) = match store.toolpacks() {
            Ok(files) => (files, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let open = |file: PathBuf| {
            let opened = pack::open(&store, Some(&file), None);
            (file, opened)
        };
        let packs = files.into_iter().map(open).collect();
        let trust = trust::current(&store, ctx);
        Self { ctx, now: ctx.now(), there: ctx.root.is_dir(), trust, packs, unlisted, store }
    }

    /// Runs every check; what each says, with its code.
    #[must_use]
    pub fn rows(&self) -> Vec<(&'static str, Said)> {
        let rows =
            |check: &Check| (check.run)(self).into_iter().map(|said| (check.code, said)).collect::<Vec<_>>();
        CHECKS.iter().flat_map(rows).collect()
    }

    /// The toolpacks that can be opened.
    fn opened(&self) -> impl Iterator<Item = &Pack> {
        self.packs.iter().filter_map(|(_, pack)| pack.as_ref().ok())
    }

    /// The toolpacks with a sealed lockfile, where it is known who is trusted.
    fn sealed(&self) -> Vec<Sealed<'_>> {
        let Ok(trust) = &self.trust else { return Vec::new() };
        let mut sealed = Vec::new();
        for pack in self.opened() {
            let Ok(Some((_, lockfile))) = pack.approved() else { continue };
            let Ok(seen) = self.store.seen(&pack.manifest.id) else { continue };
            sealed.push(Sealed { pack, lockfile, trust, now: &self.now, seen });
        }
        sealed
    }
}

/// A toolpack and what decides on it.
struct Sealed<'g> {
    pack: &'g Pack,
    lockfile: Lockfile,
    trust: &'g Trust,
    now: &'g str,
    seen: Option<Seen>,
}

impl Sealed<'_> {
    /// What it is checked against.
    fn against(&self) -> Against<'_> {
        Against { trust: self.trust, now: self.now, seen: self.seen.as_ref() }
    }

    fn name(&self) -> &str {
        &self.lockfile.toolpack
    }

    /// What would be served.
    fn approved(&self) -> Result<Approved, Refused> {
        status::verify(self.pack.surface.clone(), &self.lockfile, &self.against())
    }

    fn standings(&self) -> std::collections::BTreeMap<String, Standing> {
        status::standings(&self.pack.surface, &self.lockfile, &self.against()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_is_explained() {
        let explained = cask_core::explain::doctor::CHECKS.map(|(code, ..)| code);
        assert_eq!(CHECKS.map(|check| check.code), explained);
    }
}
