//! Tar, walked block by block over the body.
//!
//! The `tar` crate reads the header's fields, APIM's space-padded numbers without a terminator
//! among them (A-H12: batch differs). The walk is ours because the crate's takes the end of the
//! input for the end of the archive, and an answer that was cut off between two blocks would pass
//! for a complete one (law 3).

use ::tar::Header;

use super::TakeFile;
use super::limits::{Meter, quoted};
use crate::wire::DecodeError;

/// Tar's unit: headers have this size and contents are padded to it.
const BLOCK: usize = 512;

/// Where a header has its magic, and the magic. What follows it differs: `\0` and `00` in POSIX,
/// `\0` and two NULs from APIM, spaces in GNU.
const MAGIC: (usize, &[u8]) = (257, b"ustar");

/// Where a header has its checksum.
const CHECKSUM: std::ops::Range<usize> = 148..156;

/// Whether the body begins like a tar: with the magic, with a header that its checksum proves,
/// or with the end marker of an archive without entries.
pub(super) fn is_tar(body: &[u8]) -> bool {
    if body.get(MAGIC.0..).is_some_and(|rest| rest.starts_with(MAGIC.1)) {
        return true;
    }
    body.get(..BLOCK).is_some_and(|block| is_zero(block) || has_checksum(block))
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

/// Whether the header's checksum is right; the checksum itself counts as spaces.
fn has_checksum(block: &[u8]) -> bool {
    let total = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    let own = block.get(CHECKSUM).map_or(0, total);
    let sum = total(block) - own + u32::from(b' ') * CHECKSUM.len() as u32;
    Header::from_byte_slice(block).cksum().is_ok_and(|claimed| claimed == sum)
}

/// Walks the regular files.
pub(super) fn walk(
    body: &[u8],
    meter: &mut Meter<'_>,
    take: &mut TakeFile<'_>,
) -> Result<(), DecodeError> {
    let mut rest = body;
    loop {
        let at = body.len() - rest.len();
        let Some((block, behind)) = rest.split_at_checked(BLOCK) else {
            return Err(DecodeError::new(format!("tar is cut off at byte {at}: no end marker")));
        };
        if is_zero(block) {
            return check_end(behind, at);
        }
        if !has_checksum(block) {
            let path = Header::from_byte_slice(block).path_bytes();
            let path = quoted(&path);
            return Err(DecodeError::new(format!("{path} at byte {at} has a wrong checksum")));
        }
        rest = read_entry(Header::from_byte_slice(block), behind, meter, take)?;
    }
}

/// The end marker is two zero blocks, and nothing but zeros may follow. An earlier build of APIM
/// wrote its last header twice instead, and what it sent cannot be told from a cut archive.
fn check_end(behind: &[u8], at: usize) -> Result<(), DecodeError> {
    if behind.len() < BLOCK {
        return Err(DecodeError::new(format!("tar is cut off at byte {at}: half an end marker")));
    }
    if !is_zero(behind) {
        return Err(DecodeError::new(format!("tar goes on behind the end marker at byte {at}")));
    }
    Ok(())
}

/// Reads the entry of a header and returns what is behind it.
fn read_entry<'b>(
    header: &Header,
    behind: &'b [u8],
    meter: &mut Meter<'_>,
    take: &mut TakeFile<'_>,
) -> Result<&'b [u8], DecodeError> {
    let raw = header.path_bytes();
    let refused = |why: &str| DecodeError::new(format!("{} {why}", quoted(&raw)));
    let path = meter.enter(&raw)?;
    let claimed = header.entry_size().map_err(|_unreadable| refused("has no readable size"))?;
    let size = meter.check_claim(&raw, claimed)?;
    let (content, behind) = behind
        .split_at_checked(size.checked_next_multiple_of(BLOCK).unwrap_or(usize::MAX))
        .and_then(|(padded, behind)| Some((padded.get(..size)?, behind)))
        .ok_or_else(|| refused("is cut off"))?;
    let entry_type = header.entry_type();
    // Before POSIX a directory was a file whose name ends with a slash.
    let is_directory = entry_type.is_dir() || (entry_type.is_file() && raw.ends_with(b"/"));
    match path {
        _ if is_directory && size == 0 => {}
        Some(path) if entry_type.is_file() && !is_directory => {
            meter.spend(size, &quoted(&raw))?;
            take(path, content)?;
        }
        _ => return Err(refused("is neither a file nor a directory")),
    }
    Ok(behind)
}
