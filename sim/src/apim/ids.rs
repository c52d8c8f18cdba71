//! What things are called inside of APIM: places in its tables, and one of something for each
//! gateway, which the world keeps its hosts in, too.

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
pub(crate) struct PerGateway<T> {
    first: T,
    rest: Vec<T>,
}

/// What the other gateways have, beside one whose own may be changed.
#[derive(Debug)]
pub(crate) struct Others<'a, T> {
    first: Option<&'a T>,
    before: &'a [T],
    behind: &'a [T],
}

impl<T> Clone for Others<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Others<'_, T> {}

impl<'a, T> Others<'a, T> {
    /// Whether there is no other gateway.
    pub(crate) const fn is_empty(self) -> bool {
        self.first.is_none() && self.before.is_empty() && self.behind.is_empty()
    }

    /// All of them, in order.
    pub(crate) fn iter(self) -> impl Iterator<Item = &'a T> {
        self.first.into_iter().chain(self.before).chain(self.behind)
    }
}

impl<T> PerGateway<T> {
    /// Makes one for each of so many gateways.
    pub(crate) fn new(count: usize, mut make: impl FnMut(GatewayIndex) -> T) -> Self {
        let first = make(GatewayIndex::FIRST);
        Self { first, rest: (1..count).map(|place| make(GatewayIndex(place))).collect() }
    }

    /// How many there are.
    pub(crate) const fn count(&self) -> usize {
        self.rest.len() + 1
    }

    /// The gateways, in order.
    pub(crate) fn gateways(&self) -> impl Iterator<Item = GatewayIndex> + use<T> {
        (0..self.count()).map(GatewayIndex)
    }

    /// That of a gateway; an index that nobody was given stands for the first.
    pub(crate) fn at(&self, gateway: GatewayIndex) -> &T {
        let place = gateway.0.checked_sub(1);
        place.and_then(|place| self.rest.get(place)).unwrap_or(&self.first)
    }

    /// That of a gateway, to be changed.
    pub(crate) fn at_mut(&mut self, gateway: GatewayIndex) -> &mut T {
        let place = gateway.0.checked_sub(1);
        match place.and_then(|place| self.rest.get_mut(place)) {
            Some(it) => it,
            None => &mut self.first,
        }
    }

    /// That of a gateway, to be changed, and those of the others, to be looked at.
    pub(crate) fn apart(&mut self, gateway: GatewayIndex) -> (&mut T, Others<'_, T>) {
        let Some(place) = gateway.0.checked_sub(1) else {
            let others = Others { first: None, before: &[], behind: &self.rest };
            return (&mut self.first, others);
        };
        let place = place.min(self.rest.len());
        let (before, from) = self.rest.split_at_mut(place);
        match from.split_first_mut() {
            Some((it, behind)) => (it, Others { first: Some(&self.first), before, behind }),
            None => (&mut self.first, Others { first: None, before, behind: &[] }),
        }
    }

    /// All of them, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.first).chain(&self.rest)
    }

    /// All of them, to be changed.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        std::iter::once(&mut self.first).chain(&mut self.rest)
    }
}

/// What draws of an organization are keyed by.
pub(super) fn organization_key(key: Key, organization: OrganizationIndex) -> Key {
    match organization {
        OrganizationIndex(0) => key,
        OrganizationIndex(place) => key.child("organization").nth(place as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_set_apart_from_all_the_others() {
        let mut all = PerGateway::new(4, |gateway| gateway.0);
        for (gateway, expected) in
            [(0, [1, 2, 3]), (1, [0, 2, 3]), (2, [0, 1, 3]), (3, [0, 1, 2]), (9, [1, 2, 3])]
        {
            let (own, others) = all.apart(GatewayIndex(gateway));
            assert_eq!(*own, gateway % 9);
            assert!(others.iter().eq(&expected), "beside {gateway}");
            assert!(!others.is_empty());
        }
        let mut alone = PerGateway::new(1, |gateway| gateway.0);
        assert!(alone.apart(GatewayIndex::FIRST).1.is_empty());
    }
}
