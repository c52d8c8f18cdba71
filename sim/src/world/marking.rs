//! Noting the situations that a sweep should reach: how a gateway and the ledger stand when
//! something happens. Nothing but the marks is touched.

use std::collections::BTreeSet;

use driftless_gateway::engine::Doubt;
use driftless_gateway::model::{
    ArtifactId, Dialect, Event, Resource, ResourceChange, ResourceEvent, ResourceId,
};
use driftless_gateway::wire::HttpResponse;

use super::gateway::host::Host;
use crate::apim::{ApiManager, Issued, KeyRecord, KeyScope, Ledger, Others};
use crate::observe::{HeldChange, Served};

/// The situations that were reached.
#[derive(Debug, Default)]
pub(super) struct Reached(BTreeSet<&'static str>);

impl Reached {
    /// A situation was reached.
    pub(super) fn mark(&mut self, mark: &'static str) {
        debug_assert!(crate::observe::marks().iter().any(|known| known.name == mark), "{mark}");
        self.0.insert(mark);
    }

    /// Takes in what a property reached.
    pub(super) fn append(&mut self, marks: &mut BTreeSet<&'static str>) {
        self.0.append(marks);
    }

    /// All of them.
    pub(super) fn into_all(self) -> BTreeSet<&'static str> {
        self.0
    }
}

/// Notes how the other gateways stood when one heard of something.
pub(super) fn mark_beside(
    host: &Host,
    others: Others<'_, Host>,
    manager: &ApiManager,
    event: &Event,
    marks: &mut Reached,
) {
    if others.is_empty() {
        return;
    }
    let of = manager.organization_of(host.index);
    let organization = |other: &Host| manager.organization_of(other.index);
    let is_revoked =
        matches!(event, Event::Changed(event) if event.change == ResourceChange::KeyRevoked);
    let cut_off =
        is_revoked && others.iter().any(|other| organization(other) == of && !other.is_live());
    let elsewhere = others.iter().any(|other| organization(other) != of && other.is_live());
    let is_apart = match event {
        Event::Deployed(head) => {
            let is_deployed = |other: &Host| {
                let record = manager.ledger(other.index).record(&head.artifact);
                record.is_some_and(|record| record.must_serve().is_some())
            };
            others.iter().any(|other| organization(other) == of && !is_deployed(other))
        }
        _ => false,
    };
    let met = [
        ("key_revoked_while_one_is_cut_off", cut_off),
        ("event_of_another_organization", elsewhere),
        ("deployed_on_some_gateways_only", is_apart),
    ];
    met.into_iter().filter(|(_, is_met)| *is_met).for_each(|(mark, _)| marks.mark(mark));
}

/// Notes what a gateway meets.
pub(super) struct Marking<'a> {
    /// The gateway.
    pub(super) host: &'a Host,
    /// What was issued to it.
    pub(super) ledger: &'a Ledger,
    /// What was reached.
    pub(super) marks: &'a mut Reached,
}

