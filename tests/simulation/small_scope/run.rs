//! One run of the engine: a history told to it in one order, by lists of one age.

use std::time::Duration;

use driftless_gateway::engine::{Action, CloseReason, Config, Engine, Input, Request, Response};
use driftless_gateway::model::{
    Ack, AckAction, AckStatus, BasePath, Dialect, Event, KeyName, KeyReading, Kind, Listed,
    ListedArtifact, ListedKey, ListedState, Listing, Packed, Recovered, RequestId, Resource,
    SessionId,
};
use driftless_gateway::time::Instant;

use super::history::{
    Change, Item, Truth, artifact, content, credential, deployment, event, key_id, stamp,
};

/// What is broken, to see the scope fail.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    Nothing,
    /// The control plane's lists stay as they were before the changes.
    Lists,
    /// The engine takes every read for fresh: an older list undoes an event (law 2).
    ReadLag,
}

/// One gateway with everything around it.
pub(super) struct Run<'h> {
    engine: Engine,
    now: Instant,
    history: &'h [(Change, Truth)],
    /// How many of the changes have happened.
    happened: usize,
    /// When they did.
    changed_at: Instant,
    broken: Broken,
    durable: Recovered,
    session: Option<SessionId>,
    /// The list that is asked for, and since when.
    list: Option<(RequestId, Instant)>,
    /// Whether lists are answered at once.
    is_honest: bool,
    /// Whether every other read is as old as it may be.
    is_behind: bool,
    boots: u64,
    /// How many events the engine was told.
    told: usize,
    /// Whether the gateway agreed with the truth since then.
    has_agreed: bool,
    /// How it differed after that.
    pub(super) relapse: Option<String>,
}

/// How long the gateway has to get things right once all is honest.
pub(super) const SETTLING: Duration = Duration::from_secs(70);

pub(super) fn config(broken: Broken) -> Config {
    let usual = Config::recommended().read_lag_max;
    Config {
        read_lag_max: if broken == Broken::ReadLag { Duration::from_millis(1) } else { usual },
        dialect: Some(Dialect::PlatformApi11),
        base: Some(BasePath::platform_api()),
        ..Config::recommended()
    }
}

impl<'h> Run<'h> {
    /// A gateway that has long known how everything was before the changes.
    pub(super) fn settled(history: &'h [(Change, Truth)], broken: Broken) -> Self {
        let now = Instant::START;
        let engine = Engine::recover(config(broken), 7, Recovered::default(), now);
        let mut run = Self {
            engine,
            now,
            history,
            happened: 0,
            changed_at: now,
            broken,
            durable: Recovered::default(),
            session: None,
            list: None,
            is_honest: true,
            is_behind: false,
            boots: 0,
            told: 0,
            has_agreed: false,
            relapse: None,
        };
        run.drain();
        run.pass(Duration::from_secs(12));
        assert_eq!(run.difference(), None, "before any change");
        (run.happened, run.changed_at, run.is_honest) = (history.len(), run.now, false);
        run
    }

    fn truth_after(&self, changes: usize) -> Truth {
        match changes.checked_sub(1).and_then(|last| self.history.get(last)) {
            Some((_, truth)) => *truth,
            None => Truth::BEGINNING,
        }
    }

    fn truth(&self) -> Truth {
        self.truth_after(self.happened)
    }

    pub(super) fn go_through(&mut self, order: &[Item], is_old: [bool; 2]) {
        self.is_behind = is_old == [true, true];
        for item in order {
            self.now = self.now.after(Duration::from_millis(1));
            match *item {
                Item::Event(nth) => {
                    let (change, after) = self.history[nth];
                    let place = u8::try_from(nth + 1).unwrap_or(u8::MAX);
                    let event = event(change, self.truth_after(nth), after, place);
                    self.with_session(|run, session| {
                        run.engine.handle(Input::Watched(session, event), run.now);
                    });
                    self.told += 1;
                }
                Item::List(number) => self.answer_list(is_old[number]),
                Item::Crash => {
                    self.boots += 1;
                    (self.session, self.list) = (None, None);
                    let durable = self.durable.clone();
                    self.engine =
                        Engine::recover(config(self.broken), 7 + self.boots, durable, self.now);
                }
            }
            self.drain();
        }
        (self.is_honest, self.is_behind) = (true, false);
        if let Some((id, asked)) = self.list.take() {
            self.engine.handle(Input::Responded(id, self.listed(asked, false)), self.now);
            self.drain();
        }
        self.pass(SETTLING);
    }

