//! The `cask` command line. Domain rules live in `cask-core`; here are arguments, files, keys and words.

use std::process::ExitCode;

pub mod bundle;
pub mod cli;
pub mod commands;
pub mod compile;
pub mod cores;
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
/// allocator spends a quarter of the time. Builds within the repository give it one arena
/// (`.cargo/config.toml`): of more, each keeps what it once held, and which thread goes to which is chance. Two were no
/// quicker on two cores, and took up to 98 MB where one takes 76 to 81. They let it ask for large pages, which only who calls
/// [`large_pages`] gets.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Whether the system may hand out memory in pages of megabytes. A gateway starts a sixth sooner with them and minting is a
/// twentieth quicker, most page faults being gone; but they take some megabytes more, for small things a third: nobody gets them
/// unasked, not even where a system gives them to everybody. What this process starts keeps what is set here.
pub fn large_pages(allowed: bool) {
    // elsewhere, and where the system refuses, it stays as it is
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(!allowed);
    #[cfg(not(target_os = "linux"))]
    let _ = allowed;
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    large_pages(false);
    cli::main()
}
