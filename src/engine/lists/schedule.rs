//! When to read the lists of keys, subscriptions and plans, each by itself: one that fails keeps
//! no other waiting (law 9).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::engine::config::Config;
use crate::engine::input::Failure;
use crate::model::{ArtifactId, Kind, RequestId};
use crate::time::Instant;

/// A list that can be read by itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::engine) enum RollId {
    /// The subscription plans.
    Plans,
    /// The API keys of one kind of artifact.
    Keys(Kind),
    /// The subscriptions of one artifact.
    Subscriptions(ArtifactId),
}

/// How one list stands.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct State {
    due: Option<Instant>,
    asked_at: Option<Instant>,
    in_flight: Option<RequestId>,
    /// A read asked before this does not settle what is wanted.
    confirm_at: Instant,
    failures: u32,
    last_failure: Option<Failure>,
    /// Items of the last answer that could not be read, and the first reason.
    unreadable: Option<(usize, String)>,
    /// When the last complete answer of this session was asked for.
    read_at: Option<Instant>,
    /// Whether there is no such list in this session.
    is_absent: bool,
}

/// What the lists of one family say together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::engine) struct Outlook {
    /// Lists not read in this session since what happened last could be seen in them.
    pub(in crate::engine) unread: usize,
    /// Lists that are not there.
    pub(in crate::engine) absent: usize,
    /// Lists that fail.
    pub(in crate::engine) failing: usize,
    /// Items that could not be read.
    pub(in crate::engine) unreadable: usize,
}

/// What the lists of a family are about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::engine) enum Family {
    /// Plans.
    Plans,
    /// API keys.
    Keys,
    /// Subscriptions.
    Subscriptions,
}

impl RollId {
    const fn family(&self) -> Family {
        match self {
            Self::Plans => Family::Plans,
            Self::Keys(_) => Family::Keys,
            Self::Subscriptions(_) => Family::Subscriptions,
        }
    }
}

impl State {
    /// Whether a complete answer came in this session that was asked for late enough.
    fn is_settled(&self) -> bool {
        self.read_at.is_some_and(|asked| asked >= self.confirm_at)
    }

    fn outlook(&self) -> Outlook {
        Outlook {
            unread: usize::from(!self.is_absent && !self.is_settled()),
            absent: usize::from(self.is_absent),
            failing: usize::from(self.last_failure.is_some()),
            unreadable: self.unreadable.as_ref().map_or(0, |(count, _)| *count),
        }
    }
}

impl Outlook {
    fn change(&mut self, part: &Self, apply: impl Fn(&mut usize, usize)) {
        apply(&mut self.unread, part.unread);
        apply(&mut self.absent, part.absent);
        apply(&mut self.failing, part.failing);
        apply(&mut self.unreadable, part.unreadable);
    }
}

/// The schedule of these lists.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Rolls {
    states: BTreeMap<RollId, State>,
    due: BTreeSet<(Instant, RollId)>,
    in_flight: usize,
    outlooks: [Outlook; 3],
}

impl Rolls {
    /// A session came alive: every list is read at once, and again when reads have settled, for
    /// what changed just before is in no event of this session.
    pub(in crate::engine) fn session_began(&mut self, now: Instant, settled: Instant) {
        for id in self.states.keys().cloned().collect::<Vec<_>>() {
            self.update(&id, |state| {
                *state = State { due: Some(now), confirm_at: settled, ..State::default() };
            });
        }
        self.in_flight = 0;
    }

    /// The requests in flight; a new session does not wait for them.
    pub(in crate::engine) fn requests(&self) -> Vec<RequestId> {
        self.states.values().filter_map(|state| state.in_flight).collect()
    }

    /// Wants a list now and again when reads have settled; a list that was not known is from now
    /// on.
    pub(in crate::engine) fn look(&mut self, id: &RollId, now: Instant, settled: Instant, spacing: Duration) {
        if !self.states.contains_key(id) {
            let state = State::default();
            let outlook = &mut self.outlooks[id.family() as usize];
            outlook.change(&state.outlook(), |total, part| *total += part);
            self.states.insert(id.clone(), state);
        }
        self.update(id, |state| {
            let spaced = state.asked_at.map_or(now, |asked| asked.after(spacing).max(now));
            state.wish(spaced);
            state.confirm_at = state.confirm_at.max(settled);
        });
    }

