//! What the gateway was told of keys, subscriptions, plans and applications and cannot have
//! forgotten: after a crash an event counts only when a write was begun after it and is durable,
//! for what is only in memory dies with the process.

use std::collections::BTreeMap;

use driftless_gateway::model::{ResourceEvent, ResourceId};
use driftless_gateway::time::{Instant, Timestamp};

use crate::apim::AccessEvent;

/// Which event: what it is about, its type and its stamp; two of one stamp differ in type.
type Name = (ResourceId, &'static str, Option<Timestamp>);

/// When an event was heard first, and how many were before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Hearing {
    at: Instant,
    nth: u64,
}

/// The events that reached the gateway.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Heard {
    heard: BTreeMap<Name, Hearing>,
    count: u64,
    write_begun_at: Instant,
    durable_until: Instant,
}

impl Heard {
    /// An event reached the gateway; copies of it count from the first.
    pub(crate) fn hear(&mut self, event: &ResourceEvent, now: Instant) {
        let name = (event.id.clone(), event.event_type(), event.sent_at);
        self.count += 1;
        self.heard.entry(name).or_insert(Hearing { at: now, nth: self.count });
    }

    /// A write was begun; what was heard before is in it, or needed none.
    pub(crate) const fn write_begins(&mut self, now: Instant) {
        self.write_begun_at = now;
    }

    /// The write is durable.
    pub(crate) const fn written(&mut self) {
        self.durable_until = self.write_begun_at;
    }

    /// The process died.
    pub(crate) fn crash(&mut self) {
        let until = self.durable_until;
        self.heard.retain(|_, heard| heard.at < until);
    }

    /// The store was lost.
    pub(crate) fn wipe(&mut self) {
        self.heard.clear();
    }

    /// When the gateway heard this event first.
    pub fn at(&self, access_event: &AccessEvent) -> Option<Instant> {
        self.hearing(access_event).map(|heard| heard.at)
    }

    /// Whether the gateway heard one event before another; both count from the first copy.
    pub fn is_before(&self, one: &AccessEvent, other: &AccessEvent) -> bool {
        let nth = |event: &AccessEvent| self.hearing(event).map(|heard| heard.nth);
        nth(one).zip(nth(other)).is_some_and(|(one, other)| one < other)
    }

    fn hearing(&self, access_event: &AccessEvent) -> Option<Hearing> {
        let AccessEvent { about, event_type, sent_at, .. } = access_event;
        self.heard.get(&(about.clone(), event_type, *sent_at)).copied()
    }
}
