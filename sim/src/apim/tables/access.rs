//! The tables about who may use what, and what is still on its way from them.

use std::collections::{BTreeSet, VecDeque};

use driftless_gateway::time::Instant;

use super::applications::Applications;
use super::keys::Keys;
use super::plans::Plans;
use super::subscriptions::Subscriptions;
use crate::apim::changes::EventDraft;

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

    /// Changes on their way are not any more.
    pub(in crate::apim) fn stop_waiting(&mut self) {
        self.due.clear();
    }

    /// The tables go back in time; returns whether that is a difference. Events that a node has
    /// still to raise are in its memory and stay.
    pub(in crate::apim) fn restore(&mut self, then: Option<Instant>, now: Instant) -> bool {
        self.stop_waiting();
        let differs = [
            self.keys.restore(then, now),
            self.applications.restore(then, now),
            self.subscriptions.restore(then, now),
            self.plans.restore(then, now),
        ];
        differs.contains(&true)
    }

    /// Every change can be read from now on.
    pub(in crate::apim) fn readable_now(&mut self, now: Instant) {
        self.stop_waiting();
        self.keys.readable_now(now);
        self.subscriptions.readable_now(now);
        self.plans.readable_now(now);
    }
}
