//! The driver of a gateway process, with a world that looks on.

use std::collections::BTreeMap;

use driftless_gateway::driver::{Outbound, ReadFrame};
use driftless_gateway::engine::{Change, CloseReason, Engine, Failure, StoreFailure};
use driftless_gateway::model::{RequestId, SessionId, WriteId};
use driftless_gateway::runtime::Snapshot;
use driftless_gateway::shell::Drive;
use driftless_gateway::time::Instant;
use driftless_gateway::wire::HttpResponse;
use std::cell::RefCell;
use std::rc::Rc;
use tokio::sync::watch;

use super::Shared;
use crate::story::aim::GatewayIndex;

/// Where the shell's snapshots come out, once there is a shell.
pub(super) type Snapshots = Rc<RefCell<Option<watch::Receiver<Snapshot>>>>;

/// What the production loop drives: the world's own driver of that gateway.
pub(super) struct Watched {
    pub(super) world: Shared,
    pub(super) gateway: GatewayIndex,
    /// What each request that waits for its answer asked for: its name, and its path.
    pub(super) asked: BTreeMap<RequestId, (&'static str, String)>,
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
    fn opened(&mut self, session: SessionId, now: Instant) {
        self.world.borrow_mut().session_opened(self.gateway, session, now);
    }

    fn closed(&mut self, session: SessionId, reason: CloseReason, now: Instant) {
        self.world.borrow_mut().session_closed(self.gateway, session, reason, now);
    }

    fn receive(&mut self, session: SessionId, frame: ReadFrame, now: Instant) {
        self.world.borrow_mut().frame_came(self.gateway, session, frame, now);
    }

    fn receive_binary(&mut self, session: SessionId, length: usize, now: Instant) {
        self.world.borrow_mut().binary_came(self.gateway, session, length, now);
    }

    fn pinged(&mut self, session: SessionId, now: Instant) {
        self.world.borrow_mut().ping_came(self.gateway, session, now);
    }

    fn responded(&mut self, id: RequestId, response: HttpResponse, now: Instant) {
        let Some((name, path)) = self.asked.remove(&id) else { return };
        self.world.borrow_mut().answer_came(self.gateway, id, (name, &path), response, now);
    }

    fn request_failed(&mut self, id: RequestId, failure: Failure, now: Instant) {
        self.asked.remove(&id);
        self.world.borrow_mut().request_failed(self.gateway, id, failure, now);
    }

    fn stored(&mut self, write: WriteId, now: Instant) {
        self.world.borrow_mut().write_over(self.gateway, write, Ok(()), now);
    }

    fn store_failed(&mut self, write: WriteId, failure: StoreFailure, now: Instant) {
        self.world.borrow_mut().write_over(self.gateway, write, Err(failure), now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.world.borrow_mut().woken(self.gateway, now);
    }

    fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.world.borrow().timeout_of(self.gateway)
    }

    fn poll_change(&mut self) -> Option<Change> {
        self.world.borrow_mut().next_change(self.gateway)
    }

    fn poll_outbound(&mut self) -> Option<Outbound> {
        self.follow_snapshots();
        let outbound = self.world.borrow_mut().next_outbound(self.gateway);
        match &outbound {
            Some(Outbound::Http { id, request, name }) => {
                self.asked.insert(*id, (name, request.path.clone()));
            }
            Some(Outbound::Cancel { id }) => {
                self.asked.remove(id);
            }
            _ => {}
        }
        outbound
    }

    fn look<T>(&self, look: impl FnOnce(&Engine) -> T) -> T {
        let world = self.world.borrow();
        let Some(engine) = world.engine_of(self.gateway) else {
            unreachable!("a shell is dropped with its process")
        };
        look(engine)
    }
}
