//! How a store is laid out in its file, and how an older layout becomes the current one.
//!
//! The file is a redb database (format 3) with these tables, each from text to bytes:
//!
//! | table | key | value |
//! |---|---|---|
//! | `meta` | `application` | `driftless-gateway` |
//! | `meta` | `schema` | the number of the schema, in decimal digits |
//! | `meta` | `control_plane` | JSON: `base`, `dialect`; absent until something was found out |
//! | `artifacts` | artifact id | JSON: `{"row": …}` or `{"tombstone": …}` |
//! | `contents` | artifact id | the definition as it came; there exactly when the row has `held` |
//! | `resources` | JSON array: the kind, then its ids | JSON: `is`, `fence` and, of keys, `endings`, `ended` |
//!
//! A row has `kind`, `state` (`deployed`, `undeployed`), `generation` (`deployment`,
//! `performed_at`, `listed_at`) and `held` (`digest`: SHA-256 in hexadecimal, `confirmed`). A
//! tombstone has `generation` and `deleted_at`. What is not known is left out. A timestamp is a
//! text of seconds since 1970 with the fraction digits it came with.
//!
//! The key of a resource is `["key",artifact,name]`, `["subscription",id]`, `["plan",id]` or
//! `["application",id]`, without spaces: ids and names are free text, and JSON tells where one
//! ends. Its `is` says what it is, or `"gone"` where it keeps late events from bringing something
//! back:
//!
//! | `is` | holds |
//! |---|---|
//! | `keys` | a list of `hash`, `uuid`, `expires_at`, `created_at`, `listable` |
//! | `subscription` | `artifact`, `application`, `token`, `plan`, `status` |
//! | `plan` | `name`, `quota` (`count`, `unit`), `stops_on_quota`, `expires_at`, `active` |
//! | `application` | `name`, `keys`: UUIDs |
//!
//! An item of `endings` has `at`, `found` and, of a regeneration, `successor`: the hash of the new
//! key. `ended` has hashes of keys.
//!
//! `hash`, `successor` and `token` are SHA-256 in hexadecimal; no key and no token is in the file.
//!
//! | schema | what it changed |
//! |---|---|
//! | 1 | a row had `digest` where it now has `held` |
//! | 2 | `held`, with `confirmed`; what comes from schema 1 is not confirmed |
//! | 3 | the table `resources`; what comes from an older schema has none |
//! | 4 | `endings`, `ended`; what comes from an older schema has none |

use redb::{Database, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition};

use super::StoreError;
use super::failure::failed;
use super::record::{ArtifactRecord, ArtifactRecord1, decode, encode};

/// The schema that this version writes, and the newest that it reads.
pub const SCHEMA: u32 = 4;

/// A table of this store.
pub(super) type Definition = TableDefinition<'static, &'static str, &'static [u8]>;

/// What the store is, and what is known about the control plane.
pub(super) const META: Definition = TableDefinition::new("meta");
/// Rows and tombstones.
pub(super) const ARTIFACTS: Definition = TableDefinition::new("artifacts");
/// Definitions.
pub(super) const CONTENTS: Definition = TableDefinition::new("contents");
/// Keys, subscriptions, plans and applications.
pub(super) const RESOURCES: Definition = TableDefinition::new("resources");

/// The key in [`META`] of the control plane.
pub(super) const CONTROL_PLANE: &str = "control_plane";
const APPLICATION: &str = "application";
const SCHEMA_KEY: &str = "schema";
const OURS: &[u8] = b"driftless-gateway";

const MAGIC: &[u8] = b"redb\x1A\x0A\xA9\x0D\x0A";
const HEADER_LEN: usize = 320;

/// What the bytes of a backend are, before redb sees them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Bytes {
    /// There are none.
    Empty,
    /// redb began to create a database and did not come to its end; nothing was stored yet.
    Unfinished,
    /// A redb database.
    Redb,
}

/// Tells what is in a backend without changing it.
///
/// redb marks a database as its own last, and refuses a file that has a length and no mark. A
/// crash during the first start would lock the gateway out for good, so such a file is known by
/// having nothing but zeros beyond an unmarked header.
///
/// # Errors
/// [`StoreError::NotOurs`] for a file of another program, and i/o errors.
pub(super) fn look(backend: &impl StorageBackend) -> Result<Bytes, StoreError> {
    let len = backend.len().map_err(failed)?;
    if len == 0 {
        return Ok(Bytes::Empty);
    }
    let mut head = vec![0; HEADER_LEN.min(usize::try_from(len).unwrap_or(HEADER_LEN))];
    backend.read(0, &mut head).map_err(failed)?;
    if head.starts_with(MAGIC) {
        return Ok(Bytes::Redb);
    }
    let unmarked = head.iter().take(MAGIC.len()).all(|byte| *byte == 0);
    if unmarked && is_zero_from(backend, head.len() as u64, len)? {
        return Ok(Bytes::Unfinished);
    }
    Err(StoreError::NotOurs("the file is not a redb database".to_owned()))
}

