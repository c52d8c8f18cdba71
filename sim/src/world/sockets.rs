//! A world with sockets and processes around it: it is told what they carry, and gives orders
//! where they must do something.
//!
//! Whoever drives such a world says what the clock of the machine shows on which something
//! happened. Machines are a tick apart at most; the world's own time is the latest it heard of.

use std::collections::BTreeMap;
use std::time::Duration;

use driftless_gateway::driver::{Inbound, Outbound};
use driftless_gateway::engine::{CloseReason, Engine, Timer};
use driftless_gateway::model::{SessionId, WriteId};
use driftless_gateway::publish::{Done, Fact, Job};
use driftless_gateway::runtime::Snapshot;
use driftless_gateway::time::Instant;
use driftless_gateway::wire::HttpRequest;

use super::net::{FrameFate, Line, Network};
use super::{Connection, Happening, TICK, Transport, World};
use crate::apim::{ConnectionId, Outcome, Reply, ServerFrame, Upgrade};
use crate::observe::{ErrorWatch, Trace};
use crate::plant::Plant;
use crate::story::aim::GatewayIndex;
use crate::story::file::{Scenario, StoreChoice};

/// What has to be done to a gateway from outside of the world.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// Its process starts.
    Start,
    /// Its process dies.
    Stop,
    /// Its connections are reset.
    Reset,
}

/// Where the frames of a connection go.
pub type Outlet = Box<dyn Fn(ServerFrame)>;

