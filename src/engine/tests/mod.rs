//! What the engine does about one input, as the exact list of its actions.
//!
//! A test brings a [`Rig`] into a state, hands it one input and compares what comes out. Time is
//! milliseconds since the session came alive. What is asked from then on counts from
//! [`FIRST`], whatever it took to come alive.

mod acks;
mod existence;
mod fetch;
mod keys;
mod merge;
mod recovery;
mod session;
mod status;
mod subscriptions;
mod watch;
mod writes;

use std::collections::BTreeMap;

use super::*;
use crate::model::{
    Ack, AckAction, AckStatus, ArtifactWrite, Batch, Content, ContentDigest, DeployState,
    DeploymentId, Event, EventHead, Generation, Held, KeyReading, Kind, Listed, ListedArtifact,
    ListedState, Listing, Packed, Row, Tombstone, WriteId,
};
use crate::time::Timestamp;

/// The number of the first request and the first write after [`Rig::live`].
const FIRST: u64 = 11;

/// Where the API Manager of the tests serves.
fn base() -> BasePath {
    BasePath::parse("internal/data/v1").unwrap()
}

/// An engine with a clock, and the ids of what it asked for last.
struct Rig {
    engine: Engine,
    now: Instant,
    asked: BTreeMap<&'static str, RequestId>,
    write: Option<WriteId>,
}

impl Rig {
    /// An engine that was never connected.
    fn new() -> Self {
        Self::recovered(Config::recommended(), Recovered::default())
    }

    /// An engine that goes on from a store; what it does at once is still to be polled.
    fn recovered(config: Config, recovered: Recovered) -> Self {
        let engine = Engine::recover(config, 7, recovered, Instant::START);
        Self { engine, now: Instant::START, asked: BTreeMap::new(), write: None }
    }

    /// A session at an API Manager of the fixed dialect that has nothing deployed.
    fn live() -> Self {
        Self::connected(Config::recommended(), Recovered::default(), Dialect::Apim470Fixed, &[])
    }

    /// A session of an engine that serves `rows`, confirmed, and whose list agrees.
    fn serving(rows: &[(&str, &str)]) -> Self {
        Self::connected(Config::recommended(), holding(rows), Dialect::Apim470Fixed, rows)
    }

    /// Brings a session to life at time 0 and answers everything it asks for about artifacts;
    /// lists of keys, subscriptions and plans are not there.
    fn connected(
        config: Config,
        recovered: Recovered,
        dialect: Dialect,
        listed: &[(&str, &str)],
    ) -> Self {
        let mut rig = Self::listed(config, recovered, dialect, listed);
        rig.without_access_lists();
        rig
    }

    /// Brings a session to life at time 0 and answers what it asks for about artifacts; what it
    /// asks for about keys, subscriptions and plans is still to be answered.
    fn listed(
        config: Config,
        recovered: Recovered,
        dialect: Dialect,
        listed: &[(&str, &str)],
    ) -> Self {
        let at = match dialect {
            Dialect::PlatformApi11 => BasePath::platform_api(),
            Dialect::Apim470 | Dialect::Apim470Fixed => base(),
        };
        let mut rig = Self::recovered(config, recovered);
        rig.drain();
        rig.answer("discover", Response::Discovered { base: at });
        rig.stored();
        rig.accepted(1);
        rig.list_is_settled();
        let rows: Vec<ListedArtifact> =
            listed.iter().map(|(id, deployment)| row(id, deployment)).collect();
        rig.answer(
            "list",
            Response::Listed(Listing {
                rows,
                has_state: Some(dialect != Dialect::Apim470),
                ..Listing::default()
            }),
        );
        rig.stored();
        rig.engine.out.last_request = FIRST - 1;
        rig.engine.writes.last = FIRST - 1;
        rig
    }

