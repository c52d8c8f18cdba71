//! Gateways, which APIM calls environments, and what it keeps for each of them apart: a token, a
//! row an event (§1.4), sessions (§1.3), and what was deployed there (§5.1).
//!
//! A gateway belongs to exactly one organization (§5.8). APIs, applications, plans and keys are an
//! organization's; nothing of them crosses to a gateway of another one.

use std::sync::Arc;

use driftless_gateway::time::Instant;

use crate::apim::Token;
use crate::apim::events::registry::Sessions;
use crate::apim::events::store::EventStore;
use crate::apim::faults::{Delivered, Faults};
use crate::apim::ids::PerGateway;
use crate::apim::ledger::Ledger;
use crate::random::Key;
use crate::story::aim::{Aim, GatewayIndex, OrganizationIndex, Registration};

/// What APIM keeps for one gateway.
pub(in crate::apim) struct Environment {
    /// Its id.
    pub(in crate::apim) id: Arc<str>,
    /// Whose it is.
    pub(in crate::apim) organization: OrganizationIndex,
    /// What its own draws are keyed by.
    pub(in crate::apim) key: Key,
    /// The registration token in force.
    pub(in crate::apim) token: Token,
    /// How many tokens there were before it.
    pub(in crate::apim) tokens: u64,
    /// Its rows in the event store.
    pub(in crate::apim) events: EventStore,
    /// Its sessions.
    pub(in crate::apim) sessions: Sessions,
    /// What goes wrong for it.
    pub(in crate::apim) faults: Faults,
    /// What was issued to it.
    pub(in crate::apim) ledger: Ledger,
    /// How often a fault took effect on it alone.
    pub(in crate::apim) delivered: u64,
}

impl Environment {
    /// A gateway that was just registered; the first one's draws are those of the story.
    pub(in crate::apim) fn new(key: Key, place: GatewayIndex, registration: Registration) -> Self {
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

/// What APIM keeps for each of its gateways, and how often faults took effect on them.
pub(in crate::apim) struct Gateways {
    environments: PerGateway<Environment>,
    /// How often each kind of fault took effect.
    pub(in crate::apim) delivered: Delivered,
}

impl Gateways {
    /// Gateways that were just registered; one where there is no registration.
    pub(in crate::apim) fn new(key: Key, registrations: &[Registration]) -> Self {
        let environments = PerGateway::new(registrations.len().max(1), |place| {
            let registration = registrations.get(place.0).copied().unwrap_or_default();
            Environment::new(key, place, registration)
        });
        Self { environments, delivered: Delivered::default() }
    }

    /// What is kept for a gateway.
    pub(in crate::apim) fn at(&self, gateway: GatewayIndex) -> &Environment {
        self.environments.at(gateway)
    }

    /// What is kept for a gateway, to be changed.
    pub(in crate::apim) fn at_mut(&mut self, gateway: GatewayIndex) -> &mut Environment {
        self.environments.at_mut(gateway)
    }

    /// What is kept for each gateway, in order.
    pub(in crate::apim) fn iter(&self) -> impl Iterator<Item = &Environment> {
        self.environments.iter()
    }

    /// What is kept for each gateway, to be changed.
    pub(in crate::apim) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Environment> {
        self.environments.iter_mut()
    }

    /// Every gateway.
    pub(in crate::apim) fn all(&self) -> impl Iterator<Item = GatewayIndex> + use<> {
        (0..self.environments.count()).map(GatewayIndex)
    }

    /// The gateways of an organization.
    pub(in crate::apim) fn gateways_of(
        &self,
        organization: OrganizationIndex,
    ) -> Vec<GatewayIndex> {
        let of =
            |gateway: &GatewayIndex| self.environments.at(*gateway).organization == organization;
        self.all().filter(of).collect()
    }

    /// The gateways that a step is aimed at, among those of its organization.
    pub(in crate::apim) fn aimed(&self, aim: &Aim) -> Vec<GatewayIndex> {
        let mut gateways = self.gateways_of(aim.organization);
        gateways.retain(|gateway| aim.is_at(*gateway));
        gateways
    }

    /// Writes the same into the ledger of every gateway of an organization.
    pub(in crate::apim) fn note_for(
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
    pub(in crate::apim) fn count_at(
        &mut self,
        gateway: GatewayIndex,
        kind: &'static str,
        times: u64,
    ) {
        self.delivered.add_kind(kind, times);
        self.environments.at_mut(gateway).delivered += times;
    }

    /// The gateway that a token is in force for.
    pub(in crate::apim) fn holder(&self, token: &str) -> Option<GatewayIndex> {
        let is_it = |gateway: &GatewayIndex| self.environments.at(*gateway).token.is(token);
        self.all().find(is_it)
    }

    /// Revokes every token of the gateways that are meant and issues others; an open session
    /// stays (§5.6).
    pub(in crate::apim) fn rotate_tokens(&mut self, aim: &Aim) -> bool {
        for gateway in self.all().filter(|gateway| aim.is_at(*gateway)) {
            let environment = self.environments.at_mut(gateway);
            environment.tokens += 1;
            environment.token = Token::new(environment.key, environment.tokens);
        }
        true
    }

    /// The organization that a gateway belongs to.
    pub(in crate::apim) fn organization_of(&self, gateway: GatewayIndex) -> OrganizationIndex {
        self.environments.at(gateway).organization
    }

    /// Whether events of any gateway wait to be delivered.
    pub(in crate::apim) fn is_any_waiting(&self) -> bool {
        self.environments.iter().any(|environment| environment.events.is_waiting())
    }

    /// When a session has something to do next.
    pub(in crate::apim) fn sessions_next_at(&self) -> Option<Instant> {
        self.environments.iter().filter_map(|environment| environment.sessions.next_at()).min()
    }

    /// Whether verifying a token throws now for a gateway; counts it (a failing check, A-H22).
    pub(in crate::apim) fn verification_throws(
        &mut self,
        gateway: GatewayIndex,
        now: Instant,
    ) -> bool {
        let refused = self.at(gateway).faults.refuses_tokens(now);
        if refused {
            self.count_at(gateway, "refuse_tokens", 1);
        }
        refused
    }
}
