//! The status: how each artifact stands, counted as it changes, and what that says of its kind.

use std::collections::BTreeMap;

use crate::engine::Engine;
use crate::engine::artifacts::belief::Intent;
use super::report::{KindStatus, ResourceKind, Status, SyncState};
use crate::model::{ArtifactId, Kind};
use crate::time::Instant;

/// How one artifact stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Standing {
    Settled,
    Pending,
    Doubtful,
}

/// What is counted of one artifact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Share {
    kind: Kind,
    standing: Standing,
    served: bool,
    retained: bool,
    /// Nothing is held of it and nothing is under way: it is only remembered.
    gone: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Counts {
    pending: usize,
    doubtful: usize,
    served: usize,
    retained: usize,
    gone: usize,
}

/// Counts by kind, kept by differences so that a change costs the same in a large gateway, and
/// since when each kind has been in its state.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Standings {
    shares: BTreeMap<ArtifactId, Share>,
    counts: [Counts; Kind::ALL.len()],
    since: [Option<(SyncState, Instant)>; Kind::ALL.len()],
    resources_since: [Option<(SyncState, Instant)>; RESOURCE_KINDS.len()],
}

/// What a control plane holds besides artifacts.
const RESOURCE_KINDS: [ResourceKind; 4] = [
    ResourceKind::ApiKey,
    ResourceKind::Subscription,
    ResourceKind::Plan,
    ResourceKind::Application,
];

impl Standings {
    fn set(&mut self, id: &ArtifactId, share: Option<Share>) {
        let before = match (share, self.shares.get_mut(id)) {
            (Some(share), Some(known)) if *known == share => return,
            (Some(share), Some(known)) => Some(std::mem::replace(known, share)),
            (Some(share), None) => self.shares.insert(id.clone(), share),
            (None, _) => self.shares.remove(id),
        };
        if let Some(before) = before {
            let counts = &mut self.counts[before.kind as usize];
            counts.pending -= usize::from(before.standing == Standing::Pending);
            counts.doubtful -= usize::from(before.standing == Standing::Doubtful);
            counts.served -= usize::from(before.served);
            counts.retained -= usize::from(before.retained);
            counts.gone -= usize::from(before.gone);
        }
        if let Some(share) = share {
            let counts = &mut self.counts[share.kind as usize];
            counts.pending += usize::from(share.standing == Standing::Pending);
            counts.doubtful += usize::from(share.standing == Standing::Doubtful);
            counts.served += usize::from(share.served);
            counts.retained += usize::from(share.retained);
            counts.gone += usize::from(share.gone);
        }
    }

    /// How many artifacts are only remembered: deleted, or never held.
    pub(in crate::engine) fn gone(&self) -> usize {
        self.counts.iter().map(|counts| counts.gone).sum()
    }

    /// The artifacts that are only remembered.
    pub(in crate::engine) fn gone_ids(&self) -> impl Iterator<Item = &ArtifactId> {
        self.shares.iter().filter(|(_, share)| share.gone).map(|(id, _)| id)
    }

    /// Forgets an artifact.
    pub(in crate::engine) fn forget(&mut self, id: &ArtifactId) {
        self.set(id, None);
    }

    /// Since when a kind of resources has been in its state.
    pub(in crate::engine) fn resource_since(&self, kind: ResourceKind) -> Option<(SyncState, Instant)> {
        let place = RESOURCE_KINDS.iter().position(|known| *known == kind)?;
        self.resources_since.get(place).copied().flatten()
    }

    fn of(&self, kind: Kind) -> Counts {
        self.counts[kind as usize]
    }
}

impl Engine {
    /// Counts one artifact anew after something about it changed.
    pub(in crate::engine) fn recount(&mut self, id: &ArtifactId) {
        let share = self.desired.get(id).map(|desired| {
            let is_pending = self.queue.get(id).is_some()
                || !self.observed.is_settled(id)
                || desired.verify_at().is_some()
                || desired.ending.is_some()
                || self.existence.contains_key(id)
                || desired.absent_since.is_some();
            let standing = if desired.doubt.is_some() {
                Standing::Doubtful
            } else if is_pending {
                Standing::Pending
            } else {
                Standing::Settled
            };
            let served = self.observed.is_served(id);
            let held = desired.intent != Intent::Deleted && self.observed.latest_row(id).is_some();
            let retained = held && !served;
            let gone = !served && !held && standing == Standing::Settled;
            Share { kind: desired.kind, standing, served, retained, gone }
        });
        self.standings.set(id, share);
    }

