//! Subscription plans, which APIM calls tiers.

use std::sync::Arc;

use driftless_gateway::model::{Plan, PlanId, Quota, QuotaUnit};
use driftless_gateway::time::Instant;

use super::timeline::Timeline;
use crate::apim::ApiManager;
use crate::apim::changes::PlanChange;
use crate::apim::ids::PlanIndex;
use crate::apim::ledger::Cause;
use crate::random::Key;
use crate::story::aim::OrganizationIndex;
use crate::story::step::SetPlan;

/// The plans that every organization begins with, and their requests a minute.
const FIRST: [(&str, Option<u64>); 4] =
    [("Bronze", Some(1)), ("Silver", Some(5)), ("Gold", Some(20)), ("Unlimited", None)];

/// A plan's limit: requests a minute.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::apim) struct Limit(pub(in crate::apim) Option<u64>);

/// A plan.
pub(in crate::apim) struct PlanRow {
    /// Whose it is.
    pub(in crate::apim) organization: OrganizationIndex,
    /// Its name.
    pub(in crate::apim) name: Arc<str>,
    /// Its id; a plan made anew under an old name has another (C-H37).
    pub(in crate::apim) id: PlanId,
    /// Its limit over time.
    pub(in crate::apim) row: Timeline<Limit>,
}

/// Every plan there ever was.
#[derive(Default)]
pub(in crate::apim) struct Plans {
    rows: Vec<PlanRow>,
}

impl Plans {
    /// The plan at a place.
    pub(in crate::apim) fn get(&self, index: PlanIndex) -> Option<&PlanRow> {
        self.rows.get(index)
    }

    /// Every plan of an organization, oldest first.
    pub(in crate::apim) fn of(&self, of: OrganizationIndex) -> impl Iterator<Item = &PlanRow> {
        self.rows.iter().filter(move |plan| plan.organization == of)
    }

    /// The plan of that name that an organization has.
    pub(in crate::apim) fn existing(&self, of: OrganizationIndex, name: &str) -> Option<PlanIndex> {
        let is_it = |plan: &PlanRow| plan.organization == of && *plan.name == *name;
        self.rows.iter().rposition(|plan| is_it(plan) && plan.row.now().is_some())
    }

    fn add(&mut self, of: OrganizationIndex, key: Key, name: &str) -> PlanIndex {
        let before = self.of(of).filter(|plan| *plan.name == *name).count();
        let id = PlanId::new(&key.child("plans").child(name).nth(before as u64).uuid("plan"));
        let (name, row) = (Arc::from(name), Timeline::default());
        self.rows.push(PlanRow { organization: of, name, id, row });
        self.rows.len() - 1
    }

    /// Every statement can be read from now on.
    pub(in crate::apim) fn readable_now(&mut self, now: Instant) {
        self.rows.iter_mut().for_each(|plan| plan.row.readable_now(now));
    }

    /// Goes back to how it was at `then`; the first plans were there before the run.
    pub(in crate::apim) fn restore(&mut self, then: Option<Instant>, now: Instant) -> bool {
        let then = Some(then.unwrap_or(Instant::START));
        let rows = self.rows.iter_mut();
        rows.fold(false, |differs, plan| plan.row.restore(then, now) | differs)
    }
}

impl ApiManager {
    /// The plans that are there from the start; no event tells of them.
    pub(in crate::apim) fn make_first_plans(&mut self, of: OrganizationIndex) {
        for (name, per_minute) in FIRST {
            let index = self.access.plans.add(of, self.organization_key(of), name);
            self.set_plan(index, Some(Limit(per_minute)), Instant::START);
        }
    }

    /// Says what a plan's limit is, or that it is gone; answers whether that is news.
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
        self.note_for(of, |ledger| ledger.say_plan(&id, &name, what.clone(), now, readable));
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
        let index = self.access.plans.add(of, self.organization_key(of), &plan.plan);
        self.set_plan(index, Some(Limit(plan.per_minute)), now);
        self.tell_plan(index, PlanChange::Created, now);
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
            self.tell_plan(index, PlanChange::Updated, now);
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
        self.tell_plan(index, PlanChange::Deleted, now);
        true
    }
}
