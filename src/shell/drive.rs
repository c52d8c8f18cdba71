//! Who the loop drives: the driver itself, or somebody who stands between the two and looks on.

use crate::driver::{Driver, Outbound, ReadFrame};
use crate::engine::{Change, CloseReason, Engine, Failure, StoreFailure};
use crate::model::{RequestId, SessionId, WriteId};
use crate::time::Instant;
use crate::wire::HttpResponse;

/// A driver as the loop sees it; each method is the [`Driver`]'s own of that name. In production
/// it is the driver; the wire world shares the one that its properties look at.
pub trait Drive: 'static {
    /// See [`Driver::opened`].
    fn opened(&mut self, session: SessionId, now: Instant);
    /// See [`Driver::closed`].
    fn closed(&mut self, session: SessionId, reason: CloseReason, now: Instant);
    /// See [`Driver::receive`].
    fn receive(&mut self, session: SessionId, frame: ReadFrame, now: Instant);
    /// See [`Driver::receive_binary`].
    fn receive_binary(&mut self, session: SessionId, length: usize, now: Instant);
    /// See [`Driver::pinged`].
    fn pinged(&mut self, session: SessionId, now: Instant);
    /// See [`Driver::responded`].
    fn responded(&mut self, id: RequestId, response: HttpResponse, now: Instant);
    /// See [`Driver::request_failed`].
    fn request_failed(&mut self, id: RequestId, failure: Failure, now: Instant);
    /// See [`Driver::stored`].
    fn stored(&mut self, write: WriteId, now: Instant);
    /// See [`Driver::store_failed`].
    fn store_failed(&mut self, write: WriteId, failure: StoreFailure, now: Instant);
    /// See [`Driver::handle_timeout`].
    fn handle_timeout(&mut self, now: Instant);
    /// See [`Driver::poll_timeout`].
    fn poll_timeout(&self) -> Option<(Instant, &'static str)>;
    /// See [`Driver::poll_change`].
    fn poll_change(&mut self) -> Option<Change>;
    /// See [`Driver::poll_outbound`].
    fn poll_outbound(&mut self) -> Option<Outbound>;
    /// Looks at the engine.
    fn look<T>(&self, look: impl FnOnce(&Engine) -> T) -> T;
}

impl Drive for Driver {
    fn opened(&mut self, session: SessionId, now: Instant) {
        Self::opened(self, session, now);
    }

    fn closed(&mut self, session: SessionId, reason: CloseReason, now: Instant) {
        Self::closed(self, session, reason, now);
    }

    fn receive(&mut self, session: SessionId, frame: ReadFrame, now: Instant) {
        Self::receive(self, session, frame, now);
    }

    fn receive_binary(&mut self, session: SessionId, length: usize, now: Instant) {
        Self::receive_binary(self, session, length, now);
    }

    fn pinged(&mut self, session: SessionId, now: Instant) {
        Self::pinged(self, session, now);
    }

    fn responded(&mut self, id: RequestId, response: HttpResponse, now: Instant) {
        Self::responded(self, id, response, now);
    }

    fn request_failed(&mut self, id: RequestId, failure: Failure, now: Instant) {
        Self::request_failed(self, id, failure, now);
    }

    fn stored(&mut self, write: WriteId, now: Instant) {
        Self::stored(self, write, now);
    }

    fn store_failed(&mut self, write: WriteId, failure: StoreFailure, now: Instant) {
        Self::store_failed(self, write, failure, now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        Self::handle_timeout(self, now);
    }

    fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        Self::poll_timeout(self)
    }

    fn poll_change(&mut self) -> Option<Change> {
        Self::poll_change(self)
    }

    fn poll_outbound(&mut self) -> Option<Outbound> {
        Self::poll_outbound(self)
    }

    fn look<T>(&self, look: impl FnOnce(&Engine) -> T) -> T {
        look(self.engine())
    }
}
