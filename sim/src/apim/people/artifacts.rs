//! What people do: publish, revise, deploy, undeploy, delete, retire; in the order of §5.3 and §5.4.

use std::sync::Arc;

use driftless_gateway::model::{DeploymentId, Kind};
use driftless_gateway::time::Instant;

use crate::apim::Contract;
use crate::apim::clock::WallClock;
use crate::apim::events::artifacts::{ArtifactChange, Counts, Events, Raised};
use crate::apim::ids::{ApiIndex, Spot};
use crate::apim::ledger::{Cause, Issued};
use crate::apim::tables::artifacts::{ApiAtGateway, ApiRow, Catalog, REVISION_MAX};
use crate::apim::tables::gateways::Gateways;
use crate::apim::tables::history::{Cached, Effect, Mapping, PendingEffect, PendingEffects};
use crate::random::Key;
use crate::story::aim::{Aim, OrganizationIndex};
use crate::story::step::{Deploy, Lifecycle};

impl Effect {
    /// A cache row that is deployed.
    pub(in crate::apim) const fn cache(revision: u32, stamp: i64, lifecycle: Lifecycle) -> Self {
        Self::Cache(Cached { revision, stamp, deployed: true, lifecycle })
    }
}

/// What may be touched when people do something with an API: its tables, and what an event touches.
pub(in crate::apim) struct Publishing<'a> {
    /// What is spoken.
    pub(in crate::apim) contract: &'a Contract,
    /// What draws are keyed by.
    pub(in crate::apim) key: Key,
    /// The APIs.
    pub(in crate::apim) catalog: &'a mut Catalog,
    /// Changes on their way.
    pub(in crate::apim) pending: &'a mut PendingEffects,
    /// The gateways.
    pub(in crate::apim) gateways: &'a mut Gateways,
    /// The wall clock.
    pub(in crate::apim) clock: &'a mut WallClock,
    /// What was made so far.
    pub(in crate::apim) counts: &'a mut Counts,
}

