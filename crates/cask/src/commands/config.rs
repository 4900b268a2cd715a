//! `cask config`: print an MCP client configuration for a toolpack.

use crate::ctx::Ctx;
use crate::error::{Error, Exit};

/// Print an MCP client configuration for a toolpack.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// [`Error`] if it could not be done.
pub fn run(_args: Args, _ctx: &Ctx) -> Result<Exit, Error> {
    Err(Error::new("this command is not here yet"))
}
