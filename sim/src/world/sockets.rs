//! A world with sockets and processes around it: it is told what they carry, and gives orders
//! where they must do something.
//!
//! This is the other face of the world: everything that the driver of sockets calls stands here, as
//! [`World::run_until`] and what it calls stand for the world that carries messages itself.
//!
//! Whoever drives such a world says what the clock of the machine shows on which something
//! happened. Machines are a tick apart at most; the world's own time is the latest it heard of.

use std::time::Duration;

use driftless_gateway::driver::{Inbound, Outbound};
use driftless_gateway::engine::{CloseReason, Engine, Timer};
use driftless_gateway::model::{SessionId, WriteId};
use driftless_gateway::publish::{Done, Fact, Job};
use driftless_gateway::runtime::Snapshot;
use driftless_gateway::time::Instant;
use driftless_gateway::wire::HttpRequest;

use super::gateway::host::Host;
use super::gateway_side::GatewaySide;
use super::links::{Links, Order, Outlet};
use super::net::{Line, Network};
use super::{TICK, World};
use crate::apim::{Answered, ConnectionId, Reply, Upgrade};
use crate::observe::{ErrorWatch, Trace};
use crate::plant::Plant;
use crate::story::aim::GatewayIndex;
use crate::story::file::{Scenario, StoreChoice};

/// A connection number that none has: the upgrade was not answered yet.
const NOT_CONNECTED: u64 = 0;

impl<'t> World<'t> {
    /// A world with sockets around it, in which `story` is about to be told. Gateways store on
    /// simulated disks, whatever the story says.
    pub fn over_sockets(
        story: &Scenario,
        trace: Trace<'t>,
        errors: ErrorWatch,
        plant: Option<Plant>,
    ) -> Self {
        // Machines that can be switched off have disks.
        let story = Scenario { store: StoreChoice::Disk, ..story.clone() };
        let mut world = Self::new(&story, trace, errors, plant);
        world.links.go_over_sockets();
        world
    }

    /// What is to be done now, in order.
    pub fn take_orders(&mut self) -> Vec<(GatewayIndex, Order)> {
        self.links.take_orders()
    }

    /// Lets everything happen that is due by `until`, and the properties look when they are due.
    pub fn advance(&mut self, until: Instant) {
        self.run_until(until);
        if self.now().since(self.ticked_at) >= TICK {
            self.settle();
        }
    }

    /// The process of a gateway begins; returns whether its store could be read.
    pub fn begin_process(&mut self, gateway: GatewayIndex, now: Instant) -> bool {
        self.schedule.pass_to(now);
        let mut side = self.side(gateway);
        side.boot();
        side.host.gateway.show(Snapshot::default());
        side.host.gateway.engine().is_some()
    }

    /// Looks at the engine of a gateway, where it runs.
    pub fn engine_of(&self, gateway: GatewayIndex) -> Option<&Engine> {
        self.hosts.at(gateway).gateway.engine()
    }

    /// When the engine wants to be woken, and for what.
    pub fn timeout_of(&self, gateway: GatewayIndex) -> Option<(Instant, Timer)> {
        self.hosts.at(gateway).gateway.poll_timeout()
    }

    /// Something came in at a gateway by its sockets or from its store.
    pub fn inbound(&mut self, gateway: GatewayIndex, mut inbound: Inbound, now: Instant) {
        self.schedule.pass_to(now);
        let mut delivery = self.delivery(gateway);
        match &mut inbound {
            Inbound::Opened(session) => session_opened(delivery.host, delivery.links, *session),
            Inbound::Closed(session, reason) => session_closed(delivery.side(), *session, reason),
            Inbound::Frame(session, _) => frame_came(delivery.host, delivery.links, *session),
            Inbound::Responded(id, response) => {
                let Some(asked) = delivery.host.requests.get(id) else { return };
                delivery.host.sabotage.answer(asked.name, &asked.path, response);
                let name = asked.name;
                delivery.watch().record("net", "answered", &response.body, || {
                    let (status, bytes) = (response.status, response.body.len());
                    format!("request={id} {name} status={status} bytes={bytes}")
                });
            }
            Inbound::RequestFailed(id, failure) => {
                let said = failure.to_string();
                let detail = || format!("request={id} {said}");
                delivery.watch().record("net", "failed", said.as_bytes(), detail);
                delivery.side().note_cancel(*id);
            }
            _ => {}
        }
        delivery.come_in(inbound, now);
    }

