//! The toolpacks: whether each would be served, whole, and for how long.

use std::collections::BTreeMap;
use std::path::Path;

use cask_core::artifact::{self, manifest};
use cask_core::canon::Digest;
use cask_core::guard::policy::Policy;
use cask_core::lock::rules;
use cask_core::report::escape::terminal;
use cask_runtime::audit::AuditLog;
use jiff::{SignedDuration, Timestamp};

use super::{Ground, Said, Verdict};
use crate::store::{self, UNFINISHED};
use crate::ui;

/// An approval that ends within this many days is worth a word.
const DAYS: i64 = 14;
/// Names that a message lists.
const SHOWN: usize = 5;

pub(super) fn there(ground: &Ground<'_>) -> Vec<Said> {
    if let Some(error) = &ground.unlisted {
        return vec![Said::error(Verdict::Misconfigured, error)];
    }
    match ground.packs.len() {
        0 if !ground.there => Vec::new(),
        0 => {
            let hint = format!("{} mint traffic.har -a api.example.com", ground.ctx.command());
            vec![Said::fail(Verdict::Fixable, "there is no toolpack", hint)]
        }
        count => vec![Said::ok(ui::count(count as u64, "toolpack"))],
    }
}

pub(super) fn opens(ground: &Ground<'_>) -> Vec<Said> {
    let said = ground.packs.iter().map(|(file, pack)| match pack {
        Ok(pack) => Said::ok(format!(
            "{}: {} for {}",
            pack.manifest.id,
            ui::count(pack.surface.tools.len() as u64, "tool"),
            terminal(&pack.manifest.name)
        )),
        Err(error) => Said::fail(
            Verdict::Misconfigured,
            format!("{}: {}", file.display(), error.message),
            error.hint.clone().unwrap_or_default(),
        ),
    });
    said.collect()
}

/// Every file that the manifest lists is the one that was written.
pub(super) fn digests(ground: &Ground<'_>) -> Vec<Said> {
    let said = ground.opened().map(|pack| {
        let id = &pack.manifest.id;
        let wrong: Vec<String> = pack
            .manifest
            .digests
            .iter()
            .filter(|(file, digest)| {
                let bytes = store::read_bytes(&pack.dir, &pack.dir.join(file), artifact::MAX_BYTES);
                !manifest::is_inside(file) || !bytes.is_ok_and(|bytes| Digest::of_bytes(&bytes) == **digest)
            })
            .map(|(file, _)| terminal(file))
            .collect();
        if wrong.is_empty() {
            return Said::ok(format!(
                "{id}: {} as written",
                ui::count(pack.manifest.digests.len() as u64, "file")
            ));
        }
        let message = format!("{id}: not as written: {}", listed(&wrong));
        let hint = format!("{} verify --toolpack {}", ground.ctx.command(), ui::path_word(&pack.file));
        Said::fail(Verdict::Blocked, message, hint)
    });
    said.collect()
}

/// The lockfile is there, accepted, and approves something.
pub(super) fn lockfile(ground: &Ground<'_>) -> Vec<Said> {
    let mut said = Vec::new();
    for pack in ground.opened() {
        let id = &pack.manifest.id;
        match pack.approved() {
            Err(error) => said.push(Said::error(Verdict::Blocked, &error)),
            Ok(None) => {
                let hint = format!(
                    "look at `{cask} diff`, then {cask} gate allow --all --lockfile {}",
                    ui::path_word(&pack.pending_file()),
                    cask = ground.ctx.command()
                );
                said.push(Said::fail(Verdict::Blocked, format!("{id}: nothing is approved yet"), hint));
            }
            Ok(Some(_)) => {}
        }
        if let Err(error) = ground.store.seen(id) {
            said.push(Said::error(Verdict::Misconfigured, &error));
        }
    }
    for sealed in ground.sealed() {
        said.push(match sealed.approved() {
            Err(refused) => Said::refused(sealed.name(), &refused),
            Ok(approved) => Said::ok(format!(
                "{}: revision {}, {} served",
                sealed.name(),
                approved.revision(),
                ui::count(approved.tools().len() as u64, "tool")
            )),
        });
    }
    said
}

