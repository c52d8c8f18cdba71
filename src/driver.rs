//! Bytes in, bytes out: the codec around the engine.
//!
//! The production shell and the simulator own one each and drive it the same way, so what is
//! simulated is what ships. It holds no socket, no file and no clock, decides nothing, and knows
//! only which answer is awaited: bytes alone do not say what they answer. There is one way in,
//! [`Driver::handle`]; bodies are decoded behind it, and a [`Frame`] when it is made.
//!
//! **After every call that takes an instant, drain [`Driver::poll_outbound`] to `None`, then read
//! [`Driver::poll_timeout`].**

mod answer;
mod frame;

pub use frame::Frame;

use crate::engine::{
    Action, Change, CloseReason, Engine, Failure, Input, Request, Response, StoreFailure, Timer,
};
use crate::model::{Ack, BasePath, Batch, Listing, RequestId, SessionId, WriteId};
use crate::time::Instant;
use crate::wire::{self, ArchiveLimits, HttpRequest, HttpResponse, request};

/// The longest text frame that is read; the Platform API's own bound
/// (`docs/controller.md` §3).
pub const FRAME_BYTES_MAX: usize = 1 << 20;

/// Everything that comes in, as bytes where bytes come in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Inbound {
    /// The WebSocket upgrade of a session succeeded.
    Opened(SessionId),
    /// A session could not be opened, or ended.
    Closed(SessionId, CloseReason),
    /// A text frame arrived.
    Frame(SessionId, Frame),
    /// A binary frame of so many bytes arrived. The contract has none, so it is no event,
    /// whatever it holds.
    Binary(SessionId, usize),
    /// The control plane pinged.
    Pinged(SessionId),
    /// A request was answered and the body read to its end. An answer that nobody awaits any
    /// more is ignored.
    Responded(RequestId, HttpResponse),
    /// A request was not answered.
    RequestFailed(RequestId, Failure),
    /// A write is durable.
    Stored(WriteId),
    /// A write is not durable, and nothing of it is.
    StoreFailed(WriteId, StoreFailure),
}

/// What the engine wants done, as bytes where bytes go out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outbound {
    /// Open a WebSocket, with the `api-key` header.
    Dial {
        /// The session it is for.
        session: SessionId,
        /// The path, from the root of the host.
        path: String,
    },
    /// Close the WebSocket.
    Hangup {
        /// Whose.
        session: SessionId,
    },
    /// Send a text frame.
    Frame {
        /// On which session.
        session: SessionId,
        /// The text.
        text: String,
        /// The ack that it says.
        ack: Ack,
    },
    /// Send a request.
    Http {
        /// Names the answer.
        id: RequestId,
        /// The request.
        request: HttpRequest,
        /// What it asks for, for traces and triggers.
        name: &'static str,
    },
    /// The answer is not wanted any more.
    Cancel {
        /// Of which request.
        id: RequestId,
    },
    /// Make this durable, all of it or nothing.
    Commit {
        /// Names the outcome.
        write: WriteId,
        /// What to write.
        batch: Batch,
    },
}

/// The engine with the codec around it.
pub struct Driver {
    engine: Engine,
    limits: ArchiveLimits,
    /// The last list, as bytes and as read: most lists are the same as the one before.
    last_list: Option<(Vec<u8>, Listing)>,
}

impl Driver {
    /// A driver of `engine`, which may already want something.
    pub const fn new(engine: Engine, limits: ArchiveLimits) -> Self {
        Self { engine, limits, last_list: None }
    }

    /// Something came in.
    pub fn handle(&mut self, inbound: Inbound, now: Instant) {
        if let Some(input) = self.input(inbound) {
            self.engine.handle(input, now);
        }
    }

