//! Invariants asserted after every input; one that breaks stops loudly.

use super::{Asked, Awaited, Engine};
use crate::model::RequestId;

impl Engine {
    /// Cheap invariants are checked in every build.
    pub(super) fn check(&self) {
        // A later answer could be overruled by an earlier one if a list were asked for twice.
        let is_known = |(request, awaited): (&RequestId, &Awaited)| match &awaited.what {
            Asked::List(id) => self.lists.in_flight(id) == Some(*request),
            _ => true,
        };
        assert!(self.requests.iter().all(is_known), "each list is in flight once");
        let fetches = self.requests.values().filter(|a| matches!(a.what, Asked::Fetch(..))).count();
        assert!(fetches <= self.config.fetches_in_flight_max, "fetches in flight are bounded");
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
