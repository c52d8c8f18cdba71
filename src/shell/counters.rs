//! What the shell counts, for metrics.

use std::collections::BTreeMap;
use std::time::Duration;

/// Upper bounds of the buckets of times, in microseconds, with their text in seconds.
pub(super) const BUCKETS: [(u128, &str); 8] = [
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (50_000, "0.05"),
    (250_000, "0.25"),
    (1_000_000, "1"),
];

/// Counts since the start of the process.
#[derive(Default)]
pub(super) struct Counters {
    pub(super) dials: u64,
    pub(super) sessions_ended: u64,
    pub(super) frames: u64,
    pub(super) frame_bytes: u64,
    pub(super) pings: u64,
    pub(super) acks: u64,
    /// By name and outcome; both are fixed sets.
    pub(super) requests: BTreeMap<(&'static str, &'static str), u64>,
    pub(super) answer_bytes: u64,
    pub(super) commits_failed: u64,
    /// How long durable writes took.
    pub(super) commit_times: Times,
    /// From the arrival of an event to when what it says is durable and shown.
    pub(super) event_times: Times,
}

/// How long something took, by buckets.
#[derive(Default)]
pub(super) struct Times {
    pub(super) count: u64,
    pub(super) sum: Duration,
    /// How many took no longer than each bound; the last counts what took longest.
    pub(super) buckets: [u64; BUCKETS.len() + 1],
}

impl Times {
    pub(super) fn add(&mut self, took: Duration) {
        self.count += 1;
        self.sum += took;
        let micros = took.as_micros();
        let place = BUCKETS.iter().position(|(most, _)| micros <= *most).unwrap_or(BUCKETS.len());
        if let Some(bucket) = self.buckets.get_mut(place) {
            *bucket += 1;
        }
    }
}

impl Counters {
    pub(super) fn frame(&mut self, bytes: usize) {
        self.frames += 1;
        self.frame_bytes += bytes as u64;
    }

    pub(super) fn request(&mut self, name: &'static str, outcome: &'static str) {
        *self.requests.entry((name, outcome)).or_insert(0) += 1;
    }

    pub(super) fn answer(&mut self, name: &'static str, outcome: &'static str, bytes: usize) {
        self.request(name, outcome);
        self.answer_bytes += bytes as u64;
    }

    pub(super) fn commit(&mut self, took: Duration, was_durable: bool) {
        if !was_durable {
            self.commits_failed += 1;
            return;
        }
        self.commit_times.add(took);
    }
}
