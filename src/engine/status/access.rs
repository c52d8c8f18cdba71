//! What the status says of keys, subscriptions, plans and applications (laws 11 and 12).

use crate::engine::Engine;
use crate::engine::lists::schedule::Family;
use crate::engine::status::report::{KindStatus, ResourceKind, SyncState};
use crate::model::{Dialect, Resource};
use crate::time::Instant;

/// Why a kind of resources is in its state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Why {
    NotTold,
    EventsAlone,
    NoSession,
    Writes,
    Failing,
    Unread(usize),
    Doubts,
    Missing(usize),
    Agreed,
}

impl Engine {
    /// The status of a kind of resources that are no artifacts.
    pub(in crate::engine) fn resource_status(&self, kind: ResourceKind) -> KindStatus {
        let (state, why) = self.judge_why(kind);
        KindStatus {
            state,
            reason: self.explain(kind, why),
            since: self.roster_since(kind, state),
            served: self.roster.tally(kind).held,
            retained: 0,
            bound: self.revocation_bound().filter(|_| kind == ResourceKind::ApiKey),
        }
    }

    /// Whether a list that speaks of the kind is still to be read, or to be read again.
    pub fn awaits_lists(&self, kind: ResourceKind) -> bool {
        let outlook = self.family(kind).map(|family| self.rolls.outlook(family));
        outlook.is_some_and(|outlook| outlook.unread > 0 && outlook.unreadable == 0)
    }

    /// The state of a kind of resources that are no artifacts; cheap, for it is asked after every
    /// input.
    pub fn resource_state(&self, kind: ResourceKind) -> SyncState {
        self.judge_why(kind).0
    }

    fn judge_why(&self, kind: ResourceKind) -> (SyncState, Why) {
        let Some(family) = self.family(kind) else {
            return if self.is_platform() {
                (SyncState::Unverified, Why::EventsAlone)
            } else {
                (SyncState::Unsupported, Why::NotTold)
            };
        };
        if !self.is_live() {
            return (SyncState::Stale, Why::NoSession);
        }
        if self.write_failure.is_some() {
            return (SyncState::Stale, Why::Writes);
        }
        let outlook = self.rolls.outlook(family);
        if outlook.failing > 0 {
            return (SyncState::Stale, Why::Failing);
        }
        let tally = self.roster.tally(kind);
        if tally.doubtful > 0 {
            return (SyncState::Unverified, Why::Doubts);
        }
        if outlook.unreadable == 0 && outlook.unread > 0 {
            return (SyncState::Syncing, Why::Unread(outlook.unread));
        }
        if outlook.absent > 0
            || outlook.unreadable > 0
            || self.roster.parked_dropped > 0 && kind != ResourceKind::Plan
            || self.unlisted_keys(kind) > 0
        {
            return (SyncState::Unverified, Why::Doubts);
        }
        if tally.missing > 0 {
            return (SyncState::Syncing, Why::Missing(tally.missing));
        }
        (SyncState::Synced, Why::Agreed)
    }

    /// The lists that speak of a kind; none where it comes by events alone, or not at all.
    fn family(&self, kind: ResourceKind) -> Option<Family> {
        match kind {
            ResourceKind::ApiKey => Some(Family::Keys),
            ResourceKind::Subscription if self.is_platform() => Some(Family::Subscriptions),
            ResourceKind::Plan if self.is_platform() => Some(Family::Plans),
            _ => None,
        }
    }

    /// Keys that are on no list: those of applications, and regenerated ones that no list named
    /// yet. The Platform API lists them all.
    fn unlisted_keys(&self, kind: ResourceKind) -> usize {
        let is_platform = self.dialect() == Some(Dialect::PlatformApi11);
        if kind == ResourceKind::ApiKey && !is_platform {
            self.roster.tally(kind).unlisted
        } else {
            0
        }
    }

    fn explain(&self, kind: ResourceKind, why: Why) -> String {
        let held = self.roster.tally(kind).held;
        match why {
            Why::NotTold => "the control plane tells gateways nothing of them".to_owned(),
            Why::EventsAlone => {
                let unbound = self.unbound_keys();
                let more = if unbound > 0 {
                    format!("; {unbound} of their keys are not known")
                } else {
                    String::new()
                };
                format!("no list; {held} known from events alone{more}")
            }
            Why::NoSession => format!("no session: {}", self.session),
            Why::Writes => {
                format!("writes fail: {}", self.write_failure.as_deref().unwrap_or_default())
            }
            Why::Failing => {
                let failure = self.family(kind).and_then(|family| self.rolls.failure(family));
                let failure = failure.map(ToString::to_string).unwrap_or_default();
                format!("the list cannot be read: {failure}")
            }
            Why::Unread(count) => format!("waiting for {count} lists"),
            Why::Doubts => self.doubts(kind),
            Why::Missing(count) => {
                format!("{count} missing from the last list, a second is awaited")
            }
            Why::Agreed => "the last complete list agreed".to_owned(),
        }
    }

    /// What keeps a kind from being verified, with counts.
    fn doubts(&self, kind: ResourceKind) -> String {
        let tally = self.roster.tally(kind);
        let mut why = Vec::new();
        if let Some(family) = self.family(kind) {
            let outlook = self.rolls.outlook(family);
            if outlook.absent > 0 {
                why.push(format!("no key list; {} keys known from events alone", tally.held));
            }
            if outlook.unreadable > 0 {
                let first = self.rolls.unreadable_why(family).unwrap_or_default();
                why.push(format!("{} list items could not be read: {first}", outlook.unreadable));
            }
        }
        let unlisted = self.unlisted_keys(kind);
        if unlisted > 0 {
            why.push(format!("{unlisted} keys are on no list"));
        }
        if tally.doubtful > 0 {
            why.push(format!("{} whose events contradict or cannot be read", tally.doubtful));
        }
        if self.roster.parked_dropped > 0 {
            let dropped = self.roster.parked_dropped;
            why.push(format!("{dropped} events about unknown artifacts were not kept"));
        }
        why.join("; ")
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

    fn roster_since(&self, kind: ResourceKind, state: SyncState) -> Instant {
        match self.standings.resource_since(kind) {
            Some((known, at)) if known == state => at,
            _ => Instant::START,
        }
    }
}
