//! Everything cask decides, from captured bytes to tools, lock, decision and finding.
//!
//! ```text
//! capture → redact → endpoint → toolpack → lock → guard → audit → diff · drift · verify → explain → report
//! ```
//!
//! A module uses only modules to its left, and the ground: [`canon`], [`ids`], [`json`], [`finding`].
//! [`artifact`] stands beside them: it knows them all and none of them knows it.
//! Nothing here does IO, reads a clock, draws randomness or prints.

#![warn(clippy::print_stdout, clippy::print_stderr)]
// What `clippy.toml` forbids here, tests may do: they read their cases from disk.
#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::print_stdout, clippy::print_stderr)
)]

pub mod canon;
pub mod finding;
pub mod ids;
pub mod json;

pub mod audit;
pub mod capture;
pub mod diff;
pub mod drift;
pub mod endpoint;
pub mod guard;
pub mod lint;
pub mod lock;
pub mod redact;
pub mod report;
pub mod toolpack;
pub mod verify;

pub mod artifact;
pub mod explain;
