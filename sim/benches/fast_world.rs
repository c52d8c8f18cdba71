//! How fast the fast world is, with every property on, on one core.
//!
//! `cargo bench -p driftless --bench fast_world` prints the rate of the full workload beside the
//! number to reach: one APIM, one gateway, 20 artifacts with keys and subscriptions, about a minute
//! with a partition, a crash and a wrong list (profile `minute`). Below it are the default sweep,
//! which has more of everything, and that sweep with redb on the simulated disk.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measures")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the wall clock")]

use std::time::{Duration, Instant};

use driftless::profile::profiles;
use driftless::runner::{RunOptions, generate, run_story};
use mimalloc::MiMalloc;

/// The same as that of the program that is measured.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Seeds of one measurement: enough for a few seconds.
const MODEL_SEEDS: u64 = 3000;
const DISK_SEEDS: u64 = 500;

fn main() {
    // Cargo passes `--bench`, and a filter when asked to; there is nothing to choose here.
    println!("fast world, full workload, every property on, one core, release mode");
    measure("minute", "model store", MODEL_SEEDS, Some(1000));
    measure("everything", "model store", MODEL_SEEDS, None);
    measure("disk", "redb on SimDisk", DISK_SEEDS, Some(150));
}

fn measure(profile: &str, store: &str, seeds: u64, reach: Option<u64>) {
    let Some(profile) = profiles().iter().find(|known| known.name == profile) else {
        println!("there is no profile {profile}");
        return;
    };
    let stories: Vec<_> = (0..seeds).map(|seed| generate(profile, seed)).collect();
    for story in stories.iter().take(20) {
        run_story(story, RunOptions::default());
    }
    let (mut simulated, mut events, mut violated) = (Duration::ZERO, 0, 0);
    let start = Instant::now();
    for story in &stories {
        let outcome = run_story(story, RunOptions::default());
        simulated += outcome.simulated;
        events += outcome.events;
        violated += u64::from(!outcome.violations.is_empty());
    }
    let took = start.elapsed();
    let nanos = took.as_nanos().max(1);
    let per_second = u128::from(seeds) * 1_000_000_000 / nanos;
    let acceleration = simulated.as_nanos() / nanos;
    println!(
        "{:>12}  {store:<16} {per_second:>5} seeds/s{:<13} {acceleration:>6} simulated s/s \
         {:>5} us/seed {:>4} events/seed {:>3} simulated s/seed   {violated} violated",
        profile.name,
        reach.map_or_else(String::new, |reach| format!(" (reach {reach})")),
        took.as_micros() / u128::from(seeds),
        events / seeds,
        simulated.as_secs() / seeds,
    );
}
