//! How far a sweep is: one line on stderr, only on a terminal. The one place with a wall clock.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use super::measure::{counted, per_second, remaining, took};

/// The time between two drawings.
const REDRAW: Duration = Duration::from_millis(200);

/// How long something has taken, in the caller's time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "rates are about the caller's time, not a run's")]
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    /// How long since the start.
    pub(super) fn elapsed(&self) -> Duration {
        Self::start().0.duration_since(self.0)
    }
}

/// A line on stderr that is drawn again and again.
pub(super) struct Progress {
    visible: bool,
    drawn: bool,
    last: Option<Duration>,
}

impl Progress {
    /// Draws on a terminal only, and not when `quiet`.
    pub(super) fn new(quiet: bool) -> Self {
        Self { visible: !quiet && io::stderr().is_terminal(), drawn: false, last: None }
    }

    /// Draws, if it is time to. `of` is how many there are, or for how long to go on.
    pub(super) fn tick(&mut self, elapsed: Duration, done: u64, of: Goal, violated: u64) {
        let due = self.last.is_none_or(|last| elapsed.saturating_sub(last) >= REDRAW);
        if !self.visible || !due {
            return;
        }
        self.last = Some(elapsed);
        let (parts, left) = match of {
            Goal::Seeds(of) => (done * 20 / of.max(1), remaining(done, of, elapsed)),
            Goal::Time(time) => {
                let parts = elapsed.as_millis() * 20 / time.as_millis().max(1);
                (u64::try_from(parts).unwrap_or(20), time.saturating_sub(elapsed))
            }
        };
        let bar: String = (0..20).map(|part| if part < parts { '=' } else { ' ' }).collect();
        let line = format!(
            "\r\x1b[2K{} [{bar}] {}  {} seeds/s  {} left  {}",
            took(elapsed),
            counted(done, "seed"),
            per_second(done, elapsed),
            took(left).trim_matches(['[', ']']).trim_start(),
            counted(violated, "violation"),
        );
        self.drawn = true;
        self.write(&line);
    }

    /// Takes the line away.
    pub(super) fn clear(&mut self) {
        if self.drawn {
            self.drawn = false;
            self.write("\r\x1b[2K");
        }
    }

    /// Progress is a courtesy: when stderr is gone it stops.
    fn write(&mut self, line: &str) {
        let mut stderr = io::stderr();
        if stderr.write_all(line.as_bytes()).and_then(|()| stderr.flush()).is_err() {
            self.visible = false;
        }
    }
}

/// When a sweep ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Goal {
    /// After this many seeds.
    Seeds(u64),
    /// After this long.
    Time(Duration),
}
