//! What people do: publish, revise, deploy, undeploy, delete, retire; in the order of §5.3 and §5.4.

use driftless_gateway::model::{DeploymentId, Kind};
use driftless_gateway::time::Instant;

use super::ApiManager;
use super::announce::{Change, Raised};
use super::catalog::{ApiIndex, REVISION_MAX};
use super::ledger::{Cause, Issued};
use super::rows::{Cached, Effect, Mapping, Pending, Rows};
use crate::step::{Deploy, Lifecycle};

impl Effect {
    /// A cache row that is deployed.
    pub(super) const fn cache(revision: u32, stamp: i64, lifecycle: Lifecycle) -> Self {
        Self::Cache(Cached { revision, stamp, deployed: true, lifecycle })
    }
}

impl ApiManager {
    /// Creates an API of that name unless there is one; answers whether it did.
    pub(super) fn publish(&mut self, name: &str, kind: &str, now: Instant) -> bool {
        let Ok(kind) = Kind::parse(kind) else { return false };
        if self.catalog.existing(name).is_some() {
            return false;
        }
        let index = self.catalog.add(name, kind, now);
        if let Some(api) = self.catalog.get(index) {
            self.ledger.add(&api.id, &api.name, kind, api.incarnation);
        }
        self.revise_to(index, 1, now);
        true
    }

    /// Saves one more revision.
    pub(super) fn revise(&mut self, name: &str, now: Instant) -> bool {
        let Some(index) = self.catalog.existing(name) else { return false };
        let Some(api) = self.catalog.get(index) else { return false };
        let (truth, next) = (api.state.truth, api.state.truth.revisions + 1);
        if truth.lifecycle == Lifecycle::Retired || next > REVISION_MAX {
            return false;
        }
        self.revise_to(index, next, now);
        true
    }

    fn revise_to(&mut self, index: ApiIndex, revision: u32, now: Instant) {
        self.catalog.revise_up_to(index, revision);
        let Some(api) = self.catalog.get_mut(index) else { return };
        api.state.truth.revisions = api.state.truth.revisions.max(revision);
        api.history.note(now, api.state);
    }

    /// Deploys a revision; publishes and revises first where there is nothing.
    ///
    /// The order is that of §5.3: mapping inserted, `api.undeployed` for other revisions, cache
    /// row rebuilt, `api.deployed`, old mappings removed. The Platform API updates one row and
    /// sends one event.
    pub(super) fn deploy(&mut self, deploy: &Deploy, now: Instant) -> bool {
        let asked = deploy.revision;
        if asked == Some(0) || asked.is_some_and(|revision| revision > REVISION_MAX) {
            return false;
        }
        self.publish(&deploy.api, Kind::RestApi.name(), now);
        let Some(index) = self.catalog.existing(&deploy.api) else { return false };
        let Some(api) = self.catalog.get(index) else { return false };
        let truth = api.state.truth;
        let lifecycle = truth.lifecycle;
        let is_deployable = api.kind == Kind::RestApi || !self.keeps_events();
        if lifecycle == Lifecycle::Retired || !is_deployable {
            return false;
        }
        let revision = asked.unwrap_or(truth.revisions.max(1));
        self.revise_to(index, revision, now);
        self.set_deployed(index, Some(revision), now);
        let Some(what) = self.deployed_issue(index, revision, lifecycle) else { return false };
        if self.keeps_events() {
            self.deploy_at_apim(index, revision, what, now);
        } else {
            self.deploy_at_platform(index, revision, what, now);
        }
        true
    }

    fn deploy_at_apim(&mut self, index: ApiIndex, revision: u32, what: Issued, now: Instant) {
        let (readable, row) = (self.readable_at(index, now), self.built(index, revision, now));
        let replaced = self.others_mapped(index, revision);
        let is_redeploy = replaced != Mapping::default();
        let window = if is_redeploy { self.faults.redeploy.length(now) } else { None };
        let settled = window.map_or(readable, |window| readable.after(window));
        let issue = self.issue(index, what, settled, now);
        self.pending.cancel_unmap(index, Some(revision));
        self.change(index, Effect::Map(revision), readable, now);
        for old in replaced.iter() {
            let deployment = self.deployment_of(index, old);
            self.raise(Raised { index, change: Change::Undeployed, deployment, issue }, now);
        }
        self.change(index, row, readable, now);
        let deployment = self.deployment_of(index, revision);
        self.raise(Raised { index, change: Change::Deployed, deployment, issue }, now);
        for old in replaced.iter() {
            if settled <= now {
                self.carry_out(index, Effect::Unmap(old), now);
            } else {
                let effect = Effect::Unmap(old);
                self.pending.push(Pending { at: settled, api: index, effect, blocks: false });
            }
        }
    }

