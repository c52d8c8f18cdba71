//! A deterministic world that tries to make a gateway drift.

pub mod net;
pub mod properties;
pub mod step;
pub mod trace;

pub mod disk;

pub mod store;
