//! A node of APIM: the served adaptor, with the world's model behind it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;

use driftless_gateway::wire::HttpRequest;
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_local;
use turmoil::net::TcpListener;

use super::Shared;
use super::link::Link;
use super::machine::{APIM, now};
use super::stream::Stream;
use crate::apim::{ConnectionId, Reply, ServerFrame, Upgrade};
use crate::sockets::serve::{ApimBackend, serve_connection};
use crate::story::aim::GatewayIndex;

/// A gateway as APIM's nodes know it.
pub(super) struct Peer {
    /// Where it connects from.
    pub(super) address: IpAddr,
    /// Its network.
    pub(super) link: Link,
    /// By its port, what rises when a connection is to be reset. Each has a channel of its own:
    /// the receivers of one wake in an order that tokio draws.
    pub(super) resets: RefCell<BTreeMap<u16, watch::Sender<u64>>>,
}

impl Peer {
    /// Resets every connection.
    pub(super) fn reset(&self) {
        let mut resets = self.resets.borrow_mut();
        resets.retain(|_, connection| connection.receiver_count() > 0);
        resets.values().for_each(|connection| connection.send_modify(|count| *count += 1));
    }

    fn resets_of(&self, port: u16) -> watch::Receiver<u64> {
        let mut resets = self.resets.borrow_mut();
        resets.entry(port).or_insert_with(|| watch::Sender::new(0)).subscribe()
    }
}

/// Serves every gateway that connects.
///
/// # Errors
/// What keeps it from listening.
pub(super) async fn run(world: Shared, peers: Rc<[Peer]>) -> turmoil::Result {
    let listener = TcpListener::bind(("0.0.0.0", APIM.1)).await?;
    loop {
        let (stream, from) = listener.accept().await?;
        let found = peers.iter().position(|peer| peer.address == from.ip());
        let Some((place, peer)) = found.and_then(|place| Some((place, peers.get(place)?))) else {
            continue;
        };
        let stream = Stream::accepted(stream, peer.link.clone(), from.port());
        let backend = Front {
            world: Rc::clone(&world),
            peers: Rc::clone(&peers),
            gateway: GatewayIndex(place),
            port: from.port(),
        };
        spawn_local(serve_connection(stream, Rc::new(backend)));
    }
}

/// What answers on one connection.
struct Front {
    world: Shared,
    peers: Rc<[Peer]>,
    gateway: GatewayIndex,
    port: u16,
}

impl Front {
    fn peer(&self) -> &Peer {
        &self.peers[self.gateway.0]
    }
}

impl ApimBackend for Front {
    fn respond(&self, request: &HttpRequest, token: Option<&str>) -> Reply {
        self.world.borrow_mut().respond(self.gateway, request, token, now())
    }

    fn connect(
        &self,
        path: &str,
        token: Option<&str>,
    ) -> (ConnectionId, Upgrade, mpsc::UnboundedReceiver<ServerFrame>) {
        // What waits for a slow gateway is bounded by what is in the event store.
        let (frames, received) = mpsc::unbounded_channel();
        let outlet = move |frame| {
            // A connection that is gone says so itself.
            let _gone = frames.send(frame);
        };
        let mut world = self.world.borrow_mut();
        let (connection, upgrade) =
            world.upgrade(self.gateway, path, token, Box::new(outlet), now());
        self.peer().link.carries(self.port, connection);
        (connection, upgrade, received)
    }

    fn receive(&self, connection: ConnectionId, text: &str) {
        self.world.borrow_mut().frame_reached_manager(connection, text, now());
    }

    fn disconnected(&self, connection: ConnectionId) {
        self.world.borrow_mut().disconnected(connection, now());
    }

    fn resets(&self) -> watch::Receiver<u64> {
        self.peer().resets_of(self.port)
    }
}
