//! Nouns without behaviour beyond order and validity. Depends on nothing but [`crate::time`].

mod artifact;
mod dialect;
mod event;
mod generation;
mod ids;
mod listing;

pub use artifact::{
    ArtifactWrite, Batch, Content, ContentDigest, DeployState, Held, Kind, Recovered, Row,
    Tombstone, UnknownKind,
};
pub use dialect::{BasePath, BatchRoute, ControlPlane, Dialect, UnknownDialect};
pub use event::{Ack, AckAction, AckStatus, Event, EventHead};
pub use generation::Generation;
pub use ids::{ArtifactId, CorrelationId, DeploymentId, RequestId, SessionId, WriteId};
pub use listing::{KeyReading, Listed, ListedState, Listing, Packed};
