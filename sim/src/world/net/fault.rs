//! A fault of the network is a rule with an end; every rule in force is asked about every message.

use std::time::Duration;

use driftless_gateway::time::Instant;

use super::Towards;
use crate::story::step::Direction;

/// A fault in force until an instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// Nothing passes.
    Partition {
        /// Until when.
        until: Instant,
        /// Which way.
        direction: Direction,
    },
    /// Everything waits and comes at the end.
    Hold {
        /// Until when.
        until: Instant,
    },
    /// Messages take this long.
    Latency {
        /// Until when.
        until: Instant,
        /// The shortest time.
        min: Duration,
        /// The longest time.
        max: Duration,
    },
}

/// What a rule says of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It does not concern the message.
    Pass,
    /// The message takes between these times.
    Slow(Duration, Duration),
    /// The message leaves at this instant.
    Wait(Instant),
    /// The bytes do not arrive before this instant, if ever.
    Stall(Instant),
}

impl Rule {
    /// When it ends.
    pub const fn until(&self) -> Instant {
        match self {
            Self::Partition { until, .. } | Self::Hold { until } | Self::Latency { until, .. } => {
                *until
            }
        }
    }

    /// What it says of a message that goes `towards`.
    pub fn judge(&self, towards: Towards) -> Verdict {
        match *self {
            Self::Partition { until, direction } => {
                let hits = match direction {
                    Direction::Both => true,
                    Direction::ToGateway => towards == Towards::Gateway,
                    Direction::ToManager => towards == Towards::Manager,
                };
                if hits { Verdict::Stall(until) } else { Verdict::Pass }
            }
            Self::Hold { until } => Verdict::Wait(until),
            Self::Latency { min, max, .. } => Verdict::Slow(min, max),
        }
    }
}
