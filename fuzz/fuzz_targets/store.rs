#![no_main]
//! Bytes as operations, failures and crashes of a store.

use driftless::fuzz;
use driftless_fuzz::subject;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::check_store(bytes, subject::open_store));
