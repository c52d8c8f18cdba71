//! A gateway's sync engine for WSO2 API Manager.
//!
//! - [`time`]: instants and timestamps, the two clocks.
//! - [`model`]: nouns without behaviour beyond order and validity.
//! - [`engine`]: what is decided; inputs in, actions out, no IO.
//! - [`store`]: what is durable.
//! - [`wire`]: bytes to nouns and back.

pub mod time;

pub mod model;

pub mod engine;

pub mod store;

pub mod wire;
