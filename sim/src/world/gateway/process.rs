//! The gateway as one crashable process: the production driver and publisher on a store.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use driftless_gateway::driver::{Driver, Outbound};
use driftless_gateway::engine::{Config, Engine, StoreFailure, Timer};
use driftless_gateway::model::{ArtifactId, Batch, ContentDigest, Recovered, SessionId, WriteId};
use driftless_gateway::publish::{Fact, Publisher, StoreWorker, StoredDefinition};
use driftless_gateway::runtime::Snapshot;
use driftless_gateway::store::StoreError;
use driftless_gateway::time::Instant;
use driftless_gateway::wire::ArchiveLimits;

use super::view::View;
use crate::observe::{HeldChange, Served};
use crate::plant::Sabotage;
use crate::random::Key;
use crate::story::file::StoreChoice;
use crate::story::step::CrashDisk;
use crate::world::store::{DiskStore, ModelStore, SimStore, harm_before_start};

/// How many definitions are kept as read, over all runs of a thread: stories use few names, so
/// most were read in an earlier run.
const DEFINITIONS_MAX: usize = 4_096;

thread_local! {
    /// Does the store's work of every gateway; what it keeps is what reading would give again.
    static WORKER: RefCell<StoreWorker> =
        const { RefCell::new(StoreWorker::new(DEFINITIONS_MAX)) };
}

/// A gateway process and the store that outlives it.
pub struct SimGateway {
    key: Key,
    config: Config,
    driver: Option<Driver>,
    store: Box<dyn SimStore>,
    boots: u64,
    committing: Option<(WriteId, Batch)>,
    /// The connection of each session of the running process.
    pub sessions: BTreeMap<SessionId, u64>,
    /// What was committed so far, whatever became of the disk.
    pub committed: Recovered,
    /// Whether what is served has to be looked at anew, and not what changed of it only.
    is_unseen: bool,
    /// Whether the process was touched since it last came to rest. Only then can what it wants,
    /// serves or says be new.
    is_stirred: bool,
    timeout: Option<Instant>,
    /// Until when the store is busy with what it was given to do.
    busy_until: Instant,
    view: View,
    /// What changes came to, on its way to whoever publishes it.
    facts: VecDeque<Fact>,
    publisher: Publisher,
    /// The snapshot that the process itself made, where it has a publisher of its own.
    shown: Option<Snapshot>,
}

/// What became of one artifact: what was served of it and what is.
pub struct ServedChange {
    /// The artifact.
    pub artifact: ArtifactId,
    /// What was served.
    pub before: Option<Served>,
    /// What is served.
    pub after: Option<Served>,
}

impl SimGateway {
    /// A gateway that is not running, with an empty store.
    pub fn new(config: Config, choice: StoreChoice, key: Key) -> Self {
        let store: Box<dyn SimStore> = match choice {
            StoreChoice::Model => Box::new(ModelStore::new()),
            StoreChoice::Disk => Box::new(DiskStore::new()),
        };
        Self {
            key,
            config,
            driver: None,
            store,
            boots: 0,
            committing: None,
            sessions: BTreeMap::new(),
            committed: Recovered::default(),
            is_unseen: true,
            is_stirred: false,
            timeout: None,
            busy_until: Instant::START,
            view: View::default(),
            facts: VecDeque::new(),
            publisher: Publisher::default(),
            shown: None,
        }
    }

    /// Starts the process; returns what it found in its store.
    ///
    /// # Errors
    /// What the store says when it cannot be read.
    pub fn start(
        &mut self,
        now: Instant,
        sabotage: &mut Sabotage,
    ) -> Result<Recovered, StoreError> {
        harm_before_start(self.store.as_mut(), sabotage);
        let recovered = self.store.recover()?;
        self.boots += 1;
        let seed = self.key.nth(self.boots).draw("jitter");
        let known = sabotage.recovered(recovered.clone());
        let engine = Engine::recover(self.config.clone(), seed, known, now);
        self.driver = Some(Driver::new(engine, ArchiveLimits::recommended()));
        self.forget_views();
        self.busy_until = now;
        Ok(recovered)
    }

