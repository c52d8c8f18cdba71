//! Zip, by the `zip` crate.
//!
//! The crate looks for the central directory wherever it may be. Here it has to be where every
//! plain writer leaves it, Java's and Go's among them: at the very end, without a comment. That
//! bounds what a hostile body can make the crate do, and makes a cut body an error.

use std::io::Cursor;

use ::zip::ZipArchive;
use ::zip::result::ZipError;

use super::TakeFile;
use super::limits::{Meter, quoted};
use crate::wire::DecodeError;

/// The end record without a comment.
const END_BYTES: usize = 22;

/// The least that one entry takes in the central directory.
const CENTRAL_ENTRY_BYTES: usize = 46;

/// Walks the regular files.
pub(super) fn walk(
    body: &[u8],
    meter: &mut Meter<'_>,
    take: &mut TakeFile<'_>,
) -> Result<(), DecodeError> {
    check_end(body, meter)?;
    let mut archive = ZipArchive::new(Cursor::new(body)).map_err(|error| broken("zip", &error))?;
    archive.validate_header_consistency().map_err(|error| broken("zip", &error))?;
    for index in 0..archive.len() {
        let mut entry = archive
            .by_index(index)
            .map_err(|error| broken(&format!("entry {index} of the zip"), &error))?;
        let raw = entry.name_raw().to_vec();
        let path = meter.enter(&raw)?;
        let claimed = meter.check_claim(&raw, entry.size())?;
        if entry.is_symlink() {
            let path = quoted(&raw);
            return Err(DecodeError::new(format!("{path} is neither a file nor a directory")));
        }
        let name = quoted(&raw);
        let bytes = meter.inflate(&mut entry, meter.entry_bytes_max(), &name)?;
        if bytes.len() != claimed {
            return Err(DecodeError::new(format!("{name} has not the size it claims")));
        }
        match path {
            Some(path) if !raw.ends_with(b"/") => take(path, &bytes)?,
            _ if bytes.is_empty() => {}
            _ => return Err(DecodeError::new(format!("{name} is a directory with content"))),
        }
    }
    Ok(())
}

/// What the crate says about a broken zip; its texts are fixed and quote nothing.
fn broken(what: &str, error: &ZipError) -> DecodeError {
    DecodeError::new(format!("{what} is broken: {error}"))
}

/// Checks the end record before the crate believes it: in its place, directly behind the
/// central directory, with as many entries as fit there. Zip64 is refused, for nothing within
/// the limits needs it.
fn check_end(body: &[u8], meter: &Meter<'_>) -> Result<(), DecodeError> {
    let at = body.len().saturating_sub(END_BYTES);
    let end = body
        .get(at..)
        .filter(|end| end.len() == END_BYTES && end.starts_with(b"PK\x05\x06"))
        .ok_or_else(|| DecodeError::new("zip is cut off or has bytes behind its end"))?;
    let number = |range: std::ops::Range<usize>| {
        end.get(range)
            .into_iter()
            .flatten()
            .rev()
            .fold(0_usize, |n, byte| n << 8 | usize::from(*byte))
    };
    let (disks, here, entries) = (number(4..8), number(8..10), number(10..12));
    let (size, offset, comment) = (number(12..16), number(16..20), number(20..22));
    meter.check_entries(entries)?;
    let fits = entries.saturating_mul(CENTRAL_ENTRY_BYTES) <= size;
    if disks != 0
        || here != entries
        || comment != 0
        || !fits
        || offset.checked_add(size) != Some(at)
    {
        return Err(DecodeError::new("zip has an end record that does not fit it"));
    }
    Ok(())
}
