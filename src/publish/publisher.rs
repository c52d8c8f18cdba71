//! The snapshot in force, kept up with what the engine says.
//!
//! What is withdrawn is gone from the next snapshot. What needs a definition that is not at hand
//! is not served until the definition comes. One rule holds for every such definition, whether
//! the store failed, does not hold it yet, or gave it late: it is asked for at once, and again
//! [`READ_AGAIN`] after each time it was asked for, because what is durable and deployed must not
//! stay away for one failed reading (law 10). A definition whose bytes say nothing is not asked
//! for again; only another definition helps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::{Fact, StoredDefinition, Unreadable};
use crate::model::{ArtifactId, ContentDigest, Definition, Resource, ResourceId};
use crate::runtime::{self, Snapshot};
use crate::time::Instant;

/// Most definitions read at once, so that a commit waits no longer than for these.
pub const READS_MAX: usize = 256;

/// How long after a reading that brought nothing the same definition is read again.
pub const READ_AGAIN: Duration = Duration::from_secs(5);

/// An artifact with its definition; `None` where it is not served.
type ApiForm = (ArtifactId, Option<Arc<Definition>>);

/// A resource as it is; `None` where it is gone.
type ResourceForm = (ResourceId, Option<Resource>);

/// How the snapshot shows an artifact that is to be served.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Showing {
    /// With the definition of this digest.
    Shown(ContentDigest),
    /// Not at all: the definition of this digest is not at hand.
    Missing {
        digest: ContentDigest,
        /// Why the last reading brought nothing, where it said so.
        why: Option<Unreadable>,
        /// When to read it next; `None` when reading does not help.
        read_at: Option<Instant>,
    },
}

impl Showing {
    /// When the definition is read next.
    const fn due(&self) -> Option<Instant> {
        match self {
            Self::Missing { read_at, .. } => *read_at,
            Self::Shown(_) => None,
        }
    }
}

/// Makes snapshots of facts and definitions.
#[derive(Debug, Default)]
pub struct Publisher {
    snapshot: Snapshot,
    /// The artifacts that are to be served.
    showing: BTreeMap<ArtifactId, Showing>,
    /// Definitions that came with a commit, until the fact comes that they belong to.
    committed: BTreeMap<ArtifactId, StoredDefinition>,
    /// Definitions that were read since the last snapshot.
    read: Vec<StoredDefinition>,
    /// What is to be read, in the order in which it is due.
    due: BTreeSet<(Instant, ArtifactId)>,
    is_reading: bool,
}

impl Publisher {
    /// The snapshot in force.
    pub const fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Artifacts that are durable and deployed and cannot be served, with the reason.
    pub fn unreadable(&self) -> impl Iterator<Item = (&ArtifactId, &str)> {
        self.showing.iter().filter_map(|(id, showing)| match showing {
            Showing::Missing { why: Some(why), .. } => Some((id, why.why())),
            _ => None,
        })
    }

    /// How many artifacts wait for their definition to be read.
    pub fn unread(&self) -> usize {
        self.due.len()
    }

    /// Takes in the definitions that came with a commit, before the facts that the commit brings.
    pub fn committed(&mut self, definitions: Vec<StoredDefinition>) {
        let by_artifact = definitions.into_iter().map(|stored| (stored.artifact.clone(), stored));
        self.committed.extend(by_artifact);
    }

    /// Takes in what the reading that was asked for brought.
    pub fn was_read(&mut self, definitions: Vec<StoredDefinition>) {
        self.is_reading = false;
        self.read.extend(definitions);
    }

    /// Takes in everything that changed, and what was read since the last call: one new snapshot
    /// for all of it. Returns the snapshot where it is a new one.
    pub fn follow(
        &mut self,
        facts: impl IntoIterator<Item = Fact>,
        now: Instant,
    ) -> Option<&Snapshot> {
        let mut apis: Vec<ApiForm> = Vec::new();
        let mut resources: Vec<ResourceForm> = Vec::new();
        for fact in facts {
            match fact {
                Fact::Artifact(id, digest) => apis.extend(self.artifact(id, digest, now)),
                Fact::Resource(id, resource) => resources.push((id, resource)),
            }
        }
        for stored in std::mem::take(&mut self.read) {
            apis.extend(self.definition_came(stored));
        }
        if apis.is_empty() && resources.is_empty() {
            return None;
        }
        let apis = apis.iter().map(|(id, read)| runtime::SnapshotChange::Api(id, read.as_ref()));
        let held =
            resources.iter().map(|(id, held)| runtime::SnapshotChange::Resource(id, held.as_ref()));
        self.snapshot.become_next(apis.chain(held));
        Some(&self.snapshot)
    }

