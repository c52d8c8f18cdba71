//! `batch_archive`: an archive is good as a whole or not at all, and costs no more than its
//! limits allow.

use std::io::{Cursor, Read as _};
use std::ops::Range;

use driftless_gateway::model::{Content, Packed};
use driftless_gateway::wire::{ArchiveLimits, DecodeError};
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};

/// What reads a batch.
pub type DecodeBatch = fn(&[u8], &ArchiveLimits) -> Result<Vec<Packed>, DecodeError>;
/// What reads the archive of a single artifact.
pub type DecodeOne = fn(&[u8], &ArchiveLimits) -> Result<Content, DecodeError>;

/// Limits small enough for an input to reach every one of them.
const LIMITS: ArchiveLimits = ArchiveLimits {
    body_bytes_max: 64 << 10,
    unpacked_bytes_max: 64 << 10,
    entries_max: 24,
    entry_bytes_max: 24 << 10,
    ratio_max: 20,
    path_bytes_max: 96,
};

/// What taking apart an archive of so many bytes may allocate in all, under `LIMITS`: what is
/// unpacked, twice over for vectors that grow, and for each entry a decompressor, its name and
/// the room that is made for it.
const fn allocation_bound(body: usize) -> u64 {
    let entry = (160 << 10) + body;
    (4 * (body + LIMITS.unpacked_bytes_max) + LIMITS.entries_max * entry + (256 << 10)) as u64
}

/// Checks one archive, as it is and with its TAR checksums made right, because no mutation hits
/// those. `allocated` tells how many bytes were allocated so far.
///
/// # Panics
/// When an archive was taken that is broken, was read in another way than its format says, or
/// cost too much.
pub fn check_archive(body: &[u8], batch: DecodeBatch, one: DecodeOne, allocated: impl Fn() -> u64) {
    check(body, batch, one, &allocated);
    let repaired = with_right_checksums(body);
    if repaired != body {
        check(&repaired, batch, one, &allocated);
    }
}

fn check(body: &[u8], batch: DecodeBatch, one: DecodeOne, allocated: &impl Fn() -> u64) {
    let within = |before: u64| {
        let spent = allocated().saturating_sub(before);
        let bound = allocation_bound(body.len());
        assert!(spent <= bound, "{} bytes made it allocate {spent}, over {bound}", body.len());
    };
    let before = allocated();
    let packed = batch(body, &LIMITS);
    within(before);
    let before = allocated();
    let single = one(body, &LIMITS);
    within(before);
    if let Ok(packed) = &packed {
        let contents: Vec<&Content> = packed.iter().map(|packed| &packed.content).collect();
        is_within_limits(&contents);
        let directories = |path: &str| path.rsplit('/').nth(1).map(str::to_owned);
        if let Some(files) = files(body) {
            let expected: Option<Vec<(String, Vec<u8>)>> = definitions(&files)
                .map(|(path, bytes)| Some((directories(path)?, bytes.to_vec())))
                .collect();
            let read = packed.iter().map(|packed| {
                (packed.deployment.as_str().to_owned(), packed.content.bytes.to_vec())
            });
            assert_eq!(Some(read.collect()), expected, "the archive holds something else");
        }
        is_whole(body, |body| batch(body, &LIMITS).is_ok());
    }
    if let Ok(content) = &single {
        is_within_limits(&[content]);
        if let Some(files) = files(body) {
            let expected: Vec<&[u8]> = definitions(&files).map(|(_, bytes)| bytes).collect();
            assert_eq!(expected, [&*content.bytes], "the archive holds something else");
        }
        is_whole(body, |body| one(body, &LIMITS).is_ok());
    }
}

fn is_within_limits(contents: &[&Content]) {
    assert!(contents.len() <= LIMITS.entries_max, "{} entries", contents.len());
    let total: usize = contents.iter().map(|content| content.bytes.len()).sum();
    assert!(total <= LIMITS.unpacked_bytes_max, "{total} bytes unpacked");
    for content in contents {
        assert!(content.bytes.len() <= LIMITS.entry_bytes_max, "{} bytes", content.bytes.len());
        assert_eq!(content.digest.0, <[u8; 32]>::from(Sha256::digest(&*content.bytes)));
    }
}

/// Neither a part of a good archive nor one with something behind it is good (law 3). A TAR may
/// have more zeros behind its end than it needs.
fn is_whole(body: &[u8], is_accepted: impl Fn(&[u8]) -> bool) {
    let is_tar = !body.starts_with(b"PK") && !body.starts_with(&[0x1f, 0x8b]);
    let whole = match body.iter().rposition(|byte| *byte != 0) {
        Some(last) if is_tar => last + 1,
        None => return,
        Some(_) => body.len(),
    };
    let cut = whole * (body.len() % 64 + 1) / 65;
    for cut in [cut, whole - 1] {
        let part = body.get(..cut).unwrap_or_default();
        assert!(!is_accepted(part), "the first {cut} of {} bytes passed", body.len());
    }
    if body.len() < LIMITS.body_bytes_max {
        let longer = [body, &[7]].concat();
        assert!(!is_accepted(&longer), "a byte behind the end was passed over");
    }
}

type Files = Vec<(String, Vec<u8>)>;

fn definitions(files: &Files) -> impl Iterator<Item = (&str, &[u8])> {
    let named = files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()));
    named.filter(|(path, _)| path.ends_with(".yaml") || path.ends_with(".yml"))
}

/// The files of an archive that was accepted, read another way: a TAR by the `tar` crate's own
/// walk, a zip from its front and not from its directory. `None` where that way cannot follow.
fn files(body: &[u8]) -> Option<Files> {
    if body.starts_with(&[0x1f, 0x8b]) {
        let mut inner = Vec::new();
        GzDecoder::new(body).read_to_end(&mut inner).ok()?;
        return files(&inner);
    }
    if body.starts_with(b"PK") { files_of_zip(body) } else { files_of_tar(body) }
}

fn files_of_tar(body: &[u8]) -> Option<Files> {
    let mut files = Vec::new();
    for entry in tar::Archive::new(body).entries().ok()?.raw(true) {
        let mut entry = entry.ok()?;
        let path = String::from_utf8(entry.path_bytes().to_vec()).ok()?;
        if entry.header().entry_type().is_file() && !path.ends_with('/') {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).ok()?;
            files.push((without_dots(&path), bytes));
        }
    }
    Some(files)
}

fn files_of_zip(body: &[u8]) -> Option<Files> {
    let mut rest = Cursor::new(body);
    let mut files = Vec::new();
    while let Some(mut entry) = zip::read::read_zipfile_from_stream(&mut rest).ok()? {
        let path = String::from_utf8(entry.name_raw().to_vec()).ok()?;
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).ok()?;
        if !path.ends_with('/') {
            files.push((without_dots(&path), bytes));
        }
    }
    Some(files)
}

fn without_dots(path: &str) -> String {
    path.trim_start_matches("./").to_owned()
}

/// Where a TAR header has its checksum.
const CHECKSUM: Range<usize> = 148..156;

/// The body with the checksum of every block that looks like a TAR header made right.
fn with_right_checksums(body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    for block in body.chunks_exact_mut(512) {
        if block.get(257..262) == Some(b"ustar") {
            block[CHECKSUM].fill(b' ');
            let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
            block[CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
    body
}
