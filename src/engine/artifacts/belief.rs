//! The desired set: what the control plane is believed to want, and how that is known.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::time::Duration;

use crate::model::{ArtifactId, Generation, Kind};
use crate::time::{Instant, Timestamp};

/// What the control plane wants of one artifact.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Intent {
    /// To be served.
    Deployed,
    /// Not to be served; what is held of it stays (law 4).
    Undeployed,
    /// Gone for good; remembered so that it does not come back (law 5).
    Deleted,
}

/// A contradiction between reads of the control plane, kept loud until one of them gives way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Doubt {
    /// The list has it and there is nothing to fetch: a zombie row (A-H14).
    ListedWithoutContent,
    /// The list lacks it and its definition is still handed out: a lost row (A-H14).
    ServedWithoutListing,
    /// The list says something that is younger than what is known may be.
    Contradicted,
}

/// What is believed about one artifact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Desired {
    /// Its kind.
    pub kind: Kind,
    /// What the control plane wants of it.
    pub intent: Intent,
    /// The statement this comes from.
    pub generation: Generation,
    /// When the intent was learnt, by the local clock. A read asked before
    /// `known_at + read_lag_max` may describe an earlier state and changes nothing.
    pub known_at: Instant,
    /// When the held definition was read. Another one replaces it only when asked for at least
    /// `read_lag_max` later.
    pub read_at: Option<Instant>,
    /// When the held definition was read late enough to belong to the intent; a list asked
    /// `read_lag_max` later that still names the deployment confirms that it does.
    pub settled_read_at: Option<Instant>,
    /// Whether such a list was merged.
    pub read_confirmed: bool,
    /// When the first complete list that lacked the artifact was asked for.
    pub absent_since: Option<Instant>,
    /// Whether absence was confirmed by a second list and the artifact itself must be asked for.
    pub check_wanted: bool,
    /// Since when the definition is answered with "not deployed" against all other evidence.
    pub missing_since: Option<Instant>,
    /// Whether the definition is to be read again although nothing says that it changed.
    pub scrub_wanted: bool,
    /// A contradiction that the status shows.
    pub doubt: Option<Doubt>,
    /// An undeploy or delete that is not yet believed.
    pub ending: Option<PendingEnding>,
    /// Bumped whenever intent or deployment change; fences answers to earlier questions.
    pub epoch: u64,
    /// The number of the last list that had the artifact.
    pub listed_in: u64,
}

/// An undeploy or delete that is not yet believed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PendingEnding {
    /// Undeployed or deleted.
    pub intent: Intent,
    /// When the artifact is asked for, or, once it was, when the wait for an answer ends.
    pub due: Instant,
    /// Whether the artifact is being asked for.
    pub asked: bool,
    /// Whether a read since the event still had the artifact. A definition may be the state before
    /// the event and a list row a zombie (A-H14), so neither voids it; but silence after it does
    /// not make the event true either.
    pub contradicted: bool,
    /// Whether the event is provably newer than what is served, and believed for want of an
    /// answer. One whose order cannot be told is believed only when the answer agrees.
    pub provable: bool,
    /// When it arrived.
    pub known_at: Instant,
    /// When it was performed or sent, by the control plane's clock.
    pub stamp: Option<Timestamp>,
}

impl Desired {
    /// A belief learnt at `known_at`.
    pub fn new(kind: Kind, intent: Intent, generation: Generation, known_at: Instant) -> Self {
        Self {
            kind,
            intent,
            generation,
            known_at,
            read_at: None,
            settled_read_at: None,
            read_confirmed: false,
            absent_since: None,
            check_wanted: false,
            missing_since: None,
            scrub_wanted: false,
            doubt: None,
            ending: None,
            epoch: 0,
            listed_in: 0,
        }
    }

    /// From when on a read is asked late enough to overrule the intent.
    pub fn settled_at(&self, lag: Duration) -> Instant {
        let pending = self.ending.as_ref().map_or(Instant::START, |ending| ending.known_at);
        self.known_at.max(pending).after(lag)
    }

    /// From when on a read is asked late enough to replace the held definition, too.
    pub fn replaceable_at(&self, lag: Duration) -> Instant {
        self.read_at.map_or(Instant::START, |read_at| read_at.after(lag))
    }

    /// From when on a definition is known to belong to the generation.
    pub fn confirmable_at(&self, lag: Duration) -> Instant {
        self.settled_at(lag).max(self.replaceable_at(lag))
    }

    /// Changes the intent, learnt `now`; earlier questions about the artifact are void.
    pub fn intend(&mut self, intent: Intent, now: Instant) {
        self.intent = intent;
        self.known_at = now;
        self.settled_read_at = None;
        self.read_confirmed = false;
        self.absent_since = None;
        self.check_wanted = false;
        self.missing_since = None;
        self.scrub_wanted = false;
        self.ending = None;
        self.epoch += 1;
    }

