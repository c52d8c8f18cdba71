//! Applications, and the keys that are theirs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use driftless_gateway::model::ApplicationId;
use driftless_gateway::time::Instant;

use super::timeline::Timeline;
use crate::apim::ids::{ApplicationIndex, KeyIndex};
use crate::random::Key;
use crate::story::aim::OrganizationIndex;

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
    /// All of them.
    pub(in crate::apim) rows: Vec<ApplicationRow>,
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

    /// Adds one that nothing is said of yet.
    pub(in crate::apim) fn add(
        &mut self,
        of: OrganizationIndex,
        key: Key,
        name: &str,
    ) -> ApplicationIndex {
        let (name, index) = (Arc::<str>::from(name), self.rows.len());
        let places = self.names.entry((of, Arc::clone(&name))).or_default();
        let id =
            key.child("applications").child(&name).nth(places.len() as u64).uuid("application");
        places.push(index);
        let (id, row) = (ApplicationId::new(&id), Timeline::default());
        self.rows.push(ApplicationRow { organization: of, name, id, row });
        index
    }

    /// Goes back to how it was at `then`; returns whether that is a difference.
    pub(in crate::apim) fn restore(&mut self, then: Option<Instant>, now: Instant) -> bool {
        let rows = self.rows.iter_mut();
        rows.fold(false, |differs, row| row.row.restore(then, now) | differs)
    }
}
