//! What arrives, at either side.

use std::time::Duration;

use driftless_gateway::driver::{Frame, Inbound};
use driftless_gateway::engine::{CloseReason, Failure};
use driftless_gateway::model::{ArtifactId, Event, RequestId, SessionId};
use driftless_gateway::time::Instant;
use driftless_gateway::wire::HttpRequest;
use twox_hash::XxHash3_128;

use super::gateway::host::Host;
use super::gateway_side::GatewaySide;
use super::links::{Connection, Links, Order};
use super::marking::mark_beside;
use super::net::{Carried, FrameFate, Line, Towards};
use super::schedule::{Happening, Schedule};
use super::watching::{Watch, Watchers};
use crate::apim::{Answered, ApiManager, ConnectionId, Others, ServerFrame, Upgrade, redacted};
use crate::observe::Observation;
use crate::story::step::Observable;

/// How long APIM's writes into a dead connection seem to succeed.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// What may be touched when something arrives at a gateway, or at APIM from it.
pub(super) struct Delivery<'a, 't> {
    /// The gateway.
    pub(super) host: &'a mut Host,
    /// The gateways beside it.
    pub(super) others: Others<'a, Host>,
    /// APIM.
    pub(super) manager: &'a mut ApiManager,
    /// The connections between the two.
    pub(super) links: &'a mut Links,
    /// The time, and what will happen.
    pub(super) schedule: &'a mut Schedule,
    /// Whoever is told of it.
    pub(super) watchers: &'a mut Watchers<'t>,
}

