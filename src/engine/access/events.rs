//! Events about keys, subscriptions, plans and applications.

use std::cmp::Ordering;

use super::belief::{Access, AccessBelief, kind_of};
use super::endings::{self, Ending};
use super::keys;
use crate::engine::artifacts::Artifacts;
use crate::engine::config::Config;
use crate::engine::durable::ObservedSet;
use crate::engine::evidence::settled_at;
use crate::engine::lists::schedule::{Family, ListId, Lists};
use crate::engine::status::report::{Anomalies, StatusKind};
use crate::model::{
    ArtifactId, Credential, KeyEnding, KeySlot, Kind, Resource, ResourceChange, ResourceEvent,
    ResourceId, ResourceRow, Subscription, SubscriptionClaim, SubscriptionStatus,
};
use crate::time::{Instant, Timestamp};

/// Takes an event about a resource in.
pub(in crate::engine) struct AccessEvents<'a> {
    pub(in crate::engine) config: &'a Config,
    pub(in crate::engine) artifacts: &'a Artifacts,
    pub(in crate::engine) access: &'a mut Access,
    pub(in crate::engine) lists: &'a mut Lists,
    pub(in crate::engine) observed: &'a mut ObservedSet,
    pub(in crate::engine) anomalies: &'a mut Anomalies,
    pub(in crate::engine) now: Instant,
}

