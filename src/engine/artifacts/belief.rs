//! What the control plane is believed to want of artifacts, and how that is known.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::time::Duration;

use super::super::evidence::settled_at;
use crate::model::{ArtifactId, DeployState, DeploymentId, Generation, Kind, Recovered};
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

/// How far the definition that is held is known to belong to what is wanted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Certainty {
    /// No definition was read.
    Unread,
    /// One was read, and it may be that of the revision before (A-H15).
    Provisional {
        /// When it was read first. Another one replaces it only when asked for `read_lag_max`
        /// later.
        read_at: Instant,
    },
    /// It was read late enough to belong to what is wanted. A list that is asked for
    /// `read_lag_max` after that and still names the deployment confirms it.
    Settled {
        /// When it was read first.
        read_at: Instant,
        /// When it was read late enough.
        settled_at: Instant,
    },
    /// A list confirmed it.
    Confirmed {
        /// When it was read first.
        read_at: Instant,
    },
}

impl Certainty {
    /// When the definition was read first.
    pub const fn read_at(self) -> Option<Instant> {
        match self {
            Self::Unread => None,
            Self::Provisional { read_at }
            | Self::Settled { read_at, .. }
            | Self::Confirmed { read_at } => Some(read_at),
        }
    }

    /// Whether the definition may be of a later deployment than the one that is known: a read that
    /// was late enough brought it first, and no list has named its deployment yet.
    pub fn may_be_of_another(self) -> bool {
        matches!(self, Self::Settled { read_at, settled_at } if read_at == settled_at)
    }

    /// What is wanted changed: what was read may be of the revision before.
    const fn unsettled(self) -> Self {
        match self.read_at() {
            Some(read_at) => Self::Provisional { read_at },
            None => Self::Unread,
        }
    }

    /// The definition was read first at `read_at`, and as certain as before.
    const fn read(self, read_at: Instant) -> Self {
        match self {
            Self::Unread | Self::Provisional { .. } => Self::Provisional { read_at },
            Self::Settled { settled_at, .. } => Self::Settled { read_at, settled_at },
            Self::Confirmed { .. } => Self::Confirmed { read_at },
        }
    }
}

/// What lists say of an artifact that is wanted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Presence {
    /// Nothing against it.
    Listed,
    /// Complete lists lack it; the first of them was asked for at this instant.
    AbsentSince(Instant),
    /// A second complete list lacks it, so the artifact itself is asked for (law 4).
    CheckWanted,
}

impl Presence {
    /// Whether the last complete list lacked the artifact.
    pub const fn is_absent(self) -> bool {
        !matches!(self, Self::Listed)
    }
}

/// What the artifact itself answered last since the intent was learnt.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Answer {
    /// Nothing.
    None,
    /// Its definition, which arrived at this instant.
    HandedOut(Instant),
    /// That it is not deployed, against all other evidence; asked for first at this instant.
    NotFoundSince(Instant),
}

/// An undeploy or delete that is not yet believed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Withdrawal {
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
    /// The deployment that it names; `None` where it names none, or two of them differ.
    pub deployment: Option<DeploymentId>,
}

impl Withdrawal {
    /// How a deploy of a deployment, performed at `at`, relates to it. A redeploy is an undeploy
    /// of one deployment and a deploy of another, often of one stamp (A-H20): the first says
    /// nothing of the second.
    pub fn order_deploy(
        &self,
        deployment: Option<&DeploymentId>,
        at: Option<&Timestamp>,
    ) -> Option<Ordering> {
        let Some(stamp) = &self.stamp else { return Some(Ordering::Greater) };
        let is_other =
            self.deployment.as_ref().zip(deployment).is_some_and(|(one, other)| one != other);
        match at?.order(stamp) {
            Some(Ordering::Equal) if is_other => Some(Ordering::Greater),
            Some(Ordering::Equal) => None,
            order => order,
        }
    }
}

