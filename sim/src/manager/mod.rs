//! The simulated API Manager: a model of APIM behind the bytes of its wire contract.
//!
//! Sans-IO and deterministic: frames and requests go in, frames and answers come out, deadlines
//! are polled. After anything that takes `now`, drain [`ApiManager::poll_frame`] to `None`, then
//! read [`ApiManager::poll_timeout`]. It is stricter than the real one: what the contract does
//! not allow is refused and kept in [`ApiManager::violations`].
//!
//! Where to find what: `catalog` the APIs and their ids, `outline` what their definitions say,
//! `deployment` what people do,
//! `announce` the events it raises, `rows` the two tables that APIM keeps apart and their history,
//! `access` who may use what: `keys` with `key_changes`, `applications`, `subscriptions` and
//! `plans`, whose past is a `timeline`, whose events are `notices` and whose lists `rolls`;
//! `events` the event store, `sessions` the WebSocket side, `rest` and `reads` the HTTP side,
//! `wrong` and `faults` what goes wrong, `switches` what the contract leaves open, `ledger` the
//! ground truth.

mod access;
mod acks;
mod announce;
mod applications;
mod archive;
mod bodies;
mod catalog;
mod clock;
mod deployment;
mod events;
mod faults;
mod key_changes;
mod keys;
mod ledger;
mod notices;
mod outline;
mod plans;
mod reads;
mod rest;
mod rolls;
mod rows;
mod sessions;
mod subscriptions;
mod switches;
mod timeline;
pub(crate) mod wrong;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use driftless_gateway::model::Dialect;
use driftless_gateway::time::Instant;
use driftless_gateway::wire::HttpResponse;

pub use clock::wall_clock;
pub use ledger::{
    AckRecord, ApplicationRecord, Cause, EventRecord, Expiry, Fate, Issue, Issued, KeyIndex,
    KeyRecord, KeyScope, KeyState, Ledger, MustServe, Notice, PlanRecord, Reach, Record, Secret,
    SubscriptionRecord,
};
pub use notices::redacted;
pub use outline::{Operation, Outline};
pub use switches::{BatchEncoding, BatchPath, DbPrecision, KindSpelling, MissingRoute, Switches};
pub use timeline::{Said, Timeline};

use access::Access;
use catalog::Catalog;
use clock::WallClock;
use events::EventStore;
use faults::{Delivered, Faults, Node};
use rows::PendingEffects;
use sessions::{PUSHER_INTERVAL, Sessions};

use crate::random::Key;
use crate::step::Verb;

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
    pub outcome: Outcome,
}

/// What becomes of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// An answer whose body is complete as far as HTTP can tell.
    Answer(HttpResponse),
    /// Nothing is ever answered.
    NoAnswer,
    /// Nothing listens.
    Refused,
}

impl Reply {
    const fn at_once(outcome: Outcome) -> Self {
        Self { delay: Duration::ZERO, outcome }
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

/// The simulated API Manager of one gateway.
pub struct ApiManager {
    dialect: Dialect,
    switches: Switches,
    key: Key,
    gateway: Arc<str>,
    token: Token,
    tokens: u64,
    catalog: Catalog,
    events: EventStore,
    sessions: Sessions,
    clock: WallClock,
    faults: Faults,
    node: Node,
    pending: PendingEffects,
    access: Access,
    ledger: Ledger,
    delivered: Delivered,
    violations: Vec<String>,
    next_purge: Instant,
    next_push: Option<Instant>,
    raised: u64,
    stamps: u64,
    requests: u64,
}

impl fmt::Debug for ApiManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiManager")
            .field("dialect", &self.dialect)
            .field("apis", &self.catalog.len())
            .field("requests", &self.requests)
            .finish_non_exhaustive()
    }
}

impl ApiManager {
    /// An API Manager without APIs, with one gateway registered.
    pub fn new(dialect: Dialect, switches: Switches, seed: u64) -> Self {
        let key = Key::new(seed).child("manager");
        let gateway: Arc<str> = Arc::from(key.uuid("gateway"));
        let next_push = switches.two_minute_pusher.then(|| Instant::START.after(PUSHER_INTERVAL));
        let mut manager = Self {
            dialect,
            key,
            token: Token::new(key, 0),
            tokens: 0,
            catalog: Catalog::new(key, Arc::clone(&gateway), dialect == Dialect::PlatformApi11),
            gateway,
            events: EventStore::default(),
            sessions: Sessions::default(),
            clock: WallClock::new(switches.db_precision),
            faults: Faults::default(),
            node: Node::default(),
            pending: PendingEffects::default(),
            access: Access::default(),
            ledger: Ledger::default(),
            delivered: Delivered::default(),
            violations: Vec::new(),
            next_purge: Instant::START.after(PURGE_INTERVAL),
            next_push,
            raised: 0,
            stamps: 0,
            requests: 0,
            switches,
        };
        manager.make_first_plans();
        manager
    }

