//! The loop: one driver, one store, and everything between them and the machine.
//!
//! One task owns the [`Driver`](crate::driver::Driver). Whatever happens comes to it, one thing
//! after the other; after each the next snapshot is published, then what the engine wants is
//! carried out, so an ack leaves after what it acks is durable and shown (law 8). The loop decides
//! nothing about resources. It is generic over who dials, what time it is, who does the store's
//! work and who is driven: the wire world runs this very code. Its selects are biased and its
//! tasks local, so a run of it depends on nothing but what happens.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinHandle, spawn_local};
use tokio::time::{sleep, timeout};

use super::client::HttpClient;
use super::clock::Clock;
use super::config::{Limits, Timeouts};
use super::counters::Counters;
use super::drive::Drive;
use super::inbox::Happened;
use super::management::{Page, PageAnswer, Scene};
use super::session::{FRAMES_BYTES_MAX, Order, SessionTask};
use super::storage::Storage;
use super::token::{Credentials, TokenSource};
use super::transport::{Dial, Transport};
use super::watch::StateWatch;
use crate::driver::{Inbound, Outbound};
use crate::engine::{CloseReason, StoreFailure, UnreadableContent};
use crate::model::{RequestId, SessionId, WriteId};
use crate::publish::{Done, Job, Publisher, StoredDefinition};
use crate::runtime::Snapshot;
use crate::time::Instant;
use crate::wire::{HttpRequest, HttpResponse};

/// How much may wait for the loop; then sockets are not read (law 15).
const INBOX: usize = 1024;

/// How many acks may wait for the socket; then the session is given up (law 15).
const OUTBOX: usize = 10_000;

/// How many questions may wait for the loop.
const QUESTIONS: usize = 64;

/// After how many turns a question is answered even while more happens.
const TURNS_PER_QUESTION: u64 = 16;

/// A question to the loop, and where its answer goes.
struct Question {
    page: Page,
    answer: oneshot::Sender<PageAnswer>,
}

/// Asks a running gateway.
#[derive(Clone)]
pub struct Handle {
    questions: mpsc::Sender<Question>,
}

impl Handle {
    /// The page as it is now; `None` when the gateway does not answer any more.
    pub async fn ask(&self, page: Page) -> Option<PageAnswer> {
        let (answer, answered) = oneshot::channel();
        self.questions.send(Question { page, answer }).await.ok()?;
        answered.await.ok()
    }
}

/// What a gateway is made of.
pub struct Parts<D, C, S, R> {
    /// How the control plane is reached.
    pub transport: Transport<D>,
    /// Where the token comes from.
    pub token: TokenSource,
    /// What time it is.
    pub clock: C,
    /// Who does the store's work.
    pub storage: S,
    /// The driver, whose engine goes on from what the store held.
    pub driver: R,
    /// How much may come in.
    pub limits: Limits,
    /// How long the steps of an exchange may take.
    pub timeouts: Timeouts,
    /// What an operator should know; part of every status.
    pub warnings: Vec<String>,
}

/// Why a gateway ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// It was asked to.
    Stopped,
    /// The thread of the store has ended.
    StorageGone,
}

struct Live {
    id: SessionId,
    orders: mpsc::Sender<Order>,
    task: JoinHandle<()>,
}

struct Exchange {
    task: AbortHandle,
    name: &'static str,
}

/// A gateway process without its process.
pub struct Gateway<D: Dial, C, S, R> {
    driver: R,
    publisher: Publisher,
    /// Tells data planes of each snapshot.
    published: watch::Sender<Snapshot>,
    clock: C,
    storage: S,
    http: Rc<HttpClient<D>>,
    transport: Transport<D>,
    credentials: Rc<Credentials>,
    limits: Limits,
    timeouts: Timeouts,
    session: Option<Live>,
    requests: BTreeMap<RequestId, Exchange>,
    committing: Option<(WriteId, Instant)>,
    tell: mpsc::Sender<Happened>,
    happened: mpsc::Receiver<Happened>,
    /// Room for the bytes of frames that wait.
    frames: Arc<Semaphore>,
    ask: mpsc::Sender<Question>,
    questions: mpsc::Receiver<Question>,
    counters: Counters,
    watch: StateWatch,
    warnings: Vec<String>,
    turns: u64,
    arrivals: Arrivals,
}

