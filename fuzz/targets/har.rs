#![no_main]
//! See `doors::har`.
#[path = "../doors.rs"]
mod doors;

libfuzzer_sys::fuzz_target!(|data: &[u8]| doors::har(data));
