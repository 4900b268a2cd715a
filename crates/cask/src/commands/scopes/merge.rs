//! `cask scopes merge` and `cask scopes apply`: what could be added, and adding it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cask_core::artifact::yaml;
use cask_core::report::Section;
use cask_core::report::escape::terminal;
use cask_core::toolpack::scope::preset::Preset;
use cask_core::toolpack::scope::{Scope, merge as proposal};

use super::report;
use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::output::{self, Style};
use crate::store::pack::{self, Pack};
use crate::store::{Store, scopes};

#[derive(Debug, clap::Args)]
pub(super) struct Merge {
    #[command(flatten)]
    how: How,
}

#[derive(Debug, clap::Args)]
pub(super) struct Apply {
    /// Which
    #[arg(value_name = "PRESET", value_parser = Preset::NAMES)]
    preset: String,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, clap::Args)]
struct How {
    /// Add what is new; nothing that stands in scopes.yaml is changed or taken out
    #[arg(long)]
    write: bool,
    /// The toolpack.yaml [default: the only one under the root]
    #[arg(long, value_name = "FILE")]
    toolpack: Option<PathBuf>,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Style,
}

/// `cask scopes merge`
pub(super) fn merge(args: &Merge, ctx: &Ctx, store: &Store) -> Result<Exit, Error> {
    propose("what the suggestions would add", &args.how, ctx, store, |pack| {
        Ok(proposal::suggested(&pack.surface.scopes, &scopes::suggested(pack)?))
    })
}

/// `cask scopes apply`
pub(super) fn apply(args: &Apply, ctx: &Ctx, store: &Store) -> Result<Exit, Error> {
    let preset = Preset::named(&args.preset)
        .ok_or_else(|| Error::new(format_args!("no preset `{}`", terminal(&args.preset))))?;
    let title = format!("what the preset {} would add", preset.as_str());
    propose(&title, &args.how, ctx, store, |pack| Ok(preset.scopes(&pack.surface.tools)))
}

fn propose(
    title: &str,
    how: &How,
    ctx: &Ctx,
    store: &Store,
    make: impl Fn(&Pack) -> Result<BTreeMap<String, Scope>, Error>,
) -> Result<Exit, Error> {
    // What is compared must still be there when it is written.
    let _held = how.write.then(|| store.lock("scopes")).transpose()?;
    let pack = pack::open(store, how.toolpack.as_deref(), None)?;
    let mut merged = proposal::merge(&pack.surface.scopes, make(&pack)?);
    if how.write {
        return write(&merged.new, &pack, ctx, store);
    }
    for finding in &mut merged.findings {
        let new =
            finding.at.subject.strip_prefix(cask_core::lock::SCOPE).and_then(|name| merged.new.get(name));
        if let Some(scope) = new {
            finding.details = yaml::write(scope).lines().map(str::to_owned).collect();
        }
    }
    let mut report = report(title, store, &pack);
    if !merged.new.is_empty() {
        report.notes.push("`--write` adds them; what stands in scopes.yaml stays as it is".to_owned());
    }
    report.sections = vec![Section { title: String::new(), findings: merged.findings }];
    output::report(&report, how.format, ctx)
}

fn write(new: &BTreeMap<String, Scope>, pack: &Pack, ctx: &Ctx, store: &Store) -> Result<Exit, Error> {
    if new.is_empty() {
        output::text("nothing to add\n")?;
        return Ok(Exit::Pass);
    }
    let path = scopes::file(store);
    let text = scopes::with(store, &pack.surface.toolpack, new)?;
    store.write(&path, text.as_bytes())?;
    let names: Vec<&str> = new.keys().map(String::as_str).collect();
    let cask = ctx.command();
    output::text(&format!(
        "added to {}: {}\n  look at each and set `review: accepted`; then {cask} gate sync and {cask} gate allow scope/NAME\n",
        path.display(),
        names.join(", ")
    ))?;
    Ok(Exit::Pass)
}
