//! A deterministic world that tries to make a gateway drift.
//!
//! - [`step`]: everything a story can contain.
//! - [`scenario`]: a story with its reason and its claims, as a JSON file.
//! - [`runner`]: a story to its outcome.
//! - [`cli`]: the command line.

pub mod step;

pub mod scenario;

pub mod runner;

pub mod cli;
