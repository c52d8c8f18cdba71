//! Events about artifacts: hints about what to look at, applied when they are provably newer.

use std::cmp::Ordering;

use super::Artifacts;
use super::belief::{ArtifactBelief, Intent, Withdrawal};
use crate::engine::config::Config;
use crate::engine::evidence::settled_at;
use crate::engine::lists::schedule::{ListId, Lists};
use crate::model::{Ack, AckAction, AckStatus, ArtifactId, EventHead, Generation, Kind};
use crate::time::{Instant, Timestamp};

/// Takes an event about an artifact in.
pub(in crate::engine) struct ArtifactEvents<'a> {
    pub(in crate::engine) config: &'a Config,
    pub(in crate::engine) artifacts: &'a mut Artifacts,
    pub(in crate::engine) lists: &'a mut Lists,
    pub(in crate::engine) now: Instant,
}

impl ArtifactEvents<'_> {
    /// How an event relates to what is known. `None` cannot be told and asks for a read; so does
    /// the same stamp on another statement (A-H3).
    fn order(&self, id: &ArtifactId, at: Option<&Timestamp>, same: bool) -> Option<Ordering> {
        let Some(known) = self.artifacts.beliefs.get(id) else { return Some(Ordering::Greater) };
        let order = known.generation.order_event(at?, self.config.clock_margin);
        if order == Some(Ordering::Equal) && !same { None } else { order }
    }

    /// How a deploy relates to what is known and to a withdrawal that waits to be believed: it
    /// voids only one that it is provably newer than.
    fn order_deploy(&self, head: &EventHead, same: bool) -> Option<Ordering> {
        let (id, at) = (&head.artifact, head.performed_at.as_ref());
        let known = self.artifacts.beliefs.get(id);
        let pending = known.and_then(|known| known.withdrawal.as_ref());
        match pending.map(|pending| pending.order_deploy(head.deployment.as_ref(), at)) {
            None | Some(Some(Ordering::Greater)) => self.order(id, at, same),
            Some(order) => order,
        }
    }

    /// An artifact is deployed.
    pub(in crate::engine) fn deployed(&mut self, head: &EventHead) {
        let id = &head.artifact;
        let same = self.artifacts.beliefs.get(id).is_some_and(|known| {
            known.intent == Intent::Deployed
                && known.withdrawal.is_none()
                && known.generation.deployment == head.deployment
        });
        match self.order_deploy(head, same) {
            // Nothing deleted comes back on a hint; a read decides (law 5).
            Some(Ordering::Greater) if self.artifacts.is_deleted(id) => {
                self.owe(head, AckAction::Deploy);
                self.relist();
            }
            Some(Ordering::Greater) => {
                self.intend_deployed(head);
                self.owe(head, AckAction::Deploy);
                self.relist();
            }
            Some(Ordering::Equal) => self.owe(head, AckAction::Deploy),
            None if same => {
                // A list brought the row before its event: the clocks tell no order, and yet the
                // event asks for what is wanted already.
                self.owe(head, AckAction::Deploy);
                self.relist();
            }
            Some(Ordering::Less) | None => self.relist(),
        }
        self.artifacts.touched.insert(id.clone());
    }

    fn intend_deployed(&mut self, head: &EventHead) {
        let generation = Generation {
            deployment: head.deployment.clone(),
            performed_at: head.performed_at,
            listed_at: None,
        };
        let beliefs = &mut self.artifacts.beliefs;
        if beliefs.get(&head.artifact).is_none() {
            let belief = ArtifactBelief::new(head.kind, Intent::Deployed, generation, self.now);
            beliefs.insert(head.artifact.clone(), belief);
            return;
        }
        beliefs.update(&head.artifact, |belief| {
            belief.intend(Intent::Deployed, self.now);
            belief.generation = generation;
        });
    }

    /// An artifact is undeployed.
    pub(in crate::engine) fn undeployed(&mut self, head: &EventHead) {
        let id = &head.artifact;
        let known = self.artifacts.beliefs.get(id);
        let same = known.is_some_and(|known| known.intent == Intent::Undeployed);
        let is_other_deployment = known.is_some_and(|known| {
            known.intent == Intent::Deployed
                && known.generation.deployment.is_some()
                && head.deployment.is_some()
                && (known.generation.deployment != head.deployment
                    || known.certainty.may_be_of_another())
        });
        match self.order(id, head.performed_at.as_ref(), same) {
            // The id of a deployment that is not the one served proves nothing by itself: it may
            // be the old one of a redeploy, or a wrong one (FB-62). A read decides.
            order @ (Some(Ordering::Greater) | None) => {
                let provable = order.is_some() && !is_other_deployment;
                let withdrawal = Withdrawal {
                    deployment: head.deployment.clone(),
                    ..self.withdrawal(Intent::Undeployed, head.performed_at, provable)
                };
                self.artifacts.withdraw(id, head.kind, withdrawal, self.now);
                self.owe(head, AckAction::Undeploy);
                self.relist();
            }
            Some(Ordering::Equal) => self.owe(head, AckAction::Undeploy),
            Some(Ordering::Less) => self.relist(),
        }
        self.artifacts.touched.insert(id.clone());
    }

    /// An artifact is deleted.
    pub(in crate::engine) fn deleted(
        &mut self,
        id: &ArtifactId,
        kind: Kind,
        sent_at: Option<Timestamp>,
    ) {
        let same = self.artifacts.is_deleted(id);
        match self.order(id, sent_at.as_ref(), same) {
            order @ (Some(Ordering::Greater) | None) => {
                let withdrawal = self.withdrawal(Intent::Deleted, sent_at, order.is_some());
                self.artifacts.withdraw(id, kind, withdrawal, self.now);
                self.relist();
            }
            Some(Ordering::Equal) => {}
            Some(Ordering::Less) => self.relist(),
        }
        self.artifacts.touched.insert(id.clone());
    }

    /// An undeploy or delete that was heard now.
    fn withdrawal(&self, intent: Intent, stamp: Option<Timestamp>, provable: bool) -> Withdrawal {
        Withdrawal {
            intent,
            due: self.now.after(self.config.undeploy_grace),
            asked: false,
            contradicted: false,
            provable,
            known_at: self.now,
            stamp,
            deployment: None,
        }
    }

    fn owe(&mut self, head: &EventHead, action: AckAction) {
        let ack = Ack {
            artifact: head.artifact.clone(),
            kind: head.kind,
            deployment: head.deployment.clone(),
            action,
            status: AckStatus::Success,
            performed_text: head.performed_text.clone(),
        };
        self.artifacts.acks.owe(ack, self.settled_at(), self.config.acks_owed_max);
    }

    /// Wants the list of artifacts once reads have settled.
    fn relist(&mut self) {
        self.lists.relist(&ListId::Artifacts, self.settled_at());
    }

    fn settled_at(&self) -> Instant {
        settled_at(self.now, self.config.read_lag_max)
    }
}
