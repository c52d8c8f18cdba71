//! Which lists speak of access, and when a change of an artifact or of the dialect asks for them.

use super::belief::Access;
use super::endings;
use super::keys;
use crate::engine::artifacts::Artifacts;
use crate::engine::artifacts::belief::Intent;
use crate::engine::config::Config;
use crate::engine::discovery::Discovery;
use crate::engine::durable::ObservedSet;
use crate::engine::evidence::settled_at;
use crate::engine::lists::schedule::{ListId, Lists};
use crate::model::{ArtifactId, Kind, RequestId};
use crate::time::{Instant, Timestamp};

/// Sees to the lists of keys, subscriptions and plans.
pub(in crate::engine) struct AccessLists<'a> {
    pub(in crate::engine) config: &'a Config,
    pub(in crate::engine) discovery: &'a Discovery,
    pub(in crate::engine) artifacts: &'a Artifacts,
    pub(in crate::engine) access: &'a mut Access,
    pub(in crate::engine) lists: &'a mut Lists,
    pub(in crate::engine) observed: &'a mut ObservedSet,
    pub(in crate::engine) now: Instant,
}

impl AccessLists<'_> {
    /// The dialect may be another one: reads the lists that the Platform API alone has, once it is
    /// known to be one.
    pub(in crate::engine) fn note_dialect(&mut self) {
        let keys = ListId::Keys(Kind::RestApi);
        if self.discovery.has_key_list() && self.lists.revive(&keys) {
            self.read(&keys);
        }
        if !self.discovery.is_platform() || self.lists.has(&ListId::Plans) {
            return;
        }
        self.read(&ListId::Plans);
        let held = self.artifacts.beliefs.iter();
        let held = held.filter(|(_, belief)| belief.intent != Intent::Deleted);
        for id in held.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
            self.note_artifact(&id);
        }
    }

    /// Something about an artifact changed. Returns the request for a list that is wanted no more.
    pub(in crate::engine) fn note_artifact(&mut self, id: &ArtifactId) -> Option<RequestId> {
        let belief = self.artifacts.beliefs.get(id)?;
        let (kind, intent) = (belief.kind, belief.intent);
        let deleted_at = belief.generation.performed_at;
        let subscriptions = ListId::Subscriptions(id.clone());
        if intent == Intent::Deleted {
            self.access.deployed.remove(id);
            self.end_access_to(id, deleted_at);
            return self.lists.remove(&subscriptions);
        }
        if intent != Intent::Deployed {
            self.access.deployed.remove(id);
        } else if self.access.deployed.insert(id.clone()) || !self.lists.has(&ListId::Keys(kind)) {
            // The key list names the keys of deployed APIs only, and no event repeats them.
            self.read(&ListId::Keys(kind));
        }
        let has_subscriptions = kind == Kind::RestApi && self.discovery.is_platform();
        if has_subscriptions && !self.lists.has(&subscriptions) {
            self.read(&subscriptions);
        }
        None
    }

    /// Reads a list now, and again when reads have settled.
    fn read(&mut self, id: &ListId) {
        self.lists.read(id, self.now, settled_at(self.now, self.config.read_lag_max));
    }

    /// Keys and subscriptions of what is deleted go with it; nobody will say so (`closure`). That
    /// they are gone is remembered, so that a late event brings none back should a row or a backup
    /// bring the artifact back (law 5).
    fn end_access_to(&mut self, artifact: &ArtifactId, deleted_at: Option<Timestamp>) {
        for id in self.access.of_artifact(artifact).cloned().collect::<Vec<_>>() {
            let Some(known) = self.access.get(&id).filter(|known| !known.is_gone()) else {
                continue;
            };
            let mut row = endings::row_with(&known.row, None);
            row.fence = keys::later(row.fence, deleted_at);
            self.access.believe(&id, row, self.now, self.observed);
        }
    }
}