    /// How an artifact is to be shown from now on, where that is another way than before.
    fn artifact(
        &mut self,
        id: ArtifactId,
        digest: Option<ContentDigest>,
        now: Instant,
    ) -> Option<ApiForm> {
        let committed = self.committed.remove(&id);
        let was_shown = matches!(self.showing.get(&id), Some(Showing::Shown(_)));
        let withdrawn = |id| was_shown.then_some((id, None));
        let Some(digest) = digest else {
            self.set(&id, None);
            return withdrawn(id);
        };
        if self.showing.get(&id) == Some(&Showing::Shown(digest)) {
            return None;
        }
        let (why, read_at) = match committed.filter(|stored| stored.digest == digest) {
            Some(StoredDefinition { definition: Ok(definition), .. }) => {
                self.set(&id, Some(Showing::Shown(digest)));
                return Some((id, Some(definition)));
            }
            Some(StoredDefinition { definition: Err(why), .. }) => {
                let read_at = why.is_read_again().then(|| now.after(READ_AGAIN));
                (Some(why), read_at)
            }
            None if self.is_missing(&id, digest) => return None,
            None => (None, Some(now)),
        };
        self.set(&id, Some(Showing::Missing { digest, why, read_at }));
        // What is shown is another definition than the durable one: it is not to be served.
        withdrawn(id)
    }

    /// How an artifact is to be shown after its definition was read. What is not waited for any
    /// more is ignored.
    fn definition_came(&mut self, stored: StoredDefinition) -> Option<ApiForm> {
        let StoredDefinition { artifact, digest, definition } = stored;
        let Some(Showing::Missing { digest: wanted, read_at, .. }) = self.showing.get(&artifact)
        else {
            return None;
        };
        if *wanted != digest {
            return None;
        }
        match definition {
            Ok(definition) => {
                self.set(&artifact, Some(Showing::Shown(digest)));
                Some((artifact, Some(definition)))
            }
            Err(why) => {
                let read_at = read_at.filter(|_| why.is_read_again());
                self.set(&artifact, Some(Showing::Missing { digest, why: Some(why), read_at }));
                None
            }
        }
    }

    /// Whether the definition of that digest is waited for.
    fn is_missing(&self, id: &ArtifactId, of: ContentDigest) -> bool {
        matches!(self.showing.get(id), Some(Showing::Missing { digest, .. }) if *digest == of)
    }

    /// Sets how an artifact is shown, and when its definition is read next.
    fn set(&mut self, id: &ArtifactId, showing: Option<Showing>) {
        if let Some(at) = self.showing.get(id).and_then(Showing::due) {
            self.due.remove(&(at, id.clone()));
        }
        if let Some(at) = showing.as_ref().and_then(Showing::due) {
            self.due.insert((at, id.clone()));
        }
        match showing {
            Some(showing) => self.showing.insert(id.clone(), showing),
            None => self.showing.remove(id),
        };
    }

    /// The definitions to read now; `None` while there are none, or some are being read.
    pub fn poll_read(&mut self, now: Instant) -> Option<Vec<(ArtifactId, ContentDigest)>> {
        if self.poll_timeout().is_none_or(|due| due > now) {
            return None;
        }
        let due = self.due.iter().take_while(|(at, _)| *at <= now).take(READS_MAX);
        let due: Vec<ArtifactId> = due.map(|(_, id)| id.clone()).collect();
        let mut wanted = Vec::new();
        for id in due {
            let Some(Showing::Missing { digest, why, .. }) = self.showing.get(&id) else {
                continue;
            };
            let (digest, why, read_at) = (*digest, why.clone(), Some(now.after(READ_AGAIN)));
            self.set(&id, Some(Showing::Missing { digest, why, read_at }));
            wanted.push((id, digest));
        }
        self.is_reading = true;
        Some(wanted)
    }

    /// When there is something to read next; `None` while something is being read.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let (at, _) = self.due.first().filter(|_| !self.is_reading)?;
        Some(*at)
    }
}
