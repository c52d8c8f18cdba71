//! The world: the only scheduler.
//!
//! One thread, one heap of `(virtual time, sequence)`. Time jumps to whatever is due next: a
//! message, a step, or a deadline of a gateway or of APIM. After everything that happens the
//! gateways and APIM are drained, so that their order is the order of the heap.
//!
//! A world has one gateway or several, and names each by its index. What happens at one of them is
//! done by a handler that is made for it and says what it may touch: `deliver` what arrives,
//! `gateway_side` what the gateway wants and what its machine does to it, `watching` what is
//! seen of it. What is about all of them is here; the steps of a story, which are, too, are in
//! `steps`, and what the driver of sockets calls is in `sockets`.

mod agenda;
mod deliver;
pub mod disk;
mod ending;
pub mod gateway;
mod gateway_side;
mod links;
mod marking;
pub mod net;
mod schedule;
mod sockets;
mod steps;
pub mod store;
mod watching;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use driftless_gateway::time::Instant;

use deliver::Delivery;
use gateway::host::Host;
use gateway_side::GatewaySide;
use links::Links;
use marking::Reached;
use schedule::{Due, Happening, Schedule};
use watching::{Watch, Watchers};

pub use ending::{FinalState, Finished};
pub use links::{Order, Outlet};

use crate::apim::{ApiManager, PerGateway};
use crate::observe::{Context, ErrorWatch, Phase, Trace};
use crate::plant::Plant;
use crate::properties;
use crate::story::aim::GatewayIndex;
use crate::story::file::Scenario;
use crate::story::step::CrashDisk;

/// Properties are asked about the passing of time this often.
const TICK: Duration = Duration::from_millis(500);

/// The gateways, one APIM, the network between them, and everything that watches them.
pub struct World<'t> {
    story: Rc<Scenario>,
    schedule: Schedule,
    manager: ApiManager,
    hosts: PerGateway<Host>,
    links: Links,
    watchers: Watchers<'t>,
    ticked_at: Instant,
    stopped: bool,
}

impl<'t> World<'t> {
    /// A world in which `story` is about to be told.
    pub fn new(
        story: &Scenario,
        trace: Trace<'t>,
        errors: ErrorWatch,
        plant: Option<Plant>,
    ) -> Self {
        let gateways = story.registrations();
        let manager =
            ApiManager::with_gateways(story.dialect, story.switches, story.seed, &gateways);
        let host = |gateway| Host::new(story, &manager, gateway, plant);
        let hosts = PerGateway::new(story.gateway_count(), host);
        let mut watchers = Watchers {
            trace,
            marks: Reached::default(),
            errors,
            phase: Phase::Story,
            dialect: story.dialect,
            plant,
        };
        if hosts.count() > 1 {
            let names = hosts.iter().map(|host| host.name.as_deref().unwrap_or_default());
            watchers.trace.name_gateways(names);
        }
        if let Some(chance) = hosts.at(GatewayIndex::FIRST).sabotage.chance() {
            let (bytes, detail) = (chance.to_le_bytes(), || format!("drew={chance}"));
            watchers.trace.record_of_all(Instant::START, "run", "chance", &bytes, detail);
        }
        let mut schedule = Schedule::of(story);
        for gateway in hosts.gateways() {
            schedule.plan(gateway, Instant::START, Happening::Boot);
        }
        Self {
            story: Rc::new(story.clone()),
            schedule,
            manager,
            hosts,
            links: Links::new(),
            watchers,
            ticked_at: Instant::START,
            stopped: false,
        }
    }

    /// What arrives at a gateway, or at APIM from it.
    fn delivery(&mut self, gateway: GatewayIndex) -> Delivery<'_, 't> {
        let (host, others) = self.hosts.apart(gateway);
        Delivery {
            host,
            others,
            manager: &mut self.manager,
            links: &mut self.links,
            schedule: &mut self.schedule,
            watchers: &mut self.watchers,
        }
    }

    /// What a gateway wants, and what is done to its machine.
    fn side(&mut self, gateway: GatewayIndex) -> GatewaySide<'_, 't> {
        let (host, others) = self.hosts.apart(gateway);
        GatewaySide {
            host,
            others,
            ledger: self.manager.ledger(gateway),
            links: &mut self.links,
            schedule: &mut self.schedule,
            watchers: &mut self.watchers,
        }
    }

