//! Exponential backoff with full jitter, drawn from the engine's own seed.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Draws delays. The only randomness of the engine.
#[derive(Clone, Debug)]
pub(super) struct Jitter {
    stream: ChaCha8Rng,
}

impl Jitter {
    /// A stream of delays for this seed.
    pub(super) fn new(seed: u64) -> Self {
        Self { stream: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// A delay between zero and `most`, to the millisecond.
    pub(super) fn up_to(&mut self, most: Duration) -> Duration {
        let millis = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.stream.random_range(0..=millis))
    }

    /// The delay before the attempt after `failures` failures, drawn from all of the ceiling so
    /// that many gateways do not come together; never less than a tenth of `min`, so that no
    /// failure is followed at once.
    pub(super) fn backoff(&mut self, failures: u32, min: Duration, max: Duration) -> Duration {
        let ceiling = min.saturating_mul(1_u32 << failures.saturating_sub(1).min(16)).min(max);
        self.up_to(ceiling).max(min / 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_the_ceiling_and_repeat_with_the_seed() {
        let (min, max) = (Duration::from_millis(500), Duration::from_secs(30));
        let draw = |seed| {
            let mut jitter = Jitter::new(seed);
            (1..40).map(|failures| jitter.backoff(failures, min, max)).collect::<Vec<_>>()
        };
        let delays = draw(7);
        assert_eq!(delays, draw(7));
        assert_ne!(delays, draw(8));
        assert!(delays[0] >= min / 10 && delays[0] <= min);
        assert!(delays.iter().all(|delay| *delay >= min / 10 && *delay <= max));
        assert!(delays[10..].iter().any(|delay| *delay < max / 4), "drawn from all of it");
        assert!(delays[10..].iter().any(|delay| *delay > max / 4 * 3), "drawn from all of it");
    }
}
