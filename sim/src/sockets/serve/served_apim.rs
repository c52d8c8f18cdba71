//! The simulated API Manager in real time: one owner, its clock, and its open connections.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use driftless_gateway::time::Instant;
use driftless_gateway::wire::HttpRequest;
use tokio::sync::{Notify, mpsc, oneshot, watch};

use super::adaptor::ApimBackend;
use super::triggers::{LIVE, Triggers};
use crate::apim::{ApiManager, Applied, ConnectionId, Reply, ServerFrame, Upgrade};
use crate::story::aim::GatewayIndex;
use crate::story::step::{Endpoint, Observable, Trigger, Verb};

/// How many past lines of traffic are kept for people to look at.
const TRAFFIC_MAX: usize = 200;

/// The simulated API Manager, for every connection of it. Its time is tokio's, so the same host
/// serves real sockets and simulated ones.
pub struct ServedApim {
    manager: RefCell<ApiManager>,
    sessions: RefCell<BTreeMap<ConnectionId, mpsc::UnboundedSender<ServerFrame>>>,
    traffic: RefCell<VecDeque<(Instant, String)>>,
    next_connection: Cell<u64>,
    started: tokio::time::Instant,
    /// Its next deadline may have changed.
    stirred: Notify,
    /// Rises when every connection is to be reset.
    resets: watch::Sender<u64>,
    triggers: Triggers,
}

/// What became of a verb.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VerbOutcome {
    /// It did something, or armed a fault.
    Done,
    /// There was nothing to do.
    Nothing,
    /// It is about a network or a gateway's machine, which are not simulated here.
    NotHere,
}

impl VerbOutcome {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Nothing => "nothing to do",
            Self::NotHere => "not simulated here",
        }
    }
}

impl ServedApim {
    /// A host whose time begins now.
    pub fn new(manager: ApiManager) -> Self {
        Self {
            manager: RefCell::new(manager),
            sessions: RefCell::default(),
            traffic: RefCell::default(),
            next_connection: Cell::new(0),
            started: tokio::time::Instant::now(),
            stirred: Notify::new(),
            resets: watch::Sender::new(0),
            triggers: Triggers::default(),
        }
    }

    /// The time since it started.
    pub fn now(&self) -> Instant {
        Instant::START.after(self.started.elapsed())
    }

    /// Waits for a trigger from now on; `None` where only a gateway knows of it.
    pub(super) fn watch(&self, trigger: &Trigger) -> Option<oneshot::Receiver<()>> {
        self.triggers.watch(trigger)
    }

    /// Something was seen that triggers may wait for.
    fn saw(&self, seen: &Observable) {
        self.triggers.note(seen, self.now());
    }

    /// Looks at the API Manager.
    pub fn look<T>(&self, look: impl FnOnce(&ApiManager) -> T) -> T {
        look(&self.manager.borrow())
    }

    /// Carries out a verb of a story. A reset is done here, for here are the connections.
    pub fn apply(&self, verb: &Verb) -> VerbOutcome {
        let applied = self.manager.borrow_mut().apply(verb, self.now());
        let outcome = match (applied, verb) {
            (Applied::NotMine, Verb::Reset(_)) => {
                self.reset();
                VerbOutcome::Done
            }
            (Applied::NotMine, _) => VerbOutcome::NotHere,
            (Applied::Nothing, _) => VerbOutcome::Nothing,
            (Applied::Done, Verb::RestartManager(_)) => {
                self.reset();
                VerbOutcome::Done
            }
            (Applied::Done, _) => VerbOutcome::Done,
        };
        self.settle();
        outcome
    }

    /// Switches off one fault; returns whether it was on.
    pub fn disarm(&self, name: &str) -> bool {
        let is_on = self.manager.borrow_mut().disarm(name, self.now());
        self.settle();
        is_on
    }

    /// Switches off every fault; returns whether one was on.
    pub fn lift_faults(&self) -> bool {
        let now = self.now();
        let is_on = self.look(|manager| !manager.armed(GatewayIndex::FIRST, now).is_empty());
        self.manager.borrow_mut().lift_faults(now);
        self.settle();
        is_on
    }

    fn reset(&self) {
        self.resets.send_modify(|count| *count += 1);
    }

    /// The connections of gateways that are open.
    pub fn connections(&self) -> Vec<u64> {
        self.sessions.borrow().keys().map(|connection| connection.0).collect()
    }

    /// What happened lately, oldest first.
    pub fn traffic(&self) -> Vec<(Instant, String)> {
        self.traffic.borrow().iter().cloned().collect()
    }