    /// What was asked about keys, subscriptions and plans has no list in this session.
    fn without_access_lists(&mut self) {
        loop {
            let asked = self.engine.out.awaited();
            let lists: Vec<(RequestId, ListId)> =
                asked.filter_map(|(id, request)| Some((id, ListId::of(request)?))).collect();
            if lists.is_empty() {
                break;
            }
            for (request, list) in lists {
                self.engine.out.answered(request);
                self.engine.lists.absent(&list);
            }
            self.timeout();
        }
        self.engine.out.last_request = FIRST - 1;
    }

    /// The list of artifacts that is in flight counts as asked for late enough: nothing happened
    /// just before the session.
    fn list_is_settled(&mut self) {
        let (id, lists) = (ListId::Artifacts, &mut self.engine.lists);
        let request = lists.remove(&id).unwrap();
        lists.read(&id, self.now, self.now);
        lists.asked(&id, request, self.now);
    }

    /// Whether the list of artifacts is in flight.
    fn is_listing(&self) -> bool {
        self.engine.lists.in_flight(&ListId::Artifacts).is_some()
    }

    /// Answers the list asked for at `asked` with these rows; it was too early for all that wants
    /// one, so it is asked for again.
    fn list_is_repeated(&mut self, asked: u64, rows: &[ListedArtifact], again: u64) {
        self.until(asked);
        self.list(rows);
        assert_eq!(self.engine.lists.next_due(), Some(Instant::from_millis(again)));
    }

    /// Wants a list, asked for at an instant or later.
    fn want_list(&mut self, id: &ListId, millis: u64) {
        self.engine.lists.relist(id, Instant::from_millis(millis));
    }

    /// Opens a session and acknowledges it.
    fn accepted(&mut self, session: u64) -> Vec<Action> {
        let session = SessionId(session);
        assert_eq!(self.input(Input::SessionOpened(session)), []);
        let event = Event::ConnectionAck { gateway: "g".to_owned() };
        self.input(Input::Watched(session, event))
    }

    /// Moves the clock; deadlines in between are left alone.
    fn at(&mut self, millis: u64) -> &mut Self {
        assert!(millis >= self.now.as_millis(), "time goes on");
        self.now = Instant::from_millis(millis);
        self
    }

    /// Lets time pass and does what falls due; the control plane pings in time.
    fn until(&mut self, millis: u64) -> Vec<Action> {
        let end = Instant::from_millis(millis);
        let mut actions = Vec::new();
        // A test may have changed what is waited for without an input.
        self.engine.note_next_timer();
        for _ in 0..10_000 {
            match self.engine.poll_timeout() {
                Some((at, what)) if at <= end => {
                    self.now = self.now.max(at);
                    if what == Timer::Lease {
                        let session = self.engine.session.id().unwrap();
                        actions.extend(self.input(Input::Pinged(session)));
                    } else {
                        actions.extend(self.timeout());
                    }
                }
                _ => {
                    self.now = end;
                    return actions;
                }
            }
        }
        panic!("the engine never comes to rest before {end}");
    }

    /// A frame that is no event, and the list that it wants: the first request of a rig that
    /// was left alone.
    fn relist(&mut self) {
        let session = self.engine.session.id().unwrap();
        assert_eq!(self.input(Input::Malformed(session, "no event".to_owned())), []);
        let due = self.now.as_millis() + 5_000;
        assert_eq!(self.until(due), [request(FIRST, Request::List)]);
    }

    /// When the next attempt to connect is due.
    fn reconnect_at(&self) -> u64 {
        match self.engine.session.deadline() {
            Some((until, Timer::Reconnect)) => until.as_millis(),
            other => panic!("not waiting to reconnect: {other:?}"),
        }
    }

    /// The next deadline and its reason.
    fn deadline(&self) -> Option<(u64, &'static str)> {
        self.engine.poll_timeout().map(|(at, timer)| (at.as_millis(), timer.name()))
    }

    fn timeout(&mut self) -> Vec<Action> {
        self.engine.handle_timeout(self.now);
        self.drain()
    }

    fn input(&mut self, input: Input) -> Vec<Action> {
        self.engine.handle(input, self.now);
        self.drain()
    }

