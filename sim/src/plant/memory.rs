//! What a planted defect about keys and subscriptions remembers.

use std::collections::BTreeMap;

use driftless_gateway::model::{ArtifactId, KeyUuid, ResourceId};
use driftless_gateway::publish::Unreadable;
use serde_json::Value;

/// What a defect about keys and subscriptions remembers.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// How many key lists were answered.
    pub(super) lists: u64,
    /// How often the view looked at something.
    pub(super) looks: u64,
    /// Every key that a list ever named, by its API and its UUID.
    pub(super) named: BTreeMap<String, Value>,
    /// By path, the first list.
    pub(super) first: BTreeMap<String, Vec<Value>>,
    /// Artifacts whose definition was not given once, and why.
    pub(super) unread: BTreeMap<ArtifactId, Unreadable>,
    /// By name, the UUID that a key was first known by.
    pub(super) uuids: BTreeMap<ResourceId, KeyUuid>,
}
