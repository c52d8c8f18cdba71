//! A gateway's sync engine for WSO2 API Manager.

pub mod time;

pub mod model;

pub mod engine;

pub mod store;

pub mod wire;

pub mod driver;