    fn deploy_at_platform(&mut self, index: ApiIndex, revision: u32, what: Issued, now: Instant) {
        let (readable, row) = (self.readable_at(index, now), self.built(index, revision, now));
        let issue = self.issue(index, what, readable, now);
        self.change(index, row, readable, now);
        let deployment = self.deployment_of(index, revision);
        self.raise(Raised { index, change: Change::Deployed, deployment, issue }, now);
    }

    /// Undeploys an API; the event goes out before the rows are removed (§5.4).
    pub(super) fn undeploy(&mut self, name: &str, now: Instant) -> bool {
        let Some(index) = self.catalog.existing(name) else { return false };
        let Some(deployed) = self.deployed(index) else { return false };
        let readable = self.readable_at(index, now);
        self.set_deployed(index, None, now);
        let issue = self.issue(index, Issued::Undeployed, readable, now);
        let deployment = self.deployment_of_row(index, deployed);
        self.raise(Raised { index, change: Change::Undeployed, deployment, issue }, now);
        let effect = if self.keeps_events() {
            self.pending.cancel_unmap(index, None);
            Effect::Undeploy { keep_row: self.keep_row(index) }
        } else {
            Effect::Mark(self.clock.row(now))
        };
        self.change(index, effect, readable, now);
        true
    }

    /// Deletes an API.
    pub(super) fn delete(&mut self, name: &str, now: Instant) -> bool {
        let Some(index) = self.catalog.existing(name) else { return false };
        self.remove(index, now);
        if let Some(api) = self.catalog.get_mut(index) {
            api.state.truth.exists = false;
            api.history.note(now, api.state);
        }
        true
    }

    /// Moves an API to a lifecycle state. Retiring removes it from the gateway for good; nothing
    /// else reaches a platform gateway.
    pub(super) fn change_lifecycle(&mut self, name: &str, to: Lifecycle, now: Instant) -> bool {
        let Some(index) = self.catalog.existing(name) else { return false };
        let Some(api) = self.catalog.get_mut(index) else { return false };
        let from = api.state.truth.lifecycle;
        if from == to || from == Lifecycle::Retired {
            return false;
        }
        api.state.truth.lifecycle = to;
        api.history.note(now, api.state);
        if to == Lifecycle::Retired {
            self.remove(index, now);
        }
        true
    }

    /// The flow of delete and retire: `api.deleted`, then the rows. APIM tells only the
    /// environments in which the API is deployed, so a gateway on which it was undeployed before
    /// never hears of the deletion (§2.3).
    fn remove(&mut self, index: ApiIndex, now: Instant) {
        let was_deployed = self.deployed(index).is_some();
        let Some(api) = self.catalog.get(index) else { return };
        let was_known = api.state.rows.cached.is_some();
        let (keeps_events, is_new) = (self.keeps_events(), self.ledger.current(&api.id).is_none());
        self.set_deployed(index, None, now);
        let readable = self.readable_at(index, now);
        let issue = if is_new { 0 } else { self.issue(index, Issued::Deleted, readable, now) };
        if was_deployed || (!keeps_events && was_known) {
            let raised = Raised { index, change: Change::Deleted, deployment: None, issue };
            self.raise(raised, now);
        }
        self.pending.cancel_unmap(index, None);
        let keep_row = keeps_events && was_deployed && self.keep_row(index);
        self.change(index, Effect::Remove { keep_row }, readable, now);
        self.drop_children(index, now);
    }

