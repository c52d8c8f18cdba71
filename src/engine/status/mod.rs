//! The status: what the gateway says of each kind (law 12).

mod access;
pub(in crate::engine) mod artifacts;
pub(in crate::engine) mod report;
