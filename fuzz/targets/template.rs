#![no_main]
//! See `doors::template`.
#[path = "../doors.rs"]
mod doors;

libfuzzer_sys::fuzz_target!(|data: &[u8]| doors::template(data));
