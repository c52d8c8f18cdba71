//! A deterministic world that tries to make a gateway drift.

pub mod step;

pub mod scenario;

pub mod random;

pub mod manager;

pub mod net;

pub mod disk;

pub mod store;

pub mod gateway;

pub mod errors;

pub mod trace;

pub mod marks;

pub mod plant;

pub mod properties;

pub mod world;

pub mod profile;

pub mod generate;

pub mod runner;

pub mod cli;
