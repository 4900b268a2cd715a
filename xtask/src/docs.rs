//! `docs/reference/`: the command line and the codes, as the program itself tells them.

use std::fmt::Write as _;
use std::path::Path;

use cask_core::explain;

/// A document and what makes it.
type Page = (&'static str, fn() -> String);

const FILES: [Page; 2] = [("docs/reference/cli.md", command_line), ("docs/reference/codes.md", codes)];

/// Writes every generated document.
pub fn write(root: &Path) -> Result<(), String> {
    for (name, text) in FILES {
        let path = root.join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        std::fs::write(&path, text()).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

/// Every generated document that is not what would be written now.
pub fn faults(root: &Path) -> Result<Vec<String>, String> {
    let stale = FILES.iter().filter(|(name, text)| {
        std::fs::read_to_string(root.join(name)).ok().as_deref() != Some(text().as_str())
    });
    Ok(stale.map(|(name, _)| format!("{name}: is out of date: run `cargo xtask docs`")).collect())
}

fn command_line() -> String {
    let mut out = "# The command line\n\nMade from `--help` by `cargo xtask docs`.\n".to_owned();
    // The width and the environment of whoever makes this page must not show in it.
    let command = cask::cli::command().term_width(100).mut_args(|arg| arg.hide_env_values(true));
    pages(command, "", &mut out);
    out
}

fn pages(mut command: clap::Command, above: &str, out: &mut String) {
    command.build();
    let name = format!("{above}{}", command.get_name());
    let aliases: Vec<&str> = command.get_visible_aliases().collect();
    let _ = write!(out, "\n## `{name}`\n\n");
    if !aliases.is_empty() {
        let _ = write!(out, "Also: `{}`.\n\n", aliases.join("`, `"));
    }
    let help = command.clone().bin_name(name.clone()).render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    let _ = write!(out, "```text\n{}\n```\n", lines.join("\n").trim_end());
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        let below = below.clone().term_width(100).mut_args(|arg| arg.hide_env_values(true));
        pages(below, &format!("{name} "), out);
    }
}

fn codes() -> String {
    let mut out = "# Codes\n\nEvery code that a finding, an audit record or a summary can carry: what `cask explain CODE` \
                   says. Codes are never renamed and never reused. Made by `cargo xtask docs`.\n"
        .to_owned();
    let mut table = "";
    for page in explain::pages() {
        if page.table != table {
            table = page.table;
            let _ = write!(out, "\n## {table}\n");
        }
        let severity =
            page.severity.map(|severity| format!(" ({severity:?})").to_lowercase()).unwrap_or_default();
        let _ = write!(out, "\n### `{}`{severity}\n\n", page.code);
        if !page.title.is_empty() {
            let _ = write!(out, "**{}** ", page.title.trim_end_matches('.').to_owned() + ".");
        }
        let _ = writeln!(out, "{}", page.explain);
    }
    out
}
