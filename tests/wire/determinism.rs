//! One story, one trace: alone, among others, on two threads and on one. Other processes are
//! tried in `sim/tests/processes.rs`.

use driftless::sockets::Place;
use driftless::story::file::Scenario;
use driftless::story::profile::profiles;

use crate::told;

/// Seeds of each profile.
const SEEDS: u64 = 3;

/// What is compared has happened: at least so many events in all stories together.
const EVENTS_MIN: u64 = 5_000;

fn stories() -> Vec<Scenario> {
    let all = profiles().iter();
    all.flat_map(|profile| (0..SEEDS).map(|seed| Place::Wire.story(profile, seed))).collect()
}

#[test]
fn a_story_has_one_trace_alone_among_others_and_beside_others() {
    let stories = stories();
    let among: Vec<_> = stories.iter().map(told).collect();
    let events: u64 = among.iter().map(|outcome| outcome.events).sum();
    assert!(events >= EVENTS_MIN, "only {events} events are compared");
    let among: Vec<u128> = among.iter().map(|outcome| outcome.trace_hash).collect();
    let hashes = |stories: &[Scenario]| -> Vec<u128> {
        stories.iter().rev().map(|story| told(story).trace_hash).collect()
    };
    let (first, second) = stories.split_at(stories.len() / 2);
    let (mut beside, last) = std::thread::scope(|scope| {
        let first = scope.spawn(|| hashes(first));
        let second = scope.spawn(|| hashes(second));
        (first.join().unwrap(), second.join().unwrap())
    });
    beside.reverse();
    beside.extend(last.into_iter().rev());
    assert_eq!(among, beside);
    // Profiles that differ in what gateways store on are one here; the seeds of one are not.
    for of_profile in among.chunks(usize::try_from(SEEDS).unwrap()) {
        let mut different = of_profile.to_vec();
        different.sort_unstable();
        different.dedup();
        assert_eq!(different.len(), of_profile.len(), "two seeds have one trace");
    }
}
