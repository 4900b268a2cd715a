//! What a repository has that cask can begin with, and what it lacks.

pub mod find;
pub mod plan;
