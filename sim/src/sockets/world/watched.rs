//! The driver of a gateway process, with a world that looks on.

use std::cell::RefCell;
use std::rc::Rc;

use driftless_gateway::driver::{Inbound, Outbound};
use driftless_gateway::engine::{Engine, Timer};
use driftless_gateway::publish::Fact;
use driftless_gateway::runtime::Snapshot;
use driftless_gateway::shell::Drive;
use driftless_gateway::time::Instant;
use tokio::sync::watch;

use super::Shared;
use crate::story::aim::GatewayIndex;

/// Where the shell's snapshots come out, once there is a shell.
pub(super) type Snapshots = Rc<RefCell<Option<watch::Receiver<Snapshot>>>>;

/// What the production loop drives: the world's own driver of that gateway.
pub(super) struct Watched {
    pub(super) world: Shared,
    pub(super) gateway: GatewayIndex,
    pub(super) snapshots: Snapshots,
}

impl Watched {
    fn follow_snapshots(&self) {
        let mut snapshots = self.snapshots.borrow_mut();
        if let Some(snapshots) = snapshots.as_mut()
            && snapshots.has_changed().unwrap_or(false)
        {
            let snapshot = snapshots.borrow_and_update().clone();
            self.world.borrow_mut().show_snapshot(self.gateway, snapshot);
        }
    }
}

impl Drive for Watched {
    fn handle(&mut self, inbound: Inbound, now: Instant) {
        self.world.borrow_mut().inbound(self.gateway, inbound, now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.world.borrow_mut().woken(self.gateway, now);
    }

    fn poll_timeout(&self) -> Option<(Instant, Timer)> {
        self.world.borrow().timeout_of(self.gateway)
    }

    fn poll_fact(&mut self) -> Option<Fact> {
        self.world.borrow_mut().next_fact(self.gateway)
    }

    fn poll_outbound(&mut self) -> Option<Outbound> {
        self.follow_snapshots();
        self.world.borrow_mut().next_outbound(self.gateway)
    }

    fn look<T>(&self, look: impl FnOnce(&Engine) -> T) -> T {
        let world = self.world.borrow();
        let Some(engine) = world.engine_of(self.gateway) else {
            unreachable!("a shell is dropped with its process")
        };
        look(engine)
    }
}
