//! The simulated API Manager: a model of APIM behind the bytes of its wire contract.
//!
//! Sans-IO and deterministic: frames and requests go in, frames and answers come out, deadlines
//! are polled. After anything that takes `now`, drain [`ApiManager::poll_frame`] to `None`, then
//! read [`ApiManager::poll_timeout`]. It is stricter than the real one: what the contract does
//! not allow is refused and kept in [`ApiManager::violations`].
//!
//! Where to find what: `tables` what APIM keeps, `people` what is done to it, `events` what it
//! raises and the sessions that carry it, `rest` what it answers, `faults` what goes wrong, `clock`
//! its wall clock, `changes` what the tables tell the events, `ids` the places in the tables, and
//! `ledger` the ground truth.

mod changes;
mod clock;
mod events;
mod faults;
mod ids;
mod ledger;
mod people;
mod rest;
mod tables;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use driftless_gateway::model::Dialect;
use driftless_gateway::time::Instant;
use driftless_gateway::wire::HttpResponse;

pub use clock::wall_clock;
pub use events::access::redacted;
pub use events::store::WaitingEvent;
pub use faults::Armed;
pub use ids::KeyIndex;
pub(crate) use ids::{Others, PerGateway};
pub use ledger::{
    AccessEvent, AckRecord, ApplicationRecord, ArtifactRecord, Cause, Denied, EventRecord, Expiry,
    Fate, Issue, Issued, KeyReach, KeyRecord, KeyScope, KeyState, Ledger, MustServe, Naming,
    PlanRecord, Secret, Subject, SubscriptionRecord,
};
pub use rest::definition::{Operation, Outline};
pub use tables::timeline::{Said, Timeline};

use clock::WallClock;
use events::access::AccessEvents;
use events::acks::Acks;
use events::artifacts::{Counts, Events};
use events::sessions::{Carrier, PUSHER_INTERVAL};
use faults::{NodeOutage, SharedFaults};
use people::artifacts::Publishing;
use people::grants::Grants;
use tables::access::Access;
use tables::artifacts::Catalog;
use tables::gateways::Gateways;
use tables::history::PendingEffects;

use crate::random::Key;
use crate::story::aim::{Aim, GatewayIndex, OrganizationIndex, Registration};
use crate::story::step::{Actor, Lifecycle, Verb};
use crate::story::switches::Switches;

/// Time between two purges of the event store (§1.4).
const PURGE_INTERVAL: Duration = Duration::from_secs(6 * 3600);

/// A connection of a gateway, numbered by whoever owns the sockets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConnectionId(pub u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connection {}", self.0)
    }
}

/// A frame that the API Manager sends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ServerFrame {
    /// A text frame.
    Text(Arc<str>),
    /// An empty ping.
    Ping,
    /// Close code and reason; the session is over.
    Close(u16, String),
}

/// What becomes of an upgrade request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Upgrade {
    /// 101; frames follow, possibly a close for a bad token.
    Accepted,
    /// Another status.
    Status(u16),
    /// Nothing is ever answered.
    NoAnswer,
    /// Nothing listens.
    Refused,
}

/// An answer to a request, and how long it takes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// How long the API Manager takes.
    pub delay: Duration,
    /// What it answers then.
    pub outcome: Answered,
    /// What it denies or names, where it matters; to be handed to [`ApiManager::told`] when the
    /// answer arrives.
    pub namings: Vec<Naming>,
}

/// What becomes of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answered {
    /// An answer whose body is complete as far as HTTP can tell.
    Answer(HttpResponse),
    /// Nothing is ever answered.
    NoAnswer,
    /// Nothing listens.
    Refused,
}

impl Reply {
    const fn at_once(outcome: Answered) -> Self {
        Self { delay: Duration::ZERO, outcome, namings: Vec::new() }
    }
}

/// Whether a verb did anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Applied {
    /// It did something, or armed a fault.
    Done,
    /// There was nothing to do: the step is a no-op in this story.
    Nothing,
    /// It is no business of the API Manager's: a verb of the network or the machine.
    NotMine,
}

/// A registration token. Its text is in no `Debug` output (law 16).
struct Token(String);

impl Token {
    fn new(key: Key, number: u64) -> Self {
        let key = key.child("tokens").nth(number);
        Self(format!("{:016x}{:016x}", key.draw("high"), key.draw("low")))
    }

    /// Whether a header carries it, plain or behind its id (§1.2).
    fn is(&self, header: &str) -> bool {
        let plain = header.rsplit_once('.').map_or(header, |(_, plain)| plain);
        header.len() <= 128 && plain == self.0
    }
}

/// What an API Manager speaks: the dialect, and how its switches stand.
struct Contract {
    dialect: Dialect,
    switches: Switches,
}

