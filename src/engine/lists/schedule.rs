//! When each list is read: one schedule for all of them. Each list goes by itself, so one that
//! fails keeps no other waiting (law 9).
//!
//! A list is read at once when a session begins, and again when reads have settled: the first
//! answer may be older than what happened just before the session. From then on it is read
//! whenever something asks for it, and periodically.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::engine::config::Config;
use crate::engine::input::Failure;
use crate::model::{ArtifactId, Kind, RequestId};
use crate::time::Instant;

/// A list that can be read by itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::engine) enum ListId {
    /// The deployments.
    Artifacts,
    /// The subscription plans.
    Plans,
    /// The API keys of one kind of artifact.
    Keys(Kind),
    /// The subscriptions of one artifact.
    Subscriptions(ArtifactId),
}

/// What the lists of a family are about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::engine) enum Family {
    /// Artifacts.
    Artifacts,
    /// Plans.
    Plans,
    /// API keys.
    Keys,
    /// Subscriptions.
    Subscriptions,
}

impl Family {
    const COUNT: usize = 4;
}

impl ListId {
    /// The family that the list belongs to.
    pub(in crate::engine) const fn family(&self) -> Family {
        match self {
            Self::Artifacts => Family::Artifacts,
            Self::Plans => Family::Plans,
            Self::Keys(_) => Family::Keys,
            Self::Subscriptions(_) => Family::Subscriptions,
        }
    }
}

/// What a well-formed answer was worth.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::engine) struct Worth {
    /// Whether what it lacks may be taken for absent.
    pub(in crate::engine) is_complete: bool,
    /// Why some of its items could not be used.
    pub(in crate::engine) unusable: Option<String>,
}

/// Which reading of a list an answer belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::engine) struct Reading {
    /// Whether it is the periodic one.
    pub(in crate::engine) is_periodic: bool,
    /// Whether no complete one came before it in this session.
    pub(in crate::engine) is_first: bool,
}

/// How one list stands.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct List {
    /// When the next reading is wanted.
    wanted_at: Option<Instant>,
    /// A reading asked for before this does not settle what it is wanted for.
    settles_at: Instant,
    /// When the next periodic reading is due.
    periodic_at: Option<Instant>,
    /// The request in flight, and whether it is the periodic one.
    in_flight: Option<(RequestId, bool)>,
    /// When the last reading was asked for.
    asked_at: Option<Instant>,
    /// When the last complete answer of this session was asked for.
    read_at: Option<Instant>,
    /// Failures in a row.
    failures: u32,
    /// Why the last reading failed, until one succeeds; nothing is asked for before the instant.
    failure: Option<(Failure, Instant)>,
    /// Why some items of the last answer could not be used.
    unusable: Option<String>,
    /// Whether there is no such list in this session.
    is_absent: bool,
    /// When the next reading is due, as it is indexed.
    due: Option<Instant>,
}

impl List {
    /// Whether a complete answer came in this session that was asked for late enough.
    fn is_settled(&self) -> bool {
        self.read_at.is_some_and(|asked_at| asked_at >= self.settles_at)
    }

    fn want(&mut self, at: Instant) {
        self.wanted_at = Some(self.wanted_at.map_or(at, |known| known.min(at)));
    }

    fn next_due(&self, spacing: Duration) -> Option<Instant> {
        if self.is_absent || self.in_flight.is_some() {
            return None;
        }
        let wanted = [self.wanted_at, self.periodic_at].into_iter().flatten().min()?;
        let spaced = self.asked_at.map_or(Instant::START, |asked_at| asked_at.after(spacing));
        let retry_at = self.failure.as_ref().map_or(Instant::START, |(_, retry_at)| *retry_at);
        Some(wanted.max(spaced).max(retry_at))
    }

    fn health(&self) -> ListHealth {
        ListHealth {
            never_read: usize::from(!self.is_absent && self.read_at.is_none()),
            unsettled: usize::from(!self.is_absent && !self.is_settled()),
            absent: usize::from(self.is_absent),
            failing: usize::from(self.failure.is_some()),
            unusable: usize::from(self.unusable.is_some()),
        }
    }
}

