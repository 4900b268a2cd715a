//! Captures on disk: written under a temporary name and renamed when whole; read back with the same care
//! as anything that comes from outside.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use cask_core::artifact::capture::{Capture, read_line};
use cask_core::capture::Exchange;
use cask_core::endpoint::Endpoint;
use cask_core::endpoint::summary::{Room, Summary};
use cask_core::ids::CaptureId;
use cask_core::redact::{Pass, Profile, Redacted, Redactor};

use super::flow::{self, Batch};
use super::show;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::store::{io_error as fault, not_linked, sync_dir};

/// The longest line that is read back: one entry, with what JSON may add to it in escapes.
const MAX_LINE: usize = 256 << 20;
const MAX_CAPTURE_JSON: u64 = 64 << 20;
const PREFIX: &str = ".importing-";
/// What to do where a folder of captures is a link.
const NO_LINK: &str = "remove it: captures lie in a folder of their own";

/// A capture that is being written. Dropped before [`Draft::commit`], it leaves nothing.
#[derive(Debug)]
pub struct Draft {
    captures: PathBuf,
    folder: tempfile::TempDir,
    lines: File,
    id: CaptureId,
}

impl Draft {
    /// An empty one under this state root.
    pub fn new(root: &Path) -> Result<Self, Error> {
        let captures = root.join("captures");
        not_linked(&captures, NO_LINK)?;
        fs::create_dir_all(&captures).map_err(|error| fault("make", &captures, &error))?;
        sweep(root);
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in(root)
            .map_err(|error| fault("write in", root, &error))?;
        let path = folder.path().join("exchanges.jsonl");
        let lines = File::create(&path).map_err(|error| fault("write", &path, &error))?;
        // Held while this process lives: so that the next import can tell what was left behind.
        lines.lock().map_err(|error| fault("lock", &path, &error))?;
        Ok(Self { captures, folder, lines, id: CaptureId::default() })
    }

    /// Appends lines.
    pub fn write(&mut self, lines: &[u8]) -> Result<(), Error> {
        self.id.update(lines);
        let write = self.lines.write_all(lines);
        write.map_err(|error| fault("write", &self.folder.path().join("exchanges.jsonl"), &error))
    }

    /// Names the capture by what was written and moves it into place, beside whatever the caller does next: a
    /// disk is slow to say that it has everything.
    pub fn commit(self, mut capture: Capture) -> Result<(Capture, Saving), Error> {
        capture.id = self.id.finish();
        capture.digest = self.id.digest();
        let text = capture.write().map_err(Error::new)?;
        let dir = self.captures.join(&capture.id);
        let thread = std::thread::Builder::new().name("save".to_owned());
        let saving = thread.spawn(move || self.save(&text, &dir)).map_err(Error::no_thread)?;
        Ok((capture, Saving(Some(saving))))
    }

    /// One that is there already has the same exchanges; its record is replaced.
    fn save(self, record: &str, dir: &Path) -> Result<(), Error> {
        let folder = self.folder.path();
        self.lines.sync_all().map_err(|error| fault("write", folder, &error))?;
        let path = folder.join("capture.json");
        let written = File::create(&path)
            .and_then(|mut file| file.write_all(record.as_bytes()).and_then(|()| file.sync_all()));
        written.map_err(|error| fault("write", &path, &error))?;
        let settle = |folder: &Path| sync_dir(folder).map_err(|error| fault("write", folder, &error));
        not_linked(dir, NO_LINK)?;
        if dir.is_dir() {
            not_another(dir, &self.id)?;
            // The exchanges may have been damaged since; both files are put back as they were just read.
            for name in ["exchanges.jsonl", "capture.json"] {
                let to = dir.join(name);
                fs::rename(folder.join(name), &to).map_err(|error| fault("write", &to, &error))?;
            }
            settle(dir)
        } else {
            settle(folder)?;
            fs::rename(folder, dir).map_err(|error| fault("make", dir, &error))?;
            settle(&self.captures)
        }
    }
}

/// Refuses to put a capture in the place of another one that was made to have the same id. What counts is what lies there,
/// not what its record says; exchanges that are not even those of their id are damaged, and no reason to keep them.
pub(super) fn not_another(dir: &Path, id: &CaptureId) -> Result<(), Error> {
    let path = dir.join("exchanges.jsonl");
    if !path.symlink_metadata().is_ok_and(|meta| meta.is_file()) {
        return Ok(());
    }
    let there = id_of(&path)?;
    if there.finish() != id.finish() || there.digest() == id.digest() {
        return Ok(());
    }
    Err(Error::new(format_args!("{} holds another capture of the same id", show(dir)))
        .hint("somebody made the two agree: keep the recording you trust, and remove the other's folder"))
}

