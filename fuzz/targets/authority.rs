#![no_main]
//! See `doors::authority`.
#[path = "../doors.rs"]
mod doors;

libfuzzer_sys::fuzz_target!(|data: &[u8]| doors::authority(data));
