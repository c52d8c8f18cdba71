//! Keys, subscriptions, plans and applications: what is believed of them (laws 2 to 6, 11).
//!
//! They follow the rule that artifacts follow: a read asked at `t` overrules what was learnt at
//! `k` only when `t >= k + read_lag_max`, and absence counts only twice. Two things differ. There
//! is no question about a single one, so a second complete list is all the evidence there can be
//! (law 4). And where order cannot be told, the answer that opens less is taken until a list
//! settles it: a dead credential must not open an API (law 11).

mod events;
mod keys;
mod list;

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::status::counts::Counts;
use crate::engine::status::report::ResourceKind;
use crate::model::{
    ArtifactId, Credential, KeySlot, KeyUuid, Recovered, Resource, ResourceId, ResourceRow,
};
use crate::time::Instant;

/// What is believed of one resource.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::engine) struct Belief {
    /// What is written down of it.
    pub(in crate::engine) row: ResourceRow,
    /// When it was learnt.
    pub(in crate::engine) learnt: Instant,
    /// Since when lists that should name it, or part of it, do not.
    pub(in crate::engine) missing_since: Option<Instant>,
    /// Whether it is not to be relied on until a list settles it: the order of two events could
    /// not be told, or one could not be understood in full.
    pub(in crate::engine) is_doubtful: bool,
}

impl Belief {
    /// A belief learnt now, without doubt.
    pub(in crate::engine) const fn new(row: ResourceRow, now: Instant) -> Self {
        Self { row, learnt: now, missing_since: None, is_doubtful: false }
    }

    /// Whether it is gone, and only remembered so that nothing late brings it back.
    pub(in crate::engine) const fn is_gone(&self) -> bool {
        self.row.resource.is_none()
    }
}

/// Every belief, and what is counted of them.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Roster {
    beliefs: BTreeMap<ResourceId, Belief>,
    /// Keys and subscriptions by their artifact, those of unknown artifacts among them.
    by_artifact: BTreeMap<ArtifactId, BTreeSet<ResourceId>>,
    counts: [Counts; 4],
    /// Artifacts that were deployed when last looked at: the key list of APIM names the keys of
    /// deployed APIs only, so a deployment asks for it (A-H34).
    pub(in crate::engine) deployed: BTreeSet<ArtifactId>,
    /// Events that were not kept because too many parents were unknown.
    pub(in crate::engine) parked_dropped: u64,
}

impl Roster {
    /// What a store held. When it was learnt is not durable, so it counts as learnt now.
    pub(in crate::engine) fn recover(recovered: &Recovered, now: Instant) -> Self {
        let mut roster = Self::default();
        for (id, row) in &recovered.resources {
            roster.set(id, Some(Belief::new(row.clone(), now)));
        }
        let deployed = recovered.rows.iter().filter(|(_, row)| row.is_served());
        roster.deployed = deployed.map(|(id, _)| id.clone()).collect();
        roster
    }

    /// The belief about a resource.
    pub(in crate::engine) fn get(&self, id: &ResourceId) -> Option<&Belief> {
        self.beliefs.get(id)
    }

    /// The resource as it is believed to be.
    pub(in crate::engine) fn resource(&self, id: &ResourceId) -> Option<&Resource> {
        self.beliefs.get(id)?.row.resource.as_ref()
    }

    /// The keys of a name; none where nothing is known.
    pub(in crate::engine) fn slot(&self, id: &ResourceId) -> KeySlot {
        match self.resource(id) {
            Some(Resource::ApiKey(slot)) => slot.clone(),
            _ => KeySlot::default(),
        }
    }

    /// Every belief, by id.
    pub(in crate::engine) fn iter(&self) -> impl Iterator<Item = (&ResourceId, &Belief)> {
        self.beliefs.iter()
    }

    /// The keys and subscriptions of an artifact.
    pub(in crate::engine) fn of_artifact(
        &self,
        artifact: &ArtifactId,
    ) -> impl Iterator<Item = &ResourceId> {
        self.by_artifact.get(artifact).into_iter().flatten()
    }

