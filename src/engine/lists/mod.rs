//! Lists: when each is read, and asking for it.

pub(in crate::engine) mod artifacts;
mod ask;
pub(in crate::engine) mod schedule;
