#![no_main]
//! Bytes as a list of subscriptions and as a list of plans.

use driftless::fuzz;
use driftless_fuzz::subject;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::check_subscriptions_and_plans(
    bytes,
    subject::decode_subscriptions,
    subject::decode_plans
));
