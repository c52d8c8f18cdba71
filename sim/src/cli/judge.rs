//! One story, run and judged.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use driftless_gateway::time::Instant;

use super::exit::Exit;
use crate::runner::{Outcome, RunOptions, Violation, run_story};
use crate::scenario::Scenario;

/// What came of a story, and of its second run where there was one.
pub(super) struct Judged {
    /// What came of the first run.
    pub(super) outcome: Outcome,
    /// The trace hash of the second run.
    pub(super) second_hash: Option<u128>,
}

impl Judged {
    /// The two trace hashes, when they differ.
    pub(super) fn difference(&self) -> Option<(u128, u128)> {
        let first = self.outcome.trace_hash;
        self.second_hash.filter(|second| *second != first).map(|second| (first, second))
    }

    /// The exit code that this story alone calls for. A run that cannot be repeated proves
    /// nothing, so a difference comes before a violation.
    pub(super) fn exit(&self) -> Exit {
        if self.difference().is_some() {
            Exit::Differed
        } else if self.outcome.violations.is_empty() {
            Exit::Held
        } else {
            Exit::Violated
        }
    }
}

/// Runs a story once, or twice to compare the traces.
pub(super) fn judge(story: &Scenario, mut options: RunOptions<'_>, twice: bool) -> Judged {
    let (until, plant) = (options.until, options.plant);
    let trace = options.trace.take();
    let outcome = guarded(story, RunOptions { trace, until, plant });
    let second_hash =
        twice.then(|| guarded(story, RunOptions { trace: None, until, plant }).trace_hash);
    Judged { outcome, second_hash }
}

/// Runs a story; a panic is a violation like any other.
fn guarded(story: &Scenario, options: RunOptions<'_>) -> Outcome {
    catch_unwind(AssertUnwindSafe(|| run_story(story, options))).unwrap_or_else(|payload| {
        let found = payload
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "a panic without a message".to_owned());
        let violation = Violation {
            property: "engine_panicked",
            at: Instant::START,
            subject: "the run".to_owned(),
            expected: "no panic".to_owned(),
            found,
            last_events: Vec::new(),
        };
        Outcome {
            violations: vec![violation],
            trace_hash: 0,
            simulated: Duration::ZERO,
            events: 0,
            delivered: BTreeMap::new(),
            marks: BTreeSet::new(),
            story: story.clone(),
            crashes: 0,
            idle_faults: Vec::new(),
        }
    })
}