    /// What is seen of a gateway.
    fn watch(&mut self, gateway: GatewayIndex) -> Watch<'_, 't> {
        Watch {
            host: self.hosts.at_mut(gateway),
            ledger: self.manager.ledger(gateway),
            schedule: &mut self.schedule,
            watchers: &mut self.watchers,
        }
    }

    /// Lets everything happen that is due by `until`, and moves time there.
    pub fn run_until(&mut self, until: Instant) {
        while self.step(until) {}
        self.schedule.pass_to(until);
    }

    /// Lets the next thing happen that is due by `until`; returns whether there was one.
    fn step(&mut self, until: Instant) -> bool {
        let message = self.schedule.next_at();
        let gateway = self.next_timeout().filter(|_| !self.links.has_sockets());
        let manager = self.manager.poll_timeout();
        let wake = gateway.map(|(at, _)| at);
        let due = [message, wake, manager].into_iter().flatten().min();
        let Some(due) = due.filter(|due| *due <= until) else { return false };
        self.schedule.pass_to(due);
        if message == Some(due) {
            match self.schedule.pop() {
                Some(Due::Step(index)) => self.take_step(index),
                Some(Due::Claims { at_ms }) => self.check_claims(at_ms),
                Some(Due::At(gateway, what)) => self.delivery(gateway).happen(what),
                None => {}
            }
        } else if manager == Some(due) {
            self.manager.handle_timeout(self.schedule.now());
        } else if let Some((_, gateway)) = gateway {
            self.hosts.at_mut(gateway).wake(self.schedule.now());
        }
        self.settle();
        true
    }

    /// When the first of the gateways wants to be woken, and which it is.
    fn next_timeout(&self) -> Option<(Instant, GatewayIndex)> {
        self.hosts.iter().filter_map(|host| host.gateway.timeout().map(|at| (at, host.index))).min()
    }

    /// Drains the gateways and APIM, and lets the properties look.
    fn settle(&mut self) {
        for gateway in self.hosts.gateways() {
            self.settle_gateway(gateway);
        }
        if self.schedule.now().since(self.ticked_at) >= TICK {
            self.ticked_at = self.schedule.now();
            for gateway in self.hosts.gateways() {
                self.watch(gateway).tick();
            }
        }
    }

    /// Drains a gateway and APIM, and lets the properties look. What only the gateway can change
    /// is looked at only when something was done to it.
    fn settle_gateway(&mut self, gateway: GatewayIndex) {
        let is_stirred = self.hosts.at(gateway).gateway.is_stirred();
        if is_stirred && !self.links.has_sockets() {
            self.side(gateway).drain();
        }
        self.drain_manager();
        let story = Rc::clone(&self.story);
        let faults_at_apim = self.manager.delivered_total(gateway);
        let mut watch = self.watch(gateway);
        if is_stirred {
            watch.watch_served();
            watch.watch_held();
        }
        watch.watch_errors();
        watch.watch_disturbances(faults_at_apim);
        if is_stirred {
            watch.watch_state(&story.expect);
            watch.host.gateway.came_to_rest();
        }
    }

    /// Carries what APIM sends.
    fn drain_manager(&mut self) {
        while let Some((connection, frame)) = self.manager.poll_frame() {
            if let Some(known) = self.links.get(connection.0) {
                self.delivery(known.gateway).send_to_gateway(connection.0, known, frame);
            }
        }
    }

    /// The run came to rest.
    pub fn rest(&mut self) {
        for gateway in self.hosts.gateways() {
            self.watch(gateway).rest();
        }
    }

    /// Whether every gateway has converged and nothing is on its way.
    pub fn has_converged(&self) -> bool {
        self.is_at_rest() && self.is_met()
    }

    /// Whether every gateway has what it must have.
    pub fn is_met(&self) -> bool {
        self.hosts.gateways().all(|gateway| properties::is_met(&self.context(gateway)))
    }

