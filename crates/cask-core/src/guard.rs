//! The guard chain: whether one call may be made.

pub mod reason;

pub use reason::{REASONS, Reason, ReasonCode};
