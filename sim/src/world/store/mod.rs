//! Stores that lose power, fill up and fail: the same [`Store`] as in production, and what a
//! machine does to it.
//!
//! [`ModelStore`] knows transactions only and is made to run thousands of times a second;
//! [`DiskStore`] is the store of production on a [`crate::world::disk::SimDisk`]. A property holds the
//! two equal, so a story that is told with one holds for the other.

mod disk_store;
mod model_store;

use driftless_gateway::model::Batch;
use driftless_gateway::store::{Store, StoreError};

use crate::plant::{Plant, Sabotage};
use crate::story::step::CrashDisk;
pub use disk_store::DiskStore;
pub use model_store::ModelStore;

/// A store that a world can do harm to.
pub trait SimStore: Store {
    /// The process dies and, unless `image` says that only the process died, the machine with it.
    /// What was not durable is treated as `image` says, drawn from `key`; the store is then the
    /// one of the next process.
    fn crash(&mut self, image: CrashDisk, key: u64);

    /// Like [`SimStore::crash`], while `batch` is being written and before it is durable: lost,
    /// kept, or one of the two.
    fn crash_during(&mut self, batch: &Batch, image: CrashDisk, key: u64);

    /// From now on every commit fails for lack of space, or works again.
    fn set_full(&mut self, full: bool);

    /// The next `count` commits fail with an i/o error. They fail in turn as the data is written,
    /// which leaves nothing of the batch, and as it is synced, which leaves all of it, not
    /// durable: after the error of a sync nobody knows.
    fn fail_writes(&mut self, count: u32);

    /// The next `count` readings of a definition fail with an i/o error.
    fn fail_reads(&mut self, count: u32);

    /// The store is gone, as after a crash on a new disk.
    fn wipe(&mut self);

    /// A planted defect: from now on commits say `Ok` and are not durable, or work again.
    fn lose_syncs(&mut self, on: bool);

    /// The faults that took effect.
    fn delivered(&self) -> StoreFaults;
}

/// Harms a store before a process reads it, as a planted defect wants it.
pub fn harm_before_start(store: &mut dyn SimStore, sabotage: &Sabotage) {
    if sabotage.is(Plant::LoseSyncs) {
        store.lose_syncs(true);
    }
    if sabotage.is(Plant::Amnesia) {
        store.wipe();
    }
}

/// How often faults took effect on a store.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StoreFaults {
    /// Commits that failed for lack of space.
    pub full: u64,
    /// Commits that failed with an i/o error.
    pub failed: u64,
    /// Readings of a definition that failed with an i/o error.
    pub failed_reads: u64,
    /// Commits that said `Ok` and were not durable.
    pub lost_syncs: u64,
    /// Crashes that found something that was not durable: a batch, or on a disk also
    /// housekeeping of the database.
    pub crashes_unsynced: u64,
    /// Crashes that found everything durable.
    pub crashes_synced: u64,
    /// Wipes that found something to remove.
    pub wipes: u64,
}

/// What a reading says that was told to fail.
fn not_read() -> StoreError {
    StoreError::Io("the simulated disk gave nothing".to_owned())
}

/// How a commit that was told to fail does so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Failure {
    /// As the data is written: nothing is left of the batch.
    Write,
    /// As it is synced: all of it is left, and not durable.
    Sync,
}

/// The failures that are still to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Failures {
    left: u32,
    done: u32,
}

impl Failures {
    fn of(count: u32) -> Self {
        Self { left: count, done: 0 }
    }

    fn next(&mut self) -> Option<Failure> {
        self.left = self.left.checked_sub(1)?;
        self.done += 1;
        Some(if self.done % 2 == 1 { Failure::Write } else { Failure::Sync })
    }
}
