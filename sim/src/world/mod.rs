//! The world: the only scheduler.
//!
//! One thread, one heap of `(virtual time, sequence)`. Time jumps to whatever is due next: a
//! message, a step, or a deadline of a gateway or of APIM. After everything that happens the
//! gateways and APIM are drained, so that their order is the order of the heap.
//!
//! A world has one gateway or several. One of them is being looked at, and most of what is here
//! is about that one; what is due says at which gateway.

mod agenda;
mod deliver;
pub mod disk;
mod ending;
pub mod gateway;
mod gateway_side;
mod marking;
pub mod net;
mod sockets;
mod steps;
pub mod store;
mod watching;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use driftless_gateway::engine::Config;
use driftless_gateway::model::{ArtifactId, ContentDigest, RequestId, SessionId};
use driftless_gateway::time::Instant;
use driftless_gateway::wire::{HttpRequest, HttpResponse};

use agenda::Agenda;
use gateway::host::Host;
use sockets::Sockets;

pub use ending::{FinalState, Finished};
pub use sockets::{Order, Outlet};

use crate::apim::{ApiManager, ConnectionId, ServerFrame, Upgrade};
use crate::observe::{Context, ErrorWatch, Observation, Phase, Trace};
use crate::plant::Plant;
use crate::properties;
use crate::story::aim::GatewayIndex;
use crate::story::file::Scenario;
use crate::story::step::{Observable, Trigger, When};
use net::Line;

/// Something that is due at a time.
enum Happening {
    Boot,
    Step(usize),
    Connect { boot: u64, session: SessionId, connection: u64, path: String },
    Upgraded { boot: u64, session: SessionId, connection: u64, upgrade: Upgrade },
    FrameToManager { connection: u64, text: String },
    HangupToManager { connection: u64 },
    FrameToGateway { boot: u64, session: SessionId, connection: u64, frame: ServerFrame },
    Request { boot: u64, id: RequestId, exchange: u64, request: HttpRequest, name: &'static str },
    Answer { boot: u64, id: RequestId, exchange: u64, response: HttpResponse },
    NobodyListens { boot: u64, id: RequestId, exchange: u64 },
    Commit { boot: u64 },
    Read { boot: u64, wanted: Vec<(ArtifactId, ContentDigest)> },
    LateFrame { connection: u64, frame: ServerFrame },
    SpaceAgain,
    Claims { at_ms: u64 },
}

/// A connection between a gateway and APIM.
#[derive(Clone, Copy, Debug)]
struct Connection {
    gateway: GatewayIndex,
    boot: u64,
    session: SessionId,
    dead_since: Option<Instant>,
    /// Text frames on their way over a socket.
    in_flight: u64,
    /// Whether the gateway gave it up.
    is_over: bool,
}

impl Connection {
    const fn new(gateway: GatewayIndex, boot: u64, session: SessionId) -> Self {
        Self { gateway, boot, session, dead_since: None, in_flight: 0, is_over: false }
    }
}

/// A step that waits for its trigger.
struct Waiting {
    step: usize,
    trigger: Trigger,
    seen: u32,
}

/// Properties are asked about the passing of time this often.
const TICK: Duration = Duration::from_millis(500);

/// How long APIM's writes into a dead connection seem to succeed.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// The limits that properties hold a gateway to, whatever a planted defect makes of its own.
static PROMISED: Config = Config::recommended();

/// The gateways, one APIM, the network between them, and everything that watches them.
pub struct World<'t> {
    story: Rc<Scenario>,
    now: Instant,
    phase: Phase,
    agenda: Agenda<(GatewayIndex, Happening)>,
    transport: Transport,
    manager: ApiManager,
    /// The gateway that is being looked at.
    site: Box<Host>,
    /// The others, in no order.
    others: Vec<Box<Host>>,
    connections: BTreeMap<u64, Connection>,
    next_connection: u64,
    next_exchange: u64,
    waiting: Vec<Waiting>,
    unfired: BTreeSet<usize>,
    trace: Trace<'t>,
    errors: ErrorWatch,
    plant: Option<Plant>,
    marks: BTreeSet<&'static str>,
    ticked_at: Instant,
    stopped: bool,
}

