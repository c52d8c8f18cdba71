#![no_main]
//! Bytes as a deployments list.

use driftless::fuzz;
use driftless_fuzz::subject;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::check_deployments(bytes, subject::decode_listing));
