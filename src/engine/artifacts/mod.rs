//! Artifacts: what is believed of them, and how events, lists and answers change that.

pub(in crate::engine) mod acks;
pub(in crate::engine) mod belief;
mod events;
mod existence;
pub(in crate::engine) mod fetch;
pub(in crate::engine) mod fetch_queue;
mod list;
pub mod reconcile;
mod withdrawal;
