//! The observed set: an in-memory shadow of what is durable, and of the writes on their way.

use std::collections::BTreeSet;
use std::mem;

use super::input::UnreadableContent;
use crate::model::{
    ArtifactId, ArtifactWrite, Batch, ControlPlane, DeployState, Recovered, Resource, ResourceId,
    ResourceRow, Row, Tombstone, WriteId,
};

/// Something that may be in force in another form than before.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Change {
    /// An artifact: what is served of it.
    Artifact(ArtifactId),
    /// A key, subscription, plan or application.
    Resource(ResourceId),
}

/// What is durable, what is being written and what waits to be.
#[derive(Clone, Debug, Default)]
pub struct ObservedSet {
    durable: Recovered,
    in_flight: Option<(WriteId, Batch)>,
    waiting: Batch,
    changed: BTreeSet<Change>,
    failing: bool,
}

impl ObservedSet {
    /// What a store held when it was opened.
    pub fn new(recovered: Recovered) -> Self {
        let artifacts = recovered.rows.keys().cloned().map(Change::Artifact);
        let resources = recovered.resources.keys().cloned().map(Change::Resource);
        Self {
            changed: artifacts.chain(resources).collect(),
            durable: recovered,
            in_flight: None,
            waiting: Batch::default(),
            failing: false,
        }
    }

    /// The next thing that may be in force in another form, once for however many changes; what
    /// was recovered comes first of all. Bounded by what is held.
    pub fn poll_change(&mut self) -> Option<Change> {
        self.changed.pop_first()
    }

    /// Everything durable.
    pub const fn durable(&self) -> &Recovered {
        &self.durable
    }

    /// The row of an artifact that the gateway serves: it is durable and says so.
    ///
    /// A withdrawal takes effect with its write, so that a crash cannot bring back what was gone.
    /// Where writes fail it takes effect without: a full disk must not keep serving what is
    /// undeployed (law 7).
    pub fn served_row(&self, id: &ArtifactId) -> Option<&Row> {
        let row = self.durable.rows.get(id)?;
        (row.is_served() && !self.is_withdrawn(id)).then_some(row)
    }

    /// Whether the gateway serves the artifact.
    pub fn is_served(&self, id: &ArtifactId) -> bool {
        self.served_row(id).is_some()
    }

    /// The rows that are served, by artifact.
    pub fn served(&self) -> impl Iterator<Item = (&ArtifactId, &Row)> {
        self.durable.rows.iter().filter(|(id, row)| row.is_served() && !self.is_withdrawn(id))
    }

    fn is_withdrawn(&self, id: &ArtifactId) -> bool {
        self.failing
            && self.on_its_way(id).is_some_and(|write| match write {
                ArtifactWrite::Put { row, .. } => row.state == DeployState::Undeployed,
                ArtifactWrite::Bury(_) | ArtifactWrite::Forget => true,
            })
    }

    /// The latest write of an artifact that is not durable.
    fn on_its_way(&self, id: &ArtifactId) -> Option<&ArtifactWrite> {
        self.waiting
            .artifacts
            .get(id)
            .or_else(|| self.in_flight.as_ref().and_then(|(_, batch)| batch.artifacts.get(id)))
    }

    /// The row and the tombstone as they will be once every write is durable.
    pub fn latest(&self, id: &ArtifactId) -> (Option<&Row>, Option<&Tombstone>) {
        match self.on_its_way(id) {
            Some(ArtifactWrite::Put { row, .. }) => (Some(row), None),
            Some(ArtifactWrite::Bury(tombstone)) => (None, Some(tombstone)),
            Some(ArtifactWrite::Forget) => (None, None),
            None => (self.durable.rows.get(id), self.durable.tombstones.get(id)),
        }
    }

    /// The row as it will be once every write is durable.
    pub fn latest_row(&self, id: &ArtifactId) -> Option<&Row> {
        self.latest(id).0
    }

    /// The tombstone as it will be once every write is durable.
    pub fn latest_tombstone(&self, id: &ArtifactId) -> Option<&Tombstone> {
        self.latest(id).1
    }

    /// Whether nothing is on its way for the artifact.
    pub fn is_settled(&self, id: &ArtifactId) -> bool {
        self.on_its_way(id).is_none()
    }

    /// Queues a write; of two for one artifact the later wins and keeps the definition that the
    /// earlier one carried, where it is still the row's.
    pub fn write(&mut self, id: ArtifactId, mut write: ArtifactWrite) {
        if let ArtifactWrite::Put { row, content: content @ None } = &mut write
            && let Some(ArtifactWrite::Put { content: Some(waiting), .. }) =
                self.waiting.artifacts.get(&id)
            && row.held.is_some_and(|held| held.digest == waiting.digest)
        {
            *content = Some(waiting.clone());
        }
        // What is only on its way changes nothing that is served, unless writes fail.
        if self.failing {
            self.changed.insert(Change::Artifact(id.clone()));
        }
        self.waiting.artifacts.insert(id, write);
    }

