//! What the fuzz targets share: the allocator that counts, and what they check.
//!
//! A target is glue. Checks and generators are in `driftless::fuzz`, so that `cargo test`, sweeps
//! and scenarios share them. The package is a member of the workspace and not a default member:
//! `cargo test` does not build it. `fuzz/README.md` says how to run it.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// How many bytes were allocated so far, those that were given back among them.
pub fn allocated() -> u64 {
    let stats = ALLOCATOR.stats();
    let grown = u64::try_from(stats.bytes_reallocated).unwrap_or_default();
    stats.bytes_allocated as u64 + grown
}

/// What the targets check: what ships, and with the feature `planted` broken copies of it.
#[cfg(not(feature = "planted"))]
#[path = "shipped.rs"]
pub mod subject;

#[cfg(feature = "planted")]
#[path = "planted.rs"]
pub mod subject;