    /// The process dies; returns the batch that was being written.
    pub fn crash(&mut self, disk: CrashDisk) -> Option<Batch> {
        let key = self.key.nth(self.boots).draw("crash");
        self.driver = None;
        self.forget_views();
        self.sessions.clear();
        let committing = self.committing.take().map(|(_, batch)| batch);
        // What is refused before it is written cannot be found half written.
        let is_tried = |batch: &Batch| WORKER.with_borrow_mut(|it| it.come_with(batch).is_ok());
        let committing = committing.filter(is_tried);
        match &committing {
            Some(batch) => self.store.crash_during(batch, disk, key),
            None => self.store.crash(disk, key),
        }
        committing
    }

    /// Another process has seen and published nothing yet.
    fn forget_views(&mut self) {
        self.view = View::default();
        self.facts.clear();
        self.publisher = Publisher::default();
        self.shown = None;
        self.is_unseen = true;
        self.is_stirred = true;
    }

    /// Which process this is, from 1; messages to an earlier one are lost.
    pub const fn boots(&self) -> u64 {
        self.boots
    }

    /// The running process, to be told something.
    pub const fn driver(&mut self) -> Option<&mut Driver> {
        self.is_stirred = true;
        self.driver.as_mut()
    }

    /// The running process's engine.
    pub fn engine(&self) -> Option<&Engine> {
        self.driver.as_ref().map(Driver::engine)
    }

    /// The next thing the process wants done.
    pub fn poll_outbound(&mut self) -> Option<Outbound> {
        self.driver.as_mut()?.poll_outbound()
    }

    /// Whether the process was started, stopped or told something since it last came to rest.
    pub const fn is_stirred(&self) -> bool {
        self.is_stirred
    }

    /// Everything that the process wanted was done and everything new about it looked at.
    pub fn came_to_rest(&mut self) {
        self.is_stirred = false;
        let engine = self.poll_timeout().map(|(at, _)| at);
        self.timeout = engine.into_iter().chain(self.publisher.poll_timeout()).min();
    }

    /// When the process wants to be woken, as of its last rest.
    pub const fn timeout(&self) -> Option<Instant> {
        self.timeout
    }

    /// When the engine wants to be woken; see [`Driver::poll_timeout`].
    pub fn poll_timeout(&self) -> Option<(Instant, Timer)> {
        self.driver.as_ref().and_then(Driver::poll_timeout)
    }

    /// The store, to do harm to.
    pub fn store(&mut self) -> &mut dyn SimStore {
        self.store.as_mut()
    }

    /// The faults of the store that took effect.
    pub fn store_faults(&self) -> crate::world::store::StoreFaults {
        self.store.delivered()
    }

    /// A write begins; it is durable when it is finished.
    pub fn begin_commit(&mut self, write: WriteId, batch: Batch) {
        self.committing = Some((write, batch));
    }

    /// Whether a write is going on.
    pub const fn is_committing(&self) -> bool {
        self.committing.is_some()
    }

    /// When the store is through with something that it is given at `now` and that takes so
    /// long: it does one thing after the other.
    pub fn work_ends(&mut self, now: Instant, takes: Duration) -> Instant {
        self.busy_until = now.max(self.busy_until).after(takes);
        self.busy_until
    }

    /// Finishes the write that was begun. Returns the batch, and the definitions that come with
    /// it or what went wrong.
    pub fn finish_commit(
        &mut self,
        sabotage: &mut Sabotage,
    ) -> Option<(WriteId, Batch, Result<Vec<StoredDefinition>, StoreFailure>)> {
        let (write, batch) = self.committing.take()?;
        let written = sabotage.written(&batch);
        let done = WORKER
            .with_borrow_mut(|worker| worker.commit(self.store.as_mut(), &written))
            .map(|definitions| sabotage.defined(definitions));
        if done.is_ok() {
            self.committed.apply(&batch);
        }
        Some((write, batch, done))
    }

