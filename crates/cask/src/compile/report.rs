//! What is said of a toolpack that was compiled.

use std::collections::BTreeMap;
use std::path::Path;

use cask_core::artifact::{self, manifest};
use cask_core::endpoint::Risk;
use cask_core::toolpack::{self, Toolpack};

use crate::ctx::Ctx;
use crate::error::Error;
use crate::store::folder::{Folder, PENDING};
use crate::ui;

/// What writing a toolpack did.
#[derive(Debug)]
pub struct Written {
    /// Where it is.
    pub folder: Folder,
    /// What it is made of.
    pub(super) facts: Facts,
    /// What traffic has shown.
    pub(super) coverage: artifact::Coverage,
    /// Whether any file is another than before.
    pub changed: bool,
    /// What can be decided on: tools, toolsets, the policy.
    pub subjects: usize,
    /// Of these, what nobody has decided on as it is now.
    pub undecided: usize,
}

/// What is said of a toolpack's tools.
#[derive(Debug)]
pub(super) struct Facts {
    tools: usize,
    /// Tools by risk.
    risks: BTreeMap<Risk, u64>,
    /// Tools by toolset.
    toolsets: BTreeMap<String, usize>,
}

impl Facts {
    pub(super) fn of(toolpack: &Toolpack) -> Self {
        let mut risks = BTreeMap::new();
        for tool in &toolpack.tools {
            *risks.entry(tool.risk).or_default() += 1;
        }
        let toolsets = toolpack.toolsets.iter().map(|(name, tools)| (name.clone(), tools.len())).collect();
        Self { tools: toolpack.tools.len(), risks, toolsets }
    }
}

/// What to type next, with the state root where it is not the usual one.
#[must_use]
pub fn next_commands(ctx: &Ctx, dir: &Path) -> Vec<String> {
    let cask = ctx.command();
    let toolpack = ui::path_word(&dir.join(manifest::MANIFEST));
    let lockfile = ui::path_word(&dir.join(PENDING));
    vec![
        format!("{cask} diff --toolpack {toolpack}"),
        format!("{cask} gate allow --all --lockfile {lockfile}"),
        format!("{cask} run --toolpack {toolpack}"),
    ]
}

/// Prints what was compiled, for people or as JSON.
///
/// # Errors
/// [`Error`] if stdout cannot be written.
pub fn report(written: &Written, heading: &str, json: bool, ctx: &Ctx) -> Result<(), Error> {
    let Written { folder, facts, coverage, .. } = written;
    let Folder { dir, file, manifest } = folder;
    let next = next_commands(ctx, dir);
    if json {
        let risks = facts.risks.iter().map(|(risk, count)| (risk.as_str(), *count));
        let value = serde_json::json!({
            "schema_version": artifact::SCHEMA_VERSION,
            "toolpack": manifest.id,
            "name": manifest.name,
            "path": file.display().to_string(),
            "lockfile": folder.pending_file().display().to_string(),
            "changed": written.changed,
            "subjects": written.subjects,
            "undecided": written.undecided,
            "hosts": manifest.hosts,
            "captures": manifest.captures,
            "exchanges": coverage.exchanges,
            "matched": coverage.matched,
            "skipped": coverage.skipped,
            "tools": facts.tools,
            "risks": risks.collect::<BTreeMap<_, _>>(),
            "toolsets": facts.toolsets,
            "next": next,
        });
        let bytes = cask_core::canon::canonical(&value).map_err(Error::new)?;
        return crate::output::text(&(String::from_utf8_lossy(&bytes).into_owned() + "\n"));
    }
    let mut out = String::new();
    if !heading.is_empty() {
        out.push_str(heading);
        out.push('\n');
    }
    let count = |n: usize, what| ui::count(n as u64, what);
    out.push_str(&format!(
        "{}: {} for {} ({}{})\n",
        manifest.id,
        count(facts.tools, "tool"),
        cask_core::report::escape::terminal(&manifest.name),
        manifest.hosts.join(", "),
        if written.changed { "" } else { "; nothing changed" },
    ));
    let risks: Vec<String> =
        facts.risks.iter().map(|(risk, count)| format!("{count} {}", risk.as_str())).collect();
    out.push_str(&format!("  by risk: {}\n", risks.join(", ")));
    for (toolset, tools) in &facts.toolsets {
        let default =
            if toolset == toolpack::DEFAULT_TOOLSET { " (served unless told otherwise)" } else { "" };
        out.push_str(&format!("  toolset {toolset}: {}{default}\n", count(*tools, "tool")));
    }
    match (written.undecided, written.subjects) {
        (0, _) => out.push_str("everything in it is decided:\n"),
        (open, all) if open == all => out.push_str("nothing is approved yet; look, decide, serve:\n"),
        (open, all) => out.push_str(&format!("{open} of {all} subjects are still to decide:\n")),
    }
    for command in next {
        out.push_str(&format!("  {command}\n"));
    }
    crate::output::text(&out)
}
