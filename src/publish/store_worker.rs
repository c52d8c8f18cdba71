//! The store's work: committing what the engine wants durable, and reading definitions.

use std::sync::Arc;

use crate::engine::{StoreFailure, UnreadableContent};
use crate::model::{ArtifactId, ArtifactWrite, Batch, ContentDigest, Definition, WriteId};
use crate::runtime::DefinitionCache;
use crate::store::{Store, StoreError};
use crate::wire::{self, DefinitionLimits};

/// How many definitions a worker of production keeps as read.
pub const DEFINITIONS_MAX: usize = 1024;

/// Something to do for the store.
#[derive(Debug)]
pub enum Job {
    /// Make a batch durable.
    Commit(WriteId, Batch),
    /// Read stored definitions, which ought to have these digests.
    Read(Vec<(ArtifactId, ContentDigest)>),
}

/// A definition as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredDefinition {
    /// Of which artifact.
    pub artifact: ArtifactId,
    /// The digest of its bytes.
    pub digest: ContentDigest,
    /// What it says, or why that is not known.
    pub definition: Result<Arc<Definition>, Unreadable>,
}

/// Why a stored definition is not known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unreadable {
    /// Its bytes say nothing that can be served; only another definition helps.
    Malformed(String),
    /// The store did not give it; another reading may help.
    NotRead(String),
}

impl Unreadable {
    /// The reason, for people.
    pub fn why(&self) -> &str {
        match self {
            Self::Malformed(why) | Self::NotRead(why) => why,
        }
    }

    /// Whether another reading may help.
    pub const fn is_read_again(&self) -> bool {
        matches!(self, Self::NotRead(_))
    }
}

/// What was done.
#[derive(Debug)]
pub enum Done {
    /// A batch is durable, with the definitions of what it deploys; or it is not.
    Committed(WriteId, Result<Vec<StoredDefinition>, StoreFailure>),
    /// Definitions were read.
    Read(Vec<StoredDefinition>),
}

/// Does jobs on a store, one after the other. What it keeps between two jobs is what reading the
/// same bytes would give again, so it may be used for several stores.
#[derive(Debug)]
pub struct StoreWorker {
    definitions: DefinitionCache,
    limits: DefinitionLimits,
}

impl StoreWorker {
    /// A worker that keeps that many definitions as read, within the recommended limits.
    pub const fn new(definitions_max: usize) -> Self {
        let definitions = DefinitionCache::new(definitions_max);
        Self { definitions, limits: DefinitionLimits::recommended() }
    }

    /// The worker with other limits for what it has not read yet.
    #[must_use]
    pub const fn with_limits(mut self, limits: DefinitionLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Does a job.
    pub fn carry_out<S: Store + ?Sized>(&mut self, store: &mut S, job: Job) -> Done {
        match job {
            Job::Commit(write, batch) => Done::Committed(write, self.commit(store, &batch)),
            Job::Read(wanted) => Done::Read(self.read(store, wanted)),
        }
    }

    /// Makes a batch durable, and gives the definitions of what it deploys: their bytes are at
    /// hand.
    ///
    /// # Errors
    /// Why nothing of the batch is durable; a batch with a definition that cannot be read is not
    /// tried.
    pub fn commit<S: Store + ?Sized>(
        &mut self,
        store: &mut S,
        batch: &Batch,
    ) -> Result<Vec<StoredDefinition>, StoreFailure> {
        let mut definitions = self.come_with(batch)?;
        let kept = batch.artifacts.iter().filter_map(|(id, write)| match write {
            ArtifactWrite::Put { row, content: None } if row.is_served() => {
                Some((id.clone(), row.held?.digest))
            }
            _ => None,
        });
        let kept = kept.filter_map(|(id, digest)| self.read_one(store, id, digest)).collect();
        definitions.append(&mut readable(kept)?);
        store.commit(batch).map_err(|error| match error {
            StoreError::Full => StoreFailure::Full,
            other => StoreFailure::Io(other.to_string()),
        })?;
        Ok(definitions)
    }

    /// Reads the definitions that come with a batch, as a commit does before anything is written.
    ///
    /// # Errors
    /// The definitions that cannot be read: they must not take the place of the last good ones, so
    /// such a batch is not written.
    pub fn come_with(&mut self, batch: &Batch) -> Result<Vec<StoredDefinition>, StoreFailure> {
        let mut all = Vec::new();
        for (id, write) in &batch.artifacts {
            let ArtifactWrite::Put { row, content: Some(content) } = write else { continue };
            let Some(held) = row.held else { continue };
            all.push(self.decode(id, held.digest, &content.bytes));
        }
        // What is not served now may be served again later, when its bytes do not come with it.
        let mut definitions = readable(all)?;
        definitions.retain(|stored| {
            let write = batch.artifacts.get(&stored.artifact);
            matches!(write, Some(ArtifactWrite::Put { row, .. }) if row.is_served())
        });
        Ok(definitions)
    }

    /// Reads stored definitions. Nothing is said of one that the store does not hold with that
    /// digest: a commit brings the other one, or is on its way.
    pub fn read<S: Store + ?Sized>(
        &mut self,
        store: &mut S,
        wanted: Vec<(ArtifactId, ContentDigest)>,
    ) -> Vec<StoredDefinition> {
        let wanted = wanted.into_iter();
        wanted.filter_map(|(id, digest)| self.read_one(store, id, digest)).collect()
    }

    fn read_one<S: Store + ?Sized>(
        &mut self,
        store: &mut S,
        artifact: ArtifactId,
        digest: ContentDigest,
    ) -> Option<StoredDefinition> {
        match store.content(&artifact) {
            Ok(Some(content)) if content.digest == digest => {
                Some(self.decode(&artifact, digest, &content.bytes))
            }
            Ok(_) => None,
            Err(error) => {
                let definition = Err(Unreadable::NotRead(error.to_string()));
                Some(StoredDefinition { artifact, digest, definition })
            }
        }
    }

    fn decode(
        &mut self,
        artifact: &ArtifactId,
        digest: ContentDigest,
        bytes: &[u8],
    ) -> StoredDefinition {
        let limits = self.limits;
        let read = || wire::decode_api_within(bytes, &limits).map_err(|error| error.to_string());
        let definition = self.definitions.get_or_read(digest, read).map_err(Unreadable::Malformed);
        StoredDefinition { artifact: artifact.clone(), digest, definition }
    }
}

/// The definitions, where each of them says something or was not read.
fn readable(definitions: Vec<StoredDefinition>) -> Result<Vec<StoredDefinition>, StoreFailure> {
    let unreadable = definitions.iter().filter_map(|stored| match &stored.definition {
        Err(Unreadable::Malformed(why)) => Some(UnreadableContent {
            artifact: stored.artifact.clone(),
            digest: stored.digest,
            why: why.clone(),
        }),
        _ => None,
    });
    let unreadable: Vec<UnreadableContent> = unreadable.collect();
    if unreadable.is_empty() { Ok(definitions) } else { Err(StoreFailure::Unreadable(unreadable)) }
}
