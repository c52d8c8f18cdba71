//! When to list, and what the last list was worth.

use std::time::Duration;

use crate::model::RequestId;
use crate::time::Instant;

/// The schedule of lists and the outcome of the last one.
#[derive(Clone, Debug)]
pub(super) struct Resync {
    /// The list in flight.
    pub(super) in_flight: Option<RequestId>,
    /// Failures in a row.
    pub(super) failures: u32,
    /// Why the last list failed, until one succeeds.
    pub(super) last_failure: Option<String>,
    /// Whether a complete list was merged in the current session.
    pub(super) listed_in_session: bool,
    /// Rows that the last list had and that could not be used.
    pub(super) unusable: Option<String>,
    /// Whether the list in flight is the periodic one.
    pub(super) is_periodic: bool,
    periodic_at: Option<Instant>,
    wanted_at: Option<Instant>,
    asked_at: Option<Instant>,
    retry_at: Option<Instant>,
}

impl Resync {
    /// Nothing wanted yet: a session has to be live first (law 2).
    pub(super) const fn new() -> Self {
        Self {
            in_flight: None,
            failures: 0,
            last_failure: None,
            listed_in_session: false,
            unusable: None,
            is_periodic: false,
            periodic_at: None,
            wanted_at: None,
            asked_at: None,
            retry_at: None,
        }
    }

    /// A session came alive: list at once, whatever was planned.
    pub(super) const fn session_began(&mut self, now: Instant) {
        self.listed_in_session = false;
        self.wanted_at = Some(now);
        self.asked_at = None;
        self.retry_at = None;
        self.failures = 0;
    }

    /// A list is wanted at `at`, or earlier when one was already.
    pub(super) fn want(&mut self, at: Instant) {
        self.wanted_at = Some(self.wanted_at.map_or(at, |known| known.min(at)));
    }

    /// When the next list is due; `verify_at` is the earliest wish of any artifact.
    pub(super) fn due(&self, verify_at: Option<Instant>, spacing: Duration) -> Option<Instant> {
        if self.in_flight.is_some() {
            return None;
        }
        let wanted = [self.wanted_at, verify_at, self.periodic_at].into_iter().flatten().min()?;
        let spaced = self.asked_at.map_or(Instant::START, |asked| asked.after(spacing));
        Some(wanted.max(spaced).max(self.retry_at.unwrap_or(Instant::START)))
    }

    /// A list was asked for.
    pub(super) const fn asked(&mut self, request: RequestId, now: Instant) {
        self.in_flight = Some(request);
        self.asked_at = Some(now);
        self.wanted_at = None;
        self.is_periodic = match self.periodic_at {
            Some(at) => at.as_nanos() <= now.as_nanos(),
            None => false,
        };
    }

    /// A well-formed list arrived; the next periodic one is at `next`.
    pub(super) fn succeeded(&mut self, complete: bool, next: Instant) {
        self.in_flight = None;
        self.failures = 0;
        self.last_failure = None;
        self.retry_at = None;
        if complete {
            self.listed_in_session = true;
        }
        if self.is_periodic || self.periodic_at.is_none() {
            self.periodic_at = Some(next);
        }
        self.is_periodic = false;
    }

    /// The list failed; it is repeated at `retry_at`. None of it counts (law 3).
    pub(super) fn failed(&mut self, why: String, retry_at: Instant) {
        self.in_flight = None;
        self.last_failure = Some(why);
        self.retry_at = Some(retry_at);
        self.want(retry_at);
    }
}
