//! The harm that planted defects do to keys, subscriptions and plans.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use driftless_gateway::engine::{Change, Engine};
use driftless_gateway::model::{
    AuthType, Batch, Recovered, Resource, ResourceChange, ResourceEvent, ResourceId, Subscription,
    SubscriptionStatus,
};
use driftless_gateway::publish::{Fact, StoredDefinition};
use driftless_gateway::wire::HttpResponse;
use serde_json::Value;

use super::{Plant, Sabotage};

/// How many key lists [`Plant::EmptiedKeyLists`] leaves as they are.
const FULL_LISTS: u64 = 2;

impl Sabotage {
    /// Whether the engine hears of such an event.
    pub(super) fn hears_of(&self, event: &ResourceEvent) -> bool {
        !(self.is(Plant::DeafToRevocations) && event.change == ResourceChange::KeyRevoked)
    }

    /// Breaks a list of keys, subscriptions or plans; what is no list stays as it is.
    pub(super) fn answer_roll(&mut self, name: &str, path: &str, answer: &mut HttpResponse) {
        let Some(plant) = self.plant.filter(|_| answer.status == 200) else { return };
        let Ok(mut items) = serde_json::from_slice::<Vec<Value>>(&answer.body) else { return };
        match (plant, name) {
            (Plant::DeadKeysListed, "read_keys") => {
                let of = |item: &Value| format!("{:?} {:?}", text(item, API), text(item, "uuid"));
                self.memory.named.extend(items.into_iter().map(|item| (of(&item), item)));
                items = self.memory.named.values().cloned().collect();
            }
            (Plant::EmptiedKeyLists, "read_keys") => {
                self.memory.lists += 1;
                if self.memory.lists > FULL_LISTS {
                    items.clear();
                }
            }
            (Plant::MisplacedKeys, "read_keys") => {
                let api = items.first().and_then(|item| item.get(API)).cloned();
                let items = items.iter_mut().filter_map(Value::as_object_mut);
                for (item, api) in items.zip(api.iter().cycle()) {
                    item.insert(API.to_owned(), api.clone());
                }
            }
            (Plant::StuckLists, _) => {
                items.clone_from(self.memory.first.entry(path.to_owned()).or_insert(items.clone()));
            }
            _ => return,
        }
        answer.body = Value::Array(items).to_string().into_bytes();
    }

    /// Breaks what was recovered of keys.
    pub(super) fn forget_resources(&self, recovered: &mut Recovered) {
        match self.plant {
            Some(Plant::KeysForgotten) => {
                recovered.resources.retain(|id, _| !matches!(id, ResourceId::ApiKey(..)));
            }
            Some(Plant::RevocationsForgotten) => {
                recovered.resources.retain(|_, row| row.resource.is_some());
                recovered.resources.values_mut().for_each(|row| row.fence = None);
            }
            _ => {}
        }
    }

    /// What reaches the store of a batch.
    pub fn written<'a>(&self, batch: &'a Batch) -> Cow<'a, Batch> {
        if !self.is(Plant::KeylessWrites) {
            return Cow::Borrowed(batch);
        }
        let mut batch = batch.clone();
        batch.resources.clear();
        Cow::Owned(batch)
    }

    /// The resources that the view looks at beside something that changed.
    pub fn disturbed(
        &mut self,
        change: &Change,
        engine: &Engine,
        held: &BTreeMap<ResourceId, Resource>,
    ) -> Vec<ResourceId> {
        match (self.plant, change) {
            (Some(Plant::KeysFollowApis), Change::Artifact(artifact)) => {
                let ids = engine.observed().durable().resources.keys();
                let of =
                    |id: &&ResourceId| matches!(id, ResourceId::ApiKey(of, _) if of == artifact);
                ids.filter(of).cloned().collect()
            }
            (Some(Plant::RestlessKeys), _) => {
                self.memory.looks += 1;
                let is_key = |id: &&ResourceId| matches!(id, ResourceId::ApiKey(..));
                held.keys().filter(is_key).cloned().collect()
            }
            _ => Vec::new(),
        }
    }

    /// What is made of a fact before anybody sees it.
    pub fn in_force(&mut self, engine: &Engine, mut fact: Fact) -> Fact {
        let Fact::Resource(id, resource) = &mut fact else { return fact };
        let ResourceId::ApiKey(artifact, _) = &*id else { return fact };
        if self.is(Plant::KeysFollowApis) && !engine.observed().is_served(artifact) {
            *resource = None;
        }
        let Some(Resource::ApiKey(slot)) = resource else { return fact };
        match self.plant {
            Some(Plant::RestlessKeys) => {
                let is_odd = self.memory.looks % 2 == 1;
                Arc::make_mut(&mut slot.credentials)
                    .iter_mut()
                    .for_each(|key| key.is_listable ^= is_odd);
            }
            Some(Plant::FirstUuid) => {
                let keys = Arc::make_mut(&mut slot.credentials).iter_mut();
                for uuid in keys.filter_map(|key| key.uuid.as_mut()) {
                    let first = self.memory.uuids.entry(id.clone());
                    uuid.clone_from(first.or_insert_with(|| uuid.clone()));
                }
            }
            _ => {}
        }
        fact
    }

    /// What the publisher is told of a fact, if anything.
    pub fn published(&self, mut fact: Fact) -> Option<Fact> {
        match (self.plant, &mut fact) {
            (Some(Plant::StuckSnapshot), Fact::Resource(..)) => return None,
            (Some(Plant::ExpiryIgnored), Fact::Resource(_, Some(Resource::ApiKey(slot)))) => {
                let keys = Arc::make_mut(&mut slot.credentials).iter_mut();
                keys.for_each(|key| key.expires_at = None);
            }
            (
                Some(Plant::BlockedIsOpen),
                Fact::Resource(_, Some(Resource::Subscription(subscription))),
            ) => {
                let status = SubscriptionStatus::Active;
                *subscription = Subscription { status, ..(**subscription).clone() }.into();
            }
            _ => {}
        }
        Some(fact)
    }

    /// What the publisher is told of definitions.
    pub fn defined(&mut self, mut definitions: Vec<StoredDefinition>) -> Vec<StoredDefinition> {
        match self.plant {
            Some(Plant::OpenToAll) => {
                for read in definitions.iter_mut().flat_map(|stored| &mut stored.definition) {
                    let operations = &mut Arc::make_mut(read).operations;
                    operations.iter_mut().for_each(|operation| operation.auth = AuthType::None);
                }
            }
            Some(Plant::UnreadForEver) => {
                for StoredDefinition { artifact, definition, .. } in &mut definitions {
                    if let Err(unreadable) = definition {
                        self.memory.unread.insert(artifact.clone(), unreadable.clone());
                    } else if let Some(unreadable) = self.memory.unread.get(artifact) {
                        *definition = Err(unreadable.clone());
                    }
                }
            }
            _ => {}
        }
        definitions
    }
}

/// The field that names the API of a listed key.
const API: &str = "artifactUuid";

fn text<'a>(item: &'a Value, field: &str) -> Option<&'a str> {
    item.get(field).and_then(Value::as_str)
}
