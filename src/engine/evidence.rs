//! The one evidence rule (laws 1, 2 and 6).
//!
//! Whatever says something about an item says it *as of* an instant of the engine's own clock: an
//! event as of its arrival, a read as of when it was asked for. A read that was asked for at `t`
//! speaks of a state no older than `t - read_lag_max`. So where it contradicts something learnt at
//! `k`, it is believed only when `t >= k + read_lag_max`, and asked for again until then.

use std::time::Duration;

use crate::time::Instant;

/// From when on a read is asked for late enough to contradict what was learnt at `known_at`; `lag`
/// is `read_lag_max`.
pub(super) fn settled_at(known_at: Instant, lag: Duration) -> Instant {
    known_at.after(lag)
}

/// Whether a read asked for at `asked_at` may contradict what was learnt at `known_at`.
pub(super) fn may_contradict(asked_at: Instant, known_at: Instant, lag: Duration) -> bool {
    asked_at >= settled_at(known_at, lag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_contradicts_only_what_was_learnt_a_lag_before_it_was_asked_for() {
        let (lag, known_at) = (Duration::from_secs(5), Instant::from_millis(2_000));
        assert!(!may_contradict(Instant::from_millis(6_999), known_at, lag));
        assert!(may_contradict(Instant::from_millis(7_000), known_at, lag));
    }
}
