//! What the control plane says live, and what the gateway says back.

use super::{ArtifactId, CorrelationId, DeploymentId, Kind, ResourceEvent};
use crate::time::Timestamp;

/// What deploy and undeploy events carry (`docs/apim.md` §2.1, §2.2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventHead {
    /// The artifact.
    pub artifact: ArtifactId,
    /// Its kind, told by the event's type.
    pub kind: Kind,
    /// The deployment; APIM reuses the id when it redeploys a revision.
    pub deployment: Option<DeploymentId>,
    /// When the control plane did it; `None` when the field is missing, and then order cannot be
    /// told. The local clock never takes its place (C-H09: event without time).
    pub performed_at: Option<Timestamp>,
    /// `performedAt` exactly as it came, echoed by the ack.
    pub performed_text: Option<String>,
    /// The correlation id, for traces.
    pub correlation: Option<CorrelationId>,
}

/// One event of the watch. An event is a hint: it says what to look at and when (law 1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// The session is established; names the gateway.
    ConnectionAck {
        /// The gateway's id at the control plane.
        gateway: String,
    },
    /// An artifact is to be served.
    Deployed(EventHead),
    /// An artifact is not to be served any more.
    Undeployed(EventHead),
    /// An artifact is gone for good.
    Deleted {
        /// The artifact.
        artifact: ArtifactId,
        /// Its kind.
        kind: Kind,
        /// The envelope's timestamp: a delete carries no `performedAt` (`docs/apim.md` §2.3).
        sent_at: Option<Timestamp>,
    },
    /// A key, a subscription, a plan or an application changed. Boxed, so that the far more
    /// frequent events about artifacts do not carry its size around.
    Changed(Box<ResourceEvent>),
    /// An event about a resource this engine does not hold (secrets); counted and surfaced by
    /// type.
    NotHeld {
        /// The event's type.
        event_type: String,
    },
    /// A type nobody documented; counted and surfaced, never dropped in silence.
    Unknown {
        /// The event's type.
        event_type: String,
    },
}

/// What the gateway did.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum AckAction {
    /// It serves the artifact.
    Deploy,
    /// It stopped serving the artifact.
    Undeploy,
}

/// How it ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum AckStatus {
    /// Durable and visible.
    Success,
    /// Given up for this event; the reconciler goes on.
    Failed,
}

/// `deployment.ack` (`docs/apim.md` §2.8).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Ack {
    /// The artifact.
    pub artifact: ArtifactId,
    /// Its kind; names the ack's `resourceType`.
    pub kind: Kind,
    /// The deployment id of the event.
    pub deployment: Option<DeploymentId>,
    /// What was done.
    pub action: AckAction,
    /// How it ended.
    pub status: AckStatus,
    /// `performedAt` of the event, exactly as it came.
    pub performed_text: Option<String>,
}
