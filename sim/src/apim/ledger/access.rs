//! Who may use what: every key, application, subscription and plan ever issued, and every event
//! raised about one.
//!
//! A key opens its API, or whatever its application is subscribed to, while it is active and not
//! expired. Whether a gateway can know so is another question: [`Ledger::reach`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use driftless_gateway::model::{
    Application, ApplicationId, ArtifactId, Dialect, KeyUuid, Plan, PlanId, ResourceId, SecretHash,
    Subscription, SubscriptionId, SubscriptionStatus,
};
use driftless_gateway::time::{Instant, Timestamp};

use super::cause::Cause;
use super::secret::Secret;
use super::{Fate, Ledger};
use crate::apim::ids::KeyIndex;
use crate::apim::tables::timeline::Timeline;

/// What a key is for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum KeyScope {
    /// It opens one API.
    Api(ArtifactId),
    /// It opens what its application is subscribed to.
    Application(ApplicationId),
}

/// How a key stands while it is there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum KeyState {
    /// It opens, unless it is expired: expiry is no state, and nothing tells of it (§5.5).
    Active,
    /// It was revoked.
    Revoked,
    /// It was revoked for another of its name.
    Regenerated,
}

/// When a key expires.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Expiry {
    /// In virtual time.
    pub at: Instant,
    /// As APIM says it, by its own wall clock.
    pub stamp: Timestamp,
}

/// One key: a regenerated one is another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyRecord {
    /// Its name as people wrote it; gateways know it in lower case.
    pub name: Arc<str>,
    /// Whose it is.
    pub user: Arc<str>,
    /// What it is for.
    pub scope: KeyScope,
    /// Its UUID.
    pub uuid: KeyUuid,
    /// The hash of its text.
    pub hash: SecretHash,
    /// Its text, for probes.
    pub secret: Secret,
    /// When it was created.
    pub created_at: Instant,
    /// When it expires, if ever.
    pub expires: Option<Expiry>,
    /// The key that it replaced.
    pub replaces: Option<KeyIndex>,
    /// How it stood over time. `None` in it: it is gone with its API or application, or a
    /// restored backup does not have it.
    pub life: Timeline<KeyState>,
}

impl KeyRecord {
    /// Whether it was active and not expired at a moment.
    pub fn is_live(&self, at: Instant) -> bool {
        self.life.at(at) == Some(&KeyState::Active) && !self.is_expired(at)
    }

    /// Whether it had expired at a moment.
    pub fn is_expired(&self, at: Instant) -> bool {
        self.expires.is_some_and(|expiry| expiry.at <= at)
    }

    /// Since when it opens nothing any more, as of `now`; `None` while it is live.
    pub fn dead_since(&self, now: Instant) -> Option<Instant> {
        let expired = self.expires.map(|expiry| expiry.at).filter(|at| *at <= now);
        let ended = match self.life.now() {
            Some(KeyState::Active) => None,
            _ => self.life.since(),
        };
        [expired, ended].into_iter().flatten().min()
    }
}

/// One subscription.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SubscriptionRecord {
    /// The API.
    pub artifact: ArtifactId,
    /// The application.
    pub application: ApplicationId,
    /// The text of its token, where the dialect has any.
    pub token: Option<Secret>,
    /// How it stood over time.
    pub life: Timeline<Subscription>,
}

/// One plan: made anew under the same name it is another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlanRecord {
    /// Its name.
    pub name: Arc<str>,
    /// How it stood over time.
    pub life: Timeline<Plan>,
}

/// One application.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApplicationRecord {
    /// Its name.
    pub name: Arc<str>,
    /// Its keys over time, dead ones among them: an application's own, and those mapped to it.
    pub life: Timeline<Application>,
}