/// What a world knows of the sockets around it.
#[derive(Default)]
pub(super) struct Sockets {
    outlets: BTreeMap<u64, Outlet>,
    orders: Vec<(GatewayIndex, Order)>,
}

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
        world.transport = Transport::Sockets(Sockets::default());
        world
    }

    pub(super) const fn has_sockets(&self) -> bool {
        matches!(self.transport, Transport::Sockets(_))
    }

    /// Orders something to be done to the gateway that is looked at; answers whether there is
    /// anybody to order.
    pub(super) fn order(&mut self, order: Order) -> bool {
        match &mut self.transport {
            Transport::Heap => false,
            Transport::Sockets(sockets) => {
                sockets.orders.push((self.site.index, order));
                true
            }
        }
    }

    /// What is to be done now, in order.
    pub fn take_orders(&mut self) -> Vec<(GatewayIndex, Order)> {
        match &mut self.transport {
            Transport::Heap => Vec::new(),
            Transport::Sockets(sockets) => std::mem::take(&mut sockets.orders),
        }
    }

    /// Lets everything happen that is due by `until`, and the properties look when they are due.
    pub fn advance(&mut self, until: Instant) {
        self.run_until(until);
        if self.now.since(self.ticked_at) >= TICK {
            self.settle();
        }
    }

    /// Something happens at a gateway, or between it and APIM, when its clock shows `now`.
    fn at(&mut self, gateway: GatewayIndex, now: Instant) {
        self.now = self.now.max(now);
        self.turn_to(gateway);
    }

    /// The process of a gateway begins; answers whether its store could be read.
    pub fn begin_process(&mut self, gateway: GatewayIndex, now: Instant) -> bool {
        self.at(gateway, now);
        self.boot();
        self.site.gateway.show(Snapshot::default());
        self.site.gateway.engine().is_some()
    }

    /// Looks at the engine of a gateway, where it runs.
    pub fn engine_of(&self, gateway: GatewayIndex) -> Option<&Engine> {
        self.sites().find(|site| site.index == gateway)?.gateway.engine()
    }

    /// See [`Driver::poll_timeout`].
    pub fn timeout_of(&self, gateway: GatewayIndex) -> Option<(Instant, Timer)> {
        let site = self.sites().find(|site| site.index == gateway)?;
        site.gateway.poll_timeout()
    }

    /// Something came in at a gateway by its sockets or from its store.
    pub fn inbound(&mut self, gateway: GatewayIndex, mut inbound: Inbound, now: Instant) {
        self.at(gateway, now);
        match &mut inbound {
            Inbound::Opened(session) => self.session_opened(*session),
            Inbound::Closed(session, reason) => self.session_closed(*session, reason),
            Inbound::Frame(session, _) => self.frame_came(*session),
            Inbound::Responded(id, response) => {
                let Some(asked) = self.site.requests.get(id) else { return };
                self.site.sabotage.answer(asked.name, &asked.path, response);
                self.trace.record(self.now, "net", "answered", &response.body, || {
                    let (status, bytes) = (response.status, response.body.len());
                    format!("request={id} {} status={status} bytes={bytes}", asked.name)
                });
            }
            Inbound::RequestFailed(id, failure) => {
                let said = failure.to_string();
                self.trace.record(self.now, "net", "failed", said.as_bytes(), || {
                    format!("request={id} {said}")
                });
                self.note_cancel(*id);
            }
            _ => {}
        }
        self.come_in(inbound, now);
    }

    /// A session of the gateway is open: it goes over the last connection that APIM accepted.
    fn session_opened(&mut self, session: SessionId) {
        let (gateway, boot) = (self.site.index, self.site.gateway.boots());
        let mut accepted = self.connections.iter_mut().rev();
        let own = accepted.find(|(_, known)| known.gateway == gateway);
        if let Some((connection, known)) = own {
            (known.session, known.boot) = (session, boot);
            self.site.gateway.sessions.insert(session, *connection);
        }
    }

    /// A session of the gateway is over, or was never open.
    fn session_closed(&mut self, session: SessionId, reason: &CloseReason) {
        if !matches!(reason, CloseReason::Closed(..)) {
            let said = reason.to_string();
            self.trace.record(self.now, "net", "ends", said.as_bytes(), || {
                format!("session={session} {said}")
            });
        }
        if let Some(connection) = self.site.gateway.sessions.get(&session).copied() {
            self.give_up(connection);
        }
    }

    /// A text frame is not on its way to the gateway any more.
    fn frame_came(&mut self, session: SessionId) {
        let connection = self.site.gateway.sessions.get(&session);
        let known = connection.and_then(|connection| self.connections.get_mut(connection));
        if let Some(known) = known.filter(|known| known.in_flight > 0) {
            known.in_flight -= 1;
            self.site.texts_in_flight -= 1;
        }
    }

    /// A gateway's clock shows the time that it waited for.
    pub fn woken(&mut self, gateway: GatewayIndex, now: Instant) {
        self.at(gateway, now);
        if let Some(driver) = self.site.gateway.driver() {
            driver.handle_timeout(now);
        }
    }

    /// What the next change at a gateway comes to for whoever publishes it.
    pub fn next_fact(&mut self, gateway: GatewayIndex) -> Option<Fact> {
        self.turn_to(gateway);
        let site = &mut *self.site;
        site.gateway.next_fact(&mut site.sabotage)
    }

    /// A gateway shows another snapshot to its data plane.
    pub fn show_snapshot(&mut self, gateway: GatewayIndex, snapshot: Snapshot) {
        self.turn_to(gateway);
        self.site.gateway.show(snapshot);
    }

    /// The next thing that a gateway wants done; when there is none, everything looks at it.
    pub fn next_outbound(&mut self, gateway: GatewayIndex) -> Option<Outbound> {
        self.turn_to(gateway);
        while let Some(outbound) = self.site.gateway.poll_outbound() {
            match &outbound {
                Outbound::Dial { session, path } => {
                    self.note_dial(*session, path);
                    self.site.gateway.sessions.insert(*session, NOT_CONNECTED);
                }
                Outbound::Hangup { session } => {
                    if let Some(connection) = self.note_hangup(*session) {
                        self.give_up(connection);
                    }
                }
                Outbound::Frame { session, text, ack } => {
                    if self.note_ack(*session, text, ack).is_none() {
                        continue;
                    }
                }
                Outbound::Http { id, request, name } => {
                    self.note_request(*id, request, name);
                }
                Outbound::Cancel { id } => {
                    self.note_cancel(*id);
                }
                Outbound::Commit { write, batch } => self.note_write(*write, batch.clone()),
            }
            return Some(outbound);
        }
        self.settle();
        None
    }

    /// How long the disk of a gateway takes for a write: so long that a crash, which comes between
    /// two turns of the machine, may find it unfinished.
    pub fn write_time(&mut self, gateway: GatewayIndex, write: WriteId) -> Duration {
        self.turn_to(gateway);
        Duration::from_millis(self.site.key.child("commit").nth(write.0).between("ms", 1, 40))
    }

    /// A gateway's store does what it was given to do. A batch is the one that the world has kept
    /// since the engine asked for the write.
    pub fn carry_out(&mut self, gateway: GatewayIndex, job: Job, now: Instant) -> Done {
        self.at(gateway, now);
        match job {
            Job::Commit(write, _) => {
                let done = self.finish_write().map_or_else(|| Ok(Vec::new()), |(_, done)| done);
                Done::Committed(write, done)
            }
            Job::Read(wanted) => Done::Read(self.finish_reading(wanted)),
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
        self.at(gateway, now);
        self.next_connection += 1;
        let connection = self.next_connection;
        let boot = self.site.gateway.boots();
        self.connections.insert(connection, Connection::new(gateway, boot, SessionId(0)));
        if let Transport::Sockets(sockets) = &mut self.transport {
            sockets.outlets.insert(connection, outlet);
        }
        let id = Self::id(connection);
        let upgrade = self.manager.connect(gateway, id, path, token, self.now);
        let upgrade = self.site.sabotage.upgrade(upgrade);
        self.trace.record(self.now, "apim", "upgrade", &[], || format!("{upgrade:?}"));
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
        self.at(gateway, now);
        let reply = self.manager.respond(gateway, request, token, self.now);
        if let Outcome::Answer(response) = &reply.outcome {
            self.trace.record(self.now, "apim", "answers", &response.body, || {
                let (status, bytes) = (response.status, response.body.len());
                format!("{} status={status} bytes={bytes}", request.path)
            });
        }
        self.settle();
        reply
    }

    /// A text frame reached APIM.
    pub fn frame_reached_manager(&mut self, connection: ConnectionId, text: &str, now: Instant) {
        self.now = self.now.max(now);
        self.manager.receive_frame(connection, text, self.now);
        self.settle();
    }

    /// APIM's end of a connection is gone.
    pub fn disconnected(&mut self, connection: ConnectionId, now: Instant) {
        self.now = self.now.max(now);
        self.manager.disconnected(connection, self.now);
        self.forget_connection(connection.0);
        self.settle();
    }

    fn forget_connection(&mut self, connection: u64) {
        self.give_up(connection);
        if let Some(known) = self.connections.remove(&connection) {
            self.turn_to(known.gateway);
            self.site.net.forget(Self::line(connection));
        }
        if let Transport::Sockets(sockets) = &mut self.transport {
            sockets.outlets.remove(&connection);
        }
    }

    /// Nothing more on a connection reaches the gateway.
    pub(super) fn give_up(&mut self, connection: u64) {
        let Some(known) = self.connections.get_mut(&connection) else { return };
        known.is_over = true;
        let (lost, gateway) = (std::mem::take(&mut known.in_flight), known.gateway);
        self.turn_to(gateway);
        self.site.texts_in_flight -= lost;
    }

    /// Bytes of a connection were lost on the way: neither end hears from the other again.
    pub fn bytes_lost(&mut self, connection: ConnectionId) {
        if let Some(known) = self.connections.get(&connection.0).copied() {
            self.turn_to(known.gateway);
            self.site.net.kill(Self::line(connection.0));
            self.give_up(connection.0);
        }
    }

    /// Whether a connection died silently.
    pub fn is_dead(&self, gateway: GatewayIndex, connection: ConnectionId) -> bool {
        let site = self.sites().find(|site| site.index == gateway);
        site.is_some_and(|site| site.net.is_dead(Line::Session(connection.0)))
    }

    /// The network of a gateway.
    pub fn network(&mut self, gateway: GatewayIndex) -> &mut Network {
        self.turn_to(gateway);
        &mut self.site.net
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
        let site = self.sites().find(|site| site.index == gateway);
        site.map_or("", |site| site.token.as_str())
    }

    /// What a fault on event frames makes of one, before it goes into its socket.
    pub(super) fn send_over_socket(
        &mut self,
        connection: u64,
        frame: ServerFrame,
        fate: FrameFate,
    ) {
        match fate {
            FrameFate::Pass => self.hand_over(connection, frame),
            FrameFate::Drop => {}
            FrameFate::Twice => {
                self.hand_over(connection, frame.clone());
                self.hand_over(connection, frame);
            }
            FrameFate::Late(delay) => {
                self.site.texts_in_flight += 1;
                self.schedule(self.now.after(delay), Happening::LateFrame { connection, frame });
            }
            FrameFate::Replaced(text) => {
                self.hand_over(connection, ServerFrame::Text(text.into()));
            }
        }
    }

    /// A frame goes into its socket.
    pub(super) fn hand_over(&mut self, connection: u64, frame: ServerFrame) {
        if self.site.net.is_dead(Self::line(connection)) {
            self.mark("half_open");
        } else if let Some(known) = self.connections.get_mut(&connection)
            && matches!(frame, ServerFrame::Text(_))
            && !known.is_over
        {
            known.in_flight += 1;
            self.site.texts_in_flight += 1;
        }
        if let Transport::Sockets(sockets) = &self.transport
            && let Some(outlet) = sockets.outlets.get(&connection)
        {
            outlet(frame);
        }
    }
}
