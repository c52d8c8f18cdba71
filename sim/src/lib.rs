//! A deterministic world that tries to make a gateway drift.

pub mod step;

pub mod scenario;
