//! A fault that delivers nothing tries nothing: few seeds carry one.

use driftless::run::RunOptions;
use driftless::sockets::Place;
use driftless::story::profile::profiles;

/// Seeds of each profile.
const SEEDS: u64 = 20;

/// At most one seed in ten carries a fault that delivers nothing.
#[test]
fn few_seeds_carry_a_fault_that_delivers_nothing() {
    let mut idle = Vec::new();
    for profile in profiles() {
        for seed in 0..SEEDS {
            let story = Place::Fast.story(profile, seed);
            let outcome = Place::Fast.run(&story, RunOptions::default());
            let faults: Vec<_> = outcome.idle.iter().filter(|step| step.is_fault).collect();
            if !faults.is_empty() {
                idle.push(format!("{} {seed:#x}: {faults:?}", profile.name));
            }
        }
    }
    let seeds = profiles().len() as u64 * SEEDS;
    assert!(10 * idle.len() as u64 <= seeds, "{} of {seeds}:\n{}", idle.len(), idle.join("\n"));
}
