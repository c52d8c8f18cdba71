//! Nouns without behaviour beyond order and validity. Depends on nothing but [`crate::time`].

mod artifact;
mod credential;
mod definition;
mod dialect;
mod event;
mod generation;
mod hex;
mod ids;
mod listing;
mod resource;
mod subscription;
mod tier;

pub use artifact::{
    ArtifactWrite, Batch, Content, ContentDigest, DeployState, Held, Kind, Recovered, Row,
    Tombstone, UnknownKind,
};
pub use credential::{Credential, KeyName, KeySlot, SecretHash};
pub use definition::{AuthType, Definition, Lifecycle, Operation};
pub use dialect::{BasePath, BatchRoute, ControlPlane, Dialect, UnknownDialect};
pub use event::{Ack, AckAction, AckStatus, Event, EventHead};
pub use generation::Generation;
pub use hex::{from_hex, to_hex};
pub use ids::{
    ApplicationId, ArtifactId, CorrelationId, DeploymentId, KeyUuid, PlanId, RequestId, SessionId,
    SubscriptionId, WriteId,
};
pub use listing::{KeyReading, Listed, ListedArtifact, ListedKey, ListedState, Listing, Packed};
pub use resource::{
    KeyEnding, Resource, ResourceChange, ResourceEvent, ResourceId, ResourceRow, SubscriptionClaim,
};
pub use subscription::{Application, Plan, Quota, QuotaUnit, Subscription, SubscriptionStatus};
pub use tier::Tier;
