//! Keys, subscriptions, plans and applications as one family: what the control plane holds for a
//! gateway besides artifacts. One rule merges them all.

use std::fmt;
use std::sync::Arc;

use super::{
    Application, ApplicationId, ArtifactId, Credential, KeyName, KeySlot, Plan, PlanId, SecretHash,
    Subscription, SubscriptionId, SubscriptionStatus,
};
use crate::time::Timestamp;

/// How the control plane addresses a resource.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ResourceId {
    /// The API keys of one name on one artifact.
    ApiKey(ArtifactId, KeyName),
    /// A subscription.
    Subscription(SubscriptionId),
    /// A subscription plan.
    Plan(PlanId),
    /// An application.
    Application(ApplicationId),
}

impl ResourceId {
    /// Whether this can be the id of `resource`.
    pub const fn is_of(&self, resource: &Resource) -> bool {
        matches!(
            (self, resource),
            (Self::ApiKey(..), Resource::ApiKey(_))
                | (Self::Subscription(_), Resource::Subscription(_))
                | (Self::Plan(_), Resource::Plan(_))
                | (Self::Application(_), Resource::Application(_))
        )
    }
}

impl fmt::Display for ResourceId {
    /// Key and subscription ids are no secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApiKey(artifact, name) => write!(f, "key {name} of {artifact}"),
            Self::Subscription(id) => write!(f, "subscription {id}"),
            Self::Plan(id) => write!(f, "plan {id}"),
            Self::Application(id) => write!(f, "application {id}"),
        }
    }
}

/// What a resource is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Resource {
    /// API keys that go by one name.
    ApiKey(KeySlot),
    /// A subscription, shared by what is believed, durable and served.
    Subscription(Arc<Subscription>),
    /// A subscription plan.
    Plan(Plan),
    /// An application.
    Application(Application),
}

impl Resource {
    /// What both this and a later word about it allow: the later one where it takes something
    /// away, and no more than this otherwise.
    pub fn restricted_by(&self, later: &Self) -> Option<Self> {
        match (self, later) {
            (Self::ApiKey(known), Self::ApiKey(later)) => {
                let is_left =
                    |key: &&Credential| later.credentials.iter().any(|left| left.hash == key.hash);
                let credentials: Arc<[Credential]> =
                    known.credentials.iter().filter(is_left).cloned().collect();
                (!credentials.is_empty()).then_some(Self::ApiKey(KeySlot { credentials }))
            }
            (Self::Subscription(_), Self::Subscription(later)) if !later.status.is_open() => {
                Some(Self::Subscription(later.clone()))
            }
            (Self::Plan(_), Self::Plan(later)) if !later.is_active => {
                Some(Self::Plan(later.clone()))
            }
            _ => Some(self.clone()),
        }
    }
}

/// What is durable about one resource.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ResourceRow {
    /// What it is; `None` once it is gone, and then the row keeps late events from bringing it
    /// back (law 5).
    pub resource: Option<Resource>,
    /// The `timestamp` of the newest event that replaced or ended it (event clock). An event that
    /// is not newer changes nothing.
    pub fence: Option<Timestamp>,
    /// Of keys: the last events that ended one of that name, the last heard last. A copy of one
    /// says nothing new (A-H1: sent twice).
    pub endings: Vec<KeyEnding>,
    /// Of keys: the hashes of the last that went. A hash is never issued again, so no event brings
    /// one of them back; a list may, where it went in doubt.
    pub ended: Vec<SecretHash>,
}

/// An event that ended keys of a name, by what tells it from others: it has no number (A-H29).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyEnding {
    /// Its stamp (event clock).
    pub at: Timestamp,
    /// The key that took their place, where it tells of a regeneration.
    pub successor: Option<SecretHash>,
    /// Whether it found a key. One that found none ended a key that was not heard of; a creation
    /// that comes later and is older explains it.
    pub found: bool,
}

impl KeyEnding {
    /// Whether this is a copy of another.
    pub fn is_copy_of(&self, other: &Self) -> bool {
        (self.at, self.successor) == (other.at, other.successor)
    }
}

impl ResourceRow {
    /// A row that remembers no ending of a key.
    pub const fn new(resource: Option<Resource>, fence: Option<Timestamp>) -> Self {
        Self { resource, fence, endings: Vec::new(), ended: Vec::new() }
    }
}

/// What an event says about a subscription; what it leaves out is `None`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SubscriptionClaim {
    /// The API.
    pub artifact: Option<ArtifactId>,
    /// The application; left out means none (`docs/controller.md` §3).
    pub application: Option<ApplicationId>,
    /// The hash of its token.
    pub token: Option<SecretHash>,
    /// The plan; left out means none.
    pub plan: Option<PlanId>,
    /// Where it stands.
    pub status: Option<SubscriptionStatus>,
}

/// What an event says happened to a resource.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ResourceChange {
    /// A key was created.
    KeyCreated(Credential),
    /// A key was regenerated: the one before is dead (`docs/apim.md` §2.5).
    KeyRegenerated(Credential),
    /// A key was created or regenerated, and the new one cannot be read; holds why, without
    /// anything of the key.
    KeyUnreadable {
        /// Whether the key before it is dead.
        regenerated: bool,
        /// What is wrong.
        why: String,
    },
    /// A key was revoked.
    KeyRevoked,
    /// A subscription is new.
    SubscriptionCreated(SubscriptionClaim),
    /// A subscription changed.
    SubscriptionUpdated(SubscriptionClaim),
    /// A plan is new.
    PlanCreated(Plan),
    /// A plan changed; the event says all of it.
    PlanUpdated(Plan),
    /// An application's keys are these, all of them.
    ApplicationUpdated(Application),
    /// A subscription, a plan or an application is gone.
    Deleted,
}

/// An event about a resource.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResourceEvent {
    /// The resource.
    pub id: ResourceId,
    /// What happened to it.
    pub change: ResourceChange,
    /// The envelope's `timestamp`; `None` when it is missing, and then order cannot be told.
    pub sent_at: Option<Timestamp>,
}

impl ResourceEvent {
    /// The event's type on the wire.
    pub const fn event_type(&self) -> &'static str {
        match (&self.change, &self.id) {
            (ResourceChange::KeyCreated(_), _)
            | (ResourceChange::KeyUnreadable { regenerated: false, .. }, _) => "apikey.created",
            (ResourceChange::KeyRegenerated(_), _)
            | (ResourceChange::KeyUnreadable { regenerated: true, .. }, _) => "apikey.updated",
            (ResourceChange::KeyRevoked, _) => "apikey.revoked",
            (ResourceChange::SubscriptionCreated(_), _) => "subscription.created",
            (ResourceChange::SubscriptionUpdated(_), _) => "subscription.updated",
            (ResourceChange::PlanCreated(_), _) => "subscriptionPlan.created",
            (ResourceChange::PlanUpdated(_), _) => "subscriptionPlan.updated",
            (ResourceChange::ApplicationUpdated(_), _) => "application.updated",
            (ResourceChange::Deleted, ResourceId::Subscription(_)) => "subscription.deleted",
            (ResourceChange::Deleted, ResourceId::Plan(_)) => "subscriptionPlan.deleted",
            (ResourceChange::Deleted, ResourceId::Application(_)) => "application.deleted",
            (ResourceChange::Deleted, ResourceId::ApiKey(..)) => "apikey.revoked",
        }
    }
}