    /// Carries out a verb of people or of the control plane.
    pub fn apply(&mut self, verb: &Verb, now: Instant) -> Applied {
        self.advance(now);
        let did = match verb {
            Verb::Publish(publish) => self.publish(&publish.api, &publish.kind, now),
            Verb::Revise(api) => self.revise(&api.api, now),
            Verb::Deploy(deploy) => self.deploy(deploy, now),
            Verb::Undeploy(api) => self.undeploy(&api.api, now),
            Verb::Delete(api) => self.delete(&api.api, now),
            Verb::Lifecycle(change) => self.change_lifecycle(&change.api, change.state, now),
            Verb::RotateToken(_) => {
                // All earlier tokens are revoked at once; an open session stays (§5.6).
                self.tokens += 1;
                self.token = Token::new(self.key, self.tokens);
                true
            }
            Verb::CreateKey(create) => self.create_key(create, now),
            Verb::RegenerateKey(key) => self.regenerate_key(key, now),
            Verb::RevokeKey(key) => self.revoke_key(key, now),
            Verb::ImportKeys(import) => self.import_keys(import, now),
            Verb::Subscribe(subscribe) => self.subscribe(subscribe, now),
            Verb::Unsubscribe(held) => self.unsubscribe(&held.application, &held.api, now),
            Verb::ChangeSubscription(change) => self.change_subscription(change, now),
            Verb::CreatePlan(plan) => self.create_plan(plan, now),
            Verb::ChangePlan(plan) => self.change_plan(plan, now),
            Verb::DeletePlan(plan) => self.delete_plan(&plan.plan, now),
            Verb::MapKey(map) => self.map_key(map, now),
            Verb::UnmapKey(map) => self.unmap_key(map, now),
            Verb::DeleteApplication(named) => self.delete_application(&named.application, now),
            Verb::Partition(_)
            | Verb::Hold(_)
            | Verb::Latency(_)
            | Verb::HalfOpen(_)
            | Verb::Reset(_)
            | Verb::Frames(_)
            | Verb::Crash(_)
            | Verb::DiskFull(_)
            | Verb::FailWrites(_)
            | Verb::WipeStore(_) => return Applied::NotMine,
            fault => self.apply_fault(fault, now),
        };
        if did { Applied::Done } else { Applied::Nothing }
    }

    /// A connection is gone; what was still to be sent on it is dropped.
    pub fn disconnected(&mut self, connection: ConnectionId, now: Instant) {
        self.advance(now);
        self.sessions.remove(connection);
    }

    /// The next frame to send.
    pub fn poll_frame(&mut self) -> Option<(ConnectionId, ServerFrame)> {
        self.sessions.pop()
    }

    /// When something is due next; call [`ApiManager::handle_timeout`] then.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let tables = [self.pending.next_at(), self.access.next_at()];
        let clocks = [self.sessions.next_at(), self.next_push, Some(self.next_purge)];
        tables.into_iter().chain(clocks).flatten().min()
    }

    /// Whether events wait to be delivered, or effects to be readable.
    pub fn has_unfinished(&self) -> bool {
        let changes = [self.pending.next_at(), self.access.next_at()];
        self.events.is_waiting() || changes.iter().any(Option::is_some)
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
                self.carry_out(pending.api, pending.effect, at);
            }
            self.settle_access(at);
            self.tick_sessions(at);
            if self.next_push.is_some_and(|push| push <= at) {
                self.next_push = Some(at.after(PUSHER_INTERVAL));
                self.push_waiting(at);
            }
            if self.next_purge <= at {
                self.next_purge = at.after(PURGE_INTERVAL);
                self.events.purge(at);
            }
        }
    }

    /// The registration token in force.
    pub fn token(&self) -> &str {
        &self.token.0
    }

    /// The dialect it speaks.
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// How its switches stand.
    pub const fn switches(&self) -> &Switches {
        &self.switches
    }

    /// The id of the gateway it serves.
    pub fn gateway(&self) -> &str {
        &self.gateway
    }

    /// The base path of REST and WebSocket.
    pub const fn base_path(&self) -> &'static str {
        match self.dialect {
            Dialect::PlatformApi11 => "/api/internal/v1",
            Dialect::Apim470 | Dialect::Apim470Fixed => "/internal/data/v1",
        }
    }

    /// Everything ever issued.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// How often each kind of fault took effect on something that was sent or answered.
    pub const fn delivered(&self) -> &BTreeMap<&'static str, u64> {
        &self.delivered.by_kind
    }

    /// How often any fault took effect.
    pub const fn delivered_total(&self) -> u64 {
        self.delivered.total
    }

    /// What the gateway did that the contract does not allow.
    pub fn violations(&self) -> &[String] {
        &self.violations
    }

    /// Whether this is an APIM, which stores events and keeps mapping and artifact cache apart;
    /// the Platform API 1.1 sends to whoever is connected and has one table.
    const fn keeps_events(&self) -> bool {
        !matches!(self.dialect, Dialect::PlatformApi11)
    }
}
