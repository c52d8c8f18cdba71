//! What a data plane sees of the gateway: resources in force, and the snapshot that judges.

use std::borrow::Cow;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use driftless_gateway::driver::Driver;
use driftless_gateway::engine::{Change, Engine};
use driftless_gateway::model::{
    ArtifactId, Content, Credential, Definition, Resource, ResourceId, SecretHash,
};
use driftless_gateway::runtime::{self, DefinitionCache, Snapshot};
use driftless_gateway::wire;

use crate::observe::HeldChange;
use crate::plant::Sabotage;

/// How many definitions are kept as read, over all runs of a thread: stories use few names, so
/// most were read in an earlier run. What is kept is what reading would give again.
const DEFINITIONS_MAX: usize = 4_096;

thread_local! {
    static DEFINITIONS: std::cell::RefCell<DefinitionCache> =
        const { std::cell::RefCell::new(DefinitionCache::new(DEFINITIONS_MAX)) };
}

/// The view of a running process; a process that is down has none.
#[derive(Debug, Default)]
pub struct View {
    held: BTreeMap<ResourceId, Resource>,
    /// Under which ids each key is held, by its hash.
    holders: BTreeMap<SecretHash, BTreeSet<ResourceId>>,
    snapshot: Snapshot,
    /// Whether the snapshot is made elsewhere and shown here.
    is_shown: bool,
    /// What changed and was not told yet.
    untold: Vec<HeldChange>,
    /// Artifacts that changed and were not looked at yet.
    unwatched: BTreeSet<ArtifactId>,
    /// Artifacts that the snapshot has not followed yet.
    behind: BTreeSet<ArtifactId>,
    /// Resources that the snapshot has not followed yet.
    behind_resources: BTreeSet<ResourceId>,
}

impl View {
    /// Takes in what changed since the last call.
    pub fn follow(&mut self, driver: &mut Driver, sabotage: &mut Sabotage) {
        while self.next_change(driver, sabotage).is_some() {}
    }

    /// The artifacts among the changes that were taken in since the last call.
    pub fn unwatched(&mut self) -> BTreeSet<ArtifactId> {
        std::mem::take(&mut self.unwatched)
    }

    /// What was made of the others since the last call.
    pub fn untold(&mut self) -> Vec<HeldChange> {
        std::mem::take(&mut self.untold)
    }

    /// Takes in the next change and hands it on.
    pub fn next_change(&mut self, driver: &mut Driver, sabotage: &mut Sabotage) -> Option<Change> {
        let change = driver.poll_change()?;
        let engine = driver.engine();
        for id in sabotage.disturbed(&change, engine, &self.held) {
            let seen = self.look_at(id, engine, sabotage);
            self.untold.extend(seen);
        }
        match &change {
            Change::Artifact(id) => {
                self.behind.insert(id.clone());
                self.unwatched.insert(id.clone());
            }
            Change::Resource(id) => {
                let seen = self.look_at(id.clone(), engine, sabotage);
                self.untold.extend(seen);
            }
        }
        Some(change)
    }

    /// Shows a snapshot that was made elsewhere; from now on none is made here.
    pub fn show(&mut self, snapshot: Snapshot) {
        self.snapshot = snapshot;
        self.is_shown = true;
        self.behind.clear();
        self.behind_resources.clear();
    }

    /// Takes in how a resource is; answers what changed of it.
    fn look_at(
        &mut self,
        id: ResourceId,
        engine: &Engine,
        sabotage: &mut Sabotage,
    ) -> Option<HeldChange> {
        let after = engine.observed().resource_in_force(&id);
        let after = after.and_then(|resource| sabotage.in_force(engine, &id, resource));
        let before = match &after {
            Some(after) => self.held.insert(id.clone(), after.clone()),
            None => self.held.remove(&id),
        };
        (before != after).then(|| {
            self.behind_resources.insert(id.clone());
            self.note_holders(&id, before.as_ref(), after.as_ref());
            HeldChange { id, before, after }
        })
    }

    fn note_holders(
        &mut self,
        id: &ResourceId,
        before: Option<&Resource>,
        after: Option<&Resource>,
    ) {
        for key in keys_of(before) {
            if let Entry::Occupied(mut holders) = self.holders.entry(key.hash) {
                holders.get_mut().remove(id);
                if holders.get().is_empty() {
                    holders.remove();
                }
            }
        }
        for key in keys_of(after) {
            self.holders.entry(key.hash).or_default().insert(id.clone());
        }
    }

    /// Keys, subscriptions, plans and applications in force.
    pub const fn held(&self) -> &BTreeMap<ResourceId, Resource> {
        &self.held
    }

    /// Under which ids keys are in force, by their hashes.
    pub const fn holders(&self) -> &BTreeMap<SecretHash, BTreeSet<ResourceId>> {
        &self.holders
    }

    /// The snapshot as of the last [`View::refresh`].
    pub const fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Whether something changed since the snapshot was made.
    pub fn is_behind(&self) -> bool {
        !self.behind.is_empty() || !self.behind_resources.is_empty()
    }

    /// Makes the next snapshot: one new version for all that changed. `content` reads a stored
    /// definition, whose digest `engine` knows.
    pub fn refresh(
        &mut self,
        driver: &Driver,
        sabotage: &Sabotage,
        mut content: impl FnMut(&ArtifactId) -> Option<Content>,
    ) {
        if self.is_shown || !self.is_behind() {
            return;
        }
        let artifacts = std::mem::take(&mut self.behind);
        let resources = std::mem::take(&mut self.behind_resources);
        let observed = driver.engine().observed();
        let definitions: Vec<(ArtifactId, Option<Arc<Definition>>)> = artifacts
            .into_iter()
            .map(|id| {
                let row = observed.durable().rows.get(&id).filter(|_| observed.is_served(&id));
                let digest = row.and_then(|row| row.held).map(|held| held.digest);
                let definition = digest.and_then(|digest| {
                    DEFINITIONS.with_borrow_mut(|cache| {
                        let read = || {
                            let content = content(&id).ok_or(())?;
                            wire::decode_api(&content.bytes).map_err(|_| ())
                        };
                        cache.get_or_read(digest, read).ok()
                    })
                });
                (id, definition.map(|definition| sabotage.defined(definition)))
            })
            .collect();
        let apis = definitions.iter().map(|(id, read)| runtime::Change::Api(id, read.as_ref()));
        let resources: Vec<(&ResourceId, Option<Cow<'_, Resource>>)> = resources
            .iter()
            .filter(|_| sabotage.follows_resources())
            .map(|id| (id, self.held.get(id).map(|held| sabotage.judged(held))))
            .collect();
        let held =
            resources.iter().map(|(id, held)| runtime::Change::Resource(id, held.as_deref()));
        self.snapshot = self.snapshot.with(apis.chain(held));
    }
}

/// The keys that a resource is.
fn keys_of(resource: Option<&Resource>) -> &[Credential] {
    match resource {
        Some(Resource::ApiKey(slot)) => &slot.credentials,
        _ => &[],
    }
}
