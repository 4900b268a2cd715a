//! From the bytes of a file to the members of a bundle. Nothing is unpacked, and nothing that is found is trusted.

use std::borrow::Cow;
use std::collections::BTreeSet;

use cask_core::canon::Digest;
use cask_core::finding::Finding;
use cask_core::verify::{self, bundle as rules};

use super::zip::Entry;
use super::{LONGEST, MOST, Members, Record, names, zip};
use crate::error::Error;

/// The kinds of files, as Unix has them in a mode.
const KIND: u64 = 0o170_000;
const REGULAR: u64 = 0o100_000;
const LINK: u64 = 0o120_000;
const FOLDER: u64 = 0o040_000;

/// A bundle, and what speaks against it. Its members are there only if every one of them is a plain file.
#[derive(Debug, Default)]
pub struct Opened<'b> {
    /// Its members, the record too.
    pub members: Members<'b>,
    /// What it says about itself.
    pub record: Option<Record>,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
}

/// Opens a bundle.
///
/// # Errors
/// [`Error`] if it is no ZIP file at all, or one that a later cask wrote.
pub fn open(file: &[u8]) -> Result<Opened<'_>, Error> {
    let entries = zip::read(file).map_err(|why| Error::new(format_args!("not a bundle: {why}")))?;
    let mut opened = Opened { findings: refused(&entries), ..Opened::default() };
    if !opened.findings.is_empty() {
        return Ok(opened);
    }
    let members = entries.into_iter().filter_map(|entry| Some((entry.name, Cow::Borrowed(entry.bytes?))));
    opened.members = members.collect();
    let Some(text) = opened.members.get(names::RECORD) else {
        opened.findings.push(rules::missing(names::RECORD));
        return Ok(opened);
    };
    let record = match Record::read(text)? {
        Ok(record) => record,
        Err(why) => {
            opened.findings.push(verify::unreadable(names::RECORD, &why));
            return Ok(opened);
        }
    };
    opened.findings.extend(listed(&record, &opened.members));
    // A member that was changed is said by its name; these are for what nobody lists.
    if opened.findings.is_empty() {
        if record.write()? != **text {
            opened.findings.push(rules::layout("`bundle.json` is not written as cask writes it"));
        }
        if zip::write(&opened.members)? != file {
            let why =
                "the file is not what its members give: a header differs, or something stands between them";
            opened.findings.push(rules::layout(why));
        }
    }
    opened.record = Some(record);
    Ok(opened)
}

/// Entries that no bundle has.
fn refused(entries: &[Entry<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (mut seen, mut folded) = (BTreeSet::new(), BTreeSet::new());
    let mut total = 0_u64;
    for entry in entries {
        let name = entry.name.as_str();
        total = total.saturating_add(entry.size);
        let twice = !seen.insert(name);
        let alike = !folded.insert(name.to_lowercase());
        let why = match names::fault(name).or_else(|| unusual(entry)) {
            Some(why) => why.to_owned(),
            None if twice => "is there twice".to_owned(),
            None if alike => "differs from another member only in upper and lower case".to_owned(),
            None if entry.method != 0 => format!(
                "is packed: {} bytes that claim to be {}; a bundle stores its members as they are",
                entry.packed, entry.size
            ),
            None if entry.size > LONGEST => {
                format!("claims to be {} bytes long; a member has at most {LONGEST}", entry.size)
            }
            None if total > MOST => format!("takes the bundle beyond {MOST} bytes"),
            None if entry.packed != entry.size || entry.bytes.is_none() => {
                "is not where the directory says, or not as long".to_owned()
            }
            None => continue,
        };
        findings.push(rules::refused(name, &why));
    }
    findings
}

/// What an entry is that is no regular file.
fn unusual(entry: &Entry<'_>) -> Option<&'static str> {
    match entry.mode & KIND {
        0 | REGULAR => None,
        LINK => Some("is a symbolic link"),
        FOLDER => Some("is a folder"),
        _ => Some("is not a regular file"),
    }
}

/// The members against what the record lists.
fn listed(record: &Record, members: &Members<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, digest) in &record.members {
        match members.get(name).map(|bytes| Digest::of_bytes(bytes)) {
            None => findings.push(rules::missing(name)),
            Some(is) if is != *digest => findings.push(rules::changed(name, *digest, is)),
            Some(_) => {}
        }
    }
    for name in members.keys().filter(|name| *name != names::RECORD && !record.members.contains_key(*name)) {
        findings.push(rules::unlisted(name, "is not listed in `bundle.json`"));
    }
    findings
}
