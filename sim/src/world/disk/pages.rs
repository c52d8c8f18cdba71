//! The bytes of a file in shared pages: zeros cost nothing, and two versions of a file share what
//! is the same in both.

use std::io;
use std::sync::Arc;

const PAGE: usize = 4096;

/// No simulated file is longer than this; a longer one is a fault of its user.
const MAX_LEN: u64 = 1 << 32;

/// A file's bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Pages {
    len: usize,
    pages: Vec<Option<Arc<[u8; PAGE]>>>,
}

impl Pages {
    /// The file's length.
    pub(super) fn len(&self) -> u64 {
        self.len as u64
    }

    /// Reads from `offset` on.
    pub(super) fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut at = self.place(offset, out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut rest = out;
        while !rest.is_empty() {
            let within = at % PAGE;
            let count = rest.len().min(PAGE - within);
            let (part, after) = rest.split_at_mut(count);
            match &self.pages[at / PAGE] {
                Some(page) => part.copy_from_slice(&page[within..within + count]),
                None => part.fill(0),
            }
            rest = after;
            at += count;
        }
        Ok(())
    }

    /// Writes at `offset`. The file does not grow by it: who writes sets the length first.
    pub(super) fn write(&mut self, offset: u64, data: &[u8]) -> io::Result<()> {
        let beyond = || io::Error::other("a write beyond the end of the simulated file");
        let mut at = self.place(offset, data.len()).ok_or_else(beyond)?;
        let mut rest = data;
        while !rest.is_empty() {
            let within = at % PAGE;
            let (part, after) = rest.split_at(rest.len().min(PAGE - within));
            let page = self.pages[at / PAGE].get_or_insert_with(|| Arc::new([0; PAGE]));
            Arc::make_mut(page)[within..within + part.len()].copy_from_slice(part);
            rest = after;
            at += part.len();
        }
        Ok(())
    }

    /// Makes the file shorter, or longer by zeros.
    pub(super) fn set_len(&mut self, len: u64) -> io::Result<()> {
        let too_long = || io::Error::other("the simulated disk has no file that long");
        let len = Some(len).filter(|len| *len <= MAX_LEN);
        let len = len.and_then(|len| usize::try_from(len).ok()).ok_or_else(too_long)?;
        self.pages.resize(len.div_ceil(PAGE), None);
        if len < self.len
            && let Some(Some(page)) = self.pages.get_mut(len / PAGE)
        {
            Arc::make_mut(page)[len % PAGE..].fill(0);
        }
        self.len = len;
        Ok(())
    }

    /// Takes over from `other`, which has the same length, the pages that a range lies in.
    pub(super) fn share(&mut self, other: &Self, offset: u64, len: usize) {
        let Some(start) = other.place(offset, len) else { return };
        for number in start / PAGE..(start + len).div_ceil(PAGE) {
            self.pages[number].clone_from(&other.pages[number]);
        }
    }

    /// All the bytes.
    pub(super) fn to_vec(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.len];
        for (page, part) in self.pages.iter().zip(bytes.chunks_mut(PAGE)) {
            if let Some(page) = page {
                part.copy_from_slice(&page[..part.len()]);
            }
        }
        bytes
    }

    /// Where a range within the file begins.
    fn place(&self, offset: u64, len: usize) -> Option<usize> {
        let start = usize::try_from(offset).ok()?;
        let end = start.checked_add(len)?;
        (end <= self.len).then_some(start)
    }
}
