//! Asking for lists, and taking their answers.

use std::time::Duration;

use super::schedule::{ListId, Reading, Worth};
use crate::engine::action::{Action, Request};
use crate::engine::artifacts::belief::Intent;
use crate::engine::config::Config;
use crate::engine::input::{Failure, Response};
use crate::engine::{Asked, Engine};
use crate::model::{ArtifactId, BasePath, Dialect, KeyReading, Kind, RequestId, Roll};
use crate::time::Instant;

impl Engine {
    /// Asks for every list that is due, as far as the limit allows (C-H33).
    pub(in crate::engine) fn launch_lists(&mut self, now: Instant) {
        while let Some(id) = self.lists.due(now) {
            let request = match &id {
                ListId::Artifacts => Request::List,
                ListId::Plans => Request::ReadPlans,
                ListId::Keys(kind) => Request::ReadKeys(*kind),
                ListId::Subscriptions(artifact) => Request::ReadSubscriptions(artifact.clone()),
            };
            let asked = self.ask(request, Asked::List(id.clone()), now);
            self.lists.asked(&id, asked, now);
        }
    }

    /// A session came alive: every list is read anew.
    pub(in crate::engine) fn begin_lists(&mut self, now: Instant) {
        let settled_at = now.after(self.config.read_lag_max);
        for request in self.lists.session_began(now, settled_at) {
            self.cancel(request);
        }
        self.read_list(&ListId::Artifacts, now);
        self.read_list(&ListId::Keys(Kind::RestApi), now);
        self.note_dialect(now);
    }

    /// The lists that the Platform API alone has, once it is known to be one.
    pub(in crate::engine) fn note_dialect(&mut self, now: Instant) {
        if self.has_key_list() && self.lists.revive(&ListId::Keys(Kind::RestApi)) {
            self.read_list(&ListId::Keys(Kind::RestApi), now);
        }
        if !self.is_platform() || self.lists.has(&ListId::Plans) {
            return;
        }
        self.read_list(&ListId::Plans, now);
        for id in self.desired.ids().cloned().collect::<Vec<_>>() {
            self.note_artifact(&id, now);
        }
    }

    /// Sees to the lists that speak of an artifact, after something about it changed.
    pub(in crate::engine) fn note_artifact(&mut self, id: &ArtifactId, now: Instant) {
        let Some(desired) = self.desired.get(id) else { return };
        let (kind, intent) = (desired.kind, desired.intent);
        if intent == Intent::Deleted {
            self.roster.deployed.remove(id);
            if let Some(request) = self.lists.remove(&ListId::Subscriptions(id.clone())) {
                self.cancel(request);
            }
            self.forget_resources_of(id);
            return;
        }
        if intent != Intent::Deployed {
            self.roster.deployed.remove(id);
        } else if self.roster.deployed.insert(id.clone()) {
            // The key list names the keys of deployed APIs only, and no event repeats them.
            self.read_list(&ListId::Keys(kind), now);
        }
        let subscriptions = ListId::Subscriptions(id.clone());
        if kind == Kind::RestApi && self.is_platform() && !self.lists.has(&subscriptions) {
            self.read_list(&subscriptions, now);
        }
    }

    fn cancel(&mut self, request: RequestId) {
        if self.requests.remove(&request).is_some() {
            self.actions.push_back(Action::Cancel(request));
        }
    }

    fn read_list(&mut self, id: &ListId, now: Instant) {
        self.lists.read(id, now, now.after(self.config.read_lag_max));
    }

    /// Keys and subscriptions of what is deleted go with it; nobody will say so (`closure`).
    fn forget_resources_of(&mut self, artifact: &ArtifactId) {
        for id in self.roster.of_artifact(artifact).cloned().collect::<Vec<_>>() {
            self.roster.set(&id, None);
            self.observed.write_resource(id, None);
        }
    }

    /// Whether an artifact is believed to be deleted: no key or subscription is its own any more.
    pub(in crate::engine) fn is_deleted(&self, artifact: &ArtifactId) -> bool {
        self.desired.get(artifact).is_some_and(|known| known.intent == Intent::Deleted)
    }

    /// Whether the control plane is a Platform API: its dialect tells or, before anything is
    /// listed, its base path.
    pub(in crate::engine) fn is_platform(&self) -> bool {
        match self.dialect() {
            Some(dialect) => dialect == Dialect::PlatformApi11,
            None => self.base.as_ref().is_some_and(|base| *base == BasePath::platform_api()),
        }
    }

