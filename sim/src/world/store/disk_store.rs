//! The store of production on a simulated disk.

use driftless_gateway::model::{ArtifactId, Batch, Content, Recovered};
use driftless_gateway::store::{RedbStore, Store, StoreError};

use super::{Failure, Failures, SimStore, StoreFaults, not_read};
use crate::story::step::CrashDisk;
use crate::world::disk::{DiskFault, SimDisk, Space};

/// A [`RedbStore`] and the [`SimDisk`] under it.
#[derive(Debug)]
pub struct DiskStore {
    disk: SimDisk,
    store: RedbStore<SimDisk>,
    full: bool,
    loses_syncs: bool,
    failures: Failures,
    /// How many readings are still to fail.
    failing_reads: u32,
    delivered: StoreFaults,
}

impl DiskStore {
    /// A store on an empty disk.
    pub fn new() -> Self {
        Self::on(SimDisk::new())
    }

    /// A store on `disk`.
    pub fn on(disk: SimDisk) -> Self {
        Self {
            store: RedbStore::new(disk.clone()),
            disk,
            full: false,
            loses_syncs: false,
            failures: Failures::default(),
            failing_reads: 0,
            delivered: StoreFaults::default(),
        }
    }

    /// The disk, for faults that only a disk has.
    pub const fn disk(&self) -> &SimDisk {
        &self.disk
    }
}

impl Default for DiskStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Store for DiskStore {
    fn recover(&mut self) -> Result<Recovered, StoreError> {
        self.store.recover()
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let mut failures = self.failures;
        let failure = if self.full { None } else { failures.next() };
        if let Some(failure) = failure {
            // Ready before the fault is armed, so that it meets the commit and not the opening.
            self.store.prepare()?;
            self.disk.arm(match failure {
                Failure::Write => DiskFault::WriteError,
                Failure::Sync => DiskFault::SyncError,
            });
        }
        let result = self.store.commit(batch);
        self.disk.disarm();
        match &result {
            Ok(()) => self.delivered.lost_syncs += u64::from(self.loses_syncs),
            Err(StoreError::Full) => self.delivered.full += 1,
            Err(StoreError::Io(_)) => {
                self.delivered.failed += 1;
                self.failures = failures;
            }
            Err(_) => {}
        }
        result
    }

    fn content(&mut self, artifact: &ArtifactId) -> Result<Option<Content>, StoreError> {
        if let Some(left) = self.failing_reads.checked_sub(1) {
            self.failing_reads = left;
            self.delivered.failed_reads += 1;
            return Err(not_read());
        }
        self.store.content(artifact)
    }
}

impl SimStore for DiskStore {
    fn crash(&mut self, image: CrashDisk, key: u64) {
        if self.disk.unsynced() > 0 {
            self.delivered.crashes_unsynced += 1;
        } else {
            self.delivered.crashes_synced += 1;
        }
        self.disk.crash(image, key);
        self.store = RedbStore::new(self.disk.clone());
    }

    fn crash_during(&mut self, batch: &Batch, image: CrashDisk, key: u64) {
        if self.store.prepare().is_ok() {
            self.disk.arm(DiskFault::PowerLossAtSync);
            // The power goes before it can be told whether the batch was written.
            let _unknown = self.store.commit(batch);
        }
        self.crash(image, key);
    }

    fn set_full(&mut self, full: bool) {
        self.full = full;
        self.disk.set_space(if full { Space::NoWrites } else { Space::Enough });
    }

    fn fail_writes(&mut self, count: u32) {
        self.failures = Failures::of(count);
    }

    fn fail_reads(&mut self, count: u32) {
        self.failing_reads = count;
    }

    fn wipe(&mut self) {
        let held = self.store.recover().is_ok_and(|held| held != Recovered::default());
        self.delivered.wipes += u64::from(held);
        self.disk.wipe();
        self.store = RedbStore::new(self.disk.clone());
    }

    fn lose_syncs(&mut self, on: bool) {
        self.loses_syncs = on;
        self.disk.lose_syncs(on);
    }

    fn delivered(&self) -> StoreFaults {
        self.delivered
    }
}
