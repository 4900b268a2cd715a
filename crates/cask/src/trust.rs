//! Who is trusted here: `trust.yaml`, checked against what this machine accepted before and against the trust root that was
//! given from outside.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cask_core::artifact::lockfile::MAX_BYTES;
use cask_core::artifact::trust as wire;
use cask_core::canon::Digest;
use cask_core::lock::Approval;
use cask_core::lock::sign::{self, Pen};
use cask_core::lock::trust::{BadChange, Content, Miss, Role, Signer, Trust};
use cask_core::report::escape::terminal;

use crate::ctx::Ctx;
use crate::error::Error;
use crate::keys::{self, Identity, Who};
use crate::store::{self, Store, io_error};

/// The most revisions of a trust file that are looked through.
const MAX_KEPT: usize = 10_000;

/// Who is trusted here. Without a trust file nobody is.
///
/// # Errors
/// [`Error`] if the file is there but not valid, or does not come, change by change, from what is trusted already.
pub fn current(store: &Store, ctx: &Ctx) -> Result<Trust, Error> {
    let Some(trust) = read(store)? else {
        return match ctx.trust_root {
            None => Ok(Trust::default()),
            Some(root) => Err(Error::new(format_args!(
                "there is no {}, and the trust root given is {root}",
                store.trust_file().display()
            ))
            .hint("restore it from version control")),
        };
    };
    let from = |root: Option<Digest>, what: &str, hint: &str| {
        let Some(root) = root else { return Ok(()) };
        // Mostly nothing changed since.
        if trust.digest().is_ok_and(|digest| digest == root) {
            return Ok(());
        }
        trust.comes_from(root, &kept(store, &trust, root)?).map_err(|why| {
            Error::new(format_args!("{} is not {what}: {}", store.trust_file().display(), changed(&why)))
                .hint(hint)
        })
    };
    from(
        ctx.trust_root,
        "the one that --trust-root names, nor comes from it",
        "restore it from version control; a new trust root is taken over only by hand: `cask trust show` prints it",
    )?;
    from(
        store.trusted()?,
        "the one that was accepted on this machine, nor comes from it",
        "restore it from version control; if you know who changed it and why: `cask state accept` shows it",
    )?;
    Ok(trust)
}

fn changed(why: &BadChange) -> String {
    terminal(&why.to_string())
}

/// The trust file as it is, whether or not it was accepted; none if there is none.
///
/// # Errors
/// [`Error`] if it is not valid.
pub fn read(store: &Store) -> Result<Option<Trust>, Error> {
    let path = store.trust_file();
    if path.exists() { open(store, &path).map(Some) } else { Ok(None) }
}

fn open(store: &Store, path: &Path) -> Result<Trust, Error> {
    let text = store::read(store.root(), path, MAX_BYTES)?;
    wire::read(&text).map_err(|error| Error::new(format_args!("{}: {error}", path.display())))
}

/// The revisions before this one, back to the one with this digest: `trust/<revision>.yaml`. Those that are not there are
/// missed by whoever checks the chain.
fn kept(store: &Store, trust: &Trust, root: Digest) -> Result<Vec<Trust>, Error> {
    let mut out: Vec<Trust> = Vec::new();
    for revision in (1..trust.revision()).rev().take(MAX_KEPT) {
        let path = store.root().join("trust").join(format!("{revision}.yaml"));
        if !path.exists() {
            break;
        }
        let one = open(store, &path)?;
        let found = one.digest().is_ok_and(|digest| digest == root);
        out.push(one);
        if found {
            break;
        }
    }
    Ok(out)
}

/// Refuses to decide without a trust file where there was one.
///
/// # Errors
/// [`Error`] if it vanished after a lockfile was accepted.
pub fn check_there(store: &Store) -> Result<(), Error> {
    let path = store.trust_file();
    if path.exists() || !store.seen_any()? {
        return Ok(());
    }
    Err(Error::new(format_args!("{} is gone, but lockfiles were accepted here before", path.display()))
        .hint("restore it from version control; nobody is trusted without it"))
}

