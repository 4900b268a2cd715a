//! `cask bundle`: one approved toolpack as one file, checked and unpacked again.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cask_core::canon::Digest;
use cask_core::finding::{Finding, Severity};
use cask_core::report::{Report, Section};

use crate::bundle::check::{Checked, World, check};
use crate::bundle::{LONGEST_FILE, Opened, Record, collect, names, open, zip};
use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::output::{self, Style};
use crate::store::{self, Store, pack};
use crate::{trust, ui};

/// What is only not served does not keep the rest from being passed on.
const BESIDE: [&str; 2] = ["subject-pending", "subject-removed"];

/// Pack an approved toolpack into one file, or check and unpack one.
///
/// The file is a ZIP archive with the toolpack, its approved lockfile, the trust with its history, the scopes and the
/// accepted baseline: never keys, captures, audit logs or anything else. The same content gives the same bytes. Nothing is
/// written unless it is approved, its signatures hold, and no member holds what looks like a credential.
///
/// Example: cask bundle --file users.zip
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// The toolpack.yaml [default: the only one under the root]
    #[arg(long, value_name = "FILE")]
    toolpack: Option<PathBuf>,
    /// Where to write it (without it, `<toolpack>-r<revision>.zip`)
    #[arg(long, value_name = "OUT.ZIP")]
    file: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Check a bundle: 0 it would be served, 1 something in it would not, 2 it is not what was approved, 3 no bundle
    ///
    /// Every member is checked against its digest, every name for where it leads, and the toolpack in it as `cask run`
    /// checks one. Nothing is unpacked. The bundle brings its own trust.yaml: pin it with --trust-root.
    ///
    /// Example: cask bundle verify users.zip --trust-root sha256:…
    Verify {
        /// The bundle
        bundle: PathBuf,
        /// How to print it
        #[arg(long, value_enum, default_value_t)]
        format: Style,
    },
    /// Check a bundle and unpack it into a state root
    ///
    /// A file that is there and different is never overwritten: then nothing is unpacked.
    ///
    /// Example: cask bundle unpack users.zip --into deploy/.caskmcp
    Unpack {
        /// The bundle
        bundle: PathBuf,
        /// The folder: a state root, made if it is not there
        #[arg(long, value_name = "DIR")]
        into: PathBuf,
    },
}

/// Runs the command.
///
/// # Errors
/// [`Error`] if it could not be done.
pub fn run(args: Args, ctx: &Ctx) -> Result<Exit, Error> {
    if args.command.is_some() && (args.toolpack.is_some() || args.file.is_some()) {
        return Err(Error::new(
            "--toolpack and --file are for making a bundle, not for checking or unpacking one",
        ));
    }
    match args.command {
        None => make(args.toolpack.as_deref(), args.file, ctx),
        Some(Command::Verify { bundle, format }) => {
            let bytes = read(&bundle)?;
            let judged = judge(&bytes, ctx)?;
            output::report(&judged.report(&bundle, ctx), format, ctx)
        }
        Some(Command::Unpack { bundle, into }) => unpack(&bundle, &into, ctx),
    }
}

fn make(toolpack: Option<&Path>, file: Option<PathBuf>, ctx: &Ctx) -> Result<Exit, Error> {
    let store = Store::new(&ctx.root);
    let pack = pack::open(&store, toolpack, None)?;
    // It must be accepted here before it is passed on.
    trust::current(&store, ctx)?;
    let now = ctx.now();
    let seen = store.seen(&pack.manifest.id)?;
    let world = World { now: &now, pin: ctx.trust_root, seen: seen.as_ref() };
    let mut members = collect(&store, &pack)?;
    let checked = check(&members, &world);
    let stops = |found: &Finding| found.severity > Severity::Info && !BESIDE.contains(&found.code);
    let (stops, beside): (Vec<Finding>, Vec<Finding>) = checked.findings.iter().cloned().partition(stops);
    let (Some(lockfile), Some(root), true) = (checked.lockfile, checked.trust, stops.is_empty()) else {
        let title = "not bundled: this is not what may be passed on".to_owned();
        let mut report = report(title, &pack.file, stops, ctx);
        report.subject = vec![("toolpack".to_owned(), checked.toolpack)];
        return Ok(output::report(&report, Style::Text, ctx)?.max(Exit::Review));
    };
    let record = Record::new(&checked.toolpack, checked.revision, lockfile, root, &members);
    members.insert(names::RECORD.to_owned(), Cow::Owned(record.write()?));
    let bytes = zip::write(&members)?;
    let path = file.unwrap_or_else(|| {
        let name = format!("{}-r{}.zip", checked.toolpack, checked.revision);
        ctx.out.as_ref().map_or_else(|| PathBuf::from(&name), |out| out.join(&name))
    });
    store::write(store::dir_of(&path), &path, &bytes)?;
    if !beside.is_empty() {
        eprintln!("cask: {} in it would not be served", ui::count(beside.len() as u64, "subject"));
    }
    output::text(&format!(
        "wrote {}: {}, {} bytes, {}\n  served    {}\n  revision  {}\n  lockfile  {lockfile}\n  trust     {root}\n\
         whoever gets it: cask bundle verify {} --trust-root {root}\n",
        path.display(),
        ui::count(members.len() as u64, "member"),
        bytes.len(),
        Digest::of_bytes(&bytes),
        ui::count(checked.served as u64, "tool"),
        checked.revision,
        ui::path_word(&path),
    ))?;
    Ok(Exit::Pass)
}

