//! Writing what is to be durable: one write in flight, repeated with backoff where it fails.

use super::action::Action;
use super::backoff::Jitter;
use super::config::Config;
use super::durable::ObservedSet;
use super::input::StoreFailure;
use super::outbox::Outbox;
use crate::model::WriteId;
use crate::time::Instant;

/// When to write, and why writes fail.
#[derive(Clone, Debug)]
pub(super) struct Writes {
    pub(super) last: u64,
    failures: u32,
    failure: Option<String>,
    retry_at: Instant,
}

impl Writes {
    /// Nothing was written yet, and nothing keeps from writing.
    pub(super) const fn new(now: Instant) -> Self {
        Self { last: 0, failures: 0, failure: None, retry_at: now }
    }

    /// When the next write is due; `None` while one is in flight or nothing waits.
    pub(super) fn due_at(&self, observed: &ObservedSet) -> Option<Instant> {
        (observed.has_waiting() && !observed.is_writing()).then_some(self.retry_at)
    }

    /// Writes what waits.
    pub(super) fn flush(&mut self, observed: &mut ObservedSet, config: &Config, out: &mut Outbox) {
        self.last += 1;
        let id = WriteId(self.last);
        let batch = observed.begin(id, config.write_size_max);
        out.push(Action::Store(id, batch));
    }

    /// A write is durable.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
        self.failure = None;
    }

    /// A write failed and is repeated after a delay.
    pub(super) fn failed(
        &mut self,
        failure: &StoreFailure,
        config: &Config,
        jitter: &mut Jitter,
        now: Instant,
    ) {
        self.failures += 1;
        let delay = jitter.backoff(self.failures, config.backoff_min, config.backoff_max);
        self.retry_at = now.after(delay);
        self.failure = Some(failure.to_string());
    }

    /// Why writes fail.
    pub(super) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }
}
