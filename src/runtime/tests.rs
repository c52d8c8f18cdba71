//! What the runtime decides, in tables.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::*;
use crate::model::{
    Application, ApplicationId, ArtifactId, AuthType, Credential, Definition, KeyName, KeySlot,
    KeyUuid, Lifecycle, Operation, Plan, PlanId, Quota, QuotaUnit, Resource, ResourceId,
    SecretHash, Subscription, SubscriptionId, SubscriptionStatus, Tier,
};

mod judge;
mod snapshot;
mod template;
mod throttle;

/// 2026-08-01T00:00:00Z plus that many milliseconds.
fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(1_785_542_400_000 + millis)
}

fn hash(text: &str) -> SecretHash {
    request::hash_of(text).unwrap()
}

fn operation(method: &str, path: &str, auth: AuthType) -> Operation {
    Operation {
        method: Arc::from(method),
        path: Arc::from(path),
        auth,
        scopes: BTreeSet::new(),
        tier: Tier::Unlimited,
    }
}

/// An API at `/pizza/v1.0` that wants a key.
fn pizza() -> Definition {
    Definition {
        display_name: "pizza".to_owned(),
        version: "v1.0".to_owned(),
        context: "/pizza/v1.0".to_owned(),
        lifecycle: Lifecycle::Published,
        tier: Tier::Unlimited,
        wants_key: true,
        wants_subscription: false,
        operations: vec![
            operation("GET", "/items", AuthType::Any),
            operation("GET", "/open", AuthType::None),
            operation("GET", "/people", AuthType::ApplicationUser),
            operation("GET", "/robots", AuthType::Application),
        ],
    }
}

/// The facts of one test, to be changed before they become a snapshot.
#[derive(Clone, Default)]
struct Facts {
    apis: Vec<(ArtifactId, Arc<Definition>)>,
    resources: Vec<(ResourceId, Resource)>,
}

impl Facts {
    fn of(definition: Definition) -> Self {
        Self { apis: vec![(ArtifactId::new("a"), Arc::new(definition))], resources: Vec::new() }
    }

    fn api(mut self, id: &str, definition: Definition) -> Self {
        self.apis.push((ArtifactId::new(id), Arc::new(definition)));
        self
    }

    fn key(mut self, api: &str, text: &str, uuid: Option<&str>, end: Option<Timestamp>) -> Self {
        let credential = Credential {
            hash: hash(text),
            uuid: uuid.map(KeyUuid::new),
            expires_at: end,
            created_at: None,
            is_listable: true,
        };
        let id = ResourceId::ApiKey(ArtifactId::new(api), KeyName::new(text));
        self.resources.push((id, Resource::ApiKey(KeySlot { credentials: [credential].into() })));
        self
    }

    fn subscription(mut self, id: &str, subscription: Subscription) -> Self {
        let id = ResourceId::Subscription(SubscriptionId::new(id));
        self.resources.push((id, Resource::Subscription(subscription.into())));
        self
    }

    fn plan(mut self, id: &str, plan: Plan) -> Self {
        self.resources.push((ResourceId::Plan(PlanId::new(id)), Resource::Plan(plan)));
        self
    }

    fn application(mut self, id: &str, keys: &[&str]) -> Self {
        let keys = keys.iter().copied().map(KeyUuid::new).collect();
        let application = Application { name: id.to_owned(), keys };
        let id = ResourceId::Application(ApplicationId::new(id));
        self.resources.push((id, Resource::Application(application)));
        self
    }

    fn snapshot(&self) -> Snapshot {
        let apis = self.apis.iter().map(|(id, definition)| (id, definition));
        Snapshot::of(apis, self.resources.iter().map(|(id, resource)| (id, resource)))
    }
}

/// A subscription of the API `a` in that state.
fn subscription(application: Option<&str>, status: SubscriptionStatus) -> Subscription {
    Subscription {
        artifact: ArtifactId::new("a"),
        application: application.map(ApplicationId::new),
        token: None,
        plan: None,
        status,
    }
}

/// A plan in force with a limit.
fn plan(count: u64) -> Plan {
    Plan {
        name: "plan".to_owned(),
        quota: Some(Quota { count, unit: QuotaUnit::Minute }),
        stops_on_quota: true,
        expires_at: None,
        is_active: true,
    }
}