/// An event about a key, a subscription, a plan or an application.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessEvent {
    /// When it was raised.
    pub at: Instant,
    /// Its type.
    pub event_type: &'static str,
    /// What it names. Two keys of one name on one API are the same to it (A-H29).
    pub about: ResourceId,
    /// The key that it makes known.
    pub begins: Option<KeyIndex>,
    /// The key whose end it tells of.
    pub ends: Option<KeyIndex>,
    /// Its `timestamp`; `None` for one that was never sent.
    pub sent_at: Option<Timestamp>,
    /// What became of it.
    pub fate: Fate,
}

/// By which ways a gateway can know how a key stands for an artifact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyReach {
    /// An event told of the last change and was stored or sent.
    pub by_event: bool,
    /// A fresh key list shows it.
    pub by_list: bool,
}

/// Everything issued about who may use what.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct IssuedAccess {
    pub(super) keys: Vec<KeyRecord>,
    by_hash: BTreeMap<SecretHash, KeyIndex>,
    by_artifact: BTreeMap<ArtifactId, Vec<KeyIndex>>,
    by_application: BTreeMap<ApplicationId, Vec<KeyIndex>>,
    /// The keys that do not open anything any more, but for those that expired.
    ended: BTreeSet<KeyIndex>,
    pub(super) subscriptions: BTreeMap<SubscriptionId, SubscriptionRecord>,
    by_subscribed: BTreeMap<ArtifactId, Vec<SubscriptionId>>,
    pub(super) plans: BTreeMap<PlanId, PlanRecord>,
    pub(super) applications: BTreeMap<ApplicationId, ApplicationRecord>,
    events: Vec<AccessEvent>,
    /// The places in `events` by what they name.
    by_subject: BTreeMap<ResourceId, Vec<usize>>,
    /// The same by the keys that they begin or end.
    by_key: BTreeMap<KeyIndex, Vec<usize>>,
}

impl IssuedAccess {
    /// Adds a key and answers its place.
    pub(super) fn add_key(&mut self, record: KeyRecord) -> KeyIndex {
        let index = self.keys.len();
        self.by_hash.insert(record.hash, index);
        match &record.scope {
            KeyScope::Api(id) => self.by_artifact.entry(id.clone()).or_default().push(index),
            KeyScope::Application(id) => {
                self.by_application.entry(id.clone()).or_default().push(index);
            }
        }
        self.keys.push(record);
        index
    }

    /// Adds an event.
    fn add_event(&mut self, event: AccessEvent) {
        let place = self.events.len();
        self.by_subject.entry(event.about.clone()).or_default().push(place);
        let keys: BTreeSet<KeyIndex> = event.begins.into_iter().chain(event.ends).collect();
        for key in keys {
            self.by_key.entry(key).or_default().push(place);
        }
        self.events.push(event);
    }

    /// The events at those places.
    fn events_at<'a>(
        &'a self,
        places: Option<&'a Vec<usize>>,
    ) -> impl DoubleEndedIterator<Item = &'a AccessEvent> {
        let places = places.map_or(&[][..], Vec::as_slice).iter();
        places.filter_map(|place| self.events.get(*place))
    }

    fn is_ended(&self, index: KeyIndex) -> bool {
        self.keys.get(index).is_some_and(|key| key.life.now() != Some(&KeyState::Active))
    }

    /// Every statement can be read from now on.
    pub(super) fn readable_now(&mut self, now: Instant) {
        self.keys.iter_mut().for_each(|key| key.life.readable_now(now));
        self.subscriptions.values_mut().for_each(|held| held.life.readable_now(now));
        self.plans.values_mut().for_each(|plan| plan.life.readable_now(now));
        self.applications.values_mut().for_each(|held| held.life.readable_now(now));
    }

    /// Everything goes back to how it was at `then`.
    pub(super) fn restore(&mut self, then: Option<Instant>, now: Instant) {
        for key in &mut self.keys {
            key.life.restore(then, now);
        }
        self.ended = (0..self.keys.len()).filter(|index| self.is_ended(*index)).collect();
        for subscription in self.subscriptions.values_mut() {
            subscription.life.restore(then, now);
        }
        for plan in self.plans.values_mut() {
            // The first plans were there before the run.
            plan.life.restore(Some(then.unwrap_or(Instant::START)), now);
        }
        for application in self.applications.values_mut() {
            application.life.restore(then, now);
        }
    }
}

