//! `cask compile`: compile imported captures into a toolpack.

use std::collections::BTreeSet;

use cask_core::capture::hosts::Hosts;

use super::mint::{self, Shape};
use crate::compile::{self, Request};
use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::import;
use crate::store::Store;

/// Compile imported captures into a toolpack.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Ids of captures (`cap_…`); repeat for several
    #[arg(long = "capture", required = true, value_name = "ID", num_args = 1..)]
    captures: Vec<String>,
    /// The toolpack's name [default: its first host]
    #[arg(long)]
    name: Option<String>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
}

/// Runs the command.
///
/// # Errors
/// [`Error`] if it could not be done.
pub fn run(args: Args, ctx: &Ctx) -> Result<Exit, Error> {
    let store = Store::new(&ctx.root);
    let _held = store.lock("compile")?;
    let mut hosts = BTreeSet::new();
    for capture in &args.captures {
        let facts = import::facts(store.root(), capture)?;
        hosts.extend(mint::listed(&Hosts::parse(&[&facts.allowed]).map_err(Error::new)?));
    }
    let hosts: Vec<String> = hosts.into_iter().collect();
    let request = Request {
        name: mint::name(args.name.as_deref(), &hosts)?,
        hosts,
        captures: args.captures.into_iter().collect(),
        descriptions: BTreeSet::new(),
        ..Request::default()
    };
    let built = compile::build(&store, ctx, &request)?;
    let written = built.write(&store, ctx)?;
    compile::report(&written, "", args.format == Shape::Json, ctx)?;
    Ok(Exit::Pass)
}