/// What waits for somebody, or does not stand as it was approved.
pub(super) fn pending(ground: &Ground<'_>) -> Vec<Said> {
    let said = ground.sealed().into_iter().map(|sealed| {
        let mut open: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (id, standing) in sealed.standings() {
            if let Some(found) = rules::subject(&id, standing) {
                open.entry(found.code).or_default().push(terminal(&id));
            }
        }
        let id = sealed.name();
        if open.is_empty() {
            return Said::ok(format!("{id}: everything is decided"));
        }
        let open: Vec<String> = open.iter().map(|(code, ids)| format!("{code}: {}", listed(ids))).collect();
        let hint = format!(
            "{cask} diff --toolpack {file}, then {cask} gate review --toolpack {file} (or gate allow)",
            cask = ground.ctx.command(),
            file = ui::path_word(&sealed.pack.file)
        );
        Said::fail(Verdict::Blocked, format!("{id}: {}", open.join("; ")), hint)
    });
    said.collect()
}

/// Approvals that end soon end the calls of whoever is not watching.
pub(super) fn ending(ground: &Ground<'_>) -> Vec<Said> {
    let limit = ground.now.parse::<Timestamp>().ok();
    let limit = limit.and_then(|now| now.checked_add(SignedDuration::from_hours(24 * DAYS)).ok());
    let Some(limit) = limit.map(|time| time.to_string()) else { return Vec::new() };
    let mut said = Vec::new();
    for sealed in ground.sealed() {
        let Ok(approved) = sealed.approved() else { continue };
        let tools = approved.tools().values();
        let tools = tools.filter_map(|tool| Some((format!("tool/{}", tool.tool.name), tool.until.clone()?)));
        let toolsets = approved.toolsets().iter();
        let toolsets = toolsets
            .filter_map(|name| Some((format!("toolset/{name}"), approved.toolset_until(name)?.to_owned())));
        let soon: Vec<(String, String)> =
            tools.chain(toolsets).filter(|(_, until)| *until <= limit).collect();
        let id = sealed.name();
        let Some(first) = soon.iter().map(|(_, until)| until).min() else {
            said.push(Said::ok(format!("{id}: no approval ends within {DAYS} days")));
            continue;
        };
        let names: Vec<String> = soon.iter().map(|(name, _)| terminal(name)).collect();
        let message = format!("{id}: from {first} on these end: {}", listed(&names));
        let hint = format!("review them again, then {} gate allow --until TIME", ground.ctx.command());
        said.push(Said::warn(message, hint));
    }
    said
}

pub(super) fn policy(ground: &Ground<'_>) -> Vec<Said> {
    let said = ground.opened().map(|pack| {
        let surface = &pack.surface;
        let faults = Policy::faults(&surface.policy, &surface.tools, &surface.toolsets);
        let path = pack.dir.join(manifest::POLICY);
        match faults.first() {
            None => Said::ok(format!("{}: the policy fits the tools", pack.manifest.id)),
            Some(fault) => Said::fail(
                Verdict::Misconfigured,
                format!("{}: {}", path.display(), terminal(fault)),
                "artifact/policy.cedarschema lists every action with its arguments",
            ),
        }
    });
    said.collect()
}

/// Without an audit log nothing is served. One that is not there yet must be possible.
pub(super) fn audit(ground: &Ground<'_>) -> Vec<Said> {
    let folder = ground.store.state().join("audit");
    let said = ground.opened().map(|pack| {
        let id = &pack.manifest.id;
        let path = folder.join(format!("{id}.jsonl"));
        let works = match path.symlink_metadata() {
            Ok(_) => AuditLog::open(&path).map(|_| "goes on").map_err(|error| error.to_string()),
            Err(_) => can_make(&folder).map(|()| "can be begun"),
        };
        match works {
            Ok(how) => Said::ok(format!("{id}: the audit log {how}")),
            Err(why) => Said::fail(Verdict::Misconfigured, why, "without an audit log nothing is served"),
        }
    });
    said.collect()
}

fn can_make(folder: &Path) -> Result<(), String> {
    let there = folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("."));
    let made = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(there);
    made.map(drop).map_err(|error| format!("{} cannot be written: {error}", there.display()))
}

fn listed(names: &[String]) -> String {
    let mut out = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if let more @ 1.. = names.len().saturating_sub(SHOWN) {
        out += &format!(" and {more} more");
    }
    out
}
