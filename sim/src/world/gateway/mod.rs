//! A gateway of a world: its process, what a data plane sees of it, and what is noted about it.

pub(super) mod host;
pub mod process;
pub mod view;
