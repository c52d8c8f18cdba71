//! A deterministic world that tries to make a gateway drift.

pub mod manager;
pub mod random;
pub mod step;
