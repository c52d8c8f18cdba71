//! What the API Manager's tables hold about one API: the revision mapping and the artifact cache,
//! which are two truths in two databases (§5.1), and how both looked earlier.

use driftless_gateway::time::Instant;

use crate::apim::clock::Micros;
use crate::apim::ids::Spot;
use crate::random::Key;
use crate::story::step::Lifecycle;

/// How far back a stale read or a restore can reach.
const HISTORY_MS: u64 = 120_000;

/// Everything that can be asked about an API at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::apim) struct ApiState {
    /// What people made of it.
    pub(in crate::apim) truth: Truth,
    /// What reads see of it.
    pub(in crate::apim) rows: Rows,
}

/// What people made of an API.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::apim) struct Truth {
    /// Whether it was not deleted.
    pub(in crate::apim) exists: bool,
    /// Its lifecycle state.
    pub(in crate::apim) lifecycle: Lifecycle,
    /// How many revisions it has.
    pub(in crate::apim) revisions: u32,
    /// The revision deployed to the gateway.
    pub(in crate::apim) deployed: Option<u32>,
    /// The lifecycle state when it was deployed.
    pub(in crate::apim) deployed_as: Lifecycle,
}

impl Truth {
    /// Whether a gateway may still hear of it: neither deleted nor retired.
    pub(in crate::apim) fn is_there(&self) -> bool {
        self.exists && self.lifecycle != Lifecycle::Retired
    }
}

/// The tables behind the reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::apim) struct Rows {
    /// Whether the API is there.
    pub(in crate::apim) exists: bool,
    /// The revision mapping: which revisions are mapped to the gateway's environment.
    pub(in crate::apim) mapped: Mapping,
    /// The artifact cache: the deployed artifact.
    pub(in crate::apim) cached: Option<Cached>,
}

/// A row of the artifact cache; in the Platform API, of the deployments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::apim) struct Cached {
    /// Its revision; names its deployment id.
    pub(in crate::apim) revision: u32,
    /// When it was built.
    pub(in crate::apim) stamp: Micros,
    /// Whether it is deployed; always, in an APIM.
    pub(in crate::apim) deployed: bool,
    /// The lifecycle state in its definition.
    pub(in crate::apim) lifecycle: Lifecycle,
}

/// A set of revision numbers from 1 to 64.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::apim) struct Mapping(u64);

impl Mapping {
    /// Adds a revision.
    pub(in crate::apim) const fn insert(&mut self, revision: u32) {
        self.0 |= Self::bit(revision);
    }

    /// Removes a revision.
    pub(in crate::apim) const fn remove(&mut self, revision: u32) {
        self.0 &= !Self::bit(revision);
    }

    const fn bit(revision: u32) -> u64 {
        if revision == 0 { 0 } else { 1 << ((revision - 1) & 63) }
    }

    /// The revisions, lowest first.
    pub(in crate::apim) fn iter(self) -> impl Iterator<Item = u32> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let revision = (rest != 0).then(|| rest.trailing_zeros() + 1);
            rest &= rest.wrapping_sub(1);
            revision
        })
    }

    /// Whether no revision is mapped.
    pub(in crate::apim) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether more than one revision is mapped.
    pub(in crate::apim) const fn is_ambiguous(self) -> bool {
        self.0.count_ones() > 1
    }

    /// The first row of a query without `ORDER BY`: an arbitrary one of several, and the same
    /// one each time (A-H15).
    pub(in crate::apim) fn first(self, key: impl FnOnce() -> Key) -> Option<u32> {
        if self.is_ambiguous() {
            let key = key();
            self.iter().min_by_key(|&revision| key.nth(u64::from(revision)).draw("row"))
        } else {
            self.iter().next()
        }
    }
}

/// A change of the tables.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::apim) enum Effect {
    /// The mapping row of a revision is inserted.
    Map(u32),
    /// The mapping row of a revision is removed.
    Unmap(u32),
    /// The artifact cache row is built or updated in place.
    Cache(Cached),
    /// The Platform API's row is marked undeployed at that time.
    Mark(Micros),
    /// Mapping rows are removed, and the cache row too unless it is left behind (A-H14).
    Undeploy {
        /// Whether removing the cache row fails.
        keep_row: bool,
    },
    /// Everything about the API is removed; the cache row may be left behind.
    Remove {
        /// Whether removing the cache row fails.
        keep_row: bool,
    },
}

