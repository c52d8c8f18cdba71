//! What a gateway serves of what its store holds, when the store does not give it at once: the
//! production loop with no control plane to reach, in virtual time.

use std::collections::VecDeque;
use std::io;
use std::pin::pin;
use std::time::Duration;

use driftless::world::disk::SimDisk;
use driftless_gateway::driver::Driver;
use driftless_gateway::engine::{Config, Engine};
use driftless_gateway::model::{ArtifactId, Batch, Content, Recovered};
use driftless_gateway::publish::{DEFINITIONS_MAX, Done, Job, StoreWorker};
use driftless_gateway::shell::config::{Endpoint, Limits, Timeouts};
use driftless_gateway::shell::{
    Clock, Dial, Gateway, Parts, Storage, SystemClock, TokenSource, Transport,
};
use driftless_gateway::store::{RedbStore, Store, StoreError};
use driftless_gateway::time::Instant;
use driftless_gateway::wire::ArchiveLimits;
use tokio::task::LocalSet;
use tokio::time::timeout;

use crate::workload::{definition, put};

const DEFINITION: &str =
    "kind: RESTAPI\nspec:\n  context: /p\n  operations: [{method: GET, path: /}]\n";

/// Does jobs in line: when a job was handed in, it is done.
pub(crate) struct InlineStorage<S> {
    store: S,
    worker: StoreWorker,
    done: VecDeque<Done>,
}

impl<S: Store> InlineStorage<S> {
    pub(crate) const fn new(store: S) -> Self {
        Self { store, worker: StoreWorker::new(DEFINITIONS_MAX), done: VecDeque::new() }
    }
}

impl<S: Store> Storage for InlineStorage<S> {
    fn submit(&mut self, job: Job) {
        let done = self.worker.carry_out(&mut self.store, job);
        self.done.push_back(done);
    }

    async fn done(&mut self) -> Option<Done> {
        match self.done.pop_front() {
            Some(done) => Some(done),
            None => std::future::pending().await,
        }
    }
}

/// A store that gives no definition the first few times.
struct Hesitant {
    store: RedbStore<SimDisk>,
    failures: u32,
}

impl Store for Hesitant {
    fn recover(&mut self) -> Result<Recovered, StoreError> {
        self.store.recover()
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        self.store.commit(batch)
    }

    fn content(&mut self, artifact: &ArtifactId) -> Result<Option<Content>, StoreError> {
        if self.failures == 0 {
            return self.store.content(artifact);
        }
        self.failures -= 1;
        Err(StoreError::Io("the disk did not answer".to_owned()))
    }
}

/// Reaches nobody.
#[derive(Clone, Copy)]
struct CutOff;

impl Dial for CutOff {
    type Stream = tokio::io::DuplexStream;

    async fn dial(&self, _host: &str, _port: u16) -> io::Result<Self::Stream> {
        Err(io::ErrorKind::ConnectionRefused.into())
    }
}

/// How long a gateway that starts on this text in its store takes to serve the API, where the
/// store fails so often first; `None` when it does not within two minutes.
fn served_after(text: &str, failures: u32) -> Option<Duration> {
    let mut store = RedbStore::new(SimDisk::new());
    store.commit(&put("a", 1, definition(text, 1))).unwrap();
    let recovered = store.recover().unwrap();
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    LocalSet::new().block_on(&runtime, async move {
        let clock = SystemClock::start();
        let engine = Engine::recover(Config::recommended(), 1, recovered, clock.now());
        let endpoint = Endpoint { is_encrypted: false, host: "apim".to_owned(), port: 9443 };
        let timeouts = Timeouts::recommended();
        let gateway = Gateway::new(Parts {
            transport: Transport::new(CutOff, endpoint, None, &timeouts).unwrap(),
            token: TokenSource::fixed("token").unwrap(),
            clock,
            storage: InlineStorage::new(Hesitant { store, failures }),
            driver: Driver::new(engine, ArchiveLimits::recommended()),
            limits: Limits::recommended(),
            timeouts,
            warnings: Vec::new(),
        });
        let mut snapshots = gateway.snapshots();
        let mut run = pin!(gateway.run(std::future::pending()));
        let is_served = snapshots.wait_for(|snapshot| snapshot.served().next().is_some());
        let served = async {
            tokio::select! {
                biased;
                _ = &mut run => false,
                served = is_served => served.is_ok(),
            }
        };
        let within = timeout(Duration::from_secs(120), served).await;
        within.is_ok_and(|served| served).then(|| clock.now().since(Instant::START))
    })
}

#[test]
fn what_is_stored_is_served_at_once() {
    assert_eq!(served_after(DEFINITION, 0), Some(Duration::ZERO));
}

#[test]
fn a_definition_that_the_store_did_not_give_is_read_again() {
    let waited = served_after(DEFINITION, 3).unwrap();
    assert!(waited >= Duration::from_secs(15), "{waited:?}");
    assert!(waited <= Duration::from_secs(16), "{waited:?}");
}

#[test]
fn a_definition_that_says_nothing_is_not_read_for_ever() {
    assert_eq!(served_after("hunter2", 0), None);
}
