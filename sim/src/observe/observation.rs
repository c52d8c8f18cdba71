//! What happens at a gateway, as those who judge it see it.

use driftless_gateway::model::{
    Ack, ArtifactId, Batch, ContentDigest, DeploymentId, Event, Recovered, Resource, ResourceId,
};

use super::difference::Differences;

/// Something that happened.
#[derive(Clone, Copy, Debug)]
pub enum Observation<'a> {
    /// What is served of an artifact changed.
    Served {
        /// The artifact.
        artifact: &'a ArtifactId,
        /// What was served.
        before: Option<&'a Served>,
        /// What is served.
        after: Option<&'a Served>,
    },
    /// A key, subscription, plan or application in force changed.
    Held(&'a HeldChange),
    /// An event was delivered to the gateway as APIM sent it.
    Heard(&'a Event),
    /// The gateway asked for something: a request by name, `open_session` or `store`.
    Asked(&'static str),
    /// The gateway sent an ack.
    Acked(&'a Ack),
    /// The store said that a batch is durable.
    Committed(&'a Batch),
    /// The store said that a batch could not be written.
    CommitFailed(&'a Batch),
    /// The gateway process died, while this batch was being written.
    Crashed(Option<&'a Batch>),
    /// The gateway's store was lost, and with it all that it knew.
    Wiped,
    /// A gateway process started and found this in its store.
    Recovered(&'a Recovered),
    /// Something logged an error.
    ErrorLogged(&'a str),
    /// The run came to rest; everything that was due was done. With it comes how what is held
    /// differs from what must be.
    Rest(&'a Differences),
    /// The run came to an end.
    End,
}

/// What is served of one artifact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Served {
    /// The deployment id it is served under.
    pub deployment: Option<DeploymentId>,
    /// The digest of the definition served.
    pub digest: ContentDigest,
}

/// What became of one resource.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeldChange {
    /// The resource.
    pub id: ResourceId,
    /// What was in force.
    pub before: Option<Resource>,
    /// What is in force.
    pub after: Option<Resource>,
}
