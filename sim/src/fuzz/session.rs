//! `session`: one driver, the simulated API Manager, and bytes that decide everything between
//! them: what arrives when, how often, in which order, and what becomes of it on the way.
//!
//! There is no network and no schedule: any order is possible, also one that no network makes.
//! What must hold then is what holds whatever arrives: nothing panics, work is bounded, nothing is
//! removed without evidence, nothing is served that was never handed out, and acks tell the truth.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use driftless_gateway::driver::{Driver, Frame, Inbound, Outbound};
use driftless_gateway::engine::{CloseReason, Config, Engine, Failure, StoreFailure};
use driftless_gateway::model::{
    Ack, AckAction, AckStatus, Batch, Dialect, Recovered, RequestId, SessionId, WriteId,
};
use driftless_gateway::time::Instant;
use driftless_gateway::wire::{ArchiveLimits, HttpRequest, HttpResponse};

use super::evidence::Evidence;
use crate::apim::{Answered, ApiManager, ConnectionId, ServerFrame, Upgrade};
use crate::story::aim::GatewayIndex;
use crate::story::step::{Verb, Word};
use crate::story::switches::Switches;

/// What tells a driver that a write failed.
pub type StoreFailed = fn(&mut Driver, WriteId, StoreFailure, Instant);

/// The bytes of an operation, and the most operations of one input.
const OPERATION_BYTES: usize = 4;
const OPERATIONS_MAX: usize = 160;

/// The most that one input of the driver may make it want.
const OUTBOUND_MAX: usize = 256;

/// Carries out the operations that the bytes are.
///
/// # Panics
/// When the driver does what it must not do whatever arrives.
pub fn check_session(bytes: &[u8], store_failed: StoreFailed) {
    let Some((head, rest)) = bytes.split_at_checked(OPERATION_BYTES) else { return };
    let mut bench = SessionBench::new(head[0], u64::from(head[1]), store_failed);
    bench.drain();
    for operation in rest.chunks_exact(OPERATION_BYTES).take(OPERATIONS_MAX) {
        let [what, x, y, z] = *operation else { return };
        bench.operate(what, x, y, z);
        bench.drain();
        bench.is_bounded();
    }
}

struct SessionBench {
    manager: ApiManager,
    driver: Driver,
    now: Instant,
    store_failed: StoreFailed,
    boots: u64,
    connections: u64,
    /// Sessions that were asked for and not yet answered.
    dialled: VecDeque<(SessionId, String)>,
    open: BTreeMap<ConnectionId, SessionId>,
    /// Frames on their way.
    frames: VecDeque<(SessionId, ServerFrame)>,
    requests: VecDeque<(RequestId, HttpRequest)>,
    /// Requests that are over.
    over: Vec<RequestId>,
    commit: Option<(WriteId, Batch)>,
    durable: Recovered,
    evidence: Evidence,
}

fn engine(seed: u64, durable: &Recovered, now: Instant) -> Driver {
    let engine = Engine::recover(Config::recommended(), seed, durable.clone(), now);
    Driver::new(engine, ArchiveLimits::recommended())
}

impl SessionBench {
    fn new(dialect: u8, seed: u64, store_failed: StoreFailed) -> Self {
        let dialect = Dialect::ALL[usize::from(dialect) % Dialect::ALL.len()];
        let (now, durable) = (Instant::START, Recovered::default());
        Self {
            manager: ApiManager::new(
                dialect,
                Switches { compress: false, ..Switches::usual(dialect) },
                seed,
            ),
            driver: engine(seed, &durable, now),
            now,
            store_failed,
            boots: seed,
            connections: 0,
            dialled: VecDeque::new(),
            open: BTreeMap::new(),
            frames: VecDeque::new(),
            requests: VecDeque::new(),
            over: Vec::new(),
            commit: None,
            durable,
            evidence: Evidence::default(),
        }
    }

    fn operate(&mut self, what: u8, x: u8, y: u8, z: u8) {
        match what % 16 {
            0 | 1 => {
                let word = Word::of(&[x, y, 0, 0, z, 0, z, 0]).unwrap_or_default();
                let dialect = self.manager.dialect();
                if let Some(verb) = Verb::of_people(&word, dialect) {
                    self.manager.apply(&verb, self.now);
                }
            }
            2 => {
                let unit = [1, 10, 100, 1000, 5000, 15_000, 30_000, 60_000][usize::from(x % 8)];
                self.pass(unit * u64::from(1 + y % 4));
            }
            3 => self.deliver(x, z & 1 > 0, |_| {}),
            4 => self.deliver(x, false, |text| {
                let place = usize::from(y) % text.len().max(1);
                text.get_mut(place).into_iter().for_each(|byte| *byte ^= z.max(1));
            }),
            5 | 6 => self.answer(x, |_| {}),
            7 => self.answer(x, |response| spoil(response, y, z)),
            8 => self.fail(x, z),
            9 => self.finish_commit(true),
            10 => self.finish_commit(false),
            11 => self.dial(!x.is_multiple_of(4)),
            12 => self.close(z),
            13 => self.crash(x & 1 > 0),
            14 => self.repeat_what_is_over(x),
            _ => self.go_well(1 + x % 4),
        }
    }

