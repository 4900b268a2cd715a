//! `cask state`: look after the state root.

use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::output;
use crate::store::Store;

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
}

/// Runs the command.
///
/// # Errors
/// [`Error`] if it could not be done.
pub fn run(args: Args, ctx: &Ctx) -> Result<Exit, Error> {
    let Command::Unlock = args.command;
    let text = match Store::new(&ctx.root).unlock()? {
        Some(who) => format!("cleared the lock of {who}\n"),
        None => "nothing to clear: nobody holds the lock\n".to_owned(),
    };
    output::text(&text)?;
    Ok(Exit::Pass)
}
