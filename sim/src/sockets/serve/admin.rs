//! The admin API, for people and tests: what can be done is what a story can do, in the same
//! words.
//!
//! | | |
//! |---|---|
//! | `POST /steps` | a step without its time, such as `{"deploy":{"api":"orders"}}`, or a list |
//! | `GET /state` | APIs, keys, subscriptions, connections, waiting events, faults, traffic |
//! | `GET /ledger` | events and acks, oldest first |
//! | `GET /token` | the registration token in force |
//! | `GET /verbs` | what a step can be, with an example of each |
//! | `DELETE /faults`, `DELETE /faults/NAME` | switches every armed fault off, or one |
//! | `GET /` | a page for people |
//!
//! It protects nothing: it is for a machine of one's own.

use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use driftless_gateway::model::ApplicationId;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue, ORIGIN};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::spawn_local;

use super::served_apim::{ServedApim, VerbOutcome};
use crate::apim::{ApiManager, Issued, KeyScope, KeyState};
use crate::story::aim::GatewayIndex;
use crate::story::file::verbs;
use crate::story::step::VERBS;

/// The longest list of steps, in bytes.
const BODY_BYTES_MAX: usize = 16 << 20;

/// How long a client may take for the head of a request.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many of the latest events and acks are shown.
const SHOWN_MAX: usize = 1000;

/// The page for people.
const PAGE: &str = include_str!("page.html");

/// Serves the admin API until dropped.
pub(super) async fn serve(listener: TcpListener, host: Rc<ServedApim>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(super::ACCEPT_PAUSE).await;
            continue;
        };
        let host = Rc::clone(&host);
        spawn_local(async move {
            let service = service_fn(|request| answer(request, Rc::clone(&host)));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(PATIENCE)
                .serve_connection(TokioIo::new(stream), service);
            // What a client does to its own connection is its own business.
            let _ended = connection.await;
        });
    }
}

type Answer = Response<Full<Bytes>>;

async fn answer(request: Request<Incoming>, host: Rc<ServedApim>) -> Result<Answer, Infallible> {
    if is_from_another_page(&request) {
        return Ok(refused(StatusCode::FORBIDDEN, "asked by a page from somewhere else"));
    }
    let path = request.uri().path().to_owned();
    Ok(match (request.method(), path.as_str()) {
        (&Method::GET, "/") => plain("text/html; charset=utf-8", PAGE),
        (&Method::GET, "/state") => spoken(&state(&host)),
        (&Method::GET, "/ledger") => spoken(&host.look(ledger)),
        (&Method::GET, "/token") => {
            spoken(&host.look(|manager| json!({ "token": manager.token(GatewayIndex::FIRST) })))
        }
        (&Method::GET, "/verbs") => spoken(&vocabulary()),
        (&Method::POST, "/steps") => steps(request, &host).await,
        (&Method::DELETE, path) if is_fault(path) => switch_off(path, &host),
        (_, path) if is_fault(path) => {
            refused(StatusCode::METHOD_NOT_ALLOWED, "a fault is switched off by DELETE")
        }
        (_, "/" | "/state" | "/ledger" | "/token" | "/verbs" | "/steps") => {
            refused(StatusCode::METHOD_NOT_ALLOWED, "another method is expected")
        }
        _ => refused(
            StatusCode::NOT_FOUND,
            "not found; there are / /state /ledger /token /verbs, POST /steps and DELETE /faults",
        ),
    })
}

/// Whether a browser sends this for a page that is not ours: any page may post to this machine.
fn is_from_another_page(request: &Request<Incoming>) -> bool {
    let text =
        |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let own = text(HOST).map(|host| format!("http://{host}"));
    text(ORIGIN).is_some_and(|origin| Some(origin) != own.as_deref())
}

async fn steps(request: Request<Incoming>, host: &ServedApim) -> Answer {
    let Ok(body) = Limited::new(request.into_body(), BODY_BYTES_MAX).collect().await else {
        return refused(StatusCode::PAYLOAD_TOO_LARGE, "the steps are too long");
    };
    let body = body.to_bytes();
    let Ok(text) = std::str::from_utf8(&body) else {
        return refused(StatusCode::BAD_REQUEST, "the steps are not UTF-8");
    };
    let verbs = match verbs(text) {
        Ok(verbs) => verbs,
        Err(refusal) => return refused(StatusCode::BAD_REQUEST, &refusal.to_string()),
    };
    let outcomes: Vec<&str> = verbs.iter().map(|verb| host.apply(verb).name()).collect();
    spoken(&json!({ "outcomes": outcomes }))
}