    /// Events wait for a session, as a control plane keeps them.
    fn with_session(&mut self, tell: impl FnOnce(&mut Self, SessionId)) {
        self.step_until(|run| run.session.is_some());
        if let Some(session) = self.session {
            tell(self, session);
        }
    }

    /// Answers the list that is asked for; a new session asks for one where none is.
    fn answer_list(&mut self, is_old: bool) {
        if let (None, Some(session)) = (self.list, self.session.take()) {
            let lost = CloseReason::Lost("reset".to_owned());
            self.engine.handle(Input::SessionClosed(session, lost), self.now);
            self.drain();
        }
        self.step_until(|run| run.list.is_some());
        if let Some((id, asked)) = self.list.take() {
            let answer = self.listed(asked, is_old);
            self.engine.handle(Input::Responded(id, answer), self.now);
        }
    }

    /// Goes from deadline to deadline until something is so.
    fn step_until(&mut self, is_so: impl Fn(&Self) -> bool) {
        for _ in 0..100 {
            if is_so(self) {
                return;
            }
            let Some((due, _)) = self.engine.poll_timeout() else { return };
            self.now = self.now.max(due);
            self.engine.handle_timeout(self.now);
            self.drain();
        }
        panic!("a hundred deadlines, and nothing happened");
    }

    /// Lets time pass, with a ping every 15 s.
    fn pass(&mut self, span: Duration) {
        let until = self.now.after(span);
        let mut ping = self.now.after(Duration::from_secs(15));
        for turn in 0.. {
            assert!(turn < 2000, "the engine is busy with {:?}", self.engine.poll_timeout());
            if self.now >= until {
                break;
            }
            let due = self.engine.poll_timeout().map_or(until, |(at, _)| at);
            self.now = due.min(ping).min(until).max(self.now);
            if self.now == ping {
                ping = ping.after(Duration::from_secs(15));
                if let Some(session) = self.session {
                    self.engine.handle(Input::Pinged(session), self.now);
                }
            }
            self.engine.handle_timeout(self.now);
            self.drain();
        }
    }

    fn drain(&mut self) {
        while let Some(action) = self.engine.poll_action() {
            match action {
                Action::OpenSession(session, _) => {
                    self.session = Some(session);
                    self.engine.handle(Input::SessionOpened(session), self.now);
                    let acked = Event::ConnectionAck { gateway: "g".to_owned() };
                    self.engine.handle(Input::Watched(session, acked), self.now);
                }
                Action::CloseSession(_) => self.session = None,
                Action::Ack(_, ack) => self.check_ack(&ack),
                Action::Request(id, _, Request::List) if !self.is_honest => {
                    self.list = Some((id, self.now));
                }
                Action::Request(id, _, asked) => {
                    let answer = self.answer(&asked);
                    self.engine.handle(Input::Responded(id, answer), self.now);
                }
                Action::Cancel(id) => {
                    self.list = self.list.filter(|(listed, _)| *listed != id);
                }
                Action::Store(write, batch) => {
                    self.durable.apply(&batch);
                    self.engine.handle(Input::Stored(write), self.now);
                }
            }
        }
        while self.engine.poll_change().is_some() {}
        self.note_relapse();
    }

    /// Once every event was told and the gateway agrees with the truth, nothing old may make it
    /// differ again.
    fn note_relapse(&mut self) {
        if self.told < self.history.len() || self.relapse.is_some() {
            return;
        }
        match self.difference() {
            None => self.has_agreed = true,
            Some(difference) if self.has_agreed => {
                self.relapse = Some(format!("{difference}, having agreed before"));
            }
            Some(_) => {}
        }
    }

