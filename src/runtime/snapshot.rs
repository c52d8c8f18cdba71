//! All that a data plane needs, as one value that is swapped at once.

use std::fmt;
use std::iter;
use std::sync::Arc;

use super::keyring::Keyring;
use super::multimap::{Map, MultiMap};
use super::operations::{Entry, Match};
use super::path;
use super::refusal::Refusal;
use super::routes::{Collision, LedTo, Route, Routes};
use super::subscribers::Subscribers;
use super::template::Precision;
use crate::model::{
    Application, ApplicationId, ArtifactId, Definition, KeyUuid, Lifecycle, Operation, Plan,
    PlanId, Resource, ResourceId, Subscription, SubscriptionId,
};

/// One fact, as it is from here on.
#[derive(Clone, Copy, Debug)]
pub enum SnapshotChange<'a> {
    /// An API is served with this definition; `None` when it is not served: undeployed, deleted,
    /// or without a definition that can be read. Its keys and subscriptions are facts of their
    /// own and stay.
    Api(&'a ArtifactId, Option<&'a Arc<Definition>>),
    /// A key, a subscription, a plan or an application is this; `None` when it is gone. One of
    /// another kind than its id says is taken as gone.
    Resource(&'a ResourceId, Option<&'a Resource>),
}

/// What is served, to whom and with which limits, at one moment.
///
/// A snapshot never changes: [`Snapshot::with`] makes the next one, which shares with it
/// whatever is the same, so that one change costs the same however much is held. A data plane
/// that swaps one for the next at once never shows half a change. What is held depends on the
/// facts only and not on their order; a fact may come before what it refers to, and counts from
/// when that is there.
#[derive(Clone, Default)]
pub struct Snapshot {
    version: u64,
    view: View,
}

#[derive(Clone, PartialEq, Eq, Default)]
struct View {
    apis: Map<ArtifactId, Arc<Api>>,
    /// Where the served APIs are found.
    routes: Arc<Routes>,
    /// Where each subscription is kept.
    homes: Map<SubscriptionId, ArtifactId>,
    plans: Map<PlanId, Arc<Plan>>,
    applications: Map<ApplicationId, Arc<Application>>,
    /// Applications by the keys that are theirs.
    owners: MultiMap<KeyUuid, ApplicationId>,
}

/// What is held about one API, served or not.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Api {
    served: Option<Arc<Served>>,
    pub(super) keys: Keyring,
    pub(super) subscribers: Subscribers,
}

#[derive(Clone, PartialEq, Eq)]
struct Served {
    definition: Arc<Definition>,
    /// Where it is found; `None` for what is as if it were not there.
    route: Option<Route>,
}

/// The operation that a request means, and its API.
pub(super) struct Found<'a> {
    pub(super) id: &'a ArtifactId,
    pub(super) api: &'a Api,
    pub(super) definition: &'a Definition,
    pub(super) operation: &'a Operation,
}

/// An operation that fits a request, of an API at a base path of so many segments.
#[derive(Clone, Copy)]
struct Candidate<'a> {
    id: &'a ArtifactId,
    api: &'a Api,
    served: &'a Served,
    depth: usize,
    entry: &'a Entry,
}

impl Candidate<'_> {
    /// Whether its template of the whole path is more precise than the other's. Of two that are
    /// alike the one below the longer base path is, and then the one of the lower id.
    fn comes_before(&self, other: &Self) -> bool {
        let whole = |one: &Self| {
            let base = iter::repeat_n(Precision::Literal, one.depth);
            base.chain(one.entry.template.precision())
        };
        let precision = whole(self).cmp(whole(other));
        precision.then((other.depth, self.id).cmp(&(self.depth, other.id))).is_lt()
    }
}