impl Contract {
    /// Whether this is an APIM, which stores events and keeps mapping and artifact cache apart;
    /// the Platform API 1.1 sends to whoever is connected and has one table.
    const fn keeps_events(&self) -> bool {
        !matches!(self.dialect, Dialect::PlatformApi11)
    }

    /// The base path of REST and WebSocket.
    const fn base_path(&self) -> &'static str {
        match self.dialect {
            Dialect::PlatformApi11 => "/api/internal/v1",
            Dialect::Apim470 | Dialect::Apim470Fixed => "/internal/data/v1",
        }
    }
}

/// The simulated API Manager, and everything it keeps for each of its gateways.
pub struct ApiManager {
    contract: Contract,
    key: Key,
    gateways: Gateways,
    catalog: Catalog,
    pending: PendingEffects,
    access: Access,
    /// The gateway of each connection that showed a token in force.
    owners: BTreeMap<ConnectionId, GatewayIndex>,
    clock: WallClock,
    faults: SharedFaults,
    node: NodeOutage,
    violations: Vec<String>,
    next_purge: Instant,
    next_push: Option<Instant>,
    counts: Counts,
    requests: u64,
}

impl fmt::Debug for ApiManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiManager")
            .field("dialect", &self.contract.dialect)
            .field("apis", &self.catalog.len())
            .field("requests", &self.requests)
            .finish_non_exhaustive()
    }
}

impl ApiManager {
    /// An API Manager without APIs, with one gateway registered.
    pub fn new(dialect: Dialect, switches: Switches, seed: u64) -> Self {
        Self::with_gateways(dialect, switches, seed, &[])
    }

    /// An API Manager without APIs, with these gateways registered; with one where there is none.
    pub fn with_gateways(
        dialect: Dialect,
        switches: Switches,
        seed: u64,
        gateways: &[Registration],
    ) -> Self {
        let key = Key::new(seed).child("manager");
        let gateways = Gateways::new(key, gateways);
        let ids = gateways.iter().map(|environment| Arc::clone(&environment.id)).collect();
        let next_push = switches.two_minute_pusher.then(|| Instant::START.after(PUSHER_INTERVAL));
        let mut manager = Self {
            key,
            gateways,
            catalog: Catalog::new(key, ids, dialect == Dialect::PlatformApi11),
            pending: PendingEffects::default(),
            access: Access::default(),
            owners: BTreeMap::new(),
            clock: WallClock::new(switches.timestamp_precision),
            faults: SharedFaults::default(),
            node: NodeOutage::default(),
            violations: Vec::new(),
            next_purge: Instant::START.after(PURGE_INTERVAL),
            next_push,
            counts: Counts::default(),
            requests: 0,
            contract: Contract { dialect, switches },
        };
        let organizations: BTreeSet<_> =
            manager.gateways.iter().map(|environment| environment.organization).collect();
        organizations.into_iter().for_each(|of| manager.grants().make_first_plans(of));
        manager
    }

