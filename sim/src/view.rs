//! What a data plane sees of the gateway: resources in force, and the snapshot that judges.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use driftless_gateway::driver::Driver;
use driftless_gateway::engine::Change;
use driftless_gateway::model::{ArtifactId, Content, Definition, Resource, ResourceId};
use driftless_gateway::runtime::{self, DefinitionCache, Snapshot};
use driftless_gateway::wire;

/// How many definitions are kept as read, over all runs of a thread: stories use few names, so
/// most were read in an earlier run. What is kept is what reading would give again.
const DEFINITIONS_MAX: usize = 4_096;

thread_local! {
    static DEFINITIONS: std::cell::RefCell<DefinitionCache> =
        const { std::cell::RefCell::new(DefinitionCache::new(DEFINITIONS_MAX)) };
}

/// What became of one resource.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeldChange {
    /// The resource.
    pub id: ResourceId,
    /// What was in force.
    pub before: Option<Resource>,
    /// What is in force.
    pub after: Option<Resource>,
}

/// The view of a running process; a process that is down has none.
#[derive(Debug, Default)]
pub struct View {
    held: BTreeMap<ResourceId, Resource>,
    snapshot: Snapshot,
    /// Artifacts that the snapshot has not followed yet.
    behind: BTreeSet<ArtifactId>,
    /// Resources that the snapshot has not followed yet.
    behind_resources: BTreeSet<ResourceId>,
}

impl View {
    /// Takes in what changed since the last call, and answers the resources among it.
    pub fn follow(&mut self, driver: &mut Driver) -> Vec<HeldChange> {
        let mut changes = Vec::new();
        while let Some(change) = driver.poll_change() {
            match change {
                Change::Artifact(id) => {
                    self.behind.insert(id);
                }
                Change::Resource(id) => {
                    let after = driver.engine().resource_in_force(&id);
                    let before = match &after {
                        Some(after) => self.held.insert(id.clone(), after.clone()),
                        None => self.held.remove(&id),
                    };
                    if before != after {
                        self.behind_resources.insert(id.clone());
                        changes.push(HeldChange { id, before, after });
                    }
                }
            }
        }
        changes
    }

    /// Keys, subscriptions, plans and applications in force.
    pub const fn held(&self) -> &BTreeMap<ResourceId, Resource> {
        &self.held
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
        mut content: impl FnMut(&ArtifactId) -> Option<Content>,
    ) {
        if !self.is_behind() {
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
                (id, definition)
            })
            .collect();
        let apis = definitions.iter().map(|(id, read)| runtime::Change::Api(id, read.as_ref()));
        let held = resources.iter().map(|id| runtime::Change::Resource(id, self.held.get(id)));
        self.snapshot = self.snapshot.with(apis.chain(held));
    }
}
