//! The gateway as one crashable process: the production driver and engine on a store.

use std::collections::BTreeMap;

use driftless_gateway::driver::{Driver, Outbound};
use driftless_gateway::engine::{Change, Config, Engine, StoreFailure};
use driftless_gateway::model::{ArtifactId, Batch, Recovered, SessionId, WriteId};
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
    view: View,
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
            view: View::default(),
        }
    }

    /// Starts the process; answers what it found in its store.
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
        self.view = View::default();
        self.is_unseen = true;
        self.is_stirred = true;
        Ok(recovered)
    }

    /// The process dies; answers the batch that was being written.
    pub fn crash(&mut self, disk: CrashDisk) -> Option<Batch> {
        let key = self.key.nth(self.boots).draw("crash");
        self.driver = None;
        self.view = View::default();
        self.is_unseen = true;
        self.is_stirred = true;
        self.sessions.clear();
        let committing = self.committing.take().map(|(_, batch)| batch);
        match &committing {
            Some(batch) => self.store.crash_during(batch, disk, key),
            None => self.store.crash(disk, key),
        }
        committing
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
        self.timeout = self.poll_timeout().map(|(at, _)| at);
    }

    /// When the process wants to be woken, as of its last rest.
    pub const fn timeout(&self) -> Option<Instant> {
        self.timeout
    }

    /// When the process wants to be woken; see [`Driver::poll_timeout`].
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
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

    /// Finishes the write that was begun. Answers the batch, and what went wrong.
    pub fn finish_commit(
        &mut self,
        sabotage: &Sabotage,
    ) -> Option<(WriteId, Batch, Result<(), StoreFailure>)> {
        let (write, batch) = self.committing.take()?;
        let done = self.store.commit(&sabotage.written(&batch)).map_err(|error| match error {
            StoreError::Full => StoreFailure::Full,
            other => StoreFailure::Io(other.to_string()),
        });
        if done.is_ok() {
            self.committed.apply(&batch);
        }
        Some((write, batch, done))
    }

    /// The next call of [`SimGateway::served_changes`] looks at everything.
    pub const fn look_again(&mut self) {
        self.is_unseen = true;
    }

    /// Takes in everything that the process says has changed.
    pub fn follow(&mut self, sabotage: &mut Sabotage) {
        if let Some(driver) = &mut self.driver {
            self.view.follow(driver, sabotage);
        }
    }

    /// What was made of the changes that were taken in.
    pub fn untold(&mut self) -> Vec<HeldChange> {
        self.view.untold()
    }

    /// The next change, taken in on its way to somebody else.
    pub fn next_change(&mut self, sabotage: &mut Sabotage) -> Option<Change> {
        self.view.next_change(self.driver.as_mut()?, sabotage)
    }

    /// Shows the snapshot that the process itself made.
    pub fn show(&mut self, snapshot: Snapshot) {
        self.view.show(snapshot);
    }

    /// What a data plane sees of the process.
    pub const fn view(&self) -> &View {
        &self.view
    }

    /// Brings the snapshot up to date with everything that the process said.
    pub fn refresh_snapshot(&mut self, sabotage: &Sabotage) {
        let Self { view, driver, store, .. } = self;
        if let Some(driver) = driver {
            view.refresh(driver, sabotage, |id| store.content(id).ok().flatten());
        }
    }

    /// How what is served differs from `before`, by id: of what the process said has changed, or of
    /// everything where it is another process. A process that is down serves nothing.
    pub fn served_changes(&mut self, before: &BTreeMap<ArtifactId, Served>) -> Vec<ServedChange> {
        let mut artifacts = self.view.unwatched();
        if std::mem::take(&mut self.is_unseen) {
            let served = self.engine().into_iter().flat_map(|engine| engine.observed().served());
            artifacts.extend(served.map(|(id, _)| id.clone()).chain(before.keys().cloned()));
        }
        let changes = artifacts.into_iter().map(|artifact| {
            let (before, after) = (before.get(&artifact).cloned(), self.served(&artifact));
            ServedChange { artifact, before, after }
        });
        changes.filter(|change| change.before != change.after).collect()
    }

    /// What is served of one artifact.
    fn served(&self, id: &ArtifactId) -> Option<Served> {
        let observed = self.engine()?.observed();
        let row = observed.durable().rows.get(id).filter(|_| observed.is_served(id))?;
        Some(Served { deployment: row.generation.deployment.clone(), digest: row.held?.digest })
    }
}
