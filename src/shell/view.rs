//! What a data plane sees: the snapshot in force, kept up with what the engine says.
//!
//! A definition that the store did not give is not served, and is read again after a while: what
//! is durable and deployed must not stay away for one failed reading (law 10).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::drive::Drive;
use super::storage::{Defined, Unreadable};
use crate::engine::{Change, Engine};
use crate::model::{ArtifactId, ContentDigest, Definition, Resource, ResourceId};
use crate::runtime::{self, Snapshot};
use crate::time::Instant;

/// Most definitions read at once, so that a commit waits no longer than for these.
const READS_MAX: usize = 256;

/// How long after a reading that brought nothing the same definition is read again.
const READ_AGAIN: Duration = Duration::from_secs(5);

/// An artifact with its definition, where it is served.
type ApiForm = (ArtifactId, Option<Arc<Definition>>);

/// A resource as it is, where it is in force.
type ResourceForm = (ResourceId, Option<Resource>);

/// The snapshot, and what it has not followed yet.
#[derive(Default)]
pub(super) struct View {
    snapshot: Snapshot,
    /// Tells data planes of it.
    published: watch::Sender<Snapshot>,
    /// The definition that each API is served with in the snapshot.
    shown: BTreeMap<ArtifactId, ContentDigest>,
    /// Definitions that came with a commit, until they are shown.
    fresh: BTreeMap<ArtifactId, (ContentDigest, Arc<Definition>)>,
    /// Artifacts whose definition has to be read first.
    unread: BTreeSet<ArtifactId>,
    /// Those whose definition was asked for and did not come yet, and when to ask again.
    asked: BTreeSet<ArtifactId>,
    ask_again_at: Instant,
    is_reading: bool,
    /// Why what should be served is not.
    unreadable: BTreeMap<ArtifactId, (ContentDigest, Unreadable)>,
}

impl View {
    /// The snapshot in force.
    pub(super) const fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Each snapshot that comes into force.
    pub(super) fn snapshots(&self) -> watch::Receiver<Snapshot> {
        self.published.subscribe()
    }

    /// Artifacts that are durable and deployed and cannot be served, with the reason.
    pub(super) fn unreadable(&self) -> impl Iterator<Item = (&ArtifactId, &str)> {
        self.unreadable.iter().map(|(id, (_, unreadable))| (id, unreadable.why()))
    }

    /// How many artifacts wait for their definition to be read.
    pub(super) fn unread(&self) -> usize {
        self.unread.len() + self.asked.len()
    }

    /// Takes in definitions that were read or written.
    pub(super) fn learn(&mut self, defined: Vec<Defined>) {
        for Defined { artifact, digest, definition } in defined {
            match definition {
                Ok(definition) => {
                    self.fresh.insert(artifact, (digest, definition));
                }
                Err(unreadable) => {
                    let why = unreadable.why();
                    tracing::warn!(%artifact, %why, "a definition cannot be read; it is not served");
                    if matches!(unreadable, Unreadable::Malformed(_)) {
                        self.asked.remove(&artifact);
                    }
                    self.unreadable.insert(artifact, (digest, unreadable));
                }
            }
        }
    }

    /// The reading that was asked for ended.
    pub(super) fn was_read(&mut self, defined: Vec<Defined>, driver: &mut impl Drive) {
        self.is_reading = false;
        let read: BTreeSet<ArtifactId> = defined.iter().map(|read| read.artifact.clone()).collect();
        self.learn(defined);
        self.follow(driver, read);
    }

