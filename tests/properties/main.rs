//! Properties over random operations, one file for each thing that has them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod holding;

mod definition;
mod order;
mod plan;
mod resources;
mod runtime;
mod store;
mod wire;