/// When events arrived that are not durable yet, to tell how long that took.
#[derive(Default)]
struct Arrivals {
    /// Told to the engine, and in no write yet.
    waiting: Vec<Instant>,
    /// In the write that is going on.
    writing: Vec<Instant>,
    /// In a write that is durable; to be shown.
    written: Vec<Instant>,
}

impl<D: Dial, C: Clock, S: Storage, R: Drive> Gateway<D, C, S, R> {
    /// A gateway that goes on from what its driver knows.
    pub fn new(parts: Parts<D, C, S, R>) -> Self {
        let Parts { transport, clock, storage, driver, limits, timeouts, .. } = parts;
        let credentials = Rc::new(Credentials::new(parts.token));
        let http = HttpClient::new(transport.clone(), Rc::clone(&credentials), limits, timeouts);
        let is_recovered = driver.look(|engine| !engine.observed().durable().rows.is_empty());
        let watch = StateWatch::new(is_recovered);
        let (tell, happened) = mpsc::channel(INBOX);
        let (ask, questions) = mpsc::channel(QUESTIONS);
        Self {
            driver,
            publisher: Publisher::default(),
            published: watch::Sender::default(),
            clock,
            storage,
            http: Rc::new(http),
            transport,
            credentials,
            limits,
            timeouts,
            session: None,
            requests: BTreeMap::new(),
            committing: None,
            tell,
            happened,
            frames: Arc::new(Semaphore::new(FRAMES_BYTES_MAX)),
            ask,
            questions,
            counters: Counters::default(),
            watch,
            warnings: parts.warnings,
            turns: 0,
            arrivals: Arrivals::default(),
        }
    }

    /// Asks this gateway while it runs.
    pub fn handle(&self) -> Handle {
        Handle { questions: self.ask.clone() }
    }

    /// What a data plane serves by: each snapshot that comes into force.
    pub fn snapshots(&self) -> watch::Receiver<Snapshot> {
        self.published.subscribe()
    }

    /// Runs until `stop` is ready, and then ends within the bound: a write in flight is waited
    /// for and the session closed. Must run within a `LocalSet`.
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> Ended {
        let mut stop = pin!(stop);
        loop {
            self.settle();
            self.turns += 1;
            if self.turns.is_multiple_of(TURNS_PER_QUESTION)
                && let Ok(question) = self.questions.try_recv()
            {
                self.answer(question);
            }
            let now = self.clock.now();
            let wait = self.next_due().map(|due| due.since(now));
            tokio::select! {
                biased;
                () = &mut stop => break,
                done = self.storage.done() => match done {
                    Some(done) => self.done(done),
                    None => return Ended::StorageGone,
                },
                // What is due is not put off by what arrives.
                () = std::future::ready(()), if wait == Some(Duration::ZERO) => {
                    self.driver.handle_timeout(now);
                }
                Some(happened) = self.happened.recv() => self.happens(happened),
                Some(question) = self.questions.recv() => self.answer(question),
                () = sleep(wait.unwrap_or_default()), if wait.is_some() => {
                    let now = self.clock.now();
                    self.driver.handle_timeout(now);
                }
            }
        }
        self.stop().await
    }

    /// When the engine or the publisher has something to do by itself.
    fn next_due(&self) -> Option<Instant> {
        let engine = self.driver.poll_timeout().map(|(due, _)| due);
        engine.into_iter().chain(self.publisher.poll_timeout()).min()
    }

    /// Publishes what changed, then carries out what the engine wants.
    fn settle(&mut self) {
        self.publish();
        if !self.arrivals.written.is_empty() {
            let now = self.clock.now();
            for arrived in self.arrivals.written.drain(..) {
                self.counters.event_times.add(now.since(arrived));
            }
        }
        while let Some(outbound) = self.driver.poll_outbound() {
            self.carry_out(outbound);
        }
        if self.committing.is_none() {
            // These asked for no write, or for something else first.
            self.arrivals.waiting.clear();
        }
        if let Some(wanted) = self.publisher.poll_read(self.clock.now()) {
            self.storage.submit(Job::Read(wanted));
        }
        let Self { driver, watch, .. } = self;
        driver.look(|engine| watch.look(engine));
    }

