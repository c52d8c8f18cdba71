//! A story to its outcome: the phases of a run.
//!
//! Faults while the story is told → all faults lifted → it must converge within a virtual
//! deadline → it must be quiet → restart → still the same.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use driftless_gateway::engine::Config;
use driftless_gateway::time::Instant;

use crate::observe::{ErrorWatch, Phase, Trace, TraceSink};
use crate::plant::Plant;
use crate::properties;
use crate::story::file::{Scenario, WorldName};
use crate::world::{FinalState, Finished, World};

pub use crate::observe::{Mark, TraceLine, marks};
pub use crate::properties::{About as Property, Violation};
use crate::story::file::story_end;
pub use crate::story::generate::generate;
pub use crate::story::profile::{Profile, profiles};

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

/// Which world a story is told in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Place {
    /// One heap of time that carries messages.
    #[default]
    Fast,
    /// The production shell and the served APIM, over simulated sockets.
    #[cfg(feature = "wire")]
    Wire,
}

/// How to run a story.
#[derive(Default)]
pub struct RunOptions<'a> {
    /// In which world.
    pub place: Place,
    /// Heard every line.
    pub trace: Option<&'a mut dyn FnMut(&TraceLine)>,
    /// Where to stop.
    pub until: Option<Instant>,
    /// A defect to plant.
    pub plant: Option<Plant>,
    /// Whether to say what each gateway had in force at the end.
    pub with_states: bool,
}

/// Every property.
pub const fn properties() -> &'static [Property] {
    properties::ALL
}

/// How many trace lines a violation shows.
const LAST_EVENTS: usize = 12;

/// Runs a story. A run that violates a property is run once more with its trace on, to tell what
/// happened last.
pub fn run_story(story: &Scenario, options: RunOptions<'_>) -> Outcome {
    let (place, until, plant) = (options.place, options.until, options.plant);
    let mut outcome = tell(story, options);
    if let Some(first) = outcome.violations.first().map(|violation| violation.at) {
        let mut lines: Vec<TraceLine> = Vec::new();
        let mut keep = |line: &TraceLine| {
            if line.at <= first {
                lines.push(line.clone());
            }
        };
        tell(story, RunOptions { place, trace: Some(&mut keep), until, plant, with_states: false });
        for violation in &mut outcome.violations {
            violation.last_events = last_events(&lines, violation);
        }
    }
    outcome
}

/// The last lines before a violation, those about its subject first of all.
fn last_events(lines: &[TraceLine], violation: &Violation) -> Vec<String> {
    let id = violation.subject.rsplit(['(', ')']).nth(1).unwrap_or(&violation.subject);
    let about = |line: &&TraceLine| {
        line.what != "ping" && (line.detail.contains(id) || matches!(line.who, "step" | "run"))
    };
    let mut last: Vec<String> =
        lines.iter().rev().filter(about).take(LAST_EVENTS).map(ToString::to_string).collect();
    last.reverse();
    last
}

/// The hash of the trace alone, of a run with nothing planted that prints nothing.
pub fn trace_hash(story: &Scenario) -> u128 {
    tell(story, RunOptions::default()).trace_hash
}

fn tell(story: &Scenario, options: RunOptions<'_>) -> Outcome {
    match options.place {
        Place::Fast => tell_fast(story, options),
        #[cfg(feature = "wire")]
        Place::Wire => crate::wire_world::tell(story, options),
    }
}

fn tell_fast(story: &Scenario, options: RunOptions<'_>) -> Outcome {
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

/// What goes through the phases of a run.
pub(crate) trait Course {
    /// The current time.
    fn now(&self) -> Instant;
    /// Lets everything happen that is due by `until`, and moves time there.
    fn run_until(&mut self, until: Instant);
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

impl Course for World<'_> {
    fn now(&self) -> Instant {
        World::now(self)
    }

    fn run_until(&mut self, until: Instant) {
        World::run_until(self, until);
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
    world: &mut impl Course,
    story: &Scenario,
    until: Option<Instant>,
) -> bool {
    let end = until.unwrap_or(Instant::from_nanos(u64::MAX));
    if !run_to(world, story_end(story), end) {
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

/// How long the quiet phase is.
const QUIET: Duration = Duration::from_secs(20);

/// How long a list that was begun in the quiet phase may take to be followed up.
const FOLLOW_UP: Duration = Duration::from_secs(20);

/// Lets a periodic list that the end of the quiet phase falls into come to its end.
fn finish_lists(world: &mut impl Course, end: Instant) -> bool {
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

fn run_to(world: &mut impl Course, target: Instant, end: Instant) -> bool {
    world.run_until(target.min(end));
    target <= end
}

/// Lets time pass until the gateway has converged, at most to the deadline. What is unmet then is
/// for the property `converges` to say.
fn converge(world: &mut impl Course, end: Instant) -> bool {
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

impl Place {
    /// Every world, the fast one first.
    pub const ALL: &[Self] = &[
        Self::Fast,
        #[cfg(feature = "wire")]
        Self::Wire,
    ];

    /// The world's name.
    pub const fn name(self) -> WorldName {
        match self {
            Self::Fast => WorldName::Fast,
            #[cfg(feature = "wire")]
            Self::Wire => WorldName::Wire,
        }
    }

    /// The story of a seed as it is told in this world: the wire world has faults of its own.
    pub fn story(self, profile: &Profile, seed: u64) -> Scenario {
        match self {
            Self::Fast => generate(profile, seed),
            #[cfg(feature = "wire")]
            Self::Wire => crate::story::generate::with_byte_faults(generate(profile, seed)),
        }
    }
}

/// Runs a story with a planted defect that must be found.
///
/// # Errors
/// What was not found.
pub fn canary(place: Place) -> Result<(), String> {
    let profile = profiles().first().copied().ok_or("there is no profile")?;
    let story = generate(&profile, 0xca9a);
    let options = RunOptions { place, plant: Some(Plant::LoseSyncs), ..RunOptions::default() };
    let outcome = run_story(&story, options);
    let found = outcome.violations.iter().any(|violation| violation.property == "store_recovers");
    if found { Ok(()) } else { Err("the planted defect lose_syncs was not found".to_owned()) }
}
