//! The sessions of one gateway, in the registry of each node, and what is still to be sent to them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use driftless_gateway::time::Instant;

use crate::apim::{ConnectionId, ServerFrame};

/// How long a write of the poll is taken to last where it can race with a direct send.
const WRITE_TIME: Duration = Duration::from_millis(20);

/// One accepted session.
pub(in crate::apim) struct Session {
    pub(super) connection: ConnectionId,
    pub(super) node: u32,
    pub(super) next_poll: Option<Instant>,
    pub(super) next_ping: Instant,
    pub(super) poll_is_dead: bool,
}

/// All sessions of one gateway and what is still to be sent.
#[derive(Default)]
pub(in crate::apim) struct Sessions {
    pub(super) open: Vec<Session>,
    pub(super) outbox: VecDeque<(ConnectionId, ServerFrame)>,
    pub(super) connects: u64,
    /// The node that connections are sent to.
    pub(super) route: u32,
    /// Whether the next connection is the first one there.
    pub(super) is_switched: bool,
}

impl Sessions {
    /// When the next poll or ping is due.
    pub(in crate::apim) fn next_at(&self) -> Option<Instant> {
        let due = self.open.iter();
        due.map(|session| {
            session.next_poll.map_or(session.next_ping, |at| at.min(session.next_ping))
        })
        .min()
    }

    /// The node that connections are sent to.
    pub(in crate::apim) const fn route(&self) -> u32 {
        self.route
    }

    /// Whether nobody is connected.
    pub(in crate::apim) const fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Takes the next frame to send.
    pub(in crate::apim) fn pop(&mut self) -> Option<(ConnectionId, ServerFrame)> {
        self.outbox.pop_front()
    }

    /// A frame is to be sent.
    pub(in crate::apim) fn send(&mut self, connection: ConnectionId, frame: ServerFrame) {
        self.outbox.push_back((connection, frame));
    }

    /// Sends one text to the sessions on that node, or on every node; returns how many there
    /// were.
    pub(in crate::apim) fn broadcast(&mut self, node: Option<u32>, text: &Arc<str>) -> usize {
        let to = self.open.iter().filter(|session| node.is_none_or(|node| session.node == node));
        let before = self.outbox.len();
        let frame = |session: &Session| (session.connection, ServerFrame::Text(Arc::clone(text)));
        self.outbox.extend(to.map(frame));
        self.outbox.len() - before
    }

    /// Ends the polls on that node that write at about this moment; returns how many (A-H8).
    pub(in crate::apim) fn kill_polls_writing(
        &mut self,
        node: u32,
        every: Duration,
        now: Instant,
    ) -> u64 {
        let writes = |at: Instant| at.since(now).saturating_add(WRITE_TIME) >= every;
        let racing = self.open.iter_mut().filter(|session| {
            session.node == node && !session.poll_is_dead && session.next_poll.is_some_and(writes)
        });
        racing.map(|session| session.poll_is_dead = true).count() as u64
    }

    /// Ends the poll of every session; returns whether one was running.
    pub(in crate::apim) fn kill_polls(&mut self) -> bool {
        let running = |session: &Session| session.next_poll.is_some() && !session.poll_is_dead;
        let any = self.open.iter().any(running);
        self.open.iter_mut().for_each(|session| session.poll_is_dead = true);
        any
    }

    /// Starts the polls that died again.
    pub(in crate::apim) fn revive_polls(&mut self) {
        self.open.iter_mut().for_each(|session| session.poll_is_dead = false);
    }

    /// Closes every session; returns how many there were.
    pub(in crate::apim) fn close_all(&mut self, code: u16, reason: &str) -> u64 {
        let closed = std::mem::take(&mut self.open);
        for session in &closed {
            self.send(session.connection, ServerFrame::Close(code, reason.to_owned()));
        }
        closed.len() as u64
    }

    /// Sends the next connections to another of so many nodes.
    pub(in crate::apim) const fn switch_node(&mut self, nodes: u32) {
        self.route = (self.route + 1) % nodes;
        self.is_switched = true;
    }

    /// Forgets a session whose connection is gone.
    pub(in crate::apim) fn remove(&mut self, connection: ConnectionId) {
        self.open.retain(|session| session.connection != connection);
        self.outbox.retain(|(to, _)| *to != connection);
    }
}
