//! `story`: bytes to a story of the fast world, with every property looking on.
//!
//! The first eight bytes are the story's head, and every eight bytes behind them are one step, so
//! that what a fuzzer changes, takes out or copies is a step. Every input is a story within what
//! the engine promises to withstand: the ranges are those of the generator, and so is how much may
//! go wrong at once.

use std::num::NonZeroU8;

use driftless_gateway::model::Dialect;

use crate::plant::Plant;
use crate::run::{Outcome, RunOptions, run_story};
use crate::story::file::{Expect, Scenario, StoreChoice};
use crate::story::step::{Endpoint, Names, Scope, Step, Verb, WORD_BYTES, When, Word};
use crate::story::switches::Switches;

/// The most steps of a story; what is behind them is not looked at.
const STEPS_MAX: usize = 24;

/// The most faults of one story, and of them those that one verb may have.
const FAULTS_MAX: (usize, usize) = (6, 2);

/// Steps happen up to here, in milliseconds, as in the generator's stories; faults end before.
const STORY_MS: u64 = 58_000;
const FAULTS_MS: u64 = STORY_MS - 8_000;

/// Runs the story that the bytes are.
///
/// # Panics
/// When a property is violated; the message has the violation and what happened last.
pub fn check_story(bytes: &[u8], plant: Option<Plant>) {
    let story = story(bytes);
    let Outcome { violations, .. } =
        run_story(&story, RunOptions { plant, ..RunOptions::default() });
    if let Some(violation) = violations.first() {
        let crate::properties::Violation { property, subject, expected, found, .. } = violation;
        let events = violation.last_events.join("\n");
        panic!(
            "{property} at {}: {subject}: expected {expected}, found {found}\n{events}\n\
             `cargo sim replay --bytes FILE --trace` tells all of it, `--save NAME` keeps it",
            violation.at
        );
    }
}

/// How many nodes an APIM has: one, or two of which a connection can change.
const fn nodes(number: u8) -> NonZeroU8 {
    if number % 4 == 1 { NonZeroU8::MIN.saturating_add(1) } else { NonZeroU8::MIN }
}

/// The story that the bytes are. Any bytes are one.
pub fn story(bytes: &[u8]) -> Scenario {
    let (head, rest) = bytes.split_at_checked(WORD_BYTES).unwrap_or((bytes, &[]));
    let byte = |place: usize| head.get(place).copied().unwrap_or_default();
    let dialect = match byte(0) % 4 {
        0 | 1 => Dialect::Apim470,
        2 => Dialect::Apim470Fixed,
        _ => Dialect::PlatformApi11,
    };
    let seed = u64::from(u16::from_le_bytes([byte(2), byte(3)]));
    let pace = Pace::of(byte(5));
    let mut before = 0;
    let mut steps: Vec<Step> = Vec::new();
    for word in rest.chunks_exact(WORD_BYTES).take(STEPS_MAX).filter_map(Word::of) {
        let Some(verb) = Verb::of_word(&word, dialect) else { continue };
        let most = if verb.is_fault() { FAULTS_MS } else { STORY_MS };
        let at_ms = pace.time(u64::from(word.at), before, most);
        before = at_ms;
        if is_withstood(&verb, &steps) {
            steps.push(Step { when: When::AtMs(at_ms), scope: Scope::default(), verb });
        }
    }
    steps.sort_by_key(Step::at_ms);
    Scenario {
        why: "A fuzzer found it.".to_owned(),
        covers: Vec::new(),
        source: None,
        dialect,
        seed,
        switches: Switches { nodes: nodes(byte(4)), ..Switches::usual(dialect) },
        store: if byte(1) % 16 == 1 { StoreChoice::Disk } else { StoreChoice::Model },
        only: None,
        gateways: Vec::new(),
        faults_stay_ms: None,
        steps,
        expect: Expect::default(),
    }
}

/// How the time of a step is meant.
#[derive(Clone, Copy)]
enum Pace {
    /// From the start of the story.
    Absolute,
    /// From the step before, and shorter than this, in milliseconds: what breaks a gateway are
    /// mostly things that come close together.
    After(u64),
}

impl Pace {
    const fn of(byte: u8) -> Self {
        match byte % 4 {
            0 => Self::Absolute,
            1 => Self::After(64),
            2 => Self::After(1000),
            _ => Self::After(8000),
        }
    }

    fn time(self, at: u64, before: u64, most: u64) -> u64 {
        match self {
            Self::Absolute => at % most,
            Self::After(shorter) => (before + at % shorter).min(most),
        }
    }
}

impl Step {
    fn at_ms(&self) -> u64 {
        match self.when {
            When::AtMs(ms) => ms,
            When::On(_) => 0,
        }
    }
}

/// Whether the engine promises to withstand the verb together with what the story has already.
fn is_withstood(verb: &Verb, steps: &[Step]) -> bool {
    if !verb.is_fault() {
        return true;
    }
    if let Verb::Answer(answer) = verb {
        // No single key can be asked for, so a few wrong lists in a row would be believed (law 4).
        let is_of_access_lists = |to: Endpoint| {
            matches!(
                to,
                Endpoint::ReadKeys
                    | Endpoint::ReadSubscriptions
                    | Endpoint::ReadPlans
                    | Endpoint::Any
            )
        };
        let is_there =
            |step: &Step| matches!(&step.verb, Verb::Answer(other) if is_of_access_lists(other.to));
        if !answer.applies() || is_of_access_lists(answer.to) && steps.iter().any(is_there) {
            return false;
        }
    }
    let faults = steps.iter().filter(|step| step.verb.is_fault());
    let of_its_kind = faults.clone().filter(|step| step.verb.name() == verb.name());
    let (most, most_of_one) = FAULTS_MAX;
    faults.count() < most && of_its_kind.count() < most_of_one
}

/// The bytes of a story, with its names in the order in which they are met; `None` for one that
/// no bytes are: with triggers, several gateways, switches or steps beyond the ranges.
pub fn bytes_of(story: &Scenario) -> Option<Vec<u8>> {
    let dialect = match story.dialect {
        Dialect::Apim470 => 0,
        Dialect::Apim470Fixed => 2,
        Dialect::PlatformApi11 => 3,
    };
    let seed = u16::try_from(story.seed % (1 << 16)).ok()?.to_le_bytes();
    let store = u8::from(story.store == StoreChoice::Disk);
    let two_nodes = u8::from(story.switches.nodes.get() == 2);
    let mut bytes = vec![dialect, store, seed[0], seed[1], two_nodes, 0, 0, 0];
    let mut names = Names::default();
    for step in &story.steps {
        let When::AtMs(at_ms) = step.when else { return None };
        let mut word = step.verb.word(story.dialect, &mut names)?;
        word.at = u16::try_from(at_ms).ok()?;
        bytes.extend(word.bytes());
    }
    let again = self::story(&bytes);
    let kept = again.steps.len() == story.steps.len()
        && again.steps.iter().zip(&story.steps).all(|(one, other)| one.when == other.when);
    (kept && story.gateways.is_empty() && story.switches == again.switches).then_some(bytes)
}