    fn drain(&mut self) -> Vec<Action> {
        let actions: Vec<Action> = std::iter::from_fn(|| self.engine.poll_action()).collect();
        for action in &actions {
            match action {
                Action::Request(id, _, request) => {
                    self.asked.insert(request.name(), *id);
                }
                Action::Store(id, _) => self.write = Some(*id),
                _ => {}
            }
        }
        actions
    }

    /// An event of the current session.
    fn event(&mut self, event: Event) -> Vec<Action> {
        let session = self.engine.session.id().unwrap();
        self.input(Input::Watched(session, event))
    }

    /// Answers the last request of that name.
    fn answer(&mut self, name: &str, response: Response) -> Vec<Action> {
        self.input(Input::Responded(self.asked[name], response))
    }

    fn fail(&mut self, name: &str, failure: Failure) -> Vec<Action> {
        self.input(Input::RequestFailed(self.asked[name], failure))
    }

    /// Answers the last list with these rows.
    fn list(&mut self, rows: &[ListedArtifact]) -> Vec<Action> {
        self.answer("list", Response::Listed(listing(rows)))
    }

    fn fetched(&mut self, text: &str) -> Vec<Action> {
        self.answer("fetch", Response::Fetched(content(text)))
    }

    fn not_deployed(&mut self) -> Vec<Action> {
        self.answer("fetch", Response::NotDeployed)
    }

    /// The write in flight is durable.
    fn stored(&mut self) -> Vec<Action> {
        match self.write {
            Some(write) => self.input(Input::Stored(write)),
            None => Vec::new(),
        }
    }

    fn store_failed(&mut self) -> Vec<Action> {
        self.input(Input::StoreFailed(self.write.unwrap(), StoreFailure::Full))
    }

    fn close(&mut self, code: u16) -> Vec<Action> {
        let session = self.engine.session.id().unwrap();
        self.input(Input::SessionClosed(session, CloseReason::Closed(code, String::new())))
    }

    /// A delete event, the grace, and the artifact's own answer that it is gone.
    fn delete(&mut self, id: &str, seconds: u32) -> Vec<Action> {
        assert_eq!(self.event(deleted(id, seconds)), []);
        self.until(self.now.as_millis() + 250);
        self.not_deployed()
    }

    /// State and reason of REST APIs.
    fn status(&self) -> (SyncState, String) {
        let status = self.engine.status();
        let kind = &status.kinds[&StatusKind::Artifact(Kind::RestApi)];
        (kind.state, kind.reason.clone())
    }

    fn served(&self) -> Vec<&str> {
        self.engine.observed().served().map(|(id, _)| id.as_str()).collect()
    }

    fn intent(&self, id: &str) -> Option<Intent> {
        self.engine.desired().get(&ArtifactId::new(id)).map(|desired| desired.intent)
    }
}

/// A store that holds these artifacts, deployed and confirmed, with the definition `"a d1"`.
fn holding(rows: &[(&str, &str)]) -> Recovered {
    let rows = rows.iter().map(|(id, deployment)| {
        let held = held(&format!("{id} {deployment}"), true);
        (ArtifactId::new(id), stored_row(deployment, DeployState::Deployed, held))
    });
    Recovered { rows: rows.collect(), ..Recovered::default() }
}

fn stored_row(deployment: &str, state: DeployState, held: Held) -> Row {
    Row { kind: Kind::RestApi, state, generation: labelled(deployment), held: Some(held) }
}

fn labelled(deployment: &str) -> Generation {
    Generation { deployment: Some(DeploymentId::new(deployment)), ..Generation::default() }
}

fn performed(deployment: &str, seconds: u32) -> Generation {
    Generation { performed_at: Some(stamp(seconds)), ..labelled(deployment) }
}

fn held(text: &str, confirmed: bool) -> Held {
    Held { digest: content(text).digest, confirmed }
}

/// A definition; its digest is made of its first bytes.
fn content(text: &str) -> Content {
    let mut digest = [0; 32];
    digest.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
    Content { bytes: text.as_bytes().into(), digest: ContentDigest(digest) }
}

