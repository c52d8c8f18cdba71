//! A gateway's machine: its clock, its disk, and the production shell on them.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use driftless_gateway::publish::{Done, Job};
use driftless_gateway::shell::config::{Endpoint, Limits, Timeouts};
use driftless_gateway::shell::{Clock, Gateway, Parts, Storage, TokenSource, Transport};
use driftless_gateway::time::{Instant, Timestamp};
use tokio::time::sleep_until;

use super::Shared;
use super::link::Link;
use super::stream::WireDial;
use super::watched::Watched;
use crate::apim::wall_clock;
use crate::story::aim::GatewayIndex;

/// Where APIM listens, and under which name.
pub(super) const APIM: (&str, u16) = ("apim", 9443);

/// What a gateway process finds on its machine each time it starts.
#[derive(Clone)]
pub(super) struct Machine {
    /// The world that it is in.
    pub(super) world: Shared,
    /// Which gateway it is.
    pub(super) gateway: GatewayIndex,
    /// Its network.
    pub(super) link: Link,
    /// The token that its operator gave it.
    pub(super) token: TokenSource,
}

/// Runs a gateway process until its machine stops it.
///
/// # Errors
/// What keeps the shell from being made.
pub(super) async fn run(machine: Machine) -> turmoil::Result {
    let Machine { world, gateway, link, token } = machine;
    if !world.borrow_mut().begin_process(gateway, now()) {
        // The world starts another process.
        return Ok(());
    }
    let (host, port) = APIM;
    let endpoint = Endpoint { is_encrypted: false, host: host.to_owned(), port };
    let timeouts = Timeouts::recommended();
    let snapshots = Rc::new(RefCell::new(None));
    let driver = Watched { world: Rc::clone(&world), gateway, snapshots: Rc::clone(&snapshots) };
    let shell = Gateway::new(Parts {
        transport: Transport::new(WireDial(link), endpoint, None, &timeouts)?,
        token,
        clock: HostClock,
        storage: LateStorage { world, gateway, waiting: VecDeque::new() },
        driver,
        limits: Limits::recommended(),
        timeouts,
        warnings: Vec::new(),
    });
    *snapshots.borrow_mut() = Some(shell.snapshots());
    shell.run(std::future::pending()).await;
    Ok(())
}

/// What the clock of the machine shows on which this is called.
pub(super) fn now() -> Instant {
    Instant::START.after(turmoil::sim_elapsed().unwrap_or_default())
}

/// The clock of a simulated machine.
struct HostClock;

impl Clock for HostClock {
    fn now(&self) -> Instant {
        now()
    }

    fn wall(&self) -> Timestamp {
        wall_clock(now())
    }
}

/// The store of a gateway, as the world keeps it, on a disk that takes its time.
struct LateStorage {
    world: Shared,
    gateway: GatewayIndex,
    waiting: VecDeque<(tokio::time::Instant, Job)>,
}

impl Storage for LateStorage {
    fn submit(&mut self, job: Job) {
        let now = tokio::time::Instant::now();
        let due = match &job {
            Job::Commit(write, _) => now + self.world.borrow_mut().write_time(self.gateway, *write),
            Job::Read(_) => now,
        };
        self.waiting.push_back((due, job));
    }

    async fn done(&mut self) -> Option<Done> {
        let Some((due, _)) = self.waiting.front() else { return std::future::pending().await };
        sleep_until(*due).await;
        let (_, job) = self.waiting.pop_front()?;
        Some(self.world.borrow_mut().carry_out(self.gateway, job, now()))
    }
}
