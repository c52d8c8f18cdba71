//! What people do with keys: create, regenerate, revoke (§5.5).
//!
//! Row, mapping and event are three steps. What fails between them leaves the first without the
//! others (A-H33).

use std::sync::Arc;
use std::time::Duration;

use driftless_gateway::model::{ApplicationId, ArtifactId, KeyUuid};
use driftless_gateway::time::{Instant, Timestamp};

use super::grants::Grants;
use crate::apim::changes::KeyChange;
use crate::apim::ids::{ApiIndex, KeyIndex, organization_key};
use crate::apim::ledger::{Cause, Expiry, KeyRecord, KeyScope, KeyState, Secret, validity};
use crate::apim::tables::keys::{KeyOwner, KeyRow};
use crate::apim::tables::timeline::Timeline;
use crate::story::aim::OrganizationIndex;
use crate::story::step::{CreateKey, ImportKeys, Lifecycle, NamedKey};

/// A key to be made.
struct NewKey<'a> {
    organization: OrganizationIndex,
    owner: KeyOwner,
    name: &'a str,
    user: &'a str,
    valid: Option<Duration>,
    replaces: Option<KeyIndex>,
    /// Which key of that owner, name and user it is.
    number: u64,
}

/// When the two commits of a change become readable.
#[derive(Clone, Copy)]
struct Commits {
    first: Instant,
    second: Instant,
}