    /// Everything in flight arrives as it was sent, several times over.
    fn go_well(&mut self, rounds: u8) {
        for _ in 0..rounds {
            self.dial(true);
            self.drain();
            while !self.frames.is_empty() {
                self.deliver(0, false, |_| {});
                self.drain();
            }
            for _ in 0..self.requests.len() {
                self.answer(0, |_| {});
                self.drain();
            }
            self.finish_commit(true);
            self.drain();
        }
    }

    /// Lets time pass, from deadline to deadline.
    fn pass(&mut self, ms: u64) {
        let until = self.now.after(Duration::from_millis(ms));
        for _ in 0..64 {
            let driver = self.driver.poll_timeout().map(|(at, _)| at);
            let due = [driver, self.manager.poll_timeout()].into_iter().flatten().min();
            let Some(due) = due.filter(|due| *due <= until) else { break };
            self.now = self.now.max(due);
            self.manager.handle_timeout(self.now);
            self.driver.handle_timeout(self.now);
            self.drain();
            let next = self.driver.poll_timeout();
            assert!(next.is_none_or(|(at, _)| at > self.now), "busy with {next:?}");
        }
        self.now = until;
        self.manager.handle_timeout(self.now);
        self.driver.handle_timeout(self.now);
    }

    fn drain(&mut self) {
        let mut count = 0;
        while let Some(outbound) = self.driver.poll_outbound() {
            count += 1;
            assert!(count <= OUTBOUND_MAX, "one input, and {count} things to do");
            match outbound {
                Outbound::Dial { session, path } => self.dialled.push_back((session, path)),
                Outbound::Hangup { session } => self.hang_up(session),
                Outbound::Frame { session, text, ack } => self.send(session, &text, &ack),
                Outbound::Http { id, request, .. } => self.requests.push_back((id, request)),
                Outbound::Cancel { id } => {
                    self.requests.retain(|(other, _)| *other != id);
                    self.over.push(id);
                }
                Outbound::Commit { write, batch } => {
                    self.evidence.allows(&batch, &self.durable);
                    assert!(self.commit.is_none(), "two writes at a time");
                    self.commit = Some((write, batch));
                }
            }
        }
        while self.driver.poll_change().is_some() {}
        while let Some((connection, frame)) = self.manager.poll_frame() {
            if let Some(session) = self.open.get(&connection) {
                self.frames.push_back((*session, frame));
            }
        }
    }

    fn hang_up(&mut self, session: SessionId) {
        self.dialled.retain(|(other, _)| *other != session);
        let gone = self.open.iter().find(|(_, other)| **other == session).map(|(id, _)| *id);
        if let Some(connection) = gone {
            self.open.remove(&connection);
            self.manager.disconnected(connection, self.now);
        }
    }

    /// An ack is about what is durable (law 8).
    fn send(&mut self, session: SessionId, text: &str, ack: &Ack) {
        let is_served = self.durable.rows.get(&ack.artifact).is_some_and(|row| row.is_served());
        if ack.status == AckStatus::Success {
            assert_eq!(is_served, ack.action == AckAction::Deploy, "{ack:?} is not durable");
        }
        let connection = self.open.iter().find(|(_, other)| **other == session);
        assert!(connection.is_some(), "{ack:?} on a session that is not there");
        if let Some((connection, _)) = connection {
            self.manager.receive_frame(*connection, text, self.now);
        }
    }

    fn is_bounded(&self) {
        let config = Config::recommended();
        // Besides fetches and lists: discovery, the list of deployments, existence, a scrub.
        let most = config.fetches_in_flight_max + 4 * config.lists_in_flight_max;
        assert!(self.requests.len() <= most, "{} requests in flight", self.requests.len());
        assert!(self.open.len() + self.dialled.len() <= 1, "two sessions at a time");
    }

    fn deliver(&mut self, number: u8, keep: bool, twist: impl FnOnce(&mut Vec<u8>)) {
        let place = usize::from(number) % self.frames.len().max(1);
        let Some((session, frame)) = self.frames.remove(place) else { return };
        if keep {
            self.frames.insert(place, (session, frame.clone()));
        }
        match frame {
            ServerFrame::Text(text) => {
                let mut bytes = text.as_bytes().to_vec();
                twist(&mut bytes);
                self.evidence.heard(&bytes);
                self.driver.handle(Inbound::Frame(session, Frame::read(bytes)), self.now);
            }
            ServerFrame::Ping => self.driver.handle(Inbound::Pinged(session), self.now),
            ServerFrame::Close(code, reason) => {
                let reason = CloseReason::Closed(code, reason);
                self.driver.handle(Inbound::Closed(session, reason), self.now);
                self.hang_up(session);
            }
        }
    }

