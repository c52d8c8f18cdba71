//! What people do with subscription plans: create, change, delete.

use std::sync::Arc;

use driftless_gateway::model::{Plan, Quota, QuotaUnit};
use driftless_gateway::time::Instant;

use super::grants::Grants;
use crate::apim::changes::PlanChange;
use crate::apim::ids::{PlanIndex, organization_key};
use crate::apim::ledger::Cause;
use crate::apim::tables::plans::Limit;
use crate::story::aim::OrganizationIndex;
use crate::story::step::SetPlan;

/// The plans that every organization begins with, and their requests a minute.
const FIRST: [(&str, Option<u64>); 4] =
    [("Bronze", Some(1)), ("Silver", Some(5)), ("Gold", Some(20)), ("Unlimited", None)];

impl Grants<'_> {
    /// The plans that are there from the start; no event tells of them.
    pub(in crate::apim) fn make_first_plans(&mut self, of: OrganizationIndex) {
        for (name, per_minute) in FIRST {
            let index = self.access.plans.add(of, organization_key(self.key, of), name);
            self.set_plan(index, Some(Limit(per_minute)), Instant::START);
        }
    }

    /// Says what a plan's limit is, or that it is gone; returns whether that is news.
    fn set_plan(&mut self, index: PlanIndex, limit: Option<Limit>, now: Instant) -> bool {
        if self.access.plans.get(index).is_none_or(|plan| plan.row.now() == limit.as_ref()) {
            return false;
        }
        let readable = self.readable(now);
        let Some(plan) = self.access.plans.rows.get_mut(index) else { return false };
        let what = limit.map(|Limit(per_minute)| Plan {
            name: plan.name.to_string(),
            quota: per_minute.map(|count| Quota { count, unit: QuotaUnit::Minute }),
            stops_on_quota: true,
            expires_at: None,
            is_active: true,
        });
        plan.row.say(limit, now, readable, Cause::People);
        let (of, id, name) = (plan.organization, plan.id.clone(), Arc::clone(&plan.name));
        self.gateways
            .note_for(of, |ledger| ledger.say_plan(&id, &name, what.clone(), now, readable));
        true
    }

    /// Creates a plan of that name unless there is one.
    pub(in crate::apim) fn create_plan(
        &mut self,
        of: OrganizationIndex,
        plan: &SetPlan,
        now: Instant,
    ) -> bool {
        if self.access.plans.existing(of, &plan.plan).is_some() {
            return false;
        }
        let index = self.access.plans.add(of, organization_key(self.key, of), &plan.plan);
        self.set_plan(index, Some(Limit(plan.per_minute)), now);
        self.events().tell_plan(index, PlanChange::Created, now);
        true
    }

    /// Changes a plan's limit.
    pub(in crate::apim) fn change_plan(
        &mut self,
        of: OrganizationIndex,
        plan: &SetPlan,
        now: Instant,
    ) -> bool {
        let Some(index) = self.access.plans.existing(of, &plan.plan) else { return false };
        let did = self.set_plan(index, Some(Limit(plan.per_minute)), now);
        if did {
            self.events().tell_plan(index, PlanChange::Updated, now);
        }
        did
    }

    /// Deletes a plan. Subscriptions to it keep naming its id.
    pub(in crate::apim) fn delete_plan(
        &mut self,
        of: OrganizationIndex,
        name: &str,
        now: Instant,
    ) -> bool {
        let Some(index) = self.access.plans.existing(of, name) else { return false };
        self.set_plan(index, None, now);
        self.events().tell_plan(index, PlanChange::Deleted, now);
        true
    }
}
