//! Invariants asserted after every input; one that breaks stops loudly.

use super::{Asked, Engine};

impl Engine {
    /// Cheap invariants are checked in every build.
    pub(super) fn check(&self) {
        let lists = self.requests.values().filter(|a| matches!(a.what, Asked::List)).count();
        assert!(lists <= 1, "one list at a time, or a later one could be overruled by an earlier");
        assert_eq!(
            lists == 1,
            self.resync.in_flight.is_some(),
            "the list in flight is the one the schedule knows of"
        );
        let fetches = self.requests.values().filter(|a| matches!(a.what, Asked::Fetch(..))).count();
        assert!(fetches <= self.config.fetches_in_flight_max, "fetches in flight are bounded");
        let rolls = self.requests.values().filter(|a| matches!(a.what, Asked::Roll(_))).count();
        assert!(rolls <= self.config.rolls_in_flight_max, "lists in flight are bounded");
        assert!(self.touched.is_empty(), "everything touched was reconciled");
        debug_assert!(
            self.observed.durable().tombstones.keys().all(|id| !self
                .observed
                .durable()
                .rows
                .contains_key(id)),
            "an artifact is held or deleted, not both"
        );
    }
}
