//! The status: what the gateway says of each kind (law 12).
//!
//! `counts` keeps count of how each item stands, `ladder` makes a state of that, and `report` is
//! the whole as it is shown.

pub(in crate::engine) mod counts;
pub(in crate::engine) mod ladder;
pub(in crate::engine) mod report;

use std::collections::BTreeMap;

use super::Engine;
use super::artifacts::belief::Intent;
use super::lists::schedule::Family;
use counts::Counts;
use ladder::{Facts, Source, Why};
use report::{KindStatus, ResourceKind, Status, SyncState};

use crate::model::{ArtifactId, Dialect, Kind, Resource};
use crate::time::Instant;

/// Since when each kind has been in its state.
#[derive(Clone, Debug, Default)]
pub(super) struct Since {
    states: [Option<(SyncState, Instant)>; ResourceKind::ALL.len()],
}

impl Engine {
    /// Counts one artifact anew after something about it changed.
    pub(super) fn recount(&mut self, id: &ArtifactId) {
        let share = self.desired.get(id).map(|desired| {
            let is_pending = self.queue.get(id).is_some()
                || !self.observed.is_settled(id)
                || desired.ending.is_some()
                || self.existence.contains_key(id);
            let is_held =
                desired.intent != Intent::Deleted && self.observed.latest_row(id).is_some();
            let is_served = self.observed.is_served(id);
            let is_missing = desired.absent_since.is_some();
            let is_doubtful = desired.doubt.is_some();
            let is_settled = !is_pending && !is_missing && !is_doubtful;
            let counts = Counts {
                held: usize::from(is_served),
                retained: usize::from(is_held && !is_served),
                gone: usize::from(!is_held && !is_served && is_settled),
                pending: usize::from(is_pending),
                doubtful: usize::from(is_doubtful),
                missing: usize::from(is_missing),
                unlisted: 0,
            };
            (desired.kind, counts)
        });
        self.artifact_counts.set(id, share);
    }

    /// Notes since when each kind has been in its state.
    pub(super) fn note_states(&mut self, now: Instant) {
        for (place, kind) in ResourceKind::ALL.into_iter().enumerate() {
            let state = self.state(kind);
            let known = &mut self.since.states[place];
            if known.is_none_or(|known| known.0 != state) {
                *known = Some((state, now));
            }
        }
    }

    /// The state of a kind. Cheap enough to call after every input.
    pub fn state(&self, kind: ResourceKind) -> SyncState {
        ladder::judge(&self.facts(kind)).0
    }

    /// The state of an artifact kind.
    pub fn kind_state(&self, kind: Kind) -> SyncState {
        self.state(ResourceKind::Artifact(kind))
    }

    /// The state of a kind of resources that are no artifacts.
    pub fn resource_state(&self, kind: ResourceKind) -> SyncState {
        self.state(kind)
    }

    /// The state of every kind. Cheap enough to call after every input.
    pub fn states(&self) -> impl Iterator<Item = (ResourceKind, SyncState)> {
        ResourceKind::ALL.into_iter().map(|kind| (kind, self.state(kind)))
    }

    /// Whether a list that speaks of the kind is still to be read, or to be read again.
    pub fn awaits_lists(&self, kind: ResourceKind) -> bool {
        match self.source(kind) {
            Source::Lists(family) => {
                let health = self.lists.health(family);
                health.unsettled > 0 && health.unusable == 0
            }
            Source::Events | Source::Nothing => false,
        }
    }

    /// How the control plane tells of a kind.
    fn source(&self, kind: ResourceKind) -> Source {
        match kind {
            ResourceKind::Artifact(_) => Source::Lists(Family::Artifacts),
            ResourceKind::ApiKey => Source::Lists(Family::Keys),
            _ if !self.is_platform() => Source::Nothing,
            ResourceKind::Subscription => Source::Lists(Family::Subscriptions),
            ResourceKind::Plan => Source::Lists(Family::Plans),
            ResourceKind::Application => Source::Events,
        }
    }

