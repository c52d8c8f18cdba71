//! What is believed of keys, subscriptions, plans and applications.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::durable::ObservedSet;
use crate::engine::status::counts::Counts;
use crate::engine::status::report::StatusKind;
use crate::model::{
    ArtifactId, Credential, KeySlot, KeyUuid, Recovered, Resource, ResourceId, ResourceRow,
    SecretHash,
};
use crate::time::{Instant, Timestamp};

/// What a list may lack of a resource.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::engine) enum Part {
    /// All of it.
    Whole,
    /// One key of those that go by one name.
    Key(SecretHash),
}

/// That complete lists should name something and do not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::engine) struct Absence {
    /// When the first of them was asked for.
    pub(in crate::engine) since: Instant,
    /// When the first of them was asked for whose silence counts, because enough time had passed.
    pub(in crate::engine) again: Option<Instant>,
}

/// What is believed of one resource.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::engine) struct AccessBelief {
    /// What is written down of it.
    pub(in crate::engine) row: ResourceRow,
    /// When it was learnt.
    pub(in crate::engine) known_at: Instant,
    /// Parts that complete lists should name and do not.
    pub(in crate::engine) absent: BTreeMap<Part, Absence>,
    /// Whether it is not to be relied on until a list settles it: the order of two events could
    /// not be told, or one could not be understood in full.
    pub(in crate::engine) is_doubtful: bool,
}

impl AccessBelief {
    /// A belief learnt at `known_at`, without doubt.
    pub(in crate::engine) const fn new(row: ResourceRow, known_at: Instant) -> Self {
        Self { row, known_at, absent: BTreeMap::new(), is_doubtful: false }
    }

    /// Whether it is gone, and only remembered so that nothing late brings it back.
    pub(in crate::engine) const fn is_gone(&self) -> bool {
        self.row.resource.is_none()
    }

    /// Whether it is gone without a doubt, so that it may be forgotten one day.
    pub(in crate::engine) const fn is_forgettable(&self) -> bool {
        self.is_gone() && !self.is_doubtful
    }

    /// Whether a list that agrees has nothing to change.
    pub(in crate::engine) fn is_at_rest(&self) -> bool {
        self.absent.is_empty() && !self.is_doubtful
    }

    /// What the belief counts for.
    fn share(&self) -> Counts {
        let (held, unlisted) = match &self.row.resource {
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
            gone: usize::from(self.is_forgettable()),
            doubtful: usize::from(self.is_doubtful),
            missing: self.absent.len(),
            ..Counts::default()
        }
    }

    /// The artifact that the resource belongs to.
    fn artifact(&self, id: &ResourceId) -> Option<ArtifactId> {
        match (id, &self.row.resource) {
            (ResourceId::ApiKey(artifact, _), _) => Some(artifact.clone()),
            (_, Some(Resource::Subscription(subscription))) => Some(subscription.artifact.clone()),
            _ => None,
        }
    }
}

/// Every belief, and what is counted of them.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Access {
    beliefs: BTreeMap<ResourceId, AccessBelief>,
    /// Keys and subscriptions by their artifact, those of unknown artifacts among them.
    by_artifact: BTreeMap<ArtifactId, BTreeSet<ResourceId>>,
    counts: [Counts; 4],
    /// Artifacts that were deployed when last looked at: the key list of APIM names the keys of
    /// deployed APIs only, so a deployment asks for it (A-H34).
    pub(in crate::engine) deployed: BTreeSet<ArtifactId>,
    /// Events that were not kept because too many parents were unknown.
    pub(in crate::engine) dropped: u64,
}

impl Access {
    /// What a store held. When it was learnt is not durable, so it counts as learnt now.
    pub(in crate::engine) fn recover(recovered: &Recovered, now: Instant) -> Self {
        let mut access = Self::default();
        for (id, row) in &recovered.resources {
            access.set(id, Some(AccessBelief::new(row.clone(), now)));
        }
        let deployed = recovered.rows.iter().filter(|(_, row)| row.is_served());
        access.deployed = deployed.map(|(id, _)| id.clone()).collect();
        access
    }

    /// The belief about a resource.
    pub(in crate::engine) fn get(&self, id: &ResourceId) -> Option<&AccessBelief> {
        self.beliefs.get(id)
    }

    /// The resource as it is believed to be.
    pub(in crate::engine) fn resource(&self, id: &ResourceId) -> Option<&Resource> {
        self.beliefs.get(id)?.row.resource.as_ref()
    }

    /// The stamp of the newest event that replaced or ended a resource.
    pub(in crate::engine) fn fence(&self, id: &ResourceId) -> Option<Timestamp> {
        self.beliefs.get(id)?.row.fence
    }

    /// The keys of a name; none where nothing is known.
    pub(in crate::engine) fn slot(&self, id: &ResourceId) -> KeySlot {
        match self.resource(id) {
            Some(Resource::ApiKey(slot)) => slot.clone(),
            _ => KeySlot::default(),
        }
    }

    /// Every belief, by id.
    pub(in crate::engine) fn iter(&self) -> impl Iterator<Item = (&ResourceId, &AccessBelief)> {
        self.beliefs.iter()
    }

    /// The keys and subscriptions of an artifact.
    pub(in crate::engine) fn of_artifact(
        &self,
        artifact: &ArtifactId,
    ) -> impl Iterator<Item = &ResourceId> {
        self.by_artifact.get(artifact).into_iter().flatten()
    }

