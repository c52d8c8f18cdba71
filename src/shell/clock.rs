//! The clocks of the machine: the one place that reads them.
//!
//! Timers are tokio's. In production they follow the machine's monotonic clock, in the wire world
//! tokio's paused one, and [`Clock::now`] follows the same: a deadline means one thing to both.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::time::{Instant, Timestamp};

/// What time it is.
pub trait Clock: 'static {
    /// The local monotonic time, of the same pace as tokio's timers.
    fn now(&self) -> Instant;

    /// The time of day, for people to read and for when credentials expire. Nothing else is
    /// decided by it.
    fn wall(&self) -> Timestamp;
}

/// The clocks of this machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: tokio::time::Instant,
}

impl SystemClock {
    /// A clock whose monotonic time begins now.
    pub fn start() -> Self {
        Self { started: tokio::time::Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::START.after(self.started.elapsed())
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that reads the time of day")]
    fn wall(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let nanos = |since: Duration| i128::try_from(since.as_nanos()).unwrap_or(i128::MAX);
        let unix_nanos = since.map_or_else(|before| -nanos(before.duration()), nanos);
        Timestamp::from_unix_nanos(unix_nanos, 3)
    }
}