    /// What a kind is judged by.
    fn facts(&self, kind: ResourceKind) -> Facts<'_> {
        let source = self.source(kind);
        let health = match source {
            Source::Lists(family) => self.lists.health(family),
            Source::Events | Source::Nothing => Default::default(),
        };
        let mut counts = self.counts(kind);
        if self.dialect() == Some(Dialect::PlatformApi11) {
            // Its lists name every key.
            counts.unlisted = 0;
        }
        let is_artifact = matches!(kind, ResourceKind::Artifact(_));
        let attempts = self.config.ack_failure_attempts;
        let is_stuck = is_artifact && counts.pending > 0;
        let names_artifacts = matches!(kind, ResourceKind::ApiKey | ResourceKind::Subscription);
        Facts {
            source,
            is_live: self.is_live(),
            write_failure: self.write_failure.as_deref(),
            health,
            stuck: is_stuck.then(|| self.queue.stuck(attempts)).flatten(),
            counts,
            dropped: if names_artifacts { self.roster.parked_dropped } else { 0 },
        }
    }

    fn counts(&self, kind: ResourceKind) -> Counts {
        match kind {
            ResourceKind::Artifact(kind) => self.artifact_counts.of(kind),
            _ => self.roster.counts(kind),
        }
    }

    /// The whole status; `since` is as of the last input.
    pub fn status(&self) -> Status {
        let kinds: BTreeMap<ResourceKind, KindStatus> =
            ResourceKind::ALL.into_iter().map(|kind| (kind, self.kind_status(kind))).collect();
        let mut surfaced = self.surfaced.clone();
        surfaced.acks_dropped = self.acks.dropped;
        surfaced.acks_superseded = self.acks.superseded;
        Status {
            session: self.session.to_string(),
            control_plane: self.observed.latest_control_plane().cloned(),
            kinds,
            surfaced,
        }
    }

    fn kind_status(&self, kind: ResourceKind) -> KindStatus {
        let facts = self.facts(kind);
        let (state, why) = ladder::judge(&facts);
        let known = ResourceKind::ALL.iter().position(|known| *known == kind);
        let known = known.and_then(|place| self.since.states.get(place).copied().flatten());
        KindStatus {
            state,
            reason: self.explain(&facts, why),
            since: known.filter(|known| known.0 == state).map_or(Instant::START, |known| known.1),
            served: facts.counts.held,
            retained: facts.counts.retained,
            bound: self.revocation_bound().filter(|_| kind == ResourceKind::ApiKey),
        }
    }

    /// Why a kind is in its state, for an operator.
    fn explain(&self, facts: &Facts<'_>, why: Why) -> String {
        let family = match facts.source {
            Source::Lists(family) => Some(family),
            Source::Events | Source::Nothing => None,
        };
        match why {
            Why::NoSession => format!("no session: {}", self.session),
            Why::EventsAlone => {
                let held = facts.counts.held;
                let known = format!("no list; {held} known from events alone");
                match self.unbound_keys() {
                    0 => known,
                    unbound => format!("{known}; {unbound} of their keys are not known"),
                }
            }
            Why::ListFails => {
                let failure = family.and_then(|family| self.lists.failure(family));
                let failure = failure.map(ToString::to_string).unwrap_or_default();
                format!("the list cannot be read: {failure}")
            }
            Why::Doubts => {
                let unusable = family.and_then(|family| self.lists.unusable(family));
                ladder::doubts(facts, unusable)
            }
            other => ladder::explain(facts, other),
        }
    }

    /// How many keys applications map that are not held (C-H50).
    fn unbound_keys(&self) -> usize {
        let applications =
            self.roster.iter().filter_map(|(_, belief)| match &belief.row.resource {
                Some(Resource::Application(application)) => Some(application),
                _ => None,
            });
        let held = self.roster.key_uuids();
        applications
            .flat_map(|application| &application.keys)
            .filter(|uuid| !held.contains(uuid))
            .count()
    }
}