/// Trust for signing: the first signer of a root is trusted on first use, aloud; any other must be listed.
///
/// # Errors
/// [`Error`] if the signer is not trusted, or the trust file vanished after a lockfile was accepted.
pub fn to_sign(store: &Store, ctx: &Ctx, identity: &Identity) -> Result<(), Error> {
    let trust = current(store, ctx)?;
    check_there(store)?;
    let path = store.trust_file();
    if !path.exists() {
        begin(store, ctx, identity)?;
        eprintln!(
            "trust on first use: {} with key {} may approve for {}",
            identity.id,
            identity.signer.key().id(),
            store.root().display()
        );
        eprintln!("  written to {}; commit it, so that others check against the same key", path.display());
        return Ok(());
    }
    let key = identity.signer.key();
    match trust.owner(&key.id()) {
        Some(owner) if owner == identity.id => Ok(()),
        Some(owner) => Err(Error::new(format_args!(
            "this key belongs to `{}`, not to `{}`",
            terminal(owner),
            identity.id
        ))
        .hint(format_args!("sign with --by {}", terminal(owner)))),
        None => Err(Error::new(format_args!("the key of `{}` is not trusted here", identity.id)).hint(
            format_args!(
                "whoever may change {} adds it: {} trust add {} --key '{}'",
                path.display(),
                ctx.command(),
                crate::ui::word(&identity.id),
                key.text()
            ),
        )),
    }
}

/// The first trust file: its signer may do everything, and signs it.
///
/// # Errors
/// [`Error`] if it cannot be written.
pub fn begin(store: &Store, ctx: &Ctx, identity: &Identity) -> Result<Trust, Error> {
    let signer = Signer::new(identity.id.clone(), vec![identity.signer.key().text()]);
    let content = Content { signers: vec![signer], ..Content::default() };
    let trust = signed(content, Vec::new(), identity, "", ctx)?;
    store.write(&store.trust_file(), wire::write(&trust).as_bytes())?;
    Ok(trust)
}

/// Content, with one more approval of it.
fn signed(
    content: Content,
    mut approvals: Vec<Approval>,
    identity: &Identity,
    reason: &str,
    ctx: &Ctx,
) -> Result<Trust, Error> {
    let draft = Trust::new(content.clone(), Vec::new()).map_err(Error::new)?;
    let at = ctx.now();
    let pen = Pen { by: &identity.id, at: &at, until: None, reason, signer: identity.signer.as_ref() };
    approvals.retain(|approval| approval.by != identity.id);
    approvals.push(sign::approve_trust(&draft, &pen).map_err(Error::new)?);
    Trust::new(content, approvals).map_err(Error::new)
}

/// A change of the trust that has not enough signers yet.
#[must_use]
pub fn proposal_file(store: &Store) -> PathBuf {
    store.root().join("trust.pending.yaml")
}

/// The change that waits for more signers, if it is one of the trust as it is now.
///
/// # Errors
/// [`Error`] if it is not valid.
pub fn proposal(store: &Store, trust: &Trust) -> Result<Option<Trust>, Error> {
    let path = proposal_file(store);
    if !path.exists() {
        return Ok(None);
    }
    let proposal = open(store, &path)?;
    let now = trust.digest().map_err(Error::new)?;
    Ok(Some(proposal).filter(|proposal| proposal.content().previous == Some(now)))
}

/// Where a change of the trust stands.
pub struct Changed {
    /// It.
    pub trust: Trust,
    /// Whose agreement counts.
    pub agreed: BTreeSet<String>,
    /// What is missing; none where it counts already.
    pub missing: Option<BadChange>,
}

/// Changes who is trusted: what waits already, and this besides. It counts once enough of those agree who may change it
/// now. Only for who holds the lock.
///
/// # Errors
/// [`Error`] if the signer may not change it, it would make no sense, or it cannot be written.
pub fn change(
    store: &Store,
    ctx: &Ctx,
    who: &Who,
    reason: &str,
    change: &dyn Fn(&mut Content) -> Result<(), Error>,
) -> Result<Changed, Error> {
    let trust = existing(store, ctx)?;
    // Whoever can write the repository could have put it there: nothing of it comes along unseen.
    if proposal(store, &trust)?.is_some() {
        let path = proposal_file(store);
        return Err(Error::new(format_args!("a change of the trust waits in {}", path.display())).hint(
            "`cask trust show` prints it; agree with `cask trust approve`, or remove it with `cask trust discard`",
        ));
    }
    let identity = changer(store, ctx, who, &trust)?;
    let mut content = trust.content().clone();
    change(&mut content)?;
    content.revision = trust.revision() + 1;
    content.previous = Some(trust.digest().map_err(Error::new)?);
    publish(store, &trust, signed(content, Vec::new(), &identity, reason, ctx)?)
}

