//! The HTTP side: routes, the answer of each, and what bodies and archives look like.

pub(super) mod access;
mod answers;
pub(super) mod archive;
pub(super) mod artifacts;
pub(super) mod bodies;
pub(super) mod definition;
mod namings;
mod route;
