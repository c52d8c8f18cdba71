//! What a world keeps for each gateway: the process with its store, its part of the network, and
//! everything that watches it.

use std::collections::{BTreeMap, BTreeSet};

use driftless_gateway::engine::{Config, SyncState};
use driftless_gateway::model::{ArtifactId, RequestId};
use driftless_gateway::time::Instant;

use super::Books;
use crate::gateway::SimGateway;
use crate::manager::{ApiManager, GatewayIndex};
use crate::net::Network;
use crate::plant::{Plant, Sabotage};
use crate::properties::{self, Property, Served, Verdicts};
use crate::random::Key;
use crate::scenario::Scenario;
use crate::told::Told;

/// A request that waits for its answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Asked {
    /// The exchange that it is.
    pub(super) exchange: u64,
    /// What it asks for.
    pub(super) name: &'static str,
    /// Where it asks.
    pub(super) path: String,
}

/// One gateway of a world, and what is noted about it.
pub(super) struct Site {
    /// Which of the gateways it is.
    pub(super) index: GatewayIndex,
    /// Its name, where the story names gateways.
    pub(super) name: Option<String>,
    /// What its own draws are keyed by.
    pub(super) key: Key,
    /// Its network.
    pub(super) net: Network,
    /// The process and its store.
    pub(super) gateway: SimGateway,
    /// What each request asked for that waits for its answer.
    pub(super) requests: BTreeMap<RequestId, Asked>,
    /// The registration token that it shows.
    pub(super) token: String,
    /// What it serves.
    pub(super) served: BTreeMap<ArtifactId, Served>,
    /// What it was told and cannot have forgotten.
    pub(super) told: Told,
    /// What judges it.
    pub(super) properties: Vec<Box<dyn Property>>,
    /// What did not hold.
    pub(super) verdicts: Verdicts,
    /// What a planted defect does to it.
    pub(super) sabotage: Sabotage,
    /// When something last went wrong for it.
    pub(super) disturbed_at: Instant,
    /// How many faults had taken effect then.
    pub(super) faults_seen: u64,
    /// How often its process died.
    pub(super) crashes: u64,
    /// How often its connections were reset.
    pub(super) resets: u64,
    /// Until when it may not serve something because a definition was not read.
    pub(super) unread_until: Instant,
    /// How often its snapshots were swapped when last looked at.
    pub(super) swaps_seen: u64,
    /// Text frames on their way to it.
    pub(super) texts_in_flight: u64,
    /// Whether it had a session when last looked at.
    pub(super) was_live: bool,
    /// The last state of its status of REST APIs.
    pub(super) last_state: Option<SyncState>,
    /// Whether it reads the deployments list.
    pub(super) listing: bool,
    /// The definitions that it reads.
    pub(super) fetches: BTreeSet<RequestId>,
    /// Lists of keys, subscriptions and plans that are being read, by what they are called.
    pub(super) rolls: BTreeMap<RequestId, &'static str>,
    /// Hashes of the events that reached it.
    pub(super) heard: BTreeSet<u128>,
    /// The artifacts that it acked.
    pub(super) acked: BTreeSet<ArtifactId>,
    /// What the story's claims are checked against.
    pub(super) books: Books,
}

impl Site {
    /// A gateway that is not running yet; the first one's draws are those of the story.
    pub(super) fn new(
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
            told: Told::default(),
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
            fetches: BTreeSet::new(),
            rolls: BTreeMap::new(),
            heard: BTreeSet::new(),
            acked: BTreeSet::new(),
            books: Books::default(),
        }
    }
}