/// How many lists of a family stand how.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::engine) struct ListHealth {
    /// Lists without a complete answer in this session.
    pub(in crate::engine) never_read: usize,
    /// Lists not read completely since what happened last can be seen in them.
    pub(in crate::engine) unsettled: usize,
    /// Lists that are not there.
    pub(in crate::engine) absent: usize,
    /// Lists that fail.
    pub(in crate::engine) failing: usize,
    /// Lists with items that could not be used.
    pub(in crate::engine) unusable: usize,
}

impl ListHealth {
    fn change(&mut self, part: &Self, apply: impl Fn(&mut usize, usize)) {
        apply(&mut self.never_read, part.never_read);
        apply(&mut self.unsettled, part.unsettled);
        apply(&mut self.absent, part.absent);
        apply(&mut self.failing, part.failing);
        apply(&mut self.unusable, part.unusable);
    }
}

/// What is kept for the lists of one family together.
#[derive(Clone, Debug, Default)]
struct FamilyState {
    due: BTreeSet<(Instant, ListId)>,
    in_flight: usize,
    health: ListHealth,
}

/// The schedule of all lists.
#[derive(Clone, Debug)]
pub(in crate::engine) struct Lists {
    lists: BTreeMap<ListId, List>,
    families: [FamilyState; Family::COUNT],
    spacing: Duration,
    in_flight_max: usize,
}

impl Lists {
    /// A schedule in which nothing is wanted yet: a session has to be live first (law 2).
    pub(in crate::engine) fn new(config: &Config) -> Self {
        Self {
            lists: BTreeMap::new(),
            families: Default::default(),
            spacing: config.list_spacing,
            in_flight_max: config.lists_in_flight_max,
        }
    }

    /// A session came alive: what lists said in an earlier one proves nothing about what happened
    /// in between. Returns the requests that are wanted no more.
    pub(in crate::engine) fn session_began(
        &mut self,
        now: Instant,
        settled_at: Instant,
    ) -> Vec<RequestId> {
        let mut obsolete = Vec::new();
        for id in self.lists.keys().cloned().collect::<Vec<_>>() {
            obsolete.extend(self.land(&id).map(|(request, _)| request));
            self.update(&id, |list| {
                *list = List {
                    wanted_at: Some(now),
                    settles_at: settled_at,
                    periodic_at: list.periodic_at,
                    due: list.due,
                    ..List::default()
                };
            });
        }
        obsolete
    }

    /// Reads a list now, and again when reads have settled; one that was not read so far is read
    /// from now on.
    pub(in crate::engine) fn read(&mut self, id: &ListId, now: Instant, settled_at: Instant) {
        if !self.lists.contains_key(id) {
            let list = List::default();
            let health = &mut self.families[id.family() as usize].health;
            health.change(&list.health(), |total, part| *total += part);
            self.lists.insert(id.clone(), list);
        }
        self.update(id, |list| {
            list.want(now);
            list.settles_at = list.settles_at.max(settled_at);
        });
    }

    /// Wants a list that is asked for at `at` or later.
    pub(in crate::engine) fn relist(&mut self, id: &ListId, at: Instant) {
        self.update(id, |list| {
            list.want(at);
            list.settles_at = list.settles_at.max(at);
        });
    }

    /// Wants every list of a family, asked for at `at` or later.
    pub(in crate::engine) fn relist_family(&mut self, family: Family, at: Instant) {
        let ids = self.lists.keys().filter(|id| id.family() == family);
        for id in ids.cloned().collect::<Vec<_>>() {
            self.relist(&id, at);
        }
    }

    /// Wants every list, asked for at `at` or later.
    pub(in crate::engine) fn relist_all(&mut self, at: Instant) {
        for id in self.lists.keys().cloned().collect::<Vec<_>>() {
            self.relist(&id, at);
        }
    }

    /// Whether this list is read.
    pub(in crate::engine) fn has(&self, id: &ListId) -> bool {
        self.lists.contains_key(id)
    }

