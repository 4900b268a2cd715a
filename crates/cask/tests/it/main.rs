//! One binary that drives the real command line.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may stop anywhere"
)]

#[cfg(unix)]
mod action;
mod around;
mod bad;
mod bundle;
mod diff;
mod disk;
mod doctor;
mod drift;
mod gate;
mod killed;
mod lint;
mod migrate;
mod mint;
mod network;
mod prompt;
mod run;
mod scopes;
mod secrets;
#[cfg(unix)]
mod ssh;
mod together;
mod trust;
mod world;