impl Snapshot {
    /// The first snapshot of a whole state.
    pub fn of<'a>(
        apis: impl IntoIterator<Item = (&'a ArtifactId, &'a Arc<Definition>)>,
        resources: impl IntoIterator<Item = (&'a ResourceId, &'a Resource)>,
    ) -> Self {
        let apis =
            apis.into_iter().map(|(id, definition)| SnapshotChange::Api(id, Some(definition)));
        let resources =
            resources.into_iter().map(|(id, held)| SnapshotChange::Resource(id, Some(held)));
        Self::default().with(apis.chain(resources))
    }

    /// The next snapshot: this one with changes. Of two changes of one thing the later counts.
    #[must_use]
    pub fn with<'a>(&self, changes: impl IntoIterator<Item = SnapshotChange<'a>>) -> Self {
        let mut next = self.clone();
        next.become_next(changes);
        next
    }

    /// As [`Snapshot::with`], in the place of this one: what no copy shares is not copied. Copies
    /// stay as they are.
    pub(crate) fn become_next<'a>(
        &mut self,
        changes: impl IntoIterator<Item = SnapshotChange<'a>>,
    ) {
        self.version = self.version.saturating_add(1);
        for change in changes {
            match change {
                SnapshotChange::Api(id, definition) => self.view.set_served(id, definition),
                SnapshotChange::Resource(id, resource) => self.view.set_resource(id, resource),
            }
        }
    }

    /// How many snapshots came before this one since the empty one, which is 0. It begins anew
    /// with the process and is 64 bits wide, so it does not wrap (FB-122: versions ran out).
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Whether the two say the same about everything, whatever their versions.
    pub fn holds_the_same_as(&self, other: &Self) -> bool {
        self.view == other.view
    }

    /// The definition that an API is served with; `None` when it is not served.
    pub fn definition(&self, id: &ArtifactId) -> Option<&Arc<Definition>> {
        Some(&self.view.apis.get(id)?.served.as_ref()?.definition)
    }

    /// The served APIs in order of their ids.
    pub fn served(&self) -> impl Iterator<Item = (&ArtifactId, &Arc<Definition>)> {
        let apis = self.view.apis.iter();
        apis.filter_map(|(id, api)| Some((id, &api.served.as_ref()?.definition)))
    }

    /// The operation that a path and a method mean, among those of all APIs that the path leads
    /// to (`docs/routing.md` §4).
    ///
    /// # Errors
    /// That there is none.
    pub(super) fn find(&self, path: &str, method: &str) -> Result<Found<'_>, Refusal> {
        if !path.starts_with('/') {
            return Err(Refusal::ApiNotFound);
        }
        let path = path::normal(path);
        let (mut best, mut none) = (None::<Candidate<'_>>, Refusal::ApiNotFound);
        for LedTo { depth, apis, rest } in self.view.routes.led_to(&path) {
            for id in apis {
                let Some((api, served, route)) = self.view.routed(id) else { continue };
                let found = route.operations.find(rest, method);
                if let Match::Operation(entry) = found {
                    let candidate = Candidate { id, api, served, depth, entry };
                    best = best.filter(|best| best.comes_before(&candidate)).or(Some(candidate));
                } else {
                    // Of several APIs the one that says most is heard: the order of refusals.
                    none = none.max(refusal_of(&served.definition.lifecycle, found));
                }
            }
        }
        let Candidate { id, api, served, entry, .. } = best.ok_or(none)?;
        let definition = &*served.definition;
        let operation = definition.operations.get(entry.index).ok_or(none)?;
        Ok(Found { id, api, definition, operation })
    }

    /// The operations that several APIs have at one base path: only one of them is served.
    pub fn collisions(&self) -> impl Iterator<Item = Collision<'_>> {
        self.view.routes.collisions()
    }

    /// The plan with that id.
    pub(super) fn plan(&self, id: &PlanId) -> Option<&Plan> {
        self.view.plans.get(id).map(|plan| &**plan)
    }

    /// The applications that a key belongs to, in order of their ids.
    pub(super) fn owners(&self, key: &KeyUuid) -> &[ApplicationId] {
        self.view.owners.get(key)
    }
}

impl View {
    /// What is held about an API that a path may lead to.
    fn routed(&self, id: &ArtifactId) -> Option<(&Api, &Served, &Route)> {
        let api = self.apis.get(id)?;
        let served = api.served.as_ref()?;
        Some((api, served, served.route.as_ref()?))
    }