/// The id of what a file holds, whatever that is.
fn id_of(path: &Path) -> Result<CaptureId, Error> {
    let mut from = BufReader::with_capacity(256 << 10, regular(path)?);
    let mut id = CaptureId::default();
    loop {
        let chunk = from.fill_buf().map_err(|error| fault("read", path, &error))?;
        if chunk.is_empty() {
            return Ok(id);
        }
        id.update(chunk);
        let length = chunk.len();
        from.consume(length);
    }
}

/// A capture on its way to the disk. Dropped, it still gets there.
#[derive(Debug)]
pub struct Saving(Option<JoinHandle<Result<(), Error>>>);

impl Saving {
    /// Waits until it is there.
    ///
    /// # Errors
    /// [`Error`] if it cannot be written. What is there then is whole: this capture, or what was there before.
    pub fn wait(&mut self) -> Result<(), Error> {
        let Some(thread) = self.0.take() else { return Ok(()) };
        thread.join().unwrap_or_else(|_| Err(Error::new("the saving thread failed; this is a bug in cask")))
    }
}

impl Drop for Saving {
    fn drop(&mut self) {
        // Whoever needs to know has waited; a process that ends would stop it half way.
        let _ = self.wait();
    }
}

/// Removes what imports that were killed left behind; one that still runs holds its lock. Failing to is
/// no reason not to import.
fn sweep(root: &Path) {
    let Ok(all) = fs::read_dir(root) else { return };
    for entry in all.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        let held = match File::open(entry.path().join("exchanges.jsonl")) {
            Ok(lines) => lines.try_lock().is_err(),
            // Killed after it had moved its exchanges; whoever imports now holds the root's own lock.
            Err(error) => error.kind() != std::io::ErrorKind::NotFound,
        };
        if !held {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// A capture read back.
#[derive(Debug)]
pub struct Loaded {
    /// `capture.json`.
    pub capture: Capture,
    /// Everything its exchanges show.
    pub summary: Summary,
}

/// Reads an imported capture into a summary, on all cores, through redaction once more.
///
/// # Errors
/// [`Error`] if there is no such capture, or it is not what was imported under this id.
pub fn load(root: &Path, capture_id: &str, ctx: &Ctx) -> Result<Loaded, Error> {
    let room = Room::default();
    load_into(root, capture_id, ctx, &|| Summary::sharing(&room))
}

/// The endpoints that a summary of these captures shows. Where there was too much traffic to hold at once,
/// the captures are read a second time, now that the templates are known.
///
/// # Errors
/// As [`load`].
pub fn endpoints<'c>(
    root: &Path,
    captures: impl IntoIterator<Item = &'c String>,
    summary: Summary,
    pinned: &[Endpoint],
    ctx: &Ctx,
) -> Result<Vec<Endpoint>, Error> {
    if !summary.is_lean() {
        return Ok(summary.into_endpoints(pinned));
    }
    let templates = summary.into_endpoints(pinned);
    let empty = || Summary::routed(&templates);
    let mut second = empty();
    for capture in captures {
        second.merge(load_into(root, capture, ctx, &empty)?.summary);
    }
    Ok(second.into_endpoints(pinned))
}

fn load_into(
    root: &Path,
    capture_id: &str,
    ctx: &Ctx,
    empty: &(impl Fn() -> Summary + Sync),
) -> Result<Loaded, Error> {
    let (capture, path) = open(root, capture_id)?;
    let redactor = Redactor::new(capture.redaction.profile);
    let make = || (empty(), redactor.pass(), None);
    let work = |(summary, redaction, bad): &mut (Summary, Pass, Option<String>), batch: &Batch| {
        for (number, line) in batch.entries() {
            match parse(line, number) {
                Ok(exchange) => summary.observe(&redaction.exchange(exchange)),
                Err(error) => *bad = Some(error),
            }
        }
    };
    let read = flow::run(
        0,
        ctx.terminal,
        |feed| lines(&path, &mut |line| feed.entry(line)),
        &make,
        work,
        &mut |()| Ok(()),
    )?;
    let mut summary = empty();
    for (part, _, bad) in read.workers {
        if let Some(bad) = bad {
            return Err(Error::new(format_args!("{}: {bad}", show(&path))));
        }
        summary.merge(part);
    }
    check(&capture, &read.source?, &path)?;
    Ok(Loaded { capture, summary })
}

/// Reads the exchanges of an imported capture one by one, in order, through redaction once more.
///
/// # Errors
/// As [`load`]; what was handed out before stays handed out.
pub fn exchanges(
    root: &Path,
    capture_id: &str,
    each: &mut dyn FnMut(Redacted<Exchange<'_>>),
) -> Result<Capture, Error> {
    let (capture, path) = open(root, capture_id)?;
    let mut redaction = Redactor::new(capture.redaction.profile).pass();
    let mut bad = None;
    let mut number = 0;
    let id = lines(&path, &mut |line| {
        match parse(line, number) {
            Ok(exchange) => each(redaction.exchange(exchange)),
            Err(error) => bad = Some(error),
        }
        number += 1;
        bad.is_none()
    })?;
    if let Some(bad) = bad {
        return Err(Error::new(format_args!("{}: {bad}", show(&path))));
    }
    check(&capture, &id, &path)?;
    Ok(capture)
}

fn parse(line: &[u8], number: u64) -> Result<Exchange<'_>, String> {
    let text = std::str::from_utf8(line).map_err(|error| format!("line {}: {error}", number + 1))?;
    read_line(text).map_err(|error| format!("line {}: {error}", number + 1))
}

fn check(capture: &Capture, id: &CaptureId, path: &Path) -> Result<(), Error> {
    if id.finish() == capture.id && (capture.digest.is_empty() || id.digest() == capture.digest) {
        return Ok(());
    }
    Err(Error::new(format_args!(
        "{} is not what was imported: its bytes are not those that {} was made of",
        show(path),
        capture.id
    ))
    .hint("import the recorded file again"))
}

/// What `capture.json` says of a capture, without reading its exchanges.
///
/// # Errors
/// [`Error`] if it is not there or not what it should be.
pub fn facts(root: &Path, capture_id: &str) -> Result<Capture, Error> {
    open(root, capture_id).map(|(capture, _)| capture)
}

fn open(root: &Path, capture_id: &str) -> Result<(Capture, PathBuf), Error> {
    let digits = capture_id.strip_prefix("cap_").unwrap_or_default();
    if digits.len() != 12 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(Error::new(format_args!("`{}` is not a capture id", super::safe(capture_id)))
            .hint("a capture id is `cap_` and 12 hex digits, as `cask capture import` prints it"));
    }
    let captures = root.join("captures");
    let dir = captures.join(capture_id);
    not_linked(&captures, NO_LINK)?;
    not_linked(&dir, NO_LINK)?;
    if !dir.is_dir() {
        return Err(Error::new(format_args!("no capture {capture_id} under {}", show(root)))
            .hint("import the recorded file with `cask capture import`"));
    }
    let path = dir.join("capture.json");
    let capture = read_record(&path)?;
    if capture.id != capture_id {
        return Err(Error::new(format_args!(
            "{} is about another capture, {}",
            show(&path),
            super::safe(&capture.id)
        )));
    }
    Ok((capture, dir.join("exchanges.jsonl")))
}

