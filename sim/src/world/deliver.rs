//! What arrives, at either side.

use driftless_gateway::driver::{Inbound, read_event};
use driftless_gateway::engine::{CloseReason, Failure};
use driftless_gateway::model::{ArtifactId, Event, RequestId, SessionId};
use driftless_gateway::time::Instant;
use driftless_gateway::wire::{HttpRequest, HttpResponse};
use twox_hash::XxHash3_128;

use super::net::{Carried, FrameFate, Line, Towards};
use super::{Connection, Happening, Order, WRITE_TIMEOUT, World};
use crate::apim::{Outcome, ServerFrame, Upgrade, redacted};
use crate::observe::Observation;
use crate::story::step::Observable;

impl World<'_> {
    /// Something that was due happens.
    pub(super) fn happen(&mut self, what: Happening) {
        match what {
            Happening::Boot => self.start_gateway(),
            Happening::Step(index) => self.take_step(index),
            Happening::Connect { boot, session, connection, path } => {
                self.connect(boot, session, connection, &path);
            }
            Happening::Upgraded { boot, session, connection, upgrade } => {
                self.upgraded(boot, session, connection, upgrade);
            }
            Happening::FrameToManager { connection, text } => {
                self.manager.receive_frame(Self::id(connection), &text, self.now);
            }
            Happening::HangupToManager { connection } => {
                self.manager.disconnected(Self::id(connection), self.now);
                self.connections.remove(&connection);
                self.site.net.forget(Self::line(connection));
            }
            Happening::FrameToGateway { boot, session, connection, frame } => {
                self.frame_arrives(boot, session, connection, &frame);
            }
            Happening::Request { boot, id, exchange, request, name } => {
                self.request_arrives(boot, id, exchange, &request, name);
            }
            Happening::Answer { boot, id, exchange, response } => {
                self.answer_arrives(boot, id, exchange, response);
            }
            Happening::NobodyListens { boot, id, exchange } => {
                self.nobody_listens(boot, id, exchange);
            }
            Happening::Commit { boot } => self.commit(boot),
            Happening::Read { boot, wanted } => self.read(boot, wanted),
            Happening::LateFrame { connection, frame } => {
                self.site.texts_in_flight -= 1;
                self.hand_over(connection, frame);
            }
            Happening::SpaceAgain => self.site.gateway.store().set_full(false),
            Happening::Claims { at_ms } => self.check_claims(at_ms),
        }
    }

    fn connect(&mut self, boot: u64, session: SessionId, connection: u64, path: &str) {
        let token = Some(self.site.token.as_str());
        let upgrade =
            self.manager.connect(self.site.index, Self::id(connection), path, token, self.now);
        let upgrade = self.site.sabotage.upgrade(upgrade);
        self.trace.record(self.now, "apim", "upgrade", &[], || format!("{upgrade:?}"));
        if upgrade == Upgrade::NoAnswer {
            return;
        }
        let line = Self::line(connection);
        if let Carried::At(at) = self.site.net.carry(line, Towards::Gateway, self.now) {
            self.schedule(at, Happening::Upgraded { boot, session, connection, upgrade });
        }
    }

    fn is_current(&self, boot: u64, session: SessionId, connection: u64) -> bool {
        boot == self.site.gateway.boots()
            && self.site.gateway.sessions.get(&session) == Some(&connection)
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
        self.come_in(inbound, self.now);
    }

    /// Something comes in at the gateway, whose clock shows `now`: it is noted, and told to the
    /// driver.
    pub(super) fn come_in(&mut self, inbound: Inbound, now: Instant) {
        match &inbound {
            Inbound::Closed(session, reason) => {
                if let CloseReason::Closed(code, why) = reason {
                    self.note_close(*session, *code, why);
                }
                self.site.gateway.sessions.remove(session);
            }
            Inbound::Frame(_, frame) => {
                if !self.note_frame(frame) {
                    return;
                }
            }
            Inbound::Binary(session, length) => {
                self.trace.record(self.now, "apim", "binary", &length.to_le_bytes(), || {
                    format!("session={session} bytes={length}")
                });
            }
            Inbound::Pinged(session) => {
                self.trace.record(self.now, "apim", "ping", &[], || format!("session={session}"));
            }
            Inbound::Responded(id, _) => {
                let Some(asked) = self.site.requests.remove(id) else { return };
                return self.take_answer(asked.name, *id, inbound, now);
            }
            Inbound::RequestFailed(id, _) => {
                self.site.requests.remove(id);
                self.site.fetches.remove(id);
                self.site.rolls.remove(id);
            }
            Inbound::Opened(_) | Inbound::Stored(_) | Inbound::StoreFailed(..) => {}
        }
        self.tell(inbound, now);
    }

    /// Tells the gateway's driver of something that nobody looks at on the way.
    pub(super) fn tell(&mut self, inbound: Inbound, now: Instant) {
        if let Some(driver) = self.site.gateway.driver() {
            driver.handle(inbound, now);
        }
    }

    /// Carries what APIM sends.
    pub(super) fn drain_manager(&mut self) {
        let back = self.site.index;
        while let Some((connection, frame)) = self.manager.poll_frame() {
            self.send_to_gateway(connection.0, frame);
        }
        self.turn_to(back);
    }

    fn send_to_gateway(&mut self, connection: u64, frame: ServerFrame) {
        let Some(known) = self.connections.get(&connection).copied() else { return };
        self.turn_to(known.gateway);
        if let ServerFrame::Text(text) = &frame {
            self.trace.record(self.now, "apim", "sends", text.as_bytes(), || redacted(text));
        }
        let is_event = matches!(&frame, ServerFrame::Text(text) if !is_connection_ack(text));
        if is_event && !self.site.sabotage.is_sent_to(self.site.index) {
            return;
        }
        let fate = match &frame {
            ServerFrame::Text(text) if is_event => self.site.net.frames.next(text),
            _ => FrameFate::Pass,
        };
        if self.has_sockets() {
            return self.send_over_socket(connection, frame, fate);
        }
        let line = Self::line(connection);
        let carried = self.site.net.carry(line, Towards::Gateway, self.now);
        let Carried::At(at) = carried else {
            self.note_dead(connection);
            return;
        };
        let (boot, session) = (known.boot, known.session);
        let mut arrive = |at: Instant, frame: ServerFrame| {
            self.site.texts_in_flight += u64::from(matches!(frame, ServerFrame::Text(_)));
            self.schedule(at, Happening::FrameToGateway { boot, session, connection, frame });
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

    /// APIM writes into a dead connection and is told only after a while (A-H5).
    fn note_dead(&mut self, connection: u64) {
        let now = self.now;
        self.mark("half_open");
        let Some(known) = self.connections.get_mut(&connection) else { return };
        let since = *known.dead_since.get_or_insert(now);
        if now.since(since) >= WRITE_TIMEOUT {
            self.manager.disconnected(Self::id(connection), now);
            self.connections.remove(&connection);
        }
    }

    fn frame_arrives(
        &mut self,
        boot: u64,
        session: SessionId,
        connection: u64,
        frame: &ServerFrame,
    ) {
        self.site.texts_in_flight -= u64::from(matches!(frame, ServerFrame::Text(_)));
        if !self.is_current(boot, session, connection) {
            return;
        }
        let inbound = match frame {
            ServerFrame::Text(text) => Inbound::Frame(session, text.as_bytes().to_vec()),
            ServerFrame::Ping => Inbound::Pinged(session),
            ServerFrame::Close(code, reason) => {
                self.connections.remove(&connection);
                Inbound::Closed(session, CloseReason::Closed(*code, reason.to_string()))
            }
        };
        self.come_in(inbound, self.now);
    }

    /// A text frame reached the gateway; returns whether its engine hears of it.
    fn note_frame(&mut self, frame: &[u8]) -> bool {
        let event = read_event(frame).ok();
        if let Some(event) = &event {
            self.hear(event, frame);
        }
        self.site.sabotage.hears(event.as_ref(), !self.site.requests.is_empty())
    }

    /// The gateway hears that APIM closed its session.
    fn note_close(&mut self, session: SessionId, code: u16, reason: &str) {
        self.trace.record(self.now, "apim", "closes", reason.as_bytes(), || {
            format!("session={session} code={code} reason={reason:?}")
        });
        self.site.sabotage.closed(code);
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
        self.observe(|| Observable::Event(name.to_owned()));
        self.trace.record(self.now, "apim", "event", text, || format!("type={name}"));
        if let Event::Changed(event) = event {
            self.site.heard.hear(event, self.now);
        }
        self.show(&Observation::Heard(event));
        if matches!(event, Event::ConnectionAck { .. }) {
            return;
        }
        self.mark_event(event);
        self.mark_beside(event);
        if !self.site.event_hashes.insert(XxHash3_128::oneshot(text)) {
            self.mark("event_repeated");
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
        let token = request.authenticated.then_some(self.site.token.as_str());
        let reply = self.manager.respond(self.site.index, request, token, self.now);
        let sent_at = self.now.after(reply.delay);
        let line = Line::Exchange(exchange);
        let mut response = match reply.outcome {
            Outcome::Answer(response) => response,
            Outcome::NoAnswer => return,
            Outcome::Refused => {
                if let Carried::At(at) = self.site.net.carry(line, Towards::Gateway, sent_at) {
                    self.schedule(at, Happening::NobodyListens { boot, id, exchange });
                }
                return;
            }
        };
        self.site.sabotage.answer(name, &request.path, &mut response);
        self.trace.record(self.now, "apim", "answers", &response.body, || {
            let status = response.status;
            format!("request={id} {name} status={status} bytes={}", response.body.len())
        });
        if let Carried::At(at) = self.site.net.carry(line, Towards::Gateway, sent_at) {
            self.schedule(at, Happening::Answer { boot, id, exchange, response });
        }
    }

    fn answer_arrives(&mut self, boot: u64, id: RequestId, exchange: u64, response: HttpResponse) {
        if self.is_over(boot, id, exchange) {
            self.come_in(Inbound::Responded(id, response), self.now);
        }
    }

    /// An exchange is over; returns whether the process that asked waits for it still.
    fn is_over(&mut self, boot: u64, id: RequestId, exchange: u64) -> bool {
        self.site.net.forget(Line::Exchange(exchange));
        let asked = self.site.requests.get(&id);
        boot == self.site.gateway.boots() && asked.is_some_and(|asked| asked.exchange == exchange)
    }

    /// An answer is told to the gateway, and noted before and after.
    fn take_answer(&mut self, name: &'static str, id: RequestId, inbound: Inbound, now: Instant) {
        let Inbound::Responded(_, response) = &inbound else { return };
        self.site.fetches.remove(&id);
        self.site.rolls.remove(&id);
        if name == "list" {
            self.site.listing = false;
        }
        self.mark_answer(name, response);
        let served = self.site.served.keys().map(ArtifactId::as_str);
        let beside = self.site.sabotage.beside(name, response, served);
        self.tell(inbound, now);
        if name == "list" {
            self.mark_beliefs();
        }
        self.tell_beside(&beside);
        self.observe(|| Observable::Answer(name.to_owned()));
    }

    /// Tells the gateway what a planted defect makes of an answer.
    fn tell_beside(&mut self, beside: &[String]) {
        let session = self.site.gateway.sessions.last_key_value().map(|(session, _)| *session);
        for (frame, session) in beside.iter().zip(session.iter().cycle()) {
            self.tell(Inbound::Frame(*session, frame.as_bytes().to_vec()), self.now);
        }
    }

    fn nobody_listens(&mut self, boot: u64, id: RequestId, exchange: u64) {
        if self.is_over(boot, id, exchange) {
            let failure = Failure::Unreachable("connection refused".to_owned());
            self.come_in(Inbound::RequestFailed(id, failure), self.now);
        }
    }

    /// Every open connection of the gateway is reset: both ends are told at once.
    pub(super) fn reset_connections(&mut self) {
        if self.order(Order::Reset) {
            return;
        }
        let of = |known: &&Connection| known.gateway == self.site.index;
        let all = self.connections.iter().filter(|(_, known)| of(known));
        let open: Vec<u64> = all.map(|(connection, _)| *connection).collect();
        let now = self.now;
        for connection in open {
            let Some(known) = self.connections.remove(&connection) else { continue };
            self.manager.disconnected(Self::id(connection), now);
            self.site.net.forget(Self::line(connection));
            if !self.is_current(known.boot, known.session, connection) {
                continue;
            }
            let reason = CloseReason::Lost("reset by peer".to_owned());
            self.come_in(Inbound::Closed(known.session, reason), now);
        }
        for reading in std::mem::take(&mut self.site.rolls).into_values() {
            self.mark_cancelled(Some(reading));
        }
        for (id, asked) in std::mem::take(&mut self.site.requests) {
            self.site.net.forget(Line::Exchange(asked.exchange));
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
