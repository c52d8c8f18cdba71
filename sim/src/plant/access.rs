//! The harm that planted defects do to keys, subscriptions and plans.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use driftless_gateway::engine::{Change, Engine};
use driftless_gateway::model::{
    AuthType, Batch, Definition, Recovered, Resource, ResourceChange, ResourceEvent, ResourceId,
    Subscription, SubscriptionStatus,
};
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
            (Plant::StuckRolls, _) => {
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

    /// What the view makes of a resource in force.
    pub fn in_force(
        &mut self,
        engine: &Engine,
        id: &ResourceId,
        mut resource: Resource,
    ) -> Option<Resource> {
        let (ResourceId::ApiKey(artifact, _), Resource::ApiKey(slot)) = (id, &mut resource) else {
            return Some(resource);
        };
        match self.plant {
            Some(Plant::KeysFollowApis) if !engine.observed().is_served(artifact) => return None,
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
        Some(resource)
    }

    /// Whether the snapshot follows keys, subscriptions, plans and applications.
    pub fn follows_resources(&self) -> bool {
        !self.is(Plant::StuckSnapshot)
    }

    /// What the snapshot is told of a resource.
    pub fn judged<'a>(&self, resource: &'a Resource) -> Cow<'a, Resource> {
        match (self.plant, resource) {
            (Some(Plant::ExpiryIgnored), Resource::ApiKey(slot)) => {
                let mut slot = slot.clone();
                let keys = Arc::make_mut(&mut slot.credentials).iter_mut();
                keys.for_each(|key| key.expires_at = None);
                Cow::Owned(Resource::ApiKey(slot))
            }
            (Some(Plant::BlockedIsOpen), Resource::Subscription(subscription)) => {
                let status = SubscriptionStatus::Active;
                let subscription = Subscription { status, ..(**subscription).clone() };
                Cow::Owned(Resource::Subscription(subscription.into()))
            }
            _ => Cow::Borrowed(resource),
        }
    }

    /// What the snapshot is told of a definition.
    pub fn defined(&self, definition: Arc<Definition>) -> Arc<Definition> {
        if !self.is(Plant::OpenToAll) {
            return definition;
        }
        let mut definition = (*definition).clone();
        definition.operations.iter_mut().for_each(|operation| operation.auth = AuthType::None);
        Arc::new(definition)
    }
}

/// The field that names the API of a listed key.
const API: &str = "artifactUuid";

fn text<'a>(item: &'a Value, field: &str) -> Option<&'a str> {
    item.get(field).and_then(Value::as_str)
}
