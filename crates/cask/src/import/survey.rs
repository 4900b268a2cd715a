//! Which hosts recordings speak to, without importing anything.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cask_core::capture::hosts::Seen;

use super::flow;
use super::work::Tally;
use crate::ctx::Ctx;
use crate::error::Error;

/// What is seen of every host in these recordings.
///
/// # Errors
/// [`Error`] that names every file that cannot be read or is no recording.
pub fn survey(files: &[PathBuf], ctx: &Ctx) -> Result<BTreeMap<String, Seen>, Error> {
    let make = Tally::default;
    let read = flow::read_files(files, 0, ctx, &make, Tally::survey, &mut |()| Ok(()))?;
    let mut tally = Tally::default();
    read.workers.into_iter().for_each(|worker| tally.merge(worker));
    Ok(tally.seen)
}