impl<'t> Delivery<'_, 't> {
    /// What is seen of the gateway.
    pub(super) fn watch(&mut self) -> Watch<'_, 't> {
        Watch {
            ledger: self.manager.ledger(self.host.index),
            host: self.host,
            schedule: self.schedule,
            watchers: self.watchers,
        }
    }

    /// The gateway's side of it.
    pub(super) fn side(&mut self) -> GatewaySide<'_, 't> {
        GatewaySide {
            ledger: self.manager.ledger(self.host.index),
            host: self.host,
            others: self.others,
            links: self.links,
            schedule: self.schedule,
            watchers: self.watchers,
        }
    }

    const fn now(&self) -> Instant {
        self.schedule.now()
    }

    /// Something will happen at the gateway.
    pub(super) fn plan(&mut self, at: Instant, what: Happening) {
        self.schedule.plan(self.host.index, at, what);
    }

    /// Something that was due happens.
    pub(super) fn happen(&mut self, what: Happening) {
        match what {
            Happening::Boot => self.side().start_gateway(),
            Happening::Connect { boot, session, connection, path } => {
                self.connect(boot, session, connection, &path);
            }
            Happening::Upgraded { boot, session, connection, upgrade } => {
                self.upgraded(boot, session, connection, upgrade);
            }
            Happening::FrameToManager { connection, text } => {
                self.manager.receive_frame(ConnectionId(connection), &text, self.now());
            }
            Happening::HangupToManager { connection } => {
                self.manager.disconnected(ConnectionId(connection), self.now());
                self.links.remove(connection);
                self.host.net.forget(Line::Session(connection));
            }
            Happening::FrameToGateway { boot, session, connection, frame } => {
                self.frame_arrives(boot, session, connection, &frame);
            }
            Happening::Request { boot, id, exchange, request, name } => {
                self.request_arrives(boot, id, exchange, &request, name);
            }
            Happening::Answer { boot, id, exchange, response, namings } => {
                if self.is_over(boot, id, exchange) {
                    self.manager.told(self.host.index, namings);
                    self.come_in(Inbound::Responded(id, response), self.now());
                }
            }
            Happening::NobodyListens { boot, id, exchange } => {
                self.nobody_listens(boot, id, exchange);
            }
            Happening::Commit { boot } => self.side().commit(boot),
            Happening::Read { boot, wanted } => self.side().read(boot, wanted),
            Happening::LateFrame { connection, frame } => {
                self.host.texts_in_flight -= 1;
                self.hand_over(connection, frame);
            }
            Happening::SpaceAgain => self.host.gateway.store().set_full(false),
        }
    }

    /// APIM is asked to upgrade a connection; returns what it answers.
    pub(super) fn upgrade(
        &mut self,
        connection: ConnectionId,
        path: &str,
        token: Option<&str>,
    ) -> Upgrade {
        let (gateway, now) = (self.host.index, self.now());
        let upgrade = self.manager.connect(gateway, connection, path, token, now);
        let upgrade = self.host.sabotage.upgrade(upgrade);
        self.watch().record("apim", "upgrade", &[], || format!("{upgrade:?}"));
        upgrade
    }

    fn connect(&mut self, boot: u64, session: SessionId, connection: u64, path: &str) {
        let token = self.host.token.clone();
        let upgrade = self.upgrade(ConnectionId(connection), path, Some(&token));
        if upgrade == Upgrade::NoAnswer {
            return;
        }
        let line = Line::Session(connection);
        if let Carried::At(at) = self.host.net.carry(line, Towards::Gateway, self.now()) {
            self.plan(at, Happening::Upgraded { boot, session, connection, upgrade });
        }
    }

    fn is_current(&self, boot: u64, session: SessionId, connection: u64) -> bool {
        boot == self.host.gateway.boots()
            && self.host.gateway.sessions.get(&session) == Some(&connection)
    }

    fn upgraded(&mut self, boot: u64, session: SessionId, connection: u64, upgrade: Upgrade) {
        if !self.is_current(boot, session, connection) {
            return;
        }
        let inbound = match upgrade {
            Upgrade::Accepted => Inbound::Opened(session),
            Upgrade::Status(status) => Inbound::Closed(session, CloseReason::Refused(status)),
            Upgrade::Refused => Inbound::Closed(session, refused()),
            Upgrade::NoAnswer => return,
        };
        self.come_in(inbound, self.now());
    }

    /// Something comes in at the gateway, whose clock shows `now`: it is noted, and told to the
    /// driver.
    pub(super) fn come_in(&mut self, inbound: Inbound, now: Instant) {
        match &inbound {
            Inbound::Closed(session, reason) => {
                if let CloseReason::Closed(code, why) = reason {
                    self.note_close(*session, *code, why);
                }
                self.host.gateway.sessions.remove(session);
            }
            Inbound::Frame(_, frame) => {
                if !self.note_frame(frame) {
                    return;
                }
            }
            Inbound::Binary(session, length) => {
                self.watch().record("apim", "binary", &length.to_le_bytes(), || {
                    format!("session={session} bytes={length}")
                });
            }
            Inbound::Pinged(session) => {
                self.watch().record("apim", "ping", &[], || format!("session={session}"));
            }
            Inbound::Responded(id, _) => {
                let Some(asked) = self.host.requests.remove(id) else { return };
                return self.take_answer(asked.name, inbound, now);
            }
            Inbound::RequestFailed(id, _) => {
                self.host.requests.remove(id);
            }
            Inbound::Opened(_) | Inbound::Stored(_) | Inbound::StoreFailed(..) => {}
        }
        self.host.tell(inbound, now);
    }

    /// Carries a frame that APIM sends.
    pub(super) fn send_to_gateway(
        &mut self,
        connection: u64,
        known: Connection,
        frame: ServerFrame,
    ) {
        if let ServerFrame::Text(text) = &frame {
            self.watch().record("apim", "sends", text.as_bytes(), || redacted(text));
        }
        let is_event = matches!(&frame, ServerFrame::Text(text) if !is_connection_ack(text));
        if is_event && !self.host.sabotage.is_sent_to(self.host.index) {
            return;
        }
        let fate = match &frame {
            ServerFrame::Text(text) if is_event => self.host.net.frames.next(text),
            _ => FrameFate::Pass,
        };
        if self.links.has_sockets() {
            return self.send_over_socket(connection, frame, fate);
        }
        let line = Line::Session(connection);
        let carried = self.host.net.carry(line, Towards::Gateway, self.now());
        let Carried::At(at) = carried else {
            self.note_dead(connection);
            return;
        };
        let (boot, session) = (known.boot, known.session);
        let mut arrive = |at: Instant, frame: ServerFrame| {
            self.host.texts_in_flight += u64::from(matches!(frame, ServerFrame::Text(_)));
            self.plan(at, Happening::FrameToGateway { boot, session, connection, frame });
        };
        match fate {
            FrameFate::Pass => arrive(at, frame),
            FrameFate::Drop => {}
            FrameFate::Twice => {
                arrive(at, frame.clone());
                arrive(at, frame);
            }
            FrameFate::Late(delay) => arrive(at.after(delay), frame),
            FrameFate::Replaced(text) => arrive(at, ServerFrame::Text(text.into())),
        }
    }

    /// What a fault on event frames makes of one, before it goes into its socket.
    fn send_over_socket(&mut self, connection: u64, frame: ServerFrame, fate: FrameFate) {
        match fate {
            FrameFate::Pass => self.hand_over(connection, frame),
            FrameFate::Drop => {}
            FrameFate::Twice => {
                self.hand_over(connection, frame.clone());
                self.hand_over(connection, frame);
            }
            FrameFate::Late(delay) => {
                self.host.texts_in_flight += 1;
                self.plan(self.now().after(delay), Happening::LateFrame { connection, frame });
            }
            FrameFate::Replaced(text) => {
                self.hand_over(connection, ServerFrame::Text(text.into()));
            }
        }
    }

    /// A frame goes into its socket.
    fn hand_over(&mut self, connection: u64, frame: ServerFrame) {
        if self.host.net.is_dead(Line::Session(connection)) {
            self.watch().mark("half_open");
        } else if matches!(frame, ServerFrame::Text(_)) && self.links.text_sent(connection) {
            self.host.texts_in_flight += 1;
        }
        self.links.put_out(connection, frame);
    }

    /// APIM writes into a dead connection and is told only after a while (A-H5).
    fn note_dead(&mut self, connection: u64) {
        let now = self.now();
        self.watch().mark("half_open");
        let Some(known) = self.links.get_mut(connection) else { return };
        let since = *known.dead_since.get_or_insert(now);
        if now.since(since) >= WRITE_TIMEOUT {
            self.manager.disconnected(ConnectionId(connection), now);
            self.links.remove(connection);
        }
    }

    fn frame_arrives(
        &mut self,
        boot: u64,
        session: SessionId,
        connection: u64,
        frame: &ServerFrame,
    ) {
        self.host.texts_in_flight -= u64::from(matches!(frame, ServerFrame::Text(_)));
        if !self.is_current(boot, session, connection) {
            return;
        }
        let inbound = match frame {
            ServerFrame::Text(text) => {
                Inbound::Frame(session, Frame::read(text.as_bytes().to_vec()))
            }
            ServerFrame::Ping => Inbound::Pinged(session),
            ServerFrame::Close(code, reason) => {
                self.links.remove(connection);
                Inbound::Closed(session, CloseReason::Closed(*code, reason.to_string()))
            }
        };
        self.come_in(inbound, self.now());
    }

    /// A text frame reached the gateway; returns whether its engine hears of it.
    fn note_frame(&mut self, frame: &Frame) -> bool {
        if let Some(event) = frame.event() {
            self.hear(event, frame.bytes());
        }
        self.host.sabotage.hears(frame.event(), !self.host.requests.is_empty())
    }

    /// The gateway hears that APIM closed its session.
    fn note_close(&mut self, session: SessionId, code: u16, reason: &str) {
        self.watch().record("apim", "closes", reason.as_bytes(), || {
            format!("session={session} code={code} reason={reason:?}")
        });
        self.host.sabotage.closed(code);
    }

    /// Notes what an event means to marks, triggers and properties.
    fn hear(&mut self, event: &Event, text: &[u8]) {
        let name = match event {
            Event::ConnectionAck { .. } => "connection.ack",
            Event::Deployed(_) => "api.deployed",
            Event::Undeployed(_) => "api.undeployed",
            Event::Deleted { .. } => "api.deleted",
            Event::Changed(event) => event.event_type(),
            Event::NotHeld { event_type } | Event::Unknown { event_type } => event_type,
        };
        self.watch().observe(|| Observable::Event(name.to_owned()));
        self.watch().record("apim", "event", text, || match event {
            Event::Deployed(head) | Event::Undeployed(head) => {
                format!("type={name} artifact={}", head.artifact)
            }
            Event::Deleted { artifact, .. } => format!("type={name} artifact={artifact}"),
            Event::Changed(event) => format!("type={name} {}", event.id),
            _ => format!("type={name}"),
        });
        if let Event::Changed(event) = event {
            self.host.heard.hear(event, self.now());
        }
        self.watch().show(&Observation::Heard(event));
        if matches!(event, Event::ConnectionAck { .. }) {
            return;
        }
        self.watch().marking().event(event);
        mark_beside(self.host, self.others, self.manager, event, &mut self.watchers.marks);
        if !self.host.event_hashes.insert(XxHash3_128::oneshot(text)) {
            self.watch().mark("event_repeated");
        }
    }

    fn request_arrives(
        &mut self,
        boot: u64,
        id: RequestId,
        exchange: u64,
        request: &HttpRequest,
        name: &'static str,
    ) {
        let token = request.authenticated.then_some(self.host.token.as_str());
        let reply = self.manager.respond(self.host.index, request, token, self.now());
        let sent_at = self.now().after(reply.delay);
        let line = Line::Exchange(exchange);
        let mut response = match reply.outcome {
            Answered::Answer(response) => response,
            Answered::NoAnswer => return,
            Answered::Refused => {
                if let Carried::At(at) = self.host.net.carry(line, Towards::Gateway, sent_at) {
                    self.plan(at, Happening::NobodyListens { boot, id, exchange });
                }
                return;
            }
        };
        self.host.sabotage.answer(name, &request.path, &mut response);
        self.watch().record("apim", "answers", &response.body, || {
            let status = response.status;
            format!("request={id} {name} status={status} bytes={}", response.body.len())
        });
        if let Carried::At(at) = self.host.net.carry(line, Towards::Gateway, sent_at) {
            let namings = reply.namings;
            self.plan(at, Happening::Answer { boot, id, exchange, response, namings });
        }
    }

    /// An exchange is over; returns whether the process that asked waits for it still.
    fn is_over(&mut self, boot: u64, id: RequestId, exchange: u64) -> bool {
        self.host.net.forget(Line::Exchange(exchange));
        let asked = self.host.requests.get(&id);
        boot == self.host.gateway.boots() && asked.is_some_and(|asked| asked.exchange == exchange)
    }

    /// An answer is told to the gateway, and noted before and after.
    fn take_answer(&mut self, name: &'static str, inbound: Inbound, now: Instant) {
        let Inbound::Responded(_, response) = &inbound else { return };
        if name == "list" {
            self.host.listing = false;
        }
        let dialect = self.watchers.dialect;
        self.watch().marking().answer(name, response, dialect);
        let served = self.host.served.keys().map(ArtifactId::as_str);
        let beside = self.host.sabotage.beside(name, response, served);
        self.host.tell(inbound, now);
        if name == "list" {
            self.watch().marking().beliefs();
        }
        self.tell_beside(&beside);
        self.watch().observe(|| Observable::Answer(name.to_owned()));
    }

    /// Tells the gateway what a planted defect makes of an answer.
    fn tell_beside(&mut self, beside: &[String]) {
        let session = self.host.gateway.sessions.last_key_value().map(|(session, _)| *session);
        for (frame, session) in beside.iter().zip(session.iter().cycle()) {
            self.host
                .tell(Inbound::Frame(*session, Frame::read(frame.as_bytes().to_vec())), self.now());
        }
    }

    fn nobody_listens(&mut self, boot: u64, id: RequestId, exchange: u64) {
        if self.is_over(boot, id, exchange) {
            let failure = Failure::Unreachable("connection refused".to_owned());
            self.come_in(Inbound::RequestFailed(id, failure), self.now());
        }
    }

    /// Every open connection of the gateway is reset: both ends are told at once.
    pub(super) fn reset_connections(&mut self) {
        if self.links.order(self.host.index, Order::Reset) {
            return;
        }
        let open: Vec<u64> = self.links.of(self.host.index).map(|(number, _)| number).collect();
        let now = self.now();
        for connection in open {
            let Some(known) = self.links.remove(connection) else { continue };
            self.manager.disconnected(ConnectionId(connection), now);
            self.host.net.forget(Line::Session(connection));
            if !self.is_current(known.boot, known.session, connection) {
                continue;
            }
            let reason = CloseReason::Lost("reset by peer".to_owned());
            self.come_in(Inbound::Closed(known.session, reason), now);
        }
        for (id, asked) in std::mem::take(&mut self.host.requests) {
            self.watch().given_up(&asked);
            self.host.net.forget(Line::Exchange(asked.exchange));
            let failure = Failure::Unreachable("reset by peer".to_owned());
            self.come_in(Inbound::RequestFailed(id, failure), now);
        }
    }
}

fn refused() -> CloseReason {
    CloseReason::Unreachable("connection refused".to_owned())
}

fn is_connection_ack(text: &str) -> bool {
    text.starts_with(r#"{"type":"connection.ack""#)
}
