//! The second stage: what is secret or personal is replaced before anything else sees it.
//!
//! [`Redacted`] is the proof. Summaries, files, reports and the agent get data only through it.

pub mod headers;
pub mod pii;
pub mod tokens;

/// A value that has been through redaction; it cannot be made any other way.
#[derive(Debug, Clone, PartialEq)]
pub struct Redacted<T>(T);

impl<T> Redacted<T> {
    /// The redacted value.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// The redacted value, by itself.
    pub fn into_inner(self) -> T {
        self.0
    }
}
