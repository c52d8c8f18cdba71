//! The sans-IO core.

mod action;
mod config;
mod engine_stub;
mod input;
mod status;

pub use action::{Action, Request};
pub use config::Config;
pub use engine_stub::{Engine, ObservedSet};
pub use input::{CloseReason, Failure, Input, Response, StoreFailure};
pub use status::{KindStatus, NameCounts, ResourceKind, Status, Surfaced, SyncState};