    /// An ending waits to be believed. A copy of it changes nothing; one that is provable or says
    /// more takes its place. The newest stamp is kept, for a deploy to be compared with.
    pub fn pend(&mut self, mut ending: PendingEnding) {
        let Some(known) = &mut self.ending else {
            self.ending = Some(ending);
            return;
        };
        let is_older = known.stamp.is_some_and(|known| {
            ending.stamp.is_none_or(|at| at.order(&known) == Some(Ordering::Less))
        });
        ending.stamp = if is_older { known.stamp } else { ending.stamp };
        known.stamp = ending.stamp;
        if (ending.provable, ending.intent) > (known.provable, known.intent) {
            *known = ending;
        }
    }

    /// The list of this number has the artifact: absences before it do not count.
    pub const fn listed(&mut self, number: u64) {
        self.listed_in = number;
        self.absent_since = None;
    }

    /// The artifact itself is to be asked for, anew: whatever was answered before does not count.
    pub const fn want_check(&mut self) {
        if !self.check_wanted {
            self.check_wanted = true;
            self.epoch += 1;
        }
    }

    /// Whether a list that agrees has nothing to change.
    pub fn is_at_rest(&self) -> bool {
        self.absent_since.is_none()
            && self.settled_read_at.is_none_or(|_| self.read_confirmed)
            && !self.check_wanted
            && self.doubt.is_none()
    }
}

/// Beliefs by artifact, with an index of the graces that end.
#[derive(Clone, Debug, Default)]
pub struct DesiredSet {
    items: BTreeMap<ArtifactId, Desired>,
    graces: BTreeSet<(Instant, ArtifactId)>,
}

impl DesiredSet {
    /// The belief about an artifact.
    pub fn get(&self, id: &ArtifactId) -> Option<&Desired> {
        self.items.get(id)
    }

    /// All beliefs, by id.
    pub fn iter(&self) -> impl Iterator<Item = (&ArtifactId, &Desired)> {
        self.items.iter()
    }

    /// The beliefs behind an id, or all of them.
    pub fn iter_after(
        &self,
        after: Option<&ArtifactId>,
    ) -> impl Iterator<Item = (&ArtifactId, &Desired)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.items.range::<ArtifactId, _>((from, Bound::Unbounded))
    }

    /// The ids of all beliefs.
    pub fn ids(&self) -> impl Iterator<Item = &ArtifactId> {
        self.items.keys()
    }

    /// How many artifacts are believed anything about.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether nothing is believed about anything.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Adds or replaces a belief.
    pub fn insert(&mut self, id: ArtifactId, desired: Desired) {
        self.unindex(&id);
        self.items.insert(id.clone(), desired);
        self.index(&id);
    }

    /// Forgets an artifact.
    pub fn remove(&mut self, id: &ArtifactId) {
        self.unindex(id);
        self.items.remove(id);
    }

    /// Changes a belief in place; does nothing for an unknown artifact.
    pub fn update(&mut self, id: &ArtifactId, change: impl FnOnce(&mut Desired)) {
        let Some(desired) = self.items.get_mut(id) else { return };
        let before = desired.ending.as_ref().map(|ending| ending.due);
        change(desired);
        let after = desired.ending.as_ref().map(|ending| ending.due);
        if before != after {
            remove(&mut self.graces, before, id);
            add(&mut self.graces, after, id);
        }
    }

    /// When the first grace is over.
    pub fn next_grace(&self) -> Option<Instant> {
        self.graces.first().map(|(at, _)| *at)
    }

    /// An artifact whose grace is over by `now`.
    pub fn grace_over(&self, now: Instant) -> Option<ArtifactId> {
        let (due, id) = self.graces.first()?;
        (*due <= now).then(|| id.clone())
    }

    fn unindex(&mut self, id: &ArtifactId) {
        if let Some(desired) = self.items.get(id) {
            remove(&mut self.graces, desired.ending.as_ref().map(|ending| ending.due), id);
        }
    }

    fn index(&mut self, id: &ArtifactId) {
        if let Some(desired) = self.items.get(id) {
            add(&mut self.graces, desired.ending.as_ref().map(|ending| ending.due), id);
        }
    }
}

fn remove(index: &mut BTreeSet<(Instant, ArtifactId)>, at: Option<Instant>, id: &ArtifactId) {
    if let Some(at) = at {
        index.remove(&(at, id.clone()));
    }
}

fn add(index: &mut BTreeSet<(Instant, ArtifactId)>, at: Option<Instant>, id: &ArtifactId) {
    if let Some(at) = at {
        index.insert((at, id.clone()));
    }
}
