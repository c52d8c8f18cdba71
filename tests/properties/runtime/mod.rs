//! The runtime under random facts and requests.
//!
//! The names come from small sets, so that facts meet: a key on the wrong API, a subscription
//! without its plan, two APIs at one path.

mod admission;
mod model;
mod naive;
mod routing;
mod snapshots;
mod throttling;

use std::collections::BTreeMap;
use std::sync::Arc;

use driftless_gateway::model::{
    Application, ApplicationId, ArtifactId, AuthType, Credential, Definition, KeyName, KeySlot,
    KeyUuid, Lifecycle, Operation, Plan, PlanId, Quota, QuotaUnit, Resource, ResourceId,
    SecretHash, Subscription, SubscriptionId, SubscriptionStatus, Tier,
};
use driftless_gateway::runtime::{Snapshot, SnapshotChange};
use driftless_gateway::time::Timestamp;
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use sha2::{Digest, Sha256};

/// Where what broke these properties is kept.
const KEPT: &str = "tests/properties/regressions/runtime.txt";

/// A fact as it is from here on.
#[derive(Clone, Debug)]
enum Fact {
    Api(ArtifactId, Option<Arc<Definition>>),
    Resource(ResourceId, Option<Box<Resource>>),
}

impl Fact {
    fn change(&self) -> SnapshotChange<'_> {
        match self {
            Self::Api(id, definition) => SnapshotChange::Api(id, definition.as_ref()),
            Self::Resource(id, resource) => SnapshotChange::Resource(id, resource.as_deref()),
        }
    }

    /// That the thing is gone.
    fn taken_back(&self) -> Self {
        match self {
            Self::Api(id, _) => Self::Api(id.clone(), None),
            Self::Resource(id, _) => Self::Resource(id.clone(), None),
        }
    }
}

/// What is true after a sequence of facts.
#[derive(Clone, Default, Debug)]
struct Facts {
    apis: BTreeMap<ArtifactId, Arc<Definition>>,
    resources: BTreeMap<ResourceId, Resource>,
}

impl Facts {
    fn after(facts: &[Fact]) -> Self {
        let mut now = Self::default();
        for fact in facts {
            match fact.clone() {
                Fact::Api(id, Some(definition)) => drop(now.apis.insert(id, definition)),
                Fact::Api(id, None) => drop(now.apis.remove(&id)),
                Fact::Resource(id, Some(held)) => drop(now.resources.insert(id, *held)),
                Fact::Resource(id, None) => drop(now.resources.remove(&id)),
            }
        }
        now
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot::of(&self.apis, &self.resources)
    }

    /// One fact for each thing that there is.
    fn facts(&self) -> Vec<Fact> {
        let apis = self.apis.iter().map(|(id, held)| Fact::Api(id.clone(), Some(held.clone())));
        let resources = self.resources.iter();
        let resources =
            resources.map(|(id, held)| Fact::Resource(id.clone(), Some(Box::new(held.clone()))));
        apis.chain(resources).collect()
    }
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(1_785_542_400_000 + millis)
}

fn hash(text: &str) -> SecretHash {
    SecretHash(Sha256::digest(text).into())
}

const ARTIFACTS: &[&str] = &["a", "b", "c"];
const SECRETS: &[&str] = &["key-1", "key-2"];

fn artifact() -> impl Strategy<Value = ArtifactId> {
    select(ARTIFACTS).prop_map(ArtifactId::new)
}

fn moment() -> impl Strategy<Value = Timestamp> {
    (-2_i64..=2).prop_map(at)
}

fn operation() -> impl Strategy<Value = Operation> {
    let paths =
        &["/", "/*", "/x", "/x/*", "/{id}", "/x/{id}", "/x/y", "/{id}/y", "/x/{id}/*", "/{id}/*"];
    let auth = [AuthType::None, AuthType::Application, AuthType::ApplicationUser, AuthType::Any];
    let scopes = subsequence(vec!["read".to_owned(), "write".to_owned()], 0..=2);
    let scopes = prop_oneof![3 => Just(Vec::new()), 1 => scopes];
    (select(&["GET", "POST"][..]), select(&paths[..]), select(auth.to_vec()), scopes, tier())
        .prop_map(|(method, path, auth, scopes, tier)| Operation {
            method: Arc::from(method),
            path: Arc::from(path),
            auth,
            scopes: scopes.into_iter().collect(),
            tier,
        })
}

fn tier() -> impl Strategy<Value = Tier> {
    prop_oneof![
        8 => Just(Tier::Unlimited),
        2 => select(vec![Tier::Gold, Tier::Silver, Tier::Bronze]),
        1 => Just(Tier::parse("Iron")),
    ]
}