fn is_zero_from(backend: &impl StorageBackend, from: u64, len: u64) -> Result<bool, StoreError> {
    let mut chunk = vec![0; 64 * 1024];
    let mut offset = from;
    while offset < len {
        let count = usize::try_from(len - offset).unwrap_or(usize::MAX).min(chunk.len());
        let part = &mut chunk[..count];
        backend.read(offset, part).map_err(failed)?;
        if part.iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
        offset += count as u64;
    }
    Ok(true)
}

/// The schema of a database: `None` when there is nothing in it yet.
///
/// # Errors
/// [`StoreError::NotOurs`] when another program made it, [`StoreError::NewerSchema`] when a later
/// version did.
pub(super) fn identify(database: &Database) -> Result<Option<u32>, StoreError> {
    let read = database.begin_read().map_err(failed)?;
    let is_empty = read.list_tables().map_err(failed)?.next().is_none()
        && read.list_multimap_tables().map_err(failed)?.next().is_none();
    if is_empty {
        return Ok(None);
    }
    let foreign = || StoreError::NotOurs("it is a redb database of another program".to_owned());
    let meta = match read.open_table(META) {
        Ok(meta) => meta,
        Err(redb::TableError::Storage(error)) => return Err(failed(error)),
        Err(_) => return Err(foreign()),
    };
    let application = meta.get(APPLICATION).map_err(failed)?;
    if application.is_none_or(|name| name.value() != OURS) {
        return Err(foreign());
    }
    let schema = meta.get(SCHEMA_KEY).map_err(failed)?;
    let number = schema
        .as_ref()
        .and_then(|text| std::str::from_utf8(text.value()).ok())
        .and_then(|text| text.parse().ok())
        .filter(|number| *number > 0)
        .ok_or_else(|| StoreError::Corrupt("its schema number cannot be read".to_owned()))?;
    if number > SCHEMA {
        return Err(StoreError::NewerSchema { found: number, supported: SCHEMA });
    }
    Ok(Some(number))
}

/// Makes `database` one of the current schema, in one transaction. `found` is what [`identify`]
/// said.
///
/// # Errors
/// [`StoreError::Corrupt`] when a record cannot be read, and i/o errors; nothing is changed then.
pub(super) fn bring_up_to_date(database: &Database, found: Option<u32>) -> Result<(), StoreError> {
    if found == Some(SCHEMA) {
        return Ok(());
    }
    let write = database.begin_write().map_err(failed)?;
    {
        let mut meta = write.open_table(META).map_err(failed)?;
        let mut artifacts = write.open_table(ARTIFACTS).map_err(failed)?;
        write.open_table(CONTENTS).map_err(failed)?;
        // All there is to schema 2 to 3; schema 4 reads what schema 3 wrote.
        write.open_table(RESOURCES).map_err(failed)?;
        if found == Some(1) {
            confirm_nothing(&mut artifacts)?;
        }
        meta.insert(APPLICATION, OURS).map_err(failed)?;
        meta.insert(SCHEMA_KEY, SCHEMA.to_string().as_bytes()).map_err(failed)?;
    }
    write.commit().map_err(failed)
}

/// Schema 1 to 2.
fn confirm_nothing(
    artifacts: &mut redb::Table<'_, &'static str, &'static [u8]>,
) -> Result<(), StoreError> {
    let mut changed = Vec::new();
    for entry in artifacts.iter().map_err(failed)? {
        let (id, bytes) = entry.map_err(failed)?;
        let damaged = |error| StoreError::Corrupt(format!("artifact {}: {error}", id.value()));
        let record: ArtifactRecord1 = decode(bytes.value()).map_err(damaged)?;
        let bytes = encode(&ArtifactRecord::from(record)).map_err(damaged)?;
        changed.push((id.value().to_owned(), bytes));
    }
    for (id, bytes) in changed {
        artifacts.insert(id.as_str(), bytes.as_slice()).map_err(failed)?;
    }
    Ok(())
}