    /// Notes since when each kind has been in its state.
    pub(in crate::engine) fn note_states(&mut self, now: Instant) {
        for kind in Kind::ALL {
            let state = self.judge(kind).0;
            let known = &mut self.standings.since[kind as usize];
            if known.is_none_or(|known| known.0 != state) {
                *known = Some((state, now));
            }
        }
        for (place, kind) in RESOURCE_KINDS.into_iter().enumerate() {
            let state = self.resource_state(kind);
            let known = &mut self.standings.resources_since[place];
            if known.is_none_or(|known| known.0 != state) {
                *known = Some((state, now));
            }
        }
    }

    /// The state of an artifact kind.
    pub fn kind_state(&self, kind: Kind) -> SyncState {
        self.judge(kind).0
    }

    /// The state of an artifact kind and why.
    fn judge(&self, kind: Kind) -> (SyncState, Why<'_>) {
        let counts = self.standings.of(kind);
        if self.session.live().is_none() {
            return (SyncState::Stale, Why::NoSession);
        }
        if self.write_failure.is_some() {
            return (SyncState::Stale, Why::Writes);
        }
        if let Some(why) = &self.resync.last_failure {
            return (SyncState::Stale, Why::List(why));
        }
        if !self.resync.listed_in_session && self.resync.unusable.is_none() {
            return (SyncState::Syncing, Why::FirstList);
        }
        if counts.pending > 0
            && let Some(why) = self.queue.stuck(self.config.ack_failure_attempts)
        {
            return (SyncState::Stale, Why::Fetch(why));
        }
        if let Some(why) = &self.resync.unusable {
            return (SyncState::Unverified, Why::Unusable(why));
        }
        if counts.doubtful > 0 {
            return (SyncState::Unverified, Why::Doubtful(counts.doubtful));
        }
        if counts.pending > 0 {
            return (SyncState::Syncing, Why::Pending(counts.pending));
        }
        (SyncState::Synced, Why::Agreed)
    }

    /// The state of every kind; cheap, for who looks after every input.
    pub fn states(&self) -> impl Iterator<Item = (ResourceKind, SyncState)> {
        let artifacts = Kind::ALL.map(|kind| (ResourceKind::Artifact(kind), self.kind_state(kind)));
        let resources = RESOURCE_KINDS.map(|kind| (kind, self.resource_state(kind)));
        artifacts.into_iter().chain(resources)
    }

    /// The whole status; `since` is as of the last input.
    pub fn status(&self) -> Status {
        let mut kinds = BTreeMap::new();
        for kind in Kind::ALL {
            let (state, why) = self.judge(kind);
            let counts = self.standings.of(kind);
            let since = self.standings.since[kind as usize].map_or(Instant::START, |known| known.1);
            let (served, retained) = (counts.served, counts.retained);
            let reason = why.explain(self);
            kinds.insert(
                ResourceKind::Artifact(kind),
                KindStatus { state, reason, since, served, retained, bound: None },
            );
        }
        for kind in RESOURCE_KINDS {
            kinds.insert(kind, self.resource_status(kind));
        }
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
}

enum Why<'a> {
    NoSession,
    Writes,
    List(&'a str),
    FirstList,
    Fetch(&'a str),
    Unusable(&'a str),
    Doubtful(usize),
    Pending(usize),
    Agreed,
}

impl Why<'_> {
    fn explain(&self, engine: &Engine) -> String {
        match self {
            Self::NoSession => format!("no session: {}", engine.session),
            Self::Writes => {
                format!("writes fail: {}", engine.write_failure.as_deref().unwrap_or_default())
            }
            Self::List(why) => format!("the list cannot be read: {why}"),
            Self::FirstList => "waiting for the first list of this session".to_owned(),
            Self::Fetch(why) => format!("a definition cannot be read: {why}"),
            Self::Unusable(why) => (*why).to_owned(),
            Self::Doubtful(count) => format!("{count} artifacts read in contradicting ways"),
            Self::Pending(count) => format!("{count} artifacts under way"),
            Self::Agreed => "the last complete list agreed".to_owned(),
        }
    }
}
