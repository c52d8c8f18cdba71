//! Why something was issued.

/// Why a statement was made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Cause {
    /// Somebody did it.
    People,
    /// An older backup was restored; no event tells of it.
    Restore,
}
