//! `cask config`: print an MCP client configuration for a toolpack.

use std::path::{Path, PathBuf};

use cask_core::toolpack::DEFAULT_TOOLSET;

use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::store::{Store, pack};
use crate::{output, trust};

mod client;

use client::{Format, Server};

/// Print an MCP client configuration for a toolpack.
///
/// Every path in it is absolute, so that it works from wherever the client starts it. It holds no credential: give one with
/// `--auth env:NAME` or `--auth file:PATH`. It pins who may approve, as trusted now (`--trust-root`), because it stands
/// where the repository cannot write. Where to put it is said on standard error.
///
/// Example: cask config --format claude-code --auth env:EXAMPLE_TOKEN
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The toolpack's manifest; the only one under the root if not given
    #[arg(long, value_name = "TOOLPACK.YAML")]
    toolpack: Option<PathBuf>,
    /// The toolset to serve
    #[arg(long, default_value = DEFAULT_TOOLSET)]
    toolset: String,
    /// Where the server finds its credential: `env:NAME` or `file:PATH`
    #[arg(long, value_name = "[HOST=]SOURCE")]
    auth: Vec<String>,
    /// Which client reads it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Leave out --trust-root: whoever changes trust.yaml then decides who may approve
    #[arg(long)]
    no_trust_root: bool,
}

/// Runs the command.
///
/// # Errors
/// [`Error`] if it could not be done.
pub fn run(args: Args, ctx: &Ctx) -> Result<Exit, Error> {
    let store = Store::new(&ctx.root);
    let pack = pack::open(&store, args.toolpack.as_deref(), None)?;
    let Some(surface) = pack.surface.toolsets.get(&args.toolset) else {
        let known: Vec<&str> = pack.surface.toolsets.keys().map(String::as_str).collect();
        return Err(Error::new(format_args!("no toolset `{}`", args.toolset))
            .hint(format_args!("there are {}", known.join(", "))));
    };
    let program = std::env::current_exe().map_err(Error::new)?;
    let mut words = vec!["--root".to_owned(), text(&absolute(&ctx.root)?)?];
    if !args.no_trust_root {
        words.extend(pinned(&store, ctx)?);
    }
    words.extend(["run".to_owned(), "--toolpack".to_owned(), text(&absolute(&pack.file)?)?]);
    words.extend(["--toolset".to_owned(), args.toolset.clone()]);
    let mut variables = Vec::new();
    for auth in &args.auth {
        let (host, source) = source(auth)?;
        let source = match source {
            Source::Variable(name) => {
                variables.push(name.clone());
                format!("env:{name}")
            }
            Source::File(path) => format!("file:{}", text(&absolute(&path)?)?),
        };
        words.extend(["--auth".to_owned(), format!("{host}{source}")]);
    }
    variables.sort();
    variables.dedup();
    let server =
        Server { name: server_name(&pack.manifest.name), program: text(&program)?, words, variables };
    let out = args.format.write(&server)?;
    for line in args.format.place(&server) {
        eprintln!("cask: {line}");
    }
    if surface.is_empty() {
        eprintln!("cask: the toolset `{}` has no tools; choose one with --toolset", args.toolset);
    }
    if pack.approved()?.is_none() {
        eprintln!("cask: nothing is approved yet, so the server will not start: see `cask gate status`");
    }
    output::text(&out)?;
    Ok(Exit::Pass)
}

/// The words that pin who is trusted now; none while nobody is.
fn pinned(store: &Store, ctx: &Ctx) -> Result<Vec<String>, Error> {
    let trust = trust::current(store, ctx)?;
    if !store.trust_file().exists() {
        eprintln!(
            "cask: nobody is trusted yet, so nothing is pinned: run this again after the first approval"
        );
        return Ok(Vec::new());
    }
    Ok(vec!["--trust-root".to_owned(), trust.digest().map_err(Error::new)?.to_string()])
}

/// Where a credential is found.
enum Source {
    Variable(String),
    File(PathBuf),
}

/// What was typed as `[HOST=]SOURCE`: the part before the source, and the source.
fn source(typed: &str) -> Result<(&str, Source), Error> {
    let read = |text: &str| {
        let variable = text.strip_prefix("env:").map(|name| Source::Variable(name.to_owned()));
        variable.or_else(|| text.strip_prefix("file:").map(|path| Source::File(path.into())))
    };
    if let Some(source) = read(typed) {
        return Ok(("", source));
    }
    let end = typed.find('=').map_or(0, |at| at + 1);
    let (host, rest) = typed.split_at_checked(end).unwrap_or_default();
    match read(rest) {
        Some(source) => Ok((host, source)),
        None => Err(Error::new("a credential does not belong into a client's configuration")
            .hint("give `--auth env:NAME` or `--auth file:PATH`")),
    }
}

fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(|error| Error::new(format_args!("{}: {error}", path.display())))
}

fn text(path: &Path) -> Result<String, Error> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        Error::new(format_args!("{}: not UTF-8, which no client's configuration can hold", path.display()))
    })
}

/// What clients show before a tool's name: letters, digits, `-` and `_`.
fn server_name(name: &str) -> String {
    let clean: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' })
        .take(40)
        .collect();
    let clean = clean.trim_matches('-');
    if clean.is_empty() { "cask".to_owned() } else { clean.to_owned() }
}
