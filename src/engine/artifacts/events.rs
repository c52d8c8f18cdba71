//! Events of the session: hints about what to look at, applied when they are provably newer.

use std::cmp::Ordering;

use crate::engine::Engine;
use crate::engine::artifacts::belief::{Desired, Intent};
use crate::model::{
    Ack, AckAction, AckStatus, ArtifactId, Event, EventHead, Generation, Kind, SessionId,
};
use crate::time::{Instant, Timestamp};

impl Engine {
    /// An event arrived on the current session.
    pub(in crate::engine) fn watched(&mut self, session: SessionId, event: Event, now: Instant) {
        self.session.renewed(session, now, self.config.lease);
        match event {
            Event::ConnectionAck { .. } => self.acknowledged(session, now),
            Event::Deployed(head) => self.deployed(&head, now),
            Event::Undeployed(head) => self.undeployed(&head, now),
            Event::Deleted { artifact, kind, sent_at } => {
                self.deleted(&artifact, kind, sent_at, now);
            }
            Event::Changed(event) => self.changed(*event, now),
            Event::NotHeld { event_type } => {
                self.surfaced.events_not_held.count(&event_type, self.config.names_max);
            }
            Event::Unknown { event_type } => {
                self.surfaced.unknown_events.count(&event_type, self.config.names_max);
            }
        }
    }

    /// How an event relates to what is known. `None` cannot be told and asks for a read; so does
    /// the same stamp on another statement (A-H3).
    fn order(&self, id: &ArtifactId, at: Option<&Timestamp>, same: bool) -> Option<Ordering> {
        let Some(desired) = self.desired.get(id) else { return Some(Ordering::Greater) };
        let order = desired.generation.order_event(at?, self.config.clock_margin);
        if order == Some(Ordering::Equal) && !same { None } else { order }
    }

    /// How a deploy relates to what is known and to an ending that waits to be believed: it voids
    /// only an ending that it is provably newer than.
    fn order_deploy(
        &self,
        id: &ArtifactId,
        at: Option<&Timestamp>,
        same: bool,
    ) -> Option<Ordering> {
        let ending = self.desired.get(id).and_then(|desired| desired.ending.as_ref());
        match ending.and_then(|ending| ending.stamp).map(|known| at?.order(&known)) {
            None | Some(Some(Ordering::Greater)) => self.order(id, at, same),
            Some(Some(Ordering::Less)) => Some(Ordering::Less),
            Some(Some(Ordering::Equal) | None) => None,
        }
    }

    fn deployed(&mut self, head: &EventHead, now: Instant) {
        let id = &head.artifact;
        let same = self.desired.get(id).is_some_and(|desired| {
            desired.intent == Intent::Deployed
                && desired.ending.is_none()
                && desired.generation.deployment == head.deployment
        });
        let is_deleted = self.desired.get(id).is_some_and(|d| d.intent == Intent::Deleted);
        match self.order_deploy(id, head.performed_at.as_ref(), same) {
            Some(Ordering::Greater) if is_deleted => {
                // Nothing deleted comes back on a hint; a read decides (law 5).
                self.owe(head, AckAction::Deploy, now);
                self.relist_settled(now);
            }
            Some(Ordering::Greater) => {
                self.intend_deployed(head, now);
                self.owe(head, AckAction::Deploy, now);
                self.relist_settled(now);
            }
            Some(Ordering::Equal) => self.owe(head, AckAction::Deploy, now),
            None if same => {
                // A list brought the row before its event: the clocks tell no order, and yet the
                // event asks for what is wanted already.
                self.owe(head, AckAction::Deploy, now);
                self.relist_settled(now);
            }
            Some(Ordering::Less) | None => self.relist_settled(now),
        }
        self.touched.insert(id.clone());
    }

    /// Owes an ack for an event.
    fn owe(&mut self, head: &EventHead, action: AckAction, now: Instant) {
        let told_at = now.after(self.config.read_lag_max);
        self.acks.owe(ack(head, action), told_at, self.config.acks_owed_max);
    }

    fn intend_deployed(&mut self, head: &EventHead, now: Instant) {
        let generation = Generation {
            deployment: head.deployment.clone(),
            performed_at: head.performed_at,
            listed_at: None,
        };
        match self.desired.get(&head.artifact) {
            None => {
                let desired = Desired::new(head.kind, Intent::Deployed, generation, now);
                self.desired.insert(head.artifact.clone(), desired);
            }
            Some(_) => self.desired.update(&head.artifact, |desired| {
                desired.intend(Intent::Deployed, now);
                desired.generation = generation;
            }),
        }
    }

    fn undeployed(&mut self, head: &EventHead, now: Instant) {
        let id = &head.artifact;
        let known = self.desired.get(id);
        let same = known.is_some_and(|d| d.intent == Intent::Undeployed);
        let is_other_deployment = known.is_some_and(|desired| {
            desired.intent == Intent::Deployed
                && desired.generation.deployment.is_some()
                && head.deployment.is_some()
                && desired.generation.deployment != head.deployment
        });
        match self.order(id, head.performed_at.as_ref(), same) {
            // The id of a deployment that is not the one served proves nothing by itself: it may
            // be the old one of a redeploy, or a wrong one (FB-62). A read decides.
            order @ (Some(Ordering::Greater) | None) => {
                let provable = order.is_some() && !is_other_deployment;
                self.end(id, head.kind, Intent::Undeployed, head.performed_at, provable, now);
                self.owe(head, AckAction::Undeploy, now);
                self.relist_settled(now);
            }
            Some(Ordering::Equal) => self.owe(head, AckAction::Undeploy, now),
            Some(Ordering::Less) => self.relist_settled(now),
        }
        self.touched.insert(id.clone());
    }

    fn deleted(&mut self, id: &ArtifactId, kind: Kind, sent_at: Option<Timestamp>, now: Instant) {
        let same = self.desired.get(id).is_some_and(|d| d.intent == Intent::Deleted);
        match self.order(id, sent_at.as_ref(), same) {
            order @ (Some(Ordering::Greater) | None) => {
                self.end(id, kind, Intent::Deleted, sent_at, order.is_some(), now);
                self.relist_settled(now);
            }
            Some(Ordering::Equal) => {}
            Some(Ordering::Less) => self.relist_settled(now),
        }
        self.touched.insert(id.clone());
    }

    /// Wants the list of artifacts once reads have settled.
    fn relist_settled(&mut self, now: Instant) {
        self.relist(now.after(self.config.read_lag_max));
    }
}

fn ack(head: &EventHead, action: AckAction) -> Ack {
    Ack {
        artifact: head.artifact.clone(),
        kind: head.kind,
        deployment: head.deployment.clone(),
        action,
        status: AckStatus::Success,
        performed_text: head.performed_text.clone(),
    }
}
