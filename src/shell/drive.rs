//! Who the loop drives: the driver itself, or somebody who stands between the two and looks on.

use crate::driver::{Driver, Inbound, Outbound};
use crate::engine::{Engine, Timer};
use crate::publish::Fact;
use crate::time::Instant;

/// A driver as the loop sees it. In production it is the driver; the wire world shares the one
/// that its properties look at.
pub trait Drive: 'static {
    /// See [`Driver::handle`].
    fn handle(&mut self, inbound: Inbound, now: Instant);
    /// See [`Driver::handle_timeout`].
    fn handle_timeout(&mut self, now: Instant);
    /// See [`Driver::poll_timeout`].
    fn poll_timeout(&self) -> Option<(Instant, Timer)>;
    /// What the next change comes to; see [`Driver::poll_change`].
    fn poll_fact(&mut self) -> Option<Fact>;
    /// See [`Driver::poll_outbound`].
    fn poll_outbound(&mut self) -> Option<Outbound>;
    /// Looks at the engine.
    fn look<T>(&self, look: impl FnOnce(&Engine) -> T) -> T;
}

impl Drive for Driver {
    fn handle(&mut self, inbound: Inbound, now: Instant) {
        Self::handle(self, inbound, now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        Self::handle_timeout(self, now);
    }

    fn poll_timeout(&self) -> Option<(Instant, Timer)> {
        Self::poll_timeout(self)
    }

    fn poll_fact(&mut self) -> Option<Fact> {
        let change = self.poll_change()?;
        Some(Fact::of(change, self.engine()))
    }

    fn poll_outbound(&mut self) -> Option<Outbound> {
        Self::poll_outbound(self)
    }

    fn look<T>(&self, look: impl FnOnce(&Engine) -> T) -> T {
        look(self.engine())
    }
}
