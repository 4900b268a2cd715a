//! `cask state`: look after the state root.

use std::collections::BTreeMap;

use cask_core::lock::seen::Seen;
use cask_core::lock::status::{Against, accept as accept_lockfile};
use cask_core::lock::trust::Trust;
use cask_core::report::escape::terminal;

use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::store::{Store, pack};
use crate::{output, trust, ui};

/// Look after the state root.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Clear what a command that was killed left in `state/lock`
    Unlock,
    /// Accept trust.yaml and the lockfiles as they are now, on this machine
    ///
    /// cask remembers who was trusted and the newest lockfile that was accepted, and refuses another trust file, an
    /// older lockfile and one that is gone. This shows what is there now and takes it for accepted.
    Accept {
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// Runs the command.
///
/// # Errors
/// [`Error`] if it could not be done.
pub fn run(args: Args, ctx: &Ctx) -> Result<Exit, Error> {
    let store = Store::new(&ctx.root);
    match args.command {
        Command::Unlock => {
            let text = match store.unlock()? {
                Some(who) => format!("cleared the lock of {}\n", terminal(&who)),
                None => "nothing to clear: nobody holds the lock\n".to_owned(),
            };
            output::text(&text)?;
        }
        Command::Accept { yes } => accept(&store, yes, ctx)?,
    }
    Ok(Exit::Pass)
}

fn accept(store: &Store, yes: bool, ctx: &Ctx) -> Result<(), Error> {
    let _held = store.lock("state accept")?;
    let mut text = String::new();
    let trust = trust::read(store)?;
    let digest = trust.as_ref().map(|trust| trust.digest().map_err(Error::new)).transpose()?;
    match &trust {
        Some(trust) => {
            text += &super::trust::told_of(trust);
            text += &compared(trust, store, ctx)?;
        }
        None => text += "trusted: nobody; there is no trust.yaml\n",
    }
    let packs = store.toolpacks()?;
    let packs =
        packs.iter().map(|file| pack::open(store, Some(file), None)).collect::<Result<Vec<_>, _>>()?;
    let mut now = BTreeMap::new();
    for pack in &packs {
        let Some((_, lockfile)) = pack.approved_if_there()? else { continue };
        // Whether it holds under that trust is for the person to know.
        let fresh = trust.clone().unwrap_or_default();
        let against = Against { trust: &fresh, now: &ctx.now(), seen: None };
        if let Err(refused) = accept_lockfile(&lockfile, &pack.surface.toolpack, &against) {
            text += &format!("{}: NOT VALID: {}\n", terminal(&lockfile.toolpack), terminal(&refused.message));
        }
        now.insert(lockfile.toolpack.clone(), Seen::of(&lockfile).map_err(Error::new)?);
    }
    let before = store.remembered()?;
    for (id, seen) in &now {
        let then = before.get(id).map_or_else(|| "none".to_owned(), u64::to_string);
        text += &format!("{}: revision {}, accepted before: {then}\n", terminal(id), seen.revision);
    }
    for (id, revision) in before.iter().filter(|(id, _)| !now.contains_key(*id)) {
        text +=
            &format!("{}: no lockfile; revision {revision} is forgotten, blocks in it too\n", terminal(id));
    }
    eprint!("{text}");
    if !yes && ui::confirm("accept this on this machine?") != Some(true) {
        return Err(
            Error::new("nothing was accepted").hint("answer y, or give --yes where nobody can answer")
        );
    }
    for pack in packs.iter().filter(|pack| pack.is_lost()) {
        pack.name_lockfile(None)?;
    }
    store.accept(now, digest)?;
    output::text("accepted\n")
}

/// How the trust that is there stands to the one that was accepted here, and to the one that is pinned.
fn compared(trust: &Trust, store: &Store, ctx: &Ctx) -> Result<String, Error> {
    let digest = trust.digest().map_err(Error::new)?;
    let mut text = format!("digest {digest}\n");
    match trust::current(store, ctx) {
        Ok(_) => text += "it is the trust that is known here, or what its signers made of it\n",
        Err(error) => text += &format!("NOT KNOWN HERE: {}\n", terminal(&error.message)),
    }
    Ok(text)
}
