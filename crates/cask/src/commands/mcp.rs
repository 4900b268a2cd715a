//! `cask mcp`: serve MCP (same server as `run`).

use crate::commands::run;
use crate::ctx::Ctx;
use crate::error::{Error, Exit};

/// Serve MCP (same server as `run`).
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Serve the approved tools of a toolpack over MCP
    Serve(Box<run::Args>),
}

/// Runs the command.
///
/// # Errors
/// [`Error`] if it could not be done.
pub fn run(args: Args, ctx: &Ctx) -> Result<Exit, Error> {
    let Command::Serve(args) = args.command;
    run::run(*args, ctx)
}
