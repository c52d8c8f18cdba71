//! The sans-IO core: inputs in, actions out, a deadline polled.
//!
//! ```text
//!   frames, answers ──► ┌────────┐ ──► requests, acks
//!   stored, failed  ──► │ Engine │ ──► writes
//!   now             ──► └────────┘ ──► next deadline
//! ```
//!
//! **After every `handle` or `handle_timeout`, drain `poll_action` to `None`, then read
//! `poll_timeout`.** The engine cannot fail: failures are inputs. It reads no clock, draws from
//! no global generator and touches no socket and no file.
//!
//! Modules in reading order: [`Input`] and [`Action`] are the vocabulary; `session` holds the
//! connection; `watch` and `ending` turn events into beliefs, `merge` turns lists into beliefs, `fetch` and
//! `existence` ask about single artifacts; `desired` and `observed` are the two sets,
//! [`reconcile`] the pure comparison; `queue`, `ack` and `standing` are the books kept.

mod access;
mod action;
mod artifacts;
mod backoff;
mod config;
mod digest;
mod durable;
mod eviction;
mod input;
mod invariants;
mod lists;
mod session;
mod status;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub use action::{Action, Request};
pub use config::Config;
pub use digest::StateDigest;

pub use artifacts::belief::{Desired, DesiredSet, Doubt, Intent, PendingEnding};
pub use artifacts::reconcile;
pub use durable::{Change, ObservedSet};
pub use input::{CloseReason, Failure, Input, Response, StoreFailure};
pub use status::report::{KindStatus, NameCounts, ResourceKind, Status, Surfaced, SyncState};

use access::Roster;
use artifacts::acks::AckLedger;
use artifacts::fetch::Wanted;
use artifacts::fetch_queue::FetchQueue;
use backoff::Jitter;
use lists::schedule::{ListId, Lists};
use session::{Phase, Session};
use status::Since;
use status::counts::ArtifactCounts;

use crate::model::{
    ArtifactId, BasePath, BatchRoute, ControlPlane, DeployState, Dialect, Kind, Recovered,
    RequestId, SessionId, WriteId,
};
use crate::time::Instant;

/// A question that was asked and not yet answered.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Awaited {
    what: Asked,
    asked_at: Instant,
    deadline: Instant,
}

/// What was asked.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Asked {
    Discover,
    /// Whether the Platform API answers where no well-known is served.
    Probe,
    List(ListId),
    /// Alone, or as a batch by this route.
    Fetch(Vec<Wanted>, Option<BatchRoute>),
    Exists(Vec<ArtifactId>),
}

/// A gateway's sync engine.
#[derive(Clone, Debug)]
pub struct Engine {
    config: Config,
    jitter: Jitter,
    session: Session,
    base: Option<BasePath>,
    batch_route: Option<BatchRoute>,
    lists: Lists,
    lists_merged: u64,
    /// The artifact up to which definitions were read again in this round.
    scrubbed: Option<ArtifactId>,
    desired: DesiredSet,
    observed: ObservedSet,
    queue: FetchQueue,
    existence: BTreeMap<ArtifactId, Instant>,
    roster: Roster,
    acks: AckLedger,
    artifact_counts: ArtifactCounts,
    since: Since,
    surfaced: Surfaced,
    requests: BTreeMap<RequestId, Awaited>,
    next_request: u64,
    next_write: u64,
    write_failures: u32,
    write_failure: Option<String>,
    write_retry_at: Instant,
    touched: BTreeSet<ArtifactId>,
    actions: VecDeque<Action>,
}

