//! A gateway's sync engine for WSO2 API Manager.
//!
//! - [`time`]: instants and timestamps, the two clocks.
//! - [`model`]: nouns without behaviour beyond order and validity.
//! - [`engine`]: what is decided; inputs in, actions out, no IO.
//! - [`store`]: what is durable.
//! - [`wire`]: bytes to nouns and back.
//! - [`driver`]: the codec around the engine; bytes in, bytes out.
//! - `shell`: everything that touches the machine, behind the feature of that name.

pub mod time;

pub mod model;

pub mod engine;

pub mod wire;

pub mod driver;

pub mod store;

#[cfg(feature = "shell")]
pub mod shell;