    /// Takes in everything that changed: one new snapshot for all of it.
    fn publish(&mut self) {
        let Self { driver, publisher, clock, .. } = self;
        let facts = std::iter::from_fn(|| driver.poll_fact());
        if let Some(snapshot) = publisher.follow(facts, clock.now()) {
            self.published.send_replace(snapshot.clone());
        }
    }

    fn carry_out(&mut self, outbound: Outbound) {
        match outbound {
            Outbound::Dial { session, path } => self.dial(session, path),
            Outbound::Hangup { session } => {
                if self.session.as_ref().is_some_and(|live| live.id == session) {
                    // The task closes the socket when it hears no more orders.
                    self.session = None;
                    tracing::info!(%session, "session given up");
                }
            }
            Outbound::Frame { session, text, .. } => self.send_frame(session, text),
            Outbound::Http { id, request, name } => self.send_request(id, request, name),
            Outbound::Cancel { id } => {
                if let Some(exchange) = self.requests.remove(&id) {
                    exchange.task.abort();
                    self.counters.request(exchange.name, "cancelled");
                }
            }
            Outbound::Commit { write, batch } => {
                self.committing = Some((write, self.clock.now()));
                self.arrivals.writing.append(&mut self.arrivals.waiting);
                self.storage.submit(Job::Commit(write, batch));
            }
        }
    }

    fn dial(&mut self, session: SessionId, path: String) {
        self.credentials.refresh();
        let (orders, received) = mpsc::channel(OUTBOX);
        let task = SessionTask {
            session,
            path,
            token: self.credentials.header(),
            transport: self.transport.clone(),
            limits: self.limits,
            timeouts: self.timeouts,
            orders: received,
            happened: self.tell.clone(),
            frames: Arc::clone(&self.frames),
        };
        self.counters.dials += 1;
        self.session = Some(Live { id: session, orders, task: spawn_local(task.run()) });
    }

    fn send_frame(&mut self, session: SessionId, text: String) {
        let Some(live) = self.session.as_ref().filter(|live| live.id == session) else { return };
        match live.orders.try_send(Order::Text(text)) {
            Ok(()) => self.counters.acks += 1,
            // The socket is gone. What it brought before, and why it ended, is on its way here.
            Err(TrySendError::Closed(_)) => {}
            Err(TrySendError::Full(_)) => {
                let why = format!("{OUTBOX} acks wait and cannot be written");
                self.happens(Inbound::Closed(session, CloseReason::Lost(why)).into());
            }
        }
    }

    fn send_request(&mut self, id: RequestId, request: HttpRequest, name: &'static str) {
        let (http, tell) = (Rc::clone(&self.http), self.tell.clone());
        tracing::debug!(request = %id, name, path = %request.path, "asks");
        let task = spawn_local(async move {
            let answer = http.exchange(request).await;
            let inbound = match answer {
                Ok(response) => Inbound::Responded(id, response),
                Err(failure) => Inbound::RequestFailed(id, failure),
            };
            // A loop that is gone needs no answer.
            let _gone = tell.send(inbound.into()).await;
        });
        self.requests.insert(id, Exchange { task: task.abort_handle(), name });
    }

    fn happens(&mut self, Happened { inbound, room }: Happened) {
        let now = self.clock.now();
        if self.note(&inbound, now) {
            self.driver.handle(inbound, now);
        }
        drop(room);
    }

    /// Counts and logs what came in; returns whether anybody waits for it still.
    fn note(&mut self, inbound: &Inbound, now: Instant) -> bool {
        match inbound {
            Inbound::Opened(session) => {
                tracing::info!(%session, "connected, waiting for the acknowledgement");
            }
            Inbound::Frame(_, frame) => {
                self.counters.frame(frame.bytes().len());
                self.arrivals.waiting.push(now);
            }
            Inbound::Binary(_, length) => self.counters.frame(*length),
            Inbound::Pinged(_) => self.counters.pings += 1,
            Inbound::Closed(session, reason) => {
                if self.session.take_if(|live| live.id == *session).is_none() {
                    return false;
                }
                self.note_close(*session, reason);
            }
            Inbound::Responded(id, response) => {
                let Some(Exchange { name, .. }) = self.requests.remove(id) else { return false };
                self.note_answer(*id, name, response);
            }
            Inbound::RequestFailed(id, failure) => {
                let Some(Exchange { name, .. }) = self.requests.remove(id) else { return false };
                self.counters.request(name, "failed");
                tracing::warn!(request = %id, name, %failure, "request failed");
            }
            Inbound::Stored(_) | Inbound::StoreFailed(..) => {}
        }
        true
    }

