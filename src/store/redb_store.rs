//! The store in a redb database.
//!
//! A batch is one transaction with immediate durability. Whatever goes wrong, the database is
//! dropped and opened again before the next operation: after an i/o error redb refuses to go on,
//! and what the file then holds is decided by redb's recovery alone. Nothing is written before
//! the first commit; see [`super::gate`].

use std::io;

use redb::{Builder, Database, ReadableDatabase, ReadableTable, ReadableTableMetadata};
use redb::{StorageBackend, Table};
use sha2::{Digest, Sha256};

use super::failure::failed;
use super::gate::Gate;
use super::record::{self, ArtifactRecord, ControlPlaneRecord, RowRecord, TombstoneRecord};
use super::resource_record::{self, ResourceRecord};
use super::schema::{self, ARTIFACTS, Bytes, CONTENTS, CONTROL_PLANE, META, RESOURCES};
use super::{Store, StoreError};
use crate::model::{
    ArtifactId, ArtifactWrite, Batch, Content, ContentDigest, Held, Recovered, ResourceId,
    ResourceRow, Row,
};

/// How much of the database redb may keep in memory.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// Something a store can be opened on, again and again.
pub trait Disk {
    /// What it opens.
    type Backend: StorageBackend;

    /// Opens the disk; the backend opened before has been dropped. Who opens it also sees to it
    /// that nobody else writes to it.
    ///
    /// # Errors
    /// Whatever keeps it from being read and written.
    fn open(&self) -> io::Result<Self::Backend>;
}

/// A store in a redb database on `D`.
#[derive(Debug)]
pub struct RedbStore<D: Disk> {
    disk: D,
    opened: Option<Opened<D::Backend>>,
}

#[derive(Debug)]
struct Opened<B> {
    database: Database,
    gate: Gate<B>,
    found: Option<u32>,
}

impl<D: Disk> RedbStore<D> {
    /// The store on `disk`, which is opened when it is first used.
    pub const fn new(disk: D) -> Self {
        Self { disk, opened: None }
    }

    /// Reads which schema the disk holds; `None` when it holds nothing yet. Changes nothing.
    ///
    /// # Errors
    /// [`StoreError`] when there is no store there that this version can read.
    pub fn schema(&mut self) -> Result<Option<u32>, StoreError> {
        Ok(self.opened()?.found)
    }

    /// Makes the store ready to write, so that the next commit is a write and a sync: creates it
    /// where there is none, repairs it after a crash, and brings it to the current schema.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read or written.
    pub fn prepare(&mut self) -> Result<(), StoreError> {
        let opening = self.opened()?.gate.open();
        if opening.is_err() {
            self.opened = None;
        }
        opening.map_err(failed)
    }

    fn opened(&mut self) -> Result<&mut Opened<D::Backend>, StoreError> {
        let opened = match self.opened.take() {
            Some(opened) => opened,
            None => Opened::on(&self.disk)?,
        };
        Ok(self.opened.insert(opened))
    }

    /// Does something with the open database, and drops it when that fails.
    fn with<T>(
        &mut self,
        action: impl FnOnce(&Database) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let result = action(&self.opened()?.database);
        if result.is_err() {
            self.opened = None;
        }
        result
    }
}

impl<B: StorageBackend> Opened<B> {
    fn on(disk: &impl Disk<Backend = B>) -> Result<Self, StoreError> {
        let gate = Gate::closed(disk.open().map_err(failed)?).map_err(failed)?;
        if schema::look(&gate)? == Bytes::Unfinished {
            gate.set_len(0).map_err(failed)?;
        }
        let database = Builder::new()
            .set_cache_size(CACHE_BYTES)
            .set_check_integrity_on_open(true)
            .create_with_backend(gate.clone())
            .map_err(failed)?;
        let found = schema::identify(&database)?;
        schema::bring_up_to_date(&database, found)?;
        Ok(Self { database, gate, found })
    }
}

impl<D: Disk> Store for RedbStore<D> {
    fn recover(&mut self) -> Result<Recovered, StoreError> {
        self.with(read_all)
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        if let Some(mismatch) = self.with(|database| find_mismatch(database, batch))? {
            return Err(mismatch);
        }
        self.prepare()?;
        self.with(|database| write_batch(database, batch))
    }

    fn content(&mut self, artifact: &ArtifactId) -> Result<Option<Content>, StoreError> {
        self.with(|database| read_content(database, artifact))
    }
}

