//! A deterministic world that tries to make a gateway drift.
//!
//! - [`step`]: everything a story can contain.
//! - [`scenario`]: a story with its reason and its claims, as a JSON file.
//! - [`random`]: randomness keyed by name and seed.
//! - [`manager`]: the simulated API Manager, sans-IO, and its ledger.
//! - [`net`]: the simulated network.
//! - [`disk`]: the simulated disk.
//! - [`store`]: the model store.
//! - [`gateway`]: the gateway as one process that can crash.
//! - [`errors`]: lines at level ERROR.
//! - [`trace`]: what happened, in virtual time, and its hash.
//! - [`marks`]: situations that a sweep must reach.
//! - [`plant`]: defects planted to show that the properties can fail.
//! - [`properties`]: what must hold.
//! - [`world`]: the only scheduler.
//! - [`profile`]: mixes of faults to generate by.
//! - [`generate`]: a seed to its story.
//! - [`runner`]: a story to its outcome: the phases of a run.
//! - [`cli`]: the command line.

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
