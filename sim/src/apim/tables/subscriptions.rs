//! Subscriptions: an application's right to use an API, with a plan and a status (§5.7).

use std::collections::BTreeMap;

use driftless_gateway::model::{SubscriptionId, SubscriptionStatus};
use driftless_gateway::time::Instant;

use super::timeline::Timeline;
use crate::apim::ids::{ApiIndex, ApplicationIndex, PlanIndex, SubscriptionIndex};
use crate::apim::ledger::Secret;
use crate::story::step::Standing;

/// How a subscription stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::apim) struct Terms {
    /// Its status.
    pub(in crate::apim) status: Standing,
    /// Its plan, if it has one.
    pub(in crate::apim) plan: Option<PlanIndex>,
}

/// A subscription.
pub(in crate::apim) struct SubscriptionRow {
    /// The application.
    pub(in crate::apim) application: ApplicationIndex,
    /// The API.
    pub(in crate::apim) api: ApiIndex,
    /// Its id.
    pub(in crate::apim) id: SubscriptionId,
    /// Its token; an APIM has none.
    pub(in crate::apim) token: Option<Secret>,
    /// How it stands over time.
    pub(in crate::apim) row: Timeline<Terms>,
}

/// Every subscription there ever was.
#[derive(Default)]
pub(in crate::apim) struct Subscriptions {
    /// All of them.
    pub(in crate::apim) rows: Vec<SubscriptionRow>,
    /// By API, the oldest first.
    pub(in crate::apim) of_api: BTreeMap<ApiIndex, Vec<SubscriptionIndex>>,
}

impl Subscriptions {
    /// The subscription at a place.
    pub(in crate::apim) fn get(&self, index: SubscriptionIndex) -> Option<&SubscriptionRow> {
        self.rows.get(index)
    }

    /// The subscriptions to an API, oldest first, those that are gone among them.
    pub(in crate::apim) fn of_api(&self, api: ApiIndex) -> impl Iterator<Item = &SubscriptionRow> {
        let places = self.of_api.get(&api).map_or(&[][..], Vec::as_slice).iter();
        places.filter_map(|&index| self.rows.get(index))
    }

    /// Every subscription, oldest first, those that are gone among them.
    pub(in crate::apim) fn iter(&self) -> impl Iterator<Item = &SubscriptionRow> {
        self.rows.iter()
    }

    /// The places of an application's subscriptions.
    pub(in crate::apim) fn of_application(
        &self,
        application: ApplicationIndex,
    ) -> Vec<SubscriptionIndex> {
        let rows = self.rows.iter().enumerate();
        let live =
            rows.filter(|(_, row)| row.application == application && row.row.now().is_some());
        live.map(|(index, _)| index).collect()
    }

    /// The subscription of an application to an API.
    pub(in crate::apim) fn existing(
        &self,
        application: ApplicationIndex,
        api: ApiIndex,
    ) -> Option<SubscriptionIndex> {
        let is_it = |index: &SubscriptionIndex| {
            self.rows
                .get(*index)
                .is_some_and(|row| row.application == application && row.row.now().is_some())
        };
        self.of_api.get(&api)?.iter().copied().rev().find(is_it)
    }

    /// Adds one that nothing is said of yet.
    pub(in crate::apim) fn add(&mut self, row: SubscriptionRow) -> SubscriptionIndex {
        let index = self.rows.len();
        self.of_api.entry(row.api).or_default().push(index);
        self.rows.push(row);
        index
    }

    /// Every statement can be read from now on.
    pub(in crate::apim) fn readable_now(&mut self, now: Instant) {
        self.rows.iter_mut().for_each(|row| row.row.readable_now(now));
    }

    /// Goes back to how it was at `then`; returns whether that is a difference.
    pub(in crate::apim) fn restore(&mut self, then: Option<Instant>, now: Instant) -> bool {
        let rows = self.rows.iter_mut();
        rows.fold(false, |differs, row| row.row.restore(then, now) | differs)
    }
}

impl Standing {
    /// The status as a gateway knows it.
    pub(in crate::apim) const fn status(self) -> SubscriptionStatus {
        match self {
            Self::Unblocked | Self::Active => SubscriptionStatus::Active,
            Self::Blocked => SubscriptionStatus::Blocked,
            Self::ProdOnlyBlocked => SubscriptionStatus::ProdOnlyBlocked,
            Self::OnHold => SubscriptionStatus::OnHold,
            Self::Rejected => SubscriptionStatus::Rejected,
            Self::TierUpdatePending => SubscriptionStatus::TierUpdatePending,
            Self::Inactive => SubscriptionStatus::Inactive,
            Self::Revoked => SubscriptionStatus::Revoked,
        }
    }

    /// Whether it is a word of the Platform API rather than of an APIM.
    pub(in crate::apim) const fn is_of_platform(self) -> bool {
        matches!(self, Self::Active | Self::Inactive | Self::Revoked)
    }

    /// Whether a key of the application is made known to a gateway for the API (§2.7). The
    /// Platform API asks for the subscription only.
    pub(in crate::apim) const fn fans_out(self) -> bool {
        self.is_of_platform() || matches!(self, Self::Unblocked | Self::ProdOnlyBlocked)
    }
}
