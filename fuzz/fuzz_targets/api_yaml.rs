#![no_main]
//! Bytes as a definition.

use driftless::fuzz;
use driftless_fuzz::subject;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::check_definition(bytes, subject::decode_api));
