//! A gateway's sync engine for WSO2 API Manager.
//!
//! It keeps what a gateway serves equal to what the control plane wants, and says so when it
//! cannot. In reading order:
//!
//! - [`time`]: instants and timestamps, the two clocks. Nothing here reads either.
//! - [`model`]: nouns without behaviour beyond order and validity.
//! - [`engine`]: what is decided. Inputs in, actions out, a deadline polled; no IO, no failure.
//!   [`engine::Input`] and [`engine::Action`] are its whole vocabulary.
//! - [`wire`]: bytes to nouns and back; the only place that knows a field name.
//! - [`driver`]: the codec around the engine; bytes in, bytes out.
//! - [`store`]: what is durable, behind the trait [`store::Store`]; redb on any disk.
//! - [`runtime`]: what a data plane needs: a snapshot swapped at once, and what a request may do.
//! - [`publish`]: from what the engine says has changed to the next snapshot; no IO of its own.
//! - `shell`: everything that touches the machine, behind the feature of that name.
//!
//! ```text
//!   model, time ◄── engine ◄── driver ──► wire ──► model, time
//!   model, time ◄── store
//!   model, time ◄── runtime
//!   engine, wire, store, runtime ◄── publish
//!   whoever owns a Driver and a Store is a gateway: the shell, or the simulation
//! ```
//!
//! The engine that ships is the engine that is simulated: the package `driftless` drives this
//! crate without `shell` and there is no switch for it here. A comment that says "law 3" means the
//! laws of sync in `ARCHITECTURE.md`; ids such as A-H14, C-H04, R1 and FB-62 name published facts
//! about the programs around this one, explained in `scenarios/HAZARDS.md`; `docs/apim.md` and
//! `docs/controller.md` describe what these programs send and answer.

pub mod time;

pub mod model;

pub mod engine;

pub mod wire;

pub mod driver;

pub mod store;

pub mod runtime;

pub mod publish;

#[cfg(feature = "shell")]
pub mod shell;
