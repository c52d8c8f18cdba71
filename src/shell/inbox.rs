//! What sockets' tasks tell the loop.

use crate::driver::ReadFrame;
use crate::engine::{CloseReason, Failure};
use crate::model::{RequestId, SessionId};
use crate::wire::HttpResponse;

/// Something that a socket's task tells the loop.
#[derive(Debug)]
pub(super) enum Happened {
    /// The upgrade succeeded.
    Opened(SessionId),
    /// A text frame of so many bytes arrived.
    Frame(SessionId, ReadFrame, usize),
    /// A binary frame of so many bytes arrived.
    Binary(SessionId, usize),
    /// The control plane pinged.
    Pinged(SessionId),
    /// The session could not be opened, or ended.
    Closed(SessionId, CloseReason),
    /// A request is over.
    Answered(RequestId, Result<HttpResponse, Failure>),
}
