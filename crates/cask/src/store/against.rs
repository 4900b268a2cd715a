//! What a toolpack can be compared with besides its own lockfile: another toolpack, itself at a git revision, a snapshot.

use std::path::{Path, PathBuf};

use cask_core::artifact::{self, BadArtifact, Manifest, manifest, scopes, snapshot};
use cask_core::canon::Digest;
use cask_core::lock::Surface;
use cask_core::report::escape::terminal;

use super::{MAX_BYTES, Store, pack, plain, read};
use crate::error::Error;

/// What to compare with, and how to call it.
#[derive(Debug)]
pub struct Other {
    /// Its surface.
    pub surface: Surface,
    /// For people.
    pub name: String,
}

/// A toolpack if there is one at this path, otherwise a git revision of the toolpack in `dir`.
///
/// # Errors
/// [`Error`] if it is neither, or cannot be read.
pub fn other(store: &Store, dir: &Path, given: &str) -> Result<Other, Error> {
    let path = Path::new(given);
    if path.exists() {
        let pack = pack::open(store, Some(path), None)?;
        return Ok(Other { surface: pack.surface, name: pack.folder.file.display().to_string() });
    }
    at_revision(dir, given)
}

/// The toolpack of a folder as it is in a commit.
fn at_revision(dir: &Path, revision: &str) -> Result<Other, Error> {
    let shown = terminal(revision);
    let neither = |why: &str| {
        Error::new(format_args!("`{shown}` is neither a toolpack nor a git revision that has one: {why}"))
            .hint("give the path of a toolpack.yaml, or a revision such as HEAD~1 or origin/main")
    };
    // It would be an option of git.
    if revision.is_empty() || revision.starts_with('-') || revision.contains(':') {
        return Err(neither("no revision is called that"));
    }
    let show = |name: &str| -> Result<String, Error> {
        let output = super::git(dir)
            .args(["cat-file", "blob", &format!("{revision}:./{name}")])
            .output()
            .map_err(|error| neither(&format!("git: {error}")))?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            return Err(neither(&terminal(why.trim())));
        }
        if output.stdout.len() as u64 > MAX_BYTES {
            return Err(neither("it is too large"));
        }
        String::from_utf8(output.stdout).map_err(|_| neither(&format!("{name} is not UTF-8")))
    };
    let wrong = |error: BadArtifact| Error::new(format_args!("{}/{error} (at {shown})", dir.display()));
    let manifest: Manifest = manifest::read(&show(manifest::MANIFEST)?).map_err(wrong)?;
    let toolpack = artifact::served(&manifest, |name| show(name).map_err(Unreadable::Read)).map_err(
        |error| match error {
            Unreadable::Read(error) => error,
            Unreadable::Wrong(error) => wrong(error),
        },
    )?;
    let mut surface = Surface::from(toolpack);
    // Scopes stand in the state root that the toolpack lies in: where there was no such file, there were none.
    if let Ok(text) = show(&format!("../../{}", scopes::FILE)) {
        let mut all = scopes::read(&text).map_err(wrong)?.toolpacks;
        surface.scopes = all.remove(&surface.toolpack).unwrap_or_default().scopes;
    }
    Ok(Other { surface, name: format!("{} at {shown}", dir.display()) })
}

enum Unreadable {
    Read(Error),
    Wrong(BadArtifact),
}

impl From<BadArtifact> for Unreadable {
    fn from(error: BadArtifact) -> Self {
        Self::Wrong(error)
    }
}

/// `baselines/<toolpack>/snapshots/`
///
/// # Errors
/// [`Error`] if the id is not a plain name.
pub fn snapshots(store: &Store, toolpack: &str) -> Result<PathBuf, Error> {
    Ok(store.root().join("baselines").join(plain(toolpack)?).join("snapshots"))
}

/// The snapshot at this path, or the one of the toolpack whose digest begins so.
///
/// # Errors
/// [`Error`] if there is none, or several, or it is not what its name says.
pub fn snapshot(store: &Store, toolpack: &str, given: &str) -> Result<Other, Error> {
    let path = match Path::new(given) {
        path if path.is_file() => path.to_owned(),
        _ => find(&snapshots(store, toolpack)?, given)?,
    };
    let text = read(super::dir_of(&path), &path, MAX_BYTES)?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    if Digest::of_bytes(text.as_bytes()).hex() != name {
        return Err(Error::new(format_args!("{}: not the snapshot that its name says", path.display()))
            .hint("restore it from version control"));
    }
    let snapshot = snapshot::read(&path.display().to_string(), &text).map_err(Error::new)?;
    let short: String = name.chars().take(12).collect();
    Ok(Other {
        surface: snapshot.surface,
        name: format!("snapshot {short} (revision {})", snapshot.revision),
    })
}

fn find(dir: &Path, given: &str) -> Result<PathBuf, Error> {
    let digest = given.strip_prefix("sha256:").unwrap_or(given);
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().strip_suffix(".json")?.to_owned()))
        .collect();
    names.sort();
    let hits: Vec<&String> =
        names.iter().filter(|name| !digest.is_empty() && name.starts_with(digest)).collect();
    match hits.as_slice() {
        [one] => Ok(dir.join(format!("{one}.json"))),
        hits => {
            let word = if hits.is_empty() { "no snapshot begins" } else { "several snapshots begin" };
            let there: Vec<String> = names.iter().map(|name| name.chars().take(12).collect()).collect();
            Err(Error::new(format_args!("{word} with `{}`", terminal(given))).hint(if there.is_empty() {
                "make one with `cask gate snapshot`".to_owned()
            } else {
                format!("there are {}", there.join(", "))
            }))
        }
    }
}
