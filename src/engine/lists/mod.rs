//! Lists: when each is read, and how it is asked for.

mod ask;
pub(super) mod schedule;
