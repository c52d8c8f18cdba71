//! What a decision about a request costs: `cargo bench -p driftless-gateway --bench admit`.
//!
//! The snapshot holds 10,000 APIs with ten keys each; every second API wants a subscription, too,
//! and then each of its keys belongs to an application that has one. The requests of a case go
//! through APIs and keys in an order that no cache foresees. Every decision is compared with what
//! it has to be, so what is measured is that decision and no other.

#![expect(clippy::print_stdout, reason = "the numbers are its result")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use driftless_gateway::model::{
    Application, ApplicationId, ArtifactId, AuthType, Credential, Definition, KeyName, KeySlot,
    KeyUuid, Lifecycle, Operation, Plan, PlanId, Quota, QuotaUnit, Resource, ResourceId,
    SecretHash, Subscription, SubscriptionId, SubscriptionStatus, Tier,
};
use driftless_gateway::runtime::{
    ApiRequest, Level, Refusal, Snapshot, SnapshotChange, Throttle, ThrottleConfig, admit,
};
use driftless_gateway::time::Timestamp;
use sha2::{Digest, Sha256};

const APIS: usize = 10_000;
const KEYS_PER_API: usize = 10;
const KEYS: usize = APIS * KEYS_PER_API;
const APPLICATIONS: usize = 1_000;

/// The API whose limit is used up by its first request.
const LIMITED: usize = 0;

/// Decisions of one case.
const DECISIONS: usize = 1_000_000;

/// Coprime to the number of keys, so that its multiples visit each of them.
const STRIDE: usize = 76_543;

