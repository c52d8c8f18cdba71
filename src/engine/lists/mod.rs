//! Lists: when each is read, and asking for it.

mod ask;
pub(in crate::engine) mod schedule;