    fn set_served(&mut self, id: &ArtifactId, definition: Option<&Arc<Definition>>) {
        let served = definition.map(|definition| {
            let route = (!definition.lifecycle.is_absent()).then(|| Route::of(definition));
            Arc::new(Served { definition: Arc::clone(definition), route })
        });
        let old = self.routed(id).map(|(_, _, route)| route.clone());
        let new = served.as_ref().and_then(|served| served.route.as_ref());
        if old.as_ref() != new {
            let apis = &self.apis;
            Arc::make_mut(&mut self.routes).replace(id, old.as_ref(), new, |id| {
                apis.get(id).and_then(|api| api.served.as_ref()?.route.as_ref())
            });
        }
        self.change_api(id, |api| api.served = served);
    }

    fn set_resource(&mut self, id: &ResourceId, resource: Option<&Resource>) {
        match (id, resource) {
            (ResourceId::ApiKey(artifact, name), Some(Resource::ApiKey(slot))) => {
                self.change_api(artifact, |api| api.keys.set(name, Some(slot)));
            }
            (ResourceId::ApiKey(artifact, name), _) => {
                self.change_api(artifact, |api| api.keys.set(name, None));
            }
            (ResourceId::Subscription(id), Some(Resource::Subscription(subscription))) => {
                self.set_subscription(id, Some(subscription));
            }
            (ResourceId::Subscription(id), _) => self.set_subscription(id, None),
            (ResourceId::Plan(id), Some(Resource::Plan(plan))) => {
                self.plans.insert_mut(id.clone(), Arc::new(plan.clone()));
            }
            (ResourceId::Plan(id), _) => {
                self.plans.remove_mut(id);
            }
            (ResourceId::Application(id), Some(Resource::Application(application))) => {
                self.set_application(id, Some(application));
            }
            (ResourceId::Application(id), _) => self.set_application(id, None),
        }
    }

    fn set_subscription(&mut self, id: &SubscriptionId, subscription: Option<&Subscription>) {
        if let Some(home) = self.homes.get(id).cloned()
            && subscription.is_none_or(|subscription| subscription.artifact != home)
        {
            self.change_api(&home, |api| api.subscribers.set(id, None));
            self.homes.remove_mut(id);
        }
        if let Some(subscription) = subscription {
            self.homes.insert_mut(id.clone(), subscription.artifact.clone());
            self.change_api(&subscription.artifact, |api| {
                api.subscribers.set(id, Some(subscription));
            });
        }
    }

    fn set_application(&mut self, id: &ApplicationId, application: Option<&Application>) {
        if let Some(old) = self.applications.get(id).cloned() {
            for key in &old.keys {
                self.owners.remove(key, |held| held == id);
            }
            self.applications.remove_mut(id);
        }
        if let Some(application) = application {
            for key in &application.keys {
                self.owners.insert(key, id.clone());
            }
            self.applications.insert_mut(id.clone(), Arc::new(application.clone()));
        }
    }

    /// Changes what is held about an API; nothing is held about one that there is nothing to say
    /// of.
    fn change_api(&mut self, id: &ArtifactId, change: impl FnOnce(&mut Api)) {
        if let Some(api) = self.apis.get_mut(id) {
            let api = Arc::make_mut(api);
            change(api);
            if api.is_empty() {
                self.apis.remove_mut(id);
            }
            return;
        }
        let mut api = Api::default();
        change(&mut api);
        if !api.is_empty() {
            self.apis.insert_mut(id.clone(), Arc::new(api));
        }
    }
}

impl Api {
    /// Whether there is nothing to say of it.
    fn is_empty(&self) -> bool {
        self.served.is_none() && self.keys.is_empty() && self.subscribers.is_empty()
    }
}

/// Why an API refuses a request that none of its operations fits.
const fn refusal_of(lifecycle: &Lifecycle, found: Match<'_>) -> Refusal {
    match found {
        _ if !lifecycle.is_served() => Refusal::ApiBlocked,
        Match::OtherMethod => Refusal::MethodNotAllowed,
        Match::Operation(_) | Match::Nothing => Refusal::ResourceNotFound,
    }
}

impl fmt::Debug for Snapshot {
    /// Its version and how much it holds: what it holds is much, and secrets are among it
    /// (law 16).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("version", &self.version)
            .field("apis", &self.view.apis.size())
            .field("subscriptions", &self.view.homes.size())
            .field("plans", &self.view.plans.size())
            .field("applications", &self.view.applications.size())
            .finish()
    }
}
