//! One story, one trace: twice, on another thread, and among others. Other processes are tried in
//! `sim/tests/processes.rs`.

use driftless::run::trace_hash;
use driftless::story::file::Scenario;
use driftless::story::generate::generate;
use driftless::story::profile::profiles;

/// Seeds of each profile.
const SEEDS: u64 = 3;

fn stories() -> Vec<Scenario> {
    let all = profiles().iter();
    all.flat_map(|profile| (0..SEEDS).map(|seed| generate(profile, seed))).collect()
}

#[test]
fn a_story_has_one_trace() {
    for story in stories() {
        assert_eq!(trace_hash(&story), trace_hash(&story), "{}", story.why);
    }
}

#[test]
fn a_story_has_the_same_trace_on_another_thread_and_in_another_order() {
    let stories = stories();
    let here: Vec<u128> = stories.iter().map(trace_hash).collect();
    let mut there: Vec<u128> = std::thread::scope(|scope| {
        scope.spawn(|| stories.iter().rev().map(trace_hash).collect()).join().unwrap()
    });
    there.reverse();
    assert_eq!(here, there);
}

#[test]
fn different_seeds_have_different_traces() {
    let profile = profiles().first().unwrap();
    let seeds = (0..SEEDS).map(|seed| trace_hash(&generate(profile, seed)));
    let mut hashes: Vec<u128> = seeds.collect();
    let count = hashes.len();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), count);
}
