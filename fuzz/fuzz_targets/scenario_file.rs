#![no_main]
//! Bytes as a story file.

use driftless::fuzz;
use driftless_fuzz::subject;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::check_scenario(bytes, subject::parse_scenario));
