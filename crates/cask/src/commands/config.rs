//! `cask config`: print an MCP client configuration for a toolpack.

use std::path::{Path, PathBuf};

use cask_core::toolpack::DEFAULT_TOOLSET;
use serde_json::json;

use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::output;
use crate::store::{Store, pack};

/// Print an MCP client configuration for a toolpack.
///
/// Every path in it is absolute, so that it works from wherever the client starts it. It holds no
/// credential: give one with `--auth env:NAME`, which is passed on as it is.
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
    /// Which client reads it: `json` for most (`mcpServers`), `codex` for TOML
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum Format {
    #[default]
    Json,
    Codex,
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
    for auth in &args.auth {
        let source = auth.rsplit_once('=').map_or(auth.as_str(), |(_, source)| source);
        if !source.starts_with("env:") && !source.starts_with("file:") {
            return Err(Error::new("a credential does not belong into a client's configuration")
                .hint("give `--auth env:NAME` or `--auth file:PATH`"));
        }
    }
    let program = std::env::current_exe().map_err(Error::new)?;
    let root = absolute(&ctx.root)?;
    let mut words = vec![
        "--root".to_owned(),
        text(&root)?,
        "run".to_owned(),
        "--toolpack".to_owned(),
        text(&absolute(&pack.file)?)?,
        "--toolset".to_owned(),
        args.toolset.clone(),
    ];
    for auth in &args.auth {
        words.extend(["--auth".to_owned(), auth.clone()]);
    }
    let name = server_name(&pack.manifest.name);
    let program = text(&program)?;
    let out = match args.format {
        Format::Json => {
            let mut value = json!({ "mcpServers": { name: { "command": program, "args": words } } });
            value.sort_all_objects();
            serde_json::to_string_pretty(&value).map_err(Error::new)? + "\n"
        }
        Format::Codex => {
            let words: Vec<String> = words.iter().map(|word| toml(word)).collect();
            format!("[mcp_servers.{name}]\ncommand = {}\nargs = [{}]\n", toml(&program), words.join(", "))
        }
    };
    if surface.is_empty() {
        eprintln!("cask: the toolset `{}` has no tools; choose one with --toolset", args.toolset);
    }
    if pack.approved()?.is_none() {
        eprintln!("cask: nothing is approved yet, so the server will not start: see `cask gate status`");
    }
    output::text(&out)?;
    Ok(Exit::Pass)
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

/// A TOML basic string; JSON's escapes are a subset of TOML's.
fn toml(word: &str) -> String {
    json!(word).to_string().replace('\u{7f}', "\\u007f")
}
