//! `cask state`: look after the state root.

use std::collections::BTreeMap;

use cask_core::lock::status::Seen;
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
        Command::Accept { yes } => accept(&store, yes)?,
    }
    Ok(Exit::Pass)
}

fn accept(store: &Store, yes: bool) -> Result<(), Error> {
    let _held = store.lock("state accept")?;
    let mut text = String::new();
    let trust = trust::read(store)?;
    let digest = trust.as_ref().map(|trust| trust.digest().map_err(Error::new)).transpose()?;
    match &trust {
        Some(trust) => {
            for signer in trust.signers() {
                text += &format!("trusted: {} with {}\n", terminal(&signer.id), signer.keys.join(", "));
            }
        }
        None => text += "trusted: nobody; there is no trust.yaml\n",
    }
    let packs = store.toolpacks()?;
    let packs =
        packs.iter().map(|file| pack::open(store, Some(file), None)).collect::<Result<Vec<_>, _>>()?;
    let mut now = BTreeMap::new();
    for pack in &packs {
        let Some((_, lockfile)) = pack.approved_if_there()? else { continue };
        let digest = lockfile.digest().map_err(Error::new)?;
        now.insert(lockfile.toolpack.clone(), Seen { revision: lockfile.revision, digest });
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
