//! The world: the only scheduler.
//!
//! One thread, one heap of `(virtual time, sequence)`. Time jumps to whatever is due next: a
//! message, a step, or a deadline of the gateway or of APIM. After everything that happens the
//! gateway and APIM are drained, so that their order is the order of the heap.

mod agenda;
mod deliver;
mod gateway_side;
mod marking;
mod steps;
mod watching;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use driftless_gateway::engine::{Config, ResourceKind, SyncState};
use driftless_gateway::model::{ArtifactId, RequestId, SessionId};
use driftless_gateway::time::Instant;
use driftless_gateway::wire::{HttpRequest, HttpResponse};

use agenda::Agenda;

use crate::errors::ErrorWatch;
use crate::gateway::SimGateway;
use crate::manager::{ApiManager, ConnectionId, Issued, ServerFrame, Upgrade};
use crate::net::{Line, Network};
use crate::plant::{Plant, Sabotage};
use crate::properties::{self, Moment, Phase, Property, Scene, Served, Verdicts};
use crate::random::Key;
use crate::replicas::Ending;
use crate::scenario::Scenario;
use crate::step::{Observable, Trigger, When};
use crate::told::Told;
use crate::trace::Trace;

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
    Answer { boot: u64, id: RequestId, exchange: u64, response: HttpResponse, name: &'static str },
    NobodyListens { boot: u64, id: RequestId, exchange: u64 },
    Commit { boot: u64 },
    SpaceAgain,
    Claims { at_ms: u64 },
}

/// A connection between the gateway and APIM.
#[derive(Clone, Copy, Debug)]
struct Connection {
    boot: u64,
    session: SessionId,
    dead_since: Option<Instant>,
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

/// One gateway, one APIM, the network between them, and everything that watches them.
pub struct World<'s, 't> {
    story: &'s Scenario,
    key: Key,
    now: Instant,
    phase: Phase,
    agenda: Agenda<Happening>,
    manager: ApiManager,
    net: Network,
    gateway: SimGateway,
    connections: BTreeMap<u64, Connection>,
    next_connection: u64,
    next_exchange: u64,
    requests: BTreeMap<RequestId, u64>,
    token: String,
    waiting: Vec<Waiting>,
    unfired: BTreeSet<usize>,
    served: BTreeMap<ArtifactId, Served>,
    told: Told,
    properties: Vec<Box<dyn Property>>,
    verdicts: Verdicts,
    trace: Trace<'t>,
    errors: ErrorWatch,
    plant: Option<Plant>,
    sabotage: Sabotage,
    marks: BTreeSet<&'static str>,
    disturbed_at: Instant,
    faults_seen: u64,
    ticked_at: Instant,
    crashes: u64,
    resets: u64,
    texts_in_flight: u64,
    was_live: bool,
    last_state: Option<SyncState>,
    listing: bool,
    fetches: BTreeSet<RequestId>,
    /// Lists of keys, subscriptions and plans that are being read, by what they are called.
    rolls: BTreeMap<RequestId, &'static str>,
    /// Hashes of the events that reached the gateway.
    heard: BTreeSet<u128>,
    books: Books,
    stopped: bool,
}

/// What a scenario's own claims are checked against.
#[derive(Clone, Debug, Default)]
pub struct Books {
    /// Requests sent, by name, and `store`, `open_session` and `ack` beside them.
    pub asked: BTreeMap<&'static str, u64>,
    /// Every state that a status had: REST APIs, and whatever the story claims something about.
    pub states: BTreeSet<(ResourceKind, SyncState)>,
    /// Artifacts that were served at some time.
    pub ever_served: BTreeSet<ArtifactId>,
    /// Artifacts that stopped being served while the gateway ran, with when.
    pub interrupted: BTreeMap<ArtifactId, Instant>,
}

impl<'s, 't> World<'s, 't> {
    /// A world in which `story` is about to be told.
    pub fn new(
        story: &'s Scenario,
        trace: Trace<'t>,
        errors: ErrorWatch,
        plant: Option<Plant>,
    ) -> Self {
        let key = Key::new(story.seed);
        let mut config = Config::recommended();
        let sabotage = Sabotage::new(plant);
        sabotage.configure(&mut config);
        let switches = story.switches.positions(story.dialect);
        let manager = ApiManager::new(story.dialect, switches, story.seed);
        let token = manager.token().to_owned();
        let mut world = Self {
            story,
            key,
            now: Instant::START,
            phase: Phase::Story,
            agenda: Agenda::new(),
            manager,
            net: Network::new(key.child("net")),
            gateway: SimGateway::new(config, story.store, key.child("gateway")),
            connections: BTreeMap::new(),
            next_connection: 0,
            next_exchange: 0,
            requests: BTreeMap::new(),
            token,
            waiting: Vec::new(),
            unfired: BTreeSet::new(),
            served: BTreeMap::new(),
            told: Told::default(),
            properties: properties::all(),
            verdicts: Verdicts::default(),
            trace,
            errors,
            plant,
            sabotage,
            marks: BTreeSet::new(),
            disturbed_at: Instant::START,
            faults_seen: 0,
            ticked_at: Instant::START,
            crashes: 0,
            resets: 0,
            texts_in_flight: 0,
            was_live: false,
            last_state: None,
            listing: false,
            fetches: BTreeSet::new(),
            rolls: BTreeMap::new(),
            heard: BTreeSet::new(),
            books: Books::default(),
            stopped: false,
        };
        if let Some(chance) = world.sabotage.chance() {
            let detail = || format!("drew={chance}");
            world.trace.record(Instant::START, "run", "chance", &chance.to_le_bytes(), detail);
        }
        world.plan_steps();
        world.schedule(Instant::START, Happening::Boot);
        world
    }