impl AccessEvents<'_> {
    /// An event about a resource arrived on the current session.
    pub(in crate::engine) fn changed(&mut self, event: ResourceEvent) {
        let ResourceEvent { id, change, sent_at } = event;
        // What is deleted gets no key. That one ended is remembered: a backup may bring it back.
        let is_orphan = matches!(&id, ResourceId::ApiKey(artifact, _)
            if self.artifacts.is_deleted(artifact));
        let order = keys::order(sent_at.as_ref(), self.access.fence(&id).as_ref());
        match change {
            ResourceChange::KeyCreated(_) if is_orphan => {}
            ResourceChange::KeyCreated(key) => {
                let order = self.order_creation(&id, sent_at.as_ref());
                self.key_created(&id, &key, order);
            }
            ResourceChange::KeyRegenerated(key) => {
                let key = keys::successor(&self.access.slot(&id), key);
                let order = self.order_creation(&id, sent_at.as_ref());
                if self.key_ended(&id, Some(&key), sent_at) == Ending::New && !is_orphan {
                    self.key_created(&id, &key, order);
                }
            }
            ResourceChange::KeyUnreadable { regenerated, why } => {
                tracing::warn!(key = %id, %why, "a key event cannot be read; its key is unknown");
                self.anomalies.unreadable_keys += 1;
                if regenerated {
                    self.key_ended(&id, None, sent_at);
                }
                if !is_orphan {
                    self.doubt(&id);
                }
            }
            ResourceChange::KeyRevoked => {
                self.key_ended(&id, None, sent_at);
            }
            ResourceChange::SubscriptionCreated(claim)
            | ResourceChange::SubscriptionUpdated(claim) => {
                self.subscription_said(&id, claim, sent_at, order);
            }
            ResourceChange::PlanCreated(plan) | ResourceChange::PlanUpdated(plan) => {
                let opens_less = !plan.is_active;
                self.said(&id, Some(Resource::Plan(plan)), opens_less, sent_at, order);
            }
            ResourceChange::ApplicationUpdated(application) => {
                let opens_less = application.keys.is_empty();
                let said = Some(Resource::Application(application));
                self.said(&id, said, opens_less, sent_at, order);
            }
            ResourceChange::Deleted => self.said(&id, None, true, sent_at, order),
        }
    }

    /// How a creation relates to the last ending of its name. Clocks are set back, and polls sort
    /// by stamp: a creation that is newer by less than the margin may be of the very key that was
    /// ended (A-H3).
    fn order_creation(&self, id: &ResourceId, at: Option<&Timestamp>) -> Option<Ordering> {
        let fence = self.access.fence(id);
        let order = keys::order(at, fence.as_ref());
        match (order, at.zip(fence)) {
            (Some(Ordering::Greater), Some((at, fence))) => {
                at.order_within(&fence, self.config.clock_margin)
            }
            _ => order,
        }
    }

    /// A key that is not provably newer than the last ending of its name stays out: it may be the
    /// one that ended (A-H3, R4). A late copy of an old event says nothing new.
    fn key_created(&mut self, id: &ResourceId, key: &Credential, order: Option<Ordering>) {
        let known = self.access.slot(id);
        let is_held = known.credentials.iter().any(|held| held.hash == key.hash);
        let row = self.access.get(id).map(|known| &known.row);
        let has_ended = row.is_some_and(|row| row.ended.contains(&key.hash));
        if !is_held && has_ended {
            return;
        }
        match order {
            Some(Ordering::Greater) => {}
            _ if is_held => return,
            Some(Ordering::Less) if self.explains_an_ending(id, key) => return,
            Some(Ordering::Less | Ordering::Equal) | None => {
                return self.doubt(id);
            }
        }
        if !is_held && !self.has_room_to_park(id) {
            return;
        }
        let slot = keys::with(&known, key);
        if slot == known {
            return;
        }
        // One more key says nothing of those that are in doubt.
        let is_doubtful = self.access.get(id).is_some_and(|known| known.is_doubtful);
        let fence = self.access.fence(id);
        self.believe(id, keys::there(slot), fence);
        if is_doubtful {
            self.doubt(id);
        }
    }

    /// Takes a key whose creation is older than the last ending for the one that it ended, where
    /// that found none.
    fn explains_an_ending(&mut self, id: &ResourceId, key: &Credential) -> bool {
        let Some(belief) = self.access.get(id) else { return false };
        let Some(row) = endings::explained(&belief.row, key.hash) else { return false };
        let belief = AccessBelief { row, ..belief.clone() };
        self.observed.write_resource(id.clone(), Some(belief.row.clone()));
        self.access.set(id, Some(belief));
        true
    }

    /// A key was revoked or regenerated, and APIM names it by its name alone (A-H29). What it was
    /// regenerated into may be known already: a list can be ahead of the event.
    ///
    /// An ending that was not heard before ends every key that was heard before it. A stamp that
    /// says otherwise proves nothing, for clocks are set back; it only makes the ending doubtful
    /// (law 11).
    fn key_ended(
        &mut self,
        id: &ResourceId,
        successor: Option<&Credential>,
        at: Option<Timestamp>,
    ) -> Ending {
        let known = self.access.slot(id);
        let belief = self.access.get(id);
        let row = belief.map(|known| known.row.clone()).unwrap_or_default();
        // One in doubt may have been of a key whose event could not be read.
        let found = !known.credentials.is_empty() || belief.is_some_and(|known| known.is_doubtful);
        let successor_hash = successor.map(|key| key.hash);
        let said = at.map(|at| KeyEnding { at, successor: successor_hash, found });
        let ending = endings::ending(said.as_ref(), belief.is_some().then_some(&row));
        let (meant, spared) = keys::without(&known, successor);
        let (left, is_unclear) = match ending {
            Ending::Again => {
                let left = endings::ended_again(&meant, at.as_ref());
                let is_unclear = left != meant;
                (left, is_unclear)
            }
            Ending::New | Ending::Unordered => {
                let may_be_another = meant.credentials.len() > 1 || ending == Ending::Unordered;
                let is_unclear = keys::may_be_newer(&meant, at.as_ref()) || may_be_another;
                (KeySlot::default(), is_unclear)
            }
        };
        let left = spared.iter().fold(left, |slot, key| keys::with(&slot, key));
        if ending == Ending::Again && left == known {
            self.heard_again(id);
            return ending;
        }
        let mut row = endings::row_with(&row, keys::there(left));
        row.fence = keys::later(at, row.fence);
        row.endings = endings::with_ending(&row.endings, said.as_ref());
        self.access.believe(id, row, self.now, self.observed);
        if is_unclear {
            self.doubt(id);
        }
        ending
    }

    /// An ending changed nothing. It may still be another one of the same stamp, so no list that was
    /// asked for before it settled brings anything back.
    fn heard_again(&mut self, id: &ResourceId) {
        if let Some(known) = self.access.get(id) {
            let belief = AccessBelief { known_at: self.now, ..known.clone() };
            self.access.set(id, Some(belief));
        }
    }

    fn subscription_said(
        &mut self,
        id: &ResourceId,
        claim: SubscriptionClaim,
        at: Option<Timestamp>,
        order: Option<Ordering>,
    ) {
        let known = match self.access.resource(id) {
            Some(Resource::Subscription(known)) => Some(known.clone()),
            _ => None,
        };
        let artifact = claim.artifact.clone();
        let Some(said) = completed(claim, known.as_deref()) else {
            // What it changes is not known yet: the list of its API has it (C-H36).
            self.anomalies.incomplete_changes += 1;
            self.look_for_subscriptions(artifact.as_ref());
            return;
        };
        if self.artifacts.is_deleted(&said.artifact) {
            return;
        }
        let opens_less = !said.status.is_open();
        self.said(id, Some(Resource::Subscription(said.into())), opens_less, at, order);
    }

    fn look_for_subscriptions(&mut self, artifact: Option<&ArtifactId>) {
        let settled = self.settled_at();
        match artifact {
            Some(artifact) => {
                self.lists.relist(&ListId::Subscriptions(artifact.clone()), settled);
            }
            None => self.lists.relist_family(Family::Subscriptions, settled),
        }
    }

    /// A whole statement about a resource. Where its order cannot be told, it counts only when it
    /// opens less than what is known.
    fn said(
        &mut self,
        id: &ResourceId,
        resource: Option<Resource>,
        opens_less: bool,
        at: Option<Timestamp>,
        order: Option<Ordering>,
    ) {
        let known = self.access.resource(id);
        let is_known = self.access.get(id).is_some() && known == resource.as_ref();
        let is_new = known.is_none();
        let fence = self.access.fence(id);
        match order {
            // A late copy, or news by a clock that was set back: the list of it tells.
            Some(Ordering::Less) if is_known => return,
            Some(Ordering::Less) => return self.relist_for(id),
            Some(Ordering::Greater) if is_known => {}
            Some(Ordering::Equal) | None if is_known => return,
            Some(Ordering::Equal) | None if !opens_less => {
                return self.doubt(id);
            }
            _ => {}
        }
        if is_new && resource.is_some() && !self.has_room_for(id, resource.as_ref()) {
            return;
        }
        let is_there = resource.is_some();
        self.believe(id, resource, keys::later(at, fence));
        match order {
            Some(Ordering::Greater) => {}
            // No list speaks of what is gone, so no list would settle a doubt; one brings it back.
            _ if !is_there => self.relist_for(id),
            _ => self.doubt(id),
        }
    }

    fn believe(&mut self, id: &ResourceId, resource: Option<Resource>, fence: Option<Timestamp>) {
        let known = self.access.get(id).map(|known| known.row.clone()).unwrap_or_default();
        let row = ResourceRow { resource, fence, ..known };
        self.access.believe(id, row, self.now, self.observed);
    }

    fn settled_at(&self) -> Instant {
        settled_at(self.now, self.config.read_lag_max)
    }

    /// Marks a resource as not to be relied on, and wants the list that settles it. Of an artifact
    /// that is not known here no list speaks; once it is, its keys are listed anyway (A-H34).
    pub(in crate::engine) fn doubt(&mut self, id: &ResourceId) {
        if let ResourceId::ApiKey(artifact, _) = id
            && self.artifacts.beliefs.get(artifact).is_none()
        {
            return;
        }
        let mut belief = match self.access.get(id) {
            Some(known) => known.clone(),
            None => AccessBelief::new(ResourceRow::default(), self.now),
        };
        belief.is_doubtful = true;
        belief.known_at = self.now;
        self.access.set(id, Some(belief));
        self.relist_for(id);
    }

    /// Wants the list that names a resource, once reads have settled.
    fn relist_for(&mut self, id: &ResourceId) {
        let at = self.settled_at();
        match self.list_of(id) {
            Some(list) => self.lists.relist(&list, at),
            None if kind_of(id) == StatusKind::Subscription => {
                self.lists.relist_family(Family::Subscriptions, at);
            }
            None => {}
        }
    }

    fn list_of(&self, id: &ResourceId) -> Option<ListId> {
        match id {
            ResourceId::ApiKey(artifact, _) => {
                let kind = self.artifacts.beliefs.get(artifact).map(|desired| desired.kind);
                Some(ListId::Keys(kind.unwrap_or(Kind::RestApi)))
            }
            ResourceId::Plan(_) => Some(ListId::Plans),
            ResourceId::Application(_) => None,
            ResourceId::Subscription(_) => match self.access.resource(id) {
                Some(Resource::Subscription(known)) => {
                    Some(ListId::Subscriptions(known.artifact.clone()))
                }
                _ => None,
            },
        }
    }

    fn has_room_for(&mut self, id: &ResourceId, resource: Option<&Resource>) -> bool {
        match resource {
            Some(Resource::Subscription(said)) => {
                let artifact = said.artifact.clone();
                self.has_room_under(&artifact)
            }
            _ => self.has_room_to_park(id),
        }
    }

    /// Whether a new resource may be kept. What waits for a parent that is not known yet is
    /// bounded: APIM sends the keys of a whole organization to every gateway (A-H34).
    fn has_room_to_park(&mut self, id: &ResourceId) -> bool {
        match id {
            ResourceId::ApiKey(artifact, _) => {
                let artifact = artifact.clone();
                self.has_room_under(&artifact)
            }
            _ => true,
        }
    }

    fn has_room_under(&mut self, artifact: &ArtifactId) -> bool {
        if self.artifacts.beliefs.get(artifact).is_some() {
            return true;
        }
        // Counting what is parked looks at every artifact, so it waits until there can be too much.
        let most = self.config.parked_max;
        if self.access.below_artifacts() < most || self.parked() < most {
            return true;
        }
        self.access.dropped += 1;
        false
    }

    /// How many keys and subscriptions wait for an artifact that is not known.
    fn parked(&self) -> usize {
        let unknown =
            |(artifact, _): &(&ArtifactId, usize)| self.artifacts.beliefs.get(artifact).is_none();
        self.access.artifacts().filter(unknown).map(|(_, count)| count).sum()
    }
}

/// A subscription out of what an event says and what is known; `None` where that is too little.
fn completed(claim: SubscriptionClaim, known: Option<&Subscription>) -> Option<Subscription> {
    let SubscriptionClaim { artifact, application, token, plan, status } = claim;
    let known_status: Option<SubscriptionStatus> = known.map(|known| known.status.clone());
    Some(Subscription {
        artifact: artifact.or_else(|| known.map(|known| known.artifact.clone()))?,
        application,
        token: token.or_else(|| known.and_then(|known| known.token)),
        plan,
        status: status.or(known_status)?,
    })
}