impl Rows {
    /// Carries out a change.
    pub(in crate::apim) const fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::Map(revision) => self.mapped.insert(revision),
            Effect::Unmap(revision) => self.mapped.remove(revision),
            Effect::Cache(row) => self.cached = Some(row),
            Effect::Mark(stamp) => {
                if let Some(row) = &mut self.cached {
                    row.deployed = false;
                    row.stamp = stamp;
                }
            }
            Effect::Undeploy { keep_row } => {
                self.mapped = Mapping(0);
                if !keep_row {
                    self.cached = None;
                }
            }
            Effect::Remove { keep_row } => {
                self.exists = false;
                self.mapped = Mapping(0);
                if !keep_row {
                    self.cached = None;
                }
            }
        }
    }
}

impl ApiState {
    /// Makes the tables say what is true, as a backup taken in the middle of a change does once
    /// its transactions are rolled forward. The Platform API keeps the row of what is undeployed.
    pub(in crate::apim) fn settle(&mut self, stamp: Micros, keeps_undeployed: bool) {
        let Truth { deployed, deployed_as: lifecycle, .. } = self.truth;
        self.rows.exists = self.truth.is_there();
        self.rows.mapped = Mapping::default();
        if let Some(revision) = deployed {
            self.rows.mapped.insert(revision);
            let is_it = |row: Cached| {
                row.revision == revision && row.deployed && row.lifecycle == lifecycle
            };
            if !self.rows.cached.is_some_and(is_it) {
                self.rows.cached = Some(Cached { revision, stamp, deployed: true, lifecycle });
            }
        } else if keeps_undeployed && self.rows.exists {
            self.rows.cached = self.rows.cached.map(|row| Cached { deployed: false, ..row });
        } else {
            self.rows.cached = None;
        }
    }

    /// An API that was just published.
    pub(in crate::apim) const fn created() -> Self {
        Self {
            truth: Truth {
                exists: true,
                lifecycle: Lifecycle::Published,
                revisions: 0,
                deployed: None,
                deployed_as: Lifecycle::Published,
            },
            rows: Rows { exists: true, mapped: Mapping(0), cached: None },
        }
    }

    /// An API that is not there yet.
    pub(in crate::apim) const fn absent() -> Self {
        let mut state = Self::created();
        state.truth.exists = false;
        state.rows.exists = false;
        state
    }
}

/// The states of an API over time, the newest last.
#[derive(Clone, Debug)]
pub(in crate::apim) struct StateHistory(Vec<(Instant, ApiState)>);

impl StateHistory {
    /// A history that begins now.
    pub(in crate::apim) fn starting(now: Instant, state: ApiState) -> Self {
        Self(vec![(now, state)])
    }

    /// Notes the state from now on.
    pub(in crate::apim) fn note(&mut self, now: Instant, state: ApiState) {
        match self.0.last_mut() {
            Some((at, last)) if *at == now => *last = state,
            Some((_, last)) if *last == state => {}
            _ => self.0.push((now, state)),
        }
        if self.0.len() >= 64 {
            let kept = |at: Instant| now.since(at).as_millis() <= u128::from(HISTORY_MS);
            let first = self.0.iter().position(|&(at, _)| kept(at)).unwrap_or(0);
            self.0.drain(..first.saturating_sub(1));
        }
    }

    /// The state at an earlier moment; before the run began there was nothing.
    pub(in crate::apim) fn at(&self, at: Option<Instant>) -> ApiState {
        let after = at.map_or(0, |at| self.0.partition_point(|&(noted, _)| noted <= at));
        let before = after.checked_sub(1).and_then(|place| self.0.get(place));
        before.map_or(ApiState::absent(), |&(_, state)| state)
    }
}

/// The moment that many milliseconds ago; `None` when it is before the run.
pub(in crate::apim) fn earlier(now: Instant, ago_ms: u64) -> Option<Instant> {
    let ago = ago_ms.checked_mul(1_000_000)?;
    now.as_nanos().checked_sub(ago).map(Instant::from_nanos)
}

/// A change of the tables that has still to happen.
#[derive(Clone, Copy, Debug)]
pub(in crate::apim) struct PendingEffect {
    /// When.
    pub(in crate::apim) at: Instant,
    /// To which API, on which gateway.
    pub(in crate::apim) spot: Spot,
    /// What.
    pub(in crate::apim) effect: Effect,
    /// Whether later changes of the same API wait for it.
    pub(in crate::apim) blocks: bool,
}

/// Changes of the tables that have still to happen, in order.
#[derive(Clone, Debug, Default)]
pub(in crate::apim) struct PendingEffects(Vec<PendingEffect>);

impl PendingEffects {
    /// When the next one happens.
    pub(in crate::apim) fn next_at(&self) -> Option<Instant> {
        self.0.first().map(|pending| pending.at)
    }

