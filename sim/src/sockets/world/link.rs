//! The network between one gateway and APIM, as both ends of its connections see it.
//!
//! Turmoil loses what is sent during a partition and sends nothing again, so a connection that
//! lost a byte can never go on. TCP would tell its ends in the end; here the line is dead from
//! then on: neither end hears from the other, and what is written after [`WRITE_TIMEOUT`] fails.
//! A connection that dies half-open is such a line, too.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::apim::ConnectionId;
use crate::random::Key;
use crate::story::step::{ByteFault, Bytes, Direction};
use crate::world::net::{Rule, Towards};

/// How long writes into a dead connection seem to succeed.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// How the network is at a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct LinkState {
    /// Nothing passes to the gateway.
    pub(super) is_cut_to_gateway: bool,
    /// Nothing passes to APIM.
    pub(super) is_cut_to_manager: bool,
    /// Everything waits.
    pub(super) is_held: bool,
    /// How long messages take, where they take longer than usual.
    pub(super) latency: Option<(Duration, Duration)>,
}

impl LinkState {
    /// What the rules in force make of the network.
    pub(super) fn of(rules: &[Rule]) -> Self {
        let mut link_state = Self::default();
        for rule in rules {
            match *rule {
                Rule::Partition { direction, .. } => {
                    link_state.is_cut_to_gateway |= direction != Direction::ToManager;
                    link_state.is_cut_to_manager |= direction != Direction::ToGateway;
                }
                Rule::Hold { .. } => link_state.is_held = true,
                Rule::Latency { min, max, .. } => link_state.latency = Some((min, max.max(min))),
            }
        }
        link_state
    }

    const fn is_cut(&self, towards: Towards) -> bool {
        match towards {
            Towards::Gateway => self.is_cut_to_gateway,
            Towards::Manager => self.is_cut_to_manager,
        }
    }
}

/// What becomes of bytes that are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum WriteFate {
    /// They go on.
    Sent,
    /// They are lost, and the writer does not know.
    Lost,
    /// The writer is told that the connection is dead.
    TimedOut,
}

/// One connection.
#[derive(Debug, Default)]
struct CarriedConnection {
    /// Its session, where it carries one.
    connection: Option<ConnectionId>,
    is_dead: bool,
    /// When the first byte was lost.
    lost_at: Option<Duration>,
    /// How many of its ends are gone.
    ends_gone: u8,
}

#[derive(Debug)]
struct SharedState {
    key: Key,
    link_state: LinkState,
    /// The node that connections go to.
    node: u32,
    /// Connections by the gateway's port.
    lines: BTreeMap<u16, CarriedConnection>,
    /// Sessions whose bytes were lost, until somebody asks.
    newly_dead: Vec<ConnectionId>,
    took_effect: BTreeMap<&'static str, u64>,
    /// Faults that wait for bytes.
    byte_faults: VecDeque<Bytes>,
    /// How often bytes went wrong.
    spoiled: u64,
}

impl SharedState {
    fn count(&mut self, fault: &'static str) {
        *self.took_effect.entry(fault).or_insert(0) += 1;
    }
}

/// The network between one gateway and APIM.
#[derive(Clone, Debug)]
pub(super) struct Link(Arc<Mutex<SharedState>>);

impl Link {
    /// A healthy network whose draws are made below `key`.
    pub(super) fn new(key: Key) -> Self {
        Self(Arc::new(Mutex::new(SharedState {
            key,
            link_state: LinkState::default(),
            node: 0,
            lines: BTreeMap::new(),
            newly_dead: Vec::new(),
            took_effect: BTreeMap::new(),
            byte_faults: VecDeque::new(),
            spoiled: 0,
        })))
    }

    /// Bytes are about to go wrong.
    pub(super) fn spoil_next(&self, faults: impl IntoIterator<Item = Bytes>) {
        self.state().byte_faults.extend(faults);
    }

