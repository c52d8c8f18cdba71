//! The parts of a run.

/// The parts of a run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Phase {
    /// The story is told, faults and all.
    Story,
    /// Every fault is lifted; the gateway catches up.
    Converging,
    /// It caught up; nothing more may happen.
    Quiet,
    /// It was restarted and catches up again.
    Restarted,
}
