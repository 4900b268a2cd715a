//! The wire form of every file: reading validates, and each format has one canonical writer.

pub mod lockfile;
pub mod surface;