fn read_all(database: &Database) -> Result<Recovered, StoreError> {
    let read = database.begin_read().map_err(failed)?;
    let mut recovered = Recovered::default();
    let mut holding = 0;
    for entry in read.open_table(ARTIFACTS).map_err(failed)?.iter().map_err(failed)? {
        let (id, bytes) = entry.map_err(failed)?;
        let id = ArtifactId::new(id.value());
        let damaged = |problem: String| damaged(&id, &problem);
        match record::decode(bytes.value()).map_err(damaged)? {
            ArtifactRecord::Row(row) => {
                let row = row.read().map_err(damaged)?;
                holding += u64::from(row.held.is_some());
                recovered.rows.insert(id, row);
            }
            ArtifactRecord::Tombstone(tombstone) => {
                let tombstone = tombstone.read().map_err(damaged)?;
                recovered.tombstones.insert(id, tombstone);
            }
        }
    }
    let contents = read.open_table(CONTENTS).map_err(failed)?.len().map_err(failed)?;
    if contents != holding {
        let problem = format!("{holding} rows have a definition and {contents} are stored");
        return Err(StoreError::Corrupt(problem));
    }
    for entry in read.open_table(RESOURCES).map_err(failed)?.iter().map_err(failed)? {
        let (key, bytes) = entry.map_err(failed)?;
        let (id, row) = read_resource(key.value(), bytes.value())?;
        recovered.resources.insert(id, row);
    }
    if let Some(bytes) =
        read.open_table(META).map_err(failed)?.get(CONTROL_PLANE).map_err(failed)?
    {
        let control_plane = record::decode(bytes.value())
            .and_then(|record: ControlPlaneRecord| record.read())
            .map_err(|problem| StoreError::Corrupt(format!("the control plane: {problem}")))?;
        recovered.control_plane = Some(control_plane);
    }
    Ok(recovered)
}

fn read_resource(key: &str, bytes: &[u8]) -> Result<(ResourceId, ResourceRow), StoreError> {
    let id = resource_record::read_key(key).ok_or_else(|| {
        StoreError::Corrupt(format!("resource {key:?}: its key names no resource"))
    })?;
    let row = ResourceRecord::decode(bytes)
        .and_then(|record| record.read())
        .map_err(|problem| damaged_resource(&id, &problem))?;
    match &row.resource {
        Some(resource) if !id.is_of(resource) => Err(mistaken(&id)),
        _ => Ok((id, row)),
    }
}

type Entries<'t> = Table<'t, &'static str, &'static [u8]>;

fn write_batch(database: &Database, batch: &Batch) -> Result<(), StoreError> {
    let write = database.begin_write().map_err(failed)?;
    if !batch.artifacts.is_empty() {
        let mut artifacts = write.open_table(ARTIFACTS).map_err(failed)?;
        let mut contents = write.open_table(CONTENTS).map_err(failed)?;
        for (id, change) in &batch.artifacts {
            match change {
                ArtifactWrite::Put { row, content } => {
                    put(&mut artifacts, &mut contents, id, row, content.as_ref())?;
                }
                ArtifactWrite::Bury(tombstone) => {
                    contents.remove(id.as_str()).map_err(failed)?;
                    let record = ArtifactRecord::Tombstone(TombstoneRecord::from(tombstone));
                    insert(&mut artifacts, id, &record)?;
                }
                ArtifactWrite::Forget => {
                    contents.remove(id.as_str()).map_err(failed)?;
                    artifacts.remove(id.as_str()).map_err(failed)?;
                }
            }
        }
    }
    if !batch.resources.is_empty() {
        let mut resources = write.open_table(RESOURCES).map_err(failed)?;
        for (id, row) in &batch.resources {
            write_resource(&mut resources, id, row.as_ref())?;
        }
    }
    if let Some(control_plane) = &batch.control_plane {
        let bytes = record::encode(&ControlPlaneRecord::from(control_plane))
            .map_err(StoreError::Corrupt)?;
        let mut meta = write.open_table(META).map_err(failed)?;
        meta.insert(CONTROL_PLANE, bytes.as_slice()).map_err(failed)?;
    }
    write.commit().map_err(failed)
}

fn write_resource(
    resources: &mut Entries<'_>,
    id: &ResourceId,
    row: Option<&ResourceRow>,
) -> Result<(), StoreError> {
    let damaged = |problem: String| damaged_resource(id, &problem);
    let key = resource_record::write_key(id).map_err(damaged)?;
    match row {
        None => {
            resources.remove(key.as_str()).map_err(failed)?;
        }
        Some(row) => {
            let bytes = record::encode(&ResourceRecord::from(row)).map_err(damaged)?;
            resources.insert(key.as_str(), bytes.as_slice()).map_err(failed)?;
        }
    }
    Ok(())
}