    /// A gateway's clock shows the time that it waited for.
    pub fn woken(&mut self, gateway: GatewayIndex, now: Instant) {
        self.schedule.pass_to(now);
        self.hosts.at_mut(gateway).wake(now);
    }

    /// What the next change at a gateway comes to for whoever publishes it.
    pub fn next_fact(&mut self, gateway: GatewayIndex) -> Option<Fact> {
        let host = self.hosts.at_mut(gateway);
        host.gateway.next_fact(&mut host.sabotage)
    }

    /// A gateway shows another snapshot to its data plane.
    pub fn show_snapshot(&mut self, gateway: GatewayIndex, snapshot: Snapshot) {
        self.hosts.at_mut(gateway).gateway.show(snapshot);
    }

    /// The next thing that a gateway wants done; when there is none, everything looks at it.
    pub fn next_outbound(&mut self, gateway: GatewayIndex) -> Option<Outbound> {
        let mut side = self.side(gateway);
        while let Some(outbound) = side.host.gateway.poll_outbound() {
            match &outbound {
                Outbound::Dial { session, path } => {
                    side.watch().note_dial(*session, path);
                    side.host.gateway.sessions.insert(*session, NOT_CONNECTED);
                }
                Outbound::Hangup { session } => {
                    if let Some(connection) = side.note_hangup(*session) {
                        side.give_up(connection);
                    }
                }
                Outbound::Frame { session, text, ack } => {
                    if side.note_ack(*session, text, ack).is_none() {
                        continue;
                    }
                }
                Outbound::Http { id, request, name } => {
                    side.note_request(*id, request, name);
                }
                Outbound::Cancel { id } => {
                    side.note_cancel(*id);
                }
                Outbound::Commit { write, batch } => side.note_write(*write, batch.clone()),
            }
            return Some(outbound);
        }
        self.settle();
        None
    }

    /// How long the disk of a gateway takes for a write: so long that a crash, which comes between
    /// two turns of the machine, may find it unfinished.
    pub fn write_time(&self, gateway: GatewayIndex, write: WriteId) -> Duration {
        let key = self.hosts.at(gateway).key.child("commit");
        Duration::from_millis(key.nth(write.0).between("ms", 1, 40))
    }

    /// A gateway's store does what it was given to do. A batch is the one that the world has kept
    /// since the engine asked for the write.
    pub fn carry_out(&mut self, gateway: GatewayIndex, job: Job, now: Instant) -> Done {
        self.schedule.pass_to(now);
        let mut side = self.side(gateway);
        match job {
            Job::Commit(write, _) => {
                let done = side.finish_write().map_or_else(|| Ok(Vec::new()), |(_, done)| done);
                Done::Committed(write, done)
            }
            Job::Read(wanted) => Done::Read(side.finish_reading(wanted)),
        }
    }

    /// APIM is asked to upgrade a connection.
    pub fn upgrade(
        &mut self,
        gateway: GatewayIndex,
        path: &str,
        token: Option<&str>,
        outlet: Outlet,
        now: Instant,
    ) -> (ConnectionId, Upgrade) {
        self.schedule.pass_to(now);
        let boot = self.hosts.at(gateway).gateway.boots();
        let connection = self.links.begin(gateway, boot, SessionId(0));
        self.links.let_out(connection, outlet);
        let id = ConnectionId(connection);
        let upgrade = self.delivery(gateway).upgrade(id, path, token);
        if upgrade != Upgrade::Accepted {
            self.forget_connection(connection);
        }
        self.settle();
        (id, upgrade)
    }

