//! What happened to a key, a subscription or a plan, as its events tell it, and an event about it
//! that is still to be raised.

use std::sync::Arc;

use driftless_gateway::model::ResourceId;

use super::ids::KeyIndex;
use super::ledger::Secret;
use crate::story::aim::OrganizationIndex;

/// What happened to a key.
#[derive(Clone, Copy)]
pub(super) enum KeyChange<'a> {
    /// It was created; its text is known for this once.
    Created(KeyIndex, &'a Secret),
    /// The first was replaced by the second.
    Regenerated(KeyIndex, KeyIndex, &'a Secret),
    /// It was revoked.
    Revoked(KeyIndex),
}

/// What happened to a subscription.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum SubscriptionChange {
    /// It is new.
    Created,
    /// Its status or plan changed.
    Updated,
    /// It is gone.
    Deleted,
}

/// What happened to a plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum PlanChange {
    /// It is new.
    Created,
    /// Its limit changed.
    Updated,
    /// It is gone.
    Deleted,
}

/// An event to be raised for every gateway of an organization, all but its envelope.
pub(super) struct EventDraft {
    /// Whose gateways hear of it.
    pub(super) organization: OrganizationIndex,
    /// Its type.
    pub(super) event_type: &'static str,
    /// What it is about.
    pub(super) about: ResourceId,
    /// What it says, as JSON.
    pub(super) payload: String,
    /// Whose doing it tells of.
    pub(super) user: Option<Arc<str>>,
    /// The key that it makes known, by its place in the ledger.
    pub(super) begins: Option<KeyIndex>,
    /// The key whose end it tells of.
    pub(super) ends: Option<KeyIndex>,
}

impl EventDraft {
    /// An event of nobody that begins and ends no key.
    pub(super) const fn new(
        organization: OrganizationIndex,
        event_type: &'static str,
        about: ResourceId,
        payload: String,
    ) -> Self {
        let (user, begins, ends) = (None, None, None);
        Self { organization, event_type, about, payload, user, begins, ends }
    }

    /// Makes the hash unreadable, one way or another: left out, of another algorithm, of another
    /// length. No key is made known then.
    pub(super) fn spoil(&mut self, way: u32) {
        self.begins = None;
        let (start, end) = (r#""apiKeyHashes":""#, r#"","maskedApiKey""#);
        let from = self.payload.find(start).map(|place| place + start.len());
        let Some((from, to)) = from.zip(self.payload.find(end)) else { return };
        match way % 3 {
            0 => self.payload.replace_range(from..to, "{}"),
            1 => self.payload = self.payload.replacen("sha256", "md5", 1),
            _ => self.payload = self.payload.replacen(r#"\":\""#, r#"\":\"00"#, 1),
        }
    }
}
