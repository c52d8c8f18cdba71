//! The event store: rows that wait for the poll, claims with a lease, delivered marks (§1.4).

use std::sync::Arc;
use std::time::Duration;

use driftless_gateway::time::Instant;

use crate::apim::clock::Micros;

/// How long a delivered event is kept before the purge removes it.
const KEPT: Duration = Duration::from_secs(24 * 3600);

struct StoredEvent {
    at: Instant,
    created: Micros,
    /// The event's random id: what a sort by time alone leaves the order to (A-H3).
    tie: u64,
    text: Arc<str>,
    delivered: Option<Instant>,
    claimed: Option<Micros>,
}

/// An event that was raised and not delivered yet.
#[derive(Clone, Copy, Debug)]
pub struct WaitingEvent<'a> {
    /// When it was raised.
    pub at: Instant,
    /// The frame that will be sent. It may hold the hash of a key (law 16).
    pub frame: &'a str,
    /// Whether a poll claimed it; after the lease another one may.
    pub is_claimed: bool,
}

/// The events of one gateway.
#[derive(Default)]
pub(in crate::apim) struct EventStore {
    events: Vec<StoredEvent>,
    /// Places of those not delivered.
    waiting: Vec<usize>,
}

impl EventStore {
    /// Inserts an event.
    pub(in crate::apim) fn insert(
        &mut self,
        at: Instant,
        created: Micros,
        tie: u64,
        text: Arc<str>,
    ) {
        self.waiting.push(self.events.len());
        self.events.push(StoredEvent { at, created, tie, text, delivered: None, claimed: None });
    }

    /// Whether any event was not delivered yet.
    pub(in crate::apim) const fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The events that were not delivered yet, oldest first.
    pub(in crate::apim) fn waiting(&self) -> impl Iterator<Item = WaitingEvent<'_>> {
        let waiting = self.waiting.iter().filter_map(|&place| self.events.get(place));
        waiting.map(|event| WaitingEvent {
            at: event.at,
            frame: &event.text,
            is_claimed: event.claimed.is_some(),
        })
    }

    /// The text of the newest event, delivered or not.
    pub(in crate::apim) fn newest(&self) -> Option<&Arc<str>> {
        self.events.last().map(|event| &event.text)
    }

    /// Whether a claim at that wall-clock time would get anything.
    pub(in crate::apim) fn is_claimable(&self, now: Micros, lease: Duration) -> bool {
        self.waiting.iter().any(|&place| self.can_claim(place, now, lease))
    }

    fn can_claim(&self, place: usize, now: Micros, lease: Duration) -> bool {
        let lease = Micros::try_from(lease.as_micros()).unwrap_or(Micros::MAX);
        self.events.get(place).is_some_and(|event| match event.claimed {
            None => true,
            Some(claimed) => claimed < now.saturating_sub(lease),
        })
    }

    /// Claims what is not delivered and not claimed within the lease, in the order of creation;
    /// events of the same stamp come in any order (§1.5).
    pub(in crate::apim) fn claim(
        &mut self,
        now: Micros,
        stamp: Micros,
        lease: Duration,
    ) -> Vec<usize> {
        let mut claimed = self.waiting.clone();
        claimed.retain(|&place| self.can_claim(place, now, lease));
        for &place in &claimed {
            if let Some(event) = self.events.get_mut(place) {
                event.claimed = Some(stamp);
            }
        }
        self.sort(&mut claimed);
        claimed
    }

    /// What nobody has claimed: the two-minute pusher takes it without claiming (A-H40).
    pub(in crate::apim) fn unclaimed(&self) -> Vec<usize> {
        let mut places = self.waiting.clone();
        places.retain(|&place| self.events.get(place).is_some_and(|event| event.claimed.is_none()));
        self.sort(&mut places);
        places
    }

    fn sort(&self, places: &mut [usize]) {
        places.sort_by_key(|&place| self.events.get(place).map(|event| (event.created, event.tie)));
    }

    /// The text of an event.
    pub(in crate::apim) fn text(&self, place: usize) -> Option<&Arc<str>> {
        self.events.get(place).map(|event| &event.text)
    }

    /// Marks events delivered.
    pub(in crate::apim) fn mark_delivered(&mut self, places: &[usize], now: Instant) {
        for &place in places {
            if let Some(event) = self.events.get_mut(place) {
                event.delivered = Some(now);
            }
        }
        self.waiting.retain(|place| !places.contains(place));
    }

    /// Removes what was delivered long ago; what was not is never removed (A-H6).
    pub(in crate::apim) fn purge(&mut self, now: Instant) {
        self.events.retain(|event| event.delivered.is_none_or(|at| now.since(at) <= KEPT));
        self.find_waiting();
    }

    /// Goes back to what the table held at `then`; returns whether that made a difference.
    pub(in crate::apim) fn restore(&mut self, then: Option<Instant>) -> bool {
        let is_known = |at: Instant| then.is_some_and(|then| at <= then);
        let before = (self.events.len(), self.waiting.len());
        self.events.retain(|event| is_known(event.at));
        for event in &mut self.events {
            event.delivered = event.delivered.filter(|&at| is_known(at));
            event.claimed = event.claimed.filter(|_| event.delivered.is_some());
        }
        self.find_waiting();
        before != (self.events.len(), self.waiting.len())
    }

    fn find_waiting(&mut self) {
        let undelivered = self.events.iter().enumerate();
        let undelivered = undelivered.filter(|(_, event)| event.delivered.is_none());
        self.waiting = undelivered.map(|(place, _)| place).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(60);
    const SECOND: Micros = 1_000_000;

    fn store(created: &[(Micros, u64)]) -> EventStore {
        let mut store = EventStore::default();
        for (place, &(created, tie)) in created.iter().enumerate() {
            let at = Instant::from_millis(place as u64);
            store.insert(at, created, tie, Arc::from(place.to_string()));
        }
        store
    }

    #[test]
    fn claims_come_by_stamp_then_by_random_id_and_expire() {
        let mut store = store(&[(5, 9), (5, 1), (4, 7)]);
        assert_eq!(store.claim(0, 0, LEASE), [2, 1, 0]);
        assert!(!store.is_claimable(60 * SECOND, LEASE));
        store.mark_delivered(&[2], Instant::START);
        assert_eq!(store.claim(60 * SECOND + 1, 60 * SECOND, LEASE), [1, 0]);
        assert!(store.unclaimed().is_empty() && store.is_waiting());
    }

    #[test]
    fn only_delivered_events_are_purged() {
        let mut store = store(&[(1, 1), (2, 2)]);
        store.mark_delivered(&[0], Instant::START);
        store.purge(Instant::from_millis(25 * 3_600_000));
        assert_eq!(store.newest().map(|text| &**text), Some("1"));
        assert_eq!(store.claim(0, 0, LEASE), [0]);
    }

    #[test]
    fn a_restore_forgets_later_events_and_later_marks() {
        let mut store = store(&[(1, 1), (2, 2), (3, 3)]);
        store.claim(0, 0, LEASE);
        store.mark_delivered(&[0], Instant::START);
        store.mark_delivered(&[1], Instant::from_millis(9));
        assert!(store.restore(Some(Instant::from_millis(1))));
        assert_eq!(store.unclaimed(), [1]);
        assert!(!store.restore(Some(Instant::from_millis(1))));
    }
}
