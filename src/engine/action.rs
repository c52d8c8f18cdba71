//! Everything the engine may ask for.

use crate::model::{
    Ack, ArtifactId, BasePath, Batch, BatchRoute, DeploymentId, Kind, RequestId, SessionId, WriteId,
};

/// Everything the engine may ask for; plain data, so a run can be written down.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Open a session below this base path.
    OpenSession(SessionId, BasePath),
    /// Close the session; its later inputs are ignored.
    CloseSession(SessionId),
    /// Send an ack on the session.
    Ack(SessionId, Ack),
    /// Send a request below this base path; discovery ignores the base.
    Request(RequestId, BasePath, Request),
    /// The answer is not wanted any more.
    Cancel(RequestId),
    /// Make this durable, all of it or nothing, and answer `Stored` or `StoreFailed`.
    Store(WriteId, Batch),
}

/// A read of the control plane.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// The well-known of an APIM.
    Discover,
    /// The deployments list.
    List,
    /// The current definition of one artifact.
    Fetch(ArtifactId, Kind),
    /// Current definitions by deployment id, as one archive.
    FetchBatch(BatchRoute, Vec<DeploymentId>),
    /// Which of these artifacts exist at all.
    CheckExists(Vec<ArtifactId>),
    /// The bulk list of the API keys of one kind of artifact.
    ReadKeys(Kind),
    /// The subscriptions of one artifact.
    ReadSubscriptions(ArtifactId),
    /// The subscription plans.
    ReadPlans,
}

impl Request {
    /// A short name for traces, counters and triggers.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Discover => "discover",
            Self::List => "list",
            Self::Fetch(..) => "fetch",
            Self::FetchBatch(..) => "fetch_batch",
            Self::CheckExists(_) => "check_exists",
            Self::ReadKeys(_) => "read_keys",
            Self::ReadSubscriptions(_) => "read_subscriptions",
            Self::ReadPlans => "read_plans",
        }
    }
}