    /// The artifacts that keys and subscriptions name.
    pub(in crate::engine) fn artifacts(&self) -> impl Iterator<Item = (&ArtifactId, usize)> {
        self.by_artifact.iter().map(|(artifact, ids)| (artifact, ids.len()))
    }

    /// Replaces a belief, or forgets it.
    pub(in crate::engine) fn set(&mut self, id: &ResourceId, belief: Option<Belief>) {
        let before = match &belief {
            Some(belief) => self.beliefs.insert(id.clone(), belief.clone()),
            None => self.beliefs.remove(id),
        };
        let counts = &mut self.counts[place(kind_of(id))];
        if let Some(before) = &before {
            counts.remove(&share(before));
        }
        if let Some(after) = &belief {
            counts.add(&share(after));
        }
        let (before, after) = (
            before.as_ref().and_then(|belief| parent_of(id, belief)),
            belief.as_ref().and_then(|belief| parent_of(id, belief)),
        );
        if before == after {
            return;
        }
        if let Some(artifact) = before
            && let Some(ids) = self.by_artifact.get_mut(&artifact)
        {
            ids.remove(id);
            if ids.is_empty() {
                self.by_artifact.remove(&artifact);
            }
        }
        if let Some(artifact) = after {
            self.by_artifact.entry(artifact).or_default().insert(id.clone());
        }
    }

    /// What is counted of a kind; artifacts are counted elsewhere.
    pub(in crate::engine) const fn counts(&self, kind: ResourceKind) -> Counts {
        self.counts[place(kind)]
    }

    /// How many are remembered as gone.
    pub(in crate::engine) fn gone(&self) -> usize {
        self.counts.iter().map(|counts| counts.gone).sum()
    }

    /// The UUIDs of all keys that are held and came with one.
    pub(in crate::engine) fn key_uuids(&self) -> BTreeSet<&KeyUuid> {
        let slots = self.beliefs.values().filter_map(|belief| match &belief.row.resource {
            Some(Resource::ApiKey(slot)) => Some(slot),
            _ => None,
        });
        slots.flat_map(|slot| slot.credentials.iter()).filter_map(|key| key.uuid.as_ref()).collect()
    }

    /// How many keys and subscriptions are believed anything about, those of unknown artifacts
    /// among them.
    fn below_artifacts(&self) -> usize {
        let [keys, subscriptions, ..] = &self.counts;
        [keys, subscriptions].map(|counts| counts.held + counts.gone).iter().sum()
    }
}

/// The kind that a resource is counted under.
pub(in crate::engine) const fn kind_of(id: &ResourceId) -> ResourceKind {
    match id {
        ResourceId::ApiKey(..) => ResourceKind::ApiKey,
        ResourceId::Subscription(_) => ResourceKind::Subscription,
        ResourceId::Plan(_) => ResourceKind::Plan,
        ResourceId::Application(_) => ResourceKind::Application,
    }
}

const fn place(kind: ResourceKind) -> usize {
    match kind {
        ResourceKind::Artifact(_) | ResourceKind::ApiKey => 0,
        ResourceKind::Subscription => 1,
        ResourceKind::Plan => 2,
        ResourceKind::Application => 3,
    }
}

fn parent_of(id: &ResourceId, belief: &Belief) -> Option<ArtifactId> {
    match (id, &belief.row.resource) {
        (ResourceId::ApiKey(artifact, _), _) => Some(artifact.clone()),
        (_, Some(Resource::Subscription(subscription))) => Some(subscription.artifact.clone()),
        _ => None,
    }
}

/// What a belief counts for.
fn share(belief: &Belief) -> Counts {
    let (held, unlisted) = match &belief.row.resource {
        Some(Resource::ApiKey(slot)) => {
            let unlisted = |key: &&Credential| !key.is_listable;
            (slot.credentials.len(), slot.credentials.iter().filter(unlisted).count())
        }
        Some(_) => (1, 0),
        None => (0, 0),
    };
    Counts {
        held,
        unlisted,
        gone: usize::from(belief.is_gone()),
        doubtful: usize::from(belief.is_doubtful),
        missing: usize::from(belief.missing_since.is_some()),
        ..Counts::default()
    }
}
