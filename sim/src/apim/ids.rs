//! What things are called inside of APIM: places in its tables, and one of something for each
//! gateway.

use crate::random::Key;
use crate::story::aim::{GatewayIndex, OrganizationIndex};

/// An API's place in the catalog; never reused.
pub(super) type ApiIndex = usize;

/// An application's place; never reused.
pub(super) type ApplicationIndex = usize;

/// A subscription's place; never reused.
pub(super) type SubscriptionIndex = usize;

/// A plan's place; never reused.
pub(super) type PlanIndex = usize;

/// A key's place in the ledger; never reused.
pub type KeyIndex = usize;

/// An API on a gateway.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Spot {
    /// The API.
    pub(super) api: ApiIndex,
    /// The gateway.
    pub(super) gateway: GatewayIndex,
}

/// One of something for each gateway. There is always a first.
#[derive(Clone, Debug)]
pub(super) struct PerGateway<T> {
    first: T,
    others: Vec<T>,
}

impl<T> PerGateway<T> {
    /// Makes one for each of so many gateways.
    pub(super) fn new(count: usize, mut make: impl FnMut(GatewayIndex) -> T) -> Self {
        let first = make(GatewayIndex::FIRST);
        Self { first, others: (1..count).map(|place| make(GatewayIndex(place))).collect() }
    }

    /// How many there are.
    pub(super) const fn count(&self) -> usize {
        self.others.len() + 1
    }

    /// That of a gateway; an index that nobody was given stands for the first.
    pub(super) fn at(&self, gateway: GatewayIndex) -> &T {
        let other = gateway.0.checked_sub(1).and_then(|place| self.others.get(place));
        other.unwrap_or(&self.first)
    }

    /// That of a gateway, to be changed.
    pub(super) fn at_mut(&mut self, gateway: GatewayIndex) -> &mut T {
        let place = gateway.0.checked_sub(1);
        match place.and_then(|place| self.others.get_mut(place)) {
            Some(other) => other,
            None => &mut self.first,
        }
    }

    /// All of them, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// All of them, to be changed.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        std::iter::once(&mut self.first).chain(&mut self.others)
    }
}

/// What draws of an organization are keyed by.
pub(super) fn organization_key(key: Key, organization: OrganizationIndex) -> Key {
    match organization {
        OrganizationIndex(0) => key,
        OrganizationIndex(place) => key.child("organization").nth(place as u64),
    }
}
