//! Other seeds: what is left to chance is drawn anew, so that no step is kept for shifting a draw.

use super::trials::Trials;
use super::{document, steps};

/// How many seeds to try for each step that may go.
const SEEDS: u64 = 8;

/// Removes single steps, each tried with other seeds.
pub(super) fn remove_steps(trials: &mut Trials<'_>) {
    while remove_one(trials) && !trials.is_over() {
        steps::remove(trials);
    }
}

fn remove_one(trials: &mut Trials<'_>) -> bool {
    let document = trials.document().clone();
    let count = document::steps(&document).len();
    let pairs = (0..SEEDS).flat_map(|seed| (0..count).rev().map(move |place| (place, seed)));
    let candidates = pairs.map(|(place, seed)| {
        let less = steps::without(&document, place, place + 1);
        document::with(&less, "seed", Some(seed.into()))
    });
    trials.adopt_first(candidates).is_some()
}
