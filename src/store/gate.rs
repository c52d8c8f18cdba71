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
    log: Vec<Change>,
}

#[derive(Debug)]
enum Change {
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
                Change::Write { offset, data } => self.0.backend.write(offset, &data)?,
                Change::SetLen(len) => self.0.backend.set_len(len)?,
                Change::Sync => self.0.backend.sync_data()?,
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
        self.log.push(Change::Write { offset, data: data.into() });
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
        self.log.push(Change::SetLen(len));
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
            self.staged().log.push(Change::Sync);
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
