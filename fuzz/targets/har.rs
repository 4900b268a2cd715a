#![no_main]
//! See `doors::har`.
#[allow(dead_code, reason = "each target opens one door")]
#[path = "../doors.rs"]
mod doors;

libfuzzer_sys::fuzz_target!(|data: &[u8]| doors::har(data));
