//! What people do with applications: map keys to them, and delete them.

use std::collections::BTreeSet;
use std::sync::Arc;

use driftless_gateway::model::Application;
use driftless_gateway::time::Instant;

use super::grants::Grants;
use crate::apim::ids::{ApplicationIndex, KeyIndex, organization_key};
use crate::apim::ledger::Cause;
use crate::apim::tables::keys::KeyOwner;
use crate::story::aim::OrganizationIndex;
use crate::story::step::{MapKey, NamedApplication};

impl Grants<'_> {
    /// The application of that name, created where there is none.
    pub(in crate::apim) fn application(
        &mut self,
        of: OrganizationIndex,
        name: &str,
        now: Instant,
    ) -> ApplicationIndex {
        if let Some(index) = self.access.applications.existing(of, name) {
            return index;
        }
        let index = self.access.applications.add(of, organization_key(self.key, of), name);
        self.set_application(index, Some(BTreeSet::new()), now);
        index
    }

    /// Says which keys an application has, or that it is gone; returns whether that is news.
    pub(in crate::apim) fn set_application(
        &mut self,
        index: ApplicationIndex,
        keys: Option<BTreeSet<KeyIndex>>,
        now: Instant,
    ) -> bool {
        let Some(row) = self.access.applications.rows.get_mut(index) else { return false };
        if row.row.now() == keys.as_ref() {
            return false;
        }
        let name = row.name.to_string();
        let uuid = |key: &KeyIndex| self.access.keys.get(*key).map(|row| row.uuid.clone());
        let what = keys
            .as_ref()
            .map(|keys| Application { name, keys: keys.iter().filter_map(uuid).collect() });
        row.row.say(keys, now, now, Cause::People);
        let (of, id, name) = (row.organization, row.id.clone(), Arc::clone(&row.name));
        self.gateways.note_for(of, |ledger| ledger.say_application(&id, &name, what.clone(), now));
        true
    }

    /// Changes which keys an application has, and tells so.
    pub(in crate::apim) fn change_mapping(
        &mut self,
        index: ApplicationIndex,
        now: Instant,
        change: impl FnOnce(&mut BTreeSet<KeyIndex>),
    ) -> bool {
        let row = self.access.applications.get(index);
        let Some(mut keys) = row.and_then(|row| row.row.now()).cloned() else { return false };
        change(&mut keys);
        let did = self.set_application(index, Some(keys), now);
        if did {
            self.events().tell_application(index, now);
        }
        did
    }

    /// Lets a key of an API belong to an application, and to no other. An APIM knows no such
    /// mapping for a gateway.
    pub(in crate::apim) fn map_key(
        &mut self,
        of: OrganizationIndex,
        map: &MapKey,
        now: Instant,
    ) -> bool {
        let Some(key) = self.key_to_map(of, map) else { return false };
        let index = self.application(of, &map.application, now);
        match self.access.applications.of_key(key) {
            Some(before) if before == index => return false,
            Some(before) => {
                self.change_mapping(before, now, |keys| {
                    keys.remove(&key);
                });
            }
            None => {}
        }
        self.change_mapping(index, now, |keys| {
            keys.insert(key);
        })
    }

    /// Takes a key of an API from its application.
    pub(in crate::apim) fn unmap_key(
        &mut self,
        of: OrganizationIndex,
        map: &MapKey,
        now: Instant,
    ) -> bool {
        let Some(key) = self.key_to_map(of, map) else { return false };
        let applications = &self.access.applications;
        let Some(index) = applications.existing(of, &map.application) else { return false };
        self.change_mapping(index, now, |keys| {
            keys.remove(&key);
        })
    }

    fn key_to_map(&self, of: OrganizationIndex, map: &MapKey) -> Option<KeyIndex> {
        let api = self.catalog.existing(of, &map.api).filter(|_| !self.contract.keeps_events())?;
        self.access.keys.active(KeyOwner::Api(api), &map.name, &map.user)
    }

    /// Deletes an application with its subscriptions and its own keys. An APIM tells gateways
    /// nothing of it (§2.7).
    pub(in crate::apim) fn delete_application(
        &mut self,
        of: OrganizationIndex,
        named: &NamedApplication,
        now: Instant,
    ) -> bool {
        let applications = &self.access.applications;
        let Some(index) = applications.existing(of, &named.application) else { return false };
        let own = self.access.keys.of(KeyOwner::Application(index));
        let live = own.filter(|(_, row)| row.is_active());
        for key in live.map(|(key, _)| key).collect::<Vec<_>>() {
            if self.contract.keeps_events() {
                self.end_key(key, None, now);
            } else {
                self.revoke(key, now);
            }
        }
        for subscription in self.access.subscriptions.of_application(index) {
            self.end_subscription(subscription, now);
        }
        self.set_application(index, None, now);
        self.events().tell_application(index, now);
        true
    }
}
