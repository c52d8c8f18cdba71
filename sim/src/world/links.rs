//! The connections between gateways and APIM, and what carries them.

use std::collections::BTreeMap;

use driftless_gateway::model::SessionId;
use driftless_gateway::time::Instant;

use crate::apim::ServerFrame;
use crate::story::aim::GatewayIndex;

/// A connection between a gateway and APIM.
#[derive(Clone, Copy, Debug)]
pub(super) struct Connection {
    /// The gateway whose it is.
    pub(super) gateway: GatewayIndex,
    /// Which process of the gateway.
    pub(super) boot: u64,
    /// The session that it carries.
    pub(super) session: SessionId,
    /// Since when APIM writes into it in vain.
    pub(super) dead_since: Option<Instant>,
    /// Text frames on their way over a socket.
    in_flight: u64,
    /// Whether the gateway gave it up.
    is_over: bool,
}

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

/// What carries messages between the gateways and APIM, and starts and stops processes.
enum Transport {
    /// The world itself: messages wait on its heap, and a gateway is its driver.
    Heap,
    /// Sockets and processes around it, which it gives orders to.
    Sockets { outlets: BTreeMap<u64, Outlet>, orders: Vec<(GatewayIndex, Order)> },
}

/// The connections, by their numbers, and what carries them.
pub(super) struct Links {
    transport: Transport,
    connections: BTreeMap<u64, Connection>,
    last_connection: u64,
    last_exchange: u64,
}

impl Links {
    /// No connection yet; the world itself will carry them.
    pub(super) const fn new() -> Self {
        Self {
            transport: Transport::Heap,
            connections: BTreeMap::new(),
            last_connection: 0,
            last_exchange: 0,
        }
    }

    /// Sockets around the world will carry them.
    pub(super) fn go_over_sockets(&mut self) {
        self.transport = Transport::Sockets { outlets: BTreeMap::new(), orders: Vec::new() };
    }

    pub(super) const fn has_sockets(&self) -> bool {
        matches!(self.transport, Transport::Sockets { .. })
    }

    /// Orders something to be done to a gateway; returns whether there is anybody to order.
    pub(super) fn order(&mut self, gateway: GatewayIndex, order: Order) -> bool {
        match &mut self.transport {
            Transport::Heap => false,
            Transport::Sockets { orders, .. } => {
                orders.push((gateway, order));
                true
            }
        }
    }

    /// What is to be done now, in order.
    pub(super) fn take_orders(&mut self) -> Vec<(GatewayIndex, Order)> {
        match &mut self.transport {
            Transport::Heap => Vec::new(),
            Transport::Sockets { orders, .. } => std::mem::take(orders),
        }
    }

    /// The number of a new exchange.
    pub(super) const fn number_exchange(&mut self) -> u64 {
        self.last_exchange += 1;
        self.last_exchange
    }

    /// A process of a gateway begins a connection; returns its number.
    pub(super) fn begin(&mut self, gateway: GatewayIndex, boot: u64, session: SessionId) -> u64 {
        self.last_connection += 1;
        let connection =
            Connection { gateway, boot, session, dead_since: None, in_flight: 0, is_over: false };
        self.connections.insert(self.last_connection, connection);
        self.last_connection
    }

    /// Where the frames of a connection go that a socket carries.
    pub(super) fn let_out(&mut self, connection: u64, outlet: Outlet) {
        if let Transport::Sockets { outlets, .. } = &mut self.transport {
            outlets.insert(connection, outlet);
        }
    }

    /// A connection that APIM knows.
    pub(super) fn get(&self, connection: u64) -> Option<Connection> {
        self.connections.get(&connection).copied()
    }

    /// A connection that APIM knows, to be changed.
    pub(super) fn get_mut(&mut self, connection: u64) -> Option<&mut Connection> {
        self.connections.get_mut(&connection)
    }

    /// The connections of a gateway, oldest first.
    pub(super) fn of(
        &self,
        gateway: GatewayIndex,
    ) -> impl DoubleEndedIterator<Item = (u64, Connection)> {
        let all = self.connections.iter().map(|(number, known)| (*number, *known));
        all.filter(move |(_, known)| known.gateway == gateway)
    }

    /// APIM knows a connection no more.
    pub(super) fn remove(&mut self, connection: u64) -> Option<Connection> {
        if let Transport::Sockets { outlets, .. } = &mut self.transport {
            outlets.remove(&connection);
        }
        self.connections.remove(&connection)
    }

    /// Nothing more on a connection reaches the gateway; returns how many text frames were on
    /// their way.
    pub(super) fn give_up(&mut self, connection: u64) -> u64 {
        self.connections.get_mut(&connection).map_or(0, |known| {
            known.is_over = true;
            std::mem::take(&mut known.in_flight)
        })
    }

    /// A text frame goes into the socket of a connection; returns whether it can arrive.
    pub(super) fn text_sent(&mut self, connection: u64) -> bool {
        let known = self.connections.get_mut(&connection).filter(|known| !known.is_over);
        known.map(|known| known.in_flight += 1).is_some()
    }

    /// A text frame came out of the socket of a connection; returns whether it was waited for.
    pub(super) fn text_came(&mut self, connection: u64) -> bool {
        let known = self.connections.get_mut(&connection).filter(|known| known.in_flight > 0);
        known.map(|known| known.in_flight -= 1).is_some()
    }

    /// A frame goes into the socket of a connection, where there is one.
    pub(super) fn put_out(&self, connection: u64, frame: ServerFrame) {
        if let Transport::Sockets { outlets, .. } = &self.transport
            && let Some(outlet) = outlets.get(&connection)
        {
            outlet(frame);
        }
    }
}
