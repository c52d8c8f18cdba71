//! What is published: from what the engine says has changed to the snapshot that is served.
//!
//! - [`Fact`]: something in force as it is from here on, as the engine knows it.
//! - [`Publisher`]: takes facts and definitions in, gives the next [`Snapshot`], and asks for
//!   definitions to be read.
//! - [`StoreWorker`]: does [`Job`]s on a store: commits batches, and reads and decodes
//!   definitions.
//!
//! Nothing here waits, starts a thread or reads a clock. Whoever owns a driver and a store moves
//! facts from the one and definitions from the other to the publisher, and carries out what it
//! asks for; the shell and the simulator do so in the same way.
//!
//! [`Snapshot`]: crate::runtime::Snapshot

mod fact;
mod publisher;
mod store_worker;
#[cfg(test)]
mod tests;

pub use fact::Fact;
pub use publisher::{Publisher, READ_AGAIN, READS_MAX};
pub use store_worker::{DEFINITIONS_MAX, Done, Job, StoreWorker, StoredDefinition, Unreadable};
