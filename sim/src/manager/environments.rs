//! Gateways, which APIM calls environments, and what it keeps for each of them apart: a token, a
//! row an event (§1.4), sessions (§1.3), and what was deployed there (§5.1).
//!
//! A gateway belongs to exactly one organization (§5.8). APIs, applications, plans and keys are an
//! organization's; nothing of them crosses to a gateway of another one.

use std::sync::Arc;

use driftless_gateway::time::Instant;

use super::catalog::ApiIndex;
use super::events::EventStore;
use super::faults::Faults;
use super::ledger::Ledger;
use super::sessions::Sessions;
use super::{ApiManager, Token};
use crate::random::Key;
use crate::story::aim::{Aim, GatewayIndex, OrganizationIndex, Registration};

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

/// What APIM keeps for one gateway.
pub(super) struct Environment {
    /// Its id.
    pub(super) id: Arc<str>,
    /// Whose it is.
    pub(super) organization: OrganizationIndex,
    /// What its own draws are keyed by.
    pub(super) key: Key,
    /// The registration token in force.
    pub(super) token: Token,
    /// How many tokens there were before it.
    pub(super) tokens: u64,
    /// Its rows in the event store.
    pub(super) events: EventStore,
    /// Its sessions.
    pub(super) sessions: Sessions,
    /// What goes wrong for it.
    pub(super) faults: Faults,
    /// What was issued to it.
    pub(super) ledger: Ledger,
    /// How often a fault took effect on it alone.
    pub(super) delivered: u64,
}

impl Environment {
    /// A gateway that was just registered; the first one's draws are those of the story.
    pub(super) fn new(key: Key, place: GatewayIndex, registration: Registration) -> Self {
        let key = match place {
            GatewayIndex::FIRST => key,
            GatewayIndex(place) => key.child("gateway").nth(place as u64),
        };
        Self {
            id: Arc::from(key.uuid("gateway")),
            organization: registration.organization,
            key,
            token: Token::new(key, 0),
            tokens: 0,
            events: EventStore::default(),
            sessions: Sessions::default(),
            faults: Faults::default(),
            ledger: Ledger::default(),
            delivered: 0,
        }
    }
}

impl ApiManager {
    /// Every gateway.
    pub(super) fn gateways(&self) -> impl Iterator<Item = GatewayIndex> + use<> {
        (0..self.environments.count()).map(GatewayIndex)
    }

    /// The gateways of an organization.
    pub(super) fn gateways_of(&self, organization: OrganizationIndex) -> Vec<GatewayIndex> {
        let of =
            |gateway: &GatewayIndex| self.environments.at(*gateway).organization == organization;
        self.gateways().filter(of).collect()
    }

    /// The gateways that a step is aimed at, among those of its organization.
    pub(super) fn aimed(&self, aim: &Aim) -> Vec<GatewayIndex> {
        let mut gateways = self.gateways_of(aim.organization);
        gateways.retain(|gateway| aim.is_at(*gateway));
        gateways
    }

    /// What draws of an organization are keyed by; the first one's are those of the story.
    pub(super) fn organization_key(&self, organization: OrganizationIndex) -> Key {
        organization_key(self.key, organization)
    }

    /// Writes the same into the ledger of every gateway of an organization.
    pub(super) fn note_for(
        &mut self,
        organization: OrganizationIndex,
        mut note: impl FnMut(&mut Ledger),
    ) {
        for environment in self.environments.iter_mut() {
            if environment.organization == organization {
                note(&mut environment.ledger);
            }
        }
    }

    /// A fault took effect on one gateway.
    pub(super) fn count_at(&mut self, gateway: GatewayIndex, kind: &'static str, times: u64) {
        self.delivered.add_kind(kind, times);
        self.environments.at_mut(gateway).delivered += times;
    }

    /// The gateway that a token is in force for.
    pub(super) fn holder(&self, token: &str) -> Option<GatewayIndex> {
        let is_it = |gateway: &GatewayIndex| self.environments.at(*gateway).token.is(token);
        self.gateways().find(is_it)
    }

    /// Revokes every token of the gateways that are meant and issues others; an open session
    /// stays (§5.6).
    pub(super) fn rotate_tokens(&mut self, aim: &Aim) -> bool {
        for gateway in self.gateways().filter(|gateway| aim.is_at(*gateway)) {
            let environment = self.environments.at_mut(gateway);
            environment.tokens += 1;
            environment.token = Token::new(environment.key, environment.tokens);
        }
        true
    }

    /// The organization that a gateway belongs to.
    pub fn organization_of(&self, gateway: GatewayIndex) -> OrganizationIndex {
        self.environments.at(gateway).organization
    }

    /// Whether events of any gateway wait to be delivered.
    pub(super) fn is_any_waiting(&self) -> bool {
        self.environments.iter().any(|environment| environment.events.is_waiting())
    }

    /// When a session has something to do next.
    pub(super) fn sessions_next_at(&self) -> Option<Instant> {
        self.environments.iter().filter_map(|environment| environment.sessions.next_at()).min()
    }
}

/// What draws of an organization are keyed by.
pub(super) fn organization_key(key: Key, organization: OrganizationIndex) -> Key {
    match organization {
        OrganizationIndex(0) => key,
        OrganizationIndex(place) => key.child("organization").nth(place as u64),
    }
}
