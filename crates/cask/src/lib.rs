//! The `cask` command line. Domain rules live in `cask-core`; here are arguments, files, keys and words.

use std::process::ExitCode;

pub mod bundle;
pub mod cli;
pub mod commands;
pub mod compile;
pub mod ctx;
pub mod doctor;
pub mod error;
pub mod import;
pub mod init;
pub mod keys;
pub mod migrate;
pub mod output;
pub mod proof;
pub mod review;
pub mod settings;
pub mod store;
pub mod trust;
pub mod ui;

/// Reading a large capture is much making and dropping of small things on all cores, where the system's
/// allocator spends a quarter of the time. Builds within the repository give it two arenas
/// (`.cargo/config.toml`): more would each keep what they once held.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    cli::main()
}
