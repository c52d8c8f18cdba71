//! The rows of API keys (§5.5): a key, and apart from it the mapping that says what it opens.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use driftless_gateway::model::{KeyUuid, SecretHash};
use driftless_gateway::time::Instant;

use super::timeline::Timeline;
use crate::apim::clock::Micros;
use crate::apim::ids::{ApiIndex, ApplicationIndex, KeyIndex};
use crate::apim::ledger::KeyState;
use crate::story::aim::OrganizationIndex;

/// What a key is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::apim) enum KeyOwner {
    /// One API.
    Api(ApiIndex),
    /// One application.
    Application(ApplicationIndex),
}

/// A key.
pub(in crate::apim) struct KeyRow {
    /// What it is for.
    pub(in crate::apim) owner: KeyOwner,
    /// Whose it is.
    pub(in crate::apim) organization: OrganizationIndex,
    /// Its place in the ledgers of the gateways of its organization.
    pub(in crate::apim) record: KeyIndex,
    /// Its name as people wrote it.
    pub(in crate::apim) name: Arc<str>,
    /// Whose it is.
    pub(in crate::apim) user: Arc<str>,
    /// Its UUID.
    pub(in crate::apim) uuid: KeyUuid,
    /// The hash of its text; the text itself is shown once and not kept.
    pub(in crate::apim) hash: SecretHash,
    /// When the row was made, as the database keeps it.
    pub(in crate::apim) created: Micros,
    /// How long it is valid, if not for good.
    pub(in crate::apim) valid: Option<Duration>,
    /// When it expires, if ever.
    pub(in crate::apim) expires: Option<Micros>,
    /// The row: committed first.
    pub(in crate::apim) row: Timeline<KeyState>,
    /// The mapping: committed apart from the row (A-H33).
    pub(in crate::apim) mapping: Timeline<()>,
}

impl KeyRow {
    /// Whether it is active, all of it: a row without its mapping is no key (A-H33).
    pub(in crate::apim) fn is_active(&self) -> bool {
        self.row.now() == Some(&KeyState::Active) && self.mapping.now().is_some()
    }
}

/// Every key there ever was.
#[derive(Default)]
pub(in crate::apim) struct Keys {
    rows: Vec<KeyRow>,
    of: BTreeMap<KeyOwner, Vec<KeyIndex>>,
    counts: BTreeMap<OrganizationIndex, usize>,
}

impl Keys {
    /// Adds a key and answers its place.
    pub(in crate::apim) fn add(&mut self, row: KeyRow) -> KeyIndex {
        let index = self.rows.len();
        self.of.entry(row.owner).or_default().push(index);
        *self.counts.entry(row.organization).or_default() += 1;
        self.rows.push(row);
        index
    }

    /// The key at a place.
    pub(in crate::apim) fn get(&self, index: KeyIndex) -> Option<&KeyRow> {
        self.rows.get(index)
    }

    /// The key at a place, to be changed.
    pub(in crate::apim) fn get_mut(&mut self, index: KeyIndex) -> Option<&mut KeyRow> {
        self.rows.get_mut(index)
    }

    /// The keys of an owner, oldest first, dead ones among them.
    pub(in crate::apim) fn of(&self, owner: KeyOwner) -> impl Iterator<Item = (KeyIndex, &KeyRow)> {
        let places = self.of.get(&owner).map_or(&[][..], Vec::as_slice).iter();
        places.filter_map(|&index| Some((index, self.rows.get(index)?)))
    }

    /// The active key of an owner that goes by that name in the story.
    pub(in crate::apim) fn active(
        &self,
        owner: KeyOwner,
        name: &str,
        user: &str,
    ) -> Option<KeyIndex> {
        let is_it = |row: &KeyRow| row.is_active() && *row.name == *name && *row.user == *user;
        self.of(owner).filter(|(_, row)| is_it(row)).last().map(|(index, _)| index)
    }

    /// How many keys an organization ever had.
    pub(in crate::apim) fn count_of(&self, of: OrganizationIndex) -> usize {
        self.counts.get(&of).copied().unwrap_or(0)
    }

    /// How many keys of that owner, name and user there ever were: what the next one is drawn by.
    pub(in crate::apim) fn count(&self, owner: KeyOwner, name: &str, user: &str) -> u64 {
        let same = |row: &KeyRow| *row.name == *name && *row.user == *user;
        self.of(owner).filter(|(_, row)| same(row)).count() as u64
    }

    /// Every statement can be read from now on.
    pub(in crate::apim) fn readable_now(&mut self, now: Instant) {
        for row in &mut self.rows {
            row.row.readable_now(now);
            row.mapping.readable_now(now);
        }
    }

    /// Goes back to how it was at `then`; returns whether that is a difference.
    pub(in crate::apim) fn restore(&mut self, then: Option<Instant>, now: Instant) -> bool {
        let mut differs = false;
        for row in &mut self.rows {
            differs |= row.row.restore(then, now);
            differs |= row.mapping.restore(then, now);
        }
        differs
    }
}
