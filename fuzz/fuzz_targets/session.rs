#![no_main]
//! Bytes as what arrives at one driver, when, and in which order.

use driftless::fuzz;
use driftless_fuzz::subject;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::check_session(bytes, subject::store_failed));
