//! Keys, subscriptions, plans and applications of the fixed history.

use driftless_gateway::model::{
    Application, Credential, KeyName, KeySlot, Plan, Quota, QuotaUnit, Resource, ResourceId,
    ResourceRow, SecretHash, Subscription, SubscriptionStatus,
};
use driftless_gateway::time::Timestamp;

/// One part of a batch.
pub(crate) type Write = (ResourceId, Option<ResourceRow>);

/// What no message and no report may show.
pub(crate) const HASH: SecretHash = SecretHash([0xab; 32]);

pub(crate) fn key_id(artifact: &str, name: &str) -> ResourceId {
    ResourceId::ApiKey(artifact.into(), KeyName::new(name))
}

fn stamp(day: u32) -> Timestamp {
    Timestamp::parse(&format!("2026-03-{day:02}T01:02:03.45Z")).unwrap()
}

fn row(id: ResourceId, day: u32, resource: Resource) -> Write {
    (id, Some(ResourceRow::new(Some(resource), Some(stamp(day)))))
}

pub(crate) fn key(artifact: &str, name: &str, day: u32) -> Write {
    let listed = Credential {
        hash: HASH,
        uuid: Some("7c1e".into()),
        expires_at: Some(stamp(28)),
        created_at: Some(stamp(day)),
        is_listable: true,
    };
    let scoped = Credential {
        hash: SecretHash([0xcd; 32]),
        uuid: None,
        expires_at: None,
        created_at: None,
        is_listable: false,
    };
    let slot = KeySlot { credentials: [listed, scoped].into() };
    row(key_id(artifact, name), day, Resource::ApiKey(slot))
}

pub(crate) fn subscription(id: &str, day: u32) -> Write {
    let subscription = Subscription {
        artifact: "orders".into(),
        application: Some("shop".into()),
        token: Some(HASH),
        plan: Some("gold".into()),
        status: SubscriptionStatus::Active,
    };
    row(ResourceId::Subscription(id.into()), day, Resource::Subscription(subscription.into()))
}

pub(crate) fn plan(id: &str, count: u64, day: u32) -> Write {
    let plan = Plan {
        name: "Gold plan".to_owned(),
        quota: Some(Quota { count, unit: QuotaUnit::Minute }),
        stops_on_quota: true,
        expires_at: None,
        is_active: true,
    };
    row(ResourceId::Plan(id.into()), day, Resource::Plan(plan))
}

pub(crate) fn application(id: &str, day: u32) -> Write {
    let application = Application { name: "Shop".to_owned(), keys: ["7c1e".into()].into() };
    row(ResourceId::Application(id.into()), day, Resource::Application(application))
}

pub(crate) fn gone(id: ResourceId, day: u32) -> Write {
    (id, Some(ResourceRow::new(None, Some(stamp(day)))))
}
