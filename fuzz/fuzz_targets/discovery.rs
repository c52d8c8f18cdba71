#![no_main]
//! Bytes as the answer of a well-known.

use driftless::fuzz;
use driftless_fuzz::subject;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::check_discovery(bytes, subject::decode_base_path));
