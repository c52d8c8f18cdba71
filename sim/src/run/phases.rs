//! The phases of a run.

use std::time::Duration;

use driftless_gateway::engine::Config;
use driftless_gateway::time::Instant;

use crate::observe::Phase;
use crate::properties;
use crate::story::file::{Scenario, story_end, timed_end};
use crate::world::World;

/// What goes through the phases of a run.
pub trait PhaseDriver {
    /// The current time.
    fn now(&self) -> Instant;
    /// Lets everything happen that is due by `until`, and moves time there.
    fn run_until(&mut self, until: Instant);
    /// Whether a step waits for its trigger.
    fn awaits_trigger(&self) -> bool;
    /// When the last of the steps whose trigger came is over.
    fn triggered_end(&self) -> Instant;
    /// Goes to the next part of the run.
    fn enter(&mut self, phase: Phase);
    /// Ends every fault at once and starts every gateway that is down.
    fn lift_faults(&mut self);
    /// The run came to rest.
    fn rest(&mut self);
    /// Whether every gateway has what it must have.
    fn is_met(&mut self) -> bool;
    /// Whether every gateway has converged and nothing is on its way.
    fn has_converged(&mut self) -> bool;
    /// Every gateway process is stopped and started again, with nothing lost.
    fn restart_gateways(&mut self);
}

impl PhaseDriver for World<'_> {
    fn now(&self) -> Instant {
        World::now(self)
    }

    fn run_until(&mut self, until: Instant) {
        World::run_until(self, until);
    }

    fn awaits_trigger(&self) -> bool {
        World::awaits_trigger(self)
    }

    fn triggered_end(&self) -> Instant {
        World::triggered_end(self)
    }

    fn enter(&mut self, phase: Phase) {
        World::enter(self, phase);
    }

    fn lift_faults(&mut self) {
        World::lift_faults(self);
    }

    fn rest(&mut self) {
        World::rest(self);
    }

    fn is_met(&mut self) -> bool {
        World::is_met(self)
    }

    fn has_converged(&mut self) -> bool {
        World::has_converged(self)
    }

    fn restart_gateways(&mut self) {
        World::restart_gateways(self);
    }
}

/// Whether the run got to its end before `until`.
pub(crate) fn go_through_phases(
    world: &mut impl PhaseDriver,
    story: &Scenario,
    until: Option<Instant>,
) -> bool {
    let end = until.unwrap_or(Instant::from_nanos(u64::MAX));
    if !tell_steps(world, story, end) {
        return false;
    }
    if let Some(stay) = story.faults_stay_ms {
        if !run_to(world, world.now().after(Duration::from_millis(stay)), end) {
            return false;
        }
        world.rest();
    }
    world.enter(Phase::Converging);
    world.lift_faults();
    if !converge(world, end) {
        return false;
    }
    world.enter(Phase::Quiet);
    if !run_to(world, world.now().after(QUIET), end) || !finish_lists(world, end) {
        return false;
    }
    world.rest();
    world.enter(Phase::Restarted);
    world.restart_gateways();
    converge(world, end)
}

/// Lets every step happen. What a step waits for is waited for as long as the story says; once
/// nothing is waited for, the story is over with its last step.
fn tell_steps(world: &mut impl PhaseDriver, story: &Scenario, end: Instant) -> bool {
    if !run_to(world, timed_end(story), end) {
        return false;
    }
    while world.awaits_trigger() && world.now() < story_end(story) {
        if !run_to(world, world.now().after(LOOK).min(story_end(story)), end) {
            return false;
        }
    }
    let triggered = world.triggered_end().max(world.now());
    run_to(world, triggered, end)
}

/// How long the quiet phase is.
const QUIET: Duration = Duration::from_secs(20);

/// How long a list that was begun in the quiet phase may take to be followed up: what it lacks
/// counts only in a second one after a delay, and for some keys in a third.
const FOLLOW_UP: Duration = Duration::from_secs(60);

/// Lets a periodic list that the end of the quiet phase falls into come to its end.
fn finish_lists(world: &mut impl PhaseDriver, end: Instant) -> bool {
    let deadline = world.now().after(FOLLOW_UP);
    while world.now() < deadline && !world.is_met() {
        if !run_to(world, world.now().after(LOOK), end) {
            return false;
        }
    }
    true
}

/// How often convergence is looked for.
const LOOK: Duration = Duration::from_millis(500);

fn run_to(world: &mut impl PhaseDriver, target: Instant, end: Instant) -> bool {
    world.run_until(target.min(end));
    target <= end
}

/// Lets time pass until the gateway has converged, at most to the deadline. What is unmet then is
/// for the property `converges` to say.
fn converge(world: &mut impl PhaseDriver, end: Instant) -> bool {
    let deadline = world.now().after(convergence_bound(&Config::recommended()));
    loop {
        let next = world.now().after(LOOK);
        if !run_to(world, next, end) {
            return false;
        }
        if world.now() >= deadline || world.has_converged() {
            world.rest();
            return true;
        }
    }
}

/// How long a gateway may take to converge once every fault is lifted: a lease and a timeout to
/// notice, the longest backoff, one resync, and the reads that law 4 asks for.
pub fn convergence_bound(config: &Config) -> Duration {
    config.lease
        + config.request_timeout
        + config.backoff_max * 3
        + config.ack_timeout * 2
        + properties::unheard_bound(config)
}
