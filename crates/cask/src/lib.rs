//! The `cask` command line. Domain rules live in `cask-core`; here are arguments, files, keys and words.

use std::process::ExitCode;

pub mod cli;
pub mod commands;
pub mod compile;
pub mod ctx;
pub mod error;
pub mod import;
pub mod keys;
pub mod output;
pub mod store;
pub mod ui;

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    cli::main()
}
