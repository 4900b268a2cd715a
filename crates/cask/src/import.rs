//! Recorded traffic becomes a capture under the state root: split, filter, redact, write, summarise,
//! in one pass and on all cores.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cask_core::artifact::capture::{Capture, Redaction, SCHEMA_VERSION, Source};
use cask_core::capture::hosts::{self, Hosts, Seen};
use cask_core::capture::skip;
use cask_core::endpoint::summary::{Room, Summary};
use cask_core::redact::{Counts, Profile, Redactor};

use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::ui;

mod disk;
mod flow;
mod source;
mod survey;
mod work;

pub use disk::{Loaded, Saving, endpoints, exchanges, facts, load, strictest};
pub use source::{Format, detect};
pub use survey::survey;

use work::{Tally, Worker};

/// How to import.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The hosts to keep; empty asks for a list of what is there.
    pub hosts: Hosts,
    /// What counts as secret.
    pub profile: Profile,
    /// Worker threads; 0 for one a core. The result does not depend on it.
    pub threads: usize,
    /// The command as typed up to the files (`cask mint`), for the hint that says what to type next.
    pub command: &'static str,
}

/// A capture that was imported, and is being saved.
#[derive(Debug)]
pub struct Imported {
    /// `cap_…`
    pub capture_id: String,
    /// It on its way to its folder.
    pub saving: Saving,
    /// `capture.json`: sources, hosts and counts.
    pub capture: Capture,
    /// Everything its exchanges show.
    pub summary: Summary,
    /// [`Exit::Pass`], or [`Exit::Review`] where entries were lost.
    pub exit: Exit,
    /// What was read, kept, left out and lost, in words; several lines.
    pub report: String,
}

/// Imports files into one capture. Importing the same files again gives the same capture.
///
/// # Errors
/// [`Error`] if a file cannot be read or is not a capture, if no host was allowed (it lists the hosts
/// seen), or if nothing was left to keep. Then nothing is written. That it could not be saved says [`Saving::wait`].
pub fn import(files: &[PathBuf], options: &Options, ctx: &Ctx) -> Result<Imported, Error> {
    let files = sorted(files)?;
    if options.hosts.is_empty() {
        return Err(ask_for_hosts(&files, options, ctx)?);
    }
    let mut draft = disk::Draft::new(&ctx.root)?;
    let room = Room::default();
    // Made by the workers: until the rules are compiled, the reader is ahead of them already.
    let make = || Worker::new(Redactor::new(options.profile), &options.hosts, &room);
    let read = flow::read_files(&files, options.threads, ctx, &make, Worker::take, &mut |lines| {
        draft.write(&lines)
    })?;
    let mut sources = read.source;
    let mut tally = Tally::default();
    let mut summary = Summary::new();
    let mut redacted = Counts::default();
    for worker in read.workers {
        summary.merge(worker.summary);
        tally.merge(worker.tally);
        redacted.merge(worker.redaction.counts());
    }
    for (index, lost) in &tally.lost {
        if let Some(source) = sources.get_mut(*index) {
            source.lost += lost;
        }
    }
    let lost: u64 = sources.iter().map(|source| source.lost).sum();
    if lost > 0 {
        tally.skipped.insert(skip::UNREADABLE.code, lost);
    }
    if tally.hosts.is_empty() {
        return Err(nothing_left(&files, &tally, options));
    }
    let capture = Capture {
        schema_version: SCHEMA_VERSION.to_owned(),
        id: String::new(),
        digest: String::new(),
        sources,
        hosts: tally.hosts,
        allowed: options.hosts.to_string(),
        skipped: tally.skipped.iter().map(|(code, count)| ((*code).to_owned(), *count)).collect(),
        redaction: Redaction {
            profile: options.profile,
            counts: redacted.iter().map(|(kind, count)| (kind.as_str().to_owned(), count)).collect(),
        },
    };
    let (capture, saving) = draft.commit(capture)?;
    let whole = capture.lost() == 0 && capture.sources.iter().all(|source| source.cut.is_empty());
    Ok(Imported {
        capture_id: capture.id.clone(),
        saving,
        report: report(&capture),
        capture,
        summary,
        exit: if whole { Exit::Pass } else { Exit::Review },
    })
}

/// The files in an order that does not depend on how they were typed; the same file only once.
fn sorted(files: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut known = BTreeMap::new();
    for file in files {
        let real =
            file.canonicalize().map_err(|error| Error::new(format_args!("{}: {error}", show(file))))?;
        known.entry((file.file_name().unwrap_or_default().to_owned(), real)).or_insert_with(|| file.clone());
    }
    if known.is_empty() {
        return Err(Error::new("no file to import").hint("give the path of a HAR file"));
    }
    Ok(known.into_values().collect())
}