fn read(bundle: &Path) -> Result<Vec<u8>, Error> {
    store::read_bytes(store::dir_of(bundle), bundle, LONGEST_FILE)
}

/// A bundle that was opened, and everything that speaks against it.
struct Judged<'b> {
    opened: Opened<'b>,
    checked: Checked,
    findings: Vec<Finding>,
}

fn judge<'b>(bytes: &'b [u8], ctx: &Ctx) -> Result<Judged<'b>, Error> {
    let opened = open(bytes)?;
    // Without members, and a record of them, there is nothing to look into.
    let checked = match &opened.record {
        Some(_) => check(&opened.members, &World { now: &ctx.now(), pin: ctx.trust_root, seen: None }),
        None => Checked::default(),
    };
    let mut findings = opened.findings.clone();
    findings.extend(checked.findings.iter().cloned());
    if let Some(record) = &opened.record {
        findings.extend(contradictions(record, &checked));
    }
    Ok(Judged { opened, checked, findings })
}

/// What the record says that is not so.
fn contradictions(record: &Record, checked: &Checked) -> Vec<Finding> {
    let digest =
        |digest: Option<Digest>| digest.map_or_else(|| "none".to_owned(), |digest| digest.to_string());
    let pairs = [
        ("the toolpack", record.toolpack.clone(), checked.toolpack.clone()),
        ("the revision", record.revision.to_string(), checked.revision.to_string()),
        ("the lockfile", record.lockfile.to_string(), digest(checked.lockfile)),
        ("the trust", record.trust.to_string(), digest(checked.trust)),
    ];
    let differ = pairs.iter().filter(|(_, says, is)| says != is);
    differ.map(|(what, says, is)| cask_core::verify::bundle::mismatch(what, says, is)).collect()
}

impl Judged<'_> {
    fn report(&self, bundle: &Path, ctx: &Ctx) -> Report {
        let title = match self.findings.iter().map(|found| found.severity).max() {
            None | Some(Severity::Info) => "the bundle is what was approved",
            Some(Severity::Warning) => "not everything in the bundle would be served",
            Some(Severity::Breaking) => "the bundle is refused",
        };
        let mut report = report(title.to_owned(), bundle, self.findings.clone(), ctx);
        report.subject.push(("bundle".to_owned(), bundle.display().to_string()));
        if let Some(record) = &self.opened.record {
            let rows = [
                ("toolpack", record.toolpack.clone()),
                ("revision", record.revision.to_string()),
                ("lockfile", record.lockfile.to_string()),
                ("trust", record.trust.to_string()),
            ];
            report.subject.extend(rows.map(|(label, value)| (label.to_owned(), value)));
        }
        report.counts = BTreeMap::from([
            ("members".to_owned(), self.opened.members.len() as u64),
            ("tools served".to_owned(), self.checked.served as u64),
        ]);
        if ctx.trust_root.is_none() {
            report.notes.push(
                "the bundle says itself who may approve: `--trust-root` pins that from outside".to_owned(),
            );
        }
        report
    }
}

fn report(title: String, about: &Path, findings: Vec<Finding>, ctx: &Ctx) -> Report {
    let worst = findings.iter().max_by_key(|found| found.severity);
    Report {
        kind: "bundle",
        title,
        next: worst.map(|found| format!("{} explain {}", ctx.command(), found.code)).into_iter().collect(),
        sections: vec![Section { title: String::new(), findings }],
        artifact: about.display().to_string(),
        ..Report::default()
    }
}

fn unpack(bundle: &Path, into: &Path, ctx: &Ctx) -> Result<Exit, Error> {
    let bytes = read(bundle)?;
    let judged = judge(&bytes, ctx)?;
    if judged.findings.iter().any(|found| found.severity == Severity::Breaking) {
        return output::report(&judged.report(bundle, ctx), Style::Text, ctx);
    }
    let store = Store::new(into);
    let _held = store.lock("bundle unpack")?;
    // What the bundle says about itself is not part of a state root.
    let members = judged.opened.members.iter().filter(|(name, _)| *name != names::RECORD);
    let (mut fresh, mut faults) = (Vec::new(), Vec::new());
    for (name, bytes) in members {
        match place(into, name, bytes) {
            Ok(Some(path)) => fresh.push((path, bytes)),
            Ok(None) => {}
            Err(fault) => faults.push(fault),
        }
    }
    if let Some(error) = Error::all(faults) {
        return Err(error);
    }
    for (path, bytes) in &fresh {
        store.write(path, bytes)?;
    }
    let next = Ctx { root: into.to_owned(), ..ctx.clone() }.command();
    output::text(&format!(
        "unpacked {} into {}\n  {next} gate check\n  {next} run\n",
        ui::count(fresh.len() as u64, "file"),
        into.display()
    ))?;
    Ok(Exit::Pass)
}

/// Where a member goes; none if it is there already.
fn place(into: &Path, name: &str, bytes: &[u8]) -> Result<Option<PathBuf>, Error> {
    let mut path = into.to_owned();
    for step in name.split('/') {
        path.push(step);
        store::not_linked(&path, "a bundle is unpacked into folders of its own")?;
    }
    if path.symlink_metadata().is_err() {
        return Ok(Some(path));
    }
    match store::read_bytes(into, &path, bytes.len() as u64) {
        Ok(there) if there == bytes => Ok(None),
        _ => Err(Error::new(format_args!("{} is there and different", path.display()))
            .hint("unpack into another folder, or move what is there away")),
    }
}
