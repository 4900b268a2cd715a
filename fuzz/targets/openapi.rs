#![no_main]
//! See `doors::openapi`.
#[path = "../doors.rs"]
mod doors;

libfuzzer_sys::fuzz_target!(|data: &[u8]| doors::openapi(data));
