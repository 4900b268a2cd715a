//! `cask.toml`: what a repository says about how cask looks at it. Beside the state root, and committed.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use cask_core::lint::{Fault, Member, Place, Settings, Waiver, Written};
use serde::Deserialize;
use toml::{Spanned, Value};

use crate::error::Error;
use crate::store;

/// Where it is if nobody says where.
pub const FILE: &str = "cask.toml";

/// The longest that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// As it is on disk.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    lint: Lint,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Lint {
    level: BTreeMap<String, Spanned<String>>,
    budget_tokens: Option<u64>,
    waive: Vec<Waive>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Waive {
    code: Spanned<String>,
    subject: Spanned<String>,
    reason: Spanned<String>,
    /// A date, in quotes or without.
    until: Spanned<Value>,
}

/// The settings in this file; without one given, those in [`FILE`] in the working directory, if it is there.
///
/// # Errors
/// [`Error`] with the file and the place in it of everything that is wrong.
pub fn load(given: Option<&Path>) -> Result<Settings, Error> {
    let usual = Path::new(FILE);
    let path = match given {
        Some(path) => path,
        None if usual.is_file() => usual,
        None => return Ok(Settings::default()),
    };
    let text = store::read(store::dir_of(path), path, MAX_BYTES)?;
    read(&text).map_err(|faults| {
        let at = |(start, why): (usize, String)| {
            let (line, column) = place(&text, start);
            Error::new(format_args!("{}:{line}:{column}: {why}", path.display()))
                .hint("docs/lint.md says what may stand there; `cask explain` lists all codes")
        };
        let all = Error::all(faults.into_iter().map(at).collect());
        all.unwrap_or_else(|| Error::new(format_args!("{}: cannot be read", path.display())))
    })
}

/// Reads the text; every fault with the byte where it is.
fn read(text: &str) -> Result<Settings, Vec<(usize, String)>> {
    let file: File = toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        vec![(start, error.message().trim_end().replace('\n', ", "))]
    })?;
    let Lint { level, budget_tokens, waive } = file.lint;
    let written = Written {
        levels: level.iter().map(|(code, level)| (code.clone(), level.get_ref().clone())).collect(),
        budget_tokens,
        waivers: waive.iter().map(waiver).collect(),
    };
    Settings::new(written).map_err(|faults| {
        let found = faults.into_iter().map(|fault| {
            let span = span(&fault, &level, &waive);
            (span.map_or(0, |span| span.start), fault.to_string())
        });
        found.collect()
    })
}

fn waiver(waive: &Waive) -> Waiver {
    Waiver {
        code: waive.code.get_ref().clone(),
        subject: waive.subject.get_ref().clone(),
        reason: waive.reason.get_ref().clone(),
        until: match waive.until.get_ref() {
            Value::String(text) => text.clone(),
            Value::Datetime(date) => date.to_string(),
            other => other.to_string(),
        },
    }
}

/// Where in the text a fault is.
fn span(fault: &Fault, levels: &BTreeMap<String, Spanned<String>>, waive: &[Waive]) -> Option<Range<usize>> {
    match &fault.place {
        Place::Level(code) => Some(levels.get(code)?.span()),
        Place::Waiver(index, member) => {
            let waive = waive.get(*index)?;
            Some(match member {
                Member::Code => waive.code.span(),
                Member::Subject => waive.subject.span(),
                Member::Reason => waive.reason.span(),
                Member::Until => waive.until.span(),
            })
        }
    }
}

/// Line and column of a byte, from 1.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<(usize, usize, String)> {
        let found = read(text).unwrap_err().into_iter();
        found.map(|(at, why)| (place(text, at).0, place(text, at).1, why)).collect()
    }

    #[test]
    fn what_is_written_is_what_counts() {
        let text = "[lint]\nbudget_tokens = 9000\nlevel.name-near = \"warning\"\n[lint.level]\ntool-unlimited = \"off\"\n";
        assert_eq!(faults(text).len(), 1, "a table is written one way");
        let text = "[lint]\nbudget_tokens = 9000\nlevel.name-near = \"warning\"\nlevel.tool-unlimited = \"off\"\n\n\
                    [[lint.waive]]\ncode = \"host-private\"\nsubject = \"host/*\"\nreason = \"at home\"\nuntil = 2027-01-31\n\n\
                    [[lint.waive]]\ncode = \"name-near\"\nsubject = \"tool/a\"\nreason = \"meant\"\nuntil = \"2027-01-31\"\n";
        let settings = read(text).unwrap();
        assert_eq!(settings.budget_tokens(), 9000);
        let untils: Vec<&str> = settings.waivers().iter().map(|waiver| waiver.until.as_str()).collect();
        assert_eq!(untils, ["2027-01-31", "2027-01-31"]);
        assert_eq!(read("").unwrap(), Settings::default());
    }

    #[test]
    fn every_fault_has_its_place() {
        let found = faults("[lint]\nlevel.name-near = \"loud\"\nlevel.nobody = \"off\"\n");
        assert_eq!(
            found.iter().map(|(line, column, _)| (*line, *column)).collect::<Vec<_>>(),
            [(2, 19), (3, 16)]
        );
        for (text, line, what) in [
            ("[lint]\nbudget = 1\n", 2, "unknown field"),
            ("[lints]\n", 1, "unknown field"),
            ("[lint]\nbudget_tokens = -1\n", 2, "-1"),
            ("[lint]\nlevel = = 1\n", 2, ""),
        ] {
            let found = faults(text);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].0 == line && found[0].2.contains(what), "{text}: {found:?}");
        }
        let found = faults("[[lint.waive]]\ncode = \"name-near\"\nsubject = \"*\"\nuntil = 2027-01-31\n");
        assert!(found.len() == 1 && found[0].2.contains("missing field `reason`"), "{found:?}");
    }
}
