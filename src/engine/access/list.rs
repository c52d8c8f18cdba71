//! Bulk answers about keys, subscriptions and plans, merged by the rule of
//! [`evidence`](crate::engine::evidence).

use std::collections::BTreeMap;

use super::belief::{Absence, Access, AccessBelief, Part};
use super::endings;
use super::keys::{self, Silence};
use crate::engine::artifacts::Artifacts;
use crate::engine::artifacts::belief::{Intent, Presence};
use crate::engine::config::Config;
use crate::engine::discovery::Discovery;
use crate::engine::durable::ObservedSet;
use crate::engine::evidence::{may_contradict, settled_at};
use crate::engine::lists::schedule::{ListId, Lists};
use crate::model::{
    ArtifactId, Credential, Dialect, KeyName, Kind, Listed, ListedKey, Plan, PlanId, Resource,
    ResourceId, ResourceRow, Subscription, SubscriptionId,
};
use crate::time::Instant;

/// The keys that a list names under one name.
#[derive(Default)]
struct Named {
    active: Vec<Credential>,
    dead: Vec<Credential>,
}

/// What a list says of one resource that is known, or is new.
struct Statement {
    resource: Option<Resource>,
    /// What the list should name and does not, as long as that does not count.
    missing: Vec<Part>,
    /// Whether the list is all there is to say; one that is not ends no absence.
    is_complete: bool,
    /// Whether it covers the resource; one that does not settles no doubt.
    is_covered: bool,
}

fn name_of(item: &ListedKey) -> (&ArtifactId, &KeyName) {
    (&item.artifact, &item.name)
}

fn is_named(item: &ListedKey, id: &ResourceId) -> bool {
    matches!(id, ResourceId::ApiKey(artifact, name) if name_of(item) == (artifact, name))
}

/// The first of two names in the order of ids.
fn first_name(known: Option<&ResourceId>, listed: Option<&ListedKey>) -> Option<ResourceId> {
    let listed = listed.map(|item| ResourceId::ApiKey(item.artifact.clone(), item.name.clone()));
    match known {
        Some(known) if listed.as_ref().is_none_or(|listed| known <= listed) => Some(known.clone()),
        _ => listed,
    }
}

/// Takes a well-formed list about access in.
pub(in crate::engine) struct AccessList<'a> {
    pub(in crate::engine) config: &'a Config,
    pub(in crate::engine) discovery: &'a Discovery,
    pub(in crate::engine) artifacts: &'a Artifacts,
    pub(in crate::engine) access: &'a mut Access,
    pub(in crate::engine) lists: &'a mut Lists,
    pub(in crate::engine) observed: &'a mut ObservedSet,
    /// When the list was asked for.
    pub(in crate::engine) asked_at: Instant,
    pub(in crate::engine) now: Instant,
}