impl Engine {
    /// An engine that goes on from what a store held. `seed` feeds the jitter of delays and
    /// nothing else.
    ///
    /// Recovered rows are served at once (law 10). What they say counts as learnt now: when it
    /// was learnt is not durable, so contradicting reads wait `read_lag_max` to be believed.
    pub fn recover(config: Config, seed: u64, recovered: Recovered, now: Instant) -> Self {
        let mut desired = DesiredSet::default();
        for (id, row) in &recovered.rows {
            let intent = match row.state {
                DeployState::Deployed => Intent::Deployed,
                DeployState::Undeployed => Intent::Undeployed,
            };
            let mut known = Desired::new(row.kind, intent, row.generation.clone(), now);
            known.read_at = row.held.map(|_| now);
            desired.insert(id.clone(), known);
        }
        for (id, tombstone) in &recovered.tombstones {
            let mut generation = tombstone.generation.clone();
            generation.performed_at = tombstone.deleted_at;
            let kind = Kind::RestApi;
            desired.insert(id.clone(), Desired::new(kind, Intent::Deleted, generation, now));
        }
        let touched = desired.ids().cloned().collect();
        let base = config.base.clone();
        let roster = Roster::recover(&recovered, now);
        let mut engine = Self {
            jitter: Jitter::new(seed),
            session: Session::new(now),
            base,
            batch_route: Some(BatchRoute::FetchBatch),
            lists: Lists::new(&config),
            lists_merged: 0,
            scrubbed: None,
            desired,
            observed: ObservedSet::new(recovered),
            queue: FetchQueue::default(),
            existence: BTreeMap::new(),
            roster,
            acks: AckLedger::default(),
            artifact_counts: ArtifactCounts::default(),
            since: Since::default(),
            surfaced: Surfaced::default(),
            requests: BTreeMap::new(),
            next_request: 0,
            next_write: 0,
            write_failures: 0,
            write_failure: None,
            write_retry_at: now,
            touched,
            actions: VecDeque::new(),
            config,
        };
        engine.advance(now);
        engine
    }

    /// Something happened.
    pub fn handle(&mut self, input: Input, now: Instant) {
        match input {
            Input::SessionOpened(session) => {
                self.session.opened(session, now, self.config.ack_timeout);
            }
            Input::SessionClosed(session, reason) => {
                if self.session.id() == Some(session) {
                    self.session_ended(reason.to_string(), now);
                }
            }
            Input::Watched(session, event) => {
                if self.session.id() == Some(session) {
                    self.watched(session, event, now);
                }
            }
            Input::Malformed(session, why) => {
                if self.session.id() == Some(session) {
                    self.malformed(session, &why, now);
                }
            }
            Input::Pinged(session) => self.session.renewed(session, now, self.config.lease),
            Input::Responded(request, response) => self.responded(request, response, now),
            Input::RequestFailed(request, failure) => {
                if let Some(awaited) = self.requests.remove(&request) {
                    self.request_failed(awaited.what, &failure, now);
                }
            }
            Input::Stored(write) => self.stored(write),
            Input::StoreFailed(write, failure) => self.store_failed(write, &failure, now),
        }
        self.advance(now);
    }