/// No host was allowed: what is there, and what to type next.
fn ask_for_hosts(files: &[PathBuf], options: &Options, ctx: &Ctx) -> Result<Error, Error> {
    let make = Tally::default;
    let read = flow::read_files(files, options.threads, ctx, &make, Tally::survey, &mut |()| Ok(()))?;
    let mut tally = Tally::default();
    read.workers.into_iter().for_each(|worker| tally.merge(worker));
    if tally.seen.is_empty() {
        return Ok(nothing_left(files, &tally, options));
    }
    let error = Error::new(format_args!(
        "no host is allowed yet, so nothing was imported; hosts seen in {}:{}",
        names(files),
        host_table(&tally.seen)
    ));
    Ok(error.hint(next_command(files, &tally.seen, options)))
}

fn nothing_left(files: &[PathBuf], tally: &Tally, options: &Options) -> Error {
    let reasons: Vec<String> = tally.skipped.iter().map(|(code, n)| format!("{n} {}", title(code))).collect();
    let reasons = if reasons.is_empty() { "it has no entries".to_owned() } else { reasons.join(", ") };
    let mut message = format!("{}: no API traffic to keep: {reasons}", names(files));
    if tally.seen.is_empty() {
        return Error::new(message)
            .hint("record the traffic again, with response bodies, and save it as HAR");
    }
    if !options.hosts.is_empty() {
        message += &format!("; allowed was {}, seen were:{}", options.hosts, host_table(&tally.seen));
    }
    Error::new(message).hint(next_command(files, &tally.seen, options))
}

fn next_command(files: &[PathBuf], seen: &BTreeMap<String, Seen>, options: &Options) -> String {
    let paths: Vec<String> = files.iter().map(|file| ui::word(&show(file))).collect();
    match hosts::suggest(seen) {
        Some(host) => format!("{} {} -a {}", options.command, paths.join(" "), ui::word(host)),
        None => "none of these hosts answered anything that looks like an API call; record one, with response bodies".to_owned(),
    }
}

fn host_table(seen: &BTreeMap<String, Seen>) -> String {
    let mut rows: Vec<_> = seen.iter().filter(|(_, seen)| seen.requests > 0).collect();
    rows.sort_by_key(|(host, seen)| (std::cmp::Reverse((seen.api, seen.requests)), (*host).clone()));
    let width = rows.iter().take(20).map(|(host, _)| host.len()).max().unwrap_or_default();
    let mut out = String::new();
    for (host, seen) in rows.iter().take(20) {
        out += &format!("\n  {host:width$}  {:>7} requests, {:>7} API calls", seen.requests, seen.api);
    }
    if rows.len() > 20 {
        out += &format!("\n  and {} more hosts", rows.len() - 20);
    }
    out
}

fn report(capture: &Capture) -> String {
    let mut out = format!(
        "{}: {} of {}",
        capture.id,
        ui::count(capture.kept(), "exchange"),
        ui::count(capture.entries(), "entry")
    );
    for Source { file, creator, entries, .. } in &capture.sources {
        let by = if creator.is_empty() { String::new() } else { format!(", by {}", safe(creator)) };
        out += &format!("\n  from {} ({}{by})", safe(file), ui::count(*entries, "entry"));
    }
    for (host, count) in &capture.hosts {
        out += &format!("\n  kept {count} of {host}");
    }
    for (code, count) in capture.skipped.iter().filter(|(code, _)| *code != skip::UNREADABLE.code) {
        out += &format!("\n  left out {count}: {} ({code})", title(code));
    }
    let redacted: Vec<String> =
        capture.redaction.counts.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
    if !redacted.is_empty() {
        out += &format!("\n  redacted {}", redacted.join(", "));
    }
    for source in &capture.sources {
        if source.lost > 0 {
            out += &format!("\n  lost {} of {}: cannot be read", source.lost, safe(&source.file));
        }
        if !source.cut.is_empty() {
            out += &format!("\n  {} stops early: {}", safe(&source.file), source.cut);
        }
    }
    out
}

fn title(code: &str) -> &str {
    skip::RULES.iter().find(|rule| rule.code == code).map_or(code, |rule| rule.title)
}

fn names(files: &[PathBuf]) -> String {
    files.iter().map(|file| show(file)).collect::<Vec<_>>().join(", ")
}

/// A path for a message: nothing in it can drive a terminal.
fn show(path: &Path) -> String {
    safe(&path.display().to_string())
}

fn safe(text: &str) -> String {
    text.chars().take(200).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests;
