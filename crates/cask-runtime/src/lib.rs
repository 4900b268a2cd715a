//! Serves approved tools and holds the only door to the network.
//!
//! ```text
//! mcp ─► gateway.call ─► guard::decide ─► audit (intent) ─► upstream.send ─► answer ─► audit (outcome)
//! ```
//!
//! A [`Gateway`] cannot be made without an approved surface, and [`upstream::Upstream::send`] takes the
//! permit of a decision by value: there is no other way out.

pub mod address;
pub mod answer;
pub mod audit;
pub mod cut;
pub mod gateway;
mod lines;
mod mask;
pub mod mcp;
mod named;
pub mod secret;
pub mod upstream;

pub use gateway::{Accepted, Gateway, Settings};
pub use secret::{Credentials, Secret};
