//! Noting the situations that a sweep should reach.

use driftless_gateway::engine::Doubt;
use driftless_gateway::model::{
    ArtifactId, Dialect, Event, Resource, ResourceChange, ResourceEvent, ResourceId,
};
use driftless_gateway::time::Timestamp;
use driftless_gateway::wire::HttpResponse;

use super::World;
use super::gateway::host::Host;
use crate::apim::{Issued, KeyRecord, KeyScope};
use crate::observe::{HeldChange, Served};

impl World<'_> {
    /// Notes how the other gateways stood when this one heard of something.
    pub(super) fn mark_beside(&mut self, event: &Event) {
        if self.others.is_empty() {
            return;
        }
        let of = self.manager.organization_of(self.site.index);
        let is_live = |site: &Host| site.gateway.engine().is_some_and(|engine| engine.is_live());
        let organization = |site: &Host| self.manager.organization_of(site.index);
        let others = || self.others.iter().map(|site| &**site);
        let is_revoked =
            matches!(event, Event::Changed(event) if event.change == ResourceChange::KeyRevoked);
        let cut_off = is_revoked && others().any(|site| organization(site) == of && !is_live(site));
        let elsewhere = others().any(|site| organization(site) != of && is_live(site));
        let is_apart = match event {
            Event::Deployed(head) => {
                let is_deployed = |site: &Host| {
                    let record = self.manager.ledger(site.index).record(&head.artifact);
                    record.is_some_and(|record| record.must_serve().is_some())
                };
                others().any(|site| organization(site) == of && !is_deployed(site))
            }
            _ => false,
        };
        let met = [
            ("key_revoked_while_one_is_cut_off", cut_off),
            ("event_of_another_organization", elsewhere),
            ("deployed_on_some_gateways_only", is_apart),
        ];
        met.into_iter().filter(|(_, is_met)| *is_met).for_each(|(mark, _)| self.mark(mark));
    }

    /// A situation was reached.
    pub fn mark(&mut self, mark: &'static str) {
        debug_assert!(crate::observe::marks().iter().any(|known| known.name == mark), "{mark}");
        self.marks.insert(mark);
    }

    /// Notes when a definition is served under the label of another generation.
    pub(super) fn mark_label(&mut self, id: &ArtifactId, served: Option<&Served>) {
        let record = self.manager.ledger(self.site.index).record(id);
        let Some((served, record)) = served.zip(record) else { return };
        let labelled = record.issues.iter().rev().find(|issue| match &issue.what {
            Issued::Deployed { deployment, .. } => Some(deployment) == served.deployment.as_ref(),
            _ => false,
        });
        let newest = record.issues_of(served.digest).next_back().map(|issue| issue.number);
        match labelled.map(|issue| issue.number).zip(newest) {
            Some((label, content)) if content > label => self.mark("content_newer_than_event"),
            Some((label, content)) if content < label => self.mark("content_older_than_event"),
            _ => {}
        }
    }

    /// Notes what an event met.
    pub(super) fn mark_event(&mut self, event: &Event) {
        let is_live = self.site.gateway.engine().is_some_and(|engine| engine.is_live());
        if !is_live {
            self.mark("event_before_ack");
        }
        let fetching = !self.site.fetches.is_empty();
        match event {
            Event::Deployed(head) => {
                if self.site.listing {
                    self.mark("deploy_during_list");
                }
                let record = self.manager.ledger(self.site.index).record(&head.artifact);
                if record.is_some_and(|record| record.deleted_since().is_some()) {
                    self.mark("late_deploy_of_deleted");
                }
            }
            Event::Undeployed(head) => {
                if fetching {
                    self.mark("undeploy_during_fetch");
                }
                let record = self.manager.ledger(self.site.index).record(&head.artifact);
                if record.is_some_and(|record| record.must_serve().is_some())
                    && self.site.served.contains_key(&head.artifact)
                {
                    self.mark("late_undeploy");
                }
            }
            Event::Deleted { .. } if self.site.listing => self.mark("delete_during_list"),
            Event::Changed(event) => self.mark_change(event),
            _ => {}
        }
    }

    /// Notes what an event about a key, a subscription or a plan met.
    fn mark_change(&mut self, event: &ResourceEvent) {
        let is_read = |name| self.site.rolls.values().any(|reading| *reading == name);
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
        met.into_iter().for_each(|mark| self.mark(mark));
        let ResourceId::ApiKey(artifact, _) = &event.id else { return };
        let engine = self.site.gateway.engine();
        if engine.is_some_and(|engine| engine.desired().get(artifact).is_none()) {
            self.mark("key_before_its_api");
        }
        let access_events = self.manager.ledger(self.site.index).access_events().iter();
        let stamp = |text: &str| Timestamp::parse(text).ok();
        let same = access_events.filter(|access_event| {
            access_event.about == event.id
                && event.sent_at.is_some()
                && stamp(&access_event.sent_text) == event.sent_at
        });
        if same.count() > 1 {
            self.mark("key_events_of_one_stamp");
        }
    }

    /// A list will not be read to its end.
    pub(super) fn mark_cancelled(&mut self, reading: Option<&'static str>) {
        if reading == Some("read_keys") {
            self.mark("reconnect_during_key_list");
        }
    }

    /// Notes what became of the keys of a name.
    pub(super) fn mark_held(&mut self, change: &HeldChange) {
        let Some(Resource::ApiKey(after)) = &change.after else { return };
        let known = |hash| match &change.before {
            Some(Resource::ApiKey(before)) => before.credentials.iter().find(|it| it.hash == hash),
            _ => None,
        };
        let ledger = self.manager.ledger(self.site.index);
        let is_relisted = after.credentials.iter().any(|key| {
            let was_nameless = known(key.hash).is_some_and(|known| known.uuid.is_none());
            let record = ledger.key_with(&key.hash).map(|(_, record)| record);
            was_nameless && key.uuid.is_some() && record.is_some_and(|it| it.replaces.is_some())
        });
        let is_shared = after.credentials.len() > 1;
        if is_relisted {
            self.mark("regenerated_key_listed");
        }
        if is_shared {
            self.mark("two_keys_of_one_name");
        }
    }

    /// Notes when a dead key is still in a snapshot that was swapped for another one.
    pub(super) fn mark_snapshot(&mut self) {
        let version = self.site.gateway.snapshot().version();
        let seen = std::mem::replace(&mut self.site.swaps_seen, version);
        if version != seen && self.holds_ended_key() {
            self.mark("snapshot_swapped_before_revocation");
        }
    }

    /// Whether a dead key is in force.
    fn holds_ended_key(&self) -> bool {
        let holders = self.site.gateway.view().holders();
        let mut ended = self.manager.ledger(self.site.index).ended_keys();
        ended.any(|(_, key)| holders.contains_key(&key.hash))
    }

    /// Whether a key is in force that the ledger knows as such.
    fn holds_key(&self, is_such: impl Fn(&KeyRecord) -> bool) -> bool {
        let ledger = self.manager.ledger(self.site.index);
        let slots = self.site.gateway.view().held().values().filter_map(|held| match held {
            Resource::ApiKey(slot) => Some(slot),
            _ => None,
        });
        let mut keys = slots.flat_map(|slot| slot.credentials.iter());
        keys.any(|key| ledger.key_with(&key.hash).is_some_and(|(_, record)| is_such(record)))
    }

    fn is_fixed_apim(&self) -> bool {
        self.story.dialect == Dialect::Apim470Fixed
    }
    /// Notes what a list made the engine believe.
    pub(super) fn mark_beliefs(&mut self) {
        let Some(engine) = self.site.gateway.engine() else { return };
        let is_orphan = engine.desired().iter().any(|(_, known)| known.presence.is_absent());
        let zombie = Some(Doubt::ListedWithoutContent);
        let is_zombie = engine.desired().iter().any(|(_, known)| known.doubt == zombie);
        if is_orphan {
            self.mark("orphan_candidate");
        }
        if is_zombie {
            self.mark("zombie_listed");
        }
    }

    /// Notes what an answer is, before the gateway reads it.
    pub(super) fn mark_answer(&mut self, name: &str, response: &HttpResponse) {
        match name {
            "list" => {
                let is_list = response.body.starts_with(br#"{"deployments":["#);
                if response.status != 200 || !is_list {
                    self.mark("list_failed");
                } else if response.body.starts_with(br#"{"deployments":[]"#)
                    && self.manager.ledger(self.site.index).must_serve().next().is_some()
                {
                    self.mark("list_empty_by_fault");
                }
            }
            "read_keys" if response.body == b"[]" && self.holds_key(|_| true) => {
                self.mark("key_list_empty");
            }
            "read_keys" if response.body.starts_with(b"[") && self.is_fixed_apim() => {
                let is_applications =
                    |key: &KeyRecord| matches!(key.scope, KeyScope::Application(_));
                if self.holds_key(is_applications) {
                    self.mark("application_key_beside_list");
                }
            }
            "fetch_batch" if response.status != 200 => self.mark("batch_failed"),
            _ => {}
        }
    }
}