    /// Law 8: an ack is about what is durable.
    fn check_ack(&self, ack: &Ack) {
        let is_served = self.durable.rows.get(&ack.artifact).is_some_and(|row| row.is_served());
        if ack.status == AckStatus::Success {
            assert_eq!(is_served, ack.action == AckAction::Deploy, "{ack:?} is not durable");
        }
    }

    /// A list that is old is as old as the contract allows.
    fn listed(&self, asked: Instant, is_old: bool) -> Response {
        let is_long_ago = asked.since(self.changed_at) >= Config::recommended().read_lag_max;
        let seen = match self.broken {
            Broken::Lists => 0,
            Broken::Nothing | Broken::ReadLag if is_old && !is_long_ago => 0,
            Broken::Nothing | Broken::ReadLag => self.happened,
        };
        let truth = self.truth_after(seen);
        let row = (!truth.is_deleted).then(|| ListedArtifact {
            artifact: artifact(),
            deployment: deployment(truth.revision),
            kind: Ok(Kind::RestApi),
            state: match truth.deployed {
                Some(_) => ListedState::Deployed,
                None => ListedState::Undeployed,
            },
            listed_at: Some(stamp(truth.deployed_at)),
        });
        Response::Listed(Listing {
            rows: row.into_iter().collect(),
            has_state: (!truth.is_deleted).then_some(true),
            ..Listing::default()
        })
    }

    fn answer(&self, asked: &Request) -> Response {
        let is_long_ago = self.now.since(self.changed_at) >= Config::recommended().read_lag_max;
        let truth = if self.is_behind && !is_long_ago { Truth::BEGINNING } else { self.truth() };
        match asked {
            Request::Discover => Response::Discovered { base: BasePath::platform_api() },
            Request::List => self.listed(self.now, false),
            Request::Fetch(..) => match truth.deployed {
                Some(revision) => Response::Fetched(content(revision)),
                None => Response::NotDeployed,
            },
            Request::FetchBatch(_, deployments) => {
                let packed = truth.deployed.into_iter().flat_map(|revision| {
                    let of = deployments.iter().filter(move |id| **id == deployment(revision));
                    of.map(move |id| Packed { deployment: id.clone(), content: content(revision) })
                });
                Response::Batch(packed.collect())
            }
            Request::CheckExists(ids) => {
                Response::Existence(ids.iter().map(|id| (id.clone(), !truth.is_deleted)).collect())
            }
            Request::ReadKeys(kind) => {
                let key = truth.key.filter(|_| *kind == Kind::RestApi).map(|number| ListedKey {
                    artifact: artifact(),
                    name: KeyName::new("k"),
                    credential: credential(number, None),
                    is_active: true,
                });
                let items = key.into_iter().collect();
                Response::Keys(KeyReading::Keys(Listed { items, unreadable: Vec::new() }))
            }
            Request::ReadSubscriptions(_) => Response::Subscriptions(Listed::default()),
            Request::ReadPlans => Response::Plans(Listed::default()),
        }
    }

    /// Where the gateway differs from the truth.
    pub(super) fn difference(&self) -> Option<String> {
        let truth = self.truth();
        let served: Vec<[u8; 32]> = self
            .engine
            .observed()
            .served()
            .filter_map(|(_, row)| row.held.map(|held| held.digest.0))
            .collect();
        let wanted: Vec<[u8; 32]> =
            truth.deployed.map(|revision| [revision; 32]).into_iter().collect();
        if served != wanted {
            let shown = |all: &[[u8; 32]]| all.iter().map(|one| one[0]).collect::<Vec<_>>();
            return Some(format!("serves {:?}, not {:?}", shown(&served), shown(&wanted)));
        }
        let held: Vec<u8> = match self.engine.observed().resource_in_force(&key_id()) {
            Some(Resource::ApiKey(slot)) => {
                slot.credentials.iter().map(|key| key.hash.0[0]).collect()
            }
            _ => Vec::new(),
        };
        let wanted: Vec<u8> = truth.key.into_iter().collect();
        (held != wanted).then(|| format!("holds the keys {held:?}, not {wanted:?}"))
    }
}