    /// No more bytes go wrong.
    pub(super) fn lift_byte_faults(&self) {
        self.state().byte_faults.clear();
    }

    /// What happens to bytes that APIM writes now, with a draw of its own.
    pub(super) fn spoil(&self) -> Option<(ByteFault, Key)> {
        let mut state = self.state();
        let next = state.byte_faults.front_mut()?;
        let fault = next.fault;
        next.count = next.count.saturating_sub(1);
        if next.count == 0 {
            state.byte_faults.pop_front();
        }
        state.spoiled += 1;
        state.count(fault.delivered_as());
        Some((fault, state.key.nth(state.spoiled)))
    }

    /// One thread uses it; a lock is what lets a stream be sent to another one.
    fn state(&self) -> MutexGuard<'_, SharedState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state of the link changes; returns what it was.
    pub(super) fn set_link_state(&self, link_state: LinkState) -> LinkState {
        std::mem::replace(&mut self.state().link_state, link_state)
    }

    /// From now on connections go to that node.
    pub(super) fn route_to(&self, node: u32) {
        self.state().node = node;
    }

    /// A connection is being made; returns the node that it goes to.
    pub(super) fn dial(&self) -> u32 {
        let mut state = self.state();
        let link_state = state.link_state;
        if link_state.is_cut_to_manager {
            state.count("partition");
        } else if link_state.is_held {
            state.count("hold");
        }
        state.node
    }

    /// APIM accepted a connection from that port of the gateway.
    pub(super) fn accepted(&self, port: u16) {
        self.state().lines.insert(port, CarriedConnection::default());
    }

    /// The connection from that port carries this session.
    pub(super) fn carries(&self, port: u16, connection: ConnectionId) {
        if let Some(line) = self.state().lines.get_mut(&port) {
            line.connection = Some(connection);
        }
    }

    /// The session's connection dies and nobody is told.
    pub(super) fn kill(&self, connection: ConnectionId) {
        let mut state = self.state();
        let mut lines = state.lines.values_mut();
        if let Some(line) = lines.find(|line| line.connection == Some(connection)) {
            line.is_dead = true;
        }
    }

    /// Whether the connection from that port is dead.
    pub(super) fn is_dead(&self, port: u16) -> bool {
        self.state().lines.get(&port).is_some_and(|line| line.is_dead)
    }

    /// Something is written on the connection from that port, or it is closed.
    pub(super) fn write(&self, port: u16, towards: Towards, now: Duration) -> WriteFate {
        let mut state = self.state();
        let link_state = state.link_state;
        let Some(line) = state.lines.get_mut(&port) else { return WriteFate::Sent };
        if line.is_dead {
            let since = *line.lost_at.get_or_insert(now);
            state.count("half_open");
            let is_late = now.saturating_sub(since) >= WRITE_TIMEOUT;
            return if is_late { WriteFate::TimedOut } else { WriteFate::Lost };
        }
        if link_state.is_cut(towards) {
            line.is_dead = true;
            line.lost_at = Some(now);
            let connection = line.connection;
            state.newly_dead.extend(connection);
            state.count("partition");
            return WriteFate::Lost;
        }
        if link_state.is_held {
            state.count("hold");
        }
        if link_state.latency.is_some() {
            state.count("latency");
        }
        WriteFate::Sent
    }

    /// One end of the connection from that port is gone. Where the word of it is lost, the other
    /// end never hears it.
    pub(super) fn end(&self, port: u16, towards: Towards) {
        let mut state = self.state();
        let link_state = state.link_state;
        let Some(line) = state.lines.get_mut(&port) else { return };
        line.ends_gone += 1;
        if line.ends_gone == 2 {
            state.lines.remove(&port);
        } else if link_state.is_cut(towards) && !line.is_dead {
            line.is_dead = true;
            let connection = line.connection;
            state.newly_dead.extend(connection);
        }
    }

