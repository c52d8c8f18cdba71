//! The bytes of a simulated disk: what is synced, what is seen, and what lies between.

use std::io;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::pages::Pages;
use crate::story::step::CrashDisk;

/// What a disk writes whole or not at all.
const SECTOR: u64 = 512;

/// One file: its synced bytes, its bytes as a reader sees them, and the changes from the one to
/// the other.
#[derive(Debug, Default)]
pub(super) struct Image {
    synced: Pages,
    current: Pages,
    log: Vec<ImageChange>,
}

/// A change that is not synced.
#[derive(Clone, Debug)]
pub(super) enum ImageChange {
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
pub(super) struct CrashDamage {
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
    pub(super) fn synced_as(bytes: &[u8]) -> io::Result<Self> {
        let mut current = Pages::default();
        current.set_len(bytes.len() as u64)?;
        current.write(0, bytes)?;
        Ok(Self { synced: current.clone(), current, log: Vec::new() })
    }

    /// The bytes as a reader sees them.
    pub(super) fn current(&self) -> &Pages {
        &self.current
    }

    /// How many changes are not synced.
    pub(super) fn unsynced(&self) -> usize {
        self.log.len()
    }

    /// Makes a change, unsynced.
    pub(super) fn change(&mut self, change: ImageChange) -> io::Result<()> {
        match &change {
            ImageChange::SetLen(len) => self.current.set_len(*len)?,
            ImageChange::Write { offset, data } => self.current.write(*offset, data)?,
        }
        self.log.push(change);
        Ok(())
    }

    /// Makes every change durable.
    pub(super) fn sync(&mut self) {
        let log = std::mem::take(&mut self.log);
        if log.iter().any(|change| matches!(change, ImageChange::SetLen(_))) {
            self.synced.clone_from(&self.current);
            return;
        }
        for change in &log {
            if let ImageChange::Write { offset, data } = change {
                self.synced.share(&self.current, *offset, data.len());
            }
        }
    }

    /// Loses power. A length is one fact of the file: bytes beyond the length that survives do not
    /// survive, whatever became of their own write.
    pub(super) fn crash(&mut self, image: CrashDisk, key: u64, flip: Option<u64>) -> CrashDamage {
        let mut outcome = CrashDamage::default();
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
            if let ImageChange::SetLen(new) = change {
                len = *new;
            }
            apply(&mut self.synced, change);
        }
        let _fits = self.synced.set_len(len);
        self.current.clone_from(&self.synced);
        outcome
    }
}

/// What is left of a change: all, nothing, or some of its sectors.
fn tear(
    change: &ImageChange,
    random: &mut ChaCha8Rng,
    outcome: &mut CrashDamage,
) -> Vec<ImageChange> {
    let choice = random.random_range(0..4_u32);
    match (choice, change) {
        (0, _) => {
            outcome.dropped += 1;
            Vec::new()
        }
        (1, _) | (_, ImageChange::SetLen(_)) => {
            outcome.kept += 1;
            vec![change.clone()]
        }
        (_, ImageChange::Write { offset, data }) => {
            let sectors = sectors(*offset, data);
            let whole = sectors.len();
            let left: Vec<ImageChange> =
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
fn sectors(offset: u64, data: &[u8]) -> Vec<ImageChange> {
    let mut parts = Vec::new();
    let mut rest = data;
    let mut at = offset;
    while !rest.is_empty() {
        let room = usize::try_from(SECTOR - at % SECTOR).unwrap_or(rest.len());
        let (part, after) = rest.split_at(room.min(rest.len()));
        parts.push(ImageChange::Write { offset: at, data: part.into() });
        at += part.len() as u64;
        rest = after;
    }
    parts
}

/// Flips one bit in one of the writes; says how many bits that was.
fn flip_bit(changes: &mut [ImageChange], key: u64) -> u64 {
    let mut random = stream("disk/flip", key);
    let mut writes: Vec<&mut Box<[u8]>> = changes
        .iter_mut()
        .filter_map(|change| match change {
            ImageChange::Write { data, .. } if !data.is_empty() => Some(data),
            ImageChange::Write { .. } | ImageChange::SetLen(_) => None,
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

/// Does a surviving change whose change of length may be lost.
fn apply(pages: &mut Pages, change: &ImageChange) {
    // A change that was made before, so it fits the disk.
    let _fits = match change {
        ImageChange::SetLen(len) => pages.set_len(*len),
        ImageChange::Write { offset, data } => {
            let end = offset.saturating_add(data.len() as u64);
            let room = if end > pages.len() { pages.set_len(end) } else { Ok(()) };
            room.and_then(|()| pages.write(*offset, data))
        }
    };
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
