//! How fast this machine splits a HAR and parses its entries, when nothing else is done with them.

use std::io::Read as _;
use std::path::Path;
use std::time::Instant;

use cask_core::capture::har::{Item, Splitter};

/// Bytes that are read at once, as the importer reads them.
const CHUNK: usize = 256 * 1024;

/// Prints bytes, entries, seconds and MB/s of one pass on one thread: the measure that `bench/run speed` compares
/// `cask` with.
pub fn split_parse(file: &Path) -> Result<(), String> {
    let fail = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let mut input = std::fs::File::open(file).map_err(|error| fail(&error))?;
    let start = Instant::now();
    let mut splitter = Splitter::new();
    let mut chunk = vec![0; CHUNK];
    let (mut bytes, mut entries, mut bad) = (0_u64, 0_u64, 0_u64);
    let mut parse = |item: Item<'_>| {
        let Item::Entry(raw) = item else { return };
        entries += 1;
        bad += u64::from(serde_json::from_slice::<serde_json::Value>(raw).is_err());
    };
    loop {
        let read = input.read(&mut chunk).map_err(|error| fail(&error))?;
        let Some(part) = chunk.get(..read).filter(|part| !part.is_empty()) else { break };
        bytes += part.len() as u64;
        splitter.push(part, &mut parse).map_err(|error| fail(&error))?;
    }
    splitter.finish().map_err(|error| fail(&error))?;
    let seconds = start.elapsed().as_secs_f64();
    let rate = bytes as f64 / 1e6 / seconds;
    println!(
        "{}",
        serde_json::json!({"bytes": bytes, "entries": entries, "bad": bad, "seconds": seconds, "mb_per_s": rate})
    );
    Ok(())
}
