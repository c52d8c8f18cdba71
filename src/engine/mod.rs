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
//! What is here is dispatch, and then what is due. Each concern is a struct made for one call that
//! names what it may touch, so the inputs of every rule stand at its head.
//!
//! Modules in reading order: [`Input`] and [`Action`] are the vocabulary, `session` and
//! `discovery` the connection, `evidence` the one rule by which something is believed; `artifacts`
//! and `access` are what is believed; `lists` says when lists are read, `timers` what is waited
//! for; `durable` is what is stored, `writes` how; `status` says how it all stands.

mod access;
mod action;
mod artifacts;
mod backoff;
mod config;
mod digest;
mod discovery;
mod durable;
mod eviction;
mod evidence;
mod input;
mod invariants;
mod lists;
mod outbox;
mod session;
mod status;
mod timers;
mod writes;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use action::{Action, Request};
pub use artifacts::belief::{
    Answer, ArtifactBelief, ArtifactBeliefs, Certainty, Doubt, Intent, Presence, Withdrawal,
};
pub use artifacts::reconcile;
pub use config::Config;
pub use digest::StateDigest;
pub use durable::{Change, ObservedSet};
pub use input::{CloseReason, Failure, Input, Response, StoreFailure, UnreadableContent};
pub use status::report::{Anomalies, KindStatus, NameCounts, Status, StatusKind, SyncState};
pub use timers::Timer;

use access::belief::Access;
use access::events::AccessEvents;
use access::list::AccessList;
use access::lists::AccessLists;
use artifacts::Artifacts;
use artifacts::events::ArtifactEvents;
use artifacts::fetch::{self, FetchAnswers, Wanted};
use artifacts::list::ArtifactList;
use backoff::Jitter;
use discovery::Discovery;
use evidence::settled_at;
use lists::outcome::ListOutcome;
use lists::schedule::{ListId, Lists, Reading, Worth};
use outbox::{Awaited, Outbox};
use session::Session;
use status::{Since, StatusView};
use writes::Writes;

use crate::model::{
    ArtifactId, BasePath, BatchRoute, ControlPlane, Dialect, Event, KeyReading, Kind, Listing,
    Recovered, RequestId, SessionId,
};
use crate::time::Instant;

/// A gateway's sync engine.
#[derive(Clone, Debug)]
pub struct Engine {
    config: Config,
    jitter: Jitter,
    session: Session,
    discovery: Discovery,
    lists: Lists,
    artifacts: Artifacts,
    access: Access,
    observed: ObservedSet,
    writes: Writes,
    anomalies: Anomalies,
    since: Since,
    out: Outbox,
    /// What is waited for next, as of the last input.
    next_timer: Option<(Instant, Timer)>,
}