    fn note_close(&mut self, session: SessionId, reason: &CloseReason) {
        if matches!(reason, CloseReason::Closed(4401, _) | CloseReason::Refused(401 | 403)) {
            self.credentials.refused();
        }
        tracing::warn!(%session, %reason, "session ended");
        self.counters.sessions_ended += 1;
    }

    fn note_answer(&mut self, id: RequestId, name: &'static str, response: &HttpResponse) {
        let status = response.status;
        let outcome = if status < 300 { "answered" } else { "refused" };
        self.counters.answer(name, outcome, response.body.len());
        if status < 300 {
            tracing::debug!(request = %id, name, status, "answered");
        } else {
            tracing::info!(request = %id, name, status, "not answered with success");
        }
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Committed(write, outcome) => self.committed(write, outcome),
            Done::Read(definitions) => {
                warn_of_unreadable(&definitions);
                self.publisher.was_read(definitions);
            }
        }
    }

    fn committed(&mut self, write: WriteId, outcome: Result<Vec<StoredDefinition>, StoreFailure>) {
        let now = self.clock.now();
        let begun = self.committing.take().map_or(now, |(_, begun)| begun);
        if !matches!(outcome, Err(StoreFailure::Unreadable(_))) {
            self.counters.commit(now.since(begun), outcome.is_ok());
        }
        let inbound = match outcome {
            Ok(definitions) => {
                warn_of_unreadable(&definitions);
                self.publisher.committed(definitions);
                self.arrivals.written.append(&mut self.arrivals.writing);
                Inbound::Stored(write)
            }
            Err(StoreFailure::Unreadable(contents)) => {
                for content in &contents {
                    let UnreadableContent { artifact, why, .. } = content;
                    tracing::warn!(%artifact, %why, "a definition cannot be read; what is held stays");
                }
                Inbound::StoreFailed(write, StoreFailure::Unreadable(contents))
            }
            Err(failure) => {
                tracing::warn!(%failure, "a write failed; it is tried again");
                Inbound::StoreFailed(write, failure)
            }
        };
        self.driver.handle(inbound, now);
    }

    fn answer(&mut self, Question { page, answer }: Question) {
        let answered = self.driver.look(|engine| {
            let scene = Scene {
                engine,
                publisher: &self.publisher,
                counters: &self.counters,
                watch: &self.watch,
                endpoint: self.transport.endpoint(),
                warnings: &self.warnings,
                now: self.clock.now(),
                wall: self.clock.wall(),
            };
            scene.answer(page)
        });
        // Who asked may have gone.
        let _gone = answer.send(answered);
    }

    /// Ends in order: what is being written is finished and acked, and the control plane told.
    async fn stop(mut self) -> Ended {
        tracing::info!("stopping");
        let bound = self.timeouts.shutdown;
        for exchange in std::mem::take(&mut self.requests).into_values() {
            exchange.task.abort();
        }
        if timeout(bound, self.finish()).await.is_err() {
            tracing::warn!(?bound, "stopped without waiting any longer");
        }
        Ended::Stopped
    }

    async fn finish(&mut self) {
        while self.committing.is_some() {
            match self.storage.done().await {
                Some(done) => self.done(done),
                None => return,
            }
        }
        self.publish();
        while let Some(outbound) = self.driver.poll_outbound() {
            if let Outbound::Frame { session, text, .. } = outbound {
                self.send_frame(session, text);
            }
        }
        if let Some(live) = self.session.take() {
            // A session that takes no more orders is over already.
            let _over = live.orders.send(Order::Close(1001)).await;
            // A panic in it was told by the hook.
            let _ended = live.task.await;
        }
    }
}

fn warn_of_unreadable(definitions: &[StoredDefinition]) {
    for StoredDefinition { artifact, definition, .. } in definitions {
        if let Err(unreadable) = definition {
            let why = unreadable.why();
            tracing::warn!(%artifact, %why, "a definition cannot be read; it is not served");
        }
    }
}