    /// A deadline passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.expire_requests(now);
        if let Some((deadline, what)) = self.session.deadline()
            && deadline <= now
            && let Some(session) = self.session.id()
        {
            self.actions.push_back(Action::CloseSession(session));
            self.session_ended(format!("{what} passed"), now);
        }
        self.advance(now);
    }

    /// The next thing to do.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The next thing that may be in force in another form than before, for who keeps a view of
    /// it; drain it together with the actions.
    pub fn poll_change(&mut self) -> Option<Change> {
        self.observed.poll_change()
    }

    /// When to call [`Engine::handle_timeout`] next, and what for.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let live = self.session.live().is_some();
        let request = self.requests.values().map(|awaited| awaited.deadline).min();
        let writes = (self.observed.has_waiting() && !self.observed.is_writing())
            .then_some(self.write_retry_at);
        let room = self.has_room_for_fetches();
        [
            self.session.deadline(),
            request.map(|at| (at, "request timeout")),
            self.desired.next_grace().map(|at| (at, "undeploy grace")),
            writes.map(|at| (at, "write retry")),
            self.queue.next_due().filter(|_| live && room).map(|at| (at, "fetch")),
            self.existence_due().filter(|_| live).map(|at| (at, "existence check")),
            self.lists.next_due().filter(|_| live).map(|at| (at, "list")),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// What is durable and served.
    pub const fn observed(&self) -> &ObservedSet {
        &self.observed
    }

    /// What the control plane is believed to want.
    pub const fn desired(&self) -> &DesiredSet {
        &self.desired
    }

    /// The limits and intervals in force.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Whether the session is established.
    pub const fn is_live(&self) -> bool {
        self.session.live().is_some()
    }

    /// The dialect, as far as it is pinned or was found.
    pub fn dialect(&self) -> Option<Dialect> {
        let found = self.observed.latest_control_plane().and_then(|found| found.dialect);
        self.config.dialect.or(found)
    }

    /// Does everything that is due, in an order in which each step sees the effect of those
    /// before it.
    fn advance(&mut self, now: Instant) {
        self.advance_session(now);
        self.end_graces(now);
        let listed_at = self.lists.read_at(&ListId::Artifacts);
        for id in std::mem::take(&mut self.touched) {
            self.reconcile(&id);
            if let Some(desired) = self.desired.get(&id).filter(|_| self.is_live()) {
                let durable = self.observed.durable().rows.get(&id);
                self.acks.settle(&id, desired, durable, listed_at);
            }
            self.recount(&id);
            self.note_artifact(&id, now);
        }
        self.forget_the_oldest();
        if self.is_live() {
            self.launch_fetches(now);
            self.launch_existence(now);
            self.launch_lists(now);
        }
        self.flush(now);
        self.send_acks();
        self.note_states(now);
        self.check();
    }

    fn advance_session(&mut self, now: Instant) {
        let Phase::Backoff { until } = *self.session.phase() else { return };
        if until > now {
            return;
        }
        if self.config.base.is_some() {
            self.dial(now);
            return;
        }
        let request = self.ask(Request::Discover, Asked::Discover, now);
        self.session.discovering(request);
    }

    fn dial(&mut self, now: Instant) {
        let Some(base) = self.base.clone() else { return };
        let session = self.session.dial(now, self.config.ack_timeout);
        self.actions.push_back(Action::OpenSession(session, base));
    }

    fn session_ended(&mut self, why: String, now: Instant) {
        self.session.ended(why, &self.config, &mut self.jitter, now);
    }

    /// The session is established: watch first, list second (law 2). A list that is still on its
    /// way may have missed what happened between the sessions.
    fn acknowledged(&mut self, session: SessionId, now: Instant) {
        if !self.session.acknowledged(session, now, self.config.lease) {
            return;
        }
        self.touched.extend(self.acks.artifacts().cloned());
        self.batch_route = Some(BatchRoute::FetchBatch);
        self.begin_lists(now);
    }

    /// A frame that is no event: what it was meant to say is missed, and may have been about
    /// anything, so every list is wanted.
    fn malformed(&mut self, session: SessionId, why: &str, now: Instant) {
        self.session.renewed(session, now, self.config.lease);
        self.surfaced.malformed_frames += 1;
        tracing::warn!(%why, "a frame is not an event; every list is wanted");
        self.lists.relist_all(now.after(self.config.read_lag_max));
    }

    fn ask(&mut self, request: Request, what: Asked, now: Instant) -> RequestId {
        self.next_request += 1;
        let id = RequestId(self.next_request);
        let base = match (&what, &self.base) {
            (Asked::Probe, _) | (_, None) => BasePath::platform_api(),
            (_, Some(base)) => base.clone(),
        };
        let deadline = now.after(self.config.request_timeout);
        self.requests.insert(id, Awaited { what, asked_at: now, deadline });
        self.actions.push_back(Action::Request(id, base, request));
        id
    }

    fn expire_requests(&mut self, now: Instant) {
        let expired: Vec<RequestId> = self
            .requests
            .iter()
            .filter(|(_, awaited)| awaited.deadline <= now)
            .map(|(id, _)| *id)
            .collect();
        for id in expired {
            if let Some(awaited) = self.requests.remove(&id) {
                self.actions.push_back(Action::Cancel(id));
                self.request_failed(awaited.what, &Failure::TimedOut, now);
            }
        }
    }

    /// An answer to another question is none: it is asked again.
    fn responded(&mut self, request: RequestId, response: Response, now: Instant) {
        let Some(Awaited { what, asked_at, .. }) = self.requests.remove(&request) else { return };
        match (what, response) {
            (Asked::Discover, Response::Discovered { base }) => self.discovered(base, now),
            (Asked::Probe, Response::Listed(_)) => {
                self.discovered(BasePath::platform_api(), now);
            }
            (Asked::Fetch(wanted, _), Response::Fetched(content)) => {
                for item in &wanted {
                    self.fetched(item, content.clone(), asked_at, now);
                }
            }
            (Asked::Fetch(wanted, _), Response::NotDeployed) => {
                for item in &wanted {
                    self.not_deployed(item, asked_at, now);
                }
            }
            (Asked::Fetch(wanted, _), Response::Batch(packed)) => {
                self.batch_arrived(&wanted, packed, asked_at, now);
            }
            (Asked::Exists(asked), Response::Existence(answers)) => {
                self.existence_answered(&asked, &answers, asked_at, now);
            }
            (Asked::List(id), response) => self.list_answered(&id, response, asked_at, now),
            (what, _) => {
                let failure = Failure::Malformed("an answer to another question".to_owned());
                self.request_failed(what, &failure, now);
            }
        }
    }

    /// Where the control plane serves is evidence for where to go, and is remembered for when
    /// discovery fails (law 13).
    fn discovered(&mut self, base: BasePath, now: Instant) {
        if !matches!(self.session.phase(), Phase::Discovering(_)) {
            return;
        }
        let known = self.observed.latest_control_plane();
        if known.is_none_or(|known| known.base != base) {
            let found = ControlPlane { base: base.clone(), dialect: None };
            self.observed.write_control_plane(found);
        }
        self.base = Some(base);
        self.dial(now);
    }

    fn request_failed(&mut self, what: Asked, failure: &Failure, now: Instant) {
        match what {
            Asked::Discover => self.discovery_failed(failure, now),
            Asked::Probe => {
                let why = format!("no well-known, and no Platform API either: {failure}");
                self.session_ended(why, now);
            }
            Asked::Fetch(wanted, route) => self.fetch_failed(&wanted, route, failure, now),
            Asked::Exists(asked) => self.existence_failed(&asked, now),
            Asked::List(id) => self.list_failed(&id, failure, now),
        }
    }

    /// A failed well-known proves nothing (C-H13): what was found before goes on. Where nothing
    /// was, the Platform API is asked for evidence of itself.
    fn discovery_failed(&mut self, failure: &Failure, now: Instant) {
        let known = self.observed.latest_control_plane().map(|known| known.base.clone());
        let is_platform = self.config.dialect == Some(Dialect::PlatformApi11);
        if let Some(base) = known.or_else(|| is_platform.then(BasePath::platform_api)) {
            self.base = Some(base);
            self.dial(now);
        } else if *failure == Failure::RouteMissing && self.config.dialect.is_none() {
            let request = self.ask(Request::List, Asked::Probe, now);
            self.session.discovering(request);
        } else {
            self.session_ended(format!("discovery failed: {failure}"), now);
        }
    }

    fn flush(&mut self, now: Instant) {
        if self.observed.is_writing() || !self.observed.has_waiting() || self.write_retry_at > now {
            return;
        }
        self.next_write += 1;
        let id = WriteId(self.next_write);
        let batch = self.observed.begin(id, self.config.write_size_max);
        self.actions.push_back(Action::Store(id, batch));
    }

    fn stored(&mut self, write: WriteId) {
        self.touched.extend(self.observed.stored(write));
        self.write_failures = 0;
        self.write_failure = None;
    }

    fn store_failed(&mut self, write: WriteId, failure: &StoreFailure, now: Instant) {
        if !self.observed.failed(write) {
            return;
        }
        self.write_failures += 1;
        let delay = self.jitter.backoff(
            self.write_failures,
            self.config.backoff_min,
            self.config.backoff_max,
        );
        self.write_retry_at = now.after(delay);
        self.write_failure = Some(failure.to_string());
    }

    /// Sends every ack that has become true.
    fn send_acks(&mut self) {
        let Some(session) = self.session.live() else { return };
        while let Some(ack) = self.acks.pop_due() {
            self.actions.push_back(Action::Ack(session, ack));
        }
    }
}