    /// APIM is asked.
    pub fn respond(
        &mut self,
        gateway: GatewayIndex,
        request: &HttpRequest,
        token: Option<&str>,
        now: Instant,
    ) -> Reply {
        self.schedule.pass_to(now);
        let mut reply = self.manager.respond(gateway, request, token, self.schedule.now());
        // On sockets nobody sees an answer arrive, so each counts when it is sent.
        self.manager.told(gateway, std::mem::take(&mut reply.namings));
        if let Answered::Answer(response) = &reply.outcome {
            self.watch(gateway).record("apim", "answers", &response.body, || {
                let (status, bytes) = (response.status, response.body.len());
                format!("{} status={status} bytes={bytes}", request.path)
            });
        }
        self.settle();
        reply
    }

    /// A text frame reached APIM.
    pub fn frame_reached_manager(&mut self, connection: ConnectionId, text: &str, now: Instant) {
        self.schedule.pass_to(now);
        self.manager.receive_frame(connection, text, self.schedule.now());
        self.settle();
    }

    /// APIM's end of a connection is gone.
    pub fn disconnected(&mut self, connection: ConnectionId, now: Instant) {
        self.schedule.pass_to(now);
        self.manager.disconnected(connection, self.schedule.now());
        self.forget_connection(connection.0);
        self.settle();
    }

    fn forget_connection(&mut self, connection: u64) {
        let lost = self.links.give_up(connection);
        if let Some(known) = self.links.remove(connection) {
            let host = self.hosts.at_mut(known.gateway);
            host.texts_in_flight -= lost;
            host.net.forget(Line::Session(connection));
        }
    }

    /// Bytes of a connection were lost on the way: neither end hears from the other again.
    pub fn bytes_lost(&mut self, connection: ConnectionId) {
        if let Some(known) = self.links.get(connection.0) {
            let mut side = self.side(known.gateway);
            side.host.net.kill(Line::Session(connection.0));
            side.give_up(connection.0);
        }
    }

    /// Whether a connection died silently.
    pub fn is_dead(&self, gateway: GatewayIndex, connection: ConnectionId) -> bool {
        self.hosts.at(gateway).net.is_dead(Line::Session(connection.0))
    }

    /// The network of a gateway.
    pub fn network(&mut self, gateway: GatewayIndex) -> &mut Network {
        &mut self.hosts.at_mut(gateway).net
    }

    /// The node of APIM that a gateway's connections go to.
    pub fn node_of(&self, gateway: GatewayIndex) -> u32 {
        self.manager.node_of(gateway)
    }

    /// How many nodes APIM has.
    pub fn nodes(&self) -> u32 {
        self.manager.switches().nodes.get().into()
    }

    /// The token that a gateway's operator gave it.
    pub fn token_of(&self, gateway: GatewayIndex) -> &str {
        &self.hosts.at(gateway).token
    }
}

/// A session of a gateway is open: it goes over the last connection that APIM accepted.
fn session_opened(host: &mut Host, links: &mut Links, session: SessionId) {
    let accepted = links.of(host.index).next_back();
    if let Some((connection, _)) = accepted
        && let Some(known) = links.get_mut(connection)
    {
        (known.session, known.boot) = (session, host.gateway.boots());
        host.gateway.sessions.insert(session, connection);
    }
}

/// A session of a gateway is over, or was never open.
fn session_closed(mut side: GatewaySide<'_, '_>, session: SessionId, reason: &CloseReason) {
    if !matches!(reason, CloseReason::Closed(..)) {
        let said = reason.to_string();
        let detail = || format!("session={session} {said}");
        side.watch().record("net", "ends", said.as_bytes(), detail);
    }
    if let Some(connection) = side.host.gateway.sessions.get(&session).copied() {
        side.give_up(connection);
    }
}

/// A text frame is not on its way to a gateway any more.
fn frame_came(host: &mut Host, links: &mut Links, session: SessionId) {
    let connection = host.gateway.sessions.get(&session);
    if connection.is_some_and(|connection| links.text_came(*connection)) {
        host.texts_in_flight -= 1;
    }
}