impl Grants<'_> {
    /// Creates a key of an API or of an application, which is created where there is none. A
    /// name that is taken is refused: by the Platform API whoever has it, by an APIM only where
    /// the same person has it (A-H29).
    pub(in crate::apim) fn create_key(
        &mut self,
        of: OrganizationIndex,
        create: &CreateKey,
        now: Instant,
    ) -> bool {
        let named = create.key();
        if let Some(name) = &named.application {
            self.application(of, name, now);
        }
        let Some(owner) = self.owner(of, &named) else { return false };
        let (name, user) = (&*named.name, &*named.user);
        if self.is_taken(owner, name, user) {
            return false;
        }
        let valid = create.valid_for_ms.map(validity);
        let number = self.access.keys.count(owner, name, user);
        let replaces = None;
        let new = NewKey { organization: of, owner, name, user, valid, replaces, number };
        let (key, secret) = self.add_key(&new, now);
        let commits = self.commits(now);
        if self.breaks_key(key, commits.first, now) {
            return true;
        }
        self.begin_key(key, commits, now);
        for api in self.opened(owner) {
            self.events().tell_key(api, KeyChange::Created(key, &secret), now);
        }
        self.map_own(owner, now, None, key);
        true
    }

    /// Revokes a key and issues another of the same name and validity, with another UUID; one
    /// event tells of both and names no UUID (§2.5, A-H31).
    pub(in crate::apim) fn regenerate_key(
        &mut self,
        of: OrganizationIndex,
        named: &NamedKey,
        now: Instant,
    ) -> bool {
        let Some((owner, old)) = self.named_key(of, named) else { return false };
        let valid = self.access.keys.get(old).and_then(|row| row.valid);
        let number = self.access.keys.count(owner, &named.name, &named.user);
        let (name, user) = (&*named.name, &*named.user);
        let replaces = Some(old);
        let new = NewKey { organization: of, owner, name, user, valid, replaces, number };
        let (key, secret) = self.add_key(&new, now);
        let commits = self.commits(now);
        self.end_key_at(old, Some(KeyState::Regenerated), commits.first, now);
        if self.breaks_key(key, commits.first, now) {
            // A key of an application is made up for: its end is told at least (§2.7).
            if matches!(owner, KeyOwner::Application(_)) {
                self.tell_revoked(owner, old, now);
            }
            return true;
        }
        self.begin_key(key, commits, now);
        for api in self.opened(owner) {
            self.events().tell_key(api, KeyChange::Regenerated(old, key, &secret), now);
        }
        self.map_own(owner, now, Some(old), key);
        true
    }

    /// Revokes a key. The row is committed first and the event raised apart from it (A-H33).
    pub(in crate::apim) fn revoke_key(
        &mut self,
        of: OrganizationIndex,
        named: &NamedKey,
        now: Instant,
    ) -> bool {
        let Some((_, key)) = self.named_key(of, named) else { return false };
        self.revoke(key, now);
        true
    }

    /// Revokes a key and tells so.
    pub(in crate::apim) fn revoke(&mut self, key: KeyIndex, now: Instant) {
        let Some(owner) = self.access.keys.get(key).map(|row| row.owner) else { return };
        self.end_key(key, Some(KeyState::Revoked), now);
        self.tell_revoked(owner, key, now);
    }

    fn tell_revoked(&mut self, owner: KeyOwner, key: KeyIndex, now: Instant) {
        for api in self.opened(owner) {
            self.events().tell_key(api, KeyChange::Revoked(key), now);
        }
    }

    /// Adds keys that were issued before anybody listened.
    pub(in crate::apim) fn import_keys(
        &mut self,
        of: OrganizationIndex,
        import: &ImportKeys,
        now: Instant,
    ) -> bool {
        let api = self.catalog.existing(of, &import.api);
        let Some(owner) = api.map(KeyOwner::Api) else { return false };
        let before = self.access.keys.of(owner).count();
        let commits = self.commits(now);
        for place in before..before + import.count as usize {
            let name = format!("imported-{place}");
            let new = NewKey {
                organization: of,
                owner,
                name: &name,
                user: "import",
                valid: None,
                replaces: None,
                number: 0,
            };
            let (key, _) = self.add_key(&new, now);
            self.begin_key(key, commits, now);
        }
        import.count > 0
    }

    /// The keys of an API go with it; the event about the API says so.
    pub(in crate::apim) fn drop_keys(&mut self, api: ApiIndex, now: Instant) {
        let of = self.access.keys.of(KeyOwner::Api(api));
        let there = of.filter(|(_, row)| row.row.now().is_some());
        for key in there.map(|(key, _)| key).collect::<Vec<_>>() {
            self.end_key(key, None, now);
        }
    }

    /// Ends a key without telling.
    pub(in crate::apim) fn end_key(
        &mut self,
        key: KeyIndex,
        state: Option<KeyState>,
        now: Instant,
    ) {
        let readable = self.readable(now);
        self.end_key_at(key, state, readable, now);
    }

    fn end_key_at(
        &mut self,
        key: KeyIndex,
        state: Option<KeyState>,
        readable: Instant,
        now: Instant,
    ) {
        let Some(row) = self.access.keys.get_mut(key) else { return };
        row.row.say(state, now, readable, Cause::People);
        if state.is_none() {
            row.mapping.say(None, now, readable, Cause::People);
        }
        let (of, record) = (row.organization, row.record);
        self.gateways.note_for(of, |ledger| ledger.say_key(record, state, now, readable));
    }

    /// Commits the row of a key, then its mapping.
    fn begin_key(&mut self, key: KeyIndex, commits: Commits, now: Instant) {
        let Some(row) = self.access.keys.get_mut(key) else { return };
        row.row.say(Some(KeyState::Active), now, commits.first, Cause::People);
        row.mapping.say(Some(()), now, commits.second, Cause::People);
        let (of, record) = (row.organization, row.record);
        let state = Some(KeyState::Active);
        self.gateways.note_for(of, |ledger| ledger.say_key(record, state, now, commits.second));
    }

    /// Whether the work on a key ends with its row this time: no mapping, no event, no key.
    fn breaks_key(&mut self, key: KeyIndex, readable: Instant, now: Instant) -> bool {
        let breaks = self.faults.break_keys > 0;
        if breaks {
            self.faults.break_keys -= 1;
            self.gateways.delivered.count("break_keys");
            if let Some(row) = self.access.keys.get_mut(key) {
                row.row.say(Some(KeyState::Active), now, readable, Cause::People);
            }
        }
        breaks
    }

    /// Under a delay the first commit is readable at half of it, the second at the end.
    fn commits(&mut self, now: Instant) -> Commits {
        let second = self.readable(now);
        let first = now.after(second.since(now) / 2);
        self.access.will_change(first, now);
        Commits { first, second }
    }

    /// Makes a key that nothing says anything of yet.
    fn add_key(&mut self, new: &NewKey<'_>, now: Instant) -> (KeyIndex, Secret) {
        let scope = self.scope(new.owner);
        let owner = match &scope {
            KeyScope::Api(id) => id.as_str(),
            KeyScope::Application(id) => id.as_str(),
        };
        let drawn = organization_key(self.key, new.organization)
            .child("keys")
            .child(owner)
            .child(new.name)
            .child(new.user);
        let drawn = drawn.nth(new.number);
        let secret = Secret::draw(drawn.child("text"));
        let (uuid, hash) = (KeyUuid::new(&drawn.uuid("key")), secret.hash());
        let (name, user) = (Arc::<str>::from(new.name), Arc::<str>::from(new.user));
        // Expiry is counted from the moment that the node took, not from what the row keeps.
        let millis = self.clock.now(now).div_euclid(1000);
        let expires = new.valid.map(|valid| {
            let millis = millis.saturating_add(i64::try_from(valid.as_millis()).unwrap_or(0));
            millis.saturating_mul(1000)
        });
        let expiry = expires.zip(new.valid).map(|(stamp, valid)| Expiry {
            at: now.after(valid),
            stamp: Timestamp::from_unix_millis(stamp / 1000),
        });
        let replaces = new.replaces.and_then(|old| self.access.keys.get(old)).map(|row| row.record);
        let record = KeyRecord {
            name: Arc::clone(&name),
            user: Arc::clone(&user),
            scope,
            uuid: uuid.clone(),
            hash,
            secret: secret.clone(),
            created_at: now,
            expires: expiry,
            replaces,
            life: Timeline::default(),
        };
        self.gateways.note_for(new.organization, |ledger| {
            ledger.add_key(record.clone());
        });
        let key = self.access.keys.add(KeyRow {
            owner: new.owner,
            organization: new.organization,
            record: self.access.keys.count_of(new.organization),
            name,
            user,
            uuid,
            hash,
            created: self.clock.row(now),
            valid: new.valid,
            expires,
            row: Timeline::default(),
            mapping: Timeline::default(),
        });
        (key, secret)
    }

    fn scope(&self, owner: KeyOwner) -> KeyScope {
        match owner {
            KeyOwner::Api(index) => {
                let id = self.catalog.get(index).map(|api| api.id.clone());
                KeyScope::Api(id.unwrap_or_else(|| ArtifactId::new("")))
            }
            KeyOwner::Application(index) => {
                let id = self.access.applications.get(index).map(|held| held.id.clone());
                KeyScope::Application(id.unwrap_or_else(|| ApplicationId::new("")))
            }
        }
    }

    /// The owner that a step names, if it can have keys.
    fn owner(&self, of: OrganizationIndex, named: &NamedKey) -> Option<KeyOwner> {
        if let Some(name) = &named.application {
            return self.access.applications.existing(of, name).map(KeyOwner::Application);
        }
        let api = self.catalog.existing(of, named.api.as_deref()?)?;
        let lifecycle = self.catalog.get(api)?.truth().lifecycle;
        (lifecycle != Lifecycle::Retired).then_some(KeyOwner::Api(api))
    }

    fn named_key(&self, of: OrganizationIndex, named: &NamedKey) -> Option<(KeyOwner, KeyIndex)> {
        let owner = self.owner(of, named)?;
        Some((owner, self.access.keys.active(owner, &named.name, &named.user)?))
    }

    fn is_taken(&self, owner: KeyOwner, name: &str, user: &str) -> bool {
        if self.contract.keeps_events() {
            return self.access.keys.active(owner, name, user).is_some();
        }
        let mut of = self.access.keys.of(owner);
        of.any(|(_, row)| row.is_active() && row.name.eq_ignore_ascii_case(name))
    }

    /// The APIs that a key of that owner opens at this moment: for an application, those with a
    /// subscription that lets keys through (§2.7). Nothing is sent when that changes (A-H28).
    fn opened(&self, owner: KeyOwner) -> Vec<ApiIndex> {
        match owner {
            KeyOwner::Api(api) => vec![api],
            KeyOwner::Application(application) => {
                let rows = self.access.subscriptions.iter();
                let of = rows.filter(|row| row.application == application);
                let open = of.filter(|row| row.row.now().is_some_and(|it| it.status.fans_out()));
                open.map(|row| row.api).collect()
            }
        }
    }

    /// Notes which keys are an application's: its own, and in place of a regenerated one that
    /// was mapped to it the new one.
    fn map_own(&mut self, owner: KeyOwner, now: Instant, old: Option<KeyIndex>, new: KeyIndex) {
        let index = match (owner, old) {
            (KeyOwner::Application(index), _) => index,
            (KeyOwner::Api(_), Some(old)) => match self.access.applications.of_key(old) {
                Some(index) => index,
                None => return,
            },
            (KeyOwner::Api(_), None) => return,
        };
        self.change_mapping(index, now, |keys| {
            if let Some(old) = old {
                keys.remove(&old);
            }
            keys.insert(new);
        });
    }
}