impl Ledger {
    /// Every key ever issued; a [`KeyIndex`] is a place in it.
    pub fn keys(&self) -> &[KeyRecord] {
        &self.access.keys
    }

    /// The key with that place.
    pub fn key(&self, index: KeyIndex) -> Option<&KeyRecord> {
        self.access.keys.get(index)
    }

    /// The key with that hash.
    pub fn key_with(&self, hash: &SecretHash) -> Option<(KeyIndex, &KeyRecord)> {
        let index = *self.access.by_hash.get(hash)?;
        Some((index, self.access.keys.get(index)?))
    }

    /// The keys that were ever issued for that API alone.
    pub fn keys_of(
        &self,
        artifact: &ArtifactId,
    ) -> impl DoubleEndedIterator<Item = (KeyIndex, &KeyRecord)> {
        self.places(self.access.by_artifact.get(artifact))
    }

    /// The keys that were ever issued for that application.
    pub fn keys_for(
        &self,
        application: &ApplicationId,
    ) -> impl Iterator<Item = (KeyIndex, &KeyRecord)> {
        self.places(self.access.by_application.get(application))
    }

    fn places<'a>(
        &'a self,
        places: Option<&'a Vec<KeyIndex>>,
    ) -> impl DoubleEndedIterator<Item = (KeyIndex, &'a KeyRecord)> {
        let places = places.map_or(&[][..], Vec::as_slice).iter();
        places.filter_map(|&index| Some((index, self.access.keys.get(index)?)))
    }

    /// The keys that open an artifact at a moment, as people mean it: its own and those of the
    /// applications with an open subscription to it. Whether it is deployed is not asked.
    pub fn opening(
        &self,
        artifact: &ArtifactId,
        at: Instant,
    ) -> impl Iterator<Item = (KeyIndex, &KeyRecord)> {
        let own = self.keys_of(artifact);
        let subscribed = self.subscriptions_of(artifact).filter(move |(_, subscription)| {
            subscription.life.at(at).is_some_and(|now| now.status.is_open())
        });
        let through = subscribed.flat_map(|(_, held)| self.keys_for(&held.application));
        own.chain(through).filter(move |(_, key)| key.is_live(at))
    }

    /// Whether a key opens an artifact at a moment, as people mean it.
    pub fn opens(&self, key: &KeyRecord, artifact: &ArtifactId, at: Instant) -> bool {
        key.is_live(at)
            && match &key.scope {
                KeyScope::Api(id) => id == artifact,
                KeyScope::Application(id) => self
                    .subscription_at(artifact, id, at)
                    .is_some_and(|subscription| subscription.status.is_open()),
            }
    }

    /// The application that a key belongs to at a moment.
    pub fn application_of(&self, key: &KeyRecord, at: Instant) -> Option<&ApplicationId> {
        let has = |record: &ApplicationRecord| {
            record.life.at(at).is_some_and(|application| application.keys.contains(&key.uuid))
        };
        self.access.applications.iter().find(|(_, record)| has(record)).map(|(id, _)| id)
    }

    /// Every subscription ever issued, by id.
    pub fn subscriptions(&self) -> impl Iterator<Item = (&SubscriptionId, &SubscriptionRecord)> {
        self.access.subscriptions.iter()
    }

    /// The subscription with that id.
    pub fn subscription(&self, id: &SubscriptionId) -> Option<&SubscriptionRecord> {
        self.access.subscriptions.get(id)
    }

    /// The subscriptions that were ever issued to an artifact, oldest first.
    pub fn subscriptions_of(
        &self,
        artifact: &ArtifactId,
    ) -> impl Iterator<Item = (&SubscriptionId, &SubscriptionRecord)> {
        let ids = self.access.by_subscribed.get(artifact).map_or(&[][..], Vec::as_slice);
        ids.iter().filter_map(|id| self.access.subscriptions.get_key_value(id))
    }

    /// The subscription of an application to an artifact at a moment.
    pub fn subscription_at(
        &self,
        artifact: &ArtifactId,
        application: &ApplicationId,
        at: Instant,
    ) -> Option<&Subscription> {
        let mut held = self.subscriptions_of(artifact);
        held.find_map(|(_, held)| {
            held.life.at(at).filter(|now| now.application.as_ref() == Some(application))
        })
    }

    /// The subscription with that token to an artifact at a moment.
    pub fn subscription_with(
        &self,
        artifact: &ArtifactId,
        token: &SecretHash,
        at: Instant,
    ) -> Option<&Subscription> {
        let mut held = self.subscriptions_of(artifact);
        held.find_map(|(_, held)| held.life.at(at).filter(|now| now.token.as_ref() == Some(token)))
    }

    /// Every plan ever made, by id.
    pub fn plans(&self) -> impl Iterator<Item = (&PlanId, &PlanRecord)> {
        self.access.plans.iter()
    }

    /// The plan with that id.
    pub fn plan(&self, id: &PlanId) -> Option<&PlanRecord> {
        self.access.plans.get(id)
    }

    /// The plan that goes by that name at a moment.
    pub fn plan_named(&self, name: &str, at: Instant) -> Option<(&PlanId, &Plan)> {
        let mut named = self.access.plans.iter().filter(|(_, record)| &*record.name == name);
        named.find_map(|(id, record)| Some((id, record.life.at(at)?)))
    }

    /// Every application ever made, by id.
    pub fn applications(&self) -> impl Iterator<Item = (&ApplicationId, &ApplicationRecord)> {
        self.access.applications.iter()
    }

    /// The application with that id.
    pub fn application(&self, id: &ApplicationId) -> Option<&ApplicationRecord> {
        self.access.applications.get(id)
    }

    /// Every event about a key, a subscription, a plan or an application, oldest first.
    pub fn access_events(&self) -> &[AccessEvent] {
        &self.access.events
    }

    /// The events that name a thing, oldest first.
    pub fn access_events_about(&self, id: &ResourceId) -> impl Iterator<Item = &AccessEvent> {
        self.access.events_at(self.access.by_subject.get(id))
    }

    /// The events that made a key known for an artifact or told of its end, oldest first.
    pub fn access_events_of(
        &self,
        key: KeyIndex,
        artifact: &ArtifactId,
    ) -> impl DoubleEndedIterator<Item = &AccessEvent> {
        let is_of = move |event: &&AccessEvent| matches!(&event.about, ResourceId::ApiKey(id, _) if id == artifact);
        self.access.events_at(self.access.by_key.get(&key)).filter(is_of)
    }

    /// By which ways a gateway can know how a key stands for an artifact now. APIM lists keys of
    /// one API only, and those of deployed APIs only (§3.7); GA lists none; the Platform API
    /// lists all. Expiry is known to whoever knows the key.
    pub fn reach(&self, index: KeyIndex, artifact: &ArtifactId, dialect: Dialect) -> KeyReach {
        let Some(key) = self.access.keys.get(index) else {
            return KeyReach { by_event: false, by_list: false };
        };
        let is_live = key.life.now() == Some(&KeyState::Active);
        let told = self.access_events_of(index, artifact).next_back();
        let by_event = told.is_some_and(|access_event| {
            let is_last =
                if is_live { access_event.begins } else { access_event.ends } == Some(index);
            let is_restored = key.life.last().is_some_and(|said| said.cause == Cause::Restore);
            is_last && !is_restored && matches!(access_event.fate, Fate::Stored | Fate::Direct)
        });
        let is_deployed = self.records.get(artifact).is_some_and(|of| of.must_serve().is_some());
        let by_list = match dialect {
            Dialect::Apim470 => false,
            Dialect::Apim470Fixed => matches!(key.scope, KeyScope::Api(_)) && is_deployed,
            Dialect::PlatformApi11 => true,
        };
        KeyReach { by_event, by_list }
    }

    /// Notes a key.
    pub(in crate::apim) fn add_key(&mut self, record: KeyRecord) -> KeyIndex {
        self.access.add_key(record)
    }

    /// Notes how a key stands.
    pub(in crate::apim) fn say_key(
        &mut self,
        key: KeyIndex,
        state: Option<KeyState>,
        at: Instant,
        readable: Instant,
    ) {
        if let Some(record) = self.access.keys.get_mut(key) {
            record.life.say(state, at, readable, Cause::People);
        }
        match self.access.is_ended(key) {
            true => self.access.ended.insert(key),
            false => self.access.ended.remove(&key),
        };
    }

    /// The keys that are dead, but for those that expired.
    pub fn ended_keys(&self) -> impl Iterator<Item = (KeyIndex, &KeyRecord)> {
        self.access.ended.iter().filter_map(|&index| Some((index, self.access.keys.get(index)?)))
    }

    /// Notes how a subscription stands.
    pub(in crate::apim) fn say_subscription(
        &mut self,
        id: &SubscriptionId,
        of: (&ArtifactId, &ApplicationId, Option<&Secret>),
        what: Option<(SubscriptionStatus, Option<PlanId>)>,
        at: Instant,
        readable: Instant,
    ) {
        let (artifact, application, token) = of;
        let by_subscribed = &mut self.access.by_subscribed;
        let record = self.access.subscriptions.entry(id.clone());
        let record = record.or_insert_with(|| {
            by_subscribed.entry(artifact.clone()).or_default().push(id.clone());
            SubscriptionRecord {
                artifact: artifact.clone(),
                application: application.clone(),
                token: token.cloned(),
                life: Timeline::default(),
            }
        });
        let what = what.map(|(status, plan)| Subscription {
            artifact: artifact.clone(),
            application: Some(application.clone()),
            token: token.map(Secret::hash),
            plan,
            status,
        });
        record.life.say(what, at, readable, Cause::People);
    }

    /// Notes how a plan stands.
    pub(in crate::apim) fn say_plan(
        &mut self,
        id: &PlanId,
        name: &Arc<str>,
        what: Option<Plan>,
        at: Instant,
        readable: Instant,
    ) {
        let record = self.access.plans.entry(id.clone());
        let record = record
            .or_insert_with(|| PlanRecord { name: Arc::clone(name), life: Timeline::default() });
        record.life.say(what, at, readable, Cause::People);
    }

    /// Notes an application's keys.
    pub(in crate::apim) fn say_application(
        &mut self,
        id: &ApplicationId,
        name: &Arc<str>,
        what: Option<Application>,
        at: Instant,
    ) {
        let record = self.access.applications.entry(id.clone());
        let record = record.or_insert_with(|| ApplicationRecord {
            name: Arc::clone(name),
            life: Timeline::default(),
        });
        record.life.say(what, at, at, Cause::People);
    }

    /// Notes an event.
    pub(in crate::apim) fn note_event(&mut self, access_event: AccessEvent) {
        self.access.add_event(access_event);
    }

    /// Notes that a backup was restored.
    pub(in crate::apim) fn restore_access(&mut self, then: Option<Instant>, now: Instant) {
        self.access.restore(then, now);
    }
}

/// How long APIM keeps a key for that many milliseconds: whole seconds.
pub(in crate::apim) fn validity(ms: u64) -> Duration {
    Duration::from_secs(ms.div_ceil(1000))
}