fn put(
    artifacts: &mut Entries<'_>,
    contents: &mut Entries<'_>,
    id: &ArtifactId,
    row: &Row,
    content: Option<&Content>,
) -> Result<(), StoreError> {
    match (content, row.held) {
        (Some(content), _) => {
            contents.insert(id.as_str(), &*content.bytes).map_err(failed)?;
        }
        (None, Some(_)) => {}
        (None, None) => {
            contents.remove(id.as_str()).map_err(failed)?;
        }
    }
    insert(artifacts, id, &ArtifactRecord::Row(RowRecord::from(row)))
}

/// The first row of a batch that says something else than its id or than what would be stored
/// with it.
fn find_mismatch(database: &Database, batch: &Batch) -> Result<Option<StoreError>, StoreError> {
    for (id, row) in &batch.resources {
        let resource = row.as_ref().and_then(|row| row.resource.as_ref());
        if resource.is_some_and(|resource| !id.is_of(resource)) {
            return Ok(Some(mistaken(id)));
        }
    }
    let mut stored = None;
    for (id, write) in &batch.artifacts {
        let ArtifactWrite::Put { row, content } = write else { continue };
        let digest = match (content, row.held) {
            (Some(content), _) => Some(content.digest),
            (None, None) => None,
            (None, Some(_)) => {
                let artifacts = match stored.take() {
                    Some(artifacts) => artifacts,
                    None => {
                        let read = database.begin_read().map_err(failed)?;
                        read.open_table(ARTIFACTS).map_err(failed)?
                    }
                };
                read_held(stored.insert(artifacts), id)?.map(|held| held.digest)
            }
        };
        if let Some(mismatch) = mismatch(id, row.held, digest) {
            return Ok(Some(mismatch));
        }
    }
    Ok(None)
}

fn mismatch(
    id: &ArtifactId,
    row: Option<Held>,
    stored: Option<ContentDigest>,
) -> Option<StoreError> {
    let said = row.map(|held| held.digest);
    (said != stored).then(|| {
        damaged(id, &format!("the row says definition {said:?} and what is stored is {stored:?}"))
    })
}

/// What the stored row of an artifact holds.
fn read_held(
    artifacts: &impl ReadableTable<&'static str, &'static [u8]>,
    id: &ArtifactId,
) -> Result<Option<Held>, StoreError> {
    let Some(bytes) = artifacts.get(id.as_str()).map_err(failed)? else { return Ok(None) };
    let damaged = |problem: String| damaged(id, &problem);
    match record::decode(bytes.value()).map_err(damaged)? {
        ArtifactRecord::Row(row) => row.read().map(|row| row.held).map_err(damaged),
        ArtifactRecord::Tombstone(_) => Ok(None),
    }
}

fn insert(
    artifacts: &mut Entries<'_>,
    id: &ArtifactId,
    record: &ArtifactRecord,
) -> Result<(), StoreError> {
    let bytes = record::encode(record).map_err(|problem| damaged(id, &problem))?;
    artifacts.insert(id.as_str(), bytes.as_slice()).map_err(failed)?;
    Ok(())
}

fn read_content(database: &Database, id: &ArtifactId) -> Result<Option<Content>, StoreError> {
    let read = database.begin_read().map_err(failed)?;
    let artifacts = read.open_table(ARTIFACTS).map_err(failed)?;
    let Some(held) = read_held(&artifacts, id)? else { return Ok(None) };
    let contents = read.open_table(CONTENTS).map_err(failed)?;
    let Some(bytes) = contents.get(id.as_str()).map_err(failed)? else {
        return Err(damaged(id, "its definition is missing"));
    };
    let digest = ContentDigest(Sha256::digest(bytes.value()).into());
    match mismatch(id, Some(held), Some(digest)) {
        Some(mismatch) => Err(mismatch),
        None => Ok(Some(Content { bytes: bytes.value().into(), digest })),
    }
}

fn damaged(id: &ArtifactId, problem: &str) -> StoreError {
    StoreError::Corrupt(format!("artifact {id}: {problem}"))
}

fn damaged_resource(id: &ResourceId, problem: &str) -> StoreError {
    StoreError::Corrupt(format!("{id}: {problem}"))
}

fn mistaken(id: &ResourceId) -> StoreError {
    damaged_resource(id, "the record is of another kind")
}
