//! A store that is nothing but its transactions: what is seen, and which of it is durable.

use std::collections::BTreeMap;

use driftless_gateway::model::{
    ArtifactId, ArtifactWrite, Batch, Content, ContentDigest, Recovered,
};
use driftless_gateway::store::{Store, StoreError};

use super::{Failure, Failures, SimStore, StoreFaults, not_read};
use crate::story::step::CrashDisk;

/// The model behind the store. Everything in it is durable except `pending`.
#[derive(Clone, Debug, Default)]
pub struct ModelStore {
    seen: ModelState,
    pending: Option<Box<Unsynced>>,
    is_prepared: bool,
    full: bool,
    loses_syncs: bool,
    failures: Failures,
    /// How many readings are still to fail.
    failing_reads: u32,
    delivered: StoreFaults,
}

/// What a store holds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct ModelState {
    recovered: Recovered,
    contents: BTreeMap<ArtifactId, Content>,
}

/// Batches that are seen and not durable.
#[derive(Clone, Debug)]
struct Unsynced {
    durable: ModelState,
    batches: Vec<Batch>,
}

impl ModelStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn apply_unsynced(&mut self, batch: &Batch) {
        let seen = &self.seen;
        let pending = self
            .pending
            .get_or_insert_with(|| Box::new(Unsynced { durable: seen.clone(), batches: vec![] }));
        pending.batches.push(batch.clone());
        self.seen.apply(batch);
    }

    /// Makes ready to write. Opening the file after a failure or a crash syncs what is there.
    fn prepare(&mut self) {
        if !self.is_prepared && !self.loses_syncs {
            self.pending = None;
        }
        self.is_prepared = true;
    }
}

impl ModelState {
    /// What the batch would break, as [`driftless_gateway::store::RedbStore`] checks it.
    fn check(&self, batch: &Batch) -> Result<(), StoreError> {
        for (id, row) in &batch.resources {
            let resource = row.as_ref().and_then(|row| row.resource.as_ref());
            if resource.is_some_and(|resource| !id.is_of(resource)) {
                return Err(StoreError::Corrupt(format!("{id}: the record is of another kind")));
            }
        }
        for (id, write) in &batch.artifacts {
            let ArtifactWrite::Put { row, content } = write else { continue };
            let said = row.held.map(|held| held.digest);
            let stored = match (content, said) {
                (Some(content), _) => Some(content.digest),
                (None, Some(_)) => self.digest(id),
                (None, None) => None,
            };
            if said != stored {
                return Err(StoreError::Corrupt(format!(
                    "artifact {id}: the row says definition {said:?} and what is stored is {stored:?}"
                )));
            }
        }
        Ok(())
    }

    fn digest(&self, id: &ArtifactId) -> Option<ContentDigest> {
        self.recovered.rows.get(id)?.held.map(|held| held.digest)
    }

    fn apply(&mut self, batch: &Batch) {
        self.recovered.apply(batch);
        for (id, write) in &batch.artifacts {
            match write {
                ArtifactWrite::Put { content: Some(content), .. } => {
                    self.contents.insert(id.clone(), content.clone());
                }
                ArtifactWrite::Put { row, content: None } if row.held.is_some() => {}
                ArtifactWrite::Put { .. } | ArtifactWrite::Bury(_) | ArtifactWrite::Forget => {
                    self.contents.remove(id);
                }
            }
        }
    }
}

impl Store for ModelStore {
    fn recover(&mut self) -> Result<Recovered, StoreError> {
        Ok(self.seen.recovered.clone())
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        self.seen.check(batch)?;
        if self.full {
            self.is_prepared = false;
            self.delivered.full += 1;
            return Err(StoreError::Full);
        }
        self.prepare();
        if let Some(failure) = self.failures.next() {
            self.is_prepared = false;
            self.delivered.failed += 1;
            if failure == Failure::Sync {
                self.apply_unsynced(batch);
            }
            return Err(StoreError::Io("the simulated disk failed".to_owned()));
        }
        if self.loses_syncs {
            self.delivered.lost_syncs += 1;
            self.apply_unsynced(batch);
        } else {
            self.pending = None;
            self.seen.apply(batch);
        }
        Ok(())
    }

    fn content(&mut self, artifact: &ArtifactId) -> Result<Option<Content>, StoreError> {
        if let Some(left) = self.failing_reads.checked_sub(1) {
            self.failing_reads = left;
            self.delivered.failed_reads += 1;
            return Err(not_read());
        }
        Ok(self.seen.contents.get(artifact).cloned())
    }
}

impl SimStore for ModelStore {
    fn crash(&mut self, image: CrashDisk, key: u64) {
        self.is_prepared = false;
        let Some(pending) = self.pending.take() else {
            self.delivered.crashes_synced += 1;
            return;
        };
        self.delivered.crashes_unsynced += 1;
        let survivors = match image {
            CrashDisk::Kept => return,
            CrashDisk::Lost => 0,
            CrashDisk::Torn => draw(key, pending.batches.len()),
        };
        self.seen = pending.durable;
        for batch in pending.batches.iter().take(survivors) {
            self.seen.apply(batch);
        }
    }

    fn crash_during(&mut self, batch: &Batch, image: CrashDisk, key: u64) {
        if !self.full {
            self.prepare();
            if !batch.is_empty() && self.seen.check(batch).is_ok() {
                self.apply_unsynced(batch);
            }
        }
        self.crash(image, key);
    }

    fn set_full(&mut self, full: bool) {
        self.full = full;
    }

    fn fail_writes(&mut self, count: u32) {
        self.failures = Failures::of(count);
    }

    fn fail_reads(&mut self, count: u32) {
        self.failing_reads = count;
    }

    fn wipe(&mut self) {
        self.delivered.wipes += u64::from(self.seen != ModelState::default());
        self.seen = ModelState::default();
        self.pending = None;
        self.is_prepared = false;
    }

    fn lose_syncs(&mut self, on: bool) {
        self.loses_syncs = on;
    }

    fn delivered(&self) -> StoreFaults {
        self.delivered
    }
}

/// A number from 0 to `most`, drawn from `key` (the finalizer of `SplitMix64`).
fn draw(key: u64, most: usize) -> usize {
    let mut mixed = key.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^= mixed >> 31;
    usize::try_from(mixed % (most as u64 + 1)).unwrap_or(0)
}