    /// What an event touches.
    const fn events(&mut self) -> Events<'_> {
        Events {
            contract: &self.contract,
            key: self.key,
            catalog: &self.catalog,
            gateways: &mut self.gateways,
            clock: &mut self.clock,
            counts: &mut self.counts,
        }
    }

    /// What an event about keys, subscriptions, plans or applications touches.
    const fn access_events(&mut self) -> AccessEvents<'_> {
        AccessEvents {
            events: Events {
                contract: &self.contract,
                key: self.key,
                catalog: &self.catalog,
                gateways: &mut self.gateways,
                clock: &mut self.clock,
                counts: &mut self.counts,
            },
            access: &mut self.access,
            faults: &mut self.faults,
        }
    }

    /// What carries events to sessions.
    const fn carrier(&mut self) -> Carrier<'_> {
        Carrier { events: self.events() }
    }

    /// What people touch when they do something with an API.
    const fn publishing(&mut self) -> Publishing<'_> {
        Publishing {
            contract: &self.contract,
            key: self.key,
            catalog: &mut self.catalog,
            pending: &mut self.pending,
            gateways: &mut self.gateways,
            clock: &mut self.clock,
            counts: &mut self.counts,
        }
    }

    /// What people touch when they do something with keys, subscriptions, plans or applications.
    const fn grants(&mut self) -> Grants<'_> {
        Grants {
            contract: &self.contract,
            key: self.key,
            catalog: &self.catalog,
            access: &mut self.access,
            gateways: &mut self.gateways,
            clock: &mut self.clock,
            faults: &mut self.faults,
            counts: &mut self.counts,
        }
    }

    /// Carries out a verb of people or of the control plane, aimed at the first organization and
    /// at every gateway.
    pub fn apply(&mut self, verb: &Verb, now: Instant) -> Applied {
        self.apply_at(verb, &Aim::default(), now)
    }

    /// Carries out a verb of people or of the control plane where it is aimed at.
    pub fn apply_at(&mut self, verb: &Verb, aim: &Aim, now: Instant) -> Applied {
        self.advance(now);
        let of = aim.organization;
        let did = match verb {
            Verb::Publish(publish) => {
                self.publishing().publish(of, &publish.api, &publish.kind, now)
            }
            Verb::Revise(api) => self.publishing().revise(of, &api.api, true, now),
            Verb::ReviseUnreadable(api) => self.publishing().revise(of, &api.api, false, now),
            Verb::Deploy(deploy) => self.publishing().deploy(aim, deploy, now),
            Verb::Undeploy(api) => self.publishing().undeploy(aim, &api.api, now),
            Verb::Delete(api) => {
                let deleted = self.publishing().delete(of, &api.api, now);
                deleted.map(|api| self.grants().drop_children(api, now)).is_some()
            }
            Verb::Lifecycle(change) => {
                let changed =
                    self.publishing().change_lifecycle(of, &change.api, change.state, now);
                if let Some(api) = changed.filter(|_| change.state == Lifecycle::Retired) {
                    self.grants().drop_children(api, now);
                }
                changed.is_some()
            }
            Verb::RotateToken(_) => self.gateways.rotate_tokens(aim),
            Verb::CreateKey(create) => self.grants().create_key(of, create, now),
            Verb::RegenerateKey(key) => self.grants().regenerate_key(of, key, now),
            Verb::RevokeKey(key) => self.grants().revoke_key(of, key, now),
            Verb::ImportKeys(import) => self.grants().import_keys(of, import, now),
            Verb::Subscribe(subscribe) => self.grants().subscribe(of, subscribe, now),
            Verb::Unsubscribe(held) => self.grants().unsubscribe(of, held, now),
            Verb::ChangeSubscription(change) => self.grants().change_subscription(of, change, now),
            Verb::CreatePlan(plan) => self.grants().create_plan(of, plan, now),
            Verb::ChangePlan(plan) => self.grants().change_plan(of, plan, now),
            Verb::DeletePlan(plan) => self.grants().delete_plan(of, &plan.plan, now),
            Verb::MapKey(map) => self.grants().map_key(of, map, now),
            Verb::UnmapKey(map) => self.grants().unmap_key(of, map, now),
            Verb::DeleteApplication(named) => self.grants().delete_application(of, named, now),
            other => match other.actor() {
                Actor::Network | Actor::Machine => return Applied::NotMine,
                Actor::People | Actor::ControlPlane => self.apply_fault(other, aim, now),
            },
        };
        if did { Applied::Done } else { Applied::Nothing }
    }

    /// A gateway asks to upgrade.
    ///
    /// APIM accepts first and checks the token then, so a refused gateway sees a successful
    /// upgrade and close code 4401 (A-H23); the Platform API refuses the upgrade itself. `from`
    /// says who asks: faults of its own meet it, and whose session it gets is the token's matter.
    pub fn connect(
        &mut self,
        from: GatewayIndex,
        connection: ConnectionId,
        path: &str,
        token: Option<&str>,
        now: Instant,
    ) -> Upgrade {
        self.advance(now);
        if self.node.is_down(now) {
            self.gateways.count_at(from, "restart_manager", 1);
            return Upgrade::Refused;
        }
        if self.node.is_starting(now) {
            self.gateways.count_at(from, "restart_manager", 1);
            return Upgrade::Status(404);
        }
        if let Some(upgrade) = self.carrier().refused_upgrade(from, now) {
            return upgrade;
        }
        let under_base = path.strip_prefix(self.contract.base_path());
        if under_base != Some("/ws/gateways/connect") {
            return Upgrade::Status(404);
        }
        match self.carrier().check_token(from, token, now) {
            Ok(gateway) => {
                self.owners.insert(connection, gateway);
                self.carrier().open(gateway, connection, now);
            }
            Err(_) if self.contract.dialect == Dialect::PlatformApi11 => {
                return Upgrade::Status(401);
            }
            Err(reason) => {
                let sessions = &mut self.gateways.at_mut(from).sessions;
                sessions.send(connection, ServerFrame::Close(4401, reason.to_owned()));
            }
        }
        Upgrade::Accepted
    }

    /// A text frame of a gateway.
    pub fn receive_frame(&mut self, connection: ConnectionId, text: &str, now: Instant) {
        self.advance(now);
        // Which gateway speaks is known by its session alone.
        let gateway = self.owners.get(&connection).copied().unwrap_or_default();
        let mut acks = Acks {
            catalog: &self.catalog,
            contract: &self.contract,
            ledger: &mut self.gateways.at_mut(gateway).ledger,
            violations: &mut self.violations,
        };
        acks.receive((gateway, connection), text, now);
    }

    /// A connection is gone; what was still to be sent on it is dropped.
    pub fn disconnected(&mut self, connection: ConnectionId, now: Instant) {
        self.advance(now);
        for environment in self.gateways.iter_mut() {
            environment.sessions.remove(connection);
        }
    }

    /// The next frame to send.
    pub fn poll_frame(&mut self) -> Option<(ConnectionId, ServerFrame)> {
        self.gateways.iter_mut().find_map(|environment| environment.sessions.pop())
    }

    /// When something is due next; call [`ApiManager::handle_timeout`] then.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let tables = [self.pending.next_at(), self.access.next_at()];
        let clocks = [self.gateways.sessions_next_at(), self.next_push, Some(self.next_purge)];
        tables.into_iter().chain(clocks).flatten().min()
    }

    /// The events that wait to be delivered to a gateway, oldest first.
    pub fn waiting_events(&self, gateway: GatewayIndex) -> impl Iterator<Item = WaitingEvent<'_>> {
        self.gateways.at(gateway).events.waiting()
    }

    /// Whether events wait to be delivered, or effects to be readable.
    pub fn has_unfinished(&self) -> bool {
        let changes = [self.pending.next_at(), self.access.next_at()];
        self.gateways.is_any_waiting() || changes.iter().any(Option::is_some)
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
    }

    /// Does everything that is due up to now, each thing at its own moment.
    fn advance(&mut self, now: Instant) {
        while let Some(at) = self.poll_timeout()
            && at <= now
        {
            while let Some(pending) = self.pending.pop_due(at) {
                self.catalog.carry_out(pending.spot, pending.effect, at);
            }
            self.access.settle(at);
            while let Some(told) = self.access.pop_late(at) {
                self.access_events().raise_told(&told, at);
            }
            self.carrier().tick_sessions(at);
            if self.next_push.is_some_and(|push| push <= at) {
                self.next_push = Some(at.after(PUSHER_INTERVAL));
                self.carrier().push_waiting(at);
            }
            if self.next_purge <= at {
                self.next_purge = at.after(PURGE_INTERVAL);
                let environments = self.gateways.iter_mut();
                environments.for_each(|environment| environment.events.purge(at));
            }
        }
    }

    /// The registration token in force for a gateway.
    pub fn token(&self, gateway: GatewayIndex) -> &str {
        &self.gateways.at(gateway).token.0
    }

    /// The dialect it speaks.
    pub const fn dialect(&self) -> Dialect {
        self.contract.dialect
    }

    /// How its switches stand.
    pub const fn switches(&self) -> &Switches {
        &self.contract.switches
    }

    /// The id of a gateway.
    pub fn gateway(&self, gateway: GatewayIndex) -> &str {
        &self.gateways.at(gateway).id
    }

    /// The base path of REST and WebSocket.
    pub const fn base_path(&self) -> &'static str {
        self.contract.base_path()
    }

    /// The organization that a gateway belongs to.
    pub fn organization_of(&self, gateway: GatewayIndex) -> OrganizationIndex {
        self.gateways.organization_of(gateway)
    }

    /// The node that a gateway's connections are sent to, from 0.
    pub fn node_of(&self, gateway: GatewayIndex) -> u32 {
        self.gateways.at(gateway).sessions.route()
    }

    /// Everything ever issued to a gateway: what its organization has, and what was deployed
    /// there.
    pub fn ledger(&self, gateway: GatewayIndex) -> &Ledger {
        &self.gateways.at(gateway).ledger
    }

    /// An answer arrived at a gateway: the ledger notes what it denied.
    pub fn told(&mut self, gateway: GatewayIndex, namings: Vec<Naming>) {
        let denied = self.gateways.at_mut(gateway).ledger.denied_mut();
        namings.into_iter().for_each(|naming| denied.note(naming));
    }

    /// How often each kind of fault took effect on something that was sent or answered.
    pub const fn delivered(&self) -> &BTreeMap<&'static str, u64> {
        &self.gateways.delivered.by_kind
    }

    /// How often any fault took effect on a gateway, or on all of them at once.
    pub fn delivered_total(&self, gateway: GatewayIndex) -> u64 {
        self.gateways.delivered.shared + self.gateways.at(gateway).delivered
    }

    /// What the gateway did that the contract does not allow.
    pub fn violations(&self) -> &[String] {
        &self.violations
    }
}