    /// Reads a list no more; returns the request in flight.
    pub(in crate::engine) fn remove(&mut self, id: &ListId) -> Option<RequestId> {
        let in_flight = self.land(id);
        let list = self.lists.remove(id)?;
        let family = &mut self.families[id.family() as usize];
        family.health.change(&list.health(), |total, part| *total -= part);
        if let Some(due) = list.due {
            family.due.remove(&(due, id.clone()));
        }
        in_flight.map(|(request, _)| request)
    }

    /// When the next list is to be asked for. The limit of requests in flight is each family's
    /// own: many slow lists of one do not hold back another.
    pub(in crate::engine) fn next_due(&self) -> Option<Instant> {
        self.first_due().map(|(due, _)| *due)
    }

    /// The next list to ask for now.
    pub(in crate::engine) fn due(&self, now: Instant) -> Option<ListId> {
        self.first_due().filter(|(due, _)| *due <= now).map(|(_, id)| id.clone())
    }

    fn first_due(&self) -> Option<&(Instant, ListId)> {
        let with_room = self.families.iter().filter(|family| family.in_flight < self.in_flight_max);
        with_room.filter_map(|family| family.due.first()).min()
    }

    /// A list was asked for.
    pub(in crate::engine) fn asked(&mut self, id: &ListId, request: RequestId, now: Instant) {
        self.families[id.family() as usize].in_flight += 1;
        self.update(id, |list| {
            let is_periodic = list.periodic_at.is_some_and(|at| at <= now);
            list.in_flight = Some((request, is_periodic));
            list.asked_at = Some(now);
            // What is wanted later is still wanted then.
            list.wanted_at = list.wanted_at.filter(|at| *at > now);
        });
    }

    /// A list was answered in a form that means something. The next periodic reading is at
    /// `next`, where this was one; a reading that was asked for too early is repeated.
    pub(in crate::engine) fn succeeded(
        &mut self,
        id: &ListId,
        worth: Worth,
        next: Instant,
    ) -> Reading {
        let is_periodic = self.land(id).is_some_and(|(_, is_periodic)| is_periodic);
        let is_first = self.read_at(id).is_none();
        self.update(id, |list| {
            list.failures = 0;
            list.failure = None;
            list.unusable = worth.unusable;
            if worth.is_complete {
                list.read_at = list.asked_at;
            }
            if is_periodic || list.periodic_at.is_none() {
                list.periodic_at = Some(next);
            }
            list.wanted_at = if list.asked_at >= Some(list.settles_at) {
                None
            } else {
                Some(list.wanted_at.unwrap_or(list.settles_at))
            };
        });
        Reading { is_periodic, is_first }
    }

    /// There is no such list in this session.
    pub(in crate::engine) fn absent(&mut self, id: &ListId) {
        self.land(id);
        self.update(id, |list| {
            list.is_absent = true;
            list.failure = None;
        });
    }

    /// There is such a list after all; returns whether it was taken for absent.
    pub(in crate::engine) fn revive(&mut self, id: &ListId) -> bool {
        let was_absent = self.lists.get(id).is_some_and(|list| list.is_absent);
        if was_absent {
            self.update(id, |list| list.is_absent = false);
        }
        was_absent
    }

    /// A reading failed; it is repeated at `retry_at`, whatever else is wanted. None of it counts
    /// (law 3).
    pub(in crate::engine) fn failed(&mut self, id: &ListId, failure: &Failure, retry_at: Instant) {
        self.land(id);
        self.update(id, |list| {
            list.failures += 1;
            list.failure = Some((failure.clone(), retry_at));
            list.want(retry_at);
        });
    }

    /// How often a list failed in a row.
    pub(in crate::engine) fn failures(&self, id: &ListId) -> u32 {
        self.lists.get(id).map_or(0, |list| list.failures)
    }

    /// When the last complete answer of this session was asked for.
    pub(in crate::engine) fn read_at(&self, id: &ListId) -> Option<Instant> {
        self.lists.get(id)?.read_at
    }

    /// The request for a list, while one is in flight.
    pub(in crate::engine) fn in_flight(&self, id: &ListId) -> Option<RequestId> {
        self.lists.get(id)?.in_flight.map(|(request, _)| request)
    }

