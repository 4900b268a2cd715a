//! Files: what format they are, and their entries one by one, unpacked where they are packed.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use cask_core::artifact::capture::Source;
use cask_core::capture::har::{self, Item, NotHar, Splitter};

use super::flow::Feed;
use super::{safe, show};
use crate::error::Error;

/// How much is read at once.
const CHUNK: usize = 128 << 10;
/// How much of a file is looked at to tell its format.
const HEAD: usize = 64 << 10;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Recorded traffic.
    Har,
    /// An OpenAPI or Swagger description, JSON or YAML.
    OpenApi,
}

/// Tells the format of a file by its content, whatever its name. What is neither counts as HAR, whose
/// reader then says what is wrong with it.
///
/// # Errors
/// [`Error`] if the file cannot be read.
pub fn detect(file: &Path) -> Result<Format, Error> {
    let mut head = Vec::new();
    // A packed file that is cut off inside its head still tells by what there is.
    let read = open(file)?.take(HEAD as u64).read_to_end(&mut head);
    if let Err(error) = read
        && head.is_empty()
    {
        return Err(fault(file, error));
    }
    Ok(if har::is_description(&head) { Format::OpenApi } else { Format::Har })
}

fn open(file: &Path) -> Result<Box<dyn Read>, Error> {
    let meta = std::fs::metadata(file).map_err(|error| fault(file, error))?;
    if meta.is_dir() {
        return Err(fault(file, "this is a folder").hint("give the path of a HAR or OpenAPI file"));
    }
    // It is read twice, first for its format: what flows by can be read once.
    if !meta.is_file() {
        return Err(fault(file, "not a regular file").hint("save it first, then give its path"));
    }
    let plain = File::open(file).map_err(|error| fault(file, error))?;
    let mut magic = [0; 2];
    let packed = {
        let mut start = File::open(file).map_err(|error| fault(file, error))?;
        meta.is_file() && start.read_exact(&mut magic).is_ok() && magic == [0x1F, 0x8B]
    };
    Ok(if packed {
        Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(CHUNK, plain)))
    } else {
        Box::new(plain)
    })
}

/// Reads the files one after the other into the feed.
///
/// # Errors
/// One [`Error`] that names every file that is no capture, and why.
pub fn read(files: &[PathBuf], feed: &mut Feed<'_>) -> Result<Vec<Source>, Error> {
    let mut sources = Vec::with_capacity(files.len());
    let mut faults = Vec::new();
    for (index, file) in files.iter().enumerate() {
        if !feed.begin(index) {
            break;
        }
        match one(file, feed) {
            Ok(source) => sources.push(source),
            Err(error) => faults.push(error),
        }
    }
    match Error::all(faults) {
        None => Ok(sources),
        Some(error) => Err(error),
    }
}

fn one(file: &Path, feed: &mut Feed<'_>) -> Result<Source, Error> {
    let mut from = open(file)?;
    let mut splitter = Splitter::new();
    let (mut entries, mut lost, mut listening) = (0, 0, true);
    let mut cut = String::new();
    let mut chunk = vec![0; CHUNK];
    while listening && cut.is_empty() {
        let length = match from.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            // A packed file that was cut off or damaged: what came out before is whole.
            Err(error)
                if entries > 0
                    && matches!(
                        error.kind(),
                        ErrorKind::UnexpectedEof | ErrorKind::InvalidInput | ErrorKind::InvalidData
                    ) =>
            {
                cut = format!("the gzip data is damaged or cut off ({error})");
                break;
            }
            Err(error) => return Err(fault(file, error)),
        };
        let pushed = splitter.push(chunk.get(..length).unwrap_or_default(), &mut |item| {
            entries += 1;
            match item {
                Item::Entry(bytes) => listening &= feed.entry(bytes),
                Item::Lost(_) => {
                    lost += 1;
                    feed.lost();
                }
            }
        });
        match pushed {
            Ok(()) => {}
            Err(error) if entries > 0 => cut = error.to_string(),
            Err(error) => return Err(not_har(file, &error)),
        }
    }
    let (inside, creator) = match splitter.finish() {
        Ok(end) if !end.log => {
            return Err(
                fault(file, "JSON, but not a HAR: it has no `log`").hint("save the traffic as HAR 1.2")
            );
        }
        Ok(end) if !end.entries && !end.truncated => {
            return Err(fault(file, "a HAR without `log.entries`").hint("save the traffic as HAR 1.2"));
        }
        Ok(end) => {
            if end.truncated && cut.is_empty() {
                cut = format!(
                    "the file ends after {entries} whole entries{}",
                    if end.inside_entry { ", inside another" } else { "" }
                );
            }
            (end.inside_entry, har::creator(&end.creator))
        }
        Err(error) => return Err(not_har(file, &error)),
    };
    if inside {
        entries += 1;
        lost += 1;
    }
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    Ok(Source { file: safe(&name), format: "har".to_owned(), creator: safe(&creator), entries, lost, cut })
}

fn not_har(file: &Path, error: &NotHar) -> Error {
    fault(file, error).hint("cask reads HAR 1.2 (also .har.gz) and OpenAPI 3 or Swagger 2 (JSON or YAML)")
}

fn fault(file: &Path, what: impl std::fmt::Display) -> Error {
    Error::new(format_args!("{}: {what}", show(file)))
}
