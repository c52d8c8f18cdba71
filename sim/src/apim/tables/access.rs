//! The tables about who may use what, and what is still on its way from them.

use std::collections::{BTreeSet, VecDeque};

use driftless_gateway::time::Instant;

use super::applications::Applications;
use super::keys::Keys;
use super::plans::Plans;
use super::subscriptions::Subscriptions;
use crate::apim::ApiManager;
use crate::apim::events::access::EventDraft;

/// Keys, applications, subscriptions and plans.
#[derive(Default)]
pub(in crate::apim) struct Access {
    /// The keys.
    pub(in crate::apim) keys: Keys,
    /// The applications.
    pub(in crate::apim) applications: Applications,
    /// The subscriptions.
    pub(in crate::apim) subscriptions: Subscriptions,
    /// The plans.
    pub(in crate::apim) plans: Plans,
    /// How many events were told of them.
    pub(in crate::apim) told: u64,
    /// When changes become readable that are not yet.
    due: BTreeSet<Instant>,
    /// Events that are raised later than their effect, in order.
    late: VecDeque<(Instant, EventDraft)>,
}

impl Access {
    /// When something is due next: an event, or a change to be readable.
    pub(in crate::apim) fn next_at(&self) -> Option<Instant> {
        let late = self.late.front().map(|(at, _)| *at);
        [late, self.due.first().copied()].into_iter().flatten().min()
    }

    /// A change becomes readable at `at`.
    pub(in crate::apim) fn will_change(&mut self, at: Instant, now: Instant) {
        if at > now {
            self.due.insert(at);
        }
    }

    /// Changes up to now can be read.
    pub(in crate::apim) fn settle(&mut self, now: Instant) {
        while self.due.first().is_some_and(|at| *at <= now) {
            self.due.pop_first();
        }
    }

    /// An event is to be raised at `at`, and not before those that wait already.
    pub(in crate::apim) fn raise_later(&mut self, at: Instant, told: EventDraft) {
        let at = self.late.back().map_or(at, |(last, _)| at.max(*last));
        self.late.push_back((at, told));
    }

    /// Whether events wait to be raised, so that another one has to wait too.
    pub(in crate::apim) fn is_late(&self) -> bool {
        !self.late.is_empty()
    }

    /// Takes the next event that is to be raised by now.
    pub(in crate::apim) fn pop_late(&mut self, now: Instant) -> Option<EventDraft> {
        self.late.pop_front_if(|(at, _)| *at <= now).map(|(_, told)| told)
    }

    /// Takes every event that is still to be raised.
    pub(in crate::apim) fn take_late(&mut self) -> Vec<EventDraft> {
        self.late.drain(..).map(|(_, told)| told).collect()
    }
}

impl ApiManager {
    /// When a change of these tables made now becomes readable; counts a delay.
    pub(in crate::apim) fn readable(&mut self, now: Instant) -> Instant {
        let Some(delay) = self.faults.delay.length(now) else { return now };
        self.delivered.count("delay_effects");
        let at = now.after(delay);
        self.access.will_change(at, now);
        at
    }

    /// Raises the events that are due, and lets changes be readable.
    pub(in crate::apim) fn settle_access(&mut self, now: Instant) {
        self.access.settle(now);
        while let Some(told) = self.access.pop_late(now) {
            self.raise_told(&told, now);
        }
    }

    /// What is deleted or retired takes its keys and subscriptions along.
    pub(in crate::apim) fn drop_children(&mut self, api: usize, now: Instant) {
        self.drop_keys(api, now);
        self.drop_subscriptions(api, now);
    }

    /// The tables go back in time; answers whether that is a difference. Events that a node has
    /// still to raise are in its memory and stay.
    pub(in crate::apim) fn restore_access(&mut self, then: Option<Instant>, now: Instant) -> bool {
        let access = &mut self.access;
        access.due.clear();
        let differs = [
            access.keys.restore(then, now),
            access.applications.restore(then, now),
            access.subscriptions.restore(then, now),
            access.plans.restore(then, now),
        ];
        for environment in self.environments.iter_mut() {
            environment.ledger.restore_access(then, now);
        }
        differs.contains(&true)
    }

    /// Completes what is on its way.
    pub(in crate::apim) fn complete_access(&mut self, now: Instant) {
        self.access.due.clear();
        self.access.keys.readable_now(now);
        self.access.subscriptions.readable_now(now);
        self.access.plans.readable_now(now);
        for told in self.access.take_late() {
            self.raise_told(&told, now);
        }
    }
}
