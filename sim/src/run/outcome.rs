//! What is asked of a run, and what came of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use driftless_gateway::time::Instant;

use crate::observe::TraceLine;
use crate::plant::Plant;
use crate::properties::Violation;
use crate::story::file::Scenario;
use crate::world::{FinalState, Finished};

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Every violation, in the order found.
    pub violations: Vec<Violation>,
    /// The hash chain over everything that happened.
    pub trace_hash: u128,
    /// Virtual time.
    pub simulated: Duration,
    /// How many things happened.
    pub events: u64,
    /// How often each fault was delivered, by its verb.
    pub delivered: BTreeMap<&'static str, u64>,
    /// Situations reached.
    pub marks: BTreeSet<&'static str>,
    /// The story that was run.
    pub story: Scenario,
    /// Crashes of the gateway, the one at the end of every run among them.
    pub crashes: u64,
    /// Planned faults that delivered nothing.
    pub idle_faults: Vec<String>,
    /// What each gateway had in force at the end, where that was asked for.
    pub states: Vec<FinalState>,
}

/// How to run a story.
#[derive(Default)]
pub struct RunOptions<'a> {
    /// Heard every line.
    pub trace: Option<&'a mut dyn FnMut(&TraceLine)>,
    /// Where to stop.
    pub until: Option<Instant>,
    /// A defect to plant.
    pub plant: Option<Plant>,
    /// Whether to say what each gateway had in force at the end.
    pub with_states: bool,
}

impl Outcome {
    /// What a finished run of a story came to.
    pub(crate) fn of(story: &Scenario, finished: Finished) -> Self {
        let mut story = story.clone();
        if story.expect.is_empty() {
            story.expect = finished.serving;
        }
        Self {
            violations: finished.violations,
            trace_hash: finished.trace_hash,
            simulated: finished.simulated,
            events: finished.events,
            idle_faults: idle_faults(&story, &finished.delivered, &finished.unfired),
            delivered: finished.delivered,
            marks: finished.marks,
            story,
            crashes: finished.crashes,
            states: Vec::new(),
        }
    }
}

/// The faults of a story that took no effect, by what the story calls them.
fn idle_faults(
    story: &Scenario,
    delivered: &BTreeMap<&'static str, u64>,
    unfired: &BTreeSet<usize>,
) -> Vec<String> {
    let faults = story.steps.iter().enumerate().filter(|(_, step)| step.verb.is_fault());
    let idle = faults.filter(|(index, step)| {
        unfired.contains(index) || !delivered.contains_key(step.verb.delivered_as())
    });
    idle.map(|(index, step)| format!("steps[{index}] {}", step.verb.delivered_as())).collect()
}