    fn note(&self, line: String) {
        let mut traffic = self.traffic.borrow_mut();
        if traffic.len() >= TRAFFIC_MAX {
            traffic.pop_front();
        }
        traffic.push_back((self.now(), line));
    }

    /// Tells triggers of a frame that is sent.
    fn note_frame(&self, frame: &ServerFrame) {
        let ServerFrame::Text(text) = frame else { return };
        if !self.triggers.is_any_waiting() {
            return;
        }
        let frame: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        let Some(name) = frame["type"].as_str() else { return };
        self.saw(&Observable::Event(name.to_owned()));
        if name == "connection.ack" {
            self.saw(&Observable::State(LIVE.to_owned()));
        }
    }

    /// Hands out what is to be sent, and lets the clock look again.
    fn settle(&self) {
        loop {
            let next = self.manager.borrow_mut().poll_frame();
            let Some((connection, frame)) = next else { break };
            let is_over = matches!(frame, ServerFrame::Close(..));
            self.note_frame(&frame);
            if let Some(frames) = self.sessions.borrow().get(&connection) {
                // A connection that is gone says so itself.
                let _gone = frames.send(frame);
            }
            if is_over {
                self.sessions.borrow_mut().remove(&connection);
            }
        }
        self.stirred.notify_one();
    }

    /// Lets time pass for the API Manager; runs until dropped.
    pub async fn keep_time(&self) {
        loop {
            let due = self.manager.borrow().poll_timeout();
            let wait = due.map(|due| due.since(self.now()));
            tokio::select! {
                biased;
                () = tokio::time::sleep(wait.unwrap_or(Duration::MAX)), if wait.is_some() => {
                    let now = self.now();
                    self.manager.borrow_mut().handle_timeout(now);
                    self.settle();
                }
                () = self.stirred.notified() => {}
            }
        }
    }
}

impl ApimBackend for ServedApim {
    fn respond(&self, request: &HttpRequest, token: Option<&str>) -> Reply {
        let name = self.look(|manager| manager.endpoint(request)).map(Endpoint::name);
        if let Some(name) = name {
            self.saw(&Observable::Action(name.to_owned()));
        }
        let reply =
            self.manager.borrow_mut().respond(GatewayIndex::FIRST, request, token, self.now());
        if let (Some(name), crate::apim::Answered::Answer(_)) = (name, &reply.outcome) {
            self.saw(&Observable::Answer(name.to_owned()));
        }
        let what = match &reply.outcome {
            crate::apim::Answered::Answer(response) => {
                format!("{} ({} bytes)", response.status, response.body.len())
            }
            crate::apim::Answered::NoAnswer => "no answer".to_owned(),
            crate::apim::Answered::Refused => "refused".to_owned(),
        };
        self.note(format!("{} {} → {what}", request.method.name(), request.path));
        self.settle();
        reply
    }

    fn connect(
        &self,
        path: &str,
        token: Option<&str>,
    ) -> (ConnectionId, Upgrade, mpsc::UnboundedReceiver<ServerFrame>) {
        self.saw(&Observable::Action("open_session".to_owned()));
        let connection = ConnectionId(self.next_connection.get() + 1);
        self.next_connection.set(connection.0);
        // What waits for a slow gateway is bounded by what is in the event store.
        let (frames, received) = mpsc::unbounded_channel();
        self.sessions.borrow_mut().insert(connection, frames);
        let now = self.now();
        let mut manager = self.manager.borrow_mut();
        let upgrade = manager.connect(GatewayIndex::FIRST, connection, path, token, now);
        drop(manager);
        self.note(format!("WebSocket {path} → {upgrade:?} ({connection})"));
        if upgrade != Upgrade::Accepted {
            self.sessions.borrow_mut().remove(&connection);
        }
        self.settle();
        (connection, upgrade, received)
    }

    fn receive(&self, connection: ConnectionId, text: &str) {
        // Acks are all that a gateway sends.
        self.saw(&Observable::Action("ack".to_owned()));
        self.manager.borrow_mut().receive_frame(connection, text, self.now());
        self.settle();
    }

    fn disconnected(&self, connection: ConnectionId) {
        if self.sessions.borrow_mut().remove(&connection).is_some() {
            self.note(format!("{connection} is gone"));
        }
        self.manager.borrow_mut().disconnected(connection, self.now());
        self.settle();
    }

    fn resets(&self) -> watch::Receiver<u64> {
        self.resets.subscribe()
    }
}
