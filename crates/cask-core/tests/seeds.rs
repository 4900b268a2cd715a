//! The fuzz targets' doors over their seed corpus and simple damage to it: what fuzzing would find first, on every
//! `cargo test` and with no other tool. Inputs that once crashed live among the seeds.
#![allow(clippy::disallowed_methods, clippy::panic, reason = "a test reads its seeds from disk")]

use std::path::Path;

#[path = "../../../fuzz/doors.rs"]
mod doors;

#[test]
fn har() {
    run("har", doors::har);
}

#[test]
fn openapi() {
    run("openapi", doors::openapi);
}

#[test]
fn authority() {
    run("authority", doors::authority);
}

#[test]
fn template() {
    run("template", doors::template);
}

/// Above this size a seed is not damaged, only read.
const SMALL: usize = 16 * 1024;
/// Damaged copies of each seed, of each kind.
const COPIES: usize = 12;

fn run(target: &str, door: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let mut seeds = 0;
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries.flatten() {
        let seed = std::fs::read(entry.path()).unwrap_or_else(|error| panic!("{entry:?}: {error}"));
        seeds += 1;
        // A failure needs the name of its seed to be found again; libtest shows this only then.
        println!("{}", entry.path().display());
        door(&seed);
        if seed.len() <= SMALL {
            damaged(&seed).iter().for_each(|bytes| door(bytes));
        }
    }
    assert!(seeds > 0, "{} holds no seeds", folder.display());
}

/// Cut short, a byte changed, a piece left out, a piece said twice: always at the same places.
fn damaged(seed: &[u8]) -> Vec<Vec<u8>> {
    const BYTES: &[u8] = b"\"{}[]:,\\ 0-~/\n\x00\xff";
    let places = (0..COPIES).map(|n| seed.len() * n / COPIES);
    let mut copies = Vec::new();
    for (place, byte) in places.zip(BYTES.iter().cycle()) {
        let (before, after) = seed.split_at(place);
        copies.push(before.to_vec());
        copies.push([before, &[*byte], after.split_at(after.len().min(1)).1].concat());
        copies.push([before, after.split_at(after.len().min(17)).1].concat());
        copies.push([before, after.split_at(after.len().min(40)).0, after].concat());
    }
    copies
}
