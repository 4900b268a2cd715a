//! `cask capture`: import captures without compiling them.

use std::path::PathBuf;

use cask_core::capture::hosts::Hosts;
use cask_core::redact::Profile;
use clap::Subcommand;

use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::store::Store;
use crate::{import, output};

/// Import captures without compiling them.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Import recorded traffic (HAR, also gzipped) as one capture
    Import(Import),
}

#[derive(Debug, clap::Args)]
struct Import {
    /// HAR files of one service
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Hosts to keep: `api.example.com`, `*.example.com` (one label), `localhost:3000`; repeat or separate by commas
    #[arg(short = 'a', long = "allowed-hosts", value_name = "HOSTS")]
    allowed_hosts: Vec<String>,
    /// What counts as secret: `default_safe` or `high_risk_pii`
    #[arg(long, default_value = "default_safe")]
    redaction_profile: Profile,
}

/// Runs the command.
///
/// # Errors
/// [`Error`] if it could not be done.
pub fn run(args: Args, ctx: &Ctx) -> Result<Exit, Error> {
    let Command::Import(args) = args.command;
    let hosts = Hosts::parse(&args.allowed_hosts).map_err(Error::new)?;
    if let Some(file) =
        args.files.iter().find(|file| matches!(import::detect(file), Ok(import::Format::OpenApi)))
    {
        return Err(Error::new(format_args!(
            "{} is an API description, not recorded traffic",
            file.display()
        ))
        .hint("compile it with `cask mint`"));
    }
    let options = import::Options {
        hosts,
        profile: args.redaction_profile,
        threads: 0,
        command: "cask capture import",
    };
    let _held = Store::new(&ctx.root).lock("capture import")?;
    let mut imported = import::import(&args.files, &options, ctx)?;
    imported.saving.wait()?;
    let next = format!("{} compile --capture {}", ctx.command(), imported.capture_id);
    output::text(&format!("{}\nnext: {next}\n", imported.report))?;
    Ok(imported.exit)
}
