//! Lists: when each is read, how it is asked for, and what became of it.

mod ask;
pub(super) mod outcome;
pub(super) mod schedule;
