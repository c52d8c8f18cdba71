//! How far a sweep is: one line on stderr, only on a terminal. The one place with a wall clock.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::measure::{counted, per_second};

/// How often the line is drawn in a second.
const DRAWN_PER_SECOND: u8 = 5;

/// The line: how long it has taken, how far it is, what came out so far, how long the rest takes.
const LINE: &str = "[{elapsed}] [{bar:20}] {msg}, {eta} left";

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
    goal: Goal,
    line: ProgressBar,
}

impl Progress {
    /// Draws on a terminal only, and not when `quiet`.
    pub(super) fn new(quiet: bool, goal: Goal) -> Self {
        let length = match goal {
            Goal::Seeds(seeds) => seeds,
            Goal::Time(time) => millis(time),
        };
        let line = ProgressBar::with_draw_target(Some(length), target(quiet));
        Self { goal, line: line.with_style(style()) }
    }

    /// Says how far it is; the line is drawn when it is time to.
    pub(super) fn tick(&self, elapsed: Duration, done: u64, violated: u64) {
        if self.line.is_hidden() {
            return;
        }
        self.line.set_message(message(elapsed, done, violated));
        self.line.set_position(match self.goal {
            Goal::Seeds(_) => done,
            Goal::Time(_) => millis(elapsed),
        });
    }

    /// Takes the line away.
    pub(super) fn clear(&self) {
        self.line.finish_and_clear();
    }
}

/// A line on stderr that says how long something has gone on, and how long it may.
pub(super) struct Spinner {
    what: &'static str,
    line: ProgressBar,
}

impl Spinner {
    /// Draws on a terminal only, and not when `quiet`.
    pub(super) fn new(quiet: bool, what: &'static str) -> Self {
        Self { what, line: ProgressBar::with_draw_target(None, target(quiet)) }
    }

    /// Says how long it has gone on; the line is drawn when it is time to.
    pub(super) fn tick(&self, elapsed: Duration, budget: Duration) {
        let (elapsed, budget) = (elapsed.as_secs(), budget.as_secs());
        self.line.set_message(format!("{} for {elapsed} s, {budget} s at most", self.what));
    }

    /// Takes the line away.
    pub(super) fn clear(&self) {
        self.line.finish_and_clear();
    }
}

/// Where a line is drawn.
fn target(quiet: bool) -> ProgressDrawTarget {
    match quiet {
        true => ProgressDrawTarget::hidden(),
        false => ProgressDrawTarget::stderr_with_hz(DRAWN_PER_SECOND),
    }
}

fn style() -> ProgressStyle {
    match ProgressStyle::with_template(LINE) {
        Ok(style) => style.progress_chars("=> "),
        Err(_) => ProgressStyle::default_bar(),
    }
}

fn message(elapsed: Duration, done: u64, violated: u64) -> String {
    let (seeds, rate) = (counted(done, "seed"), per_second(done, elapsed));
    format!("{seeds}, {rate} seeds/s, {}", counted(violated, "violation"))
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// When a sweep ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Goal {
    /// After this many seeds.
    Seeds(u64),
    /// After this long.
    Time(Duration),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_one_that_can_be_drawn() {
        assert!(ProgressStyle::with_template(LINE).is_ok());
    }

    #[test]
    fn the_line_says_how_many_how_fast_and_how_many_did_not_hold() {
        let said = message(Duration::from_secs(2), 400, 1);
        assert_eq!(said, "400 seeds, 200 seeds/s, 1 violation");
    }
}
