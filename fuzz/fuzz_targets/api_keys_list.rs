#![no_main]
//! Bytes as a list of API keys.

use driftless::fuzz;
use driftless_fuzz::subject;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::check_keys(bytes, subject::decode_keys));
