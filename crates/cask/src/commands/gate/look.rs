//! `cask gate status` and `cask gate check`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use cask_core::lock::status::{Against, Refused, Standing, accept, standings};
use cask_core::lock::trust::Trust;
use cask_core::lock::{Entry, Lockfile, POLICY, SCOPE, quorum, rules};
use cask_core::report::{Report, Section};
use cask_core::toolpack::Binding;
use serde_json::json;

use super::Look;
use super::decide::{WORDS, word};
use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::output::{self, Style};
use crate::store::Store;
use crate::store::pack::Pack;
use crate::{trust, ui};

#[derive(Debug, clap::Args)]
pub(super) struct Status {
    /// Only subjects that stand so
    #[arg(long, value_name = "STANDING", value_parser = WORDS)]
    status: Vec<String>,
    #[command(flatten)]
    look: Look,
}

#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// Only what this toolset needs: its tools, their hosts and scopes, itself and the policy
    #[arg(long, value_name = "NAME")]
    toolset: Option<String>,
    #[command(flatten)]
    look: Look,
}

struct Seen {
    trust: Trust,
    now: String,
    pack: Pack,
    path: PathBuf,
    lockfile: Lockfile,
    whole: Result<(), Refused>,
    standings: BTreeMap<String, Standing>,
}

fn look(args: &Look, ctx: &Ctx, store: &Store) -> Result<Seen, Error> {
    let pack = args.which.open(store)?;
    let approved = pack.approved_file()?;
    let path = args.which.lockfile.clone().or(approved).unwrap_or_else(|| pack.pending_file());
    if !path.is_file() {
        return Err(Error::new(format_args!("no lockfile at {}", path.display()))
            .hint("write one with `cask gate sync`"));
    }
    let lockfile = pack.lockfile(&path)?;
    let trust = trust::current(store, ctx)?;
    let now = ctx.now();
    let seen = store.seen(&pack.surface.toolpack)?;
    let against = Against { trust: &trust, now: &now, seen: seen.as_ref() };
    let whole = accept(&lockfile, &pack.surface.toolpack, &against).map(|_| ());
    if lockfile.toolpack != pack.surface.toolpack
        && let Err(refused) = &whole
    {
        return Err(Error::new(format_args!("{}: {refused}", path.display())).hint(refused.hint));
    }
    let standings = standings(&pack.surface, &lockfile, &against)
        .map_err(|refused| Error::new(&refused.message).hint(refused.hint))?;
    Ok(Seen { trust, now, pack, path, lockfile, whole, standings })
}

pub(super) fn status(args: &Status, ctx: &Ctx, store: &Store) -> Result<Exit, Error> {
    if matches!(args.look.format, Style::Sarif | Style::Html) {
        return Err(Error::new("`gate status` is a table, not findings")
            .hint("for findings: `cask gate check --format sarif` (or html)"));
    }
    let mut seen = look(&args.look, ctx, store)?;
    let asked =
        |standing: Standing| args.status.is_empty() || args.status.iter().any(|one| one == word(standing));
    seen.standings.retain(|_, standing| asked(*standing));
    let args = &args.look;
    let entry = |id: &String| seen.lockfile.subjects.get(id);
    let last = |id: &String| entry(id).and_then(|entry| entry.approvals.last());
    let seal = match &seen.whole {
        Ok(()) => "valid",
        Err(_) if seen.lockfile.seal.is_none() => "none yet: nothing in it is decided",
        Err(refused) => refused.code,
    };
    if args.format == Style::Json {
        let subjects: Vec<_> = seen
            .standings
            .iter()
            .map(|(id, standing)| {
                json!({
                    "subject": id,
                    "standing": word(*standing),
                    "risk": entry(id).map(|entry| entry.risk),
                    "digest": entry(id).map(|entry| entry.digest),
                    "by": last(id).map(|approval| &approval.by),
                    "at": last(id).map(|approval| &approval.at),
                    "until": last(id).and_then(|approval| approval.until.as_ref()),
                    "reason": last(id).map(|approval| &approval.reason),
                })
            })
            .collect();
        let value = json!({
            "schema_version": "1",
            "toolpack": seen.lockfile.toolpack,
            "lockfile": seen.path.display().to_string(),
            "revision": seen.lockfile.revision,
            "seal": seal,
            "subjects": subjects,
        });
        let bytes = cask_core::canon::canonical(&value).map_err(Error::new)?;
        output::text(&format!("{}\n", String::from_utf8_lossy(&bytes)))?;
        return Ok(Exit::Pass);
    }
    let rows: Vec<Vec<String>> = seen
        .standings
        .iter()
        .map(|(id, standing)| {
            vec![
                id.clone(),
                word(*standing).to_owned(),
                entry(id).map_or("", |entry| entry.risk.as_str()).to_owned(),
                last(id).map_or_else(String::new, |approval| approval.by.clone()),
                last(id).and_then(|approval| approval.until.clone()).unwrap_or_default(),
                last(id).map_or_else(String::new, |approval| approval.reason.clone()),
            ]
        })
        .collect();
    let header = ["SUBJECT", "STANDING", "RISK", "BY", "UNTIL", "REASON"];
    let (path, revision) = (seen.path.display(), seen.lockfile.revision);
    output::text(&if args.format == Style::GithubMd {
        format!("`{path}`, revision {revision}, seal: {seal}\n\n{}", ui::markdown_table(&header, &rows))
    } else {
        format!("{path}\nrevision {revision}, seal: {seal}\n\n{}", ui::table(&header, &rows))
    })?;
    Ok(Exit::Pass)
}