    /// The artifacts that keys and subscriptions name, each with how many do.
    pub(in crate::engine) fn artifacts(&self) -> impl Iterator<Item = (&ArtifactId, usize)> {
        self.by_artifact.iter().map(|(artifact, ids)| (artifact, ids.len()))
    }

    /// Writes down what is believed from now on; it was learnt at `known_at`.
    pub(in crate::engine) fn believe(
        &mut self,
        id: &ResourceId,
        row: ResourceRow,
        known_at: Instant,
        observed: &mut ObservedSet,
    ) {
        let is_same = self.get(id).is_some_and(|known| known.row == row);
        self.set(id, Some(AccessBelief::new(row.clone(), known_at)));
        if !is_same {
            observed.write_resource(id.clone(), Some(row));
        }
    }

    /// No list speaks of the subscriptions of an artifact any more, so none is missing from one.
    /// Returns whether any was.
    pub(in crate::engine) fn forget_absences(&mut self, artifact: &ArtifactId) -> bool {
        let before = self.counts(StatusKind::Subscription).missing;
        for id in self.of_artifact(artifact).cloned().collect::<Vec<_>>() {
            let missing = self.get(&id).filter(|known| !known.absent.is_empty());
            if let (ResourceId::Subscription(_), Some(known)) = (&id, missing) {
                let belief = AccessBelief { absent: BTreeMap::new(), ..known.clone() };
                self.set(&id, Some(belief));
            }
        }
        self.counts(StatusKind::Subscription).missing < before
    }

    /// Forgets a resource, and that it ever was.
    pub(in crate::engine) fn forget(&mut self, id: ResourceId, observed: &mut ObservedSet) {
        self.set(&id, None);
        observed.write_resource(id, None);
    }

    /// Replaces a belief, or forgets it.
    pub(in crate::engine) fn set(&mut self, id: &ResourceId, belief: Option<AccessBelief>) {
        let after = belief.as_ref().map(|belief| (belief.share(), belief.artifact(id)));
        let before = match belief {
            Some(belief) => self.beliefs.insert(id.clone(), belief),
            None => self.beliefs.remove(id),
        };
        let before = before.map(|belief| (belief.share(), belief.artifact(id)));
        let counts = &mut self.counts[place(kind_of(id))];
        if let Some((share, _)) = &before {
            counts.remove(share);
        }
        if let Some((share, _)) = &after {
            counts.add(share);
        }
        let artifact =
            |known: Option<(Counts, Option<ArtifactId>)>| known.and_then(|known| known.1);
        self.move_to(id, artifact(before), artifact(after));
    }

    fn move_to(&mut self, id: &ResourceId, from: Option<ArtifactId>, to: Option<ArtifactId>) {
        if from == to {
            return;
        }
        if let Some(artifact) = from
            && let Some(ids) = self.by_artifact.get_mut(&artifact)
        {
            ids.remove(id);
            if ids.is_empty() {
                self.by_artifact.remove(&artifact);
            }
        }
        if let Some(artifact) = to {
            self.by_artifact.entry(artifact).or_default().insert(id.clone());
        }
    }

    /// What is counted of a kind; artifacts are counted elsewhere, and all keys together.
    pub(in crate::engine) const fn counts(&self, kind: StatusKind) -> Counts {
        self.counts[place(kind)]
    }

    /// How many are remembered as gone.
    pub(in crate::engine) fn gone(&self) -> usize {
        self.counts.iter().map(|counts| counts.gone).sum()
    }

    /// How many keys applications map that are not held (C-H50).
    pub(in crate::engine) fn unbound_keys(&self) -> usize {
        let resources = || self.beliefs.values().filter_map(|belief| belief.row.resource.as_ref());
        let held: BTreeSet<&KeyUuid> = resources()
            .filter_map(|resource| match resource {
                Resource::ApiKey(slot) => Some(slot.credentials.iter()),
                _ => None,
            })
            .flatten()
            .filter_map(|key| key.uuid.as_ref())
            .collect();
        resources()
            .filter_map(|resource| match resource {
                Resource::Application(application) => Some(&application.keys),
                _ => None,
            })
            .flatten()
            .filter(|uuid| !held.contains(uuid))
            .count()
    }

    /// How many keys and subscriptions are believed anything about, those of unknown artifacts
    /// among them.
    pub(in crate::engine) fn below_artifacts(&self) -> usize {
        let [keys, subscriptions, ..] = &self.counts;
        [keys, subscriptions].map(|counts| counts.held + counts.gone).iter().sum()
    }
}

/// The kind that a resource is counted under.
pub(in crate::engine) const fn kind_of(id: &ResourceId) -> StatusKind {
    match id {
        ResourceId::ApiKey(..) => StatusKind::ApiKey,
        ResourceId::Subscription(_) => StatusKind::Subscription,
        ResourceId::Plan(_) => StatusKind::Plan,
        ResourceId::Application(_) => StatusKind::Application,
    }
}

const fn place(kind: StatusKind) -> usize {
    match kind {
        StatusKind::Artifact(_) | StatusKind::ApiKey | StatusKind::ApplicationKey => 0,
        StatusKind::Subscription => 1,
        StatusKind::Plan => 2,
        StatusKind::Application => 3,
    }
}