    /// The sessions whose bytes were lost since the last call.
    pub(super) fn newly_dead(&self) -> Vec<ConnectionId> {
        std::mem::take(&mut self.state().newly_dead)
    }

    /// The sessions with a connection.
    pub(super) fn sessions(&self) -> Vec<ConnectionId> {
        let state = self.state();
        let living = state.lines.values().filter(|line| !line.is_dead);
        living.filter_map(|line| line.connection).collect()
    }

    /// How often each fault took effect since the last call.
    pub(super) fn took_effect(&self) -> BTreeMap<&'static str, u64> {
        std::mem::take(&mut self.state().took_effect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORT: u16 = 50_000;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn link() -> Link {
        let link = Link::new(Key::new(1));
        link.accepted(PORT);
        link.carries(PORT, ConnectionId(7));
        link
    }

    fn cut(direction: Direction) -> LinkState {
        let until = driftless_gateway::time::Instant::from_millis(9);
        LinkState::of(&[Rule::Partition { until, direction }])
    }

    #[test]
    fn a_line_that_lost_a_byte_is_dead_both_ways_and_its_writer_learns_of_it_late() {
        let link = link();
        assert_eq!(link.write(PORT, Towards::Gateway, at(0)), WriteFate::Sent);
        link.set_link_state(cut(Direction::ToGateway));
        assert_eq!(link.write(PORT, Towards::Manager, at(1)), WriteFate::Sent);
        assert!(link.newly_dead().is_empty());
        assert_eq!(link.write(PORT, Towards::Gateway, at(2)), WriteFate::Lost);
        assert_eq!(link.newly_dead(), [ConnectionId(7)]);
        link.set_link_state(LinkState::default());
        assert!(link.is_dead(PORT) && link.sessions().is_empty());
        assert_eq!(link.write(PORT, Towards::Manager, at(3)), WriteFate::Lost);
        assert_eq!(link.write(PORT, Towards::Gateway, at(31)), WriteFate::Lost);
        assert_eq!(link.write(PORT, Towards::Gateway, at(32)), WriteFate::TimedOut);
        let took = link.took_effect();
        assert_eq!((took.get("partition"), took.get("half_open")), (Some(&1), Some(&3)));
        assert!(link.took_effect().is_empty());
    }

    #[test]
    fn an_end_that_nobody_hears_of_leaves_a_dead_line() {
        let link = link();
        link.set_link_state(cut(Direction::ToManager));
        link.end(PORT, Towards::Manager);
        assert_eq!(link.newly_dead(), [ConnectionId(7)]);
        assert!(link.is_dead(PORT));
        link.end(PORT, Towards::Gateway);
        assert!(!link.is_dead(PORT), "a line that both ends left is forgotten");
    }

    #[test]
    fn a_half_open_line_dies_at_once_and_others_do_not() {
        let link = link();
        link.accepted(PORT + 1);
        link.kill(ConnectionId(7));
        assert!(link.is_dead(PORT) && !link.is_dead(PORT + 1));
        assert_eq!(link.write(PORT + 1, Towards::Gateway, at(0)), WriteFate::Sent);
    }

    #[test]
    fn so_many_bytes_go_wrong_as_were_asked_for_and_in_their_order() {
        let link = link();
        let fault = |fault, count| Bytes { fault, count };
        link.spoil_next([fault(ByteFault::Cut, 2), fault(ByteFault::Flip, 1)]);
        let next = || link.spoil().map(|(fault, _)| fault);
        assert_eq!(
            [next(), next(), next(), next()],
            [Some(ByteFault::Cut), Some(ByteFault::Cut), Some(ByteFault::Flip), None]
        );
        assert_eq!(link.took_effect().get("bytes.cut"), Some(&2));
        link.spoil_next([fault(ByteFault::Split, 9)]);
        link.lift_byte_faults();
        assert_eq!(next(), None);
    }
}
