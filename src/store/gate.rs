//! A gate before a disk: until it is opened, writes stay in memory and only reads pass.
//!
//! redb writes when it opens a file, to repair it or to mark it as in use. Behind a closed gate it
//! may do so with any file: whether the file is ours is found out before a byte of it changes, a
//! damaged one can be looked at as redb would repair it, and a store that is only read is not
//! written at all, so that a full or read-only disk does not keep a gateway from starting.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

const PAGE: usize = 4096;

/// A backend behind a gate. Clones share the gate.
///
/// Locking is left to whoever opens the backend: redb would lock for writing, and a file that is
/// opened for reading only cannot be locked so.
#[derive(Debug)]
pub(super) struct Gate<B>(Arc<Shared<B>>);

#[derive(Debug)]
struct Shared<B> {
    backend: B,
    is_open: AtomicBool,
    staged: Mutex<Staged>,
}

/// What was written behind the closed gate.
#[derive(Debug)]
struct Staged {
    /// The length as the writer sees it.
    len: u64,
    /// How much of the backend still shows through: the shortest length there ever was.
    shows: u64,
    /// Pages that were written to, by number.
    pages: BTreeMap<u64, Box<[u8; PAGE]>>,
    /// What was done, in order.
    log: Vec<DiskOperation>,
}

#[derive(Debug)]
enum DiskOperation {
    Write { offset: u64, data: Box<[u8]> },
    SetLen(u64),
    Sync,
}

impl<B> Clone for Gate<B> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<B: StorageBackend> Gate<B> {
    /// A closed gate before `backend`.
    ///
    /// # Errors
    /// When the backend cannot tell its length.
    pub(super) fn closed(backend: B) -> io::Result<Self> {
        let len = backend.len()?;
        let staged = Staged { len, shows: len, pages: BTreeMap::new(), log: Vec::new() };
        let is_open = AtomicBool::new(false);
        Ok(Self(Arc::new(Shared { backend, is_open, staged: Mutex::new(staged) })))
    }

    /// Opens the gate: what was staged is done on the backend in the same order, so a crash in
    /// between leaves what a crash of the writer itself would leave.
    ///
    /// # Errors
    /// What the backend answers. The gate stays closed and must not be used any more.
    pub(super) fn open(&self) -> io::Result<()> {
        if self.is_open() {
            return Ok(());
        }
        let mut staged = self.staged();
        for change in std::mem::take(&mut staged.log) {
            match change {
                DiskOperation::Write { offset, data } => self.0.backend.write(offset, &data)?,
                DiskOperation::SetLen(len) => self.0.backend.set_len(len)?,
                DiskOperation::Sync => self.0.backend.sync_data()?,
            }
        }
        staged.pages.clear();
        self.0.is_open.store(true, Ordering::Release);
        Ok(())
    }

    fn is_open(&self) -> bool {
        self.0.is_open.load(Ordering::Acquire)
    }

