//! The small scope, exhausted: every history of a few changes to one API with one key, every order
//! in which their events, two list answers and a crash can reach the gateway, and for each list
//! whether it is as old as it may be or fresh; where both are old, every other read is, too. On the
//! real engine, without sampling.
//!
//! All changes happen within a moment, and what tells of them arrives afterwards in any order.
//! Then everything is honest, and the gateway must come to serve what there is, to whom it is for.

use std::time::Duration;

use driftless_gateway::engine::{Action, CloseReason, Config, Engine, Input, Request, Response};
use driftless_gateway::model::{
    Ack, AckAction, AckStatus, ArtifactId, BasePath, Content, ContentDigest, Credential,
    DeploymentId, Dialect, Event, EventHead, KeyName, KeyReading, KeyUuid, Kind, Listed,
    ListedArtifact, ListedKey, ListedState, Listing, Packed, Recovered, RequestId, Resource,
    ResourceChange, ResourceEvent, ResourceId, SecretHash, SessionId,
};
use driftless_gateway::time::{Instant, Timestamp};

/// What people do to the API or its key; each raises one event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Change {
    Deploy,
    Undeploy,
    Delete,
    CreateKey,
    RevokeKey,
    RegenerateKey,
}

const CHANGES: [Change; 6] = [
    Change::Deploy,
    Change::Undeploy,
    Change::Delete,
    Change::CreateKey,
    Change::RevokeKey,
    Change::RegenerateKey,
];

/// What reaches the gateway.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Item {
    /// The event of a change, by its place in the history.
    Event(usize),
    /// A list answer, the first or the second.
    List(usize),
    Crash,
}

/// The truth after some changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Truth {
    /// The revision that is deployed.
    deployed: Option<u8>,
    revision: u8,
    deployed_at: u8,
    is_deleted: bool,
    key: Option<u8>,
    keys: u8,
}

impl Truth {
    const BEGINNING: Self = Self {
        deployed: Some(1),
        revision: 1,
        deployed_at: 0,
        is_deleted: false,
        key: Some(1),
        keys: 1,
    };

    /// The truth after one more change, the `nth`; `None` when there is nothing to change.
    fn after(mut self, change: Change, nth: u8) -> Option<Self> {
        if self.is_deleted {
            return None;
        }
        match change {
            Change::Deploy => {
                self.revision += 1;
                self.deployed = Some(self.revision);
                self.deployed_at = nth;
            }
            Change::Undeploy => drop(self.deployed.take()?),
            Change::Delete => {
                self = Self { deployed: None, is_deleted: true, key: None, ..self };
            }
            Change::CreateKey if self.key.is_none() => {
                self.keys += 1;
                self.key = Some(self.keys);
            }
            Change::CreateKey => return None,
            Change::RevokeKey => drop(self.key.take()?),
            Change::RegenerateKey => {
                self.key?;
                self.keys += 1;
                self.key = Some(self.keys);
            }
        }
        Some(self)
    }
}

/// Every history of so many changes in which each changes something, as the truths between them.
fn histories(length: usize) -> Vec<Vec<(Change, Truth)>> {
    let mut all: Vec<Vec<(Change, Truth)>> = vec![Vec::new()];
    for nth in 1..=length {
        all = all
            .into_iter()
            .flat_map(|history| {
                let truth = history.last().map_or(Truth::BEGINNING, |(_, truth)| *truth);
                CHANGES.into_iter().filter_map(move |change| {
                    let after = truth.after(change, u8::try_from(nth).ok()?)?;
                    let mut longer = history.clone();
                    longer.push((change, after));
                    Some(longer)
                })
            })
            .collect();
    }
    all
}

/// Every order of the events of a history, two lists in their order, and one crash.
fn orders(events: usize) -> Vec<Vec<Item>> {
    fn extend(taken: &mut Vec<Item>, left: &mut Vec<Item>, all: &mut Vec<Vec<Item>>) {
        if left.is_empty() {
            all.push(taken.clone());
        }
        for place in 0..left.len() {
            let item = left[place];
            if item == Item::List(1) && left.contains(&Item::List(0)) {
                continue;
            }
            left.remove(place);
            taken.push(item);
            extend(taken, left, all);
            taken.pop();
            left.insert(place, item);
        }
    }
    let mut items: Vec<Item> = (0..events).map(Item::Event).collect();
    items.extend([Item::List(0), Item::List(1), Item::Crash]);
    let mut all = Vec::new();
    extend(&mut Vec::new(), &mut items, &mut all);
    all
}

fn artifact() -> ArtifactId {
    ArtifactId::new("a")
}

fn key_id() -> ResourceId {
    ResourceId::ApiKey(artifact(), KeyName::new("k"))
}

fn stamp(nth: u8) -> Timestamp {
    Timestamp::from_unix_nanos(1_785_542_400_000_000_000 + i128::from(nth) * 10_000_000, 6)
}

fn deployment(revision: u8) -> DeploymentId {
    DeploymentId::new(&format!("d{revision}"))
}

fn content(revision: u8) -> Content {
    Content { bytes: vec![revision].into(), digest: ContentDigest([revision; 32]) }
}

fn credential(number: u8, at: Option<u8>) -> Credential {
    Credential {
        hash: SecretHash([number; 32]),
        uuid: Some(KeyUuid::new(&format!("u{number}"))),
        expires_at: None,
        created_at: at.map(stamp),
        is_listable: true,
    }
}

