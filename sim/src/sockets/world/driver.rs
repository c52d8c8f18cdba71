//! The driver of a run: hosts and world take turns, a tick each.

use std::cell::RefCell;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use driftless_gateway::shell::TokenSource;
use driftless_gateway::time::Instant;
use turmoil::Sim;

use super::link::{Link, LinkState};
use super::machine::{APIM, Machine};
use super::node::Peer;
use super::stream::node_name;
use super::{Shared, TICK, machine, node, panics};
use crate::observe::Phase;
use crate::random::Key;
use crate::run::PhaseDriver;
use crate::story::aim::GatewayIndex;
use crate::story::file::Scenario;
use crate::world::{Order, World};

/// How long a message takes where nothing slows it down; it arrives at the next tick.
const LATENCY: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(5));

/// How many segments and connections may wait at a socket. What turmoil cannot queue is a panic.
const TCP_CAPACITY: usize = 1024;

/// A gateway as the driver sees it.
struct GatewayHost {
    name: String,
    link: Link,
    token: Arc<Mutex<String>>,
}

/// Hosts, and the world that they share.
pub(super) struct WireDriver {
    sim: Sim<'static>,
    world: Shared,
    hosts: Vec<GatewayHost>,
    nodes: Vec<String>,
    peers: Rc<[Peer]>,
    now: Instant,
}

impl WireDriver {
    /// Hosts for the gateways and the nodes of a story; no gateway runs yet.
    pub(super) fn new(world: World<'static>, story: &Scenario) -> Self {
        panics::watch();
        let world = Rc::new(RefCell::new(world));
        let key = Key::new(story.seed).child("wire");
        let mut builder = turmoil::Builder::new();
        let (min, max) = LATENCY;
        builder
            .tick_duration(TICK)
            .simulation_duration(Duration::MAX)
            .min_message_latency(min)
            .max_message_latency(max)
            .tcp_capacity(TCP_CAPACITY)
            .epoch(UNIX_EPOCH)
            .rng_seed(key.draw("turmoil"));
        let mut sim = builder.build();
        let count = story.gateway_count();
        let hosts: Vec<GatewayHost> =
            (0..count).map(|place| host(&mut sim, &world, GatewayIndex(place), key)).collect();
        let peers: Rc<[Peer]> = hosts.iter().map(|host| peer(&sim, host)).collect();
        let nodes: Vec<String> =
            (0..world.borrow().nodes().max(1)).map(|node| node_name(APIM.0, node)).collect();
        for name in &nodes {
            let (world, peers) = (Rc::clone(&world), Rc::clone(&peers));
            sim.host(name.as_str(), move || node::run(Rc::clone(&world), Rc::clone(&peers)));
        }
        Self { sim, world, hosts, nodes, peers, now: Instant::START }
    }

