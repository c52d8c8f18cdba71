//! A stand-in for the engine's entry point, so that the driver compiles before it is there.

use super::{Action, Config, Input, Status, Surfaced};
use crate::model::Recovered;
use crate::time::Instant;

/// What the engine holds.
#[derive(Debug, Default)]
pub struct ObservedSet;

/// An engine that asks for nothing.
#[derive(Debug)]
pub struct Engine {
    observed: ObservedSet,
}

impl Engine {
    /// An engine over what was recovered.
    pub fn recover(_: Config, _seed: u64, _: Recovered, _now: Instant) -> Self {
        Self { observed: ObservedSet }
    }

    /// Takes an input.
    pub fn handle(&mut self, _: Input, _now: Instant) {}

    /// Acts on the time.
    pub fn handle_timeout(&mut self, _now: Instant) {}

    /// The next action.
    pub fn poll_action(&mut self) -> Option<Action> {
        None
    }

    /// When to act next.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        None
    }

    /// The status.
    pub fn status(&self, _now: Instant) -> Status {
        Status {
            session: String::new(),
            control_plane: None,
            kinds: std::collections::BTreeMap::new(),
            surfaced: Surfaced::default(),
        }
    }

    /// What is held.
    pub fn observed(&self) -> &ObservedSet {
        &self.observed
    }
}