impl Publishing<'_> {
    /// What an event touches.
    const fn events(&mut self) -> Events<'_> {
        Events {
            contract: self.contract,
            key: self.key,
            catalog: self.catalog,
            gateways: self.gateways,
            clock: self.clock,
            counts: self.counts,
        }
    }

    /// Creates an API of that name unless there is one; returns whether it did.
    pub(in crate::apim) fn publish(
        &mut self,
        of: OrganizationIndex,
        name: &str,
        kind: &str,
        now: Instant,
    ) -> bool {
        let Ok(kind) = Kind::parse(kind) else { return false };
        if self.catalog.existing(of, name).is_some() {
            return false;
        }
        let index = self.catalog.add(of, name, kind, now);
        if let Some(api) = self.catalog.get(index) {
            let (id, name, incarnation) = (api.id.clone(), Arc::clone(&api.name), api.incarnation);
            self.gateways.note_for(of, |ledger| ledger.add(&id, &name, kind, incarnation));
        }
        self.revise_to(index, 1, now);
        true
    }

    /// Saves one more revision, with a definition that can be read or not.
    pub(in crate::apim) fn revise(
        &mut self,
        of: OrganizationIndex,
        name: &str,
        is_readable: bool,
        now: Instant,
    ) -> bool {
        let Some(index) = self.catalog.existing(of, name) else { return false };
        let Some(truth) = self.catalog.get(index).map(ApiRow::truth) else { return false };
        let next = truth.revisions + 1;
        if truth.lifecycle == Lifecycle::Retired || next > REVISION_MAX {
            return false;
        }
        // After a restored backup the number may be one of before, whose definition is known.
        let is_new = self.catalog.get(index).is_some_and(|api| api.revision(next).is_none());
        self.revise_to(index, next, now);
        if is_new && !is_readable {
            self.catalog.spoil_revision(index, next);
        }
        true
    }

    fn revise_to(&mut self, index: ApiIndex, revision: u32, now: Instant) {
        self.catalog.revise_up_to(index, revision);
        let Some(api) = self.catalog.get_mut(index) else { return };
        api.set_truth(now, |truth| truth.revisions = truth.revisions.max(revision));
    }

    /// Deploys a revision to the gateways of its organization that are meant; publishes and
    /// revises first where there is nothing.
    ///
    /// The order is that of §5.3: mapping inserted, `api.undeployed` for other revisions, cache
    /// row rebuilt, `api.deployed`, old mappings removed. The Platform API updates one row and
    /// sends one event.
    pub(in crate::apim) fn deploy(&mut self, aim: &Aim, deploy: &Deploy, now: Instant) -> bool {
        let (of, asked) = (aim.organization, deploy.revision);
        if asked == Some(0) || asked.is_some_and(|revision| revision > REVISION_MAX) {
            return false;
        }
        self.publish(of, &deploy.api, Kind::RestApi.name(), now);
        let Some(index) = self.catalog.existing(of, &deploy.api) else { return false };
        let Some(api) = self.catalog.get(index) else { return false };
        let truth = api.truth();
        let lifecycle = truth.lifecycle;
        let is_deployable = api.kind == Kind::RestApi || !self.contract.keeps_events();
        if lifecycle == Lifecycle::Retired || !is_deployable {
            return false;
        }
        let revision = asked.unwrap_or(truth.revisions.max(1));
        self.revise_to(index, revision, now);
        let aimed = self.gateways.aimed(aim);
        for gateway in &aimed {
            let spot = Spot { api: index, gateway: *gateway };
            self.set_deployed(spot, Some(revision), now);
            let Some(what) = self.catalog.deployed_issue(spot, revision, lifecycle) else {
                return false;
            };
            if self.contract.keeps_events() {
                self.deploy_at_apim(spot, revision, what, now);
            } else {
                self.deploy_at_platform(spot, revision, what, now);
            }
        }
        !aimed.is_empty()
    }

    fn deploy_at_apim(&mut self, spot: Spot, revision: u32, what: Issued, now: Instant) {
        let (readable, row) = (self.readable_at(spot, now), self.built(spot, revision, now));
        let replaced = self.others_mapped(spot, revision);
        let is_redeploy = replaced != Mapping::default();
        let window = if is_redeploy {
            self.gateways.at(spot.gateway).faults.redeploy.length(now)
        } else {
            None
        };
        let settled = window.map_or(readable, |window| readable.after(window));
        let issue = self.issue(spot, what, settled, now);
        self.pending.cancel_unmap(spot, Some(revision));
        self.change(spot, Effect::Map(revision), readable, now);
        for old in replaced.iter() {
            let deployment = self.deployment_of(spot, old);
            self.events()
                .raise(Raised { spot, change: ArtifactChange::Undeployed, deployment, issue }, now);
        }
        self.change(spot, row, readable, now);
        let deployment = self.deployment_of(spot, revision);
        self.events()
            .raise(Raised { spot, change: ArtifactChange::Deployed, deployment, issue }, now);
        for old in replaced.iter() {
            if settled <= now {
                self.catalog.carry_out(spot, Effect::Unmap(old), now);
            } else {
                let effect = Effect::Unmap(old);
                self.pending.push(PendingEffect { at: settled, spot, effect, blocks: false });
            }
        }
    }

    fn deploy_at_platform(&mut self, spot: Spot, revision: u32, what: Issued, now: Instant) {
        let (readable, row) = (self.readable_at(spot, now), self.built(spot, revision, now));
        let issue = self.issue(spot, what, readable, now);
        self.change(spot, row, readable, now);
        let deployment = self.deployment_of(spot, revision);
        self.events()
            .raise(Raised { spot, change: ArtifactChange::Deployed, deployment, issue }, now);
    }

    /// Undeploys an API from the gateways that are meant.
    pub(in crate::apim) fn undeploy(&mut self, aim: &Aim, name: &str, now: Instant) -> bool {
        let Some(api) = self.catalog.existing(aim.organization, name) else { return false };
        let aimed = self.gateways.aimed(aim).into_iter();
        aimed.fold(false, |did, gateway| self.undeploy_at(Spot { api, gateway }, now) | did)
    }

    /// Undeploys an API; the event goes out before the rows are removed (§5.4).
    fn undeploy_at(&mut self, spot: Spot, now: Instant) -> bool {
        let Some(deployed) = self.deployed(spot) else { return false };
        let readable = self.readable_at(spot, now);
        self.set_deployed(spot, None, now);
        let issue = self.issue(spot, Issued::Undeployed, readable, now);
        let deployment = self.deployment_of_row(spot, deployed);
        self.events()
            .raise(Raised { spot, change: ArtifactChange::Undeployed, deployment, issue }, now);
        let effect = if self.contract.keeps_events() {
            self.pending.cancel_unmap(spot, None);
            Effect::Undeploy { keep_row: self.keep_row(spot) }
        } else {
            Effect::Mark(self.clock.row(now))
        };
        self.change(spot, effect, readable, now);
        true
    }

    /// Deletes an API; returns it.
    pub(in crate::apim) fn delete(
        &mut self,
        of: OrganizationIndex,
        name: &str,
        now: Instant,
    ) -> Option<ApiIndex> {
        let index = self.catalog.existing(of, name)?;
        self.remove(index, now);
        if let Some(api) = self.catalog.get_mut(index) {
            api.set_truth(now, |truth| truth.exists = false);
        }
        Some(index)
    }

    /// Moves an API to a lifecycle state; returns it where it was in another one. Retiring removes
    /// it from every gateway for good; nothing else reaches a platform gateway.
    pub(in crate::apim) fn change_lifecycle(
        &mut self,
        of: OrganizationIndex,
        name: &str,
        to: Lifecycle,
        now: Instant,
    ) -> Option<ApiIndex> {
        let index = self.catalog.existing(of, name)?;
        let api = self.catalog.get_mut(index)?;
        let from = api.truth().lifecycle;
        if from == to || from == Lifecycle::Retired {
            return None;
        }
        api.set_truth(now, |truth| truth.lifecycle = to);
        if to == Lifecycle::Retired {
            self.remove(index, now);
        }
        Some(index)
    }

    /// The flow of delete and retire: `api.deleted`, then the rows. APIM tells only the
    /// environments in which the API is deployed, so a gateway on which it was undeployed before
    /// never hears of the deletion (§2.3).
    fn remove(&mut self, api: ApiIndex, now: Instant) {
        let Some(of) = self.catalog.get(api).map(|api| api.organization) else { return };
        for gateway in self.gateways.gateways_of(of) {
            self.remove_at(Spot { api, gateway }, now);
        }
    }

    fn remove_at(&mut self, spot: Spot, now: Instant) {
        let was_deployed = self.deployed(spot).is_some();
        let Some(api) = self.catalog.get(spot.api) else { return };
        let was_known = api.gateways.at(spot.gateway).state.rows.cached.is_some();
        let ledger = &self.gateways.at(spot.gateway).ledger;
        let (keeps_events, is_new) =
            (self.contract.keeps_events(), ledger.current(&api.id).is_none());
        self.set_deployed(spot, None, now);
        let readable = self.readable_at(spot, now);
        let issue = if is_new { 0 } else { self.issue(spot, Issued::Deleted, readable, now) };
        if was_deployed || (!keeps_events && was_known) {
            let raised = Raised { spot, change: ArtifactChange::Deleted, deployment: None, issue };
            self.events().raise(raised, now);
        }
        self.pending.cancel_unmap(spot, None);
        let keep_row = keeps_events && was_deployed && self.keep_row(spot);
        self.change(spot, Effect::Remove { keep_row }, readable, now);
    }

    /// Whether removing the cache row fails this time (A-H14).
    fn keep_row(&mut self, spot: Spot) -> bool {
        let has_row = self.there(spot).is_some_and(|there| there.state.rows.cached.is_some());
        let faults = &mut self.gateways.at_mut(spot.gateway).faults;
        let keeps = has_row && faults.keep_rows > 0;
        if keeps {
            faults.keep_rows -= 1;
        }
        keeps
    }

    fn deployed(&self, spot: Spot) -> Option<u32> {
        self.there(spot)?.state.truth.deployed
    }

    /// How an API stands on a gateway.
    fn there(&self, spot: Spot) -> Option<&ApiAtGateway> {
        Some(self.catalog.get(spot.api)?.gateways.at(spot.gateway))
    }

    fn set_deployed(&mut self, spot: Spot, revision: Option<u32>, now: Instant) {
        let Some(api) = self.catalog.get_mut(spot.api) else { return };
        let there = api.gateways.at_mut(spot.gateway);
        there.state.truth.deployed = revision;
        let lifecycle = there.state.truth.lifecycle;
        if revision.is_some() {
            there.state.truth.deployed_as = lifecycle;
        }
        there.history.note(now, there.state);
        if let Some(revision) = revision {
            api.note_deployed(spot.gateway, revision, lifecycle);
        }
    }

    /// The artifact row that a deployment of that revision builds.
    fn built(&self, spot: Spot, revision: u32, now: Instant) -> Effect {
        let there = self.there(spot);
        let lifecycle = there.map_or(Lifecycle::Published, |there| there.state.truth.deployed_as);
        Effect::cache(revision, self.clock.row(now), lifecycle)
    }

    /// The revisions mapped besides this one, once what is on its way has happened.
    fn others_mapped(&self, spot: Spot, revision: u32) -> Mapping {
        let Some(there) = self.there(spot) else { return Mapping::default() };
        let mut others = self.pending.settled(spot, there.state.rows).mapped;
        others.remove(revision);
        others
    }

    /// The deployment id of a revision.
    fn deployment_of(&self, spot: Spot, revision: u32) -> Option<DeploymentId> {
        self.catalog.get(spot.api)?.deployment(spot.gateway, revision).cloned()
    }

    /// The deployment id that an undeploy names: that of the artifact row where there is one,
    /// which a read may have overwritten (§5.2, A-H15).
    fn deployment_of_row(&self, spot: Spot, revision: u32) -> Option<DeploymentId> {
        let row = self.there(spot)?.state.rows.cached;
        self.deployment_of(spot, row.map_or(revision, |row| row.revision))
    }

    fn issue(&mut self, spot: Spot, what: Issued, readable: Instant, now: Instant) -> u32 {
        let Some(api) = self.catalog.get(spot.api) else { return 0 };
        let ledger = &mut self.gateways.at_mut(spot.gateway).ledger;
        ledger.issue(&api.id, now, what, readable, Cause::People)
    }

    /// When a change made now becomes readable.
    fn readable_at(&self, spot: Spot, now: Instant) -> Instant {
        let delay = self.gateways.at(spot.gateway).faults.delay.length(now);
        let wanted = delay.map_or(now, |delay| now.after(delay));
        self.pending.earliest(spot, wanted)
    }

    /// Carries a change out when it becomes readable.
    fn change(&mut self, spot: Spot, effect: Effect, at: Instant, now: Instant) {
        if at <= now {
            self.catalog.carry_out(spot, effect, now);
        } else {
            self.gateways.count_at(spot.gateway, "delay_effects", 1);
            self.pending.push(PendingEffect { at, spot, effect, blocks: true });
        }
    }
}
