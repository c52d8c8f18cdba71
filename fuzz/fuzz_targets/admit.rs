#![no_main]
//! Bytes as steps of people and requests that are judged.

use driftless::fuzz;
use driftless_fuzz::subject;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::check_admit(bytes, subject::admit));