impl Marking<'_> {
    /// Notes when a definition is served under the label of another generation.
    pub(super) fn label(&mut self, id: &ArtifactId, served: Option<&Served>) {
        let record = self.ledger.record(id);
        let Some((served, record)) = served.zip(record) else { return };
        let labelled = record.issues.iter().rev().find(|issue| match &issue.what {
            Issued::Deployed { deployment, .. } => Some(deployment) == served.deployment.as_ref(),
            _ => false,
        });
        let newest = record.issues_of(served.digest).next_back().map(|issue| issue.number);
        match labelled.map(|issue| issue.number).zip(newest) {
            Some((label, content)) if content > label => {
                self.marks.mark("content_newer_than_event")
            }
            Some((label, content)) if content < label => {
                self.marks.mark("content_older_than_event")
            }
            _ => {}
        }
    }

    /// Notes what an event met.
    pub(super) fn event(&mut self, event: &Event) {
        if !self.host.is_live() {
            self.marks.mark("event_before_ack");
        }
        let fetching = self.host.is_reading("fetch") || self.host.is_reading("fetch_batch");
        match event {
            Event::Deployed(head) => {
                if self.host.listing {
                    self.marks.mark("deploy_during_list");
                }
                let record = self.ledger.record(&head.artifact);
                if record.is_some_and(|record| record.deleted_since().is_some()) {
                    self.marks.mark("late_deploy_of_deleted");
                }
            }
            Event::Undeployed(head) => {
                if fetching {
                    self.marks.mark("undeploy_during_fetch");
                }
                let record = self.ledger.record(&head.artifact);
                if record.is_some_and(|record| record.must_serve().is_some())
                    && self.host.served.contains_key(&head.artifact)
                {
                    self.marks.mark("late_undeploy");
                }
            }
            Event::Deleted { .. } if self.host.listing => self.marks.mark("delete_during_list"),
            Event::Changed(event) => self.change(event),
            _ => {}
        }
    }

    /// Notes what an event about a key, a subscription or a plan met.
    fn change(&mut self, event: &ResourceEvent) {
        let is_read = |name| self.host.is_reading(name);
        let met = match (&event.id, &event.change) {
            (ResourceId::ApiKey(..), ResourceChange::KeyCreated(_)) if is_read("read_keys") => {
                Some("create_during_key_list")
            }
            (
                ResourceId::ApiKey(..),
                ResourceChange::KeyRevoked | ResourceChange::KeyRegenerated(_),
            ) if is_read("read_keys") => Some("revoke_during_key_list"),
            (ResourceId::Subscription(_), _) if is_read("read_subscriptions") => {
                Some("subscription_change_during_list")
            }
            (ResourceId::Plan(_), _) if is_read("read_plans") => Some("plan_change_during_list"),
            _ => None,
        };
        met.into_iter().for_each(|mark| self.marks.mark(mark));
        let ResourceId::ApiKey(artifact, _) = &event.id else { return };
        let engine = self.host.gateway.engine();
        if engine.is_some_and(|engine| engine.desired().get(artifact).is_none()) {
            self.marks.mark("key_before_its_api");
        }
        let access_events = self.ledger.access_events().iter();
        let same = access_events.filter(|access_event| {
            access_event.about == event.id
                && event.sent_at.is_some()
                && access_event.sent_at == event.sent_at
        });
        if same.count() > 1 {
            self.marks.mark("key_events_of_one_stamp");
        }
    }

    /// Notes what became of the keys of a name.
    pub(super) fn held(&mut self, change: &HeldChange) {
        let Some(Resource::ApiKey(after)) = &change.after else { return };
        let known = |hash| match &change.before {
            Some(Resource::ApiKey(before)) => before.credentials.iter().find(|it| it.hash == hash),
            _ => None,
        };
        let ledger = self.ledger;
        let is_relisted = after.credentials.iter().any(|key| {
            let was_nameless = known(key.hash).is_some_and(|known| known.uuid.is_none());
            let record = ledger.key_with(&key.hash).map(|(_, record)| record);
            was_nameless && key.uuid.is_some() && record.is_some_and(|it| it.replaces.is_some())
        });
        let is_shared = after.credentials.len() > 1;
        if is_relisted {
            self.marks.mark("regenerated_key_listed");
        }
        if is_shared {
            self.marks.mark("two_keys_of_one_name");
        }
    }

    /// Notes when a dead key is still in a snapshot that was swapped for another one.
    pub(super) fn swapped(&mut self) {
        if self.holds_ended_key() {
            self.marks.mark("snapshot_swapped_before_revocation");
        }
    }

    /// Whether a dead key is in force.
    fn holds_ended_key(&self) -> bool {
        let holders = self.host.gateway.view().holders();
        let mut ended = self.ledger.ended_keys();
        ended.any(|(_, key)| holders.contains_key(&key.hash))
    }

    /// Whether a key is in force that the ledger knows as such.
    fn holds_key(&self, is_such: impl Fn(&KeyRecord) -> bool) -> bool {
        let ledger = self.ledger;
        let slots = self.host.gateway.view().held().values().filter_map(|held| match held {
            Resource::ApiKey(slot) => Some(slot),
            _ => None,
        });
        let mut keys = slots.flat_map(|slot| slot.credentials.iter());
        keys.any(|key| ledger.key_with(&key.hash).is_some_and(|(_, record)| is_such(record)))
    }

    /// Notes what a list made the engine believe.
    pub(super) fn beliefs(&mut self) {
        let Some(engine) = self.host.gateway.engine() else { return };
        let is_orphan = engine.desired().iter().any(|(_, known)| known.presence.is_absent());
        let zombie = Some(Doubt::ListedWithoutContent);
        let is_zombie = engine.desired().iter().any(|(_, known)| known.doubt == zombie);
        if is_orphan {
            self.marks.mark("orphan_candidate");
        }
        if is_zombie {
            self.marks.mark("zombie_listed");
        }
    }

    /// Notes what an answer is, before the gateway reads it.
    pub(super) fn answer(&mut self, name: &str, response: &HttpResponse, dialect: Dialect) {
        match name {
            "list" => {
                let is_list = response.body.starts_with(br#"{"deployments":["#);
                if response.status != 200 || !is_list {
                    self.marks.mark("list_failed");
                } else if response.body.starts_with(br#"{"deployments":[]"#)
                    && self.ledger.must_serve().next().is_some()
                {
                    self.marks.mark("list_empty_by_fault");
                }
            }
            "read_keys" if response.body == b"[]" && self.holds_key(|_| true) => {
                self.marks.mark("key_list_empty");
            }
            "read_keys" if response.body.starts_with(b"[") && dialect == Dialect::Apim470Fixed => {
                let is_applications =
                    |key: &KeyRecord| matches!(key.scope, KeyScope::Application(_));
                if self.holds_key(is_applications) {
                    self.marks.mark("application_key_beside_list");
                }
            }
            "fetch_batch" if response.status != 200 => self.marks.mark("batch_failed"),
            _ => {}
        }
    }
}
