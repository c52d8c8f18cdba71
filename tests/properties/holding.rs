//! How a property is held: over random values, and first of all over those that once broke it.
//!
//! What breaks a property is made as small as it gets and written to
//! `tests/properties/regressions`, a file for each file of properties: the value for people, and
//! what it is drawn from for the next run. It is committed with the fix.

use proptest::strategy::Strategy;
use proptest::test_runner::{
    Config, FileFailurePersistence, RngAlgorithm, TestCaseError, TestRng, TestRunner,
};

/// Settings of a property whose failures are kept in the file `kept`.
pub(crate) fn settings(cases: u32, kept: &'static str) -> Config {
    let kept = Box::new(FileFailurePersistence::Direct(kept));
    Config { cases, failure_persistence: Some(kept), ..Config::default() }
}

/// Runs a property over that many cases, the same in every run.
pub(crate) fn hold<S: Strategy>(
    cases: u32,
    kept: &'static str,
    strategy: &S,
    property: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let held = TestRunner::new_with_rng(settings(cases, kept), random).run(strategy, property);
    held.unwrap_or_else(|failure| panic!("{failure}"));
}
