//! What a request that is allowed uses: the limits it counts against.

use std::sync::Arc;

use super::refusal::Level;
use crate::model::{ApplicationId, ArtifactId, Quota, SubscriptionId};

/// A request that the configuration allows, and what it uses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grant {
    /// The API.
    pub artifact: ArtifactId,
    /// The application it is made by, where a subscription says so.
    pub application: Option<ApplicationId>,
    /// The subscription it uses, where the API wants one.
    pub subscription: Option<SubscriptionId>,
    /// The limits it counts against, one for each level that has one: API, resource,
    /// subscription. Limits of applications are none of the configuration's
    /// ([`super::ThrottleConfig`]).
    pub charges: Vec<Charge>,
}

/// What a counter counts the requests of. It outlives the definition that names it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Subject {
    /// An API.
    Api(ArtifactId),
    /// An operation: its API, method and template.
    Resource(ArtifactId, Arc<str>, Arc<str>),
    /// A subscription.
    Subscription(SubscriptionId),
    /// An application.
    Application(ApplicationId),
}

impl Subject {
    /// The level that it is a subject of.
    pub const fn level(&self) -> Level {
        match self {
            Self::Api(_) => Level::Api,
            Self::Resource(..) => Level::Resource,
            Self::Subscription(_) => Level::Subscription,
            Self::Application(_) => Level::Application,
        }
    }
}

/// One request to be counted against a limit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Charge {
    /// What it counts for.
    pub subject: Subject,
    /// The limit.
    pub quota: Quota,
}
