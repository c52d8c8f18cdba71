//! One story, run and judged.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use driftless_gateway::time::Instant;

use super::exit::Exit;
use crate::plant::Plant;
use crate::properties::Violation;
use crate::run::{Outcome, RunOptions, disagreement};
use crate::sockets::Place;
use crate::story::file::Scenario;

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

    /// Compares with gateways that have other faults of their own, where all is well so far.
    pub(super) fn compare_replicas(&mut self, story: &Scenario, plant: Option<Plant>) {
        if self.outcome.violations.is_empty() {
            let compare = AssertUnwindSafe(|| disagreement(story, plant));
            let found = catch_unwind(compare).unwrap_or_else(|payload| Some(panicked(&*payload)));
            self.outcome.violations.extend(found);
        }
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

/// Runs a story in a world once, or twice to compare the traces.
pub(super) fn judge(
    place: Place,
    story: &Scenario,
    mut options: RunOptions<'_>,
    twice: bool,
) -> Judged {
    let RunOptions { until, plant, with_states, .. } = options;
    let trace = options.trace.take();
    let outcome = guarded(place, story, RunOptions { trace, until, plant, with_states });
    let again = RunOptions { trace: None, until, plant, with_states: false };
    let second_hash = twice.then(|| guarded(place, story, again).trace_hash);
    Judged { outcome, second_hash }
}

/// Runs a story; a panic is a violation like any other.
fn guarded(place: Place, story: &Scenario, options: RunOptions<'_>) -> Outcome {
    catch_unwind(AssertUnwindSafe(|| place.run(story, options))).unwrap_or_else(|payload| Outcome {
        violations: vec![panicked(&*payload)],
        trace_hash: 0,
        simulated: Duration::ZERO,
        events: 0,
        delivered: BTreeMap::new(),
        marks: BTreeSet::new(),
        story: story.clone(),
        crashes: 0,
        idle: Vec::new(),
        states: Vec::new(),
    })
}

/// A panic as a violation.
fn panicked(payload: &(dyn Any + Send)) -> Violation {
    let found = payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "a panic without a message".to_owned());
    Violation {
        property: "engine_panicked",
        gateway: None,
        at: Instant::START,
        subject: "the run".to_owned(),
        expected: "no panic".to_owned(),
        found,
        cause: None,
        last_events: Vec::new(),
    }
}
