//! `cask gate`: record approvals, take them back, pass them on, and say where everything stands.

use std::path::PathBuf;

use cask_core::lock::Lockfile;
use cask_core::lock::seen::Seen;
use cask_core::lock::status::{Against, accept};
use cask_core::lock::trust::Trust;

use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::output::Style;
use crate::store::Store;
use crate::store::pack::{self, Pack};

pub mod accepted;
mod decide;
mod look;
mod pass;
mod review;
mod scopes;
mod seal;
mod snapshot;

/// Record approvals, take them back, pass them on, and say where everything stands.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Approve tools, as they are now, with a signature
    Allow(decide::Allow),
    /// Refuse tools for good, with a signature
    Block(decide::Block),
    /// Go through what is undecided at a terminal: see what each would change, allow, block or skip it
    Review(review::Args),
    /// Show where every subject stands
    Status(look::Status),
    /// Check the lockfile: 0 all approved, 1 pending, expired or too few signers, 2 changed or not signed, 3 not readable
    Check(look::Check),
    /// Bring the pending lockfile up to date with the toolpack
    Sync(decide::Sync),
    /// Take back your own approvals: they count no more, wherever they are kept
    Revoke(seal::Revoke),
    /// Seal the lockfile anew as it is, after the key that sealed it was revoked
    Reseal(seal::Reseal),
    /// Write approvals to a file, each a DSSE envelope: for a signer elsewhere, or for openssl and ssh-keygen to check
    Export(pass::Export),
    /// Take approvals from a file that another signer exported; they count as far as the trust says
    Import(pass::Import),
    /// Keep a copy of the lockfile and the digests of the files it approves, for the record
    Snapshot(Which),
}

/// Which toolpack, and which of its lockfiles.
#[derive(Debug, clap::Args)]
struct Which {
    /// The toolpack.yaml [default: the only one under the root]
    #[arg(long, value_name = "FILE")]
    toolpack: Option<PathBuf>,
    /// The lockfile [default: the toolpack's own]
    #[arg(long, value_name = "FILE")]
    lockfile: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Look {
    #[command(flatten)]
    which: Which,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Style,
}

impl Which {
    fn open(&self, store: &Store) -> Result<Pack, Error> {
        pack::open(store, self.toolpack.as_deref(), self.lockfile.as_deref())
    }
}

/// Runs the command.
///
/// # Errors
/// [`Error`] if it could not be done.
pub fn run(args: Args, ctx: &Ctx) -> Result<Exit, Error> {
    let store = Store::new(&ctx.root);
    match args.command {
        Command::Allow(args) => decide::allow(&args, ctx, &store),
        Command::Block(args) => decide::block(&args, ctx, &store),
        Command::Review(args) => review::run(&args, ctx, &store),
        Command::Status(args) => look::status(&args, ctx, &store),
        Command::Check(args) => look::check(&args, ctx, &store),
        Command::Sync(args) => decide::sync(&args, ctx, &store),
        Command::Revoke(args) => seal::revoke(&args, ctx, &store),
        Command::Reseal(args) => seal::reseal(&args, ctx, &store),
        Command::Export(args) => pass::export(&args, ctx, &store),
        Command::Import(args) => pass::import(&args, ctx, &store),
        Command::Snapshot(args) => snapshot::run(&args, ctx, &store),
    }
}

/// The sealed lockfile that decisions build on, verified, and the last revision that was accepted here.
fn base(
    pack: &Pack,
    store: &Store,
    trust: &Trust,
    now: &str,
) -> Result<(Option<Lockfile>, Option<Seen>), Error> {
    let seen = store.seen(&pack.surface.toolpack)?;
    let Some((path, lockfile)) = pack.approved_if_there()? else {
        return match seen {
            // Beginning anew would forget what was blocked.
            Some(seen) => Err(Error::new(format_args!(
                "{} has no lockfile, but revision {} of it was accepted on this machine",
                pack.dir.display(),
                seen.revision
            ))
            .hint(
                "restore it from version control; to begin anew without what it decided: `cask state accept`",
            )),
            None => Ok((None, None)),
        };
    };
    let against = Against { trust, now, seen: seen.as_ref() };
    accept(&lockfile, &pack.surface.toolpack, &against)
        .map_err(|refused| Error::new(format_args!("{}: {refused}", path.display())).hint(refused.hint))?;
    Ok((Some(lockfile), seen))
}
