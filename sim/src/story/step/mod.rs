//! Everything a story can contain.
//!
//! A seed and a JSON file are two producers of the same list of steps; sweep, replay and
//! regression are its consumers. Steps are tolerant: undeploying what is not
//! there does nothing, so any part of a story is a story. A fault carries its own end, so
//! deleting any step leaves the others as they were.
//!
//! A step tells about itself in one place, the file of its family: its entry of the vocabulary
//! (`entry`), and what its fields tell (`fields`). `verb` has all of them in one list.

mod access;
mod answers;
mod apis;
mod control_plane;
mod entry;
mod events;
mod fields;
mod limits;
mod machine;
mod network;
mod verb;
mod word;

pub use access::{
    ChangeSubscription, CreateKey, ImportKeys, MapKey, NamedApplication, NamedKey, NamedPlan,
    NamedSubscription, SetPlan, Standing, Subscribe,
};
pub use answers::{Answer, Endpoint, Wrong};
pub use apis::{ChangeLifecycle, Deploy, Lifecycle, Publish};
pub use control_plane::{AgoMs, CloseSession, RestartManager, StepClock};
pub use entry::{Actor, Choice, Depends, Entry, Form, Reach};
pub use events::{DelayEffects, DelayEvents, RedeployWindow};
pub use fields::{Api, Count, ForMs, Named, Nothing, Owner};
pub use limits::{Broken, COUNT_MAX, Expected, TIME_MS_MAX};
pub use machine::{Crash, CrashDisk};
pub use network::{ByteFault, Bytes, Direction, FrameFault, Frames, Latency, Partition};
pub use verb::{TAGS, VERBS, Verb, tags_of_people};
pub use word::{Names, WORD_BYTES, Word};

/// One step: when, and what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// When it happens.
    pub when: When,
    /// Where it happens.
    pub scope: Scope,
    /// What happens.
    pub verb: Verb,
}

/// Where a step happens, in a story of several gateways.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Scope {
    /// Whose APIs, applications and plans it is about; those of the gateways it names, or else of
    /// the first organization, when left out.
    pub organization: Option<String>,
    /// The gateways it is about. When there is none: every gateway, and for what people do every
    /// one of the organization.
    pub gateways: Vec<String>,
}

/// When a step happens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum When {
    /// At a virtual time, in milliseconds from the start.
    AtMs(u64),
    /// On the n-th occurrence of something observable; survives changes in timing.
    On(Trigger),
}

/// The n-th occurrence of something observable from a time on, and a delay after it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trigger {
    /// What is observed.
    pub seen: Observable,
    /// At which gateway; at any when left out.
    pub gateway: Option<String>,
    /// Which occurrence, from 1.
    pub nth: u32,
    /// From when on occurrences count, in milliseconds from the start.
    pub from_ms: u64,
    /// How long after it, in milliseconds.
    pub after_ms: u64,
}

/// Something a trigger can wait for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Observable {
    /// The engine asked for something: `open_session`, `close_session`, `ack`, `store`, or a
    /// request by name (`discover`, `list`, `fetch`, `fetch_batch`, `check_exists`, `read_keys`,
    /// `read_subscriptions`, `read_plans`).
    Action(String),
    /// A frame of this event type reached the gateway (`api.deployed`, `apikey.created`, …).
    Event(String),
    /// An answer to a request of this name reached the gateway.
    Answer(String),
    /// The gateway reached a state: `live`, `stored`, `synced`, `restarted`.
    State(String),
}
