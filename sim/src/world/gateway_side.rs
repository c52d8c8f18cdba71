//! What the gateway wants done, and what the machine does to it.

use std::time::Duration;

use driftless_gateway::driver::{Inbound, Outbound};
use driftless_gateway::engine::StoreFailure;
use driftless_gateway::model::{
    Ack, ArtifactId, Batch, ContentDigest, Recovered, RequestId, SessionId, WriteId,
};
use driftless_gateway::publish::{READ_AGAIN, StoredDefinition, Unreadable};
use driftless_gateway::time::Instant;
use driftless_gateway::wire::HttpRequest;

use super::gateway::host::{Awaited, Host};
use super::links::{Links, Order};
use super::net::{Carried, Line, Towards};
use super::schedule::{Happening, Schedule};
use super::watching::{Watch, Watchers};
use crate::apim::{Ledger, Others};
use crate::observe::Observation;
use crate::plant::Plant;
use crate::story::step::{CrashDisk, Observable};

/// How long the disk takes to give definitions.
const READ_TAKES: Duration = Duration::from_millis(1);

/// How long after a definition was asked for again it is served at the latest.
const LATER: Duration = Duration::from_millis(100);

/// What may be touched when a gateway wants something done, or something is done to its machine.
/// APIM is not: what the gateway sends to it is on its way.
pub(super) struct GatewaySide<'a, 't> {
    /// The gateway.
    pub(super) host: &'a mut Host,
    /// The gateways beside it.
    pub(super) others: Others<'a, Host>,
    /// What was issued to it.
    pub(super) ledger: &'a Ledger,
    /// The connections to APIM.
    pub(super) links: &'a mut Links,
    /// The time, and what will happen.
    pub(super) schedule: &'a mut Schedule,
    /// Whoever is told of it.
    pub(super) watchers: &'a mut Watchers<'t>,
}