    fn plan_steps(&mut self) {
        for (index, step) in self.story.steps.iter().enumerate() {
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
        let expect = &self.story.expect;
        let claims = expect.opens.iter().chain(&expect.refuses);
        let times: BTreeSet<u64> = claims.filter_map(|claim| claim.at_ms).collect();
        for at_ms in times {
            self.schedule(Instant::from_millis(at_ms), Happening::Claims { at_ms });
        }
    }

    fn schedule(&mut self, at: Instant, what: Happening) {
        self.agenda.plan(at.max(self.now), what);
    }

    /// Lets everything happen that is due by `until`, and moves time there.
    pub fn run_until(&mut self, until: Instant) {
        while self.step(until) {}
        self.now = self.now.max(until);
    }

    /// Lets the next thing happen that is due by `until`; answers whether there was one.
    fn step(&mut self, until: Instant) -> bool {
        let message = self.agenda.next_at();
        let gateway = self.gateway.timeout();
        let manager = self.manager.poll_timeout();
        let due = [message, gateway, manager].into_iter().flatten().min();
        let Some(due) = due.filter(|due| *due <= until) else { return false };
        self.now = self.now.max(due);
        if message == Some(due) {
            if let Some(what) = self.agenda.pop() {
                self.happen(what);
            }
        } else if manager == Some(due) {
            self.manager.handle_timeout(self.now);
        } else if let Some(driver) = self.gateway.driver() {
            driver.handle_timeout(self.now);
        }
        self.settle();
        true
    }

    /// Drains gateway and APIM, and lets the properties look. What only the gateway can change is
    /// looked at only when something was done to it.
    fn settle(&mut self) {
        let is_stirred = self.gateway.is_stirred();
        if is_stirred {
            self.drain_gateway();
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
            self.gateway.came_to_rest();
        }
        if self.now.since(self.ticked_at) >= TICK {
            self.ticked_at = self.now;
            self.tick();
        }
    }

    fn tick(&mut self) {
        self.swap_snapshot();
        let mut properties = std::mem::take(&mut self.properties);
        let mut verdicts = std::mem::take(&mut self.verdicts);
        let scene = self.scene();
        for property in &mut properties {
            property.tick(&scene, &mut verdicts);
        }
        self.properties = properties;
        self.verdicts = verdicts;
    }

    /// What properties may look at.
    pub fn scene(&self) -> Scene<'_> {
        Scene {
            now: self.now,
            ledger: self.manager.ledger(),
            engine: self.gateway.engine(),
            config: &PROMISED,
            served: &self.served,
            told: &self.told,
            held: self.gateway.view().held(),
            snapshot: self.gateway.view().snapshot(),
            dialect: self.story.dialect,
            committed: &self.gateway.committed,
            disturbed_at: self.disturbed_at,
            phase: self.phase,
            plant: self.plant,
        }
    }

    /// The run came to rest.
    pub fn rest(&mut self) {
        self.swap_snapshot();
        self.show(&Moment::Rest);
    }

    /// Shows a moment to every property.
    pub fn show(&mut self, moment: &Moment<'_>) {
        let mut properties = std::mem::take(&mut self.properties);
        let mut verdicts = std::mem::take(&mut self.verdicts);
        let scene = self.scene();
        for property in &mut properties {
            if property.looks_at(moment) {
                property.look(&scene, moment, &mut verdicts);
            }
        }
        self.properties = properties;
        self.verdicts = verdicts;
    }

    fn fault_total(&self) -> u64 {
        let store = self.gateway.store_faults();
        let elsewhere = self.net.delivered_total() + self.manager.delivered_total();
        elsewhere + store.full + store.failed + self.resets
    }

