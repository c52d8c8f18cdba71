//! Subscription plans, which APIM calls tiers.

use std::sync::Arc;

use driftless_gateway::model::PlanId;
use driftless_gateway::time::Instant;

use super::timeline::Timeline;
use crate::apim::ids::PlanIndex;
use crate::random::Key;
use crate::story::aim::OrganizationIndex;

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
    /// All of them.
    pub(in crate::apim) rows: Vec<PlanRow>,
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

    /// Adds one that nothing is said of yet.
    pub(in crate::apim) fn add(
        &mut self,
        of: OrganizationIndex,
        key: Key,
        name: &str,
    ) -> PlanIndex {
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
