//! Random keys, subscriptions, plans and applications, as they are written to a store.

use driftless_gateway::model::{
    Application, Credential, KeyEnding, KeyName, KeySlot, Plan, Quota, QuotaUnit, Resource,
    ResourceId, ResourceRow, SecretHash, Subscription, SubscriptionStatus,
};
use proptest::prelude::*;

use crate::store::timestamps;

/// Ids and names: few, so that one is written often, and such as a key made of them could mix up.
fn texts() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "a\",\"b", "[\"plan\",\"a\"]", "é\n"])
}

fn endings() -> impl Strategy<Value = KeyEnding> {
    (timestamps(), prop::option::of(hashes()), any::<bool>())
        .prop_map(|(at, successor, found)| KeyEnding { at, successor, found })
}

fn hashes() -> impl Strategy<Value = SecretHash> {
    any::<[u8; 32]>().prop_map(SecretHash)
}

fn keys() -> impl Strategy<Value = (ResourceId, Resource)> {
    let stamp = || prop::option::of(timestamps());
    let uuid = prop::option::of(texts());
    let credential = (hashes(), uuid, stamp(), stamp(), any::<bool>()).prop_map(
        |(hash, uuid, expires_at, created_at, is_listable)| {
            let uuid = uuid.map(Into::into);
            Credential { hash, uuid, expires_at, created_at, is_listable }
        },
    );
    (texts(), texts(), prop::collection::vec(credential, 0..3)).prop_map(
        |(artifact, name, credentials)| {
            let id = ResourceId::ApiKey(artifact.into(), KeyName::new(name));
            (id, Resource::ApiKey(KeySlot { credentials: credentials.into() }))
        },
    )
}

fn subscriptions() -> impl Strategy<Value = (ResourceId, Resource)> {
    let status = prop_oneof![
        Just(SubscriptionStatus::Active),
        Just(SubscriptionStatus::TierUpdatePending),
        Just(SubscriptionStatus::ProdOnlyBlocked),
        Just(SubscriptionStatus::Unclear("Napping".to_owned())),
    ];
    let (application, plan) = (prop::option::of(texts()), prop::option::of(texts()));
    (texts(), texts(), application, prop::option::of(hashes()), plan, status).prop_map(
        |(id, artifact, application, token, plan, status)| {
            let subscription = Subscription {
                artifact: artifact.into(),
                application: application.map(Into::into),
                token,
                plan: plan.map(Into::into),
                status,
            };
            (ResourceId::Subscription(id.into()), Resource::Subscription(subscription.into()))
        },
    )
}

fn plans() -> impl Strategy<Value = (ResourceId, Resource)> {
    let unit = prop_oneof![Just(QuotaUnit::Second), Just(QuotaUnit::Minute), Just(QuotaUnit::Day)];
    let quota = (any::<u64>(), unit).prop_map(|(count, unit)| Quota { count, unit });
    let expiry = prop::option::of(timestamps());
    (texts(), texts(), prop::option::of(quota), any::<bool>(), expiry, any::<bool>()).prop_map(
        |(id, name, quota, stops_on_quota, expires_at, is_active)| {
            let name = name.to_owned();
            let plan = Plan { name, quota, stops_on_quota, expires_at, is_active };
            (ResourceId::Plan(id.into()), Resource::Plan(plan))
        },
    )
}

fn applications() -> impl Strategy<Value = (ResourceId, Resource)> {
    (texts(), texts(), prop::collection::btree_set(texts().prop_map(Into::into), 0..4)).prop_map(
        |(id, name, keys)| {
            let application = Application { name: name.to_owned(), keys };
            (ResourceId::Application(id.into()), Resource::Application(application))
        },
    )
}

/// A plan under the id of an application, which a store refuses.
fn lies() -> impl Strategy<Value = (ResourceId, Resource)> {
    (texts(), plans()).prop_map(|(id, (_, plan))| (ResourceId::Application(id.into()), plan))
}

/// A row to write, one that says that the resource is gone, or a row to forget.
pub(crate) fn resource_writes() -> impl Strategy<Value = (ResourceId, Option<ResourceRow>)> {
    let resources = prop_oneof![
        80 => keys(),
        40 => subscriptions(),
        40 => plans(),
        40 => applications(),
        1 => lies(),
    ];
    let endings = prop::collection::vec(endings(), 0..3);
    (resources, prop::option::of(timestamps()), endings, 0..10_u8).prop_map(
        |((id, resource), fence, endings, form)| {
            let row = match form {
                0..2 => None,
                2..4 => Some(ResourceRow { endings, ..ResourceRow::new(None, fence) }),
                _ => Some(ResourceRow { endings, ..ResourceRow::new(Some(resource), fence) }),
            };
            (id, row)
        },
    )
}