    fn answer(&mut self, number: u8, twist: impl FnOnce(&mut HttpResponse)) {
        let place = usize::from(number) % self.requests.len().max(1);
        let Some((id, request)) = self.requests.remove(place) else { return };
        self.over.push(id);
        let token =
            request.authenticated.then(|| self.manager.token(GatewayIndex::FIRST).to_owned());
        let reply = self.manager.respond(GatewayIndex::FIRST, &request, token.as_deref(), self.now);
        let Answered::Answer(mut response) = reply.outcome else {
            let failure = Failure::Unreachable("nobody listens".to_owned());
            self.driver.handle(Inbound::RequestFailed(id, failure), self.now);
            return;
        };
        twist(&mut response);
        self.evidence.answered(&request, &response);
        self.driver.handle(Inbound::Responded(id, response), self.now);
    }

    fn fail(&mut self, number: u8, how: u8) {
        let place = usize::from(number) % self.requests.len().max(1);
        let Some((id, _)) = self.requests.remove(place) else { return };
        self.over.push(id);
        let failure = match how % 2 {
            0 => Failure::TimedOut,
            _ => Failure::Unreachable("reset".to_owned()),
        };
        self.driver.handle(Inbound::RequestFailed(id, failure), self.now);
    }

    fn finish_commit(&mut self, well: bool) {
        let Some((write, batch)) = self.commit.take() else { return };
        if well {
            self.durable.apply(&batch);
            self.driver.handle(Inbound::Stored(write), self.now);
        } else {
            (self.store_failed)(&mut self.driver, write, StoreFailure::Full, self.now);
        }
    }

    fn dial(&mut self, well: bool) {
        let Some((session, path)) = self.dialled.pop_front() else { return };
        self.connections += 1;
        let connection = ConnectionId(self.connections);
        let token = self.manager.token(GatewayIndex::FIRST).to_owned();
        let gateway = GatewayIndex::FIRST;
        let upgrade = self.manager.connect(gateway, connection, &path, Some(&token), self.now);
        match upgrade {
            Upgrade::Accepted if well => {
                self.open.insert(connection, session);
                self.driver.handle(Inbound::Opened(session), self.now);
            }
            Upgrade::Status(status) => {
                let reason = CloseReason::Refused(status);
                self.driver.handle(Inbound::Closed(session, reason), self.now);
            }
            _ => {
                self.manager.disconnected(connection, self.now);
                let reason = CloseReason::Unreachable("no route".to_owned());
                self.driver.handle(Inbound::Closed(session, reason), self.now);
            }
        }
    }

    fn close(&mut self, how: u8) {
        let Some((_, session)) = self.open.iter().next() else { return };
        let session = *session;
        let reason = match how % 3 {
            0 => CloseReason::Lost("reset".to_owned()),
            1 => CloseReason::Closed(1001, String::new()),
            _ => {
                let inbound = Inbound::Binary(session, usize::from(how));
                return self.driver.handle(inbound, self.now);
            }
        };
        self.driver.handle(Inbound::Closed(session, reason), self.now);
        self.hang_up(session);
    }

    /// The process dies, with its write done or not, and comes back.
    fn crash(&mut self, is_done: bool) {
        if let Some((_, batch)) = self.commit.take().filter(|_| is_done) {
            self.durable.apply(&batch);
        }
        for connection in std::mem::take(&mut self.open).into_keys() {
            self.manager.disconnected(connection, self.now);
        }
        self.dialled.clear();
        self.frames.clear();
        self.requests.clear();
        self.over.clear();
        self.boots += 1;
        self.driver = engine(self.boots, &self.durable, self.now);
        assert_eq!(*self.driver.engine().observed().durable(), self.durable, "after a restart");
    }

    /// What answers a request that is over changes nothing (ids fence).
    fn repeat_what_is_over(&mut self, number: u8) {
        self.driver.handle_timeout(self.now);
        self.drain();
        let Some(id) = self.over.get(usize::from(number) % self.over.len().max(1)) else { return };
        let before = self.driver.engine().observed().digest();
        let body = br#"{"deployments":[]}"#.to_vec();
        let response = HttpResponse { status: 200, content_type: None, body };
        self.driver.handle(Inbound::Responded(*id, response), self.now);
        let wanted = self.driver.poll_outbound();
        assert_eq!(wanted, None, "an answer to what is over");
        assert_eq!(self.driver.engine().observed().digest(), before);
    }
}

/// What may become of an answer on its way, and what else a control plane may say.
fn spoil(response: &mut HttpResponse, how: u8, with: u8) {
    let body = &mut response.body;
    match how % 8 {
        0 => body.truncate(usize::from(with) * body.len() / 256),
        1 => {
            let place = usize::from(with) * body.len() / 256;
            body.get_mut(place).into_iter().for_each(|byte| *byte ^= 1 + how);
        }
        2 => *body = b"{}".to_vec(),
        3 => body.clear(),
        4 => *body = b"[]".to_vec(),
        5 => *body = br#"{"deployments":[]}"#.to_vec(),
        6 => *body = vec![0; 1024],
        _ => {
            let statuses = [401, 403, 404, 405, 429, 500, 503, 204];
            response.status = statuses[usize::from(with) % statuses.len()];
        }
    }
}