/// The event of a change.
fn event(change: Change, before: Truth, after: Truth, nth: u8) -> Event {
    let head = |revision: u8| EventHead {
        artifact: artifact(),
        kind: Kind::RestApi,
        deployment: Some(deployment(revision)),
        performed_at: Some(stamp(nth)),
        performed_text: Some(stamp(nth).to_string()),
        correlation: None,
    };
    let of_key = |change| {
        let sent_at = Some(stamp(nth));
        Event::Changed(Box::new(ResourceEvent { id: key_id(), change, sent_at }))
    };
    match change {
        Change::Deploy => Event::Deployed(head(after.revision)),
        Change::Undeploy => Event::Undeployed(head(before.deployed.unwrap_or(0))),
        Change::Delete => {
            let sent_at = Some(stamp(nth));
            Event::Deleted { artifact: artifact(), kind: Kind::RestApi, sent_at }
        }
        Change::CreateKey => of_key(ResourceChange::KeyCreated(credential(after.keys, Some(nth)))),
        Change::RegenerateKey => {
            of_key(ResourceChange::KeyRegenerated(credential(after.keys, Some(nth))))
        }
        Change::RevokeKey => of_key(ResourceChange::KeyRevoked),
    }
}

/// What is broken, to see the scope fail.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Broken {
    Nothing,
    /// The control plane's lists stay as they were before the changes.
    Lists,
    /// The engine takes every read for fresh: an older list undoes an event (law 2).
    ReadLag,
}

/// One gateway with everything around it.
struct Run<'h> {
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
    relapse: Option<String>,
}

/// How long the gateway has to get things right once all is honest.
const SETTLING: Duration = Duration::from_secs(70);

fn config(broken: Broken) -> Config {
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
    fn settled(history: &'h [(Change, Truth)], broken: Broken) -> Self {
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

    fn go_through(&mut self, order: &[Item], is_old: [bool; 2]) {
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
    fn difference(&self) -> Option<String> {
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

/// Goes through every order of these histories; tells how many there were and which ended wrong.
fn exhaust(histories: &[Vec<(Change, Truth)>], broken: Broken) -> (u64, Vec<String>) {
    let (mut count, mut wrong) = (0, Vec::new());
    let orders = orders(histories.first().map_or(0, Vec::len));
    for history in histories {
        for order in &orders {
            for is_old in [[false, false], [false, true], [true, false], [true, true]] {
                let mut run = Run::settled(history, broken);
                run.go_through(order, is_old);
                count += 1;
                if let Some(difference) = run.difference().or(run.relapse) {
                    let names: Vec<Change> = history.iter().map(|(change, _)| *change).collect();
                    wrong.push(format!("{names:?} {order:?} old {is_old:?}: {difference}"));
                }
            }
        }
    }
    (count, wrong)
}

#[track_caller]
#[expect(clippy::print_stderr, reason = "how much was exhausted is for people to see")]
fn holds(histories: &[Vec<(Change, Truth)>], floor: u64) {
    let events = histories.first().map_or(0, Vec::len);
    let (count, wrong) = exhaust(histories, Broken::Nothing);
    eprintln!("{events} events, two lists, one crash: {count} interleavings");
    assert!(count >= floor, "only {count} interleavings of {events} events");
    let first: Vec<&String> = wrong.iter().take(5).collect();
    assert!(wrong.is_empty(), "{} of {count} ended wrong: {first:#?}", wrong.len());
}

#[test]
fn every_order_of_up_to_two_events_ends_right() {
    holds(&histories(1), 240);
    holds(&histories(2), 4_320);
}

#[test]
fn every_order_of_three_events_ends_right() {
    holds(&histories(3), 86_400);
}

/// Four events are two million interleavings and some minutes, so the gate runs them on their
/// own: `.ci/run scope`.
#[track_caller]
fn holds_beginning_with(first: Change, floor: u64) {
    let mut histories = histories(4);
    histories.retain(|history| history.first().is_some_and(|(change, _)| *change == first));
    holds(&histories, floor);
}

#[test]
#[ignore = "a stage of its own: .ci/run scope"]
fn every_order_of_four_events_after_a_deploy_ends_right() {
    holds_beginning_with(Change::Deploy, 604_800);
}

#[test]
#[ignore = "a stage of its own: .ci/run scope"]
fn every_order_of_four_events_after_an_undeploy_ends_right() {
    holds_beginning_with(Change::Undeploy, 383_040);
}

#[test]
#[ignore = "a stage of its own: .ci/run scope"]
fn every_order_of_four_events_after_a_revocation_ends_right() {
    holds_beginning_with(Change::RevokeKey, 383_040);
}

#[test]
#[ignore = "a stage of its own: .ci/run scope"]
fn every_order_of_four_events_after_a_regeneration_ends_right() {
    holds_beginning_with(Change::RegenerateKey, 604_800);
}

#[test]
fn a_control_plane_whose_lists_stay_behind_is_found() {
    let (count, wrong) = exhaust(&histories(1), Broken::Lists);
    let is_served = |told: &&String| told.contains("serves");
    assert!(wrong.iter().filter(is_served).count() as u64 * 4 > count, "{wrong:#?}");
}

#[test]
fn an_engine_that_takes_every_list_for_fresh_is_found() {
    let (count, wrong) = exhaust(&histories(2), Broken::ReadLag);
    assert!(!wrong.is_empty(), "none of {count} ended wrong");
}