    /// Wants a list that is asked at `at` or later.
    pub(in crate::engine) fn confirm(&mut self, id: &RollId, at: Instant) {
        self.update(id, |state| {
            state.wish(at);
            state.confirm_at = state.confirm_at.max(at);
        });
    }

    /// Wants every list of subscriptions.
    pub(in crate::engine) fn confirm_subscriptions(&mut self, at: Instant) {
        let is_one = |id: &&RollId| matches!(id, RollId::Subscriptions(_));
        for id in self.states.keys().filter(is_one).cloned().collect::<Vec<_>>() {
            self.confirm(&id, at);
        }
    }

    /// Whether this list is read.
    pub(in crate::engine) fn has(&self, id: &RollId) -> bool {
        self.states.contains_key(id)
    }

    /// The list is wanted no more; answers the request in flight.
    pub(in crate::engine) fn drop_list(&mut self, id: &RollId) -> Option<RequestId> {
        let state = self.states.remove(id)?;
        let outlook = &mut self.outlooks[id.family() as usize];
        outlook.change(&state.outlook(), |total, part| *total -= part);
        if let Some(due) = state.due {
            self.due.remove(&(due, id.clone()));
        }
        self.in_flight -= usize::from(state.in_flight.is_some());
        state.in_flight
    }

    /// When the next list is to be asked for.
    pub(in crate::engine) fn next_due(&self, config: &Config) -> Option<Instant> {
        let has_room = self.in_flight < config.rolls_in_flight_max;
        self.due.first().filter(|_| has_room).map(|(due, _)| *due)
    }

    /// The next list to ask for now.
    pub(in crate::engine) fn pop_due(&self, now: Instant, config: &Config) -> Option<RollId> {
        self.next_due(config).filter(|due| *due <= now)?;
        self.due.first().map(|(_, id)| id.clone())
    }

    /// A list was asked for.
    pub(in crate::engine) fn asked(&mut self, id: &RollId, request: RequestId, now: Instant) {
        self.in_flight += 1;
        self.update(id, |state| {
            state.due = None;
            state.in_flight = Some(request);
            state.asked_at = Some(now);
        });
    }

    /// A list was answered in a form that means something; the next periodic one is at `next`.
    pub(in crate::engine) fn succeeded(
        &mut self,
        id: &RollId,
        unreadable: &[String],
        next: Instant,
        spacing: Duration,
    ) {
        self.landed(id);
        self.update(id, |state| {
            state.failures = 0;
            state.last_failure = None;
            state.unreadable = unreadable.first().map(|why| (unreadable.len(), why.clone()));
            if unreadable.is_empty() {
                state.read_at = state.asked_at;
            }
            let asked = state.asked_at.unwrap_or_default();
            let unsettled = asked < state.confirm_at;
            let again = state.confirm_at.max(asked.after(spacing));
            state.due = Some(if unsettled { again } else { next });
        });
    }

    /// There is no such list in this session.
    pub(in crate::engine) fn absent(&mut self, id: &RollId) {
        self.landed(id);
        self.update(id, |state| {
            state.is_absent = true;
            state.last_failure = None;
            state.due = None;
        });
    }

    /// There is such a list after all; answers whether it was taken for absent.
    pub(in crate::engine) fn revive(&mut self, id: &RollId) -> bool {
        let was_absent = self.states.get(id).is_some_and(|state| state.is_absent);
        if was_absent {
            self.update(id, |state| state.is_absent = false);
        }
        was_absent
    }

    /// A list failed; it is asked again at `again`. None of it counts (law 3).
    pub(in crate::engine) fn failed(&mut self, id: &RollId, failure: &Failure, again: Instant) {
        self.landed(id);
        self.update(id, |state| {
            state.failures += 1;
            state.last_failure = Some(failure.clone());
            state.due = Some(again);
        });
    }

    /// How often a list failed in a row.
    pub(in crate::engine) fn failures(&self, id: &RollId) -> u32 {
        self.states.get(id).map_or(0, |state| state.failures)
    }

    /// What the lists of a family say together.
    pub(in crate::engine) const fn outlook(&self, family: Family) -> Outlook {
        self.outlooks[family as usize]
    }

