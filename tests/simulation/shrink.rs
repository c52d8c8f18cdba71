//! A violation becomes a story of a few steps that has the same violation, and no other defect.

use std::cell::Cell;
use std::num::NonZeroUsize;

use driftless::plant::Plant;
use driftless::properties::Violation;
use driftless::run::{RunOptions, run_story};
use driftless::shrink::{Shrunk, Tools, ViolationKind, claims, shrink};
use driftless::story::file::Scenario;
use driftless::story::generate::generate;
use driftless::story::profile::profiles;

/// Seeds to try until one is violated under a plant.
const SEEDS: u64 = 12;

/// The most steps that are left of a hundred.
const STEPS_MAX: usize = 6;

fn violations(story: &Scenario, plant: Option<Plant>) -> Vec<Violation> {
    run_story(story, RunOptions { plant, ..RunOptions::default() }).violations
}

fn shrunk(story: &Scenario, plant: Plant, looks_max: u64) -> Option<Shrunk> {
    let kind = ViolationKind::of(violations(story, Some(plant)).first()?);
    let tell = |story: &Scenario| violations(story, Some(plant));
    let looks = Cell::new(0_u64);
    let is_over = || {
        looks.set(looks.get() + 1);
        looks.get() > looks_max
    };
    let jobs = NonZeroUsize::MIN;
    let shrunk = shrink(story, &kind, Tools { tell: &tell, jobs, is_over: &is_over })?;
    assert_eq!(ViolationKind::of(&shrunk.violation), kind, "the same violation");
    Some(shrunk)
}

#[test]
fn a_planted_defect_takes_a_few_steps_to_show() {
    for name in ["early_ack", "deaf", "deaf_to_revocations", "keys_follow_apis", "never_retry"] {
        let plant = Plant::parse(name).unwrap();
        let stories = (1..=SEEDS).map(|seed| generate(&profiles()[0], seed));
        let found = stories.filter_map(|story| shrunk(&story, plant, u64::MAX)).next().unwrap();
        assert!(found.is_done, "{name}");
        let steps = &found.story.steps;
        assert!(steps.len() <= STEPS_MAX, "{name}: {steps:#?}");

        let story = claims::filled(&found);
        let still = violations(&story, Some(plant));
        assert!(still.iter().any(|it| it.property == found.violation.property), "{name}");
        assert_eq!(violations(&story, None), [], "{name}: what is not broken violates nothing");
    }
}

#[test]
fn what_holds_is_not_shrunk_and_time_that_is_up_is_said() {
    let story = generate(&profiles()[0], 1);
    let plant = Plant::parse("early_ack").unwrap();
    let found = shrunk(&story, plant, 0).unwrap();
    assert!(!found.is_done);
    assert_eq!(found.story.steps.len(), story.steps.len());
    let kind = ViolationKind::of(&found.violation);
    let tell = |story: &Scenario| violations(story, None);
    let tools = Tools { tell: &tell, jobs: NonZeroUsize::MIN, is_over: &|| false };
    assert!(shrink(&story, &kind, tools).is_none());
}