/// The change that waits, and the trust that it would change.
///
/// # Errors
/// [`Error`] if none waits.
pub fn waiting(store: &Store, ctx: &Ctx) -> Result<(Trust, Trust), Error> {
    let trust = existing(store, ctx)?;
    let waiting = proposal(store, &trust)?.ok_or_else(|| {
        Error::new("no change of the trust waits for a signer")
            .hint("`cask trust show` says who is trusted now")
    })?;
    Ok((waiting, trust))
}

/// Agrees to the change that waits, if it is the one that was looked at.
///
/// # Errors
/// As [`change`].
pub fn agree(store: &Store, ctx: &Ctx, who: &Who, reason: &str, shown: Digest) -> Result<Changed, Error> {
    let (waiting, trust) = waiting(store, ctx)?;
    if waiting.digest().map_err(Error::new)? != shown {
        return Err(Error::new("another change waits than the one that was shown")
            .hint("look at it again: `cask trust show`"));
    }
    let identity = changer(store, ctx, who, &trust)?;
    let (content, approvals) = (waiting.content().clone(), waiting.approvals().to_vec());
    publish(store, &trust, signed(content, approvals, &identity, reason, ctx)?)
}

fn existing(store: &Store, ctx: &Ctx) -> Result<Trust, Error> {
    if !store.trust_file().exists() {
        return Err(Error::new(format_args!("there is no {}", store.trust_file().display()))
            .hint("begin with `cask trust init`"));
    }
    current(store, ctx)
}

fn changer(store: &Store, ctx: &Ctx, who: &Who, trust: &Trust) -> Result<Identity, Error> {
    let identity = keys::identity(ctx, store, who, trust)?;
    let key = identity.signer.key().id();
    if trust.content().revoked.iter().any(|revoked| revoked.key == key) {
        return Err(Error::new(format_args!("the key of `{}` was revoked", identity.id)));
    }
    match trust.may(&identity.id, &key, Role::Trust, cask_core::endpoint::Risk::Safe, &ctx.now()) {
        Ok(_) => Ok(identity),
        Err(Miss::Owner) => Err(Error::new(format_args!("this key is not the one of `{}`", identity.id))),
        Err(miss) => {
            Err(Error::new(format_args!("`{}` may not change the trust here: {}", identity.id, miss.words()))
                .hint("`cask trust show` lists who may"))
        }
    }
}

/// Puts a change in the place of the trust if enough agreed, and where it waits if not. Killed in between, the old trust
/// counts, or the new one with its way from the old one.
fn publish(store: &Store, before: &Trust, next: Trust) -> Result<Changed, Error> {
    let agreed = next.agreed(before).map_err(Error::new)?;
    match next.follows(before) {
        Ok(()) => {
            let old = store.root().join("trust").join(format!("{}.yaml", before.revision()));
            store.write(&old, wire::write(before).as_bytes())?;
            store.write(&store.trust_file(), wire::write(&next).as_bytes())?;
            let waiting = proposal_file(store);
            if waiting.exists() {
                std::fs::remove_file(&waiting).map_err(|error| io_error("remove", &waiting, &error))?;
            }
            store.trust(next.digest().map_err(Error::new)?)?;
            Ok(Changed { trust: next, agreed, missing: None })
        }
        Err(missing @ BadChange::Quorum { .. }) => {
            store.write(&proposal_file(store), wire::write(&next).as_bytes())?;
            Ok(Changed { trust: next, agreed, missing: Some(missing) })
        }
        Err(wrong) => Err(Error::new(wrong)),
    }
}