    /// Takes in everything that changed: one new snapshot for all of it. What is withdrawn is
    /// gone at once; what needs a definition that is not at hand waits for it.
    pub(super) fn follow(&mut self, driver: &mut impl Drive, read: BTreeSet<ArtifactId>) {
        let (mut artifacts, mut resources) = (read, BTreeSet::new());
        while let Some(change) = driver.poll_change() {
            match change {
                Change::Artifact(id) => artifacts.insert(id),
                Change::Resource(id) => resources.insert(id),
            };
        }
        if artifacts.is_empty() && resources.is_empty() {
            return;
        }
        let (apis, held) = driver.look(|engine| self.next_forms(engine, artifacts, resources));
        if apis.is_empty() && held.is_empty() {
            return;
        }
        let apis = apis.iter().map(|(id, read)| runtime::Change::Api(id, read.as_ref()));
        let held = held.iter().map(|(id, held)| runtime::Change::Resource(id, held.as_ref()));
        self.snapshot = self.snapshot.with(apis.chain(held));
        self.published.send_replace(self.snapshot.clone());
    }

    /// How everything that changed is to be shown from now on.
    fn next_forms(
        &mut self,
        engine: &Engine,
        artifacts: BTreeSet<ArtifactId>,
        resources: BTreeSet<ResourceId>,
    ) -> (Vec<ApiForm>, Vec<ResourceForm>) {
        let observed = engine.observed();
        let apis = artifacts.into_iter().filter_map(|id| {
            let row = observed.durable().rows.get(&id).filter(|_| observed.is_served(&id));
            let digest = row.and_then(|row| row.held).map(|held| held.digest);
            self.next_form(&id, digest).map(|definition| (id, definition))
        });
        let apis = apis.collect();
        let held = resources.into_iter().map(|id| {
            let resource = observed.resource_in_force(&id);
            (id, resource)
        });
        (apis, held.collect())
    }

    /// How an artifact is to be shown from now on, where that is another way than before.
    fn next_form(
        &mut self,
        id: &ArtifactId,
        digest: Option<ContentDigest>,
    ) -> Option<Option<Arc<Definition>>> {
        let fresh = self.fresh.remove(id);
        let Some(digest) = digest else {
            self.settled(id);
            return self.shown.remove(id).map(|_| None);
        };
        if self.shown.get(id) == Some(&digest) {
            self.settled(id);
            return None;
        }
        if let Some((_, definition)) = fresh.filter(|(of, _)| *of == digest) {
            self.settled(id);
            self.shown.insert(id.clone(), digest);
            return Some(Some(definition));
        }
        // What could not be read is not asked for at once, or never again.
        if self.unreadable.get(id).is_none_or(|(of, _)| *of != digest) {
            self.asked.remove(id);
            self.unread.insert(id.clone());
        }
        // What is shown is another definition than the durable one: it is not to be served.
        self.shown.remove(id).map(|_| None)
    }

    /// Nothing more has to be read of an artifact.
    fn settled(&mut self, id: &ArtifactId) {
        self.unread.remove(id);
        self.asked.remove(id);
        self.unreadable.remove(id);
    }

    /// The definitions to read next; none while some are being read.
    pub(super) fn wanted(
        &mut self,
        driver: &impl Drive,
        now: Instant,
    ) -> Option<Vec<(ArtifactId, ContentDigest)>> {
        if self.poll_timeout().is_none_or(|due| due > now) {
            return None;
        }
        if self.unread.is_empty() {
            self.unread = std::mem::take(&mut self.asked);
        }
        if self.asked.is_empty() {
            self.ask_again_at = now.after(READ_AGAIN);
        }
        let wanted = driver.look(|engine| {
            let durable = engine.observed().durable();
            let digest = |id: &ArtifactId| durable.rows.get(id)?.held.map(|held| held.digest);
            let first = std::iter::from_fn(|| self.unread.pop_first()).take(READS_MAX);
            let first = first.inspect(|id| {
                self.asked.insert(id.clone());
            });
            first.filter_map(|id| digest(&id).map(|digest| (id, digest))).collect()
        });
        self.is_reading = true;
        Some(wanted)
    }

    /// When there is something to read next; `None` while something is being read.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        if self.is_reading {
            return None;
        }
        match self.unread.is_empty() {
            false => Some(Instant::START),
            true => (!self.asked.is_empty()).then_some(self.ask_again_at),
        }
    }
}