    /// A list was answered; an answer to another question is none.
    pub(in crate::engine) fn list_answered(
        &mut self,
        id: &ListId,
        response: Response,
        asked_at: Instant,
        now: Instant,
    ) {
        match (id, response) {
            (ListId::Artifacts, Response::Listed(listing)) => self.merge(&listing, asked_at, now),
            (ListId::Keys(kind), Response::Keys(reading)) => {
                self.keys_read(id, *kind, reading, asked_at, now);
            }
            (ListId::Subscriptions(artifact), Response::Subscriptions(roll)) => {
                self.list_read(id, worth(&roll), now);
                self.merge_subscriptions(artifact, roll, asked_at);
            }
            (ListId::Plans, Response::Plans(roll)) => {
                self.list_read(id, worth(&roll), now);
                self.merge_plans(roll, asked_at);
            }
            _ => {
                let failure = Failure::Malformed("an answer to another question".to_owned());
                self.list_failed(id, &failure, now);
            }
        }
    }

    /// Whether the control plane is known to list keys.
    fn has_key_list(&self) -> bool {
        self.is_platform() || self.dialect() == Some(Dialect::Apim470Fixed)
    }

    /// A key list, or what stands in for one.
    fn keys_read(
        &mut self,
        id: &ListId,
        kind: Kind,
        reading: KeyReading,
        asked_at: Instant,
        now: Instant,
    ) {
        match reading {
            // GA answers with the list of APIs: it has no key list, and none of this is one. From
            // a control plane that has one it is an answer gone wrong.
            KeyReading::ApiList if self.has_key_list() => {
                let failure = Failure::Malformed("a list of APIs in place of keys".to_owned());
                self.list_failed(id, &failure, now);
            }
            KeyReading::ApiList => self.lists.absent(id),
            KeyReading::Keys(roll) => {
                self.list_read(id, worth(&roll), now);
                self.merge_keys(kind, roll, asked_at);
            }
        }
    }

    /// Notes that a list was read, before it is merged: what it leaves open wants another.
    pub(in crate::engine) fn list_read(
        &mut self,
        id: &ListId,
        worth: Worth,
        now: Instant,
    ) -> Reading {
        let slack = self.jitter.up_to(self.config.resync_interval / 10);
        let next = now.after(self.config.resync_interval.saturating_sub(slack));
        self.lists.succeeded(id, worth, next)
    }

    /// A list failed. A missing route is a refusal like any other (law 14): a control plane that
    /// is still starting answers so (FB-71).
    ///
    /// What is not deployed here may have no list of subscriptions; those that are held stay, and
    /// the list is read again with the next deployment.
    pub(in crate::engine) fn list_failed(&mut self, id: &ListId, failure: &Failure, now: Instant) {
        if let ListId::Subscriptions(artifact) = id
            && matches!(
                failure,
                Failure::RouteMissing | Failure::Refused(403) | Failure::Status(404)
            )
            && self.desired.get(artifact).is_none_or(|known| known.intent != Intent::Deployed)
        {
            self.lists.remove(id);
            return;
        }
        let failures = self.lists.failures(id) + 1;
        let (min, max) = (self.config.backoff_min, self.config.backoff_max);
        let delay = self.jitter.backoff(failures, min, max);
        self.lists.failed(id, failure, now.after(delay));
    }

    /// After how long a dead credential is refused at the latest while its list can be read:
    /// where its event is lost, a periodic list lacks it, and a second one after a delay confirms
    /// that (law 11). `None` where no list would tell.
    pub fn revocation_bound(&self) -> Option<Duration> {
        let has_list =
            matches!(self.dialect(), Some(Dialect::Apim470Fixed | Dialect::PlatformApi11));
        let Config {
            resync_interval, credential_orphan_delay, request_timeout, read_lag_max, ..
        } = &self.config;
        has_list.then(|| {
            *resync_interval
                + *credential_orphan_delay
                + 2 * (*read_lag_max + *request_timeout)
                + self.config.list_spacing
        })
    }
}

/// What an answer about keys, subscriptions or plans is worth.
fn worth<T>(roll: &Roll<T>) -> Worth {
    let count = roll.unreadable.len();
    let unusable = roll.unreadable.first();
    let unusable = unusable.map(|why| format!("{count} list items could not be read: {why}"));
    Worth { is_complete: roll.is_complete(), unusable }
}