    fn staged(&self) -> MutexGuard<'_, Staged> {
        self.0.staged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Staged {
    fn read(&self, backend: &impl StorageBackend, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let end = offset.saturating_add(out.len() as u64);
        if end > self.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let shown = usize::try_from(end.min(self.shows).saturating_sub(offset)).unwrap_or(0);
        let (through, beyond) = out.split_at_mut(shown);
        if !through.is_empty() {
            backend.read(offset, through)?;
        }
        beyond.fill(0);
        for (number, page) in self.pages.range(offset / PAGE as u64..=end / PAGE as u64) {
            let Some((at, within, count)) = overlap(*number, offset, out.len()) else { continue };
            out[at..at + count].copy_from_slice(&page[within..within + count]);
        }
        Ok(())
    }

    fn write(&mut self, backend: &impl StorageBackend, offset: u64, data: &[u8]) -> io::Result<()> {
        let end = offset.saturating_add(data.len() as u64);
        self.len = self.len.max(end);
        for number in offset / PAGE as u64..=end / PAGE as u64 {
            let Some((at, within, count)) = overlap(number, offset, data.len()) else { continue };
            if !self.pages.contains_key(&number) {
                let mut page = Box::new([0; PAGE]);
                let start = number * PAGE as u64;
                let shown = self.shows.saturating_sub(start).min(PAGE as u64);
                let shown = usize::try_from(shown).unwrap_or(PAGE);
                if count < PAGE && shown > 0 {
                    backend.read(start, &mut page[..shown])?;
                }
                self.pages.insert(number, page);
            }
            if let Some(page) = self.pages.get_mut(&number) {
                page[within..within + count].copy_from_slice(&data[at..at + count]);
            }
        }
        self.log.push(DiskOperation::Write { offset, data: data.into() });
        Ok(())
    }

    fn set_len(&mut self, len: u64) {
        if len < self.len {
            let first_gone = len.div_ceil(PAGE as u64);
            self.pages.retain(|number, _| *number < first_gone);
            if let Some(page) = self.pages.get_mut(&(len / PAGE as u64)) {
                let kept = usize::try_from(len % PAGE as u64).unwrap_or(0);
                page[kept..].fill(0);
            }
        }
        self.len = len;
        self.shows = self.shows.min(len);
        self.log.push(DiskOperation::SetLen(len));
    }
}

/// Where page `number` meets the range: index in the range, index in the page, and how many bytes.
fn overlap(number: u64, offset: u64, len: usize) -> Option<(usize, usize, usize)> {
    let start = number * PAGE as u64;
    let from = start.max(offset);
    let to = (start + PAGE as u64).min(offset + len as u64);
    let count = to.checked_sub(from).filter(|count| *count > 0)?;
    Some((
        usize::try_from(from - offset).ok()?,
        usize::try_from(from - start).ok()?,
        usize::try_from(count).ok()?,
    ))
}

impl<B: StorageBackend> StorageBackend for Gate<B> {
    fn len(&self) -> io::Result<u64> {
        if self.is_open() { self.0.backend.len() } else { Ok(self.staged().len) }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if self.is_open() {
            self.0.backend.read(offset, out)
        } else {
            self.staged().read(&self.0.backend, offset, out)
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        if self.is_open() {
            self.0.backend.set_len(len)
        } else {
            self.staged().set_len(len);
            Ok(())
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.is_open() {
            self.0.backend.sync_data()
        } else {
            self.staged().log.push(DiskOperation::Sync);
            Ok(())
        }
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if self.is_open() {
            self.0.backend.write(offset, data)
        } else {
            self.staged().write(&self.0.backend, offset, data)
        }
    }

    fn close(&self) -> io::Result<()> {
        self.0.backend.close()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use redb::backends::InMemoryBackend;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        SetLen(u64),
        Write { offset: u64, data: Vec<u8> },
        Sync,
    }

    const MOST: u64 = 20_000;

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let write = (0..MOST, any::<u8>(), prop_oneof![1..20_usize, 4000..9000_usize])
            .prop_map(|(offset, byte, len)| Step::Write { offset, data: vec![byte; len] });
        let set_len = prop_oneof![0..MOST, (0..5_u64).prop_map(|pages| pages * 4096)];
        let step =
            prop_oneof![3 => write, 2 => set_len.prop_map(Step::SetLen), 1 => Just(Step::Sync)];
        prop::collection::vec(step, 0..12)
    }

    /// Does a step; a write stays within the length, as redb's do.
    fn take(step: &Step, backend: &impl StorageBackend) -> io::Result<()> {
        match step {
            Step::SetLen(len) => backend.set_len(*len),
            Step::Sync => backend.sync_data(),
            Step::Write { offset, data } => {
                let offset = backend.len()?.min(*offset);
                let room = usize::try_from(backend.len()? - offset).unwrap();
                backend.write(offset, &data[..data.len().min(room)])
            }
        }
    }

    fn bytes(backend: &impl StorageBackend) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(backend.len().unwrap()).unwrap()];
        backend.read(0, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn behind_the_gate_all_is_as_without_and_before_it_nothing_changes() {
        let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
        proptest!(config, |(before in steps(), behind in steps(), after in steps(), at in 0..MOST)| {
            let plain = InMemoryBackend::new();
            let gated = InMemoryBackend::new();
            for step in &before {
                take(step, &plain).unwrap();
                take(step, &gated).unwrap();
            }
            let untouched = bytes(&gated);
            let gate = Gate::closed(gated).unwrap();
            for step in &behind {
                take(step, &plain).unwrap();
                take(step, &gate).unwrap();
                prop_assert_eq!(bytes(&gate), bytes(&plain));
            }
            let len = plain.len().unwrap();
            let mut parts = [vec![0; 100], vec![0; 100]];
            if at + 100 <= len {
                gate.read(at, &mut parts[0]).unwrap();
                plain.read(at, &mut parts[1]).unwrap();
                prop_assert_eq!(&parts[0], &parts[1]);
            }
            prop_assert!(gate.read(len, &mut [0]).is_err());
            prop_assert_eq!(bytes(&gate.0.backend), untouched);
            gate.open().unwrap();
            prop_assert_eq!(bytes(&gate.0.backend), bytes(&plain));
            for step in &after {
                take(step, &plain).unwrap();
                take(step, &gate).unwrap();
            }
            prop_assert_eq!(bytes(&gate), bytes(&plain));
        });
    }
}
