//! What an archive may cost, and the meter that holds it to that (law 15).

use std::fmt;
use std::io::{ErrorKind, Read};

use crate::wire::DecodeError;

/// What one archive may cost at most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ArchiveLimits {
    /// Bytes as they arrived.
    pub body_bytes_max: usize,
    /// Bytes unpacked, all entries together.
    pub unpacked_bytes_max: usize,
    /// Entries, directories among them.
    pub entries_max: usize,
    /// Bytes of one entry, unpacked.
    pub entry_bytes_max: usize,
    /// How many times its packed size an archive may unpack to, past
    /// [`ArchiveLimits::RATIO_FREE_BYTES`].
    pub ratio_max: usize,
    /// Bytes of one entry's path.
    pub path_bytes_max: usize,
}

impl ArchiveLimits {
    /// Up to here the ratio does not count: a few kilobytes of tar padding pack to almost
    /// nothing and are no bomb.
    pub const RATIO_FREE_BYTES: usize = 1 << 20;

    /// Limits for production; the simulation runs the same. A batch of 50 definitions has about
    /// half a megabyte.
    pub const fn recommended() -> Self {
        Self {
            body_bytes_max: 32 << 20,
            unpacked_bytes_max: 64 << 20,
            entries_max: 4096,
            entry_bytes_max: 8 << 20,
            ratio_max: 200,
            path_bytes_max: 512,
        }
    }
}

/// How many bytes are unpacked at a time; no more than this is ever made before it is counted.
/// Most definitions fit.
const CHUNK_BYTES: usize = 4 << 10;

/// The most room that is made before anything is unpacked.
const ROOM_BYTES_MAX: usize = 64 << 10;

/// What an archive has cost so far.
pub(super) struct Meter<'l> {
    limits: &'l ArchiveLimits,
    packed: usize,
    unpacked: usize,
    entries: usize,
}

impl<'l> Meter<'l> {
    /// A meter for an archive of `packed` bytes.
    pub(super) const fn new(limits: &'l ArchiveLimits, packed: usize) -> Self {
        Self { limits, packed, unpacked: 0, entries: 0 }
    }

    /// Refuses an archive that has, or says that it has, more entries than allowed.
    pub(super) fn check_entries(&self, entries: usize) -> Result<(), DecodeError> {
        let max = self.limits.entries_max;
        if entries > max {
            return Err(DecodeError::new(format!("archive has over {max} entries")));
        }
        Ok(())
    }

    /// Counts an entry and reads its path, without a leading `./` and a closing `/`. `None` is
    /// the archive's own root.
    pub(super) fn enter<'p>(&mut self, raw: &'p [u8]) -> Result<Option<&'p str>, DecodeError> {
        self.entries += 1;
        self.check_entries(self.entries)?;
        let refused = |why: &str| Err(DecodeError::new(format!("{} {why}", quoted(raw))));
        if raw.len() > self.limits.path_bytes_max {
            return refused("has a path over the limit");
        }
        let Ok(path) = str::from_utf8(raw) else { return refused("is not UTF-8") };
        if path.contains('\\') {
            return refused("has a backslash");
        }
        if path.starts_with('/') {
            return refused("is an absolute path");
        }
        if path.chars().any(char::is_control) {
            return refused("has control characters");
        }
        let mut inner = path;
        while let Some(rest) = inner.strip_prefix("./") {
            inner = rest;
        }
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        if matches!(inner, "" | ".") {
            return if path.starts_with('.') { Ok(None) } else { refused("is no path") };
        }
        if inner.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
            return refused("is a path with empty or dot segments");
        }
        Ok(Some(inner))
    }

    /// Refuses an entry for the size it claims, before anything is done for it.
    pub(super) fn check_claim(&self, raw: &[u8], claimed: u64) -> Result<usize, DecodeError> {
        let size = usize::try_from(claimed).unwrap_or(usize::MAX);
        if size > self.limits.entry_bytes_max {
            let max = self.limits.entry_bytes_max;
            return Err(DecodeError::new(format!("{} has over {max} bytes", quoted(raw))));
        }
        Ok(size)
    }

    /// Counts bytes that `name` unpacked to.
    pub(super) fn spend(
        &mut self,
        bytes: usize,
        name: &impl fmt::Display,
    ) -> Result<(), DecodeError> {
        self.unpacked = self.unpacked.saturating_add(bytes);
        let max = self.limits.unpacked_bytes_max;
        if self.unpacked > max {
            return Err(DecodeError::new(format!("{name} brings the archive over {max} bytes")));
        }
        let ratio = self.limits.ratio_max;
        if self.unpacked > ArchiveLimits::RATIO_FREE_BYTES
            && self.unpacked > self.packed.saturating_mul(ratio)
        {
            return Err(DecodeError::new(format!(
                "{name} brings the archive over {ratio} times its packed size"
            )));
        }
        Ok(())
    }

    /// Unpacks a stream to its end, counting as it goes.
    pub(super) fn inflate(
        &mut self,
        packed: &mut impl Read,
        bytes_max: usize,
        name: &impl fmt::Display,
    ) -> Result<Vec<u8>, DecodeError> {
        // Room for what was sent, which is no claim of it.
        let mut unpacked = Vec::with_capacity(self.packed.min(ROOM_BYTES_MAX));
        let mut chunk = [0; CHUNK_BYTES];
        loop {
            let read = match packed.read(&mut chunk) {
                Ok(0) => return Ok(unpacked),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(DecodeError::new(format!("{name} is broken: {error}"))),
            };
            if unpacked.len() + read > bytes_max {
                return Err(DecodeError::new(format!("{name} has over {bytes_max} bytes")));
            }
            self.spend(read, name)?;
            unpacked.extend_from_slice(&chunk[..read]);
        }
    }

    /// The limit for one entry.
    pub(super) const fn entry_bytes_max(&self) -> usize {
        self.limits.entry_bytes_max
    }
}

/// The longest part of a path that is shown, in characters.
const SHOWN_CHARS_MAX: usize = 100;

/// A path as an error shows it: escaped, and cut when it is long.
pub(super) struct Quoted<'p>(&'p [u8]);

/// The path as an error shows it.
pub(super) const fn quoted(raw: &[u8]) -> Quoted<'_> {
    Quoted(raw)
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.get(..4 * SHOWN_CHARS_MAX).unwrap_or(self.0);
        let text = String::from_utf8_lossy(shown);
        let cut: String = text.chars().take(SHOWN_CHARS_MAX).collect();
        write!(f, "{cut:?}")?;
        if cut.len() < text.len() { f.write_str("…") } else { Ok(()) }
    }
}
