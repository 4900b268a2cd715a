//! The command line: what may be typed, and the one place that prints errors and picks the exit code.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use cask_core::report::escape::{lines, terminal};
use clap::builder::{OsStringValueParser, TypedValueParser as _};
use clap::{CommandFactory as _, Parser, Subcommand};

use crate::commands;
use crate::ctx::Ctx;
use crate::error::Exit;

/// Lockfiles for agent tools. If it's not approved, it's blocked.
#[derive(Debug, Parser)]
#[command(
    name = "cask",
    version,
    propagate_version = true,
    after_help = "mint → diff → gate → run → drift → verify. `cask --help-all` shows every command."
)]
struct Cli {
    /// State root
    #[arg(long, global = true, default_value = ".caskmcp", env = "CASK_ROOT", value_parser = visible())]
    root: PathBuf,
    /// Also write exports here (never changes where things are looked up)
    #[arg(long, global = true)]
    out: Option<PathBuf>,
    /// The digest of the trust that decides here, pinned from outside the repository (see `cask trust show`)
    #[arg(long, global = true, value_name = "DIGEST", env = "CASK_TRUST_ROOT")]
    trust_root: Option<cask_core::canon::Digest>,
    #[command(subcommand)]
    command: Command,
}

// What a command is for stands with its arguments.
#[derive(Debug, Subcommand)]
enum Command {
    Demo(commands::demo::Args),
    Init(commands::init::Args),
    Mint(commands::mint::Args),
    #[command(visible_alias = "plan")]
    Diff(commands::diff::Args),
    #[command(visible_alias = "approve")]
    Gate(commands::gate::Args),
    Run(Box<commands::run::Args>),
    Drift(commands::drift::Args),
    Verify(commands::verify::Args),
    Config(commands::config::Args),
    Lint(commands::lint::Args),
    Doctor(commands::doctor::Args),
    #[command(hide = true)]
    Bundle(commands::bundle::Args),
    #[command(hide = true)]
    Openapi(commands::openapi::Args),
    #[command(hide = true)]
    Capture(commands::capture::Args),
    #[command(hide = true)]
    Compile(commands::compile::Args),
    #[command(hide = true)]
    Mcp(commands::mcp::Args),
    #[command(hide = true)]
    Migrate(commands::migrate::Args),
    /// Serve MCP (same as `mcp serve`)
    #[command(hide = true)]
    Serve(Box<commands::run::Args>),
    Explain(commands::explain::Args),
    #[command(hide = true)]
    Keys(commands::keys::Args),
    #[command(hide = true)]
    Trust(commands::trust::Args),
    #[command(hide = true)]
    Scopes(commands::scopes::Args),
    #[command(hide = true)]
    State(commands::state::Args),
}

/// What may be typed, for the pages that are made from it.
#[must_use]
pub fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

/// Parses the arguments of this process, runs the command, prints its error and returns its exit code.
pub fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|first| first == "--help-all") {
        // a reader that went away is no fault
        let _ = crate::output::text(&all_help().render_help().to_string());
        return ExitCode::SUCCESS;
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            // what was typed is input like any other: a fault in it has the same exit code
            return if error.use_stderr() { ExitCode::from(Exit::Invalid as u8) } else { ExitCode::SUCCESS };
        }
    };
    let ctx = Ctx {
        root: cli.root,
        out: cli.out,
        trust_root: cli.trust_root,
        terminal: std::io::stderr().is_terminal(),
        colour: std::io::stdout().is_terminal()
            && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        fixed_now: std::env::var("CASK_NOW").ok(),
    };
    if matches!(cli.command, Command::Mint(_) | Command::Compile(_)) {
        crate::large_pages(true);
    }
    let result = match cli.command {
        Command::Demo(args) => commands::demo::run(args, &ctx),
        Command::Mint(args) => commands::mint::run(args, &ctx),
        Command::Diff(args) => commands::diff::run(args, &ctx),
        Command::Gate(args) => commands::gate::run(args, &ctx),
        Command::Run(args) | Command::Serve(args) => commands::run::run(*args, &ctx),
        Command::Drift(args) => commands::drift::run(args, &ctx),
        Command::Verify(args) => commands::verify::run(args, &ctx),
        Command::Lint(args) => commands::lint::run(args, &ctx),
        Command::Config(args) => commands::config::run(args, &ctx),
        Command::Init(args) => commands::init::run(args, &ctx),
        Command::Doctor(args) => commands::doctor::run(args, &ctx),
        Command::Bundle(args) => commands::bundle::run(args, &ctx),
        Command::Openapi(args) => commands::openapi::run(args, &ctx),
        Command::Capture(args) => commands::capture::run(args, &ctx),
        Command::Compile(args) => commands::compile::run(args, &ctx),
        Command::Migrate(args) => commands::migrate::run(args, &ctx),
        Command::Mcp(args) => commands::mcp::run(args, &ctx),
        Command::Explain(args) => commands::explain::run(args, &ctx),
        Command::Keys(args) => commands::keys::run(args, &ctx),
        Command::Trust(args) => commands::trust::run(args, &ctx),
        Command::Scopes(args) => commands::scopes::run(args, &ctx),
        Command::State(args) => commands::state::run(args, &ctx),
    };
    let exit = result.unwrap_or_else(|error| {
        let hint = error.hint.as_ref().map_or_else(String::new, |hint| format!("  hint: {}\n", lines(hint)));
        let _ = write!(std::io::stderr(), "error: {}\n{hint}", lines(&error.message));
        Exit::Invalid
    });
    ExitCode::from(exit as u8)
}

/// A path that can be shown: it stands in most of what is said, and in what is proposed to be typed.
fn visible() -> impl clap::builder::TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().try_map(|path| {
        let shown = path.to_string_lossy();
        if terminal(&shown) == shown {
            Ok(PathBuf::from(path))
        } else {
            Err("has characters that do not show")
        }
    })
}

/// The command line with every command in its help.
fn all_help() -> clap::Command {
    Cli::command().after_help("").mut_subcommands(|command| command.hide(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flagship_commands_are_shown_and_the_rest_on_demand() {
        Cli::command().debug_assert();
        let short = Cli::command().render_help().to_string();
        let all = all_help().render_help().to_string();
        for name in [
            "demo", "mint", "diff", "gate", "run", "drift", "verify", "config", "lint", "init", "doctor",
            "explain",
        ] {
            assert!(short.contains(&format!("\n  {name} ")), "{name} in {short}");
        }
        for name in [
            "bundle", "capture", "compile", "openapi", "mcp", "serve", "keys", "migrate", "scopes", "trust",
            "state",
        ] {
            assert!(!short.contains(&format!("\n  {name} ")), "{name} in {short}");
            assert!(all.contains(&format!("\n  {name} ")), "{name} in {all}");
        }
        for aliased in ["plan", "approve"] {
            assert!(
                Cli::try_parse_from(["cask", aliased, "--help"]).is_err_and(|e| !e.use_stderr()),
                "{aliased}"
            );
        }
    }
}