/// What is believed about one artifact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ArtifactBelief {
    /// Its kind.
    pub kind: Kind,
    /// What the control plane wants of it.
    pub intent: Intent,
    /// The statement this comes from.
    pub generation: Generation,
    /// When the intent was learnt, by the local clock.
    pub known_at: Instant,
    /// How far the definition that is held belongs to it.
    pub certainty: Certainty,
    /// What lists say of it.
    pub presence: Presence,
    /// What the artifact itself answered.
    pub answer: Answer,
    /// Whether the definition is to be read again although nothing says that it changed.
    pub scrub_wanted: bool,
    /// A contradiction that the status shows.
    pub doubt: Option<Doubt>,
    /// An undeploy or delete that is not yet believed.
    pub withdrawal: Option<Withdrawal>,
    /// The stamp of the last undeploy or delete that the artifact itself made void; a late copy of
    /// it proves nothing (A-H1: sent twice).
    pub voided: Option<Timestamp>,
    /// Raised whenever intent or deployment change; fences answers to earlier questions.
    pub epoch: u64,
    /// The number of the last list that had the artifact.
    pub listed_in: u64,
}

impl ArtifactBelief {
    /// A belief learnt at `known_at`.
    pub const fn new(
        kind: Kind,
        intent: Intent,
        generation: Generation,
        known_at: Instant,
    ) -> Self {
        Self {
            kind,
            intent,
            generation,
            known_at,
            certainty: Certainty::Unread,
            presence: Presence::Listed,
            answer: Answer::None,
            scrub_wanted: false,
            doubt: None,
            withdrawal: None,
            voided: None,
            epoch: 0,
            listed_in: 0,
        }
    }

    /// From when on a read is asked for late enough to contradict the intent.
    pub fn settled_at(&self, lag: Duration) -> Instant {
        let pending =
            self.withdrawal.as_ref().map_or(Instant::START, |withdrawal| withdrawal.known_at);
        settled_at(self.known_at.max(pending), lag)
    }

    /// From when on a list is asked for late enough to contradict the intent and what the artifact
    /// itself answered.
    pub fn contradictable_at(&self, lag: Duration) -> Instant {
        match self.answer {
            Answer::HandedOut(at) => self.settled_at(lag).max(settled_at(at, lag)),
            Answer::None | Answer::NotFoundSince(_) => self.settled_at(lag),
        }
    }

    /// From when on a read is asked for late enough to replace the held definition, too.
    pub fn replaceable_at(&self, lag: Duration) -> Instant {
        self.certainty.read_at().map_or(Instant::START, |read_at| settled_at(read_at, lag))
    }

    /// The definition that was read last cannot be stored, so what is held is not it, however late
    /// it was read and whatever lists confirmed: it is read again.
    pub(in crate::engine) const fn reject_read(&mut self) {
        self.certainty = self.certainty.unsettled();
        self.scrub_wanted = true;
    }

    /// From when on a definition is known to belong to the generation.
    pub fn confirmable_at(&self, lag: Duration) -> Instant {
        self.settled_at(lag).max(self.replaceable_at(lag))
    }

    /// Changes the intent, learnt `now`; earlier questions about the artifact are void.
    pub fn intend(&mut self, intent: Intent, now: Instant) {
        self.intent = intent;
        self.known_at = now;
        self.certainty = self.certainty.unsettled();
        self.presence = Presence::Listed;
        self.answer = Answer::None;
        self.scrub_wanted = false;
        self.withdrawal = None;
        self.epoch += 1;
    }

    /// The definition was read `now`: another one than before, or one that `is_settled`.
    pub const fn read(&mut self, is_other: bool, is_settled: bool, now: Instant) {
        let read_at = match self.certainty.read_at() {
            Some(read_at) if !is_other => read_at,
            _ => now,
        };
        self.certainty = if is_settled {
            Certainty::Settled { read_at, settled_at: now }
        } else {
            self.certainty.read(read_at)
        };
    }

