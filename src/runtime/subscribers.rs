//! The subscriptions of one API, to be found by token and by application.

use std::sync::Arc;

use super::keyring::{prefix_of, same};
use super::multimap::{Map, MultiMap};
use crate::model::{ApplicationId, SecretHash, Subscription, SubscriptionId};

/// A subscription and its id.
pub(super) type Subscribed<'a> = (&'a SubscriptionId, &'a Subscription);

/// The subscriptions of one API.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Subscribers {
    by_id: Map<SubscriptionId, Arc<Subscription>>,
    by_token: MultiMap<u64, SubscriptionId>,
    by_application: MultiMap<ApplicationId, SubscriptionId>,
}

impl Subscribers {
    /// Replaces one subscription.
    pub(super) fn set(&mut self, id: &SubscriptionId, subscription: Option<&Subscription>) {
        if let Some(old) = self.by_id.get(id).cloned() {
            if let Some(token) = &old.token {
                self.by_token.remove(&prefix_of(token), |held| held == id);
            }
            if let Some(application) = &old.application {
                self.by_application.remove(application, |held| held == id);
            }
            self.by_id.remove_mut(id);
        }
        let Some(new) = subscription else { return };
        if let Some(token) = &new.token {
            self.by_token.insert(&prefix_of(token), id.clone());
        }
        if let Some(application) = &new.application {
            self.by_application.insert(application, id.clone());
        }
        self.by_id.insert_mut(id.clone(), Arc::new(new.clone()));
    }

    /// The subscriptions with that token, in order of their ids. Found as keys are, so that time
    /// tells as little of a token as of a key.
    pub(super) fn with_token(&self, token: &SecretHash) -> impl Iterator<Item = Subscribed<'_>> {
        let token = *token;
        let found = self.by_token.get(&prefix_of(&token)).iter();
        found.filter_map(|id| self.get(id)).filter(move |(_, subscription)| {
            subscription.token.as_ref().is_some_and(|held| same(held, &token))
        })
    }

    /// The subscriptions of an application, in order of their ids.
    pub(super) fn of_application(
        &self,
        application: &ApplicationId,
    ) -> impl Iterator<Item = Subscribed<'_>> {
        self.by_application.get(application).iter().filter_map(|id| self.get(id))
    }

    /// Whether there is no subscription.
    pub(super) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    fn get(&self, id: &SubscriptionId) -> Option<Subscribed<'_>> {
        self.by_id.get_key_value(id).map(|(id, subscription)| (id, &**subscription))
    }
}