impl Engine {
    /// An engine that goes on from what a store held. `seed` feeds the jitter of delays and
    /// nothing else.
    ///
    /// Recovered rows are served at once (law 10). What they say counts as learnt now: when it
    /// was learnt is not durable, so contradicting reads wait `read_lag_max` to be believed.
    pub fn recover(config: Config, seed: u64, recovered: Recovered, now: Instant) -> Self {
        let beliefs = ArtifactBeliefs::recover(&recovered, now);
        let touched = beliefs.ids().cloned().collect();
        let mut engine = Self {
            jitter: Jitter::new(seed),
            session: Session::new(now),
            discovery: Discovery::new(&config, recovered.control_plane.clone()),
            lists: Lists::new(&config),
            artifacts: Artifacts { beliefs, touched, ..Artifacts::default() },
            access: Access::recover(&recovered, now),
            observed: ObservedSet::new(recovered),
            writes: Writes::new(now),
            anomalies: Anomalies::default(),
            since: Since::default(),
            out: Outbox::default(),
            next_timer: None,
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
                    self.session.renewed(session, now, self.config.lease);
                    self.watched(session, event, now);
                }
            }
            Input::Malformed(session, why) => {
                if self.session.id() == Some(session) {
                    self.session.renewed(session, now, self.config.lease);
                    self.malformed(&why, now);
                }
            }
            Input::Pinged(session) => self.session.renewed(session, now, self.config.lease),
            Input::Responded(id, response) => {
                if let Some(awaited) = self.out.answered(id) {
                    self.responded(id, awaited, response, now);
                }
            }
            Input::RequestFailed(id, failure) => {
                if let Some(awaited) = self.out.answered(id) {
                    self.request_failed(id, awaited, &failure, now);
                }
            }
            Input::Stored(write) => {
                if let Some(written) = self.observed.stored(write) {
                    self.artifacts.touched.extend(written);
                    self.writes.succeeded();
                }
            }
            Input::StoreFailed(write, StoreFailure::Unreadable(contents)) => {
                if self.observed.refused(write, &contents) {
                    let mut answers = self.fetch_answers(now, now);
                    contents.iter().for_each(|content| answers.unreadable(content));
                }
            }
            Input::StoreFailed(write, failure) => {
                if self.observed.failed(write) {
                    self.writes.failed(&failure, &self.config, &mut self.jitter, now);
                }
            }
        }
        self.advance(now);
    }

    /// A deadline passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        for id in self.out.overdue(now) {
            if let Some(awaited) = self.out.cancel(id) {
                self.request_failed(id, awaited, &Failure::TimedOut, now);
            }
        }
        for timer in [Timer::Dial, Timer::ConnectionAck, Timer::Lease] {
            if self.is_due(timer, now)
                && let Some(session) = self.session.id()
            {
                self.out.push(Action::CloseSession(session));
                self.session_ended(format!("{timer} passed"), now);
            }
        }
        self.advance(now);
    }

    /// The next thing to do.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.out.pop()
    }

    /// The next change to what is served, for whoever keeps a view of it; drain it together with
    /// the actions.
    pub fn poll_change(&mut self) -> Option<Change> {
        self.observed.poll_change()
    }

    /// When to call [`Engine::handle_timeout`] next, and what for.
    pub const fn poll_timeout(&self) -> Option<(Instant, Timer)> {
        self.next_timer
    }

    /// Notes what is waited for next. It stays the same until the next input.
    fn note_next_timer(&mut self) {
        let timers = Timer::ALL.into_iter();
        self.next_timer = timers.filter_map(|timer| Some((self.due_at(timer)?, timer))).min();
    }

    /// When something is due; `None` while it is not waited for.
    fn due_at(&self, timer: Timer) -> Option<Instant> {
        match timer {
            Timer::Dial | Timer::ConnectionAck | Timer::Lease | Timer::Reconnect => {
                self.session.deadline().filter(|(_, ends)| *ends == timer).map(|(at, _)| at)
            }
            Timer::Request => self.out.next_deadline(),
            Timer::Withdrawal => self.artifacts.beliefs.next_withdrawal(),
            Timer::Write => self.writes.due_at(&self.observed),
            Timer::List | Timer::Fetch | Timer::ExistenceCheck if !self.is_live() => None,
            Timer::List => self.lists.next_due(),
            Timer::Fetch => {
                let has_room = self.out.fetches() < self.config.fetches_in_flight_max;
                self.artifacts.queue.next_due().filter(|_| has_room)
            }
            Timer::ExistenceCheck => {
                let may_ask = self.discovery.has_existence_check() && !self.out.is_checking();
                let due = self.artifacts.existence.next_due(self.config.list_spacing);
                due.filter(|_| may_ask)
            }
        }
    }

    fn is_due(&self, timer: Timer, now: Instant) -> bool {
        self.due_at(timer).is_some_and(|due| due <= now)
    }

    /// What is durable and served.
    pub const fn observed(&self) -> &ObservedSet {
        &self.observed
    }

    /// What the control plane is believed to want.
    pub const fn desired(&self) -> &ArtifactBeliefs {
        &self.artifacts.beliefs
    }

    /// The artifacts whose newest definition cannot be read, so that the one before is held, with
    /// the reason.
    pub fn unreadable(&self) -> impl Iterator<Item = (&ArtifactId, &str)> {
        self.artifacts.queue.unreadable_ids()
    }

    /// What a request asked for, as long as its answer is awaited.
    pub fn awaited(&self, id: RequestId) -> Option<&Request> {
        self.out.request(id)
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
        self.discovery.dialect()
    }

    /// After how long a dead credential is refused at the latest while its list can be read
    /// (law 11). `None` where no list would tell.
    pub fn revocation_bound(&self) -> Option<Duration> {
        self.discovery.revocation_bound(&self.config)
    }

    /// The state of a kind. Cheap enough to call after every input.
    pub fn state(&self, kind: StatusKind) -> SyncState {
        self.status_view().state(kind)
    }

    /// The state of every kind. Cheap enough to call after every input.
    pub fn states(&self) -> impl Iterator<Item = (StatusKind, SyncState)> + use<> {
        StatusKind::ALL.into_iter().zip(self.status_view().states())
    }

    /// Whether a list that speaks of the kind is still to be read, or to be read again.
    pub fn awaits_lists(&self, kind: StatusKind) -> bool {
        self.status_view().awaits_lists(kind)
    }

    /// The whole status; `since` is as of the last input.
    pub fn status(&self) -> Status {
        self.status_view().status()
    }

    const fn status_view(&self) -> StatusView<'_> {
        StatusView {
            config: &self.config,
            session: &self.session,
            discovery: &self.discovery,
            lists: &self.lists,
            artifacts: &self.artifacts,
            access: &self.access,
            writes: &self.writes,
            anomalies: &self.anomalies,
            since: &self.since,
        }
    }

    /// Does everything that is due, in an order in which each step sees the effect of those
    /// before it.
    fn advance(&mut self, now: Instant) {
        if self.is_due(Timer::Reconnect, now) {
            self.connect(now);
        }
        self.artifacts.end_withdrawals(&self.config, now);
        self.reconcile(now);
        let gone_max = self.config.gone_max;
        let (artifacts, access) = (&mut self.artifacts, &mut self.access);
        self.anomalies.evicted +=
            eviction::evict_the_oldest(artifacts, access, &mut self.observed, gone_max);
        while self.is_due(Timer::Fetch, now) {
            self.launch_fetch(now);
        }
        if self.is_due(Timer::ExistenceCheck, now) {
            let due = self.artifacts.existence.due(now, self.config.batch_size_max);
            self.ask(Request::CheckExists(due), Vec::new(), now);
        }
        while let Some(list) = self.lists.due(now).filter(|_| self.is_live()) {
            let request = self.ask(list.request(), Vec::new(), now);
            self.lists.asked(&list, request, now);
        }
        if self.is_due(Timer::Write, now) {
            self.writes.flush(&mut self.observed, &self.config, &mut self.out);
        }
        self.send_acks();
        let states = self.status_view().states();
        self.since.note(states, now);
        self.note_next_timer();
        invariants::check(self, now);
    }

    /// Brings everything that was touched in line with what is believed of it.
    fn reconcile(&mut self, now: Instant) {
        let listed_at = self.lists.read_at(&ListId::Artifacts);
        for id in std::mem::take(&mut self.artifacts.touched) {
            self.artifacts.reconcile(&id, &mut self.observed, &self.config);
            if self.is_live() {
                self.artifacts.settle_acks(&id, &self.observed, &self.config, listed_at);
            }
            self.artifacts.recount(&id, &self.observed);
            let obsolete = self.access_lists(now).note_artifact(&id);
            self.cancel(obsolete);
        }
    }

    fn launch_fetch(&mut self, now: Instant) {
        let route = self.discovery.batch_route;
        let size_max = if route.is_some() { self.config.batch_size_max } else { 1 };
        let jobs = self.artifacts.queue.take_due(now, size_max);
        if let Some((request, wanted)) = fetch::request(jobs, route) {
            self.ask(request, wanted, now);
        }
    }

    /// Sends every ack that has become true.
    fn send_acks(&mut self) {
        let Some(session) = self.session.live() else { return };
        while let Some(ack) = self.artifacts.acks.pop_due() {
            self.out.push(Action::Ack(session, ack));
        }
    }

    fn ask(&mut self, request: Request, wanted: Vec<Wanted>, now: Instant) -> RequestId {
        let (base, timeout) = (self.discovery.base_or_probe(), self.config.request_timeout);
        self.out.ask(base, request, wanted, now, timeout)
    }

    fn cancel(&mut self, requests: impl IntoIterator<Item = RequestId>) {
        for request in requests {
            self.out.cancel(request);
        }
    }

    // The session.

    fn connect(&mut self, now: Instant) {
        if self.config.base.is_some() {
            self.dial(now);
            return;
        }
        let request = self.ask(Request::Discover, Vec::new(), now);
        self.session.discovering(request);
    }

    fn dial(&mut self, now: Instant) {
        let Some(base) = self.discovery.base.clone() else { return };
        let session = self.session.dial(now, self.config.ack_timeout);
        self.out.push(Action::OpenSession(session, base));
    }

    fn session_ended(&mut self, why: String, now: Instant) {
        self.session.ended(why, &self.config, &mut self.jitter, now);
    }

    /// Where the control plane serves is evidence for where to go, and is remembered for when
    /// discovery fails (law 13).
    fn discovered(&mut self, base: BasePath, now: Instant) {
        if let Some(found) = self.discovery.discovered(base) {
            self.observed.write_control_plane(found);
        }
        self.dial(now);
    }

    fn discovery_failed(&mut self, failure: &Failure, now: Instant) {
        if self.discovery.go_on() {
            self.dial(now);
        } else if *failure == Failure::RouteMissing && self.discovery.may_probe() {
            let (base, timeout) = (BasePath::platform_api(), self.config.request_timeout);
            let request = self.out.ask(base, Request::List, Vec::new(), now, timeout);
            self.session.discovering(request);
        } else {
            self.session_ended(format!("discovery failed: {failure}"), now);
        }
    }

    /// The session is established: watch first, list second (law 2). A list that is still on its
    /// way may have missed what happened between the sessions.
    fn acknowledged(&mut self, session: SessionId, now: Instant) {
        if !self.session.acknowledged(session, now, self.config.lease) {
            return;
        }
        self.artifacts.touched.extend(self.artifacts.acks.artifacts().cloned());
        self.discovery.batch_route = Some(BatchRoute::FetchBatch);
        let settled_at = settled_at(now, self.config.read_lag_max);
        let obsolete = self.lists.session_began(now, settled_at);
        self.cancel(obsolete);
        self.lists.read(&ListId::Artifacts, now, settled_at);
        self.lists.read(&ListId::Keys(Kind::RestApi), now, settled_at);
        self.access_lists(now).note_dialect();
    }

    // What arrives.

    /// An event arrived on the current session.
    fn watched(&mut self, session: SessionId, event: Event, now: Instant) {
        let names_max = self.config.names_max;
        match event {
            Event::ConnectionAck { .. } => self.acknowledged(session, now),
            Event::Deployed(head) => self.artifact_events(now).deployed(&head),
            Event::Undeployed(head) => self.artifact_events(now).undeployed(&head),
            Event::Deleted { artifact, kind, sent_at } => {
                self.artifact_events(now).deleted(&artifact, kind, sent_at);
            }
            Event::Changed(event) => self.access_events(now).changed(*event),
            Event::NotHeld { event_type } => {
                self.anomalies.events_not_held.count(&event_type, names_max);
            }
            Event::Unknown { event_type } => {
                self.anomalies.unknown_events.count(&event_type, names_max);
            }
        }
    }

    /// A frame that is no event: what it was meant to say is missed, and may have been about
    /// anything, so every list is wanted.
    fn malformed(&mut self, why: &str, now: Instant) {
        self.anomalies.malformed_frames += 1;
        tracing::warn!(%why, "a frame is not an event; every list is wanted");
        self.lists.relist_all(settled_at(now, self.config.read_lag_max));
    }

    /// A request was answered. An answer to another question is none: it is asked again.
    fn responded(&mut self, id: RequestId, awaited: Awaited, response: Response, now: Instant) {
        let asked_at = awaited.asked_at;
        match (&awaited.request, response) {
            (Request::Discover, Response::Discovered { base }) => self.discovered(base, now),
            (Request::List, Response::Listed(_)) if self.session.is_discovering(id) => {
                self.discovered(BasePath::platform_api(), now);
            }
            (Request::List, Response::Listed(listing)) => self.listed(&listing, asked_at, now),
            (Request::Fetch(..), Response::Fetched(content)) => {
                let mut answers = self.fetch_answers(asked_at, now);
                awaited.wanted.iter().for_each(|item| answers.fetched(item, content.clone()));
            }
            (Request::Fetch(..), Response::NotDeployed) => {
                let mut answers = self.fetch_answers(asked_at, now);
                awaited.wanted.iter().for_each(|item| answers.not_deployed(item));
            }
            (Request::FetchBatch(..), Response::Batch(packed)) => {
                self.fetch_answers(asked_at, now).batch_arrived(&awaited.wanted, packed);
            }
            (Request::CheckExists(asked), Response::Existence(answers)) => {
                let config = &self.config;
                self.artifacts.existence_answered(asked, &answers, asked_at, config, now);
            }
            (Request::ReadKeys(kind), Response::Keys(reading)) => {
                self.keys_read(*kind, reading, asked_at, now);
            }
            (Request::ReadSubscriptions(artifact), Response::Subscriptions(list)) => {
                let id = ListId::Subscriptions(artifact.clone());
                self.list_outcome(now).succeeded(&id, Worth::of(&list));
                self.access_list(asked_at, now).merge_subscriptions(artifact, list);
            }
            (Request::ReadPlans, Response::Plans(list)) => {
                self.list_outcome(now).succeeded(&ListId::Plans, Worth::of(&list));
                self.access_list(asked_at, now).merge_plans(list);
            }
            _ => {
                let failure = Failure::Malformed("an answer to another question".to_owned());
                self.request_failed(id, awaited, &failure, now);
            }
        }
    }

    fn request_failed(&mut self, id: RequestId, awaited: Awaited, failure: &Failure, now: Instant) {
        match &awaited.request {
            Request::Discover => self.discovery_failed(failure, now),
            Request::List if self.session.is_discovering(id) => {
                let why = format!("no well-known, and no Platform API either: {failure}");
                self.session_ended(why, now);
            }
            Request::Fetch(..) => {
                let mut answers = self.fetch_answers(awaited.asked_at, now);
                answers.failed(&awaited.wanted, None, failure);
            }
            Request::FetchBatch(route, _) => {
                let mut answers = self.fetch_answers(awaited.asked_at, now);
                answers.failed(&awaited.wanted, Some(*route), failure);
            }
            Request::CheckExists(asked) => {
                let half = self.config.backoff_max / 2;
                let retry_at = now.after(half + self.jitter.up_to(half));
                self.artifacts.existence.failed(asked, retry_at);
            }
            Request::List
            | Request::ReadKeys(_)
            | Request::ReadSubscriptions(_)
            | Request::ReadPlans => {
                if let Some(list) = ListId::of(&awaited.request) {
                    self.list_outcome(now).failed(&list, failure);
                }
            }
        }
    }

    // Lists.

    /// A list of artifacts was read.
    fn listed(&mut self, listing: &Listing, asked_at: Instant, now: Instant) {
        let unusable = self.anomalies.note_list(listing, self.config.names_max);
        let worth = Worth::of_listing(listing, unusable);
        let reading = self.list_outcome(now).succeeded(&ListId::Artifacts, worth);
        // A damaged list is no evidence of what its rows are usually like (law 13).
        let has_state = listing.has_state.filter(|_| listing.is_complete());
        if let Some(found) = self.discovery.learn(has_state) {
            self.remember(found, now);
        }
        let (config, artifacts, lists) = (&self.config, &mut self.artifacts, &mut self.lists);
        let undeployed =
            ArtifactList { config, artifacts, lists, asked_at, now }.merge(listing, reading);
        self.question_existence(undeployed, reading, now);
    }

    fn remember(&mut self, found: ControlPlane, now: Instant) {
        self.observed.write_control_plane(found);
        self.access_lists(now).note_dialect();
    }

    /// What is held and undeployed and on no list may not exist any more. Periodic lists and the
    /// first one of a session ask.
    fn question_existence(&mut self, undeployed: Vec<ArtifactId>, reading: Reading, now: Instant) {
        if !self.discovery.has_existence_check() {
            self.artifacts.touched.extend(self.artifacts.existence.drop_all());
            return;
        }
        if reading.is_periodic || reading.is_first {
            let is_held = |id: &ArtifactId| self.observed.latest_row(id).is_some();
            for id in undeployed.into_iter().filter(is_held) {
                self.artifacts.existence.want(&id, now);
            }
        }
    }

    /// A key list was read, or what stands in for one.
    fn keys_read(&mut self, kind: Kind, reading: KeyReading, asked_at: Instant, now: Instant) {
        let id = ListId::Keys(kind);
        match reading {
            // GA answers with the list of APIs: it has no key list, and none of this is one. From
            // a control plane that has one it is an answer gone wrong.
            KeyReading::ApiList if self.discovery.has_key_list() => {
                let failure = Failure::Malformed("a list of APIs in place of keys".to_owned());
                self.list_outcome(now).failed(&id, &failure);
            }
            KeyReading::ApiList => self.lists.absent(&id),
            KeyReading::Keys(list) => {
                self.list_outcome(now).succeeded(&id, Worth::of(&list));
                self.access_list(asked_at, now).merge_keys(kind, list);
            }
        }
    }

    // The concerns, each with what it may touch.

    const fn artifact_events(&mut self, now: Instant) -> ArtifactEvents<'_> {
        let Self { config, artifacts, lists, .. } = self;
        ArtifactEvents { config, artifacts, lists, now }
    }

    const fn fetch_answers(&mut self, asked_at: Instant, now: Instant) -> FetchAnswers<'_> {
        let Self { config, jitter, discovery, artifacts, lists, observed, .. } = self;
        FetchAnswers { config, jitter, discovery, artifacts, lists, observed, asked_at, now }
    }

    const fn access_events(&mut self, now: Instant) -> AccessEvents<'_> {
        let Self { config, artifacts, access, lists, observed, anomalies, .. } = self;
        AccessEvents { config, artifacts, access, lists, observed, anomalies, now }
    }

    const fn access_list(&mut self, asked_at: Instant, now: Instant) -> AccessList<'_> {
        let Self { config, discovery, artifacts, access, lists, observed, .. } = self;
        AccessList { config, discovery, artifacts, access, lists, observed, asked_at, now }
    }

    const fn list_outcome(&mut self, now: Instant) -> ListOutcome<'_> {
        let Self { config, jitter, discovery, artifacts, access, lists, .. } = self;
        ListOutcome { config, jitter, discovery, artifacts, access, lists, now }
    }

    const fn access_lists(&mut self, now: Instant) -> AccessLists<'_> {
        let Self { config, discovery, artifacts, access, lists, observed, .. } = self;
        AccessLists { config, discovery, artifacts, access, lists, observed, now }
    }
}