    /// What it means to the engine; `None` when nobody awaits it any more.
    fn input(&mut self, inbound: Inbound) -> Option<Input> {
        Some(match inbound {
            Inbound::Opened(session) => Input::SessionOpened(session),
            Inbound::Closed(session, reason) => Input::SessionClosed(session, reason),
            Inbound::Frame(session, frame) => frame.input(session),
            Inbound::Binary(session, length) => {
                Input::Malformed(session, format!("binary frame of {length} bytes"))
            }
            Inbound::Pinged(session) => Input::Pinged(session),
            Inbound::Responded(id, response) => {
                let asked = self.engine.awaited(id)?;
                match read(asked, response, &mut self.last_list, &self.limits) {
                    Ok(answer) => Input::Responded(id, answer),
                    Err(failure) => Input::RequestFailed(id, failure),
                }
            }
            Inbound::RequestFailed(id, failure) => Input::RequestFailed(id, failure),
            Inbound::Stored(write) => Input::Stored(write),
            Inbound::StoreFailed(write, failure) => Input::StoreFailed(write, failure),
        })
    }

    /// The next change to what is served, for whoever keeps a view of it; see
    /// [`Engine::poll_change`].
    pub fn poll_change(&mut self) -> Option<Change> {
        self.engine.poll_change()
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.engine.handle_timeout(now);
    }

    /// When [`Driver::handle_timeout`] is due, and for what.
    pub fn poll_timeout(&self) -> Option<(Instant, Timer)> {
        self.engine.poll_timeout()
    }

    /// The next thing to do, or `None` until something happens.
    pub fn poll_outbound(&mut self) -> Option<Outbound> {
        self.engine.poll_action().map(outbound)
    }

    /// The engine, to look at.
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }
}

/// Reads an answer. Its body is gone by when the engine hears of it, for both may be large.
fn read(
    asked: &Request,
    response: HttpResponse,
    last_list: &mut Option<(Vec<u8>, Listing)>,
    limits: &ArchiveLimits,
) -> Result<Response, Failure> {
    if let (Request::List, Some((body, listing))) = (asked, last_list.as_ref())
        && response.status == 200
        && *body == response.body
    {
        return Ok(Response::Listed(listing.clone()));
    }
    let answer = answer::read_answer(asked, &response, limits)?;
    if let Response::Listed(listing) = &answer {
        *last_list = Some((response.body, listing.clone()));
    }
    Ok(answer)
}

/// An action as bytes, where bytes go out.
fn outbound(action: Action) -> Outbound {
    match action {
        Action::OpenSession(session, base) => {
            Outbound::Dial { session, path: request::connect_path(&base) }
        }
        Action::CloseSession(session) => Outbound::Hangup { session },
        Action::Ack(session, ack) => {
            let text = wire::encode_ack(&ack);
            debug_assert_eq!(wire::decode_ack(text.as_bytes()).as_ref(), Ok(&ack));
            Outbound::Frame { session, text, ack }
        }
        Action::Request(id, base, asked) => {
            Outbound::Http { id, request: encode_request(&base, &asked), name: asked.name() }
        }
        Action::Cancel(id) => Outbound::Cancel { id },
        Action::Store(write, batch) => Outbound::Commit { write, batch },
    }
}

