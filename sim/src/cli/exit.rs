//! The exit codes, in one place.

use std::process::{ExitCode, Termination};

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Exit {
    /// Everything held.
    Held = 0,
    /// A property was violated.
    Violated = 1,
    /// The arguments, a file or the environment are not as they must be.
    Usage = 2,
    /// Two runs of one story differed.
    Differed = 3,
    /// Nothing was selected to run.
    NothingSelected = 4,
}

impl Exit {
    /// Every code with its meaning, as `--help` prints them.
    pub const HELP: &'static str = "Exit codes:\n  \
        0  everything held\n  \
        1  a property was violated\n  \
        2  usage, file or environment error\n  \
        3  two runs of one story differed\n  \
        4  nothing was selected to run";

    /// The number.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}
