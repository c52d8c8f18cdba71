#![no_main]
//! Events of every type, edited as senders might.

use driftless::fuzz;
use driftless_fuzz::subject;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::check_structured(bytes, subject::decode_event));