fn definition() -> impl Strategy<Value = Definition> {
    let contexts = &["/p", "/p/v1", "/p/v1/x", "/p/$version/x", "/q", "/"];
    let states = &["PUBLISHED", "PUBLISHED", "PROTOTYPED", "DEPRECATED", "BLOCKED", "RETIRED", "?"];
    let wants = (prop::bool::weighted(0.7), prop::bool::weighted(0.5));
    let operations = vec(operation(), 1..6);
    (select(&contexts[..]), select(&["v1", ""][..]), select(&states[..]), tier(), wants, operations)
        .prop_map(|(context, version, state, tier, wants, operations)| Definition {
            display_name: "api".to_owned(),
            version: version.to_owned(),
            context: context.to_owned(),
            lifecycle: Lifecycle::parse(state),
            tier,
            wants_key: wants.0,
            wants_subscription: wants.1,
            operations,
        })
}

fn key_uuid() -> impl Strategy<Value = KeyUuid> {
    select(&["u1", "u2", "u3"][..]).prop_map(KeyUuid::new)
}

fn slot() -> impl Strategy<Value = Resource> {
    let credential = (select(SECRETS), option::of(key_uuid()), option::weighted(0.4, moment()));
    vec(credential, 0..4).prop_map(|credentials| {
        let by_hash: BTreeMap<SecretHash, Credential> = credentials
            .into_iter()
            .map(|(text, uuid, expires_at)| {
                let hash = hash(text);
                let (created_at, is_listable) = (None, uuid.is_some());
                (hash, Credential { hash, uuid, expires_at, created_at, is_listable })
            })
            .collect();
        Resource::ApiKey(KeySlot { credentials: by_hash.into_values().collect() })
    })
}

fn subscription() -> impl Strategy<Value = Resource> {
    let states = &["ACTIVE", "ACTIVE", "ACTIVE", "UNBLOCKED", "BLOCKED", "ON_HOLD", "REVOKED", "?"];
    let application = option::of(select(&["app-1", "app-2"][..]).prop_map(ApplicationId::new));
    let plan = option::of(select(&["plan-1", "plan-2"][..]).prop_map(PlanId::new));
    let token = option::of(select(&["token-1", "token-2"][..]).prop_map(hash));
    (artifact(), application, token, plan, select(&states[..])).prop_map(
        |(artifact, application, token, plan, status)| {
            let status = SubscriptionStatus::parse(status);
            Resource::Subscription(
                Subscription { artifact, application, token, plan, status }.into(),
            )
        },
    )
}

fn plan() -> impl Strategy<Value = Resource> {
    let quota = option::of((0_u64..4).prop_map(|count| Quota { count, unit: QuotaUnit::Minute }));
    let end = option::weighted(0.3, moment());
    (quota, any::<bool>(), end, prop::bool::weighted(0.8)).prop_map(
        |(quota, stops_on_quota, expires_at, is_active)| {
            let name = "plan".to_owned();
            Resource::Plan(Plan { name, quota, stops_on_quota, expires_at, is_active })
        },
    )
}

fn application() -> impl Strategy<Value = Resource> {
    btree_set(key_uuid(), 0..3)
        .prop_map(|keys| Resource::Application(Application { name: "app".to_owned(), keys }))
}

fn fact() -> impl Strategy<Value = Fact> {
    let gone = || prop::bool::weighted(0.2);
    let name = select(&["n1", "n2"][..]);
    let of = |id: ResourceId, held: Resource, gone: bool| {
        Fact::Resource(id, Some(Box::new(held)).filter(|_| !gone))
    };
    let subscription_id = select(&["s1", "s2", "s3"][..]);
    prop_oneof![
        3 => (artifact(), definition(), gone()).prop_map(|(id, definition, gone)| {
            Fact::Api(id, Some(Arc::new(definition)).filter(|_| !gone))
        }),
        5 => (artifact(), name, slot(), gone()).prop_map(move |(artifact, name, held, gone)| {
            of(ResourceId::ApiKey(artifact, KeyName::new(name)), held, gone)
        }),
        3 => (subscription_id, subscription(), gone()).prop_map(move |(id, held, gone)| {
            of(ResourceId::Subscription(SubscriptionId::new(id)), held, gone)
        }),
        1 => (select(&["plan-1", "plan-2"][..]), plan(), gone()).prop_map(
            move |(id, held, gone)| of(ResourceId::Plan(PlanId::new(id)), held, gone)
        ),
        2 => (select(&["app-1", "app-2"][..]), application(), gone()).prop_map(
            move |(id, held, gone)| of(ResourceId::Application(ApplicationId::new(id)), held, gone)
        ),
    ]
}
