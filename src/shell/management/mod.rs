//! The management endpoint: health, status, state and metrics, by plain HTTP on an address of its
//! own.
//!
//! | path | answers |
//! |---|---|
//! | `/health/live` | 200 while the loop turns |
//! | `/health/ready` | 200 once every kind was settled once, or a last good state was recovered |
//! | `/status` | JSON: each kind with state, reason, since when, counts and the bound of law 11 |
//! | `/state` | JSON: the canonical digest and every item; no hash and no token |
//! | `/metrics` | the Prometheus text format |

mod metrics;
mod server;
mod state;
mod status;

use std::collections::BTreeMap;

use hyper::StatusCode;

use super::config::Endpoint;
use super::counters::Counters;
use super::watch::StateWatch;
use crate::engine::Engine;
use crate::publish::Publisher;
use crate::time::{Instant, Timestamp};

pub use server::{Listener, serve};

/// A page of the management endpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Page {
    /// Whether the loop turns.
    Live,
    /// Whether a data plane can be let loose on this gateway.
    Ready,
    /// How each kind stands.
    Status,
    /// Everything that is held.
    State,
    /// Counters.
    Metrics,
}

impl Page {
    /// The page at a path.
    pub fn at(path: &str) -> Option<Self> {
        Some(match path {
            "/health/live" => Self::Live,
            "/health/ready" => Self::Ready,
            "/status" => Self::Status,
            "/state" => Self::State,
            "/metrics" => Self::Metrics,
            _ => return None,
        })
    }
}

/// A page's content.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PageAnswer {
    /// The status.
    pub status: StatusCode,
    /// What the body is.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

/// What the pages are made from.
pub(super) struct Scene<'g> {
    pub(super) engine: &'g Engine,
    pub(super) publisher: &'g Publisher,
    pub(super) counters: &'g Counters,
    pub(super) watch: &'g StateWatch,
    pub(super) endpoint: &'g Endpoint,
    pub(super) warnings: &'g [String],
    pub(super) now: Instant,
    pub(super) wall: Timestamp,
}

impl<'g> Scene<'g> {
    /// The artifacts whose newest definition cannot be read, with the reason: those that keep the
    /// one before, and those whose stored one says nothing.
    fn unreadable(&self) -> BTreeMap<&'g str, &'g str> {
        let all = self.publisher.unreadable().chain(self.engine.unreadable());
        all.map(|(id, why)| (id.as_str(), why)).collect()
    }

    pub(super) fn answer(&self, page: Page) -> PageAnswer {
        match page {
            Page::Live => text(StatusCode::OK, "live\n".to_owned()),
            Page::Ready if self.watch.is_ready() => text(StatusCode::OK, "ready\n".to_owned()),
            Page::Ready => text(StatusCode::SERVICE_UNAVAILABLE, self.why_not_ready()),
            Page::Status => json(&status::status(self)),
            Page::State => json(&state::state(self)),
            Page::Metrics => PageAnswer {
                status: StatusCode::OK,
                content_type: "text/plain; version=0.0.4",
                body: metrics::metrics(self).into_bytes(),
            },
        }
    }

    fn why_not_ready(&self) -> String {
        let missing: Vec<String> = self.watch.missing().map(|kind| kind.to_string()).collect();
        format!("not ready: never read to the end: {}\n", missing.join(", "))
    }

    /// A local moment as a time of day.
    fn time_of_day(&self, at: Instant) -> Timestamp {
        let ago = i128::try_from(self.now.since(at).as_nanos()).unwrap_or(i128::MAX);
        Timestamp::from_unix_nanos(self.wall.unix_nanos() - ago, 3)
    }
}

fn text(status: StatusCode, body: String) -> PageAnswer {
    PageAnswer { status, content_type: "text/plain; charset=utf-8", body: body.into_bytes() }
}

fn json(value: &impl serde::Serialize) -> PageAnswer {
    match serde_json::to_vec_pretty(value) {
        Ok(mut body) => {
            body.push(b'\n');
            PageAnswer { status: StatusCode::OK, content_type: "application/json", body }
        }
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}
