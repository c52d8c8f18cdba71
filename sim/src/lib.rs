//! A deterministic world that tries to make a gateway drift.

pub mod step;

pub mod disk;

pub mod store;
