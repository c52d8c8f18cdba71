//! Prints what a store holds.

mod artifacts;
mod resources;
mod text;

pub(super) use artifacts::full_digest;
pub use artifacts::{Format, ShowError, show_store};
pub(super) use resources::ResourceLine;
