//! A story to its outcome. A stub with the interface that the command line is written against.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use driftless_gateway::model::Dialect;
use driftless_gateway::time::Instant;

use crate::scenario::{Expect, Scenario, StoreChoice, Switches};
use crate::step::{Deploy, Step, Verb, When};

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Every violation, in order of time.
    pub violations: Vec<Violation>,
    /// The hash chain over everything that happened.
    pub trace_hash: u128,
    /// Virtual time.
    pub simulated: Duration,
    /// Events handled.
    pub events: u64,
    /// How often each fault was delivered, by its verb.
    pub delivered: BTreeMap<&'static str, u64>,
    /// Situations reached.
    pub marks: BTreeSet<&'static str>,
    /// The story that was run, with a claim about its end: saved, it is a scenario.
    pub story: Scenario,
    /// Crashes of the gateway.
    pub crashes: u64,
    /// Planned faults that delivered nothing.
    pub idle_faults: Vec<String>,
}

/// A property that did not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// The property's name.
    pub property: &'static str,
    /// When, in virtual time.
    pub at: Instant,
    /// What it is about.
    pub subject: String,
    /// What had to be.
    pub expected: String,
    /// What was.
    pub found: String,
    /// The last relevant events, oldest first.
    pub last_events: Vec<String>,
}

/// One event of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TraceLine {
    /// When, in virtual time.
    pub at: Instant,
    /// What happened, as `who  what  key=value …`.
    pub text: String,
}

impl fmt::Display for TraceLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {}", self.at, self.text)
    }
}

/// How to run a story.
#[derive(Default)]
pub struct RunOptions<'a> {
    /// Told every event.
    pub trace: Option<&'a mut dyn FnMut(&TraceLine)>,
    /// Where to stop.
    pub until: Option<Instant>,
}

/// A mix of faults to generate stories by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Profile {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
}

/// A property and when it is checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Property {
    /// Its name.
    pub name: &'static str,
    /// `always`, `at rest`, `at restart` or `run`.
    pub when: &'static str,
    /// What it says.
    pub says: &'static str,
}

/// A situation that a sweep should reach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub says: &'static str,
    /// Whether a sweep that never reaches it fails.
    pub required: bool,
}

/// Every profile; the first is the default.
pub fn profiles() -> &'static [Profile] {
    &[Profile { name: "everything", about: "every fault at once" }]
}

/// Every property.
pub fn properties() -> &'static [Property] {
    &[Property { name: "converges", when: "at rest", says: "observed state equals the ledger" }]
}

/// Every mark.
pub fn marks() -> &'static [Mark] {
    &[Mark {
        name: "crash_before_stored",
        says: "a crash between store and stored",
        required: false,
    }]
}

/// The story of a seed.
pub fn generate(_profile: &Profile, seed: u64) -> Scenario {
    let deploy = Verb::Deploy(Deploy { api: "orders".to_owned(), revision: None });
    let serving = BTreeMap::from([("orders".to_owned(), 1)]);
    Scenario {
        why: format!("Seed {seed:#x} was worth keeping."),
        covers: Vec::new(),
        source: None,
        dialect: Dialect::Apim470,
        seed,
        switches: Switches::default(),
        store: StoreChoice::default(),
        faults_stay_ms: None,
        steps: vec![Step { when: When::AtMs(0), verb: deploy }],
        expect: Expect { serving, ..Expect::default() },
    }
}

/// Runs a story.
pub fn run_story(story: &Scenario, options: RunOptions<'_>) -> Outcome {
    if let Some(trace) = options.trace {
        trace(&TraceLine { at: Instant::START, text: "runner  stub".to_owned() });
    }
    Outcome {
        violations: Vec::new(),
        trace_hash: u128::from(story.seed),
        simulated: Duration::from_secs(60),
        events: 1,
        delivered: BTreeMap::new(),
        marks: BTreeSet::new(),
        story: story.clone(),
        crashes: 0,
        idle_faults: Vec::new(),
    }
}

/// Runs a story with a planted defect that must be found.
///
/// # Errors
/// What was not found.
pub fn canary() -> Result<(), String> {
    Ok(())
}