/// What carries messages between the gateways and APIM, and starts and stops processes.
enum Transport {
    /// The world itself: messages wait on its heap, and a gateway is its driver.
    Heap,
    /// Sockets and processes around it, which it gives orders to.
    Sockets(Sockets),
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
        let site = |index| Box::new(Host::new(story, &manager, GatewayIndex(index), plant));
        let (first, others) = (site(0), (1..story.gateway_count()).map(site).collect());
        let mut world = Self {
            story: Rc::new(story.clone()),
            now: Instant::START,
            phase: Phase::Story,
            agenda: Agenda::new(),
            transport: Transport::Heap,
            manager,
            site: first,
            others,
            connections: BTreeMap::new(),
            next_connection: 0,
            next_exchange: 0,
            waiting: Vec::new(),
            unfired: BTreeSet::new(),
            trace,
            errors,
            plant,
            marks: BTreeSet::new(),
            ticked_at: Instant::START,
            stopped: false,
        };
        world.speak_of_site();
        if let Some(chance) = world.site.sabotage.chance() {
            let detail = || format!("drew={chance}");
            world.trace.record_of_all(
                Instant::START,
                "run",
                "chance",
                &chance.to_le_bytes(),
                detail,
            );
        }
        world.plan_steps();
        world.each_site(|world| world.schedule(Instant::START, Happening::Boot));
        world
    }

    fn plan_steps(&mut self) {
        let story = Rc::clone(&self.story);
        for (index, step) in story.steps.iter().enumerate() {
            match &step.when {
                When::AtMs(ms) => {
                    self.schedule(Instant::from_millis(*ms), Happening::Step(index));
                }
                When::On(trigger) => {
                    self.unfired.insert(index);
                    let trigger = trigger.clone();
                    self.waiting.push(Waiting { step: index, trigger, seen: 0 });
                }
            }
        }
        for at_ms in story.expect.times() {
            self.schedule(Instant::from_millis(at_ms), Happening::Claims { at_ms });
        }
    }

    fn schedule(&mut self, at: Instant, what: Happening) {
        self.agenda.plan(at.max(self.now), (self.site.index, what));
    }

    /// Lets everything happen that is due by `until`, and moves time there.
    pub fn run_until(&mut self, until: Instant) {
        while self.step(until) {}
        self.now = self.now.max(until);
    }

    /// Lets the next thing happen that is due by `until`; answers whether there was one.
    fn step(&mut self, until: Instant) -> bool {
        let message = self.agenda.next_at();
        let gateway = self.next_timeout().filter(|_| !self.has_sockets());
        let manager = self.manager.poll_timeout();
        let wake = gateway.map(|(at, _)| at);
        let due = [message, wake, manager].into_iter().flatten().min();
        let Some(due) = due.filter(|due| *due <= until) else { return false };
        self.now = self.now.max(due);
        if message == Some(due) {
            if let Some((gateway, what)) = self.agenda.pop() {
                self.turn_to(gateway);
                self.happen(what);
            }
        } else if manager == Some(due) {
            self.manager.handle_timeout(self.now);
        } else if let Some((_, gateway)) = gateway {
            self.turn_to(gateway);
            if let Some(driver) = self.site.gateway.driver() {
                driver.handle_timeout(self.now);
            }
        }
        self.settle();
        true
    }

    /// When the first of the gateways wants to be woken, and which it is.
    fn next_timeout(&self) -> Option<(Instant, GatewayIndex)> {
        let of = |site: &Host| site.gateway.timeout().map(|at| (at, site.index));
        let own = of(&self.site);
        if self.others.is_empty() {
            return own;
        }
        self.others.iter().filter_map(|site| of(site)).chain(own).min()
    }

    /// Makes a gateway the one that is being looked at.
    fn turn_to(&mut self, gateway: GatewayIndex) {
        if self.site.index == gateway {
            return;
        }
        if let Some(other) = self.others.iter_mut().find(|site| site.index == gateway) {
            std::mem::swap(&mut self.site, other);
            self.speak_of_site();
        }
    }

    /// Where there are several gateways the trace says which of them it speaks of.
    fn speak_of_site(&mut self) {
        if !self.others.is_empty() {
            self.trace.speak_of(self.site.name.as_deref());
        }
    }

    /// Does something with each of the gateways in turn.
    fn each_site(&mut self, mut act: impl FnMut(&mut Self)) {
        let back = self.site.index;
        for index in 0..=self.others.len() {
            self.turn_to(GatewayIndex(index));
            act(self);
        }
        self.turn_to(back);
    }

    /// Every gateway; the one that is being looked at comes first.
    fn sites(&self) -> impl Iterator<Item = &Host> {
        std::iter::once(&*self.site).chain(self.others.iter().map(|site| &**site))
    }

    /// Drains the gateways and APIM, and lets the properties look.
    fn settle(&mut self) {
        if self.others.is_empty() {
            self.settle_site();
        } else {
            self.each_site(Self::settle_site);
        }
        if self.now.since(self.ticked_at) >= TICK {
            self.ticked_at = self.now;
            self.each_site(Self::tick);
        }
    }

    /// Drains a gateway and APIM, and lets the properties look. What only the gateway can change
    /// is looked at only when something was done to it.
    fn settle_site(&mut self) {
        let is_stirred = self.site.gateway.is_stirred();
        if is_stirred && !self.has_sockets() {
            self.publish();
            self.drain_gateway();
            self.read_definitions();
        }
        self.drain_manager();
        if is_stirred {
            self.watch_served();
            self.watch_held();
        }
        self.watch_errors();
        self.watch_disturbances();
        if is_stirred {
            self.watch_state();
            self.site.gateway.came_to_rest();
        }
    }

    fn tick(&mut self) {
        self.mark_snapshot();
        let mut properties = std::mem::take(&mut self.site.properties);
        let mut verdicts = std::mem::take(&mut self.site.verdicts);
        let context = self.context();
        for property in &mut properties {
            property.tick(&context, &mut verdicts);
        }
        self.site.properties = properties;
        self.site.verdicts = verdicts;
    }

    /// What properties may look at of the gateway that is being looked at.
    pub fn context(&self) -> Context<'_> {
        Context {
            now: self.now,
            ledger: self.manager.ledger(self.site.index),
            engine: self.site.gateway.engine(),
            config: &PROMISED,
            served: &self.site.served,
            heard: &self.site.heard,
            held: self.site.gateway.view().held(),
            holders: self.site.gateway.view().holders(),
            snapshot: self.site.gateway.snapshot(),
            dialect: self.story.dialect,
            committed: &self.site.gateway.committed,
            disturbed_at: self.site.disturbed_at,
            phase: self.phase,
            claims_synced: self.plant == Some(Plant::LyingStatus),
        }
    }

    /// The run came to rest.
    pub fn rest(&mut self) {
        self.each_site(|world| {
            world.mark_snapshot();
            world.show(&Observation::Rest);
        });
    }

    /// Whether every gateway has converged and nothing is on its way.
    pub fn has_converged(&mut self) -> bool {
        self.is_at_rest() && self.is_met()
    }

    /// Whether every gateway has what it must have.
    pub fn is_met(&mut self) -> bool {
        let mut is_met = true;
        self.each_site(|world| is_met = is_met && properties::is_met(&world.context()));
        is_met
    }

    /// Shows a moment of a gateway to every property that judges it.
    pub fn show(&mut self, observation: &Observation<'_>) {
        let mut properties = std::mem::take(&mut self.site.properties);
        let mut verdicts = std::mem::take(&mut self.site.verdicts);
        let context = self.context();
        for property in &mut properties {
            if property.looks_at(observation) {
                property.look(&context, observation, &mut verdicts);
            }
        }
        self.site.properties = properties;
        self.site.verdicts = verdicts;
    }

    fn fault_total(&self) -> u64 {
        let store = self.site.gateway.store_faults();
        let elsewhere =
            self.site.net.delivered_total() + self.manager.delivered_total(self.site.index);
        elsewhere + store.full + store.failed + store.failed_reads + self.site.resets
    }

    /// How often each fault took effect.
    pub fn delivered(&self) -> BTreeMap<&'static str, u64> {
        let mut delivered: BTreeMap<&'static str, u64> = BTreeMap::new();
        let mut add = |(name, count)| {
            if count > 0 {
                *delivered.entry(name).or_insert(0) += count;
            }
        };
        self.manager.delivered().iter().for_each(|(name, count)| add((*name, *count)));
        for site in self.sites() {
            let store = site.gateway.store_faults();
            let own = [
                ("crash", site.crashes),
                ("reset", site.resets),
                ("disk_full", store.full),
                ("fail_writes", store.failed),
                ("fail_reads", store.failed_reads),
                ("wipe_store", store.wipes),
            ];
            site.net.delivered().chain(own).for_each(&mut add);
        }
        delivered
    }

    /// Something observable happened: triggers that wait for it come closer.
    fn observe(&mut self, seen: impl FnOnce() -> Observable) {
        if self.waiting.is_empty() {
            return;
        }
        let seen = seen();
        let mut fired = Vec::new();
        for waiting in &mut self.waiting {
            let gateway = &waiting.trigger.gateway;
            let is_here = gateway.is_none() || *gateway == self.site.name;
            if is_here && waiting.trigger.seen == seen {
                waiting.seen += 1;
                if waiting.seen == waiting.trigger.nth {
                    fired.push((waiting.step, waiting.trigger.after_ms));
                }
            }
        }
        for (step, after_ms) in fired {
            self.unfired.remove(&step);
            self.waiting.retain(|waiting| waiting.step != step);
            let at = self.now.after(Duration::from_millis(after_ms));
            self.schedule(at, Happening::Step(step));
        }
    }

    /// Whether everything that was begun is over: no event waits to be delivered, the session is
    /// not dead without anybody knowing, and nothing is being written or asked.
    pub fn is_at_rest(&self) -> bool {
        !self.manager.has_unfinished()
            && self.sites().all(|site| {
                let mut sessions = site.gateway.sessions.values();
                site.requests.is_empty()
                    && !site.gateway.is_committing()
                    && site.texts_in_flight == 0
                    && site.unread_until <= self.now
                    && sessions.all(|connection| {
                        self.connections.contains_key(connection)
                            && !site.net.is_dead(Self::line(*connection))
                    })
            })
    }

    /// Checks what the story claims about requests made now.
    fn check_claims(&mut self, at_ms: u64) {
        let story = Rc::clone(&self.story);
        self.each_site(|world| {
            let mut verdicts = std::mem::take(&mut world.site.verdicts);
            let (context, history) = (world.context(), &world.site.history);
            for expect in story.expect.of(world.site.name.as_deref()) {
                let claims = properties::Claims { expect, history };
                claims.check_access(&context, Some(at_ms), &mut verdicts);
            }
            world.site.verdicts = verdicts;
        });
    }

    /// The current time.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Goes to the next part of the run.
    pub fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        let name = match phase {
            Phase::Story => "story",
            Phase::Converging => "converging",
            Phase::Quiet => "quiet",
            Phase::Restarted => "restarted",
        };
        self.trace
            .record_of_all(self.now, "run", "phase", name.as_bytes(), || format!("name={name}"));
    }

    /// Ends every fault at once and starts every gateway that is down.
    pub fn lift_faults(&mut self) {
        self.manager.lift_faults(self.now);
        self.waiting.clear();
        self.each_site(|world| {
            world.site.net.lift();
            world.site.gateway.store().set_full(false);
            world.site.gateway.store().fail_writes(0);
            world.site.gateway.store().fail_reads(0);
        });
        self.settle();
        let mut is_down = false;
        self.each_site(|world| {
            if world.site.gateway.engine().is_none() {
                is_down = true;
                world.schedule(world.now, Happening::Boot);
            }
        });
        if is_down {
            self.run_until(self.now);
        }
    }

    /// Every gateway process is stopped and started again, with nothing lost.
    pub fn restart_gateways(&mut self) {
        self.each_site(|world| {
            world.crash(crate::story::step::CrashDisk::Kept);
            world.schedule(world.now.after(Duration::from_millis(200)), Happening::Boot);
        });
        self.settle();
    }

    /// The run was stopped before its end: what it claims about the end is not asked.
    pub const fn mark_stopped(&mut self) {
        self.stopped = true;
    }

    fn line(connection: u64) -> Line {
        Line::Session(connection)
    }

    fn id(connection: u64) -> ConnectionId {
        ConnectionId(connection)
    }
}
