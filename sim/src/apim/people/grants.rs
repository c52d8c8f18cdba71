//! What people do with keys, subscriptions, plans and applications.
//!
//! What is done to one of them often goes on at the others: an application that is deleted takes its
//! keys and subscriptions along. So the four files beside this one have one handler.

use driftless_gateway::time::Instant;

use crate::apim::Contract;
use crate::apim::clock::WallClock;
use crate::apim::events::access::AccessEvents;
use crate::apim::events::artifacts::{Counts, Events};
use crate::apim::faults::SharedFaults;
use crate::apim::ids::ApiIndex;
use crate::apim::tables::access::Access;
use crate::apim::tables::artifacts::Catalog;
use crate::apim::tables::gateways::Gateways;
use crate::random::Key;

/// What may be touched when people do something with keys, subscriptions, plans or applications.
/// Of the APIs nothing is changed.
pub(in crate::apim) struct Grants<'a> {
    /// What is spoken.
    pub(in crate::apim) contract: &'a Contract,
    /// What draws are keyed by.
    pub(in crate::apim) key: Key,
    /// The APIs.
    pub(in crate::apim) catalog: &'a Catalog,
    /// The tables.
    pub(in crate::apim) access: &'a mut Access,
    /// The gateways.
    pub(in crate::apim) gateways: &'a mut Gateways,
    /// The wall clock.
    pub(in crate::apim) clock: &'a mut WallClock,
    /// What goes wrong for everyone.
    pub(in crate::apim) faults: &'a mut SharedFaults,
    /// What was made so far.
    pub(in crate::apim) counts: &'a mut Counts,
}

impl Grants<'_> {
    /// What an event about them touches.
    pub(in crate::apim) const fn events(&mut self) -> AccessEvents<'_> {
        AccessEvents {
            events: Events {
                contract: self.contract,
                key: self.key,
                catalog: self.catalog,
                gateways: self.gateways,
                clock: self.clock,
                counts: self.counts,
            },
            access: self.access,
            faults: self.faults,
        }
    }

    /// When a change of these tables made now becomes readable; counts a delay.
    pub(super) fn readable(&mut self, now: Instant) -> Instant {
        let Some(delay) = self.faults.delay.length(now) else { return now };
        self.gateways.delivered.count("delay_effects");
        let at = now.after(delay);
        self.access.will_change(at, now);
        at
    }

    /// What is deleted or retired takes its keys and subscriptions along.
    pub(in crate::apim) fn drop_children(&mut self, api: ApiIndex, now: Instant) {
        self.drop_keys(api, now);
        self.drop_subscriptions(api, now);
    }
}
