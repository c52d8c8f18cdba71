//! What arrives, at either side.

use driftless_gateway::driver::ReadFrame;
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
            Happening::Answer { boot, id, exchange, response, name } => {
                self.answer_arrives(boot, id, exchange, response, name);
            }
            Happening::NobodyListens { boot, id, exchange } => {
                self.nobody_listens(boot, id, exchange);
            }
            Happening::Commit { boot } => self.commit(boot),
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
        let now = self.now;
        let refused = match upgrade {
            Upgrade::Accepted => None,
            Upgrade::Status(status) => Some(CloseReason::Refused(status)),
            Upgrade::Refused => Some(CloseReason::Unreachable("connection refused".to_owned())),
            Upgrade::NoAnswer => return,
        };
        if refused.is_some() {
            self.site.gateway.sessions.remove(&session);
        }
        let Some(driver) = self.site.gateway.driver() else { return };
        match refused {
            None => driver.opened(session, now),
            Some(reason) => driver.closed(session, reason, now),
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
        let now = self.now;
        match frame {
            ServerFrame::Text(text) => {
                let read = ReadFrame::of(text.as_bytes());
                let hears = self.note_frame(&read, text.as_bytes());
                if let Some(driver) = self.site.gateway.driver().filter(|_| hears) {
                    driver.receive(session, read, now);
                }
            }
            ServerFrame::Ping => {
                self.note_ping(session);
                if let Some(driver) = self.site.gateway.driver() {
                    driver.pinged(session, now);
                }
            }
            ServerFrame::Close(code, reason) => {
                self.note_close(session, *code, reason);
                self.site.gateway.sessions.remove(&session);
                self.connections.remove(&connection);
                let reason = CloseReason::Closed(*code, reason.to_string());
                if let Some(driver) = self.site.gateway.driver() {
                    driver.closed(session, reason, now);
                }
            }
        }
    }

    /// A text frame reached the gateway; answers whether its engine hears of it.
    pub(super) fn note_frame(&mut self, read: &ReadFrame, bytes: &[u8]) -> bool {
        if let Some(event) = read.event() {
            self.hear(event, bytes);
        }
        self.site.sabotage.hears(read.event(), !self.site.requests.is_empty())
    }

    /// A ping reached the gateway.
    pub(super) fn note_ping(&mut self, session: SessionId) {
        self.trace.record(self.now, "apim", "ping", &[], || format!("session={session}"));
    }

    /// The gateway hears that APIM closed its session.
    pub(super) fn note_close(&mut self, session: SessionId, code: u16, reason: &str) {
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
            self.schedule(at, Happening::Answer { boot, id, exchange, response, name });
        }
    }

    fn answer_arrives(
        &mut self,
        boot: u64,
        id: RequestId,
        exchange: u64,
        response: HttpResponse,
        name: &'static str,
    ) {
        self.site.net.forget(Line::Exchange(exchange));
        if boot != self.site.gateway.boots() || self.site.requests.get(&id) != Some(&exchange) {
            return;
        }
        self.site.requests.remove(&id);
        self.take_answer(id, name, response, self.now);
    }

    /// An answer is told to the gateway, whose clock says `now`.
    pub(super) fn take_answer(
        &mut self,
        id: RequestId,
        name: &'static str,
        response: HttpResponse,
        now: Instant,
    ) {
        self.site.fetches.remove(&id);
        self.site.rolls.remove(&id);
        if name == "list" {
            self.site.listing = false;
        }
        self.mark_answer(name, &response);
        let served = self.site.served.keys().map(ArtifactId::as_str);
        let beside = self.site.sabotage.beside(name, &response, served);
        if let Some(driver) = self.site.gateway.driver() {
            driver.responded(id, response, now);
        }
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
            if let Some(driver) = self.site.gateway.driver() {
                driver.receive_frame(*session, frame.as_bytes(), self.now);
            }
        }
    }

    fn nobody_listens(&mut self, boot: u64, id: RequestId, exchange: u64) {
        self.site.net.forget(Line::Exchange(exchange));
        if boot != self.site.gateway.boots() || self.site.requests.remove(&id).is_none() {
            return;
        }
        self.site.rolls.remove(&id);
        let now = self.now;
        if let Some(driver) = self.site.gateway.driver() {
            driver.request_failed(id, Failure::Unreachable("connection refused".to_owned()), now);
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
            self.site.gateway.sessions.remove(&known.session);
            if let Some(driver) = self.site.gateway.driver() {
                driver.closed(known.session, CloseReason::Lost("reset by peer".to_owned()), now);
            }
        }
        for reading in std::mem::take(&mut self.site.rolls).into_values() {
            self.mark_cancelled(Some(reading));
        }
        for (id, exchange) in std::mem::take(&mut self.site.requests) {
            self.site.net.forget(Line::Exchange(exchange));
            if let Some(driver) = self.site.gateway.driver() {
                driver.request_failed(id, Failure::Unreachable("reset by peer".to_owned()), now);
            }
        }
    }
}

fn is_connection_ack(text: &str) -> bool {
    text.starts_with(r#"{"type":"connection.ack""#)
}
