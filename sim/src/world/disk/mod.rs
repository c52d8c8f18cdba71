//! A disk that loses power: a synced image, and a log of changes that were not synced yet.
//!
//! Reads see every change. A sync moves the log into the image. When the power goes, the image
//! survives, and [`crate::story::step::CrashDisk`] says what becomes of the log. Faults are armed by name
//! and count only when they take effect, so a run can tell that it tested something.

mod image;
mod pages;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use driftless_gateway::store::Disk;
use redb::StorageBackend;

use crate::story::step::CrashDisk;
use image::{Image, ImageChange};

/// A simulated disk with one file. Clones are the same disk, so that a store can be dropped and
/// opened again on it.
#[derive(Clone, Debug, Default)]
pub struct SimDisk(Arc<Mutex<DiskState>>);

/// The file of a [`SimDisk`] as one process opened it. After a crash it answers errors: the
/// process is gone.
#[derive(Debug)]
pub struct DiskHandle {
    disk: SimDisk,
    epoch: u64,
}

/// A fault to happen once, at an operation that is still to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DiskFault {
    /// The n-th read or change from now on, counted from 1, fails with an i/o error.
    Error(u64),
    /// The next write or change of length fails with an i/o error.
    WriteError,
    /// The next sync fails with an i/o error and syncs nothing.
    SyncError,
    /// At the n-th change from now on, counted from 1, the power goes before it is done. Every
    /// operation then fails until [`SimDisk::crash`].
    PowerLoss(u64),
    /// At the next sync the power goes before anything is synced.
    PowerLossAtSync,
}

/// When a disk says that it is full.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Space {
    /// It is not.
    #[default]
    Enough,
    /// When the file grows.
    NoGrowth,
    /// At every write: the file has holes, or the disk copies on write.
    NoWrites,
}

/// What was done on a disk and what faults took effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DiskCounts {
    /// Reads.
    pub reads: u64,
    /// Writes.
    pub writes: u64,
    /// Bytes written.
    pub written_bytes: u64,
    /// Changes of length.
    pub resizes: u64,
    /// Syncs that did their work.
    pub syncs: u64,
    /// Operations that failed with an i/o error.
    pub errors: u64,
    /// Operations that failed for lack of space.
    pub refused: u64,
    /// Syncs that said `Ok` and did nothing although there was something to sync.
    pub lost_syncs: u64,
    /// Crashes.
    pub crashes: u64,
    /// Unsynced changes that a crash dropped.
    pub dropped: u64,
    /// Unsynced changes that survived a crash whole.
    pub kept: u64,
    /// Unsynced writes of which a crash kept a part.
    pub torn: u64,
    /// Bits flipped in what a crash kept.
    pub flipped: u64,
}

impl DiskCounts {
    /// Writes, changes of length and syncs: what [`DiskFault::PowerLoss`] counts.
    pub const fn changes(&self) -> u64 {
        self.writes + self.resizes + self.syncs
    }
}

#[derive(Debug, Default)]
struct DiskState {
    image: Image,
    epoch: u64,
    has_power: Power,
    space: Space,
    loses_syncs: bool,
    armed: Vec<DiskFault>,
    flip: Option<u64>,
    counts: DiskCounts,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Power {
    #[default]
    On,
    Off,
}

/// What an operation is, for the faults that wait for one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum DiskOperation {
    Read,
    Write,
    Sync,
}

