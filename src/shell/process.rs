//! A gateway as a process: signals, sockets, the store's file, and how it ends.

use std::hash::{BuildHasher, RandomState};
use std::io;

use tokio::net::TcpListener;
use tokio::task::{LocalSet, spawn_local};

use super::clock::{Clock, SystemClock};
use super::config::{Settings, Trust};
use super::gateway::{Ended, Gateway, Parts};
use super::management;
use super::storage::ThreadedStorage;
use super::transport::{TcpDial, Transport};
use super::{ExitStatus, StoreFile, logging, tls};
use crate::driver::Driver;
use crate::engine::Engine;
use crate::model::Recovered;
use crate::publish::{DEFINITIONS_MAX, StoreWorker};
use crate::store::{RedbStore, Store, StoreError};
use crate::wire::ArchiveLimits;

/// Checks what settings alone do not tell: that there are authorities to trust.
///
/// # Errors
/// What is wrong and what to do about it.
pub fn check(settings: &Settings) -> Result<(), String> {
    transport(settings).map(|_| ())
}

/// Runs a gateway until it is told to stop.
///
/// # Errors
/// Why it could not start, and what to do about it.
pub fn run(settings: Settings) -> Result<ExitStatus, String> {
    logging::start(settings.log).map_err(|error| error.to_string())?;
    logging::end_on_panic();
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    let transport = transport(&settings)?;
    let (store, recovered) = open_store(&settings)?;
    let worker = StoreWorker::new(DEFINITIONS_MAX).with_limits(settings.limits.definition);
    let storage =
        ThreadedStorage::start(store, worker).map_err(|error| format!("no thread: {error}"))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    let local = LocalSet::new();
    runtime.block_on(local.run_until(live(settings, transport, storage, recovered)))
}

fn transport(settings: &Settings) -> Result<Transport<TcpDial>, String> {
    let endpoint = settings.endpoint.clone();
    let tls = match endpoint.is_encrypted {
        true => Some(tls::client_config(&settings.trust)?),
        false => None,
    };
    Transport::new(TcpDial, endpoint, tls, &settings.timeouts).map_err(|error| error.to_string())
}

type FileStore = RedbStore<StoreFile>;

fn open_store(settings: &Settings) -> Result<(FileStore, Recovered), String> {
    let path = &settings.store;
    let mut store = RedbStore::new(StoreFile::new(path.clone()));
    let recovered = store.recover().map_err(|error| match error {
        // The path is part of it already.
        StoreError::Io(problem) => format!("the store cannot be used: {problem}"),
        other => format!("the store {} cannot be used: {other}", path.display()),
    })?;
    Ok((store, recovered))
}

async fn live(
    settings: Settings,
    transport: Transport<TcpDial>,
    storage: ThreadedStorage,
    recovered: Recovered,
) -> Result<ExitStatus, String> {
    let listen = settings.management.listen;
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| format!("cannot listen on {listen} (management.listen): {error}"))?;
    let signals = Signals::new().map_err(|error| format!("no signals: {error}"))?;
    let address = listener.local_addr().map_or(listen, |address| address);
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        control_plane = %settings.endpoint,
        store = %settings.store.display(),
        management = %address,
        verified = settings.trust != Trust::Anything && settings.endpoint.is_encrypted,
        artifacts = recovered.rows.len(),
        resources = recovered.resources.len(),
        "started"
    );
    let clock = SystemClock::start();
    let seed = RandomState::new().hash_one("jitter");
    let engine = Engine::recover(settings.engine, seed, recovered, clock.now());
    let gateway = Gateway::new(Parts {
        transport,
        token: settings.token,
        clock,
        storage,
        driver: Driver::new(engine, ArchiveLimits::recommended()),
        limits: settings.limits,
        timeouts: settings.timeouts,
        warnings: settings.warnings,
    });
    let management = settings.management;
    let (connections_max, timeout) = (management.connections_max, management.timeout);
    let pages =
        spawn_local(management::serve(listener, gateway.handle(), connections_max, timeout));
    let ended = gateway.run(signals.first()).await;
    pages.abort();
    match ended {
        Ended::Stopped => {
            tracing::info!("stopped");
            Ok(ExitStatus::Done)
        }
        Ended::StorageGone => {
            tracing::error!("the thread of the store has ended");
            Ok(ExitStatus::Failed)
        }
    }
}

/// What tells this process to stop.
#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { terminate, interrupt })
    }

    async fn next(&mut self) {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// The first signal. From then on the next one ends the process at once.
    async fn first(mut self) {
        self.next().await;
        spawn_local(async move {
            self.next().await;
            tracing::warn!("stopped at once by a second signal");
            std::process::exit(i32::from(ExitStatus::Forced as u8));
        });
    }
}

/// What tells this process to stop.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    /// The first signal. From then on the next one ends the process at once.
    async fn first(self) {
        let _heard = tokio::signal::ctrl_c().await;
        spawn_local(async move {
            let _heard = tokio::signal::ctrl_c().await;
            std::process::exit(i32::from(ExitStatus::Forced as u8));
        });
    }
}
