//! What is watched of what the gateway says has changed: for properties, and on its way to whoever
//! publishes it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use driftless_gateway::engine::{Change, Engine};
use driftless_gateway::model::{ArtifactId, Credential, Resource, ResourceId, SecretHash};
use driftless_gateway::publish::Fact;

use crate::observe::HeldChange;
use crate::plant::Sabotage;

/// The view of a running process; a process that is down has none.
#[derive(Debug, Default)]
pub struct View {
    held: BTreeMap<ResourceId, Resource>,
    /// Under which ids each key is held, by its hash.
    holders: BTreeMap<SecretHash, BTreeSet<ResourceId>>,
    /// What changed and was not told yet.
    untold: Vec<HeldChange>,
    /// Artifacts that changed and were not looked at yet.
    unwatched: BTreeSet<ArtifactId>,
}

impl View {
    /// The artifacts among the changes that were taken in since the last call.
    pub fn unwatched(&mut self) -> BTreeSet<ArtifactId> {
        std::mem::take(&mut self.unwatched)
    }

    /// What was made of the others since the last call.
    pub fn untold(&mut self) -> Vec<HeldChange> {
        std::mem::take(&mut self.untold)
    }

    /// Takes in a change; hands on to `facts` what it comes to.
    pub fn take(
        &mut self,
        change: Change,
        engine: &Engine,
        sabotage: &mut Sabotage,
        facts: &mut VecDeque<Fact>,
    ) {
        let disturbed = sabotage.disturbed(&change, engine, &self.held);
        for change in disturbed.into_iter().map(Change::Resource).chain([change]) {
            let fact = sabotage.in_force(engine, Fact::of(change, engine));
            match &fact {
                Fact::Artifact(id, _) => {
                    self.unwatched.insert(id.clone());
                }
                Fact::Resource(id, resource) => self.look_at(id, resource.as_ref()),
            }
            facts.push_back(fact);
        }
    }

    /// Takes in how a resource is.
    fn look_at(&mut self, id: &ResourceId, after: Option<&Resource>) {
        if self.held.get(id) == after {
            return;
        }
        let before = match after {
            Some(after) => self.held.insert(id.clone(), after.clone()),
            None => self.held.remove(id),
        };
        self.note_holders(id, before.as_ref(), after);
        self.untold.push(HeldChange { id: id.clone(), before, after: after.cloned() });
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
}

/// The keys that a resource is.
fn keys_of(resource: Option<&Resource>) -> &[Credential] {
    match resource {
        Some(Resource::ApiKey(slot)) => &slot.credentials,
        _ => &[],
    }
}