impl SimDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// A disk that holds `bytes`, synced.
    ///
    /// # Errors
    /// When they are too many for a simulated disk.
    pub fn holding(bytes: &[u8]) -> io::Result<Self> {
        let disk = Self::new();
        disk.state().image = Image::synced_as(bytes)?;
        Ok(disk)
    }

    /// Arms a fault.
    pub fn arm(&self, fault: DiskFault) {
        self.state().armed.push(fault);
    }

    /// Forgets the faults that did not happen yet.
    pub fn disarm(&self) {
        self.state().armed.clear();
    }

    /// Sets how much space there is, from now on.
    pub fn set_space(&self, space: Space) {
        self.state().space = space;
    }

    /// From now on syncs say `Ok` and do nothing, or work again.
    pub fn lose_syncs(&self, on: bool) {
        self.state().loses_syncs = on;
    }

    /// At the next crash one bit flips in an unsynced write that is kept, drawn from `key`.
    pub fn flip_bit_at_crash(&self, key: u64) {
        self.state().flip = Some(key);
    }

    /// The power goes and comes back. Everything that had the file open has lost it, and unsynced
    /// changes are treated as `image` says; what is random about that is drawn from `key`.
    pub fn crash(&self, image: CrashDisk, key: u64) {
        let mut state = self.state();
        let flip = state.flip.take();
        let outcome = state.image.crash(image, key, flip);
        state.counts.crashes += 1;
        state.counts.dropped += outcome.dropped;
        state.counts.kept += outcome.kept;
        state.counts.torn += outcome.torn;
        state.counts.flipped += outcome.flipped;
        state.epoch += 1;
        state.has_power = Power::On;
        state.armed.clear();
    }

    /// The file is gone, and everything that had it open has lost it.
    pub fn wipe(&self) {
        let mut state = self.state();
        state.image = Image::default();
        state.epoch += 1;
        state.has_power = Power::On;
    }

    /// The bytes as a reader sees them, unsynced changes included.
    pub fn bytes(&self) -> Vec<u8> {
        self.state().image.current().to_vec()
    }

    /// How many changes are not synced.
    pub fn unsynced(&self) -> usize {
        self.state().image.unsynced()
    }

    /// What was done and what took effect.
    pub fn counts(&self) -> DiskCounts {
        self.state().counts
    }

    fn state(&self) -> MutexGuard<'_, DiskState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk for SimDisk {
    type Backend = DiskHandle;

    fn open(&self) -> io::Result<DiskHandle> {
        let epoch = self.state().epoch;
        Ok(DiskHandle { disk: self.clone(), epoch })
    }
}

impl DiskState {
    /// Lets an operation pass, or says how it fails.
    fn admit(&mut self, operation: DiskOperation) -> io::Result<()> {
        if self.has_power == Power::Off {
            return Err(no_power());
        }
        let mut failure = None;
        self.armed.retain_mut(|fault| match fault.reaches(operation) {
            true => {
                failure = Some(*fault);
                false
            }
            false => true,
        });
        match failure {
            None => Ok(()),
            Some(DiskFault::PowerLoss(_) | DiskFault::PowerLossAtSync) => {
                self.has_power = Power::Off;
                Err(no_power())
            }
            Some(DiskFault::Error(_) | DiskFault::WriteError | DiskFault::SyncError) => {
                self.counts.errors += 1;
                Err(io::Error::other("the simulated disk failed"))
            }
        }
    }

    /// Refuses a write that ends at `end` when there is no space for it.
    fn find_space(&mut self, end: u64) -> io::Result<()> {
        let refused = match self.space {
            Space::Enough => false,
            Space::NoGrowth => end > self.image.current().len(),
            Space::NoWrites => true,
        };
        if refused {
            self.counts.refused += 1;
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

impl DiskFault {
    /// Counts `operation`; says whether the fault happens at it.
    fn reaches(&mut self, operation: DiskOperation) -> bool {
        match self {
            Self::Error(left) => count_down(left),
            Self::PowerLoss(left) => operation != DiskOperation::Read && count_down(left),
            Self::WriteError => operation == DiskOperation::Write,
            Self::SyncError | Self::PowerLossAtSync => operation == DiskOperation::Sync,
        }
    }
}

fn count_down(left: &mut u64) -> bool {
    *left = left.saturating_sub(1);
    *left == 0
}

fn no_power() -> io::Error {
    io::Error::other("the simulated machine has no power")
}

impl DiskHandle {
    fn state(&self) -> io::Result<MutexGuard<'_, DiskState>> {
        let state = self.disk.state();
        if state.epoch == self.epoch { Ok(state) } else { Err(no_power()) }
    }
}

impl StorageBackend for DiskHandle {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state()?.image.current().len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut state = self.state()?;
        state.admit(DiskOperation::Read)?;
        state.counts.reads += 1;
        state.image.current().read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state()?;
        state.admit(DiskOperation::Write)?;
        if len > state.image.current().len() {
            state.find_space(len)?;
        }
        state.counts.resizes += 1;
        state.image.change(ImageChange::SetLen(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state()?;
        state.admit(DiskOperation::Sync)?;
        if state.loses_syncs {
            state.counts.lost_syncs += u64::from(state.image.unsynced() > 0);
            return Ok(());
        }
        state.counts.syncs += 1;
        state.image.sync();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state()?;
        state.admit(DiskOperation::Write)?;
        state.find_space(offset.saturating_add(data.len() as u64))?;
        state.counts.writes += 1;
        state.counts.written_bytes += data.len() as u64;
        state.image.change(ImageChange::Write { offset, data: data.into() })
    }
}

#[cfg(test)]
mod tests;
