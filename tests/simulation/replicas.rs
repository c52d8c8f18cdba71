//! Gateways that were told one story with other faults of their own end with the same.

use driftless::run::disagreement;
use driftless::story::generate::generate;
use driftless::story::profile::profiles;

/// Seeds of each profile when nothing is said.
const SEEDS: u64 = 40;

#[test]
fn gateways_that_were_told_one_story_hold_the_same() {
    let count =
        crate::sweep::seeds(std::env::var("DRIFTLESS_SEEDS").ok().as_deref(), SEEDS).unwrap();
    let stories = profiles()
        .iter()
        .filter(|profile| !profile.disk)
        .flat_map(|profile| (0..count).map(|seed| (profile.name, seed, generate(profile, seed))));
    let mut differ = Vec::new();
    for (profile, seed, story) in stories {
        if let Some(found) = disagreement(&story, None) {
            differ.push(format!("{profile} {seed}: {} {}", found.subject, found.found));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}
