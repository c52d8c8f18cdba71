//! What the gateway says about itself: converged or loud (law 12).

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::model::{ControlPlane, Kind};
use crate::time::Instant;

/// How well one resource kind is known to match the control plane.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SyncState {
    /// The last complete list agreed and nothing is outstanding.
    Synced,
    /// Work that the control plane asked for is under way.
    Syncing,
    /// The control plane cannot be read, or has not been for too long.
    Stale,
    /// This gateway or this control plane cannot hold the kind at all.
    Unsupported,
    /// Read, but some of it contradicts what is known or could not be understood.
    Unverified,
}

impl SyncState {
    /// The word printed for the state.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Synced => "synced",
            Self::Syncing => "syncing",
            Self::Stale => "stale",
            Self::Unsupported => "unsupported",
            Self::Unverified => "unverified",
        }
    }
}

impl fmt::Display for SyncState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A kind of thing that a control plane holds for a gateway.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum StatusKind {
    /// Artifacts of one kind.
    Artifact(Kind),
    /// API keys that lists name, where the control plane has such lists.
    ApiKey,
    /// API keys that no list names: those of applications (A-H28: told by events alone), and
    /// regenerated ones until a list names them.
    ApplicationKey,
    /// Subscriptions.
    Subscription,
    /// Subscription plans.
    Plan,
    /// Applications.
    Application,
}

impl StatusKind {
    /// Every kind.
    pub const ALL: [Self; Kind::ALL.len() + 5] = {
        let mut all = [Self::Application; Kind::ALL.len() + 5];
        let mut place = 0;
        while place < Kind::ALL.len() {
            all[place] = Self::Artifact(Kind::ALL[place]);
            place += 1;
        }
        all[place] = Self::ApiKey;
        all[place + 1] = Self::ApplicationKey;
        all[place + 2] = Self::Subscription;
        all[place + 3] = Self::Plan;
        all
    };
}

impl fmt::Display for StatusKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Artifact(kind) => f.write_str(kind.name()),
            Self::ApiKey => f.write_str("ApiKey"),
            Self::ApplicationKey => f.write_str("ApplicationKey"),
            Self::Subscription => f.write_str("Subscription"),
            Self::Plan => f.write_str("Plan"),
            Self::Application => f.write_str("Application"),
        }
    }
}

/// The status of one resource kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KindStatus {
    /// The state.
    pub state: SyncState,
    /// Why, in a few words for an operator.
    pub reason: String,
    /// Since when the state has been this one.
    pub since: Instant,
    /// Artifacts served; keys, subscriptions, plans or applications held.
    pub served: usize,
    /// Artifacts held but not served.
    pub retained: usize,
    /// After how long a dead credential is refused at the latest, as long as the state is not
    /// `stale` (law 11); `None` where no list would tell, and for what is no credential.
    pub bound: Option<Duration>,
}

/// How often something that should not happen did, by name; bounded, with the rest under `…`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NameCounts {
    counts: BTreeMap<String, u64>,
}

impl NameCounts {
    /// Counts one more of `name`; past `names_max` distinct names it goes under `…`.
    pub fn count(&mut self, name: &str, names_max: usize) {
        let name = if self.counts.contains_key(name) || self.counts.len() < names_max {
            name
        } else {
            "…"
        };
        *self.counts.entry(name.to_owned()).or_insert(0) += 1;
    }

    /// The counts, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.counts.iter().map(|(name, count)| (name.as_str(), *count))
    }

    /// The sum of all counts.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }
}

/// What was seen and could not be used; nothing is dropped in silence.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Anomalies {
    /// Events of a type nobody documented, by type.
    pub unknown_events: NameCounts,
    /// Events about resources this engine does not hold, by type.
    pub events_not_held: NameCounts,
    /// Frames that were no event.
    pub malformed_frames: u64,
    /// List rows of a kind this gateway does not hold, in the last list, by kind.
    pub unknown_kinds: NameCounts,
    /// List rows with a state of no settled meaning, in the last list, by state.
    pub unclear_states: NameCounts,
    /// List rows that could not be read, in the last list.
    pub unreadable_rows: u64,
    /// Events about a key whose hash could not be read.
    pub unreadable_keys: u64,
    /// Events that said too little about a subscription that was not known.
    pub incomplete_changes: u64,
    /// Artifacts, keys, subscriptions, plans and applications that are gone and no longer
    /// remembered.
    pub evicted: u64,
    /// Acks dropped because too many were owed.
    pub acks_dropped: u64,
    /// Deploy events whose artifact moved on before they were applied; not acked.
    pub acks_superseded: u64,
}

/// The whole status.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    /// The session, in a few words.
    pub session: String,
    /// Where and what the control plane is, as far as it is known.
    pub control_plane: Option<ControlPlane>,
    /// Per resource kind.
    pub kinds: BTreeMap<StatusKind, KindStatus>,
    /// What could not be used.
    pub anomalies: Anomalies,
}
