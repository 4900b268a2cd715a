//! The mergeable summary of a service's traffic, and the endpoints it shows.

use crate::capture::Exchange;
use crate::endpoint::Endpoint;
use crate::redact::Redacted;

/// Everything remembered of a set of exchanges. Order-free: any split and any order of the same
/// exchanges, merged, is the same summary.
#[derive(Debug, Clone, Default)]
pub struct Summary {}

impl Summary {
    /// Nothing seen yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one exchange.
    pub fn observe(&mut self, _exchange: &Redacted<Exchange<'_>>) {}

    /// Adds everything another summary has seen.
    pub fn merge(&mut self, _other: Summary) {}

    /// The endpoints, sorted by host, path and method. Exchanges that fit a pinned endpoint belong
    /// to it; only the rest is inferred.
    #[must_use]
    pub fn endpoints(&self, _pinned: &[Endpoint]) -> Vec<Endpoint> {
        Vec::new()
    }
}