    /// A list that names the deployment was asked for at `asked_at`. Where the row `is_rebuilt`,
    /// the artifact was deployed anew between the reads, perhaps with another revision in between.
    pub fn confirm(&mut self, is_rebuilt: bool, asked_at: Instant, lag: Duration) {
        if let Certainty::Settled { read_at, settled_at: read } = self.certainty {
            if is_rebuilt {
                self.certainty = Certainty::Provisional { read_at };
            } else if asked_at >= settled_at(read, lag) {
                self.certainty = Certainty::Confirmed { read_at };
            }
        }
    }

    /// An undeploy or delete waits to be believed. A copy of it changes nothing; one that is
    /// provable or says more takes its place. The newest stamp is kept, for a deploy to be
    /// compared with.
    pub fn hold_back(&mut self, mut withdrawal: Withdrawal) {
        let Some(known) = &mut self.withdrawal else {
            self.withdrawal = Some(withdrawal);
            return;
        };
        let is_older = known.stamp.is_some_and(|known| {
            withdrawal.stamp.is_none_or(|at| at.order(&known) == Some(Ordering::Less))
        });
        withdrawal.stamp = if is_older { known.stamp } else { withdrawal.stamp };
        known.stamp = withdrawal.stamp;
        if withdrawal.deployment != known.deployment {
            withdrawal.deployment = None;
            known.deployment = None;
        }
        if (withdrawal.provable, withdrawal.intent) > (known.provable, known.intent) {
            *known = withdrawal;
        }
    }

    /// The artifact is handed out although an undeploy or delete waits to be believed: it is void.
    pub fn void_withdrawal(&mut self) {
        if let Some(withdrawal) = self.withdrawal.take() {
            self.voided = withdrawal.stamp.or(self.voided);
        }
    }

    /// Whether an undeploy or delete of this stamp was found void before.
    pub fn was_voided(&self, stamp: Option<&Timestamp>) -> bool {
        stamp.zip(self.voided.as_ref()).is_some_and(|(stamp, voided)| {
            !matches!(stamp.order(voided), Some(Ordering::Less | Ordering::Greater))
        })
    }

    /// The list of this number has the artifact: absences before it do not count.
    pub const fn listed(&mut self, number: u64) {
        self.listed_in = number;
        self.presence = Presence::Listed;
    }

    /// Whether the artifact itself is asked for, alone and whatever deployment it has.
    pub fn is_asked_for(&self) -> bool {
        self.presence == Presence::CheckWanted
            || self.withdrawal.as_ref().is_some_and(|withdrawal| withdrawal.asked)
    }

    /// Changes how the artifact is looked at; when it is asked for from now on, whatever was
    /// answered before does not count.
    pub fn ask_for(&mut self, change: impl FnOnce(&mut Self)) {
        let was_asked_for = self.is_asked_for();
        change(self);
        if !was_asked_for && self.is_asked_for() {
            self.epoch += 1;
        }
    }

    /// Whether a list that agrees has nothing to change.
    pub fn is_at_rest(&self) -> bool {
        self.presence == Presence::Listed
            && !matches!(self.certainty, Certainty::Settled { .. })
            && !self.is_asked_for()
            && self.doubt.is_none()
    }

    /// Stops loudly where two facts stand together that cannot.
    pub fn check(&self) {
        let is_deployed = self.intent == Intent::Deployed;
        assert!(
            is_deployed || self.withdrawal.is_none(),
            "only what is deployed waits to be withdrawn"
        );
        assert!(
            is_deployed || self.presence == Presence::Listed,
            "absence counts for what is deployed only"
        );
        assert!(
            is_deployed || self.answer == Answer::None,
            "what is not wanted is not asked for either"
        );
        if let Some(withdrawal) = &self.withdrawal {
            assert_ne!(withdrawal.intent, Intent::Deployed, "a withdrawal takes something away");
        }
        if let Certainty::Settled { read_at, settled_at } = self.certainty {
            assert!(read_at <= settled_at, "what is settled was read before");
        }
    }
}

