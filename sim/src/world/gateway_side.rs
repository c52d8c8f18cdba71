//! What the gateway wants done, and what the machine does to it.

use std::time::Duration;

use driftless_gateway::driver::{Inbound, Outbound};
use driftless_gateway::engine::StoreFailure;
use driftless_gateway::model::{
    Ack, ArtifactId, Batch, ContentDigest, RequestId, SessionId, WriteId,
};
use driftless_gateway::publish::{READ_AGAIN, StoredDefinition, Unreadable};
use driftless_gateway::wire::HttpRequest;

use super::gateway::host::Asked;
use super::net::{Carried, Line, Towards};
use super::{Connection, Happening, Order, World};
use crate::observe::Observation;
use crate::plant::Plant;
use crate::story::step::{CrashDisk, Observable};

/// How long the disk takes to give definitions.
pub(super) const READ_TAKES: Duration = Duration::from_millis(1);

/// How long after a definition was asked for again it is served at the latest.
const LATER: Duration = Duration::from_millis(100);

impl World<'_> {
    /// Carries out everything the gateway wants.
    pub(super) fn drain_gateway(&mut self) {
        while let Some(outbound) = self.site.gateway.poll_outbound() {
            match outbound {
                Outbound::Dial { session, path } => self.dial(session, path),
                Outbound::Hangup { session } => {
                    if let Some(connection) = self.note_hangup(session) {
                        self.drop_connection(connection);
                    }
                }
                Outbound::Frame { session, text, ack } => self.send_frame(session, text, &ack),
                Outbound::Http { id, request, name } => self.send_request(id, request, name),
                Outbound::Cancel { id } => {
                    if let Some(exchange) = self.note_cancel(id) {
                        self.site.net.forget(Line::Exchange(exchange));
                    }
                }
                Outbound::Commit { write, batch } => {
                    self.note_write(write, batch);
                    let at = self.site.gateway.work_ends(self.now, self.write_takes(write));
                    let boot = self.site.gateway.boots();
                    self.schedule(at, Happening::Commit { boot });
                }
            }
        }
    }

    /// An answer is not wanted any more; says which exchange it would have come by.
    pub(super) fn note_cancel(&mut self, id: RequestId) -> Option<u64> {
        self.site.fetches.remove(&id);
        let reading = self.site.rolls.remove(&id);
        self.mark_cancelled(reading);
        self.site.requests.remove(&id).map(|asked| asked.exchange)
    }

    /// The gateway begins a write.
    pub(super) fn note_write(&mut self, write: WriteId, batch: Batch) {
        self.asked("store");
        let size = batch.artifacts.len();
        let bytes = write.0.to_le_bytes();
        self.trace.record(self.now, "engine", "store", &bytes, || {
            format!("write={write} artifacts={size}")
        });
        self.site.heard.write_begins(self.now);
        self.site.gateway.begin_commit(write, batch);
        if self.plant == Some(Plant::EarlyAck) {
            self.tell(Inbound::Stored(write), self.now);
        }
    }

    /// Publishes what changed.
    pub(super) fn publish(&mut self) {
        let site = &mut *self.site;
        site.gateway.publish(self.now, &mut site.sabotage);
    }

    /// Has the definitions read that the gateway wants read.
    pub(super) fn read_definitions(&mut self) {
        let Some(wanted) = self.site.gateway.poll_read(self.now) else { return };
        let at = self.site.gateway.work_ends(self.now, READ_TAKES);
        let boot = self.site.gateway.boots();
        self.schedule(at, Happening::Read { boot, wanted });
    }

    /// How long the disk takes for a write.
    pub(super) fn write_takes(&self, write: WriteId) -> Duration {
        Duration::from_millis(self.site.key.child("commit").nth(write.0).between("ms", 1, 4))
    }

    /// The gateway asked for something.
    pub(super) fn asked(&mut self, what: &'static str) {
        *self.site.history.asked.entry(what).or_insert(0) += 1;
        self.show(&Observation::Asked(what));
        self.observe(|| Observable::Action(what.to_owned()));
    }

    /// The gateway wants a session.
    pub(super) fn note_dial(&mut self, session: SessionId, path: &str) {
        self.asked("open_session");
        self.trace.record(self.now, "engine", "open_session", path.as_bytes(), || {
            format!("session={session} path={path}")
        });
    }

    fn dial(&mut self, session: SessionId, path: String) {
        self.note_dial(session, &path);
        self.next_connection += 1;
        let connection = self.next_connection;
        let boot = self.site.gateway.boots();
        self.site.gateway.sessions.insert(session, connection);
        let known = Connection::new(self.site.index, boot, session);
        self.connections.insert(connection, known);
        let line = Self::line(connection);
        if let Carried::At(at) = self.site.net.carry(line, Towards::Manager, self.now) {
            self.schedule(at, Happening::Connect { boot, session, connection, path });
        }
    }

    /// The gateway gives a session up; says over which connection it went.
    pub(super) fn note_hangup(&mut self, session: SessionId) -> Option<u64> {
        self.asked("close_session");
        let connection = self.site.gateway.sessions.remove(&session)?;
        self.trace
            .record(self.now, "engine", "close_session", &[], || format!("session={session}"));
        Some(connection)
    }

    /// The gateway's end of a connection is gone; APIM learns of it if the network lets it.
    fn drop_connection(&mut self, connection: u64) {
        let carried = self.site.net.carry(Self::line(connection), Towards::Manager, self.now);
        if let Carried::At(at) = carried {
            self.schedule(at, Happening::HangupToManager { connection });
        }
    }

    /// The gateway acks; says over which connection, unless a planted defect keeps it from it.
    pub(super) fn note_ack(&mut self, session: SessionId, text: &str, ack: &Ack) -> Option<u64> {
        if self.site.sabotage.is(Plant::NoAcks) {
            return None;
        }
        let connection = self.site.gateway.sessions.get(&session).copied()?;
        let is_acked = self.others.iter().any(|site| site.acked.contains(&ack.artifact));
        if is_acked && self.site.sabotage.is(Plant::OneAckForAll) {
            return None;
        }
        self.site.acked.insert(ack.artifact.clone());
        self.show(&Observation::Acked(ack));
        self.asked("ack");
        self.trace.record(self.now, "engine", "ack", text.as_bytes(), || {
            format!("artifact={} action={:?} status={:?}", ack.artifact, ack.action, ack.status)
        });
        Some(connection)
    }

    fn send_frame(&mut self, session: SessionId, text: String, ack: &Ack) {
        let Some(connection) = self.note_ack(session, &text, ack) else { return };
        let carried = self.site.net.carry(Self::line(connection), Towards::Manager, self.now);
        if let Carried::At(at) = carried {
            self.schedule(at, Happening::FrameToManager { connection, text });
        }
    }

    /// The gateway asks APIM, in an exchange of that number.
    pub(super) fn note_request(
        &mut self,
        id: RequestId,
        request: &HttpRequest,
        name: &'static str,
    ) -> u64 {
        self.asked(name);
        self.site.listing |= name == "list";
        if matches!(name, "fetch" | "fetch_batch") {
            self.site.fetches.insert(id);
        } else if name.starts_with("read_") {
            self.site.rolls.insert(id, name);
        }
        self.next_exchange += 1;
        let exchange = self.next_exchange;
        self.site.requests.insert(id, Asked { exchange, name, path: request.path.clone() });
        self.trace.record(self.now, "engine", name, request.path.as_bytes(), || {
            format!("request={id} {} {}", request.method.name(), request.path)
        });
        exchange
    }

    fn send_request(&mut self, id: RequestId, request: HttpRequest, name: &'static str) {
        let exchange = self.note_request(id, &request, name);
        let boot = self.site.gateway.boots();
        let carried = self.site.net.carry(Line::Exchange(exchange), Towards::Manager, self.now);
        if let Carried::At(at) = carried {
            self.schedule(at, Happening::Request { boot, id, exchange, request, name });
        }
    }

    /// A write is finished, well or not.
    pub(super) fn commit(&mut self, boot: u64) {
        if boot != self.site.gateway.boots() {
            return;
        }
        let Some((write, done)) = self.finish_write() else { return };
        let inbound = match done {
            Ok(definitions) => {
                self.site.gateway.publisher().committed(definitions);
                Inbound::Stored(write)
            }
            Err(failure) => Inbound::StoreFailed(write, failure),
        };
        self.tell(inbound, self.now);
    }

    /// A reading of definitions is finished.
    pub(super) fn read(&mut self, boot: u64, wanted: Vec<(ArtifactId, ContentDigest)>) {
        if boot == self.site.gateway.boots() && self.site.gateway.engine().is_some() {
            let read = self.finish_reading(wanted);
            self.site.gateway.publisher().was_read(read);
        }
    }

    /// Reads definitions from the store; says what it gave.
    pub(super) fn finish_reading(
        &mut self,
        wanted: Vec<(ArtifactId, ContentDigest)>,
    ) -> Vec<StoredDefinition> {
        let definitions = self.site.gateway.read(wanted, &mut self.site.sabotage);
        self.note_unread(&definitions);
        definitions
    }

    /// Notes which definitions the store did not give.
    fn note_unread(&mut self, definitions: &[StoredDefinition]) {
        for StoredDefinition { artifact, definition, .. } in definitions {
            let Err(Unreadable::NotRead(why)) = definition else { continue };
            self.site.unread_until = self.now.after(READ_AGAIN + LATER);
            self.mark("definition_not_read");
            self.trace.record(self.now, "store", "unread", artifact.as_str().as_bytes(), || {
                format!("artifact={artifact} {why}")
            });
        }
    }

    /// Finishes the write that was begun; says how.
    pub(super) fn finish_write(
        &mut self,
    ) -> Option<(WriteId, Result<Vec<StoredDefinition>, StoreFailure>)> {
        let now = self.now;
        let (write, batch, done) = self.site.gateway.finish_commit(&mut self.site.sabotage)?;
        self.trace.record(now, "store", "committed", &[u8::from(done.is_ok())], || match &done {
            Ok(_) => format!("write={write}"),
            Err(failure) => format!("write={write} failed: {failure}"),
        });
        match &done {
            Ok(definitions) => {
                self.note_unread(definitions);
                self.site.heard.written();
                self.show(&Observation::Committed(&batch));
                self.observe(|| Observable::State("stored".to_owned()));
            }
            Err(_) => {
                self.show(&Observation::CommitFailed(&batch));
                self.mark("commit_failed");
            }
        }
        Some((write, done))
    }

    /// The gateway process dies.
    pub(super) fn crash(&mut self, disk: CrashDisk) {
        if self.site.gateway.engine().is_none() {
            return;
        }
        self.site.crashes += 1;
        let connections: Vec<u64> = self.site.gateway.sessions.values().copied().collect();
        let in_flight = self.site.gateway.crash(disk);
        if in_flight.is_some() {
            self.mark("crash_during_commit");
        }
        for connection in connections {
            match self.has_sockets() {
                true => self.give_up(connection),
                false => self.drop_connection(connection),
            }
        }
        self.order(Order::Stop);
        self.site.requests.clear();
        self.site.fetches.clear();
        self.site.rolls.clear();
        self.site.listing = false;
        self.trace.record(self.now, "step", "crash", &[], || {
            format!("disk={disk:?} writing={}", in_flight.is_some())
        });
        self.site.heard.crash();
        self.show(&Observation::Crashed(in_flight.as_ref()));
    }

    /// A gateway process is to start.
    pub(super) fn start_gateway(&mut self) {
        let is_running = self.site.gateway.engine().is_some();
        if !is_running && !self.order(Order::Start) {
            self.boot();
        }
    }

    /// A gateway process starts.
    pub(super) fn boot(&mut self) {
        if self.site.gateway.engine().is_some() {
            return;
        }
        let recovered = match self.site.gateway.start(self.now, &mut self.site.sabotage) {
            Ok(recovered) => recovered,
            Err(error) => {
                let found = error.to_string();
                self.site.verdicts.violated(
                    "store_recovers",
                    self.now,
                    "store",
                    "a store that opens",
                    found,
                );
                self.site.gateway.store().wipe();
                self.schedule(self.now.after(Duration::from_secs(1)), Happening::Boot);
                return;
            }
        };
        self.trace.record(self.now, "engine", "start", &[], || {
            format!("rows={} tombstones={}", recovered.rows.len(), recovered.tombstones.len())
        });
        self.show(&Observation::Recovered(&recovered));
        self.site.gateway.committed = recovered;
        if self.site.gateway.boots() > 1 {
            self.observe(|| Observable::State("restarted".to_owned()));
            if !self.manager_is_reachable() {
                self.mark("restart_cut_off");
            }
        }
    }

    fn manager_is_reachable(&self) -> bool {
        let mut probe = self.site.net.clone();
        let carried = probe.carry(Line::Exchange(u64::MAX), Towards::Manager, self.now);
        let soon = self.now.after(Duration::from_secs(1));
        matches!(carried, Carried::At(at) if at <= soon)
    }
}