fn is_fault(path: &str) -> bool {
    path.strip_prefix("/faults").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Switches off the fault that the path names, or all of them.
fn switch_off(path: &str, host: &ServedApim) -> Answer {
    let name = path.trim_start_matches("/faults").trim_start_matches('/');
    let is_on = if name.is_empty() { host.lift_faults() } else { host.disarm(name) };
    let outcome = if is_on { VerbOutcome::Done } else { VerbOutcome::Nothing };
    spoken(&json!({ "outcomes": [outcome.name()] }))
}

fn vocabulary() -> Value {
    let entries = VERBS.iter().map(|verb| {
        json!({
            "name": verb.name,
            "actor": verb.actor.name(),
            "says": verb.says,
            "example": verb.example,
        })
    });
    entries.collect()
}

fn state(host: &ServedApim) -> Value {
    let now = host.now();
    let traffic: Vec<Value> = host
        .traffic()
        .into_iter()
        .map(|(at, line)| json!({ "at": at.to_string(), "line": line }))
        .collect();
    host.look(|manager| {
        let ledger = manager.ledger(GatewayIndex::FIRST);
        json!({
            "dialect": manager.dialect().name(),
            "gateway": manager.gateway(GatewayIndex::FIRST),
            "base_path": manager.base_path(),
            "now": now.to_string(),
            "connections": host.connections(),
            "events_waiting": waiting(manager),
            "effects_wait": manager.has_unfinished(),
            "apis": apis(manager),
            "keys": keys(manager),
            "subscriptions": ledger.subscriptions().map(|(id, held)| json!({
                "id": id.as_str(),
                "api": held.artifact.as_str(),
                "application": application(manager, &held.application),
                "status": held.life.now().map(|now| now.status.name()),
            })).collect::<Vec<_>>(),
            "faults_armed": manager.armed(GatewayIndex::FIRST, now).iter().map(|armed| json!({
                "name": armed.name,
                "left": armed.left,
            })).collect::<Vec<_>>(),
            "faults_delivered": manager.delivered(),
            "contract_violations": manager.violations(),
            "traffic": traffic,
        })
    })
}

/// The name of an application, by which steps mean it; its id where the ledger has none.
fn application<'a>(manager: &'a ApiManager, id: &'a ApplicationId) -> &'a str {
    let record = manager.ledger(GatewayIndex::FIRST).application(id);
    record.map_or(id.as_str(), |record| &record.name)
}

/// What waits to be delivered, by type: the frames themselves may hold hashes of keys (law 16).
fn waiting(manager: &ApiManager) -> Vec<Value> {
    let events = manager.waiting_events(GatewayIndex::FIRST).map(|event| {
        let frame: Value = serde_json::from_str(event.frame).unwrap_or_default();
        json!({
            "at": event.at.to_string(),
            "type": frame["type"],
            "claimed": event.is_claimed,
        })
    });
    events.take(SHOWN_MAX).collect()
}

fn apis(manager: &ApiManager) -> Vec<Value> {
    let apis = manager.ledger(GatewayIndex::FIRST).records().map(|(id, record)| {
        let current = record.current().map(|issue| match &issue.what {
            Issued::Deployed { revision, deployment, .. } => {
                json!({ "state": "deployed", "revision": revision, "deployment": deployment.as_str() })
            }
            Issued::Undeployed => json!({ "state": "undeployed" }),
            Issued::Deleted => json!({ "state": "deleted" }),
        });
        json!({
            "id": id.as_str(),
            "name": &*record.name,
            "kind": record.kind.name(),
            "current": current,
        })
    });
    apis.collect()
}

/// The keys, with their texts: whoever creates a key is shown it, and this is who created it.
fn keys(manager: &ApiManager) -> Vec<Value> {
    let keys = manager.ledger(GatewayIndex::FIRST).keys().iter().map(|key| {
        let (api, application) = match &key.scope {
            KeyScope::Api(id) => (Some(id.as_str()), None),
            KeyScope::Application(id) => (None, Some(application(manager, id))),
        };
        let state = match key.life.now() {
            Some(KeyState::Active) => "active",
            Some(KeyState::Revoked) => "revoked",
            Some(KeyState::Regenerated) => "regenerated",
            None => "gone",
        };
        json!({
            "name": &*key.name,
            "user": &*key.user,
            "api": api,
            "application": application,
            "state": state,
            "expires": key.expires.map(|expiry| expiry.stamp.to_string()),
            "secret": key.secret.reveal(),
        })
    });
    keys.collect()
}

fn ledger(manager: &ApiManager) -> Value {
    let ledger = manager.ledger(GatewayIndex::FIRST);
    let latest = |count: usize| count.saturating_sub(SHOWN_MAX);
    let events = ledger.events().iter().skip(latest(ledger.events().len())).map(|event| {
        json!({
            "at": event.at.to_string(),
            "type": event.event_type,
            "artifact": event.artifact.as_str(),
            "fate": format!("{:?}", event.fate).to_lowercase(),
        })
    });
    let access_events =
        ledger.access_events().iter().skip(latest(ledger.access_events().len())).map(
            |access_event| {
                json!({
                    "at": access_event.at.to_string(),
                    "type": access_event.event_type,
                    "about": access_event.about.to_string(),
                    "fate": format!("{:?}", access_event.fate).to_lowercase(),
                })
            },
        );
    let acks = ledger.acks().iter().skip(latest(ledger.acks().len())).map(|ack| {
        json!({
            "at": ack.at.to_string(),
            "artifact": ack.artifact.as_str(),
            "action": format!("{:?}", ack.action).to_lowercase(),
            "status": format!("{:?}", ack.status).to_lowercase(),
            "resolved": ack.resolved,
        })
    });
    json!({
        "events": events.collect::<Vec<_>>(),
        "access_events": access_events.collect::<Vec<_>>(),
        "acks": acks.collect::<Vec<_>>(),
        "acks_total": ledger.acks().len(),
    })
}

fn spoken(value: &Value) -> Answer {
    plain("application/json", value.to_string())
}

fn plain(content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(Full::new(body.into()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn refused(status: StatusCode, problem: &str) -> Answer {
    let mut response = spoken(&json!({ "problem": problem }));
    *response.status_mut() = status;
    response
}
