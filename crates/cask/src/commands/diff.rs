//! `cask diff`: show what a toolpack would let an agent do that is not approved yet.

use crate::ctx::Ctx;
use crate::error::{Error, Exit};

/// Show what a toolpack would let an agent do that is not approved yet.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// [`Error`] if it could not be done.
pub fn run(_args: Args, _ctx: &Ctx) -> Result<Exit, Error> {
    Err(Error::new("this command is not here yet"))
}
