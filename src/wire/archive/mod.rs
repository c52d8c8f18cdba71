//! Archives of definitions: the batch answer (`docs/apim.md` §3.3, `docs/controller.md`
//! §2.2) and the zip of a single artifact (`docs/apim.md` §3.1).
//!
//! The first bytes say what an archive is (A-H12: batch differs; A-H26: content types lie; law
//! 13). An archive is good as a whole or not at all: a part of a broken one is never taken for all
//! that there is (law 3). Sizes that an archive claims are compared with limits and never
//! allocated.

mod limits;
mod tar;
mod zip;

use std::collections::BTreeSet;

use flate2::bufread::GzDecoder;

pub use limits::ArchiveLimits;
use limits::{Meter, quoted};

use super::DecodeError;
use super::content::content_of;
use crate::model::{Content, DeploymentId, Packed};

/// Reads a batch answer: one definition for each deployment id, which is the name of the
/// directory that the definition is in. Ids may be missing, all of them even (A-H13: silent
/// omission).
///
/// # Errors
/// An archive that is broken, over a limit, or in which two definitions claim one deployment id.
/// The reason names the entry.
pub fn decode_batch(body: &[u8], limits: &ArchiveLimits) -> Result<Vec<Packed>, DecodeError> {
    let mut seen = BTreeSet::new();
    let mut batch = Vec::new();
    unpack(body, limits, &mut |path, bytes| {
        let directory = path.rsplit('/').nth(1).ok_or_else(|| {
            DecodeError::new(format!("{} is in no directory", quoted(path.as_bytes())))
        })?;
        if !is_definition(path) {
            return Ok(());
        }
        let deployment = DeploymentId::new(directory);
        if !seen.insert(deployment.clone()) {
            let path = quoted(path.as_bytes());
            return Err(DecodeError::new(format!("{path} is its deployment's second definition")));
        }
        batch.push(Packed { deployment, content: read_definition(path, bytes)? });
        Ok(())
    })?;
    Ok(batch)
}

/// Reads the archive of a single artifact, which has exactly one definition, anywhere in it. Of
/// several none is picked (C-H59: first definition wins).
///
/// # Errors
/// An archive that is broken, over a limit, or without exactly one definition.
pub fn decode_definition(body: &[u8], limits: &ArchiveLimits) -> Result<Content, DecodeError> {
    let mut found = None;
    unpack(body, limits, &mut |path, bytes| {
        if !is_definition(path) {
            return Ok(());
        }
        if found.replace(read_definition(path, bytes)?).is_some() {
            let path = quoted(path.as_bytes());
            return Err(DecodeError::new(format!("{path} is a second definition")));
        }
        Ok(())
    })?;
    found.ok_or_else(|| DecodeError::new("archive has no definition"))
}

/// Whether the file is a definition by its name; other files are passed over.
fn is_definition(path: &str) -> bool {
    [".yaml", ".yml"].iter().any(|suffix| path.ends_with(suffix))
}

fn read_definition(path: &str, bytes: &[u8]) -> Result<Content, DecodeError> {
    let refused = |why: &str| DecodeError::new(format!("{} is {why}", quoted(path.as_bytes())));
    let text = str::from_utf8(bytes).map_err(|_not_utf8| refused("not UTF-8"))?;
    if text.trim().is_empty() {
        return Err(refused("empty"));
    }
    Ok(content_of(bytes))
}

/// Takes the regular files of an archive, in its order.
type TakeFile<'t> = dyn FnMut(&str, &[u8]) -> Result<(), DecodeError> + 't;

/// What an archive is by its first bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum ArchiveFormat {
    Zip,
    Gzip,
    Tar,
}

impl ArchiveFormat {
    fn of(body: &[u8]) -> Option<Self> {
        if body.starts_with(b"PK\x03\x04") || body.starts_with(b"PK\x05\x06") {
            Some(Self::Zip)
        } else if body.starts_with(&[0x1f, 0x8b]) {
            Some(Self::Gzip)
        } else {
            tar::is_tar(body).then_some(Self::Tar)
        }
    }
}

/// Walks the files of an archive in whatever form it has come.
fn unpack(body: &[u8], limits: &ArchiveLimits, take: &mut TakeFile<'_>) -> Result<(), DecodeError> {
    if body.len() > limits.body_bytes_max {
        let (length, max) = (body.len(), limits.body_bytes_max);
        return Err(DecodeError::new(format!("archive has {length} bytes, over {max}")));
    }
    let inner;
    let (format, body) = match ArchiveFormat::of(body) {
        Some(ArchiveFormat::Gzip) => {
            inner = gunzip(body, limits)?;
            (ArchiveFormat::of(&inner), inner.as_slice())
        }
        format => (format, body),
    };
    let mut meter = Meter::new(limits, body.len());
    match format {
        Some(ArchiveFormat::Tar) => tar::walk(body, &mut meter, take),
        Some(ArchiveFormat::Zip) => zip::walk(body, &mut meter, take),
        Some(ArchiveFormat::Gzip) => Err(DecodeError::new("archive is packed with gzip twice")),
        None => Err(DecodeError::new("archive is neither zip nor tar")),
    }
}

/// Undoes gzip: one member and nothing behind it, checked against its own checksum.
fn gunzip(body: &[u8], limits: &ArchiveLimits) -> Result<Vec<u8>, DecodeError> {
    let mut decoder = GzDecoder::new(body);
    let mut meter = Meter::new(limits, body.len());
    let unpacked = meter.inflate(&mut decoder, limits.unpacked_bytes_max, &"gzip stream")?;
    if decoder.into_inner().is_empty() {
        Ok(unpacked)
    } else {
        Err(DecodeError::new("gzip stream has bytes behind its end"))
    }
}

#[cfg(test)]
pub(super) mod samples;
#[cfg(test)]
mod tests;
