//! What may be looked at of a gateway when something happens.

use std::collections::{BTreeMap, BTreeSet};

use driftless_gateway::engine::{Config, Engine, StatusKind, SyncState};
use driftless_gateway::model::{
    ArtifactId, Dialect, Kind, Recovered, Resource, ResourceId, SecretHash,
};
use driftless_gateway::runtime::Snapshot;
use driftless_gateway::time::Instant;

use super::heard::Heard;
use super::observation::Served;
use super::phase::Phase;
use crate::apim::Ledger;

/// What a property may look at.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Virtual time.
    pub now: Instant,
    /// Ground truth.
    pub ledger: &'a Ledger,
    /// The engine, while the gateway is up.
    pub engine: Option<&'a Engine>,
    /// The limits that were promised.
    pub config: &'a Config,
    /// What is served, by artifact.
    pub served: &'a BTreeMap<ArtifactId, Served>,
    /// What the gateway was told of keys, subscriptions, plans and applications.
    pub heard: &'a Heard,
    /// Keys, subscriptions, plans and applications in force.
    pub held: &'a BTreeMap<ResourceId, Resource>,
    /// Under which ids keys are in force, by their hashes.
    pub holders: &'a BTreeMap<SecretHash, BTreeSet<ResourceId>>,
    /// What a data plane judges by, as of the last look at it.
    pub snapshot: &'a Snapshot,
    /// The contract that APIM speaks.
    pub dialect: Dialect,
    /// What was committed, whatever became of the disk.
    pub committed: &'a Recovered,
    /// When something last went wrong between the gateway and APIM, or in the machine.
    pub disturbed_at: Instant,
    /// Which part of the run this is.
    pub phase: Phase,
    /// Whether the gateway says that it is synced whatever the matter, as a planted defect has it.
    pub claims_synced: bool,
}

impl Context<'_> {
    /// The state of a kind as the gateway tells it.
    pub fn said(&self, engine: &Engine, kind: Kind) -> SyncState {
        if self.claims_synced {
            SyncState::Synced
        } else {
            engine.state(StatusKind::Artifact(kind))
        }
    }

    /// The state of a kind of resources as the gateway tells it.
    pub fn said_of(&self, engine: &Engine, kind: StatusKind) -> SyncState {
        if self.claims_synced { SyncState::Synced } else { engine.state(kind) }
    }

    /// A key, subscription, plan or application by its name in the story, with its id.
    pub fn about(&self, id: &ResourceId) -> String {
        let api = |id: &ArtifactId| self.ledger.record(id).map_or("?", |record| &record.name);
        let application =
            |id| self.ledger.application(id).map_or("?", |application| &application.name);
        match id {
            ResourceId::ApiKey(artifact, name) => {
                format!("key {name} of {}", self.name(artifact))
            }
            ResourceId::Subscription(uuid) => match self.ledger.subscription(uuid) {
                Some(held) => {
                    let (of, to) = (application(&held.application), api(&held.artifact));
                    format!("subscription of {of} to {to} ({uuid})")
                }
                None => id.to_string(),
            },
            ResourceId::Plan(uuid) => match self.ledger.plan(uuid) {
                Some(plan) => format!("plan {} ({uuid})", plan.name),
                None => id.to_string(),
            },
            ResourceId::Application(uuid) => format!("application {} ({uuid})", application(uuid)),
        }
    }

    /// The artifact's name in the story, with its id.
    pub fn name(&self, id: &ArtifactId) -> String {
        match self.ledger.record(id) {
            Some(record) => format!("{} ({id})", record.name),
            None => id.to_string(),
        }
    }
}
