//! The durable store: what the gateway knows survives a crash at any point.
//!
//! [`Store`] is all the rest of the program sees. [`RedbStore`] keeps it in a redb database on any
//! [`Disk`]: production gives it a file, the simulation a disk that loses power. It must not know
//! which of the two it is on, and it must not change a byte of what is not ours.

mod failure;
mod gate;
mod record;
mod redb_store;
mod resource_record;
mod schema;

pub use redb_store::{Disk, RedbStore};
pub use schema::SCHEMA;

use crate::model::{ArtifactId, Batch, Content, Recovered};

/// Keeps [`Recovered`] state durable, one atomic [`Batch`] at a time.
pub trait Store {
    /// Reads everything that is durable.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read; nothing is changed then.
    fn recover(&mut self) -> Result<Recovered, StoreError>;

    /// Makes `batch` durable: when it returns `Ok`, a crash at any later point keeps all of it;
    /// otherwise a crash keeps all or nothing of it.
    ///
    /// # Errors
    /// [`StoreError`]; the store stays usable for a retry (it reopens what must be reopened).
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError>;

    /// The stored definition of an artifact.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read or its digest does not match its row.
    fn content(&mut self, artifact: &ArtifactId) -> Result<Option<Content>, StoreError>;
}

/// Why a store could not be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk is full; nothing of the batch is durable.
    #[error("the disk is full")]
    Full,
    /// Reading or writing failed.
    #[error("i/o error: {0}")]
    Io(String),
    /// The file was written by a later version; it was not touched.
    #[error(
        "the store has schema {found}, this version reads up to {supported}: use a newer version, or start with another file"
    )]
    NewerSchema {
        /// The schema found.
        found: u32,
        /// The newest schema this version reads.
        supported: u32,
    },
    /// The file is not a store of this program; it was not touched.
    #[error("not a Driftless store: {0}; start with another file")]
    NotOurs(String),
    /// The file is ours and its content does not hold together.
    #[error("the store is damaged: {0}; restore it, or start with an empty file and let it resync")]
    Corrupt(String),
}
