#![no_main]
//! Bytes as a frame of the watch.

use driftless::fuzz;
use driftless_fuzz::subject;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::check_frame(bytes, subject::decode_event));
