//! Bulk answers about keys, subscriptions and plans, merged by the rule of [`crate::engine`].

use std::collections::BTreeMap;

use super::{Belief, keys};
use crate::engine::Engine;
use crate::engine::artifacts::belief::Intent;
use crate::engine::lists::schedule::ListId;
use crate::model::{
    ArtifactId, Credential, Dialect, KeyName, Kind, ListedKey, Plan, PlanId, Resource, ResourceId,
    Roll, Subscription, SubscriptionId,
};
use crate::time::Instant;

/// The keys that a list names under one name.
#[derive(Default)]
struct Named {
    active: Vec<Credential>,
    dead: Vec<Credential>,
}

/// What a list says of one resource that is known, or is new.
struct Word {
    resource: Option<Resource>,
    /// Whether something that the list should name is not on it.
    is_missing_some: bool,
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

impl Engine {
    /// Merges the keys of one kind of artifact.
    pub(in crate::engine) fn merge_keys(
        &mut self,
        kind: Kind,
        roll: Roll<ListedKey>,
        asked_at: Instant,
    ) {
        let is_complete = roll.is_complete();
        let mut listed = roll.items;
        // An API that is believed deleted has no keys; when it comes back the list is read again.
        listed.retain(|item| !self.is_deleted(&item.artifact));
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
            self.merge_name(&id, &named, kind, is_complete, asked_at);
        }
    }

    /// Merges the keys of one name.
    fn merge_name(
        &mut self,
        id: &ResourceId,
        named: &Named,
        kind: Kind,
        is_complete: bool,
        asked_at: Instant,
    ) {
        let may_end = self.absence_counts(id, is_complete, asked_at);
        let known = self.roster.slot(id);
        let covers = |key: &Credential| is_complete && self.covers(id, key);
        let listed = keys::listed(&known, &named.active, &named.dead, covers, may_end);
        let resource = keys::there(listed.slot);
        let word = Word { resource, is_missing_some: listed.is_missing_some };
        self.weigh(id, word, &ListId::Keys(kind), asked_at);
    }

    /// Merges the subscriptions of one artifact.
    pub(in crate::engine) fn merge_subscriptions(
        &mut self,
        artifact: &ArtifactId,
        roll: Roll<(SubscriptionId, Subscription)>,
        asked_at: Instant,
    ) {
        let is_complete = roll.is_complete();
        let items = roll.items.into_iter();
        let listed = items
            .map(|(id, item)| (ResourceId::Subscription(id), Resource::Subscription(item.into())))
            .collect();
        let is_one = |id: &&ResourceId| matches!(id, ResourceId::Subscription(_));
        let known = self.roster.of_artifact(artifact).filter(is_one).cloned().collect();
        let list = ListId::Subscriptions(artifact.clone());
        self.merge_whole(listed, known, is_complete, &list, asked_at);
    }

    /// Merges the subscription plans.
    pub(in crate::engine) fn merge_plans(&mut self, roll: Roll<(PlanId, Plan)>, asked_at: Instant) {
        let is_complete = roll.is_complete();
        let items = roll.items.into_iter();
        let listed = items.map(|(id, item)| (ResourceId::Plan(id), Resource::Plan(item))).collect();
        let is_one = |id: &&ResourceId| matches!(id, ResourceId::Plan(_));
        let known = self.roster.iter().map(|(id, _)| id).filter(is_one).cloned().collect();
        self.merge_whole(listed, known, is_complete, &ListId::Plans, asked_at);
    }

    /// Merges resources that a list names whole or not at all.
    fn merge_whole(
        &mut self,
        mut listed: BTreeMap<ResourceId, Resource>,
        known: Vec<ResourceId>,
        is_complete: bool,
        list: &ListId,
        asked_at: Instant,
    ) {
        for id in known {
            if listed.contains_key(&id) {
                continue;
            }
            let Some(belief) = self.roster.get(&id) else { continue };
            let held = belief.row.resource.clone();
            let is_missing_some = is_complete && held.is_some();
            let is_gone = self.absence_counts(&id, is_complete, asked_at);
            let word = Word { resource: held.filter(|_| !is_gone), is_missing_some };
            self.weigh(&id, word, list, asked_at);
        }
        while let Some((id, resource)) = listed.pop_first() {
            let word = Word { resource: Some(resource), is_missing_some: false };
            self.weigh(&id, word, list, asked_at);
        }
    }