    /// Whether removing the cache row fails this time (A-H14).
    fn keep_row(&mut self, index: ApiIndex) -> bool {
        let has_row = self.catalog.get(index).is_some_and(|api| api.state.rows.cached.is_some());
        let keeps = has_row && self.faults.keep_rows > 0;
        if keeps {
            self.faults.keep_rows -= 1;
        }
        keeps
    }

    fn deployed(&self, index: ApiIndex) -> Option<u32> {
        self.catalog.get(index)?.state.truth.deployed
    }

    fn set_deployed(&mut self, index: ApiIndex, revision: Option<u32>, now: Instant) {
        let Some(api) = self.catalog.get_mut(index) else { return };
        api.state.truth.deployed = revision;
        let lifecycle = api.state.truth.lifecycle;
        if let Some(revision) = revision {
            api.state.truth.deployed_as = lifecycle;
            api.note_deployed(revision, lifecycle);
        }
        api.history.note(now, api.state);
    }

    /// The artifact row that a deployment of that revision builds.
    fn built(&self, index: ApiIndex, revision: u32, now: Instant) -> Effect {
        let api = self.catalog.get(index);
        let lifecycle = api.map_or(Lifecycle::Published, |api| api.state.truth.deployed_as);
        Effect::cache(revision, self.clock.row(now), lifecycle)
    }

    /// The revisions mapped besides this one, once what is on its way has happened.
    fn others_mapped(&self, index: ApiIndex, revision: u32) -> Mapping {
        let Some(api) = self.catalog.get(index) else { return Mapping::default() };
        let mut others = self.pending.settled(index, api.state.rows).mapped;
        others.remove(revision);
        others
    }

    /// The deployment id of a revision.
    fn deployment_of(&self, index: ApiIndex, revision: u32) -> Option<DeploymentId> {
        self.catalog.get(index)?.deployment(revision).cloned()
    }

    /// The deployment id that an undeploy names: that of the artifact row where there is one,
    /// which a read may have overwritten (§5.2, A-H15).
    fn deployment_of_row(&self, index: ApiIndex, revision: u32) -> Option<DeploymentId> {
        let row = self.catalog.get(index)?.state.rows.cached;
        self.deployment_of(index, row.map_or(revision, |row| row.revision))
    }

    /// The statement that a revision is deployed in a lifecycle state.
    pub(super) fn deployed_issue(
        &self,
        index: ApiIndex,
        revision: u32,
        lifecycle: Lifecycle,
    ) -> Option<Issued> {
        let api = self.catalog.get(index)?;
        let digest = api.definition(revision, lifecycle)?.digest;
        let deployment = api.deployment(revision)?.clone();
        let outline = api.outline(revision, lifecycle);
        Some(Issued::Deployed { deployment, revision, digest, outline })
    }

    fn issue(&mut self, index: ApiIndex, what: Issued, readable: Instant, now: Instant) -> u32 {
        let Some(api) = self.catalog.get(index) else { return 0 };
        self.ledger.issue(&api.id, now, what, readable, Cause::People)
    }

    /// When a change made now becomes readable.
    fn readable_at(&self, index: ApiIndex, now: Instant) -> Instant {
        let wanted = self.faults.delay.length(now).map_or(now, |delay| now.after(delay));
        self.pending.earliest(index, wanted)
    }

    /// Carries a change out when it becomes readable.
    fn change(&mut self, index: ApiIndex, effect: Effect, at: Instant, now: Instant) {
        if at <= now {
            self.carry_out(index, effect, now);
        } else {
            self.delivered.count("delay_effects");
            self.pending.push(Pending { at, api: index, effect, blocks: true });
        }
    }

    /// Carries a change out now.
    pub(super) fn carry_out(&mut self, index: ApiIndex, effect: Effect, now: Instant) {
        self.change_rows(index, now, |rows| {
            rows.apply(effect);
            true
        });
    }

    /// Changes rows and notes how they looked; answers what the change answered.
    pub(super) fn change_rows(
        &mut self,
        index: ApiIndex,
        now: Instant,
        change: impl FnOnce(&mut Rows) -> bool,
    ) -> bool {
        let Some(api) = self.catalog.get_mut(index) else { return false };
        let did = change(&mut api.state.rows);
        api.history.note(now, api.state);
        did
    }
}