    /// Ends every host; returns the world that they shared.
    pub(super) fn end(self) -> World<'static> {
        let Self { sim, world, peers, .. } = self;
        drop(sim);
        drop(peers);
        match Rc::try_unwrap(world) {
            Ok(world) => world.into_inner(),
            Err(_) => unreachable!("a host outlives its simulation"),
        }
    }

    /// One tick: what is due, what has to be done about it, and then every host.
    fn step(&mut self) {
        self.world.borrow_mut().advance(self.now);
        self.carry_out_orders();
        for place in 0..self.hosts.len() {
            self.tell_seat(GatewayIndex(place));
        }
        let stepped = self.sim.step();
        if let Some(panic) = panics::first() {
            panics::give_up(&panic);
        }
        if let Err(error) = stepped {
            unreachable!("a host ended: {error}");
        }
        self.now = self.now.after(TICK);
        for place in 0..self.hosts.len() {
            self.hear_seat(GatewayIndex(place));
        }
    }

    fn carry_out_orders(&mut self) {
        let orders = self.world.borrow_mut().take_orders();
        for (gateway, order) in orders {
            let Some(host) = self.hosts.get(gateway.0) else { continue };
            match order {
                Order::Start => self.sim.bounce(host.name.as_str()),
                Order::Stop => self.sim.crash(host.name.as_str()),
                Order::Reset => {
                    if let Some(peer) = self.peers.get(gateway.0) {
                        peer.reset();
                    }
                }
            }
        }
    }

    /// Tells a gateway's network and operator what the world wants of them.
    fn tell_seat(&self, gateway: GatewayIndex) {
        let Some(host) = self.hosts.get(gateway.0) else { return };
        let mut world = self.world.borrow_mut();
        host.link.route_to(world.node_of(gateway));
        for connection in host.link.sessions() {
            if world.is_dead(gateway, connection) {
                host.link.kill(connection);
            }
        }
        let mut token = host.token.lock().unwrap_or_else(PoisonError::into_inner);
        if *token != world.token_of(gateway) {
            world.token_of(gateway).clone_into(&mut token);
        }
        let now = self.now;
        let network = world.network(gateway);
        host.link.spoil_next(network.bytes.drain(..));
        let link_state = LinkState::of(network.rules(now));
        let before = host.link.set_link_state(link_state);
        if link_state != before {
            self.nodes
                .iter()
                .for_each(|node| self.change_link_state(&host.name, node, before, link_state));
        }
    }

    fn change_link_state(
        &self,
        gateway: &str,
        node: &str,
        before: LinkState,
        link_state: LinkState,
    ) {
        let sim = &self.sim;
        if before.is_held {
            sim.release(gateway, node);
        }
        sim.repair(gateway, node);
        match (link_state.is_cut_to_gateway, link_state.is_cut_to_manager) {
            (true, true) => sim.partition(gateway, node),
            (true, false) => sim.partition_oneway(node, gateway),
            (false, true) => sim.partition_oneway(gateway, node),
            (false, false) if link_state.is_held => sim.hold(gateway, node),
            (false, false) => {}
        }
        if link_state.latency != before.latency {
            let (min, max) = link_state.latency.unwrap_or(LATENCY);
            sim.set_link_latency(gateway, node, min);
            sim.set_link_max_message_latency(gateway, node, max);
        }
    }

    /// Tells the world what became of a gateway's bytes.
    fn hear_seat(&self, gateway: GatewayIndex) {
        let Some(host) = self.hosts.get(gateway.0) else { return };
        let mut world = self.world.borrow_mut();
        for connection in host.link.newly_dead() {
            world.bytes_lost(connection);
        }
        for (fault, times) in host.link.took_effect() {
            world.network(gateway).took_effect(fault, times);
        }
    }
}

/// A host for a gateway, on which nothing runs yet.
fn host(sim: &mut Sim<'static>, world: &Shared, gateway: GatewayIndex, key: Key) -> GatewayHost {
    let name = format!("gateway-{}", gateway.0);
    let link = Link::new(key.nth(gateway.0 as u64));
    let token = Arc::new(Mutex::new(world.borrow().token_of(gateway).to_owned()));
    let kept = Arc::clone(&token);
    let ask = move || kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let token_source = match TokenSource::kept("the operator", ask) {
        Ok(source) => source,
        Err(problem) => unreachable!("APIM issues tokens that can be sent: {problem}"),
    };
    let machine =
        Machine { world: Rc::clone(world), gateway, link: link.clone(), token: token_source };
    sim.host(name.as_str(), move || machine::run(machine.clone()));
    sim.crash(name.as_str());
    GatewayHost { name, link, token }
}

fn peer(sim: &Sim<'static>, host: &GatewayHost) -> Peer {
    let address: IpAddr = sim.lookup(host.name.as_str());
    Peer { address, link: host.link.clone(), resets: RefCell::default() }
}

impl PhaseDriver for WireDriver {
    fn now(&self) -> Instant {
        self.now
    }

    fn run_until(&mut self, until: Instant) {
        while self.now < until {
            self.step();
        }
        self.world.borrow_mut().advance(self.now);
    }

    fn awaits_trigger(&self) -> bool {
        self.world.borrow().awaits_trigger()
    }

    fn triggered_end(&self) -> Instant {
        self.world.borrow().triggered_end()
    }

    fn enter(&mut self, phase: Phase) {
        self.world.borrow_mut().enter(phase);
    }

    fn lift_faults(&mut self) {
        self.world.borrow_mut().lift_faults();
        self.hosts.iter().for_each(|host| host.link.lift_byte_faults());
    }

    fn rest(&mut self) {
        self.world.borrow_mut().rest();
    }

    fn is_met(&mut self) -> bool {
        self.world.borrow_mut().is_met()
    }

    fn has_converged(&mut self) -> bool {
        self.world.borrow_mut().has_converged()
    }

    fn restart_gateways(&mut self) {
        self.world.borrow_mut().restart_gateways();
    }
}