    /// How the lists of a family stand.
    pub(in crate::engine) const fn health(&self, family: Family) -> ListHealth {
        self.families[family as usize].health
    }

    /// Why the first failing list of a family fails.
    pub(in crate::engine) fn failure(&self, family: Family) -> Option<&Failure> {
        self.of(family).find_map(|list| list.failure.as_ref()).map(|(failure, _)| failure)
    }

    /// Why items of the first list of a family that has such cannot be used.
    pub(in crate::engine) fn unusable(&self, family: Family) -> Option<&str> {
        self.of(family).find_map(|list| list.unusable.as_deref())
    }

    fn of(&self, family: Family) -> impl Iterator<Item = &List> {
        self.lists.iter().filter(move |(id, _)| id.family() == family).map(|(_, list)| list)
    }

    fn land(&mut self, id: &ListId) -> Option<(RequestId, bool)> {
        let in_flight = self.lists.get_mut(id)?.in_flight.take()?;
        self.families[id.family() as usize].in_flight -= 1;
        Some(in_flight)
    }

    fn update(&mut self, id: &ListId, change: impl FnOnce(&mut List)) {
        let Some(list) = self.lists.get_mut(id) else { return };
        let family = &mut self.families[id.family() as usize];
        let before = list.due;
        family.health.change(&list.health(), |total, part| *total -= part);
        change(list);
        list.due = list.next_due(self.spacing);
        family.health.change(&list.health(), |total, part| *total += part);
        if before == list.due {
            return;
        }
        if let Some(before) = before {
            family.due.remove(&(before, id.clone()));
        }
        if let Some(after) = list.due {
            family.due.insert((after, id.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    fn complete() -> Worth {
        Worth { is_complete: true, unusable: None }
    }

    /// A schedule that began its session at 10 s and reads two lists from then on.
    fn began() -> Lists {
        let mut lists = Lists::new(&Config::recommended());
        lists.read(&ListId::Artifacts, at(10), at(15));
        lists.read(&ListId::Plans, at(10), at(15));
        lists
    }

    /// Asks for a list and answers it at once; the next periodic reading is two minutes later.
    fn read(lists: &mut Lists, id: &ListId, seconds: u64) -> Reading {
        assert_eq!(lists.due(at(seconds)).as_ref(), Some(id));
        lists.asked(id, RequestId(seconds), at(seconds));
        lists.succeeded(id, complete(), at(seconds + 120))
    }

    /// A schedule of one list that is settled.
    fn settled() -> Lists {
        let mut lists = Lists::new(&Config::recommended());
        lists.read(&ListId::Plans, at(10), at(15));
        read(&mut lists, &ListId::Plans, 10);
        read(&mut lists, &ListId::Plans, 15);
        lists
    }

    #[test]
    fn a_list_is_read_at_once_again_when_reads_have_settled_and_then_periodically() {
        let mut lists = began();
        assert!(read(&mut lists, &ListId::Artifacts, 10).is_first);
        assert_eq!(lists.health(Family::Artifacts).unsettled, 1);
        read(&mut lists, &ListId::Plans, 10);
        assert!(!read(&mut lists, &ListId::Artifacts, 15).is_first);
        assert_eq!(lists.health(Family::Artifacts), ListHealth::default());
        read(&mut lists, &ListId::Plans, 15);
        assert_eq!(lists.next_due(), Some(at(130)));
        assert!(read(&mut lists, &ListId::Artifacts, 130).is_periodic);
    }

    #[test]
    fn a_new_session_reads_every_list_at_once_whatever_was_planned() {
        let mut lists = settled();
        lists.relist(&ListId::Plans, at(20));
        lists.asked(&ListId::Plans, RequestId(2), at(20));
        assert_eq!(lists.session_began(at(21), at(26)), [RequestId(2)]);
        assert_eq!(lists.next_due(), Some(at(21)));
        assert_eq!(lists.health(Family::Plans).never_read, 1);
    }

    #[test]
    fn the_earliest_wish_counts_spaced_from_the_last_reading() {
        let mut lists = settled();
        lists.relist(&ListId::Plans, at(40));
        lists.relist(&ListId::Plans, at(30));
        assert_eq!(lists.next_due(), Some(at(30)));
        lists.relist(&ListId::Plans, at(16));
        assert_eq!(lists.next_due(), Some(at(17)));
    }

    #[test]
    fn a_reading_that_was_asked_for_too_early_is_repeated() {
        let mut lists = settled();
        lists.relist(&ListId::Plans, at(30));
        lists.relist(&ListId::Plans, at(40));
        read(&mut lists, &ListId::Plans, 30);
        assert_eq!(lists.next_due(), Some(at(40)));
        lists.asked(&ListId::Plans, RequestId(1), at(40));
        lists.relist(&ListId::Plans, at(45));
        assert_eq!(lists.next_due(), None, "one at a time");
        lists.succeeded(&ListId::Plans, complete(), at(999));
        assert_eq!(lists.next_due(), Some(at(45)), "what is wanted meanwhile is asked after it");
    }

    #[test]
    fn a_failed_reading_waits_for_its_retry_whatever_is_wanted() {
        let mut lists = settled();
        lists.relist(&ListId::Plans, at(20));
        lists.asked(&ListId::Plans, RequestId(1), at(20));
        lists.failed(&ListId::Plans, &Failure::Status(500), at(50));
        lists.relist(&ListId::Plans, at(21));
        assert_eq!(lists.next_due(), Some(at(50)));
        assert_eq!(lists.health(Family::Plans).failing, 1);
        assert_eq!(lists.failure(Family::Plans), Some(&Failure::Status(500)));
        assert_eq!(lists.health(Family::Plans).never_read, 0, "what was read stays read");
    }

    #[test]
    fn only_a_periodic_reading_moves_the_next_periodic_one() {
        let mut lists = settled();
        assert_eq!(lists.next_due(), Some(at(130)));
        lists.relist(&ListId::Plans, at(100));
        assert!(!read(&mut lists, &ListId::Plans, 100).is_periodic);
        assert_eq!(lists.next_due(), Some(at(130)));
        assert!(read(&mut lists, &ListId::Plans, 130).is_periodic);
        assert_eq!(lists.next_due(), Some(at(250)));
    }

    #[test]
    fn a_partial_answer_settles_nothing_and_is_not_repeated_at_once() {
        let mut lists = began();
        let worth = Worth { is_complete: false, unusable: Some("why".to_owned()) };
        lists.asked(&ListId::Artifacts, RequestId(1), at(15));
        lists.succeeded(&ListId::Artifacts, worth, at(120));
        let health = lists.health(Family::Artifacts);
        assert_eq!((health.never_read, health.unsettled, health.unusable), (1, 1, 1));
        lists.remove(&ListId::Plans);
        assert_eq!(lists.next_due(), Some(at(120)));
        assert_eq!(lists.unusable(Family::Artifacts), Some("why"));
    }

    #[test]
    fn many_lists_of_one_family_hold_back_no_other() {
        let mut lists = began();
        for n in 0..9 {
            let id = ListId::Subscriptions(ArtifactId::new(&n.to_string()));
            lists.read(&id, at(1), at(6));
        }
        let mut asked = Vec::new();
        while let Some(id) = lists.due(at(10)) {
            lists.asked(&id, RequestId(asked.len() as u64), at(10));
            asked.push(id.family());
        }
        let subscriptions = asked.iter().filter(|family| **family == Family::Subscriptions);
        assert_eq!((asked.len(), subscriptions.count()), (6, 4));
    }

    #[test]
    fn a_list_that_is_not_there_is_not_asked_for_until_the_next_session() {
        let mut lists = settled();
        lists.absent(&ListId::Plans);
        lists.relist(&ListId::Plans, at(20));
        assert_eq!(lists.next_due(), None);
        assert_eq!(lists.health(Family::Plans).absent, 1);
        lists.session_began(at(40), at(45));
        assert_eq!(lists.due(at(40)), Some(ListId::Plans));
        assert!(!lists.revive(&ListId::Plans));
        lists.absent(&ListId::Plans);
        assert!(lists.revive(&ListId::Plans));
        assert_eq!(lists.next_due(), Some(at(40)));
    }
}
