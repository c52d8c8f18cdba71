//! What is logged when the state of a kind changes, and when the gateway counts as ready.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::{Engine, StatusKind, SyncState};
use crate::model::Kind;

/// Follows the states of all kinds.
pub(super) struct StateWatch {
    is_recovered: bool,
    states: BTreeMap<StatusKind, SyncState>,
    /// Kinds that were settled once: read to the end, or found not to be there.
    settled: BTreeSet<StatusKind>,
    was_live: bool,
}

impl StateWatch {
    /// A watch over a gateway that goes on from what it held, or from nothing.
    pub(super) const fn new(is_recovered: bool) -> Self {
        Self { is_recovered, states: BTreeMap::new(), settled: BTreeSet::new(), was_live: false }
    }

    /// Takes in how the engine stands.
    pub(super) fn look(&mut self, engine: &Engine) {
        if engine.is_live() != self.was_live {
            self.was_live = engine.is_live();
            if self.was_live {
                tracing::info!("session live");
            }
        }
        // Before a list was read it is not known what this control plane has at all.
        let is_known =
            engine.is_live() && is_settled(engine.state(StatusKind::Artifact(Kind::RestApi)));
        for (kind, state) in engine.states() {
            if is_known && is_settled(state) {
                self.settled.insert(kind);
            }
            let before = self.states.insert(kind, state);
            if before != Some(state) {
                tell(engine, kind, before, state);
            }
        }
    }

    /// Whether a data plane can be let loose on this gateway: it holds a last good state, or each
    /// kind was settled once.
    pub(super) fn is_ready(&self) -> bool {
        self.is_recovered || self.missing().next().is_none() && !self.states.is_empty()
    }

    /// The kinds that were not settled yet.
    pub(super) fn missing(&self) -> impl Iterator<Item = StatusKind> {
        self.states.keys().copied().filter(|kind| !self.settled.contains(kind))
    }
}

/// A kind that cannot be verified was read as far as this control plane lets it.
const fn is_settled(state: SyncState) -> bool {
    match state {
        SyncState::Synced | SyncState::Unsupported | SyncState::Unverified => true,
        SyncState::Syncing | SyncState::Stale => false,
    }
}

/// Work under way and its end are the daily business; anything else is for an operator.
fn tell(engine: &Engine, kind: StatusKind, before: Option<SyncState>, state: SyncState) {
    use SyncState::{Stale, Synced, Syncing, Unsupported, Unverified};
    match (before, state) {
        (None, _) | (Some(Synced | Syncing), Synced | Syncing) => {
            tracing::debug!(%kind, %state, "state");
        }
        (Some(_), Stale | Unverified) => {
            let reason = engine.status().kinds.remove(&kind).map(|status| status.reason);
            let reason = reason.unwrap_or_default();
            tracing::warn!(%kind, %state, reason, "state");
        }
        (Some(_), Synced | Syncing | Unsupported) => tracing::info!(%kind, %state, "state"),
    }
}
