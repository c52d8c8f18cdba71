//! A story to its outcome: the phases of a run.
//!
//! Faults while the story is told → all faults lifted → it must converge within a virtual
//! deadline → it must be quiet → restart → still the same.

mod cause;
mod outcome;
mod parity;
mod phases;
mod replicas;

pub use outcome::{IdleStep, Outcome, RunOptions};
pub use parity::{Unequal, unequal};
pub(crate) use phases::go_through_phases;
pub use phases::{PhaseDriver, convergence_bound};
pub use replicas::disagreement;

use crate::observe::{ErrorWatch, Trace, TraceFilter, TraceLine, TraceSink};
use crate::plant::Plant;
use crate::properties::Violation;
use crate::story::file::Scenario;
use crate::world::World;

/// How many trace lines a violation shows.
const LAST_EVENTS: usize = 12;

/// Runs a story in the fast world.
pub fn run_story(story: &Scenario, options: RunOptions<'_>) -> Outcome {
    with_last_events(story, options, tell)
}

/// Runs a story as `tell` tells it. A run that violates a property is run once more with its trace
/// on, to tell what led to it.
pub(crate) fn with_last_events(
    story: &Scenario,
    options: RunOptions<'_>,
    tell: impl Fn(&Scenario, RunOptions<'_>) -> Outcome,
) -> Outcome {
    let (until, plant) = (options.until, options.plant);
    let mut outcome = tell(story, options);
    if let Some(last) = outcome.violations.iter().map(|violation| violation.at).max() {
        let mut lines: Vec<TraceLine> = Vec::new();
        let mut keep = |line: &TraceLine| {
            if line.at <= last {
                lines.push(line.clone());
            }
        };
        tell(story, RunOptions { trace: Some(&mut keep), until, plant, with_states: false });
        for violation in &mut outcome.violations {
            violation.last_events = last_events(&lines, violation);
            violation.cause = cause::cause(&lines, violation);
        }
    }
    outcome
}

/// The last lines before a violation that matter to its subject.
fn last_events(lines: &[TraceLine], violation: &Violation) -> Vec<String> {
    let about = TraceFilter::new(&violation.subject).following(lines);
    let matters =
        |line: &&TraceLine| line.at <= violation.at && line.what != "ping" && about.matters(line);
    let mut last: Vec<String> =
        lines.iter().rev().filter(matters).take(LAST_EVENTS).map(ToString::to_string).collect();
    last.reverse();
    last
}

/// The hash of the trace alone, of a run with nothing planted that prints nothing.
pub fn trace_hash(story: &Scenario) -> u128 {
    tell(story, RunOptions::default()).trace_hash
}

fn tell(story: &Scenario, options: RunOptions<'_>) -> Outcome {
    let errors = ErrorWatch::default();
    tracing::subscriber::with_default(errors.clone(), || {
        let sink = options.trace.map(|sink| Box::new(sink) as TraceSink<'_>);
        let mut world = World::new(story, Trace::new(sink), errors, options.plant);
        if options.plant == Some(Plant::ErrorLine) {
            tracing::error!("planted");
        }
        if !go_through_phases(&mut world, story, options.until) {
            world.mark_stopped();
        }
        let states = if options.with_states { world.final_states() } else { Vec::new() };
        Outcome { states, ..Outcome::of(story, world.finish()) }
    })
}
