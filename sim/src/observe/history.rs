//! What was seen of a gateway over a whole run.

use std::collections::{BTreeMap, BTreeSet};

use driftless_gateway::engine::{StatusKind, SyncState};
use driftless_gateway::model::ArtifactId;
use driftless_gateway::time::Instant;

/// What a scenario's own claims are checked against.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Requests sent, by name, and `store`, `open_session` and `ack` beside them.
    pub asked: BTreeMap<&'static str, u64>,
    /// Every state that a status had: REST APIs, and whatever the story claims something about.
    pub states: BTreeSet<(StatusKind, SyncState)>,
    /// Artifacts that were served at some time.
    pub ever_served: BTreeSet<ArtifactId>,
    /// Artifacts that stopped being served while the gateway ran, with when.
    pub interrupted: BTreeMap<ArtifactId, Instant>,
}
