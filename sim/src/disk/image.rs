//! The bytes of a simulated disk: what is synced, what is seen, and what lies between.

use std::io;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::step::CrashDisk;

/// What a disk writes whole or not at all.
const SECTOR: u64 = 512;

/// No simulated file is longer than this; a longer one is a fault of its user.
const MAX_LEN: u64 = 1 << 32;

/// One file: its synced bytes, its bytes as a reader sees them, and the changes from the one to
/// the other.
#[derive(Debug, Default)]
pub(super) struct Image {
    synced: Vec<u8>,
    current: Vec<u8>,
    log: Vec<Change>,
}

/// A change that is not synced.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// Bytes at an offset.
    Write {
        /// Where.
        offset: u64,
        /// What.
        data: Box<[u8]>,
    },
    /// Another length; new bytes are zero.
    SetLen(u64),
}

/// What a crash did to the unsynced changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Outcome {
    /// Changes that are gone.
    pub(super) dropped: u64,
    /// Changes that are there whole.
    pub(super) kept: u64,
    /// Writes that are there in part.
    pub(super) torn: u64,
    /// Bits that flipped in what is there.
    pub(super) flipped: u64,
}

impl Image {
    /// A file that holds `bytes`, all of them synced.
    pub(super) fn synced_as(bytes: Vec<u8>) -> Self {
        Self { synced: bytes.clone(), current: bytes, log: Vec::new() }
    }

    /// The length as a reader sees it.
    pub(super) fn len(&self) -> u64 {
        self.current.len() as u64
    }

    /// The bytes as a reader sees them.
    pub(super) fn current(&self) -> &[u8] {
        &self.current
    }

    /// How many changes are not synced.
    pub(super) fn unsynced(&self) -> usize {
        self.log.len()
    }

    /// Reads from `offset` on.
    pub(super) fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let start = index(offset)?;
        let bytes = start
            .checked_add(out.len())
            .and_then(|end| self.current.get(start..end))
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    /// Makes a change, unsynced. A write does not make the file longer: who writes sets the length
    /// first.
    pub(super) fn change(&mut self, change: Change) -> io::Result<()> {
        apply(&mut self.current, &change)?;
        self.log.push(change);
        Ok(())
    }

    /// Makes every change durable.
    pub(super) fn sync(&mut self) {
        for change in std::mem::take(&mut self.log) {
            // It was applied to the current bytes before, so it fits.
            let _fits = apply(&mut self.synced, &change);
        }
        debug_assert!(self.synced == self.current, "a sync makes durable what is seen");
    }

    /// Loses power. A length is one fact of the file: bytes beyond the length that survives do not
    /// survive, whatever became of their own write.
    pub(super) fn crash(&mut self, image: CrashDisk, key: u64, flip: Option<u64>) -> Outcome {
        let mut outcome = Outcome::default();
        let log = std::mem::take(&mut self.log);
        let mut surviving = match image {
            CrashDisk::Lost => Vec::new(),
            CrashDisk::Kept => log.clone(),
            CrashDisk::Torn => {
                let mut random = stream("disk/torn", key);
                log.iter().flat_map(|change| tear(change, &mut random, &mut outcome)).collect()
            }
        };
        match image {
            CrashDisk::Lost => outcome.dropped = log.len() as u64,
            CrashDisk::Kept => outcome.kept = log.len() as u64,
            CrashDisk::Torn => {}
        }
        if let Some(key) = flip {
            outcome.flipped = flip_bit(&mut surviving, key);
        }
        let mut len = self.synced.len();
        for change in &surviving {
            if let Change::SetLen(new) = change {
                len = usize::try_from(*new).unwrap_or(len);
            }
            grow_to_fit(&mut self.synced, change);
            let _fits = apply(&mut self.synced, change);
        }
        self.synced.resize(len, 0);
        self.current.clone_from(&self.synced);
        outcome
    }
}

/// What is left of a change: all, nothing, or some of its sectors.
fn tear(change: &Change, random: &mut ChaCha8Rng, outcome: &mut Outcome) -> Vec<Change> {
    let choice = random.random_range(0..4_u32);
    match (choice, change) {
        (0, _) => {
            outcome.dropped += 1;
            Vec::new()
        }
        (1, _) | (_, Change::SetLen(_)) => {
            outcome.kept += 1;
            vec![change.clone()]
        }
        (_, Change::Write { offset, data }) => {
            let sectors = sectors(*offset, data);
            let whole = sectors.len();
            let left: Vec<Change> =
                sectors.into_iter().filter(|_| random.random_range(0..2_u32) == 0).collect();
            match left.len() {
                0 => outcome.dropped += 1,
                some if some == whole => outcome.kept += 1,
                _ => outcome.torn += 1,
            }
            left
        }
    }
}

/// The parts of a write by sector of the disk.
fn sectors(offset: u64, data: &[u8]) -> Vec<Change> {
    let mut parts = Vec::new();
    let mut rest = data;
    let mut at = offset;
    while !rest.is_empty() {
        let room = usize::try_from(SECTOR - at % SECTOR).unwrap_or(rest.len());
        let (part, after) = rest.split_at(room.min(rest.len()));
        parts.push(Change::Write { offset: at, data: part.into() });
        at += part.len() as u64;
        rest = after;
    }
    parts
}

/// Flips one bit in one of the writes; says how many bits that was.
fn flip_bit(changes: &mut [Change], key: u64) -> u64 {
    let mut random = stream("disk/flip", key);
    let mut writes: Vec<&mut Box<[u8]>> = changes
        .iter_mut()
        .filter_map(|change| match change {
            Change::Write { data, .. } if !data.is_empty() => Some(data),
            Change::Write { .. } | Change::SetLen(_) => None,
        })
        .collect();
    if writes.is_empty() {
        return 0;
    }
    let choice = random.random_range(0..writes.len() as u64) as usize;
    let data = &mut writes[choice];
    let byte = random.random_range(0..data.len() as u64) as usize;
    data[byte] ^= 1 << random.random_range(0..8_u32);
    1
}

fn apply(bytes: &mut Vec<u8>, change: &Change) -> io::Result<()> {
    match change {
        Change::SetLen(len) => bytes.resize(index(*len)?, 0),
        Change::Write { offset, data } => {
            let start = index(*offset)?;
            let place = bytes.get_mut(start..start + data.len());
            let beyond = || io::Error::other("a write beyond the end of the simulated file");
            place.ok_or_else(beyond)?.copy_from_slice(data);
        }
    }
    Ok(())
}

/// Makes room for a write whose change of length is lost.
fn grow_to_fit(bytes: &mut Vec<u8>, change: &Change) {
    let Change::Write { offset, data } = change else { return };
    let end = usize::try_from(*offset).map_or(0, |start| start + data.len());
    if end > bytes.len() {
        bytes.resize(end, 0);
    }
}

fn index(offset: u64) -> io::Result<usize> {
    let fits = Some(offset).filter(|offset| *offset <= MAX_LEN);
    fits.and_then(|offset| usize::try_from(offset).ok())
        .ok_or_else(|| io::Error::other("the simulated disk has no such place"))
}

/// The random stream of this name for a key: other names and other keys draw something else.
fn stream(name: &str, key: u64) -> ChaCha8Rng {
    let mut seed = [0; 32];
    let (head, tail) = seed.split_at_mut(8);
    head.copy_from_slice(&key.to_le_bytes());
    for (byte, letter) in tail.iter_mut().zip(name.bytes()) {
        *byte = letter;
    }
    ChaCha8Rng::from_seed(seed)
}