fn read_record(path: &Path) -> Result<Capture, Error> {
    let mut text = String::new();
    regular(path)?
        .take(MAX_CAPTURE_JSON)
        .read_to_string(&mut text)
        .map_err(|error| fault("read", path, &error))?;
    Capture::read(&text).map_err(|error| Error::new(format_args!("{}: {error}", show(path))))
}

/// Opens a file that must be one: no link that leads elsewhere.
fn regular(path: &Path) -> Result<File, Error> {
    let meta = fs::symlink_metadata(path).map_err(|error| fault("read", path, &error))?;
    if !meta.is_file() {
        return Err(Error::new(format_args!("{} is not a regular file", show(path))));
    }
    File::open(path).map_err(|error| fault("read", path, &error))
}

/// Hands out the lines of a file; gives the id that all its bytes make.
fn lines(path: &Path, each: &mut dyn FnMut(&[u8]) -> bool) -> Result<CaptureId, Error> {
    let mut from = BufReader::with_capacity(256 << 10, regular(path)?);
    let mut id = CaptureId::default();
    let mut pending = Vec::new();
    loop {
        let chunk = from.fill_buf().map_err(|error| fault("read", path, &error))?;
        if chunk.is_empty() {
            break;
        }
        let length = chunk.len();
        id.update(chunk);
        let mut rest = chunk;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            rest = after.get(1..).unwrap_or_default();
            let more = if pending.is_empty() {
                each(line)
            } else {
                pending.extend_from_slice(line);
                let more = each(&pending);
                pending.clear();
                more
            };
            if !more {
                return Ok(id);
            }
        }
        if pending.len() + rest.len() > MAX_LINE {
            return Err(Error::new(format_args!(
                "{}: a line is longer than {} MiB",
                show(path),
                MAX_LINE >> 20
            )));
        }
        pending.extend_from_slice(rest);
        from.consume(length);
    }
    if !pending.is_empty() {
        each(&pending);
    }
    Ok(id)
}

/// The strictest profile by which these captures were redacted: what was left out of them does not come in
/// with the next one. A capture that is not at hand has no say.
#[must_use]
pub fn strictest<'c>(root: &Path, captures: impl IntoIterator<Item = &'c String>) -> Profile {
    let facts = captures.into_iter().filter_map(|id| facts(root, id).ok());
    facts.map(|facts| facts.redaction.profile).max().unwrap_or_default()
}
