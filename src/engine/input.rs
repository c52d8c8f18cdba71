//! Everything that can happen to the engine.

use std::fmt;

use crate::model::BasePath;
use crate::model::{
    ArtifactId, Content, ContentDigest, Event, KeyReading, Listed, Listing, Packed, Plan, PlanId,
    RequestId, SessionId, Subscription, SubscriptionId, WriteId,
};

/// Everything that can happen to the engine; plain data, so a run can be written down.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
    /// The WebSocket upgrade succeeded. The control plane has not checked the token yet (A-H23).
    SessionOpened(SessionId),
    /// The session could not be opened, or ended.
    SessionClosed(SessionId, CloseReason),
    /// A frame was an event.
    Watched(SessionId, Event),
    /// A frame was not an event; something may have been missed.
    Malformed(SessionId, String),
    /// The control plane pinged; the lease is renewed.
    Pinged(SessionId),
    /// A request was answered.
    Responded(RequestId, Response),
    /// A request was not answered, or not in a form that means anything.
    RequestFailed(RequestId, Failure),
    /// A write is durable.
    Stored(WriteId),
    /// A write is not durable; nothing of it is.
    StoreFailed(WriteId, StoreFailure),
}

/// Why a session ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CloseReason {
    /// No connection: refused, unresolved, unreachable, TLS, timed out.
    Unreachable(String),
    /// The upgrade was answered with this HTTP status.
    Refused(u16),
    /// The control plane closed with this code and reason; 4401 is a refused token.
    Closed(u16, String),
    /// The connection broke.
    Lost(String),
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) => write!(f, "unreachable: {why}"),
            Self::Refused(status) => write!(f, "upgrade answered {status}"),
            Self::Closed(code, reason) => write!(f, "closed {code} {reason:?}"),
            Self::Lost(why) => write!(f, "connection lost: {why}"),
        }
    }
}

/// A decoded answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Response {
    /// To [`super::Request::Discover`]: where the control plane serves.
    Discovered {
        /// The base path named by the well-known.
        base: BasePath,
    },
    /// To [`super::Request::List`].
    Listed(Listing),
    /// To [`super::Request::Fetch`]: the artifact's current definition.
    Fetched(Content),
    /// To [`super::Request::Fetch`]: the control plane answered that it has nothing deployed
    /// here for the artifact. Not the same as a missing route (FB-09).
    NotDeployed,
    /// To [`super::Request::FetchBatch`]: what the archive held; ids may be missing (A-H13).
    Batch(Vec<Packed>),
    /// To [`super::Request::CheckExists`]: the artifacts that were answered, and only those.
    Existence(Vec<(ArtifactId, bool)>),
    /// To [`super::Request::ReadKeys`].
    Keys(KeyReading),
    /// To [`super::Request::ReadSubscriptions`].
    Subscriptions(Listed<(SubscriptionId, Subscription)>),
    /// To [`super::Request::ReadPlans`].
    Plans(Listed<(PlanId, Plan)>),
}

/// Why a request has no usable answer. None of these means "nothing" (law 3).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// No connection, or it broke before the answer was complete.
    Unreachable(String),
    /// No complete answer in time.
    TimedOut,
    /// 404 or 405 for the route itself.
    RouteMissing,
    /// 401 or 403; a database outage looks the same (A-H22), so it is retried.
    Refused(u16),
    /// Any other status that is not success.
    Status(u16),
    /// Success with a body that is not what was asked for.
    Malformed(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) => write!(f, "unreachable: {why}"),
            Self::TimedOut => f.write_str("timed out"),
            Self::RouteMissing => f.write_str("route missing"),
            Self::Refused(status) => write!(f, "refused with {status}"),
            Self::Status(status) => write!(f, "answered {status}"),
            Self::Malformed(why) => write!(f, "malformed: {why}"),
        }
    }
}

/// Why a write failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StoreFailure {
    /// The disk is full.
    Full,
    /// Reading or writing failed.
    Io(String),
    /// It was not tried: these definitions in it say nothing that can be served.
    Unreadable(Vec<UnreadableContent>),
}

/// A definition whose bytes say nothing that can be served.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnreadableContent {
    /// Of which artifact.
    pub artifact: ArtifactId,
    /// The digest of its bytes.
    pub digest: ContentDigest,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for StoreFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("disk full"),
            Self::Io(why) => write!(f, "i/o error: {why}"),
            Self::Unreadable(contents) => {
                write!(f, "{} definitions that cannot be read", contents.len())
            }
        }
    }
}