    /// Queues a write of what is known about the control plane.
    pub fn write_control_plane(&mut self, control_plane: ControlPlane) {
        self.waiting.control_plane = Some(control_plane);
    }

    /// Queues a write of a resource; `None` forgets its row.
    pub fn write_resource(&mut self, id: ResourceId, row: Option<ResourceRow>) {
        if self.failing {
            self.changed.insert(Change::Resource(id.clone()));
        }
        self.waiting.resources.insert(id, row);
    }

    /// A resource as it is in force: what is durable, or less where a write that takes something
    /// away fails (law 7).
    pub fn resource_in_force(&self, id: &ResourceId) -> Option<Resource> {
        let durable = self.durable.resources.get(id)?.resource.as_ref()?;
        let in_flight = self.in_flight.as_ref().and_then(|(_, batch)| batch.resources.get(id));
        match self.waiting.resources.get(id).or(in_flight).filter(|_| self.failing) {
            None => Some(durable.clone()),
            Some(later) => durable.restricted_by(later.as_ref()?.resource.as_ref()?),
        }
    }

    /// Whether a write is in flight.
    pub const fn is_writing(&self) -> bool {
        self.in_flight.is_some()
    }

    /// Whether anything waits to be written.
    pub fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Puts the next write in flight, of at most `size_max` artifacts and resources.
    pub fn begin(&mut self, id: WriteId, size_max: usize) -> Batch {
        assert!(self.in_flight.is_none(), "one write at a time keeps their order");
        let mut batch = mem::take(&mut self.waiting);
        if let Some(split) = batch.artifacts.keys().nth(size_max).cloned() {
            self.waiting.artifacts = batch.artifacts.split_off(&split);
        }
        let room = size_max.saturating_sub(batch.artifacts.len());
        if let Some(split) = batch.resources.keys().nth(room).cloned() {
            self.waiting.resources = batch.resources.split_off(&split);
        }
        self.in_flight = Some((id, batch.clone()));
        batch
    }

    /// The write in flight is durable: returns the artifacts it wrote, or `None` where it is not
    /// the one in flight.
    pub fn stored(&mut self, id: WriteId) -> Option<Vec<ArtifactId>> {
        let (_, batch) = self.in_flight.take_if(|(in_flight, _)| *in_flight == id)?;
        self.durable.apply(&batch);
        self.changed.extend(batch.resources.into_keys().map(Change::Resource));
        self.changed.extend(batch.artifacts.keys().cloned().map(Change::Artifact));
        // What waits took effect without its write while writes failed, and does not come back
        // before it is written.
        self.failing &= !self.waiting.is_empty();
        Some(batch.artifacts.into_keys().collect())
    }

    /// The write in flight failed: it waits again, behind what was queued since. Returns whether
    /// it was the one in flight.
    pub fn failed(&mut self, id: WriteId) -> bool {
        let Some((_, batch)) = self.in_flight.take_if(|(in_flight, _)| *in_flight == id) else {
            return false;
        };
        self.failing = true;
        self.wait_again(batch);
        self.waiting_changed();
        true
    }

    /// The write in flight was not tried because of definitions in it that cannot be read: the
    /// rest waits again. Returns whether it was the one in flight.
    pub fn refused(&mut self, id: WriteId, contents: &[UnreadableContent]) -> bool {
        let Some((_, batch)) = self.in_flight.take_if(|(in_flight, _)| *in_flight == id) else {
            return false;
        };
        self.wait_again(batch);
        for UnreadableContent { artifact, digest, .. } in contents {
            let is_refused = self.waiting.artifacts.get(artifact).is_some_and(|write| {
                matches!(write, ArtifactWrite::Put { row, .. }
                    if row.held.is_some_and(|held| held.digest == *digest))
            });
            if is_refused {
                self.waiting.artifacts.remove(artifact);
            }
        }
        true
    }

    /// A write waits again, behind what was queued since.
    fn wait_again(&mut self, batch: Batch) {
        let later = mem::replace(&mut self.waiting, batch);
        for (id, write) in later.artifacts {
            self.write(id, write);
        }
        self.waiting.resources.extend(later.resources);
        if let Some(control_plane) = later.control_plane {
            self.waiting.control_plane = Some(control_plane);
        }
    }

    fn waiting_changed(&mut self) {
        self.changed.extend(self.waiting.resources.keys().cloned().map(Change::Resource));
        self.changed.extend(self.waiting.artifacts.keys().cloned().map(Change::Artifact));
    }
}
