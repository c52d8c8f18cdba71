#![no_main]
//! Bytes as a story of the fast world, with every property looking on.

use driftless::fuzz;
use driftless_fuzz::subject;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::check_story(bytes, subject::PLANT));