impl<'t> GatewaySide<'_, 't> {
    /// What is seen of it.
    pub(super) const fn watch(&mut self) -> Watch<'_, 't> {
        Watch {
            host: self.host,
            ledger: self.ledger,
            schedule: self.schedule,
            watchers: self.watchers,
        }
    }

    const fn now(&self) -> Instant {
        self.schedule.now()
    }

    /// Something will happen at the gateway.
    fn plan(&mut self, at: Instant, what: Happening) {
        self.schedule.plan(self.host.index, at, what);
    }

    /// Publishes what changed, carries out everything the gateway wants, and has the definitions
    /// read that it wants read.
    pub(super) fn drain(&mut self) {
        self.publish();
        self.drain_gateway();
        self.read_definitions();
    }

    /// Carries out everything the gateway wants.
    fn drain_gateway(&mut self) {
        while let Some(outbound) = self.host.gateway.poll_outbound() {
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
                        self.host.net.forget(Line::Exchange(exchange));
                    }
                }
                Outbound::Commit { write, batch } => {
                    self.note_write(write, batch);
                    let at = self.host.gateway.work_ends(self.now(), self.write_takes(write));
                    let boot = self.host.gateway.boots();
                    self.plan(at, Happening::Commit { boot });
                }
            }
        }
    }

    /// An answer is not wanted any more; returns which exchange it would have come by.
    pub(super) fn note_cancel(&mut self, id: RequestId) -> Option<u64> {
        let asked = self.host.requests.remove(&id)?;
        self.watch().given_up(&asked);
        Some(asked.exchange)
    }

    /// The gateway begins a write.
    pub(super) fn note_write(&mut self, write: WriteId, batch: Batch) {
        self.watch().asked("store");
        let size = batch.artifacts.len();
        let bytes = write.0.to_le_bytes();
        self.watch()
            .record("engine", "store", &bytes, || format!("write={write} artifacts={size}"));
        self.host.heard.write_begins(self.now());
        self.host.gateway.begin_commit(write, batch);
        if self.watchers.plant == Some(Plant::EarlyAck) {
            self.host.tell(Inbound::Stored(write), self.schedule.now());
        }
    }

    /// Publishes what changed.
    fn publish(&mut self) {
        let now = self.now();
        self.host.gateway.publish(now, &mut self.host.sabotage);
    }

    /// Has the definitions read that the gateway wants read.
    fn read_definitions(&mut self) {
        let Some(wanted) = self.host.gateway.poll_read(self.now()) else { return };
        let at = self.host.gateway.work_ends(self.now(), READ_TAKES);
        let boot = self.host.gateway.boots();
        self.plan(at, Happening::Read { boot, wanted });
    }

    /// How long the disk takes for a write.
    fn write_takes(&self, write: WriteId) -> Duration {
        Duration::from_millis(self.host.key.child("commit").nth(write.0).between("ms", 1, 4))
    }

    fn dial(&mut self, session: SessionId, path: String) {
        self.watch().note_dial(session, &path);
        let boot = self.host.gateway.boots();
        let connection = self.links.begin(self.host.index, boot, session);
        self.host.gateway.sessions.insert(session, connection);
        let line = Line::Session(connection);
        if let Carried::At(at) = self.carry(line) {
            self.plan(at, Happening::Connect { boot, session, connection, path });
        }
    }

    /// The network takes a message of the gateway's.
    fn carry(&mut self, line: Line) -> Carried {
        self.host.net.carry(line, Towards::Manager, self.schedule.now())
    }

    /// The gateway gives a session up; returns over which connection it went.
    pub(super) fn note_hangup(&mut self, session: SessionId) -> Option<u64> {
        self.watch().asked("close_session");
        let connection = self.host.gateway.sessions.remove(&session)?;
        self.watch().record("engine", "close_session", &[], || format!("session={session}"));
        Some(connection)
    }

    /// The gateway's end of a connection is gone; APIM learns of it if the network lets it.
    fn drop_connection(&mut self, connection: u64) {
        let carried = self.carry(Line::Session(connection));
        if let Carried::At(at) = carried {
            self.plan(at, Happening::HangupToManager { connection });
        }
    }

    /// The gateway acks; returns over which connection, unless a planted defect keeps it from it.
    pub(super) fn note_ack(&mut self, session: SessionId, text: &str, ack: &Ack) -> Option<u64> {
        if self.host.sabotage.is(Plant::NoAcks) {
            return None;
        }
        let connection = self.host.gateway.sessions.get(&session).copied()?;
        let is_acked = self.others.iter().any(|other| other.acked.contains(&ack.artifact));
        if is_acked && self.host.sabotage.is(Plant::OneAckForAll) {
            return None;
        }
        self.host.acked.insert(ack.artifact.clone());
        self.watch().show(&Observation::Acked(ack));
        self.watch().asked("ack");
        self.watch().record("engine", "ack", text.as_bytes(), || {
            format!("artifact={} action={:?} status={:?}", ack.artifact, ack.action, ack.status)
        });
        Some(connection)
    }

    fn send_frame(&mut self, session: SessionId, text: String, ack: &Ack) {
        let Some(connection) = self.note_ack(session, &text, ack) else { return };
        let carried = self.carry(Line::Session(connection));
        if let Carried::At(at) = carried {
            self.plan(at, Happening::FrameToManager { connection, text });
        }
    }

    /// The gateway asks APIM, in an exchange of that number.
    pub(super) fn note_request(
        &mut self,
        id: RequestId,
        request: &HttpRequest,
        name: &'static str,
    ) -> u64 {
        self.watch().asked(name);
        self.host.listing |= name == "list";
        let exchange = self.links.number_exchange();
        self.host.requests.insert(id, Awaited { exchange, name, path: request.path.clone() });
        self.watch().record("engine", name, request.path.as_bytes(), || {
            format!("request={id} {} {}", request.method.name(), request.path)
        });
        exchange
    }

    fn send_request(&mut self, id: RequestId, request: HttpRequest, name: &'static str) {
        let exchange = self.note_request(id, &request, name);
        let boot = self.host.gateway.boots();
        let carried = self.carry(Line::Exchange(exchange));
        if let Carried::At(at) = carried {
            self.plan(at, Happening::Request { boot, id, exchange, request, name });
        }
    }

    /// A write is finished, well or not.
    pub(super) fn commit(&mut self, boot: u64) {
        if boot != self.host.gateway.boots() {
            return;
        }
        let Some((write, done)) = self.finish_write() else { return };
        let inbound = match done {
            Ok(definitions) => {
                self.host.gateway.publisher().committed(definitions);
                Inbound::Stored(write)
            }
            Err(failure) => Inbound::StoreFailed(write, failure),
        };
        self.host.tell(inbound, self.schedule.now());
    }

    /// A reading of definitions is finished.
    pub(super) fn read(&mut self, boot: u64, wanted: Vec<(ArtifactId, ContentDigest)>) {
        if boot == self.host.gateway.boots() && self.host.gateway.engine().is_some() {
            let read = self.finish_reading(wanted);
            self.host.gateway.publisher().was_read(read);
        }
    }

    /// Reads definitions from the store; returns what it gave.
    pub(super) fn finish_reading(
        &mut self,
        wanted: Vec<(ArtifactId, ContentDigest)>,
    ) -> Vec<StoredDefinition> {
        let definitions = self.host.gateway.read(wanted, &mut self.host.sabotage);
        self.note_unread(&definitions);
        definitions
    }

    /// Notes which definitions the store did not give.
    fn note_unread(&mut self, definitions: &[StoredDefinition]) {
        for StoredDefinition { artifact, definition, .. } in definitions {
            let Err(Unreadable::NotRead(why)) = definition else { continue };
            self.host.unread_until = self.now().after(READ_AGAIN + LATER);
            self.watch().mark("definition_not_read");
            self.watch().record("store", "unread", artifact.as_str().as_bytes(), || {
                format!("artifact={artifact} {why}")
            });
        }
    }

    /// Finishes the write that was begun; returns how.
    pub(super) fn finish_write(
        &mut self,
    ) -> Option<(WriteId, Result<Vec<StoredDefinition>, StoreFailure>)> {
        let (write, batch, done) = self.host.gateway.finish_commit(&mut self.host.sabotage)?;
        self.watch().record("store", "committed", &[u8::from(done.is_ok())], || match &done {
            Ok(_) => format!("write={write}"),
            Err(failure) => format!("write={write} failed: {failure}"),
        });
        match &done {
            Ok(definitions) => {
                self.note_unread(definitions);
                self.host.heard.written();
                self.watch().show(&Observation::Committed(&batch));
                self.watch().observe(|| Observable::State("stored".to_owned()));
            }
            // It was not tried.
            Err(StoreFailure::Unreadable(_)) => {}
            Err(_) => {
                self.watch().show(&Observation::CommitFailed(&batch));
                self.watch().mark("commit_failed");
            }
        }
        Some((write, done))
    }

    /// Nothing more on a connection reaches the gateway.
    pub(super) fn give_up(&mut self, connection: u64) {
        self.host.texts_in_flight -= self.links.give_up(connection);
    }

    /// The gateway process dies.
    pub(super) fn crash(&mut self, disk: CrashDisk) {
        if self.host.gateway.engine().is_none() {
            return;
        }
        self.host.crashes += 1;
        let connections: Vec<u64> = self.host.gateway.sessions.values().copied().collect();
        let in_flight = self.host.gateway.crash(disk);
        if in_flight.is_some() {
            self.watch().mark("crash_during_commit");
        }
        for connection in connections {
            if self.links.has_sockets() {
                self.give_up(connection);
            } else {
                self.drop_connection(connection);
            }
        }
        self.links.order(self.host.index, Order::Stop);
        self.host.requests.clear();
        self.host.listing = false;
        self.watch().record("step", "crash", &[], || {
            format!("disk={disk:?} writing={}", in_flight.is_some())
        });
        self.host.heard.crash();
        self.watch().show(&Observation::Crashed(in_flight.as_ref()));
    }

    /// A gateway process is to start.
    pub(super) fn start_gateway(&mut self) {
        let is_running = self.host.gateway.engine().is_some();
        if !is_running && !self.links.order(self.host.index, Order::Start) {
            self.boot();
        }
    }

    /// A gateway process starts.
    pub(super) fn boot(&mut self) {
        if self.host.gateway.engine().is_some() {
            return;
        }
        let recovered = match self.host.gateway.start(self.now(), &mut self.host.sabotage) {
            Ok(recovered) => recovered,
            Err(error) => {
                let found = error.to_string();
                self.host.verdicts.violated(
                    "store_recovers",
                    self.now(),
                    "store",
                    "a store that opens",
                    found,
                );
                self.host.gateway.store().wipe();
                self.boot_after(Duration::from_secs(1));
                return;
            }
        };
        self.watch().record("engine", "start", &[], || {
            format!("rows={} tombstones={}", recovered.rows.len(), recovered.tombstones.len())
        });
        self.watch().show(&Observation::Recovered(&recovered));
        self.host.gateway.committed = recovered;
        if self.host.gateway.boots() > 1 {
            self.watch().observe(|| Observable::State("restarted".to_owned()));
            if !self.manager_is_reachable() {
                self.watch().mark("restart_cut_off");
            }
        }
    }

    /// The store is lost, and the process with it.
    pub(super) fn wipe(&mut self) {
        self.crash(CrashDisk::Kept);
        self.host.gateway.store().wipe();
        self.host.gateway.committed = Recovered::default();
        self.host.heard.wipe();
        self.watch().show(&Observation::Wiped);
        self.boot_after(Duration::from_millis(10));
    }

    /// The process starts after a while.
    pub(super) fn boot_after(&mut self, down: Duration) {
        self.plan(self.now().after(down), Happening::Boot);
    }

    fn manager_is_reachable(&self) -> bool {
        let mut probe = self.host.net.clone();
        let carried = probe.carry(Line::Exchange(u64::MAX), Towards::Manager, self.now());
        let soon = self.now().after(Duration::from_secs(1));
        matches!(carried, Carried::At(at) if at <= soon)
    }
}