fn main() {
    let (apis, resources) = (apis(), resources());
    let begun = now();
    let snapshot = Snapshot::of(&apis, &resources);
    println!("admit, release mode, one core: {APIS} APIs, {KEYS} keys, {} subscriptions", KEYS / 2);
    println!("{:<44} {:>6} ms", "the first snapshot of all of it", begun.elapsed().as_millis());
    one_change(&snapshot);
    for case in CASES {
        case.run(&snapshot);
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures the machine's time")]
fn now() -> Instant {
    Instant::now()
}

/// A kind of request, and what has to be decided about it.
struct Case {
    name: &'static str,
    /// The request that is made for the key of that number, or instead of one with it.
    request: fn(usize) -> Asked,
    decided: Result<(), Refusal>,
}

/// What is asked.
struct Asked {
    path: String,
    key: Option<String>,
    token: Option<String>,
}

impl Asked {
    const fn at(path: String) -> Self {
        Self { path, key: None, token: None }
    }

    fn with_key(self, key: usize) -> Self {
        Self { key: Some(secret(key)), ..self }
    }

    fn with_token(self, key: usize) -> Self {
        Self { token: Some(token(key)), ..self }
    }
}

const CASES: [Case; 7] = [
    Case {
        name: "open to everyone",
        request: |key| Asked::at(path(api_of(key_without_subscription(key)), "/health")),
        decided: Ok(()),
    },
    Case {
        name: "a key",
        request: |key| {
            let key = key_without_subscription(key);
            Asked::at(path(api_of(key), "/orders/17/items")).with_key(key)
        },
        decided: Ok(()),
    },
    Case {
        name: "a key, its subscription and a plan's limit",
        request: |key| {
            let key = key_with_subscription(key);
            Asked::at(path(api_of(key), "/orders/17/items")).with_key(key)
        },
        decided: Ok(()),
    },
    Case {
        name: "a key and a subscription's token",
        request: |key| {
            let key = key_with_subscription(key);
            Asked::at(path(api_of(key), "/orders/17/items")).with_key(key).with_token(key)
        },
        decided: Ok(()),
    },
    Case {
        name: "another API's key",
        request: |key| {
            let others = (key + KEYS / 2 + KEYS_PER_API) % KEYS;
            Asked::at(path(api_of(key), "/orders")).with_key(others)
        },
        decided: Err(Refusal::KeyInvalid),
    },
    Case {
        name: "a path of no API",
        request: |key| Asked::at(format!("/nobody-{key}/1.0/orders")).with_key(key),
        decided: Err(Refusal::ApiNotFound),
    },
    Case {
        name: "over the limit",
        request: |_| Asked::at(path(LIMITED, "/orders")).with_key(0),
        decided: Err(Refusal::Throttled(Level::Api)),
    },
];

impl Case {
    fn run(&self, snapshot: &Snapshot) {
        let requests: Vec<_> =
            (0..KEYS).map(|number| (self.request)(number * STRIDE % KEYS)).collect();
        let mut throttle = Throttle::new(ThrottleConfig::recommended());
        if matches!(self.decided, Err(Refusal::Throttled(_))) {
            // The one request that the limit allows.
            self.decide(snapshot, &mut throttle, &requests[..1]);
        }
        let begun = now();
        let mut other = 0;
        for requests in [requests.as_slice()].repeat(DECISIONS / KEYS) {
            other += self.decide(snapshot, &mut throttle, requests);
        }
        let took = begun.elapsed();
        assert_eq!(other, 0, "{} were decided in another way than {:?}", other, self.decided);
        let said = self.decided.map_or_else(|refusal| refusal.reason(), |()| "granted");
        println!("{:<44} {:>6} ns/decision   {said}", self.name, nanos_each(took, DECISIONS));
    }

    /// How many of the requests are decided in another way than they have to be.
    fn decide(&self, snapshot: &Snapshot, throttle: &mut Throttle, asked: &[Asked]) -> usize {
        let mut other = 0;
        for Asked { path, key, token } in asked {
            let request = ApiRequest {
                api_key: key.as_deref(),
                subscription_token: token.as_deref(),
                ..ApiRequest::new("GET", path)
            };
            let decided = admit(snapshot, &request, at(), throttle).map(|_grant| ());
            other += usize::from(decided != self.decided);
        }
        other
    }
}

/// What a data plane pays for one event.
fn one_change(snapshot: &Snapshot) {
    const CHANGES: usize = 10_000;
    let changes: Vec<_> = (0..CHANGES).map(|number| key_resource(number * STRIDE % KEYS)).collect();
    let begun = now();
    let mut next = snapshot.clone();
    for (id, _) in &changes {
        next = next.with([SnapshotChange::Resource(id, None)]);
    }
    for (id, key) in &changes {
        next = next.with([SnapshotChange::Resource(id, Some(key))]);
    }
    let took = begun.elapsed();
    assert!(next.holds_the_same_as(snapshot), "keys that went and came back");
    let each = nanos_each(took, 2 * CHANGES);
    println!("{:<44} {each:>6} ns/snapshot", "the next snapshot, one key gone or back");
}

fn nanos_each(took: Duration, count: usize) -> u128 {
    took.as_nanos() / count as u128
}

fn at() -> Timestamp {
    Timestamp::from_unix_millis(1_785_542_400_000)
}

fn hash(text: &str) -> SecretHash {
    SecretHash(Sha256::digest(text).into())
}

/// A number as a UUID is written, spread over all first digits.
fn uuid(kind: u8, number: usize) -> String {
    let spread = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{:08x}-{:04x}-4{kind:03x}-8000-{number:012x}", spread >> 32, spread >> 16 & 0xffff)
}

const fn api_of(key: usize) -> usize {
    key / KEYS_PER_API
}

const fn wants_subscription(api: usize) -> bool {
    api % 2 == 1
}

/// The same key of the API itself or of the one before it.
const fn key_without_subscription(key: usize) -> usize {
    // The first API is the one whose limit is used up.
    let key = if wants_subscription(api_of(key)) { key - KEYS_PER_API } else { key };
    if api_of(key) == LIMITED { 2 * KEYS_PER_API } else { key }
}

/// The same key of the API itself or of the one after it.
const fn key_with_subscription(key: usize) -> usize {
    if wants_subscription(api_of(key)) { key } else { key + KEYS_PER_API }
}

fn artifact(api: usize) -> ArtifactId {
    ArtifactId::new(&uuid(1, api))
}

fn path(api: usize, below: &str) -> String {
    format!("/shop-{api}/1.0{below}")
}

fn secret(key: usize) -> String {
    format!("key-{key}")
}

fn token(key: usize) -> String {
    format!("token-{key}")
}

fn apis() -> BTreeMap<ArtifactId, Arc<Definition>> {
    (0..APIS).map(|api| (artifact(api), Arc::new(definition(api)))).collect()
}

fn definition(api: usize) -> Definition {
    let operations = [
        ("GET", "/orders", AuthType::Any),
        ("POST", "/orders", AuthType::Any),
        ("GET", "/orders/{id}", AuthType::Any),
        ("PUT", "/orders/{id}", AuthType::Any),
        ("DELETE", "/orders/{id}", AuthType::Any),
        ("GET", "/orders/{id}/items", AuthType::Any),
        ("GET", "/health", AuthType::None),
        ("GET", "/files/*", AuthType::Any),
    ];
    Definition {
        display_name: format!("shop {api}"),
        version: "1.0".to_owned(),
        context: format!("/shop-{api}/1.0"),
        lifecycle: Lifecycle::Published,
        tier: if api == LIMITED { Tier::Bronze } else { Tier::Unlimited },
        wants_key: true,
        wants_subscription: wants_subscription(api),
        operations: operations.map(operation).into(),
    }
}

fn operation((method, path, auth): (&str, &str, AuthType)) -> Operation {
    let (method, path) = (Arc::from(method), Arc::from(path));
    Operation { method, path, auth, scopes: [].into(), tier: Tier::Unlimited }
}

fn resources() -> BTreeMap<ResourceId, Resource> {
    let keys = (0..KEYS).map(key_resource);
    let subscriptions = (0..KEYS).filter(|key| wants_subscription(api_of(*key))).map(subscription);
    let applications = (0..APPLICATIONS).map(application);
    keys.chain(subscriptions).chain(applications).chain([plan()]).collect()
}

fn key_resource(key: usize) -> (ResourceId, Resource) {
    let name = KeyName::new(&format!("key-{}", key % KEYS_PER_API));
    let credential = Credential {
        hash: hash(&secret(key)),
        uuid: Some(KeyUuid::new(&uuid(2, key))),
        expires_at: Some(Timestamp::from_unix_millis(1_885_542_400_000)),
        created_at: None,
        is_listable: true,
    };
    let slot = KeySlot { credentials: [credential].into() };
    (ResourceId::ApiKey(artifact(api_of(key)), name), Resource::ApiKey(slot))
}

fn application_id(application: usize) -> ApplicationId {
    ApplicationId::new(&uuid(3, application))
}

fn application(number: usize) -> (ResourceId, Resource) {
    let keys = (0..KEYS).skip(number).step_by(APPLICATIONS);
    let keys = keys.map(|key| KeyUuid::new(&uuid(2, key))).collect();
    let application = Application { name: format!("application {number}"), keys };
    (ResourceId::Application(application_id(number)), Resource::Application(application))
}

fn subscription(key: usize) -> (ResourceId, Resource) {
    let subscription = Subscription {
        artifact: artifact(api_of(key)),
        application: Some(application_id(key % APPLICATIONS)),
        token: Some(hash(&token(key))),
        plan: Some(plan_id()),
        status: SubscriptionStatus::parse("ACTIVE"),
    };
    let id = SubscriptionId::new(&uuid(4, key));
    (ResourceId::Subscription(id), Resource::Subscription(subscription.into()))
}

fn plan_id() -> PlanId {
    PlanId::new(&uuid(5, 0))
}

/// A limit that is counted against and not reached.
fn plan() -> (ResourceId, Resource) {
    let quota = Quota { count: DECISIONS as u64, unit: QuotaUnit::Minute };
    let name = "Business".to_owned();
    let quota = Some(quota);
    let plan = Plan { name, quota, stops_on_quota: true, expires_at: None, is_active: true };
    (ResourceId::Plan(plan_id()), Resource::Plan(plan))
}