impl AccessList<'_> {
    /// Merges the keys of one kind of artifact.
    pub(in crate::engine) fn merge_keys(&mut self, kind: Kind, listed: Listed<ListedKey>) {
        let is_complete = listed.is_complete();
        let mut listed = listed.items;
        // An API that is believed deleted has no keys; when it comes back the list is read again.
        listed.retain(|item| !self.artifacts.is_deleted(&item.artifact));
        listed.sort_by(|one, other| name_of(one).cmp(&name_of(other)));
        let mut listed = listed.into_iter().peekable();
        let mut known = self.key_slots(kind).into_iter().peekable();
        while let Some(id) = first_name(known.peek(), listed.peek()) {
            known.next_if_eq(&id);
            let mut named = Named::default();
            while let Some(item) = listed.next_if(|item| is_named(item, &id)) {
                let list = if item.is_active { &mut named.active } else { &mut named.dead };
                list.push(Credential { is_listable: true, ..item.credential });
            }
            self.merge_name(&id, &named, kind, is_complete);
        }
    }

    /// Merges the keys of one name.
    fn merge_name(&mut self, id: &ResourceId, named: &Named, kind: Kind, is_complete: bool) {
        self.note_listable(id, &named.active);
        let known = self.access.slot(id);
        let silence = |key: &Credential| {
            if !is_complete || !self.covers(id, key) {
                Silence::SaysNothing
            } else if self.absence_counts(id, Part::Key(key.hash)) {
                Silence::Ends
            } else {
                Silence::IsNoted
            }
        };
        let listed = keys::listed(&known, &named.active, &named.dead, silence);
        let missing = listed.missing.into_iter().map(Part::Key).collect();
        let is_covered = self.covers_name(id);
        let resource = keys::there(listed.slot);
        let statement = Statement { resource, missing, is_complete, is_covered };
        self.weigh(id, statement, &ListId::Keys(kind));
    }

    /// That a list names a key shows that lists do so, however old this one is: from then on their
    /// silence about it counts.
    fn note_listable(&mut self, id: &ResourceId, named: &[Credential]) {
        let Some(belief) = self.access.get(id) else { return };
        let Some(Resource::ApiKey(slot)) = &belief.row.resource else { return };
        let Some(slot) = keys::listable(slot, named) else { return };
        let mut belief = belief.clone();
        belief.row.resource = keys::there(slot);
        self.observed.write_resource(id.clone(), Some(belief.row.clone()));
        self.access.set(id, Some(belief));
    }

    /// Merges the subscriptions of one artifact.
    pub(in crate::engine) fn merge_subscriptions(
        &mut self,
        artifact: &ArtifactId,
        listed: Listed<(SubscriptionId, Subscription)>,
    ) {
        let is_complete = listed.is_complete();
        let items = listed.items.into_iter();
        let listed = items
            .map(|(id, item)| (ResourceId::Subscription(id), Resource::Subscription(item.into())))
            .collect();
        let is_one = |id: &&ResourceId| matches!(id, ResourceId::Subscription(_));
        let known = self.access.of_artifact(artifact).filter(is_one).cloned().collect();
        let list = ListId::Subscriptions(artifact.clone());
        self.merge_whole(listed, known, is_complete, &list);
    }

    /// Merges the subscription plans.
    pub(in crate::engine) fn merge_plans(&mut self, listed: Listed<(PlanId, Plan)>) {
        let is_complete = listed.is_complete();
        let items = listed.items.into_iter();
        let listed = items.map(|(id, item)| (ResourceId::Plan(id), Resource::Plan(item))).collect();
        let is_one = |id: &&ResourceId| matches!(id, ResourceId::Plan(_));
        let known = self.access.iter().map(|(id, _)| id).filter(is_one).cloned().collect();
        self.merge_whole(listed, known, is_complete, &ListId::Plans);
    }

    /// Merges resources that a list names whole or not at all.
    fn merge_whole(
        &mut self,
        mut listed: BTreeMap<ResourceId, Resource>,
        known: Vec<ResourceId>,
        is_complete: bool,
        list: &ListId,
    ) {
        for id in known {
            if listed.contains_key(&id) {
                continue;
            }
            let Some(belief) = self.access.get(&id) else { continue };
            let held = belief.row.resource.clone();
            let is_gone = is_complete && self.absence_counts(&id, Part::Whole);
            let resource = held.filter(|_| !is_gone);
            let is_missing = is_complete && resource.is_some();
            let missing = if is_missing { vec![Part::Whole] } else { Vec::new() };
            let statement = Statement { resource, missing, is_complete, is_covered: true };
            self.weigh(&id, statement, list);
        }
        while let Some((id, resource)) = listed.pop_first() {
            let resource = Some(resource);
            let missing = Vec::new();
            let statement = Statement { resource, missing, is_complete: true, is_covered: true };
            self.weigh(&id, statement, list);
        }
    }

    /// Takes the statement of a list that was asked for late enough; otherwise asks again.
    fn weigh(&mut self, id: &ResourceId, statement: Statement, list: &ListId) {
        let (lag, asked_at) = (self.config.read_lag_max, self.asked_at);
        let Statement { resource, missing, is_complete, is_covered } = statement;
        let Some(known) = self.access.get(id) else {
            if resource.is_some() {
                let row = ResourceRow::new(resource, None);
                self.access.believe(id, row, self.now, self.observed);
            }
            return;
        };
        let is_same = known.row.resource == resource;
        if !may_contradict(asked_at, known.known_at, lag) {
            if !is_same || !missing.is_empty() || known.is_doubtful {
                self.lists.relist(list, settled_at(known.known_at, lag));
            }
            return;
        }
        if is_same && missing.is_empty() && known.is_at_rest() {
            // By far the most rows say what is known and settled.
            return;
        }
        if is_same && !is_complete {
            self.lists.relist(list, settled_at(self.now, lag));
            return;
        }
        let absence = |part: Part| (part, self.absence(known, part));
        let absent: BTreeMap<Part, Absence> = missing.into_iter().map(absence).collect();
        let row = endings::row_with(&known.row, resource);
        let known_at = if is_same { known.known_at } else { self.now };
        let is_doubtful = known.is_doubtful && !(is_complete && is_covered);
        let kept = if is_complete { BTreeMap::new() } else { known.absent.clone() };
        self.access.believe(id, row, known_at, self.observed);
        if (is_doubtful || !kept.is_empty())
            && let Some(known) = self.access.get(id)
        {
            let belief = AccessBelief { absent: kept, is_doubtful, ..known.clone() };
            self.access.set(id, Some(belief));
        }
        if !absent.is_empty() {
            self.miss(id, absent, list);
        }
    }

    /// A part is missing from this list, too.
    fn absence(&self, known: &AccessBelief, part: Part) -> Absence {
        let absence = known.absent.get(&part).copied();
        let absence = absence.unwrap_or(Absence { since: self.asked_at, again: None });
        let counts = self.asked_at >= self.counts_from(absence.since);
        Absence { again: absence.again.or(counts.then_some(self.asked_at)), ..absence }
    }

    /// A list lacks something that it should name. It is read once more soon, so that one answer
    /// gone wrong is seen for what it is, and then when its silence counts.
    fn miss(&mut self, id: &ResourceId, absent: BTreeMap<Part, Absence>, list: &ListId) {
        let soon = settled_at(self.now, self.config.read_lag_max);
        for Absence { since, again } in absent.values() {
            let is_first = self.asked_at == *since;
            let next = if is_first { soon } else { self.counts_from(*since).max(soon) };
            self.lists.relist(list, next);
            if let Some(again) = again
                && matches!(list, ListId::Keys(_))
            {
                let settled_at = settled_at(*again, self.config.read_lag_max);
                if self.lists.read_at(&ListId::Artifacts) < Some(settled_at) {
                    self.lists.relist(&ListId::Artifacts, settled_at);
                }
            }
        }
        if let Some(known) = self.access.get(id) {
            let belief = AccessBelief { absent, ..known.clone() };
            self.access.set(id, Some(belief));
        }
    }

    /// When a second list without something counts (law 4).
    fn counts_from(&self, since: Instant) -> Instant {
        since.after(self.config.credential_orphan_delay)
    }

    /// Whether this list, which lacks a part of a resource, says that it is gone: a second one
    /// late enough, or where that proves too little, a further one.
    fn absence_counts(&self, id: &ResourceId, part: Part) -> bool {
        let Some(known) = self.access.get(id) else { return false };
        let Some(absence) = known.absent.get(&part) else { return false };
        let is_second = self.asked_at >= self.counts_from(absence.since);
        let is_enough = match id {
            ResourceId::ApiKey(artifact, _) if !self.discovery.is_platform() => {
                absence.again.is_some_and(|again| self.was_listed(artifact, again))
            }
            _ => is_second,
        };
        is_enough && may_contradict(self.asked_at, known.known_at, self.config.read_lag_max)
    }

    /// Whether the list of artifacts names an artifact that the key list spoke of at `again`. APIM
    /// reads both lists from one table and lists the keys of deployed APIs only, so a key that is
    /// missing may only say that the row is, or that an undeploy was not heard (A-H14, A-H35).
    fn was_listed(&self, artifact: &ArtifactId, again: Instant) -> bool {
        let known = self.artifacts.beliefs.get(artifact);
        let is_present = known.is_some_and(|known| known.presence == Presence::Listed);
        let read_at = self.lists.read_at(&ListId::Artifacts);
        let lag = self.config.read_lag_max;
        is_present
            && self.artifacts.is_listed(artifact)
            && read_at.is_some_and(|read_at| may_contradict(read_at, again, lag))
    }

    /// Whether the list names every key of this name that lists ever name.
    fn covers_name(&self, id: &ResourceId) -> bool {
        let ResourceId::ApiKey(artifact, _) = id else { return false };
        self.artifacts.beliefs.get(artifact).is_some_and(|known| match self.discovery.dialect() {
            Some(Dialect::PlatformApi11) => known.intent != Intent::Deleted,
            _ => known.intent == Intent::Deployed && known.presence == Presence::Listed,
        })
    }

    /// Whether the list would name this key if it lived. APIM lists the API-scoped keys of APIs
    /// that are deployed here, by the same table that may have lost a row (A-H28, A-H35).
    fn covers(&self, id: &ResourceId, key: &Credential) -> bool {
        self.covers_name(id) && (key.is_listable || self.discovery.is_platform())
    }

    /// The names of keys on artifacts of this kind; those on unknown artifacts are not spoken of.
    fn key_slots(&self, kind: Kind) -> Vec<ResourceId> {
        let is_of_kind = |id: &&ResourceId| match id {
            ResourceId::ApiKey(artifact, _) => {
                self.artifacts.beliefs.get(artifact).is_some_and(|desired| desired.kind == kind)
            }
            _ => false,
        };
        self.access.iter().map(|(id, _)| id).filter(is_of_kind).cloned().collect()
    }
}