    /// Why the first failing list of a family fails.
    pub(in crate::engine) fn failure(&self, family: Family) -> Option<&Failure> {
        self.of(family).find_map(|state| state.last_failure.as_ref())
    }

    /// Why the first item of a family could not be read.
    pub(in crate::engine) fn unreadable_why(&self, family: Family) -> Option<&str> {
        self.of(family).find_map(|state| state.unreadable.as_ref()).map(|(_, why)| why.as_str())
    }

    fn of(&self, family: Family) -> impl Iterator<Item = &State> {
        self.states.iter().filter(move |(id, _)| id.family() == family).map(|(_, state)| state)
    }

    fn landed(&mut self, id: &RollId) {
        if let Some(state) = self.states.get_mut(id)
            && state.in_flight.take().is_some()
        {
            self.in_flight -= 1;
        }
    }

    fn update(&mut self, id: &RollId, change: impl FnOnce(&mut State)) {
        let Some(state) = self.states.get_mut(id) else { return };
        let outlook = &mut self.outlooks[id.family() as usize];
        let before = state.due;
        outlook.change(&state.outlook(), |total, part| *total -= part);
        change(state);
        outlook.change(&state.outlook(), |total, part| *total += part);
        if before == state.due {
            return;
        }
        if let Some(before) = before {
            self.due.remove(&(before, id.clone()));
        }
        if let Some(after) = state.due {
            self.due.insert((after, id.clone()));
        }
    }
}

impl State {
    /// A list that is not there is not asked for, and one in flight is judged when it lands.
    fn wish(&mut self, at: Instant) {
        if !self.is_absent && self.in_flight.is_none() {
            self.due = Some(self.due.map_or(at, |due| due.min(at)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    const SPACING: Duration = Duration::from_secs(2);

    #[test]
    fn a_list_is_read_at_once_and_again_when_reads_have_settled() {
        let config = Config::recommended();
        let mut rolls = Rolls::default();
        rolls.look(&RollId::Plans, at(0), at(5), SPACING);
        assert_eq!(rolls.pop_due(at(0), &config), Some(RollId::Plans));
        rolls.asked(&RollId::Plans, RequestId(1), at(0));
        assert_eq!(rolls.next_due(&config), None);
        rolls.succeeded(&RollId::Plans, &[], at(120), SPACING);
        assert_eq!(rolls.next_due(&config), Some(at(5)));
        rolls.asked(&RollId::Plans, RequestId(2), at(5));
        rolls.succeeded(&RollId::Plans, &[], at(120), SPACING);
        assert_eq!(rolls.next_due(&config), Some(at(120)));
    }

    #[test]
    fn what_is_wished_during_a_read_is_asked_after_it() {
        let config = Config::recommended();
        let mut rolls = Rolls::default();
        rolls.look(&RollId::Plans, at(0), at(0), SPACING);
        rolls.asked(&RollId::Plans, RequestId(1), at(0));
        rolls.confirm(&RollId::Plans, at(1));
        rolls.succeeded(&RollId::Plans, &[], at(120), SPACING);
        assert_eq!(rolls.next_due(&config), Some(at(2)), "spaced from the last one");
    }

    #[test]
    fn a_list_that_fails_keeps_no_other_waiting() {
        let config = Config::recommended();
        let mut rolls = Rolls::default();
        let keys = RollId::Keys(Kind::RestApi);
        rolls.look(&RollId::Plans, at(0), at(0), SPACING);
        rolls.look(&keys, at(0), at(0), SPACING);
        rolls.asked(&RollId::Plans, RequestId(1), at(0));
        rolls.failed(&RollId::Plans, &Failure::Status(500), at(30));
        assert_eq!(rolls.pop_due(at(0), &config), Some(keys.clone()));
        assert_eq!(rolls.outlook(Family::Plans).failing, 1);
        assert_eq!(rolls.failure(Family::Plans), Some(&Failure::Status(500)));
        rolls.absent(&keys);
        rolls.confirm(&keys, at(1));
        assert_eq!(rolls.next_due(&config), Some(at(30)), "what is not there is not asked for");
        rolls.session_began(at(40), at(45));
        assert_eq!(rolls.pop_due(at(40), &config), Some(RollId::Plans));
    }
}