/// Beliefs by artifact, with an index of the withdrawals that wait.
#[derive(Clone, Debug, Default)]
pub struct ArtifactBeliefs {
    items: BTreeMap<ArtifactId, ArtifactBelief>,
    withdrawals: BTreeSet<(Instant, ArtifactId)>,
}

impl ArtifactBeliefs {
    /// What the rows and tombstones of a store say, as beliefs learnt `now`.
    pub(in crate::engine) fn recover(recovered: &Recovered, now: Instant) -> Self {
        let mut beliefs = Self::default();
        for (id, row) in &recovered.rows {
            let intent = match row.state {
                DeployState::Deployed => Intent::Deployed,
                DeployState::Undeployed => Intent::Undeployed,
            };
            let mut belief = ArtifactBelief::new(row.kind, intent, row.generation.clone(), now);
            if row.held.is_some() {
                belief.certainty = Certainty::Provisional { read_at: now };
            }
            beliefs.insert(id.clone(), belief);
        }
        for (id, tombstone) in &recovered.tombstones {
            let generation =
                Generation { performed_at: tombstone.deleted_at, ..tombstone.generation.clone() };
            let belief = ArtifactBelief::new(Kind::RestApi, Intent::Deleted, generation, now);
            beliefs.insert(id.clone(), belief);
        }
        beliefs
    }

    /// The belief about an artifact.
    pub fn get(&self, id: &ArtifactId) -> Option<&ArtifactBelief> {
        self.items.get(id)
    }

    /// All beliefs, by id.
    pub fn iter(&self) -> impl Iterator<Item = (&ArtifactId, &ArtifactBelief)> {
        self.items.iter()
    }

    /// The beliefs behind an id, or all of them.
    pub fn iter_after(
        &self,
        after: Option<&ArtifactId>,
    ) -> impl Iterator<Item = (&ArtifactId, &ArtifactBelief)> {
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
    pub fn insert(&mut self, id: ArtifactId, belief: ArtifactBelief) {
        self.remove(&id);
        self.index(&id, due(&belief));
        self.items.insert(id, belief);
    }

    /// Forgets an artifact.
    pub fn remove(&mut self, id: &ArtifactId) {
        if let Some(belief) = self.items.remove(id) {
            self.unindex(id, due(&belief));
        }
    }

    /// Changes a belief in place; does nothing for an unknown artifact.
    pub fn update(&mut self, id: &ArtifactId, change: impl FnOnce(&mut ArtifactBelief)) {
        let Some(belief) = self.items.get_mut(id) else { return };
        let before = due(belief);
        change(belief);
        if cfg!(debug_assertions) {
            belief.check();
        }
        let after = due(belief);
        if before != after {
            self.unindex(id, before);
            self.index(id, after);
        }
    }

    /// When the first withdrawal waits no longer.
    pub fn next_withdrawal(&self) -> Option<Instant> {
        self.withdrawals.first().map(|(at, _)| *at)
    }

    /// An artifact whose withdrawal waits no longer.
    pub fn withdrawal_due(&self, now: Instant) -> Option<ArtifactId> {
        let (due, id) = self.withdrawals.first()?;
        (*due <= now).then(|| id.clone())
    }

    fn unindex(&mut self, id: &ArtifactId, due: Option<Instant>) {
        if let Some(due) = due {
            self.withdrawals.remove(&(due, id.clone()));
        }
    }

    fn index(&mut self, id: &ArtifactId, due: Option<Instant>) {
        if let Some(due) = due {
            self.withdrawals.insert((due, id.clone()));
        }
    }
}

fn due(belief: &ArtifactBelief) -> Option<Instant> {
    belief.withdrawal.as_ref().map(|withdrawal| withdrawal.due)
}
