//! Definitions that were read already, by the digest of their bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{ContentDigest, Definition};

/// Keeps definitions so that the same bytes are read once: a gateway reads a definition anew at
/// every start and redeploy, and it is mostly the one that it had.
///
/// Room for a stated number; when there is none, the one that was asked for longest ago goes.
#[derive(Debug)]
pub struct DefinitionCache {
    definitions_max: usize,
    held: BTreeMap<ContentDigest, (u64, Arc<Definition>)>,
    /// Digests in the order in which they were last asked for.
    asked: BTreeMap<u64, ContentDigest>,
    clock: u64,
}

impl DefinitionCache {
    /// An empty cache with room for that many definitions.
    pub const fn new(definitions_max: usize) -> Self {
        Self { definitions_max, held: BTreeMap::new(), asked: BTreeMap::new(), clock: 0 }
    }

    /// How many definitions are held.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// The definition with that digest; `read` reads it when it is not held.
    ///
    /// # Errors
    /// The error of `read`, which is not remembered: bytes that cannot be read are rare and
    /// refused in bounded time.
    pub fn get_or_read<E>(
        &mut self,
        digest: ContentDigest,
        read: impl FnOnce() -> Result<Definition, E>,
    ) -> Result<Arc<Definition>, E> {
        self.clock += 1;
        if let Some((asked, definition)) = self.held.get_mut(&digest) {
            self.asked.remove(asked);
            *asked = self.clock;
            self.asked.insert(self.clock, digest);
            return Ok(Arc::clone(definition));
        }
        let definition = Arc::new(read()?);
        if self.definitions_max == 0 {
            return Ok(definition);
        }
        while self.held.len() >= self.definitions_max
            && let Some((_, oldest)) = self.asked.pop_first()
        {
            self.held.remove(&oldest);
        }
        self.held.insert(digest, (self.clock, Arc::clone(&definition)));
        self.asked.insert(self.clock, digest);
        Ok(definition)
    }
}
