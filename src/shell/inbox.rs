//! What sockets' tasks tell the loop.

use tokio::sync::OwnedSemaphorePermit;

use crate::driver::Inbound;

/// Something that a socket's task tells the loop.
#[derive(Debug)]
pub(super) struct Happened {
    /// What came in.
    pub(super) inbound: Inbound,
    /// The room that it takes while it waits, where that is counted.
    pub(super) room: Option<OwnedSemaphorePermit>,
}

impl From<Inbound> for Happened {
    fn from(inbound: Inbound) -> Self {
        Self { inbound, room: None }
    }
}
