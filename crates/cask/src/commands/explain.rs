//! `cask explain`: explain a code or a tool.

use std::path::{Path, PathBuf};

use cask_core::explain::{self, Page};
use cask_core::finding::Severity;
use cask_core::report::escape::terminal;
use cask_core::{artifact, toolpack};

use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::output;
use crate::store::pack::{self, Pack};
use crate::store::{self, Store, read};

/// Explain a code or a tool.
///
/// A code is what a finding, an audit record or a summary names; a tool is one of a toolpack. Without an argument,
/// all codes are listed.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A code (`response-field-removed`) or a tool (`get_user`)
    what: Option<String>,
    /// The toolpack.yaml of the tool [default: the only one under the root]
    #[arg(long, value_name = "FILE")]
    toolpack: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// [`Error`] if there is no such code and no such tool.
pub fn run(args: Args, ctx: &Ctx) -> Result<Exit, Error> {
    let Some(what) = args.what else {
        output::text(&list())?;
        return Ok(Exit::Pass);
    };
    if let Some(page) = explain::find(&what) {
        output::text(&shown(&page))?;
        return Ok(Exit::Pass);
    }
    let store = Store::new(&ctx.root);
    let packs = match &args.toolpack {
        Some(path) => vec![path.clone()],
        None => store.toolpacks()?,
    };
    let name = what.strip_prefix("tool/").unwrap_or(&what);
    let opened = packs.iter().map(|path| pack::open(&store, Some(path), None));
    let opened = opened.collect::<Result<Vec<_>, _>>()?;
    let find = |pack: &'_ Pack| pack.surface.tools.iter().position(|tool| tool.name == name);
    let found: Vec<(&Pack, usize)> = opened.iter().filter_map(|pack| Some((pack, find(pack)?))).collect();
    match found.as_slice() {
        [(pack, at)] => {
            let tool = pack.surface.tools.get(*at).ok_or_else(|| unknown(&what, &packs, &[]))?;
            output::text(&tool_text(pack, tool)?)?;
            Ok(Exit::Pass)
        }
        [] => {
            let tools = opened.iter().flat_map(|pack| &pack.surface.tools);
            Err(unknown(&what, &packs, &tools.map(|tool| tool.name.clone()).collect::<Vec<_>>()))
        }
        several => {
            let message =
                format!("{} toolpacks have a tool `{}`: say which one", several.len(), terminal(name));
            Err(Error::new(message).hint(store::choices(several.iter().map(|(pack, _)| pack.file.as_path()))))
        }
    }
}

fn unknown(what: &str, packs: &[PathBuf], names: &[String]) -> Error {
    let short: String = terminal(what).chars().take(80).collect();
    let place = match packs {
        [] => "and there is no toolpack to look for a tool in".to_owned(),
        [one] => format!("and no tool of {}", one.display()),
        several => format!("and no tool of {} toolpacks", several.len()),
    };
    let error = Error::new(format_args!("`{short}` is no code {place}"));
    match explain::near(what, names).as_slice() {
        [] => error.hint("`cask explain` lists all codes, `cask gate status` all tools"),
        near => {
            error.hint(format_args!("did you mean `{}`? `cask explain` lists all codes", near.join("`, `")))
        }
    }
}

fn list() -> String {
    let mut out = String::new();
    let mut table = "";
    for page in explain::pages() {
        if page.table != table {
            table = page.table;
            out.push_str(&format!("{}{table}\n", if out.is_empty() { "" } else { "\n" }));
        }
        let title = match page.title {
            "" => page.explain.split(". ").next().unwrap_or_default(),
            title => title,
        };
        out.push_str(&format!("  {:36}  {}\n", page.code, title.trim_end_matches('.')));
    }
    out
}

fn shown(page: &Page) -> String {
    let severity = match page.severity {
        None => String::new(),
        Some(Severity::Info) => ", information (exit 0)".to_owned(),
        Some(Severity::Warning) => ", warning (exit 1)".to_owned(),
        Some(Severity::Breaking) => ", breaking (exit 2)".to_owned(),
    };
    let mut out = format!("{} ({}{severity})\n", page.code, page.table);
    if !page.title.is_empty() {
        out.push_str(&format!("{}\n", page.title));
    }
    out.push_str(&format!("\n{}\n", wrapped(page.explain)));
    out
}

fn wrapped(text: &str) -> String {
    /// Columns of running text.
    const WIDTH: usize = 88;
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

fn tool_text(pack: &Pack, tool: &toolpack::Tool) -> Result<String, Error> {
    let mut out = format!("{}\n{}\n", terminal(&tool.name), wrapped(&terminal(&tool.description)));
    let path = pack.dir.join(artifact::manifest::BASELINE);
    let baseline = read(&pack.dir, &path, artifact::MAX_BYTES)?;
    let baseline = artifact::baseline::read(&baseline)
        .map_err(|error| Error::new(format_args!("{}: {error}", in_dir(&pack.dir))))?;
    let endpoint = baseline.endpoints.iter().find(|endpoint| endpoint.id == tool.evidence.endpoint);
    let Some(endpoint) = endpoint else {
        return Err(Error::new(format_args!(
            "{}: no endpoint `{}`, where tool `{}` comes from",
            path.display(),
            terminal(&tool.evidence.endpoint),
            terminal(&tool.name)
        ))
        .hint("mint again, or see what `cask verify` says"));
    };
    for section in toolpack::explain::explain(tool, endpoint) {
        out.push_str(&format!("\n{}\n", section.title));
        for line in section.lines {
            out.push_str(&format!("  {}\n", terminal(&line)));
        }
    }
    Ok(out)
}

fn in_dir(dir: &Path) -> String {
    dir.display().to_string()
}