    /// How often each fault took effect.
    pub fn delivered(&self) -> BTreeMap<&'static str, u64> {
        let mut delivered: BTreeMap<&'static str, u64> = BTreeMap::new();
        let store = self.gateway.store_faults();
        let own = [
            ("crash", self.crashes),
            ("reset", self.resets),
            ("disk_full", store.full),
            ("fail_writes", store.failed),
            ("wipe_store", store.wipes),
        ];
        let manager = self.manager.delivered().iter().map(|(name, count)| (*name, *count));
        for (name, count) in self.net.delivered().chain(manager).chain(own) {
            if count > 0 {
                *delivered.entry(name).or_insert(0) += count;
            }
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
            if waiting.trigger.seen == seen {
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
        let sessions = self.gateway.sessions.values();
        !self.manager.has_unfinished()
            && self.requests.is_empty()
            && !self.gateway.is_committing()
            && self.texts_in_flight == 0
            && sessions.clone().all(|connection| {
                self.connections.contains_key(connection)
                    && !self.net.is_dead(Self::line(*connection))
            })
    }

    /// Checks what the story claims about requests made now.
    fn check_claims(&mut self, at_ms: u64) {
        self.gateway.refresh_snapshot(&self.sabotage);
        let mut verdicts = std::mem::take(&mut self.verdicts);
        let claims = properties::Claims { expect: &self.story.expect, books: &self.books };
        claims.check_access(&self.scene(), Some(at_ms), &mut verdicts);
        self.verdicts = verdicts;
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
        self.trace.record(self.now, "run", "phase", name.as_bytes(), || format!("name={name}"));
    }

    /// Ends every fault at once and starts a gateway that is down.
    pub fn lift_faults(&mut self) {
        self.manager.lift_faults(self.now);
        self.net.lift();
        self.gateway.store().set_full(false);
        self.gateway.store().fail_writes(0);
        self.waiting.clear();
        self.settle();
        if self.gateway.engine().is_none() {
            self.schedule(self.now, Happening::Boot);
            self.run_until(self.now);
        }
    }

    /// The gateway process is stopped and started again, with nothing lost.
    pub fn restart_gateway(&mut self) {
        self.crash(crate::step::CrashDisk::Kept);
        self.schedule(self.now.after(Duration::from_millis(200)), Happening::Boot);
        self.settle();
    }

    /// What a scenario's claims are checked against.
    pub const fn books(&self) -> &Books {
        &self.books
    }

    /// The run was stopped before its end: what it claims about the end is not asked.
    pub const fn mark_stopped(&mut self) {
        self.stopped = true;
    }

    /// Ends the run.
    pub fn finish(mut self) -> Finished {
        self.show(&Moment::End);
        let claims = properties::Claims { expect: &self.story.expect, books: &self.books };
        let delivered = self.delivered();
        let serving = self.serving();
        let mut verdicts = std::mem::take(&mut self.verdicts);
        if !self.stopped {
            claims.check(&self.scene(), &delivered, &mut verdicts);
        }
        self.marks.append(&mut verdicts.reached);
        Finished {
            violations: verdicts.violations,
            trace_hash: self.trace.hash(),
            events: self.trace.events(),
            simulated: self.now.since(Instant::START),
            delivered,
            marks: self.marks,
            crashes: self.crashes,
            unfired: self.unfired,
            serving,
            ending: Ending { held: self.gateway.view().held().clone(), served: self.served },
        }
    }

    /// By API, the revision that the ledger says must be served, or 0.
    fn serving(&self) -> BTreeMap<String, u32> {
        let ledger = self.manager.ledger();
        let revision = |name: &str| {
            let issue = ledger.artifact(name).and_then(|id| ledger.current(id))?;
            match issue.what {
                Issued::Deployed { revision, .. } => Some(revision),
                _ => None,
            }
        };
        let names = self.story.apis();
        names.into_iter().map(|name| (name.to_owned(), revision(name).unwrap_or(0))).collect()
    }

    fn line(connection: u64) -> Line {
        Line::Session(connection)
    }

    fn id(connection: u64) -> ConnectionId {
        ConnectionId(connection)
    }
}

/// What is left when a run is over.
pub struct Finished {
    /// What did not hold.
    pub violations: Vec<properties::Violation>,
    /// The hash of everything that happened.
    pub trace_hash: u128,
    /// How many things happened.
    pub events: u64,
    /// How much virtual time passed.
    pub simulated: Duration,
    /// How often each fault took effect.
    pub delivered: BTreeMap<&'static str, u64>,
    /// The situations reached.
    pub marks: BTreeSet<&'static str>,
    /// How often the gateway process died.
    pub crashes: u64,
    /// The steps whose trigger never came.
    pub unfired: BTreeSet<usize>,
    /// By API, the revision to be served at the end, or 0.
    pub serving: BTreeMap<String, u32>,
    /// What the gateway held.
    pub ending: Ending,
}
