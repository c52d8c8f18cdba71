//! The observed set: an in-memory shadow of what is durable, and of the writes on their way.

use std::mem;

use crate::model::{
    ArtifactId, ArtifactWrite, Batch, ControlPlane, DeployState, Recovered, Row, Tombstone, WriteId,
};

/// What is durable, what is being written and what waits to be.
#[derive(Clone, Debug, Default)]
pub struct ObservedSet {
    durable: Recovered,
    in_flight: Option<(WriteId, Batch)>,
    waiting: Batch,
    changes: u64,
    failing: bool,
}

impl ObservedSet {
    /// What a store held when it was opened.
    pub fn new(recovered: Recovered) -> Self {
        Self {
            durable: recovered,
            in_flight: None,
            waiting: Batch::default(),
            changes: 0,
            failing: false,
        }
    }

    /// A number that rises whenever what is served may have changed.
    pub const fn changes(&self) -> u64 {
        self.changes
    }

    /// Everything durable.
    pub const fn durable(&self) -> &Recovered {
        &self.durable
    }

    /// Whether the gateway serves the artifact: its row is durable and says so.
    ///
    /// A withdrawal takes effect with its write, so that a crash cannot bring back what was gone.
    /// Where writes fail it takes effect without: a full disk must not keep serving what is
    /// undeployed (law 7).
    pub fn is_served(&self, id: &ArtifactId) -> bool {
        self.durable.rows.get(id).is_some_and(Row::is_served) && !self.is_withdrawn(id)
    }

    /// The rows that are served, by artifact.
    pub fn served(&self) -> impl Iterator<Item = (&ArtifactId, &Row)> {
        self.durable.rows.iter().filter(|(id, row)| row.is_served() && !self.is_withdrawn(id))
    }

    fn is_withdrawn(&self, id: &ArtifactId) -> bool {
        self.failing
            && self.on_its_way(id).is_some_and(|write| match write {
                ArtifactWrite::Put { row, .. } => row.state == DeployState::Undeployed,
                ArtifactWrite::Bury(_) => true,
            })
    }

    /// The latest write of an artifact that is not durable.
    fn on_its_way(&self, id: &ArtifactId) -> Option<&ArtifactWrite> {
        self.waiting
            .artifacts
            .get(id)
            .or_else(|| self.in_flight.as_ref().and_then(|(_, batch)| batch.artifacts.get(id)))
    }

    /// The row as it will be once every write is durable.
    pub fn latest_row(&self, id: &ArtifactId) -> Option<&Row> {
        match self.on_its_way(id) {
            Some(ArtifactWrite::Put { row, .. }) => Some(row),
            Some(ArtifactWrite::Bury(_)) => None,
            None => self.durable.rows.get(id),
        }
    }

    /// The row and the tombstone as they will be once every write is durable.
    pub fn latest(&self, id: &ArtifactId) -> (Option<&Row>, Option<&Tombstone>) {
        match self.on_its_way(id) {
            Some(ArtifactWrite::Put { row, .. }) => (Some(row), None),
            Some(ArtifactWrite::Bury(tombstone)) => (None, Some(tombstone)),
            None => (self.durable.rows.get(id), self.durable.tombstones.get(id)),
        }
    }

    /// The tombstone as it will be once every write is durable.
    pub fn latest_tombstone(&self, id: &ArtifactId) -> Option<&Tombstone> {
        match self.on_its_way(id) {
            Some(ArtifactWrite::Put { .. }) => None,
            Some(ArtifactWrite::Bury(tombstone)) => Some(tombstone),
            None => self.durable.tombstones.get(id),
        }
    }

    /// What will be known about the control plane once every write is durable.
    pub fn latest_control_plane(&self) -> Option<&ControlPlane> {
        self.waiting
            .control_plane
            .as_ref()
            .or_else(|| self.in_flight.as_ref().and_then(|(_, batch)| batch.control_plane.as_ref()))
            .or(self.durable.control_plane.as_ref())
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
        self.waiting.artifacts.insert(id, write);
        // What is only on its way changes nothing that is served, unless writes fail.
        self.changes += u64::from(self.failing);
    }

    /// Queues a write of what is known about the control plane.
    pub fn write_control_plane(&mut self, control_plane: ControlPlane) {
        self.waiting.control_plane = Some(control_plane);
    }

    /// Whether a write is in flight.
    pub const fn is_writing(&self) -> bool {
        self.in_flight.is_some()
    }

    /// Whether anything waits to be written.
    pub fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Puts the next write in flight, of at most `size_max` artifacts.
    pub fn begin(&mut self, id: WriteId, size_max: usize) -> Batch {
        assert!(self.in_flight.is_none(), "one write at a time keeps their order");
        let mut batch = mem::take(&mut self.waiting);
        if let Some(split) = batch.artifacts.keys().nth(size_max).cloned() {
            self.waiting.artifacts = batch.artifacts.split_off(&split);
        }
        self.in_flight = Some((id, batch.clone()));
        batch
    }

    /// The write in flight is durable: answers the artifacts it wrote.
    pub fn stored(&mut self, id: WriteId) -> Vec<ArtifactId> {
        match self.in_flight.take_if(|(in_flight, _)| *in_flight == id) {
            Some((_, batch)) => {
                self.changes += 1;
                self.failing = false;
                self.durable.apply(&batch);
                batch.artifacts.into_keys().collect()
            }
            None => Vec::new(),
        }
    }

    /// The write in flight failed: it waits again, behind what was queued since. Answers whether
    /// it was the one in flight.
    pub fn failed(&mut self, id: WriteId) -> bool {
        let Some((_, batch)) = self.in_flight.take_if(|(in_flight, _)| *in_flight == id) else {
            return false;
        };
        self.failing = true;
        self.changes += 1;
        let later = mem::replace(&mut self.waiting, batch);
        for (id, write) in later.artifacts {
            self.write(id, write);
        }
        if let Some(control_plane) = later.control_plane {
            self.waiting.control_plane = Some(control_plane);
        }
        true
    }
}
