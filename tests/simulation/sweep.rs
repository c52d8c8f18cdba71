//! Seeds of every profile, all properties on. `DRIFTLESS_SEEDS` says how many of each.

use std::collections::BTreeSet;

use driftless::observe::marks;
use driftless::run::{RunOptions, run_story};
use driftless::story::generate::generate;
use driftless::story::profile::profiles;

/// How many when nothing is said.
const SEEDS: u64 = 12;

/// Reads the number of seeds; none at all is a mistake, not a pass.
pub(crate) fn seeds(said: Option<&str>, otherwise: u64) -> Result<u64, String> {
    let Some(said) = said else { return Ok(otherwise) };
    match said.parse() {
        Ok(0) => Err("DRIFTLESS_SEEDS is 0: nothing would be run".to_owned()),
        Ok(count) => Ok(count),
        Err(_) => Err(format!("DRIFTLESS_SEEDS is {said:?}, not a number")),
    }
}

#[test]
fn every_profile_holds() {
    let count = seeds(std::env::var("DRIFTLESS_SEEDS").ok().as_deref(), SEEDS).unwrap();
    let mut failed = Vec::new();
    for profile in profiles() {
        for seed in 0..count {
            let outcome = run_story(&generate(profile, seed), RunOptions::default());
            failed.extend(outcome.violations.iter().map(|found| {
                let name = profile.name;
                format!(
                    "{} at {}: {}, expected {}, found {}\n  cargo sim replay {seed} --profile {name}",
                    found.property, found.at, found.subject, found.expected, found.found
                )
            }));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Seeds that reach what only several gateways can.
const FLEET_SEEDS: u64 = 40;

#[test]
fn several_gateways_reach_what_one_cannot() {
    let fleet = profiles().iter().find(|profile| profile.name == "fleet").unwrap();
    let mut reached = BTreeSet::new();
    let (mut counts, mut organizations) = (BTreeSet::new(), BTreeSet::new());
    for seed in 0..FLEET_SEEDS {
        let story = generate(fleet, seed);
        counts.insert(story.gateways.len());
        organizations.insert(story.organizations().len());
        reached.extend(run_story(&story, RunOptions::default()).marks);
    }
    let due = marks().iter().filter(|mark| mark.fleet);
    let missing: Vec<_> = due.filter(|mark| !reached.contains(mark.name)).collect();
    assert!(missing.is_empty(), "never in {FLEET_SEEDS} seeds: {missing:?}");
    assert_eq!((counts, organizations), (BTreeSet::from([2, 3]), BTreeSet::from([1, 2])));
}

#[test]
fn no_seeds_is_an_error() {
    assert_eq!(seeds(None, SEEDS), Ok(SEEDS));
    assert_eq!(seeds(Some("7"), SEEDS), Ok(7));
    for text in ["0", "", "-1", "many"] {
        assert!(seeds(Some(text), SEEDS).is_err(), "{text}");
    }
}
