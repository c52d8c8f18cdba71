//! How a benchmark of a world measures.

use std::time::{Duration, Instant};

use driftless::run::RunOptions;
use driftless::sockets::Place;
use driftless::story::profile::profiles;

/// Runs so many seeds of a profile in a world and prints the rate, with the one to reach.
pub(crate) fn measure(place: Place, profile: &str, store: &str, seeds: u64, reach: Option<u64>) {
    let Some(profile) = profiles().iter().find(|known| known.name == profile) else {
        println!("there is no profile {profile}");
        return;
    };
    let stories: Vec<_> = (0..seeds).map(|seed| place.story(profile, seed)).collect();
    let tell = |story| place.run(story, RunOptions::default());
    for story in stories.iter().take(20) {
        tell(story);
    }
    let (mut simulated, mut events, mut violated) = (Duration::ZERO, 0, 0);
    let start = Instant::now();
    for story in &stories {
        let outcome = tell(story);
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
