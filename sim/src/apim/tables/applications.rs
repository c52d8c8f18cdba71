//! Applications, and the keys that are theirs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use driftless_gateway::model::{Application, ApplicationId};
use driftless_gateway::time::Instant;

use super::keys::Owner;
use super::timeline::Timeline;
use crate::apim::ApiManager;
use crate::apim::ids::{ApplicationIndex, KeyIndex};
use crate::apim::ledger::Cause;
use crate::random::Key;
use crate::story::aim::OrganizationIndex;
use crate::story::step::{MapKey, NamedApplication};

/// An application.
pub(in crate::apim) struct ApplicationRow {
    /// Whose it is.
    pub(in crate::apim) organization: OrganizationIndex,
    /// Its name.
    pub(in crate::apim) name: Arc<str>,
    /// Its UUID.
    pub(in crate::apim) id: ApplicationId,
    /// Its keys: its own, and those mapped to it. A dead key stays until the mapping changes.
    pub(in crate::apim) row: Timeline<BTreeSet<KeyIndex>>,
}

/// Every application there ever was.
#[derive(Default)]
pub(in crate::apim) struct Applications {
    rows: Vec<ApplicationRow>,
    names: BTreeMap<(OrganizationIndex, Arc<str>), Vec<ApplicationIndex>>,
}

impl Applications {
    /// The application at a place.
    pub(in crate::apim) fn get(&self, index: ApplicationIndex) -> Option<&ApplicationRow> {
        self.rows.get(index)
    }

    /// The application of that name that an organization has.
    pub(in crate::apim) fn existing(
        &self,
        of: OrganizationIndex,
        name: &str,
    ) -> Option<ApplicationIndex> {
        let mut places = self.names.get(&(of, Arc::from(name)))?.iter().copied().rev();
        places.find(|&index| self.get(index).is_some_and(|row| row.row.now().is_some()))
    }

    /// The application that a key is mapped to.
    pub(in crate::apim) fn of_key(&self, key: KeyIndex) -> Option<ApplicationIndex> {
        let has = |row: &ApplicationRow| row.row.now().is_some_and(|keys| keys.contains(&key));
        self.rows.iter().position(has)
    }

    fn add(&mut self, of: OrganizationIndex, key: Key, name: &str) -> ApplicationIndex {
        let (name, index) = (Arc::<str>::from(name), self.rows.len());
        let places = self.names.entry((of, Arc::clone(&name))).or_default();
        let id =
            key.child("applications").child(&name).nth(places.len() as u64).uuid("application");
        places.push(index);
        let (id, row) = (ApplicationId::new(&id), Timeline::default());
        self.rows.push(ApplicationRow { organization: of, name, id, row });
        index
    }

    /// Goes back to how it was at `then`; answers whether that is a difference.
    pub(in crate::apim) fn restore(&mut self, then: Option<Instant>, now: Instant) -> bool {
        let rows = self.rows.iter_mut();
        rows.fold(false, |differs, row| row.row.restore(then, now) | differs)
    }
}

impl ApiManager {
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
        let index = self.access.applications.add(of, self.organization_key(of), name);
        self.set_application(index, Some(BTreeSet::new()), now);
        index
    }

    /// Says which keys an application has, or that it is gone; answers whether that is news.
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
        self.note_for(of, |ledger| ledger.say_application(&id, &name, what.clone(), now));
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
            self.tell_application(index, now);
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
        let api = self.catalog.existing(of, &map.api).filter(|_| !self.keeps_events())?;
        self.access.keys.active(Owner::Api(api), &map.name, &map.user)
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
        let own = self.access.keys.of(Owner::Application(index));
        let live = own.filter(|(_, row)| row.is_active());
        for key in live.map(|(key, _)| key).collect::<Vec<_>>() {
            if self.keeps_events() {
                self.end_key(key, None, now);
            } else {
                self.revoke(key, now);
            }
        }
        for subscription in self.access.subscriptions.of_application(index) {
            self.end_subscription(subscription, now);
        }
        self.set_application(index, None, now);
        self.tell_application(index, now);
        true
    }
}
