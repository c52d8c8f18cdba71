//! What fuzzing checks, and what it begins with.
//!
//! A target of `fuzz/` is glue: bytes come in and go to a check that is here. A check takes what it
//! checks as an argument (a decoder, a store, a driver), so that a target can be given a broken one
//! to show that it would be found; it holds that against a reading or a model of its own and panics
//! where the two differ. `cargo test` runs the same checks over the corpora and over every
//! regression in `fuzz/regressions`.
//!
//! - `json`: a second reading of JSON.
//! - `event`, `event_form`, `structured`: frames.
//! - `lists`: bulk answers.
//! - `archives`: archives and what they cost.
//! - `definition`: `api.yaml`.
//! - `scenario`: story files.
//! - `session`, `evidence`: one driver, and bytes that decide what arrives.
//! - `store`: a store on a disk that fails.
//! - `story`: whole stories.
//! - `admit`: what the runtime decides.
//! - [`seeds`]: what corpora begin with, of `traffic` and scenarios.

mod admit;
mod archives;
mod definition;
mod event;
mod event_form;
mod evidence;
mod json;
mod lists;
mod scenario;
pub mod seeds;
mod session;
mod store;
mod story;
mod structured;
mod traffic;

use driftless_gateway::driver::Inbound;
use driftless_gateway::runtime;
use driftless_gateway::store::RedbStore;
use driftless_gateway::wire;

pub use admit::{Admit, check_admit};
pub use archives::{DecodeBatch, DecodeOne, check_archive};
pub use definition::{DecodeApi, check_definition};
pub use event::{Decode, check_frame};
pub use lists::{
    DecodePlans, DecodeSubscriptions, check_deployments, check_discovery, check_keys,
    check_subscriptions_and_plans,
};
pub use scenario::check_scenario;
pub use session::{StoreFailed, check_session};
pub use store::{Open, check_store};
pub use story::{bytes_of, check_story, story};
pub use structured::check_structured;

use crate::story::file::Scenario;

/// Tells how many bytes were allocated so far, where an allocator counts them.
pub type Allocated = fn() -> u64;

/// A fuzz target.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name: that of the binary in `fuzz/`, and of the folders with its inputs.
    pub name: &'static str,
    /// What the files of its inputs end with.
    pub extension: &'static str,
    /// Checks one input against what ships; panics where something is wrong.
    pub check: fn(&[u8], Allocated),
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target {
        name: "event_frame",
        extension: "json",
        check: |bytes, _| check_frame(bytes, wire::decode_event),
    },
    Target {
        name: "event_structured",
        extension: "choices",
        check: |bytes, _| check_structured(bytes, wire::decode_event),
    },
    Target {
        name: "discovery",
        extension: "json",
        check: |bytes, _| check_discovery(bytes, wire::decode_base_path),
    },
    Target {
        name: "deployments_list",
        extension: "json",
        check: |bytes, _| check_deployments(bytes, wire::decode_listing),
    },
    Target {
        name: "api_keys_list",
        extension: "json",
        check: |bytes, _| check_keys(bytes, wire::decode_keys),
    },
    Target {
        name: "subscriptions_and_plans",
        extension: "json",
        check: |bytes, _| {
            let (subscriptions, plans) = (wire::decode_subscriptions, wire::decode_plans);
            check_subscriptions_and_plans(bytes, subscriptions, plans);
        },
    },
    Target {
        name: "batch_archive",
        extension: "archive",
        check: |bytes, allocated| {
            check_archive(bytes, wire::decode_batch, wire::decode_definition, allocated);
        },
    },
    Target {
        name: "api_yaml",
        extension: "yaml",
        check: |bytes, _| check_definition(bytes, wire::decode_api),
    },
    Target {
        name: "scenario_file",
        extension: "json",
        check: |bytes, _| check_scenario(bytes, Scenario::parse),
    },
    Target {
        name: "session",
        extension: "operations",
        check: |bytes, _| {
            check_session(bytes, |driver, write, failure, now| {
                driver.handle(Inbound::StoreFailed(write, failure), now);
            })
        },
    },
    Target {
        name: "store",
        extension: "operations",
        check: |bytes, _| check_store(bytes, |disk| Box::new(RedbStore::new(disk))),
    },
    Target {
        name: "admit",
        extension: "steps",
        check: |bytes, _| check_admit(bytes, runtime::admit),
    },
    Target { name: "story", extension: "steps", check: |bytes, _| check_story(bytes, None) },
];