/// The request as it goes over the wire.
fn encode_request(base: &BasePath, asked: &Request) -> HttpRequest {
    match asked {
        Request::Discover => request::discover(),
        Request::List => request::list(base),
        Request::Fetch(artifact, kind) => request::fetch(base, artifact, *kind),
        Request::FetchBatch(route, deployments) => request::fetch_batch(base, *route, deployments),
        Request::CheckExists(artifacts) => request::check_exists(base, artifacts),
        Request::ReadKeys(kind) => request::read_keys(base, *kind),
        Request::ReadSubscriptions(artifact) => request::read_subscriptions(base, artifact),
        Request::ReadPlans => request::read_plans(base),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Config;
    use crate::model::{
        AckAction, AckStatus, ArtifactId, BatchRoute, DeploymentId, Kind, Recovered,
    };

    fn driver() -> Driver {
        let config = Config::recommended();
        let engine = Engine::recover(config, 7, Recovered::default(), Instant::START);
        Driver::new(engine, ArchiveLimits::recommended())
    }

    fn base() -> BasePath {
        BasePath::parse("internal/data/v1").unwrap()
    }

    #[test]
    fn sessions_acks_and_writes_go_out_as_they_are() {
        let session = SessionId(1);
        let path = "/internal/data/v1/ws/gateways/connect".to_owned();
        let dial = outbound(Action::OpenSession(session, base()));
        assert_eq!(dial, Outbound::Dial { session, path });
        assert_eq!(outbound(Action::CloseSession(session)), Outbound::Hangup { session });
        let ack = Ack {
            artifact: ArtifactId::new("d34a"),
            kind: Kind::RestApi,
            deployment: None,
            action: AckAction::Deploy,
            status: AckStatus::Success,
            performed_text: None,
        };
        let text = wire::encode_ack(&ack);
        assert_eq!(
            outbound(Action::Ack(session, ack.clone())),
            Outbound::Frame { session, text, ack }
        );
        let (write, batch) = (WriteId(2), Batch::default());
        assert_eq!(
            outbound(Action::Store(write, batch.clone())),
            Outbound::Commit { write, batch }
        );
    }

    #[test]
    fn every_request_goes_to_its_route_under_its_name() {
        let artifacts = vec![ArtifactId::new("d34a")];
        let deployments = vec![DeploymentId::new("5a28")];
        for (n, (asked, path)) in (0..).zip([
            (Request::Discover, "/internal/gateway/.well-known"),
            (Request::List, "/internal/data/v1/deployments"),
            (
                Request::Fetch(ArtifactId::new("d34a"), Kind::Mcp),
                "/internal/data/v1/mcp-proxies/d34a",
            ),
            (
                Request::FetchBatch(BatchRoute::Batch, deployments),
                "/internal/data/v1/deployments/batch",
            ),
            (Request::CheckExists(artifacts), "/internal/data/v1/artifacts/exists"),
            (Request::ReadKeys(Kind::RestApi), "/internal/data/v1/apis/api-keys"),
            (
                Request::ReadSubscriptions(ArtifactId::new("d34a")),
                "/internal/data/v1/apis/d34a/subscriptions",
            ),
            (Request::ReadPlans, "/internal/data/v1/subscription-plans"),
        ]) {
            let id = RequestId(n);
            let action = Action::Request(id, base(), asked.clone());
            let Outbound::Http { id: sent, request, name } = outbound(action) else {
                panic!("{asked:?} is no request");
            };
            assert_eq!((sent, request.path.as_str(), name), (id, path, asked.name()));
        }
    }

    #[test]
    fn what_comes_in_goes_on_in_the_engines_terms() {
        let mut driver = driver();
        let (session, write) = (SessionId(4), WriteId(2));
        let lost = CloseReason::Lost("reset".to_owned());
        let malformed = |why: &str| Input::Malformed(session, why.to_owned());
        for (inbound, input) in [
            (Inbound::Opened(session), Input::SessionOpened(session)),
            (Inbound::Closed(session, lost.clone()), Input::SessionClosed(session, lost)),
            (Inbound::Frame(session, Frame::read(b"{}".to_vec())), malformed("type is missing")),
            (Inbound::Binary(session, 7), malformed("binary frame of 7 bytes")),
            (Inbound::Pinged(session), Input::Pinged(session)),
            (Inbound::Stored(write), Input::Stored(write)),
            (
                Inbound::StoreFailed(write, StoreFailure::Full),
                Input::StoreFailed(write, StoreFailure::Full),
            ),
        ] {
            assert_eq!(driver.input(inbound), Some(input));
        }
    }

    #[test]
    fn an_answer_is_read_as_what_was_asked_for_and_only_while_it_is_awaited() {
        let mut driver = driver();
        let Some(Outbound::Http { id, name: "discover", .. }) = driver.poll_outbound() else {
            panic!("an engine that was never connected asks where to go");
        };
        let response = HttpResponse { status: 500, content_type: None, body: Vec::new() };
        let answer = Inbound::Responded(id, response);
        let failed = Some(Input::RequestFailed(id, Failure::Status(500)));
        assert_eq!(driver.input(answer.clone()), failed);
        driver.handle(answer.clone(), Instant::START);
        assert_eq!(driver.input(answer), None, "it was answered");
    }
}