/// A moment of the event clock.
fn stamp(seconds: u32) -> Timestamp {
    Timestamp::parse(&stamp_text(seconds)).unwrap()
}

fn stamp_text(seconds: u32) -> String {
    format!("2026-06-17T09:{:02}:{:02}.000100Z", seconds / 60, seconds % 60)
}

fn head(id: &str, deployment: &str, seconds: Option<u32>) -> EventHead {
    EventHead {
        artifact: ArtifactId::new(id),
        kind: Kind::RestApi,
        deployment: Some(DeploymentId::new(deployment)),
        performed_at: seconds.map(stamp),
        performed_text: seconds.map(stamp_text),
        correlation: None,
    }
}

fn deployed(id: &str, deployment: &str, seconds: u32) -> Event {
    Event::Deployed(head(id, deployment, Some(seconds)))
}

fn undeployed(id: &str, deployment: &str, seconds: u32) -> Event {
    Event::Undeployed(head(id, deployment, Some(seconds)))
}

fn deleted(id: &str, seconds: u32) -> Event {
    let (artifact, kind) = (ArtifactId::new(id), Kind::RestApi);
    Event::Deleted { artifact, kind, sent_at: Some(stamp(seconds)) }
}

fn row(id: &str, deployment: &str) -> ListedArtifact {
    row_in(id, deployment, ListedState::Deployed)
}

fn row_in(id: &str, deployment: &str, state: ListedState) -> ListedArtifact {
    ListedArtifact {
        artifact: ArtifactId::new(id),
        deployment: DeploymentId::new(deployment),
        kind: Ok(Kind::RestApi),
        state,
        listed_at: None,
    }
}

fn listing(rows: &[ListedArtifact]) -> Listing {
    Listing { rows: rows.to_vec(), has_state: Some(true), ..Listing::default() }
}

fn packed(deployment: &str, text: &str) -> Packed {
    Packed { deployment: DeploymentId::new(deployment), content: content(text) }
}

fn request(id: u64, request: Request) -> Action {
    Action::Request(RequestId(id), base(), request)
}

fn fetch(id: u64, artifact: &str) -> Action {
    request(id, Request::Fetch(ArtifactId::new(artifact), Kind::RestApi))
}

fn fetch_batch(id: u64, route: BatchRoute, deployments: &[&str]) -> Action {
    let deployments = deployments.iter().map(|text| DeploymentId::new(text)).collect();
    request(id, Request::FetchBatch(route, deployments))
}

fn put(row: Row, definition: Option<&str>) -> ArtifactWrite {
    ArtifactWrite::Put { row, content: definition.map(content) }
}

fn bury(deployment: &str, seconds: u32) -> ArtifactWrite {
    let generation = performed(deployment, seconds);
    ArtifactWrite::Bury(Tombstone { generation, deleted_at: Some(stamp(seconds)) })
}

fn store(id: u64, artifacts: &[(&str, ArtifactWrite)]) -> Action {
    let artifacts =
        artifacts.iter().map(|(id, write)| (ArtifactId::new(id), write.clone())).collect();
    Action::Store(WriteId(id), Batch { artifacts, ..Batch::default() })
}

/// A deployed row with a definition, as a fetch writes it.
fn read(generation: Generation, text: &str, confirmed: bool) -> Row {
    let held = Some(held(text, confirmed));
    Row { kind: Kind::RestApi, state: DeployState::Deployed, generation, held }
}

fn withdrawn(row: Row) -> Row {
    Row { state: DeployState::Undeployed, ..row }
}

fn ack(id: &str, deployment: &str, action: AckAction, seconds: u32) -> Ack {
    Ack {
        artifact: ArtifactId::new(id),
        kind: Kind::RestApi,
        deployment: Some(DeploymentId::new(deployment)),
        action,
        status: AckStatus::Success,
        performed_text: Some(stamp_text(seconds)),
    }
}

/// The ack sent on the first session.
fn acked(id: &str, deployment: &str, action: AckAction, seconds: u32) -> Action {
    Action::Ack(SessionId(1), ack(id, deployment, action, seconds))
}
