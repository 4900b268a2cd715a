//! Recordings and API descriptions in a repository, told by how they begin.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use cask_core::capture::hosts::Seen;
use cask_core::capture::openapi;

use crate::ctx::Ctx;
use crate::error::Error;
use crate::import::{self, Format};
use crate::store;

/// How many folders down is looked.
const DEPTH: usize = 6;
/// How many files are looked at.
const FILES: usize = 20_000;
/// How much of a file is looked at to tell what it is.
const HEAD: u64 = 64 << 10;
/// The longest description that is read for its hosts.
const LONGEST: u64 = 32 << 20;
/// How much is read of all recordings together for their hosts.
const MOST: u64 = 1 << 30;
/// Folders of other programs' files.
const SKIPPED: [&str; 2] = ["node_modules", "target"];

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// HAR files.
    pub recordings: Vec<PathBuf>,
    /// OpenAPI and Swagger descriptions.
    pub descriptions: Vec<PathBuf>,
    /// Whether there was more than is looked at.
    pub cut: bool,
}

/// Looks through a folder: six folders down, 20,000 files, nothing hidden, no link.
///
/// # Errors
/// [`Error`] if the folder itself cannot be read. One below that cannot is passed over.
pub fn find(top: &Path) -> Result<Found, Error> {
    let mut found = Found::default();
    let mut left = FILES;
    fs::read_dir(top).map_err(|error| store::io_error("read", top, &error))?;
    walk(top, DEPTH, &mut left, &mut found);
    Ok(found)
}

fn walk(folder: &Path, depth: usize, left: &mut usize, found: &mut Found) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut entries: Vec<_> = entries.map(|entry| (entry.file_name(), entry)).collect();
    entries.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (name, entry) in entries {
        let name = name.to_string_lossy();
        let Ok(kind) = entry.file_type() else { continue };
        // Paths as people type them.
        let path = entry.path();
        let path = path.strip_prefix(".").map(Path::to_owned).unwrap_or(path);
        if kind.is_dir() && !name.starts_with('.') && !SKIPPED.contains(&&*name) {
            match depth {
                0 => found.cut = true,
                _ => walk(&path, depth - 1, left, found),
            }
        } else if kind.is_file() {
            if *left == 0 {
                found.cut = true;
                return;
            }
            *left -= 1;
            match tell(&path, &name.to_lowercase()) {
                Some(Format::Har) => found.recordings.push(path),
                Some(Format::OpenApi) => found.descriptions.push(path),
                None => {}
            }
        }
    }
}

/// What a file is, if it is either. Its name only decides whether it is worth a look.
fn tell(path: &Path, name: &str) -> Option<Format> {
    let recorded = name.ends_with(".har") || name.ends_with(".har.gz");
    if !recorded && ![".json", ".yaml", ".yml"].iter().any(|end| name.ends_with(end)) {
        return None;
    }
    let format = import::detect(path).ok()?;
    if name.ends_with(".har.gz") {
        return (format == Format::Har).then_some(format);
    }
    let head = head(path).unwrap_or_default();
    let fits = match format {
        // The first member tells a recording from any other JSON.
        Format::Har => head.strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with("\"log\"")),
        Format::OpenApi => head.contains("openapi") || head.contains("swagger"),
    };
    fits.then_some(format)
}

/// How a file begins.
fn head(path: &Path) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(HEAD).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).trim_start_matches('\u{feff}').trim_start().to_owned())
}

/// The hosts of what was found.
#[derive(Debug, Default)]
pub struct Hosts {
    /// Of recordings.
    pub seen: BTreeMap<String, Seen>,
    /// Of descriptions: how many operations each host has.
    pub declared: BTreeMap<String, u64>,
    /// By description, the hosts of its operations.
    pub described: Vec<(PathBuf, BTreeSet<String>)>,
    /// Files that were not looked into, and why.
    pub passed: Vec<(PathBuf, String)>,
}

/// Reads what was found for the hosts in it. A file that cannot be read is passed over.
#[must_use]
pub fn hosts(found: &Found, ctx: &Ctx) -> Hosts {
    let mut out = Hosts::default();
    let mut left = MOST;
    for file in &found.recordings {
        let size = file.metadata().map_or(0, |meta| meta.len());
        let Some(rest) = left.checked_sub(size) else {
            out.passed.push((file.clone(), "too long to look into here".to_owned()));
            continue;
        };
        left = rest;
        match import::survey(std::slice::from_ref(file), ctx) {
            Ok(seen) if seen.is_empty() => {
                out.passed.push((file.clone(), "there is no call in it".to_owned()))
            }
            Ok(seen) => {
                seen.into_iter().for_each(|(host, seen)| out.seen.entry(host).or_default().merge(&seen))
            }
            Err(error) => out.passed.push((file.clone(), error.message)),
        }
    }
    for file in &found.descriptions {
        match declared(file) {
            Ok(hosts) => {
                out.described.push((file.clone(), hosts.iter().cloned().collect()));
                hosts.into_iter().for_each(|host| *out.declared.entry(host).or_default() += 1);
            }
            Err(error) => out.passed.push((file.clone(), error.message)),
        }
    }
    out
}

/// The host of every operation in a description.
fn declared(file: &Path) -> Result<Vec<String>, Error> {
    let text = store::read(store::dir_of(file), file, LONGEST)?;
    let description = openapi::read(&text, &file.display().to_string(), None).map_err(Error::new)?;
    Ok(description.endpoints.into_iter().map(|endpoint| endpoint.host).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_how_they_begin() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let (har, spec) = ("{\"log\": {\"entries\": []}}", "openapi: 3.1.0\ninfo: {}\n");
        write("a/app.har", har);
        write("a/recorded.json", har);
        write("a/other.har", "not one");
        write("api/spec.yaml", spec);
        write("api/swagger.json", "{\"swagger\": \"2.0\"}");
        write("api/package.json", "{\"name\": \"openapi\"}");
        write("api/notes.txt", spec);
        write("node_modules/x/spec.yaml", spec);
        write("target/app.har", har);
        write(".hidden/app.har", har);
        write("1/2/3/4/5/6/deep.har", har);
        write("1/2/3/4/5/6/7/deeper.har", har);
        let found = find(dir.path()).unwrap();
        let names = |paths: &[PathBuf]| -> Vec<String> {
            let names = paths.iter().map(|path| path.strip_prefix(dir.path()).unwrap().display().to_string());
            names.collect()
        };
        assert_eq!(names(&found.recordings), ["1/2/3/4/5/6/deep.har", "a/app.har", "a/recorded.json"]);
        assert_eq!(names(&found.descriptions), ["api/spec.yaml", "api/swagger.json"]);
        assert!(found.cut);
    }
}