    /// When a change of that API there that is wanted at `at` happens: not before those that are
    /// already on their way.
    pub(in crate::apim) fn earliest(&self, spot: Spot, at: Instant) -> Instant {
        let blocking = self.0.iter().filter(|pending| pending.spot == spot && pending.blocks);
        blocking.map(|pending| pending.at).fold(at, Instant::max)
    }

    /// The tables of an API once every change that others wait for has happened.
    pub(in crate::apim) fn settled(&self, spot: Spot, mut rows: Rows) -> Rows {
        let blocking = self.0.iter().filter(|pending| pending.spot == spot && pending.blocks);
        blocking.for_each(|pending| rows.apply(pending.effect));
        rows
    }

    /// Adds a change behind those of the same moment.
    pub(in crate::apim) fn push(&mut self, pending: PendingEffect) {
        let place = self.0.partition_point(|other| other.at <= pending.at);
        self.0.insert(place, pending);
    }

    /// Takes the next change that is due.
    pub(in crate::apim) fn pop_due(&mut self, now: Instant) -> Option<PendingEffect> {
        self.next_at().filter(|&at| at <= now).map(|_| self.0.remove(0))
    }

    /// Takes the next change, due or not.
    pub(in crate::apim) fn pop(&mut self) -> Option<PendingEffect> {
        (!self.0.is_empty()).then(|| self.0.remove(0))
    }

    /// Drops the removals of old mappings of an API: all of them, or that of one revision.
    pub(in crate::apim) fn cancel_unmap(&mut self, spot: Spot, revision: Option<u32>) {
        self.0.retain(|pending| match pending.effect {
            Effect::Unmap(old) if pending.spot == spot && !pending.blocks => {
                revision.is_some_and(|only| only != old)
            }
            _ => true,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::aim::GatewayIndex;

    fn spot(api: usize) -> Spot {
        Spot { api, gateway: GatewayIndex::FIRST }
    }

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    #[test]
    fn an_earlier_state_is_found_and_before_the_first_there_is_nothing() {
        let mut state = ApiState::created();
        let mut history = StateHistory::starting(at(10), state);
        state.rows.mapped.insert(2);
        history.note(at(20), state);
        state.rows.mapped.remove(2);
        state.rows.mapped.insert(64);
        history.note(at(20), state);
        assert_eq!(history.at(Some(at(9))), ApiState::absent());
        assert_eq!(history.at(earlier(at(20), 21)), ApiState::absent());
        assert_eq!(history.at(earlier(at(20), 1)), ApiState::created());
        assert_eq!(history.at(Some(at(99))).rows.mapped.iter().collect::<Vec<_>>(), [64]);
    }

    #[test]
    fn a_history_stays_bounded() {
        let mut state = ApiState::created();
        let mut history = StateHistory::starting(at(0), state);
        for second in 1..2000 {
            state.truth.revisions = second;
            history.note(at(u64::from(second) * 1000), state);
        }
        assert!(history.0.len() < 200);
        assert_eq!(history.at(Some(at(1_900_500))).truth.revisions, 1900);
    }

    #[test]
    fn an_ambiguous_mapping_always_gives_the_same_row() {
        let mut mapped = Mapping::default();
        assert_eq!(mapped.first(|| Key::new(1)), None);
        mapped.insert(1);
        assert_eq!(mapped.first(|| Key::new(1)), Some(1));
        mapped.insert(2);
        let first = |seed| mapped.first(|| Key::new(seed));
        assert_eq!(first(1), first(1));
        assert!((0..32).any(|seed| first(seed) == Some(1)));
        assert!((0..32).any(|seed| first(seed) == Some(2)));
    }

    #[test]
    fn changes_of_one_api_keep_their_order() {
        let mut pending = PendingEffects::default();
        let change =
            |ms, api, effect| PendingEffect { at: at(ms), spot: spot(api), effect, blocks: true };
        pending.push(change(50, 0, Effect::Map(1)));
        assert_eq!(pending.earliest(spot(0), at(10)), at(50));
        assert_eq!(pending.earliest(spot(1), at(10)), at(10));
        pending.push(change(50, 0, Effect::Unmap(1)));
        assert!(pending.pop_due(at(49)).is_none());
        assert_eq!(pending.pop_due(at(50)).unwrap().effect, Effect::Map(1));
        pending.push(PendingEffect { blocks: false, ..change(60, 0, Effect::Unmap(2)) });
        pending.cancel_unmap(spot(0), None);
        assert_eq!(pending.pop().unwrap().effect, Effect::Unmap(1));
        assert!(pending.pop().is_none());
    }
}
