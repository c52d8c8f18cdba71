//! How much was used: counters in fixed windows.

use std::collections::BTreeMap;

use super::grant::{Charge, Grant, Subject};
use super::refusal::Refusal;
use crate::model::{Quota, QuotaUnit};
use crate::time::Timestamp;

/// Limits of the throttle itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ThrottleConfig {
    /// How many counters are kept, at most; one takes about 200 bytes.
    pub counters_max: usize,
    /// The limit of every application. Nothing that a gateway is told names an application's
    /// tier (`docs/apim.md` §5.7), so there is one for all.
    pub application: Option<Quota>,
}

impl ThrottleConfig {
    /// Room for 100,000 counters, and no limit of applications.
    pub const fn recommended() -> Self {
        Self { counters_max: 100_000, application: None }
    }
}

/// Requests in one window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Counter {
    unit: QuotaUnit,
    /// Which window of that unit since the Unix epoch.
    window: i128,
    used: u64,
}

/// Counters of requests, in fixed windows.
///
/// A window is one unit of the limit, aligned to the Unix epoch by the clock of the caller: a
/// minute begins with its second 0, and a limit's whole count is there again. So up to twice the
/// count may pass within one unit's length across a boundary, as is usual for fixed windows.
///
/// A clock that goes back by less than a unit leaves the window open that was begun, so a request
/// counted stays counted; one that goes back further begins the window that it names.
///
/// Counters belong to subjects and not to snapshots: they survive a swap, and a tier that changes
/// keeps what was used as long as its unit stays the same. When all room is taken by windows that
/// have not ended, a subject without a counter is refused and counted in
/// [`Throttle::turned_away`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Throttle {
    config: ThrottleConfig,
    counters: BTreeMap<Subject, Counter>,
    /// When some counter can be dropped next, and when that was found out; counters are looked
    /// through no more often.
    full_between: Option<(i128, i128)>,
    turned_away: u64,
}

impl Throttle {
    /// A throttle that has counted nothing.
    pub const fn new(config: ThrottleConfig) -> Self {
        Self { config, counters: BTreeMap::new(), full_between: None, turned_away: 0 }
    }

    /// How many counters there are, those of ended windows among them.
    pub fn counters(&self) -> usize {
        self.counters.len()
    }

    /// How many requests were refused for want of room.
    pub const fn turned_away(&self) -> u64 {
        self.turned_away
    }

    /// Counts a request against every limit that it has, or against none: all are looked at
    /// first, in the order API, resource, subscription, application.
    ///
    /// # Errors
    /// [`Refusal::Throttled`] at the first level whose limit is reached, or
    /// [`Refusal::ThrottleFull`].
    pub fn take(&mut self, grant: &Grant, now: Timestamp) -> Result<(), Refusal> {
        let now = now.unix_nanos();
        let application = match (&grant.application, self.config.application) {
            (Some(id), Some(quota)) => {
                Some(Charge { subject: Subject::Application(id.clone()), quota })
            }
            _ => None,
        };
        let charges = || grant.charges.iter().chain(&application);
        for Charge { subject, quota } in charges() {
            if self.counter(subject, quota.unit, now).used >= quota.count {
                return Err(Refusal::Throttled(subject.level()));
            }
        }
        if !self.has_room(charges().map(|charge| &charge.subject), now) {
            self.turned_away = self.turned_away.saturating_add(1);
            return Err(Refusal::ThrottleFull);
        }
        for Charge { subject, quota } in charges() {
            let mut counter = self.counter(subject, quota.unit, now);
            counter.used = counter.used.saturating_add(1);
            self.counters.insert(subject.clone(), counter);
        }
        Ok(())
    }

    /// The counter of a subject as it stands at `now`.
    fn counter(&self, subject: &Subject, unit: QuotaUnit, now: i128) -> Counter {
        let fresh = Counter { unit, window: now.div_euclid(nanos(unit)), used: 0 };
        match self.counters.get(subject) {
            Some(held) if held.unit == unit && held.is_open(now) => *held,
            _ => fresh,
        }
    }

    /// Whether there is room for the counters of these subjects, after those whose windows have
    /// ended made way if need be; one of these subjects may be among them.
    fn has_room<'a>(
        &mut self,
        subjects: impl Iterator<Item = &'a Subject> + Clone,
        now: i128,
    ) -> bool {
        let fits = |counters: &BTreeMap<Subject, Counter>| {
            let fresh = subjects.clone().filter(|subject| !counters.contains_key(subject));
            counters.len().saturating_add(fresh.count()) <= self.config.counters_max
        };
        if fits(&self.counters) {
            return true;
        }
        if self.full_between.is_some_and(|(from, until)| (from..until).contains(&now)) {
            return false;
        }
        self.counters.retain(|_, counter| counter.is_open(now));
        let ends = self.counters.values().map(|counter| (counter.window + 1) * nanos(counter.unit));
        let fits = fits(&self.counters);
        self.full_between = ends.min().filter(|_| !fits).map(|end| (now, end));
        fits
    }
}

impl Counter {
    /// Whether the window counts at `now`: it has not ended, and the clock has not gone back by
    /// a unit or more.
    const fn is_open(&self, now: i128) -> bool {
        let window = now.div_euclid(nanos(self.unit));
        window == self.window || window + 1 == self.window
    }
}

const fn nanos(unit: QuotaUnit) -> i128 {
    unit.seconds() as i128 * 1_000_000_000
}
