//! `cask gate`: record approvals: allow, block, status, check, sync, snapshot.

use crate::ctx::Ctx;
use crate::error::{Error, Exit};

/// Record approvals: allow, block, status, check, sync, snapshot.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// [`Error`] if it could not be done.
pub fn run(_args: Args, _ctx: &Ctx) -> Result<Exit, Error> {
    Err(Error::new("this command is not here yet"))
}
