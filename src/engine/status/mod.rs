//! The status: what the gateway says of each kind (law 12).
//!
//! `counts` keeps count of how each item stands, `ladder` makes a state of that, and `report` is
//! the whole as it is shown.

pub(super) mod counts;
pub(super) mod ladder;
pub(super) mod report;

use super::access::belief::Access;
use super::artifacts::Artifacts;
use super::config::Config;
use super::discovery::Discovery;
use super::lists::schedule::{Family, ListHealth, Lists};
use super::session::Session;
use super::writes::Writes;
use counts::Counts;
use ladder::{KindFacts, Source, Why};
use report::{Anomalies, KindStatus, Status, StatusKind, SyncState};

use crate::time::Instant;

/// Since when each kind has been in its state.
#[derive(Clone, Debug, Default)]
pub(super) struct Since {
    states: [Option<(SyncState, Instant)>; StatusKind::ALL.len()],
}

impl Since {
    /// Notes the state that each kind is in.
    pub(super) fn note(&mut self, states: [SyncState; StatusKind::ALL.len()], now: Instant) {
        for (known, state) in self.states.iter_mut().zip(states) {
            if known.is_none_or(|known| known.0 != state) {
                *known = Some((state, now));
            }
        }
    }

    fn of(&self, kind: StatusKind, state: SyncState) -> Instant {
        let place = StatusKind::ALL.iter().position(|known| *known == kind);
        let known = place.and_then(|place| self.states[place]);
        known.filter(|known| known.0 == state).map_or(Instant::START, |known| known.1)
    }
}

/// Looks at what the status is made of.
pub(super) struct StatusView<'a> {
    pub(super) config: &'a Config,
    pub(super) session: &'a Session,
    pub(super) discovery: &'a Discovery,
    pub(super) lists: &'a Lists,
    pub(super) artifacts: &'a Artifacts,
    pub(super) access: &'a Access,
    pub(super) writes: &'a Writes,
    pub(super) anomalies: &'a Anomalies,
    pub(super) since: &'a Since,
}

impl StatusView<'_> {
    /// The state of a kind. Cheap enough to call after every input.
    pub(super) fn state(&self, kind: StatusKind) -> SyncState {
        match self.source(kind) {
            // Nothing else is looked at where no list tells.
            Source::Nothing => SyncState::Unsupported,
            Source::Events => SyncState::Unverified,
            Source::Lists(_) => ladder::judge(&self.facts(kind)).0,
        }
    }

    /// The state of every kind. Kinds of artifacts of which there is none stand alike.
    pub(super) fn states(&self) -> [SyncState; StatusKind::ALL.len()] {
        let mut empty = None;
        StatusKind::ALL.map(|kind| match kind {
            StatusKind::Artifact(of) if self.artifacts.counts.of(of) == Counts::default() => {
                *empty.get_or_insert_with(|| self.state(kind))
            }
            _ => self.state(kind),
        })
    }

    /// Whether a list that speaks of the kind is still to be read, or to be read again.
    pub(super) fn awaits_lists(&self, kind: StatusKind) -> bool {
        self.health(self.source(kind)).unsettled > 0
    }

    /// The whole status.
    pub(super) fn status(&self) -> Status {
        let mut anomalies = self.anomalies.clone();
        anomalies.acks_dropped = self.artifacts.acks.dropped;
        anomalies.acks_superseded = self.artifacts.acks.superseded;
        let kinds = StatusKind::ALL.into_iter().map(|kind| (kind, self.kind_status(kind)));
        Status {
            session: self.session.to_string(),
            control_plane: self.discovery.found().cloned(),
            kinds: kinds.collect(),
            anomalies,
        }
    }

    /// How the control plane tells of a kind.
    fn source(&self, kind: StatusKind) -> Source {
        match kind {
            StatusKind::Artifact(_) => Source::Lists(Family::Artifacts),
            StatusKind::ApiKey => Source::Lists(Family::Keys),
            StatusKind::ApplicationKey if self.discovery.is_platform() => {
                Source::Lists(Family::Keys)
            }
            StatusKind::ApplicationKey => Source::Events,
            _ if !self.discovery.is_platform() => Source::Nothing,
            StatusKind::Subscription => Source::Lists(Family::Subscriptions),
            StatusKind::Plan => Source::Lists(Family::Plans),
            StatusKind::Application => Source::Events,
        }
    }

    fn health(&self, source: Source) -> ListHealth {
        match source {
            Source::Lists(family) => self.lists.health(family),
            Source::Events | Source::Nothing => ListHealth::default(),
        }
    }

    /// What a kind is judged by.
    fn facts(&self, kind: StatusKind) -> KindFacts<'_> {
        let source = self.source(kind);
        let counts = self.counts(kind);
        let attempts = self.config.ack_failure_attempts;
        let stuck = match kind {
            StatusKind::Artifact(kind) if counts.pending > 0 => {
                self.artifacts.queue.stuck(kind, attempts)
            }
            _ => None,
        };
        let below_artifacts = matches!(kind, StatusKind::ApiKey | StatusKind::Subscription);
        KindFacts {
            source,
            is_live: self.session.live().is_some(),
            write_failure: self.writes.failure(),
            health: self.health(source),
            stuck,
            counts,
            dropped: if below_artifacts { self.access.dropped } else { 0 },
        }
    }

    fn counts(&self, kind: StatusKind) -> Counts {
        let StatusKind::Artifact(kind) = kind else { return self.access_counts(kind) };
        self.artifacts.counts.of(kind)
    }

    /// The keys that no list names are a kind of their own. Lists of the Platform API name every
    /// key.
    fn access_counts(&self, kind: StatusKind) -> Counts {
        let counts = self.access.counts(kind);
        let unlisted = if self.discovery.is_platform() { 0 } else { counts.unlisted };
        match kind {
            StatusKind::ApiKey => Counts { held: counts.held - unlisted, ..counts },
            StatusKind::ApplicationKey => Counts { held: unlisted, ..Counts::default() },
            _ => counts,
        }
    }

    fn kind_status(&self, kind: StatusKind) -> KindStatus {
        let facts = self.facts(kind);
        let (state, why) = ladder::judge(&facts);
        let bound = self.discovery.revocation_bound(self.config);
        KindStatus {
            state,
            reason: self.explain(kind, &facts, why),
            since: self.since.of(kind, state),
            served: facts.counts.held,
            retained: facts.counts.retained,
            bound: bound.filter(|_| kind == StatusKind::ApiKey),
        }
    }

    /// Why a kind is in its state, for an operator.
    fn explain(&self, kind: StatusKind, facts: &KindFacts<'_>, why: Why) -> String {
        let family = match facts.source {
            Source::Lists(family) => Some(family),
            Source::Events | Source::Nothing => None,
        };
        let words = ladder::explain(facts, why);
        match why {
            Why::NoSession => format!("{words}: {}", self.session),
            Why::EventsAlone if kind == StatusKind::Application => {
                match self.access.unbound_keys() {
                    0 => words,
                    unbound => format!("{words}; {unbound} of their keys are not known"),
                }
            }
            Why::ListFails => match family.and_then(|family| self.lists.failure(family)) {
                Some(failure) => format!("{words}: {failure}"),
                None => words,
            },
            Why::Doubts => {
                ladder::doubts(facts, family.and_then(|family| self.lists.unusable(family)))
            }
            Why::NotTold
            | Why::EventsAlone
            | Why::WritesFail
            | Why::NeverRead
            | Why::Stuck
            | Why::UnderWay
            | Why::Agreed => words,
        }
    }
}
