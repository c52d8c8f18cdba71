//! When to list, and what the last list was worth.

use std::time::Duration;

use crate::model::RequestId;
use crate::time::Instant;

/// The schedule of lists and the outcome of the last one.
#[derive(Clone, Debug)]
pub(in crate::engine) struct Resync {
    /// The list in flight.
    pub(in crate::engine) in_flight: Option<RequestId>,
    /// Failures in a row.
    pub(in crate::engine) failures: u32,
    /// Why the last list failed, until one succeeds.
    pub(in crate::engine) last_failure: Option<String>,
    /// Whether a complete list was merged in the current session.
    pub(in crate::engine) listed_in_session: bool,
    /// Rows that the last list had and that could not be used.
    pub(in crate::engine) unusable: Option<String>,
    /// Whether the list in flight is the periodic one.
    pub(in crate::engine) is_periodic: bool,
    /// When the last complete list that was merged was asked for.
    pub(in crate::engine) merged_asked_at: Option<Instant>,
    periodic_at: Option<Instant>,
    wanted_at: Option<Instant>,
    asked_at: Option<Instant>,
    retry_at: Option<Instant>,
}

impl Resync {
    /// Nothing wanted yet: a session has to be live first (law 2).
    pub(in crate::engine) const fn new() -> Self {
        Self {
            in_flight: None,
            failures: 0,
            last_failure: None,
            listed_in_session: false,
            unusable: None,
            is_periodic: false,
            merged_asked_at: None,
            periodic_at: None,
            wanted_at: None,
            asked_at: None,
            retry_at: None,
        }
    }

    /// A session came alive: list at once, whatever was planned.
    pub(in crate::engine) const fn session_began(&mut self, now: Instant) {
        self.listed_in_session = false;
        self.wanted_at = Some(now);
        self.asked_at = None;
        self.retry_at = None;
        self.failures = 0;
    }

    /// A list is wanted at `at`, or earlier when one was already.
    pub(in crate::engine) fn want(&mut self, at: Instant) {
        self.wanted_at = Some(self.wanted_at.map_or(at, |known| known.min(at)));
    }

    /// When the next list is due; `verify_at` is the earliest wish of any artifact.
    pub(in crate::engine) fn due(&self, verify_at: Option<Instant>, spacing: Duration) -> Option<Instant> {
        if self.in_flight.is_some() {
            return None;
        }
        let wanted = [self.wanted_at, verify_at, self.periodic_at].into_iter().flatten().min()?;
        let spaced = self.asked_at.map_or(Instant::START, |asked| asked.after(spacing));
        Some(wanted.max(spaced).max(self.retry_at.unwrap_or(Instant::START)))
    }

    /// A list was asked for.
    pub(in crate::engine) const fn asked(&mut self, request: RequestId, now: Instant) {
        self.in_flight = Some(request);
        self.asked_at = Some(now);
        self.wanted_at = None;
        self.is_periodic = match self.periodic_at {
            Some(at) => at.as_nanos() <= now.as_nanos(),
            None => false,
        };
    }

    /// A well-formed list arrived; the next periodic one is at `next`.
    pub(in crate::engine) fn succeeded(&mut self, complete: bool, next: Instant) {
        self.in_flight = None;
        self.failures = 0;
        self.last_failure = None;
        self.retry_at = None;
        if complete {
            self.listed_in_session = true;
            self.merged_asked_at = self.asked_at;
        }
        if self.is_periodic || self.periodic_at.is_none() {
            self.periodic_at = Some(next);
        }
        self.is_periodic = false;
    }

    /// The list failed; it is repeated at `retry_at`. None of it counts (law 3).
    pub(in crate::engine) fn failed(&mut self, why: String, retry_at: Instant) {
        self.in_flight = None;
        self.last_failure = Some(why);
        self.retry_at = Some(retry_at);
        self.want(retry_at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACING: Duration = Duration::from_secs(2);

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    fn listed_at_ten() -> Resync {
        let mut resync = Resync::new();
        resync.session_began(at(10));
        resync.asked(RequestId(1), at(10));
        resync.succeeded(true, at(120));
        resync
    }

    #[test]
    fn a_new_session_lists_at_once_whatever_was_planned() {
        let mut resync = listed_at_ten();
        assert_eq!(Resync::new().due(None, SPACING), None);
        resync.asked(RequestId(2), at(20));
        resync.failed("why".to_owned(), at(50));
        resync.session_began(at(21));
        assert_eq!(resync.due(None, SPACING), Some(at(21)));
        assert!(!resync.listed_in_session);
    }

    #[test]
    fn the_earliest_wish_counts_spaced_from_the_last_list() {
        let mut resync = listed_at_ten();
        assert_eq!(resync.due(None, SPACING), Some(at(120)));
        assert_eq!(resync.due(Some(at(11)), SPACING), Some(at(12)));
        resync.want(at(40));
        resync.want(at(30));
        assert_eq!(resync.due(Some(at(50)), SPACING), Some(at(30)));
    }

    #[test]
    fn a_failed_list_waits_for_its_retry_whatever_is_wished() {
        let mut resync = listed_at_ten();
        resync.asked(RequestId(2), at(20));
        assert_eq!(resync.due(Some(at(1)), SPACING), None, "one at a time");
        resync.failed("why".to_owned(), at(50));
        assert_eq!(resync.due(Some(at(1)), SPACING), Some(at(50)));
        assert!(resync.listed_in_session, "what was read stays read");
    }

    #[test]
    fn only_a_periodic_list_moves_the_next_periodic_one() {
        let mut resync = listed_at_ten();
        resync.asked(RequestId(2), at(100));
        assert!(!resync.is_periodic);
        resync.succeeded(true, at(200));
        assert_eq!(resync.due(None, SPACING), Some(at(120)));
        resync.asked(RequestId(3), at(120));
        assert!(resync.is_periodic);
        resync.succeeded(false, at(240));
        assert_eq!(resync.due(None, SPACING), Some(at(240)));
    }
}
