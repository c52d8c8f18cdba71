//! What is asked of a run, and what came of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
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
    /// The steps that had no effect.
    pub idle: Vec<IdleStep>,
    /// What each gateway had in force at the end, where that was asked for.
    pub states: Vec<FinalState>,
}

/// A step that had no effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IdleStep {
    /// Its place in the story, from 0.
    pub place: usize,
    /// What its deliveries are counted by.
    pub name: &'static str,
    /// Whether it is a fault; otherwise people do it.
    pub is_fault: bool,
}

impl fmt::Display for IdleStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "steps[{}] {}", self.place, self.name)
    }
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
            idle: idle_steps(&story, &finished.delivered, &finished.idle),
            delivered: finished.delivered,
            marks: finished.marks,
            story,
            crashes: finished.crashes,
            states: Vec::new(),
        }
    }
}

/// The steps of a story that had no effect. A fault is delivered or not; what people do finds
/// something to change or not.
fn idle_steps(
    story: &Scenario,
    delivered: &BTreeMap<&'static str, u64>,
    idle: &BTreeSet<usize>,
) -> Vec<IdleStep> {
    let steps = story.steps.iter().enumerate().map(|(place, step)| IdleStep {
        place,
        name: step.verb.delivered_as(),
        is_fault: step.verb.is_fault(),
    });
    let is_idle = |step: &IdleStep| {
        idle.contains(&step.place) || step.is_fault && !delivered.contains_key(step.name)
    };
    steps.filter(is_idle).collect()
}