    /// Takes the word of a list that was asked late enough; otherwise asks again.
    fn weigh(&mut self, id: &ResourceId, word: Word, list: &ListId, asked_at: Instant) {
        let Some(known) = self.roster.get(id) else {
            if word.resource.is_some() {
                self.believe(id, word.resource, None, asked_at);
            }
            return;
        };
        let settled = known.learnt.after(self.config.read_lag_max);
        let is_same = known.row.resource == word.resource;
        if asked_at < settled {
            if !is_same || word.is_missing_some || known.is_doubtful {
                self.lists.relist(list, settled);
            }
            return;
        }
        let fence = known.row.fence;
        let missing_since = match (word.is_missing_some, known.missing_since) {
            (true, known) => Some(known.unwrap_or(asked_at)),
            (false, _) => None,
        };
        let missing_since =
            missing_since.filter(|_| !self.absence_counts(id, word.is_missing_some, asked_at));
        if is_same {
            let mut belief = Belief { is_doubtful: false, ..known.clone() };
            belief.missing_since = missing_since;
            self.roster.set(id, Some(belief));
        } else {
            self.believe(id, word.resource, fence, asked_at);
            if let Some(known) = self.roster.get(id).filter(|_| missing_since.is_some()) {
                let belief = Belief { missing_since, ..known.clone() };
                self.roster.set(id, Some(belief));
            }
        }
        if let Some(since) = missing_since {
            let is_fresh = self.lists.read_at(&ListId::Artifacts).is_some_and(|at| at >= since);
            if matches!(list, ListId::Keys(_)) && !is_fresh {
                self.lists.relist(&ListId::Artifacts, asked_at);
            }
            // Once more soon, so that one answer gone wrong is seen for what it is, and then when
            // its silence counts.
            let soon = asked_at.after(self.config.read_lag_max);
            let again = if asked_at == since { soon } else { self.counts_from(since).max(soon) };
            self.lists.relist(list, again);
        }
    }

    /// When a second list without something counts (law 4).
    fn counts_from(&self, since: Instant) -> Instant {
        since.after(self.config.credential_orphan_delay)
    }

    /// Whether a complete list asked at `asked_at` is the second that lacks something of it.
    fn absence_counts(&self, id: &ResourceId, is_complete: bool, asked_at: Instant) -> bool {
        let known = self.roster.get(id);
        let since = known.and_then(|belief| belief.missing_since);
        let settled = known.map(|belief| belief.learnt.after(self.config.read_lag_max));
        is_complete
            && since.is_some_and(|since| {
                asked_at >= self.counts_from(since) && self.is_still_listed(id, since)
            })
            && settled.is_some_and(|settled| asked_at >= settled)
    }

    /// Whether a list of artifacts asked after `since` names the artifact of a key. APIM reads
    /// both lists from one table, so a key that is missing may only say that a row is (A-H14).
    fn is_still_listed(&self, id: &ResourceId, since: Instant) -> bool {
        let ResourceId::ApiKey(artifact, _) = id else { return true };
        let named = self.desired.get(artifact).is_some_and(|known| {
            known.listed_in == self.lists_merged && known.absent_since.is_none()
        });
        self.is_platform()
            || named && self.lists.read_at(&ListId::Artifacts).is_some_and(|at| at >= since)
    }

    /// Whether the list would name this key if it lived. APIM lists the API-scoped keys of APIs
    /// that are deployed here, by the same table that may have lost a row (A-H28, A-H35).
    fn covers(&self, id: &ResourceId, key: &Credential) -> bool {
        let ResourceId::ApiKey(artifact, _) = id else { return false };
        let Some(desired) = self.desired.get(artifact) else { return false };
        match self.dialect() {
            Some(Dialect::PlatformApi11) => desired.intent != Intent::Deleted,
            _ => {
                key.is_listable
                    && desired.intent == Intent::Deployed
                    && desired.absent_since.is_none()
            }
        }
    }

    /// The names of keys on artifacts of this kind; those on unknown artifacts are not spoken of.
    fn key_slots(&self, kind: Kind) -> Vec<ResourceId> {
        let is_of_kind = |id: &&ResourceId| match id {
            ResourceId::ApiKey(artifact, _) => {
                self.desired.get(artifact).is_some_and(|desired| desired.kind == kind)
            }
            _ => false,
        };
        self.roster.iter().map(|(id, _)| id).filter(is_of_kind).cloned().collect()
    }
}
