//! What a world keeps for each gateway: the process with its store, its part of the network, and
//! everything that watches it.

use std::collections::{BTreeMap, BTreeSet};

use driftless_gateway::driver::Inbound;
use driftless_gateway::engine::{Config, Engine, SyncState};
use driftless_gateway::model::{ArtifactId, RequestId};
use driftless_gateway::time::Instant;

use super::process::SimGateway;
use crate::apim::ApiManager;
use crate::observe::{Heard, History, Served};
use crate::plant::{Plant, Sabotage};
use crate::properties;
use crate::properties::{Property, Verdicts};
use crate::random::Key;
use crate::story::aim::GatewayIndex;
use crate::story::file::Scenario;
use crate::world::net::{Line, Network};

/// A request that waits for its answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::world) struct Awaited {
    /// The exchange that it is.
    pub(in crate::world) exchange: u64,
    /// What it asks for.
    pub(in crate::world) name: &'static str,
    /// Where it asks.
    pub(in crate::world) path: String,
}

/// One gateway of a world, and what is noted about it.
pub(in crate::world) struct Host {
    /// Which of the gateways it is.
    pub(in crate::world) index: GatewayIndex,
    /// Its name, where the story names gateways.
    pub(in crate::world) name: Option<String>,
    /// What its own draws are keyed by.
    pub(in crate::world) key: Key,
    /// Its network.
    pub(in crate::world) net: Network,
    /// The process and its store.
    pub(in crate::world) gateway: SimGateway,
    /// What each request asked for that waits for its answer.
    pub(in crate::world) requests: BTreeMap<RequestId, Awaited>,
    /// The registration token that it shows.
    pub(in crate::world) token: String,
    /// What it serves.
    pub(in crate::world) served: BTreeMap<ArtifactId, Served>,
    /// What it was told and cannot have forgotten.
    pub(in crate::world) heard: Heard,
    /// What judges it.
    pub(in crate::world) properties: Vec<Box<dyn Property>>,
    /// What did not hold.
    pub(in crate::world) verdicts: Verdicts,
    /// What a planted defect does to it.
    pub(in crate::world) sabotage: Sabotage,
    /// When something last went wrong for it.
    pub(in crate::world) disturbed_at: Instant,
    /// How many faults had taken effect then.
    pub(in crate::world) faults_seen: u64,
    /// How often its process died.
    pub(in crate::world) crashes: u64,
    /// How often its connections were reset.
    pub(in crate::world) resets: u64,
    /// Until when it may not serve something because a definition was not read.
    pub(in crate::world) unread_until: Instant,
    /// How often its snapshots were swapped when last looked at.
    pub(in crate::world) swaps_seen: u64,
    /// Text frames on their way to it.
    pub(in crate::world) texts_in_flight: u64,
    /// Whether it had a session when last looked at.
    pub(in crate::world) was_live: bool,
    /// The last state of its status of REST APIs.
    pub(in crate::world) last_state: Option<SyncState>,
    /// Whether it reads the deployments list.
    pub(in crate::world) listing: bool,
    /// Hashes of the events that reached it.
    pub(in crate::world) event_hashes: BTreeSet<u128>,
    /// The artifacts that it acked.
    pub(in crate::world) acked: BTreeSet<ArtifactId>,
    /// What the story's claims are checked against.
    pub(in crate::world) history: History,
}

impl Host {
    /// A gateway that is not running yet; the first one's draws are those of the story.
    pub(in crate::world) fn new(
        story: &Scenario,
        manager: &ApiManager,
        index: GatewayIndex,
        plant: Option<Plant>,
    ) -> Self {
        let key = match index {
            GatewayIndex::FIRST => Key::new(story.seed),
            GatewayIndex(place) => Key::new(story.seed).child("gateway").nth(place as u64),
        };
        let name = story.gateways.get(index.0).map(|entry| entry.name.clone());
        let sabotage = Sabotage::new(plant);
        let mut config = Config::recommended();
        sabotage.configure(&mut config);
        let gateway = name.clone().filter(|_| story.gateways.len() > 1);
        Self {
            index,
            name,
            key,
            net: Network::new(key.child("net")),
            gateway: SimGateway::new(config, story.store, key.child("gateway")),
            requests: BTreeMap::new(),
            token: manager.token(sabotage.token_of(index)).to_owned(),
            served: BTreeMap::new(),
            heard: Heard::default(),
            properties: properties::all(),
            verdicts: Verdicts { gateway, ..Verdicts::default() },
            sabotage,
            disturbed_at: Instant::START,
            faults_seen: 0,
            crashes: 0,
            resets: 0,
            unread_until: Instant::START,
            swaps_seen: 0,
            texts_in_flight: 0,
            was_live: false,
            last_state: None,
            listing: false,
            event_hashes: BTreeSet::new(),
            acked: BTreeSet::new(),
            history: History::default(),
        }
    }

    /// Tells its driver of something, where it runs.
    pub(in crate::world) fn tell(&mut self, inbound: Inbound, now: Instant) {
        if let Some(driver) = self.gateway.driver() {
            driver.handle(inbound, now);
        }
    }

    /// Its driver is woken, where it runs.
    pub(in crate::world) fn wake(&mut self, now: Instant) {
        if let Some(driver) = self.gateway.driver() {
            driver.handle_timeout(now);
        }
    }

    /// Ends every fault of its network and its store; a process that is down stays down.
    pub(in crate::world) fn lift_faults(&mut self) {
        self.net.lift();
        let store = self.gateway.store();
        store.set_full(false);
        store.fail_writes(0);
        store.fail_reads(0);
    }

    /// Whether nothing is on its way to it, no connection is dead without anybody knowing, and
    /// nothing is being written, read or asked.
    pub(in crate::world) fn is_at_rest(&self, now: Instant) -> bool {
        let mut sessions = self.gateway.sessions.values();
        self.requests.is_empty()
            && !self.gateway.is_committing()
            && self.texts_in_flight == 0
            && self.unread_until <= now
            && !sessions.any(|connection| self.net.is_dead(Line::Session(*connection)))
    }

    /// Whether its process runs and has a session.
    pub(in crate::world) fn is_live(&self) -> bool {
        self.gateway.engine().is_some_and(Engine::is_live)
    }

    /// Whether it waits for an answer that is called so.
    pub(in crate::world) fn is_reading(&self, name: &str) -> bool {
        self.requests.values().any(|asked| asked.name == name)
    }

    /// How many faults took effect in its network, on its connections and in its store.
    pub(in crate::world) fn fault_total(&self) -> u64 {
        let store = self.gateway.store_faults();
        self.net.delivered_total() + store.full + store.failed + store.failed_reads + self.resets
    }

    /// How often each fault of its network, its connections and its machine took effect.
    pub(in crate::world) fn delivered(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let store = self.gateway.store_faults();
        let own = [
            ("crash", self.crashes),
            ("reset", self.resets),
            ("disk_full", store.full),
            ("fail_writes", store.failed),
            ("fail_reads", store.failed_reads),
            ("wipe_store", store.wipes),
        ];
        self.net.delivered().chain(own)
    }
}
