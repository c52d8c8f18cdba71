#![no_main]
//! Bytes as an archive of definitions.

use driftless::fuzz;
use driftless_fuzz::subject;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::check_archive(
    bytes,
    subject::decode_batch,
    subject::decode_definition,
    driftless_fuzz::allocated
));
