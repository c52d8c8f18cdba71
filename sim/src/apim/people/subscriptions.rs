//! What people do with subscriptions: subscribe, change, unsubscribe (§5.7).

use driftless_gateway::model::SubscriptionId;
use driftless_gateway::time::Instant;

use super::grants::Grants;
use crate::apim::changes::SubscriptionChange;
use crate::apim::ids::{ApiIndex, ApplicationIndex, PlanIndex, SubscriptionIndex};
use crate::apim::ledger::{Cause, Secret};
use crate::apim::tables::subscriptions::{SubscriptionRow, Terms};
use crate::apim::tables::timeline::Timeline;
use crate::story::aim::OrganizationIndex;
use crate::story::step::{ChangeSubscription, Lifecycle, NamedSubscription, Standing, Subscribe};

impl Grants<'_> {
    /// Subscribes an application to an API that is open for it.
    pub(in crate::apim) fn subscribe(
        &mut self,
        of: OrganizationIndex,
        subscribe: &Subscribe,
        now: Instant,
    ) -> bool {
        let Some(api) = self.catalog.existing(of, &subscribe.api) else { return false };
        let is_open = self.catalog.get(api).is_some_and(|api| {
            matches!(api.truth().lifecycle, Lifecycle::Published | Lifecycle::Prototyped)
        });
        let plan = match &subscribe.plan {
            Some(name) => match self.access.plans.existing(of, name) {
                Some(plan) => Some(plan),
                None => return false,
            },
            None => None,
        };
        if !is_open {
            return false;
        }
        let application = self.application(of, &subscribe.application, now);
        if self.access.subscriptions.existing(application, api).is_some() {
            return false;
        }
        let Some(index) = self.add_subscription(application, api) else { return false };
        let is_apim = self.contract.keeps_events();
        let status = if is_apim { Standing::Unblocked } else { Standing::Active };
        self.set_subscription(index, Some(Terms { status, plan }), now);
        self.events().tell_subscription(index, SubscriptionChange::Created, now);
        true
    }

    fn add_subscription(
        &mut self,
        application: ApplicationIndex,
        api: ApiIndex,
    ) -> Option<SubscriptionIndex> {
        let of = self.access.subscriptions.of_api(api);
        let before = of.filter(|row| row.application == application).count() as u64;
        let key = self.key.child("subscriptions");
        let key = key.child(self.access.applications.get(application)?.id.as_str());
        let first = key.child(self.catalog.get(api)?.id.as_str());
        let key = first.nth(before);
        let token = if self.contract.switches.tokens_kept { first.nth(0) } else { key };
        Some(self.access.subscriptions.add(SubscriptionRow {
            application,
            api,
            id: SubscriptionId::new(&key.uuid("subscription")),
            token: (!self.contract.keeps_events()).then(|| Secret::draw(token.child("token"))),
            row: Timeline::default(),
        }))
    }

    /// Says how a subscription stands, or that it is gone; returns whether that is news.
    fn set_subscription(
        &mut self,
        index: SubscriptionIndex,
        terms: Option<Terms>,
        now: Instant,
    ) -> bool {
        if self.access.subscriptions.get(index).is_none_or(|row| row.row.now() == terms.as_ref()) {
            return false;
        }
        let readable = self.readable(now);
        let Some(row) = self.access.subscriptions.rows.get_mut(index) else { return false };
        let application = self.access.applications.get(row.application);
        let Some((application, api)) = application.zip(self.catalog.get(row.api)) else {
            return false;
        };
        let plan_id = |plan: PlanIndex| self.access.plans.get(plan).map(|plan| plan.id.clone());
        let what = terms.map(|terms| (terms.status.status(), terms.plan.and_then(plan_id)));
        let of = (&api.id, &application.id, row.token.as_ref());
        row.row.say(terms, now, readable, Cause::People);
        for environment in self.gateways.iter_mut() {
            if environment.organization == api.organization {
                let ledger = &mut environment.ledger;
                ledger.say_subscription(&row.id, of, what.clone(), now, readable);
            }
        }
        true
    }

    /// Changes the status or the plan of a subscription.
    pub(in crate::apim) fn change_subscription(
        &mut self,
        of: OrganizationIndex,
        change: &ChangeSubscription,
        now: Instant,
    ) -> bool {
        let is_platform = !self.contract.keeps_events();
        let named = self.subscription(of, &change.application, &change.api);
        let Some(index) = named else { return false };
        let row = self.access.subscriptions.get(index);
        let Some(mut terms) = row.and_then(|row| row.row.now()).copied() else { return false };
        if let Some(status) = change.status {
            if status.is_of_platform() != is_platform {
                return false;
            }
            terms.status = status;
        }
        if let Some(name) = &change.plan {
            let Some(plan) = self.access.plans.existing(of, name) else { return false };
            terms.plan = Some(plan);
        }
        let did = self.set_subscription(index, Some(terms), now);
        if did {
            self.events().tell_subscription(index, SubscriptionChange::Updated, now);
        }
        did
    }

    /// Removes a subscription.
    pub(in crate::apim) fn unsubscribe(
        &mut self,
        of: OrganizationIndex,
        held: &NamedSubscription,
        now: Instant,
    ) -> bool {
        let named = self.subscription(of, &held.application, &held.api);
        let Some(index) = named else { return false };
        self.end_subscription(index, now);
        true
    }

    /// Removes a subscription and tells so.
    pub(in crate::apim) fn end_subscription(&mut self, index: SubscriptionIndex, now: Instant) {
        self.set_subscription(index, None, now);
        self.events().tell_subscription(index, SubscriptionChange::Deleted, now);
    }

    /// The subscriptions to an API go with it; the event about the API says so.
    pub(in crate::apim) fn drop_subscriptions(&mut self, api: ApiIndex, now: Instant) {
        let of = self.access.subscriptions.of_api.get(&api).cloned().unwrap_or_default();
        for index in of {
            self.set_subscription(index, None, now);
        }
    }

    fn subscription(
        &self,
        of: OrganizationIndex,
        application: &str,
        api: &str,
    ) -> Option<SubscriptionIndex> {
        let application = self.access.applications.existing(of, application)?;
        self.access.subscriptions.existing(application, self.catalog.existing(of, api)?)
    }
}