    /// Reads definitions from the store.
    pub fn read(
        &mut self,
        wanted: Vec<(ArtifactId, ContentDigest)>,
        sabotage: &mut Sabotage,
    ) -> Vec<StoredDefinition> {
        let read = WORKER.with_borrow_mut(|worker| worker.read(self.store.as_mut(), wanted));
        sabotage.defined(read)
    }

    /// The next call of [`SimGateway::served_changes`] looks at everything.
    pub const fn look_again(&mut self) {
        self.is_unseen = true;
    }

    /// What the next change comes to for whoever publishes it; everybody else has seen it then.
    pub fn next_fact(&mut self, sabotage: &mut Sabotage) -> Option<Fact> {
        next_fact(&mut self.driver, &mut self.view, &mut self.facts, sabotage)
    }

    /// Publishes everything that the process says has changed.
    pub fn publish(&mut self, now: Instant, sabotage: &mut Sabotage) {
        let Self { driver, view, facts, publisher, .. } = self;
        publisher.follow(std::iter::from_fn(|| next_fact(driver, view, facts, sabotage)), now);
    }

    /// The process's own publisher.
    pub const fn publisher(&mut self) -> &mut Publisher {
        self.is_stirred = true;
        &mut self.publisher
    }

    /// The definitions that the process wants read now.
    pub fn poll_read(&mut self, now: Instant) -> Option<Vec<(ArtifactId, ContentDigest)>> {
        self.publisher.poll_read(now)
    }

    /// What was made of the changes that were taken in.
    pub fn untold(&mut self) -> Vec<HeldChange> {
        self.view.untold()
    }

    /// Shows the snapshot that the process itself made.
    pub fn show(&mut self, snapshot: Snapshot) {
        self.shown = Some(snapshot);
    }

    /// The snapshot that is served.
    pub fn snapshot(&self) -> &Snapshot {
        self.shown.as_ref().unwrap_or(self.publisher.snapshot())
    }

    /// What is watched of the process.
    pub const fn view(&self) -> &View {
        &self.view
    }

    /// How what is served differs from `before`, by id: of what the process said has changed, or of
    /// everything where it is another process. A process that is down serves nothing.
    pub fn served_changes(&mut self, before: &BTreeMap<ArtifactId, Served>) -> Vec<ServedChange> {
        let mut artifacts = self.view.unwatched();
        if std::mem::take(&mut self.is_unseen) {
            let served = self.engine().into_iter().flat_map(|engine| engine.observed().served());
            artifacts.extend(served.map(|(id, _)| id.clone()).chain(before.keys().cloned()));
        }
        let changes = artifacts.into_iter().filter_map(|artifact| {
            let (before, after) = (before.get(&artifact), self.served(&artifact));
            (before != after.as_ref()).then(|| {
                let before = before.cloned();
                ServedChange { artifact, before, after }
            })
        });
        changes.collect()
    }

    /// What is served of one artifact.
    fn served(&self, id: &ArtifactId) -> Option<Served> {
        let row = self.engine()?.observed().served_row(id)?;
        Some(Served { deployment: row.generation.deployment.clone(), digest: row.held?.digest })
    }
}
/// What the next change comes to; the view has seen it then.
fn next_fact(
    driver: &mut Option<Driver>,
    view: &mut View,
    facts: &mut VecDeque<Fact>,
    sabotage: &mut Sabotage,
) -> Option<Fact> {
    loop {
        while let Some(fact) = facts.pop_front() {
            if let Some(fact) = sabotage.published(fact) {
                return Some(fact);
            }
        }
        let driver = driver.as_mut()?;
        let change = driver.poll_change()?;
        view.take(change, driver.engine(), sabotage, facts);
    }
}