    /// What properties may look at of a gateway.
    pub fn context(&self, gateway: GatewayIndex) -> Context<'_> {
        let (host, ledger) = (self.hosts.at(gateway), self.manager.ledger(gateway));
        self.watchers.context(host, ledger, self.schedule.now())
    }

    /// How often each fault took effect.
    pub fn delivered(&self) -> BTreeMap<&'static str, u64> {
        let mut delivered = self.manager.delivered().clone();
        for (name, count) in self.hosts.iter().flat_map(Host::delivered) {
            *delivered.entry(name).or_insert(0) += count;
        }
        delivered.retain(|_, count| *count > 0);
        delivered
    }

    /// Whether everything that was begun is over: no event waits to be delivered, the session is
    /// not dead without anybody knowing, and nothing is being written or asked.
    fn is_at_rest(&self) -> bool {
        !self.manager.has_unfinished()
            && self.hosts.iter().all(|host| {
                let mut sessions = host.gateway.sessions.values();
                host.is_at_rest(self.schedule.now())
                    && sessions.all(|connection| self.links.get(*connection).is_some())
            })
    }

    /// Checks what the story claims about requests made now.
    fn check_claims(&mut self, at_ms: u64) {
        let story = Rc::clone(&self.story);
        for gateway in self.hosts.gateways() {
            self.watch(gateway).check_access(&story, at_ms);
        }
    }

    /// The current time.
    pub const fn now(&self) -> Instant {
        self.schedule.now()
    }

    /// Whether a step waits for its trigger.
    pub const fn awaits_trigger(&self) -> bool {
        self.schedule.awaits_trigger()
    }

    /// When the last of the steps whose trigger came is over.
    pub const fn triggered_end(&self) -> Instant {
        self.schedule.triggered_end()
    }

    /// Goes to the next part of the run.
    pub fn enter(&mut self, phase: Phase) {
        self.watchers.phase = phase;
        let name = match phase {
            Phase::Story => "story",
            Phase::Converging => "converging",
            Phase::Quiet => "quiet",
            Phase::Restarted => "restarted",
        };
        let (now, detail) = (self.schedule.now(), || format!("name={name}"));
        self.watchers.trace.record_of_all(now, "run", "phase", name.as_bytes(), detail);
    }

    /// Ends every fault at once and starts every gateway that is down.
    pub fn lift_faults(&mut self) {
        self.manager.lift_faults(self.schedule.now());
        self.schedule.stop_waiting();
        self.hosts.iter_mut().for_each(Host::lift_faults);
        self.settle();
        let mut is_down = false;
        for host in self.hosts.iter().filter(|host| host.gateway.engine().is_none()) {
            is_down = true;
            self.schedule.plan(host.index, self.schedule.now(), Happening::Boot);
        }
        if is_down {
            self.run_until(self.schedule.now());
        }
    }

    /// Every gateway process is stopped and started again, with nothing lost.
    pub fn restart_gateways(&mut self) {
        for gateway in self.hosts.gateways() {
            let mut side = self.side(gateway);
            side.crash(CrashDisk::Kept);
            side.boot_after(Duration::from_millis(200));
        }
        self.settle();
    }

    /// The run was stopped before its end: what it claims about the end is not asked.
    pub const fn mark_stopped(&mut self) {
        self.stopped = true;
    }

    /// What each gateway that runs has in force.
    pub fn final_states(&self) -> Vec<FinalState> {
        ending::final_states(&self.hosts)
    }

    /// Ends the run.
    pub fn finish(mut self) -> Finished {
        let (delivered, story) = (self.delivered(), Rc::clone(&self.story));
        let stopped = self.stopped;
        for gateway in self.hosts.gateways() {
            let mut watch = self.watch(gateway);
            watch.end();
            if !stopped {
                watch.check_all_claims(&story, &delivered);
            }
        }
        let mut violations = Vec::new();
        for host in self.hosts.iter_mut() {
            violations.append(&mut host.verdicts.violations);
            self.watchers.marks.append(&mut host.verdicts.reached);
        }
        let now = self.schedule.now();
        let apart = || ending::disagreement(&self.hosts, &self.manager, story.dialect, now);
        violations.extend((!stopped).then(apart).flatten());
        if self.hosts.count() > 1 {
            violations.sort_by_key(|violation| violation.at);
        }
        Finished {
            violations,
            trace_hash: self.watchers.trace.hash(),
            events: self.watchers.trace.events(),
            simulated: now.since(Instant::START),
            crashes: self.hosts.iter().map(|host| host.crashes).sum(),
            delivered,
            marks: self.watchers.marks.into_all(),
            idle: self.schedule.into_idle(),
            serving: ending::serving(&story, &self.hosts, &self.manager),
        }
    }
}
