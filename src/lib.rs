//! A gateway's sync engine for WSO2 API Manager.

pub mod time;

pub mod model;

pub mod engine;

pub mod wire;

pub mod driver;

pub mod store;

#[cfg(feature = "shell")]
pub mod shell;
