//! Invariants asserted after every input; one that breaks stops loudly.

use super::Engine;
use super::action::Request;
use super::lists::schedule::ListId;
use super::timers::Timer;
use crate::model::RequestId;
use crate::time::Instant;

/// What is served by [`Engine::handle_timeout`] alone; all else is done when an input is over.
const ENDS_ALONE: [Timer; 4] = [Timer::Dial, Timer::ConnectionAck, Timer::Lease, Timer::Request];

/// Cheap invariants are checked in every build.
pub(super) fn check(engine: &Engine, now: Instant) {
    assert!(engine.artifacts.touched.is_empty(), "everything touched was reconciled");
    let fetches = engine.out.fetches();
    assert!(fetches <= engine.config.fetches_in_flight_max, "fetches in flight are bounded");
    // A later answer could be overruled by an earlier one if a list were asked for twice.
    let is_known = |(id, request): (RequestId, &Request)| {
        engine.session.is_discovering(id)
            || ListId::of(request).is_none_or(|list| engine.lists.in_flight(&list) == Some(id))
    };
    assert!(engine.out.awaited().all(is_known), "each list is in flight once");
    if engine.next_timer.is_some_and(|(at, _)| at <= now) {
        check_served(engine, now);
    }
    if cfg!(debug_assertions) {
        let durable = engine.observed.durable();
        let is_one = |id| !durable.rows.contains_key(id);
        assert!(durable.tombstones.keys().all(is_one), "an artifact is held or deleted, not both");
    }
}

/// What is due and is not served by [`Engine::handle_timeout`] was done.
fn check_served(engine: &Engine, now: Instant) {
    let served = Timer::ALL.into_iter().filter(|timer| !ENDS_ALONE.contains(timer));
    for timer in served {
        let is_over = engine.due_at(timer).is_some_and(|due| due <= now);
        assert!(!is_over, "what is due is done when an input is over: {timer}");
    }
}