pub(super) fn check(args: &Check, ctx: &Ctx, store: &Store) -> Result<Exit, Error> {
    let mut seen = look(&args.look, ctx, store)?;
    if let Some(toolset) = &args.toolset {
        let needed = needed(&seen.pack, toolset)?;
        seen.standings.retain(|id, _| needed.contains(id));
    }
    let args = &args.look;
    let file = seen.path.display().to_string();
    let mut findings = Vec::new();
    if let Err(refused) = &seen.whole {
        findings.push(rules::whole(refused, &file));
    }
    let against = Against { trust: &seen.trust, now: &seen.now, seen: None };
    for (id, standing) in &seen.standings {
        let Some(mut finding) = rules::subject(id, *standing) else { continue };
        if let Some(entry) = seen.lockfile.subjects.get(id) {
            finding.details = agreement(id, entry, &seen.lockfile, &against);
        }
        findings.push(finding);
    }
    let mut next = Vec::new();
    if let Some(worst) = findings.iter().max_by_key(|finding| finding.severity) {
        next.push(format!("{} diff --toolpack {}", ctx.command(), ui::path_word(&seen.pack.file)));
        next.push(format!("{} explain {}", ctx.command(), worst.code));
    }
    let ready = seen.standings.values().filter(|standing| **standing == Standing::Approved).count();
    let all = seen.standings.len();
    let report = Report {
        kind: "gate",
        title: match &seen.whole {
            Err(_) if ready > 0 => format!(
                "nothing is approved: {ready} of {all} subjects are in this lockfile, which does not count"
            ),
            _ => format!("{ready} of {all} subjects are approved"),
        },
        subject: vec![
            ("toolpack".to_owned(), seen.pack.surface.toolpack.clone()),
            ("lockfile".to_owned(), file),
            ("revision".to_owned(), seen.lockfile.revision.to_string()),
        ],
        sections: vec![Section { title: String::new(), findings }],
        next,
        artifact: seen.pack.file.display().to_string(),
        ..Report::default()
    };
    output::report(&report, args.format, ctx)
}

/// Who agreed to a subject, whose approval does not count and why: what whoever has to act needs to know.
fn agreement(id: &str, entry: &Entry, lockfile: &Lockfile, against: &Against<'_>) -> Vec<String> {
    let mut out = Vec::new();
    let mut counted = BTreeSet::new();
    for (approval, miss) in quorum::explain(id, entry, lockfile, against) {
        match miss {
            None => {
                counted.insert(approval.by.as_str());
                out.push(format!("approved by {} at {}", approval.by, approval.at));
            }
            Some(miss) => out.push(format!(
                "the approval by {} at {} does not count: {}",
                approval.by,
                approval.at,
                miss.words()
            )),
        }
    }
    let need = against.trust.content().thresholds.of(entry.risk);
    if !entry.approvals.is_empty() {
        out.push(format!("{} of {need} signers agree (risk {})", counted.len(), entry.risk.as_str()));
    }
    out
}

/// The subjects that a toolset needs to be served whole.
fn needed(pack: &Pack, toolset: &str) -> Result<BTreeSet<String>, Error> {
    let Some(tools) = pack.surface.toolsets.get(toolset) else {
        return Err(super::decide::no_toolset(pack, toolset));
    };
    let mut out = BTreeSet::from([POLICY.to_owned(), format!("toolset/{toolset}")]);
    for tool in pack.surface.tools.iter().filter(|tool| tools.contains(&tool.name)) {
        let Binding::Http(http) = &tool.binding;
        out.extend([format!("tool/{}", tool.name), format!("host/{}", http.host)]);
        let scopes = pack.surface.scopes.iter().filter(|(_, scope)| scope.tools.contains(&tool.name));
        out.extend(scopes.map(|(name, _)| format!("{SCOPE}{name}")));
    }
    Ok(out)
}
