//! `cask gate revoke` and `cask gate reseal`: a new revision without a new approval.

use cask_core::lock::status::{Against, Refused, accept};
use cask_core::lock::trust::{Content, Trust};
use cask_core::lock::{Lockfile, change};
use cask_core::report::escape::terminal;

use super::Which;
use super::decide::{By, Desk};
use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::store::Store;
use crate::{output, trust, ui};

#[derive(Debug, clap::Args)]
pub(super) struct Revoke {
    /// Tools by name; also `policy`, `toolset/<name>`, `host/<name>` and `scope/<name>`
    #[arg(required = true)]
    tools: Vec<String>,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, clap::Args)]
pub(super) struct Reseal {
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    which: Which,
}

/// `cask gate revoke`
pub(super) fn revoke(args: &Revoke, ctx: &Ctx, store: &Store) -> Result<Exit, Error> {
    let _held = store.lock("gate revoke")?;
    let mut desk = Desk::open(&args.which, ctx, store)?;
    let wanted = desk.subjects(&args.tools)?;
    let signer = desk.signer(ctx, store, &args.by)?;
    let taken: Vec<&String> =
        wanted.iter().filter(|id| change::withdraw(&mut desk.lockfile, id, &signer.id)).collect();
    if taken.is_empty() {
        return Err(Error::new(format_args!("`{}` approved none of these", terminal(&signer.id)))
            .hint("`cask gate status` says who approved what; a block refuses whatever others approved: `cask gate block`"));
    }
    let path = desk.commit(store, ctx, &args.by, &signer, true)?;
    let head = format!(
        "took back {} as {}: {}\n",
        ui::count(taken.len() as u64, "approval"),
        terminal(&signer.id),
        path.display()
    );
    output::text(&(head + &desk.list("", &taken)))?;
    Ok(Exit::Pass)
}

/// `cask gate reseal`
pub(super) fn reseal(args: &Reseal, ctx: &Ctx, store: &Store) -> Result<Exit, Error> {
    let _held = store.lock("gate reseal")?;
    let pack = args.which.open(store)?;
    let Some((path, lockfile)) = pack.approved()? else {
        return Err(Error::new("there is no sealed lockfile").hint("approve with `cask gate allow`"));
    };
    let trust = trust::current(store, ctx)?;
    let now = ctx.now();
    let refused =
        |refused: Refused| Error::new(format_args!("{}: {refused}", path.display())).hint(refused.hint);
    let seen = store.seen(&pack.surface.toolpack)?;
    let against = Against { trust: &trust, now: &now, seen: seen.as_ref() };
    let compromised = match accept(&lockfile, &pack.surface.toolpack, &against) {
        Ok(_) => false,
        Err(why) if why.code == "denied_lockfile_seal_revoked" => {
            // It must at least be what the revoked key sealed.
            let before = Content { revoked: Vec::new(), ..trust.content().clone() };
            let before = Trust::new(before, Vec::new()).map_err(Error::new)?;
            accept(&lockfile, &pack.surface.toolpack, &Against { trust: &before, ..against })
                .map_err(refused)?;
            sealed_by_compromised(&trust, &lockfile)
        }
        Err(why) => return Err(refused(why)),
    };
    // Whoever has that key could have sealed anything, and left out any block: only what was accepted before it was lost
    // is known to be whole.
    let digest = lockfile.digest().map_err(Error::new)?;
    if compromised && seen.as_ref().is_none_or(|seen| seen.digest != digest) {
        return Err(Error::new(format_args!(
            "{}: sealed with a compromised key, and not the lockfile that was accepted on this machine",
            path.display()
        ))
        .hint(
            "restore the last one that another signer sealed from version control, and decide again on it",
        ));
    }
    if !args.yes && ui::confirm("seal this lockfile as it is?") != Some(true) {
        return Err(Error::new("nothing was sealed").hint("answer y, or give --yes where nobody can answer"));
    }
    let mut desk = Desk::sealed(pack, trust, lockfile)?;
    let signer = desk.signer(ctx, store, &args.by)?;
    let path = desk.commit(store, ctx, &args.by, &signer, true)?;
    output::text(&format!(
        "sealed revision {} as {}: {}\n",
        desk.lockfile.revision,
        terminal(&signer.id),
        path.display()
    ))?;
    Ok(Exit::Pass)
}

fn sealed_by_compromised(trust: &Trust, lockfile: &Lockfile) -> bool {
    let key = lockfile.seal.as_ref().map(|seal| &seal.key);
    trust.content().revoked.iter().any(|revoked| revoked.compromised && Some(&revoked.key) == key)
}
