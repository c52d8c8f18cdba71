//! The harm that a planted defect does, at the places where the world lets it in.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use driftless_gateway::engine::Config;
use driftless_gateway::model::{DeployState, Event, Recovered};
use driftless_gateway::wire::{HttpResponse, decode_listing};
use serde_json::Value;

use super::Plant;
use super::memory::Memory;
use crate::apim::Upgrade;
use crate::story::aim::GatewayIndex;

/// Longer than any run.
const NEVER: Duration = Duration::from_secs(1_000_000);

/// Where a guess leads when nothing answers discovery.
const GUESSED: &[u8] = br#"{"gatewayPath":"api/internal/v1"}"#;

/// What a run is made to depend on by [`Plant::Chance`].
static RUNS: AtomicU64 = AtomicU64::new(0);

/// The last event of an artifact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum LastEvent {
    Deployed,
    Undeployed,
}

/// A planted defect at work in one run, or none.
#[derive(Debug, Default)]
pub struct Sabotage {
    pub(super) plant: Option<Plant>,
    /// What a defect about keys and subscriptions remembers.
    pub(super) memory: Memory,
    /// The first list that was one.
    first_list: Option<HttpResponse>,
    /// By path: how often a definition was read, and the first answer.
    definitions: BTreeMap<String, (u64, HttpResponse)>,
    /// By artifact that a list had, whether the last one did.
    listed: BTreeMap<String, bool>,
    /// By artifact, the last event.
    events: BTreeMap<String, LastEvent>,
    /// Something went wrong that is never forgotten.
    is_final: bool,
}

impl Sabotage {
    /// The work of `plant`.
    pub fn new(plant: Option<Plant>) -> Self {
        Self { plant, ..Self::default() }
    }

    /// Whether that is the defect.
    pub fn is(&self, plant: Plant) -> bool {
        self.plant == Some(plant)
    }

    /// The gateway whose registration token a gateway shows.
    pub fn token_of(&self, gateway: GatewayIndex) -> GatewayIndex {
        if self.is(Plant::OneTokenForAll) { GatewayIndex::FIRST } else { gateway }
    }

    /// Whether events are sent to a gateway.
    pub fn is_sent_to(&self, gateway: GatewayIndex) -> bool {
        gateway == GatewayIndex::FIRST || !self.is(Plant::FirstGatewayOnly)
    }

    /// Breaks the limits that a law rests on.
    pub fn configure(&self, config: &mut Config) {
        match self.plant {
            Some(Plant::TrustStaleReads) => {
                config.read_lag_max = Duration::ZERO;
                config.orphan_delay = Duration::ZERO;
            }
            Some(Plant::NeverResync) => config.resync_interval = NEVER,
            Some(Plant::EternalLease) => config.lease = NEVER,
            Some(Plant::NeverRetry) => {
                config.backoff_min = NEVER;
                config.backoff_max = NEVER;
            }
            Some(Plant::BusyLoop) => {
                config.resync_interval = Duration::from_millis(200);
                config.list_spacing = Duration::ZERO;
            }
            Some(Plant::NoBackoff) => {
                config.backoff_min = Duration::ZERO;
                config.backoff_max = Duration::ZERO;
            }
            _ => {}
        }
    }

    /// Breaks what was recovered on its way from the store to the engine.
    pub fn recovered(&mut self, mut recovered: Recovered) -> Recovered {
        if self.notes_events() {
            let ids = recovered.rows.keys();
            self.events = ids.map(|id| (id.to_string(), LastEvent::Deployed)).collect();
        }
        self.forget_resources(&mut recovered);
        let states = match self.plant {
            Some(Plant::ForgetEndings) => {
                recovered.tombstones.clear();
                DeployState::Deployed
            }
            Some(Plant::ColdStart) => DeployState::Undeployed,
            Some(Plant::ReadAgain) => {
                let held = recovered.rows.values_mut().filter_map(|row| row.held.as_mut());
                held.for_each(|held| held.confirmed = false);
                return recovered;
            }
            _ => return recovered,
        };
        for row in recovered.rows.values_mut().filter(|row| row.held.is_some()) {
            row.state = states;
        }
        recovered
    }

    /// Whether the defect needs to know what events said.
    const fn notes_events(&self) -> bool {
        matches!(self.plant, Some(Plant::EventsAreFacts | Plant::EventsOnly))
    }

    /// Breaks the answer to an attempt to connect.
    pub fn upgrade(&mut self, upgrade: Upgrade) -> Upgrade {
        if self.is(Plant::RefusalIsFinal) {
            self.is_final |= matches!(upgrade, Upgrade::Status(_));
            if self.is_final {
                return Upgrade::Status(401);
            }
        }
        upgrade
    }

    /// Breaks an answer on its way to the gateway.
    pub fn answer(&mut self, name: &str, path: &str, answer: &mut HttpResponse) {
        if name.starts_with("read_") {
            return self.answer_roll(name, path, answer);
        }
        match (self.plant, name) {
            (Some(Plant::FailureIsEmpty), "list") if !is_list(answer) => {
                *answer = ok(br#"{"deployments":[]}"#);
            }
            (Some(Plant::FailureIsEmpty), "fetch") if answer.status != 200 => {
                answer.status = 404;
                answer.body.clear();
            }
            (Some(Plant::StateIgnored), "list") => {
                let text = String::from_utf8_lossy(&answer.body).replace("undeployed", "deployed");
                answer.body = text.into_bytes();
            }
            (Some(Plant::StuckList), "list") if is_list(answer) => {
                *answer = self.first_list.get_or_insert_with(|| answer.clone()).clone();
            }
            (Some(Plant::CachedDefinitions), "fetch") if answer.status == 200 => {
                let known = self.definitions.entry(path.to_owned());
                let (reads, first) = known.or_insert_with(|| (0, answer.clone()));
                *reads += 1;
                if reads.is_multiple_of(2) {
                    *answer = first.clone();
                }
            }
            (Some(Plant::Poison), "fetch" | "fetch_batch") => {
                self.is_final |= !matches!(answer.status, 200 | 404);
                if self.is_final {
                    answer.status = 500;
                }
            }
            (Some(Plant::GuessedBase), "discover") => {
                self.is_final |= answer.status != 200;
                if self.is_final {
                    *answer = ok(GUESSED);
                }
            }
            (Some(Plant::EventsAreFacts), "fetch") => {
                let id = path.rsplit('/').next().unwrap_or_default();
                if self.events.get(id) == Some(&LastEvent::Undeployed) {
                    answer.status = 404;
                    answer.body.clear();
                }
            }
            (Some(Plant::EventsAreFacts), "list") if is_list(answer) => {
                keep_rows(answer, |id| self.events.get(id) != Some(&LastEvent::Undeployed));
            }
            (Some(Plant::AbsentIsGone), "list") if is_list(answer) => self.note_absences(answer),
            (Some(Plant::AbsentIsGone), "fetch") => {
                let id = path.rsplit('/').next().unwrap_or_default();
                if self.listed.get(id) == Some(&false) {
                    answer.status = 404;
                    answer.body.clear();
                }
            }
            (Some(Plant::EventsOnly), "list") if is_list(answer) => {
                keep_rows(answer, |id| self.events.contains_key(id));
            }
            _ => {}
        }
    }

    fn note_absences(&mut self, answer: &HttpResponse) {
        let Ok(listing) = decode_listing(&answer.body) else { return };
        self.listed.values_mut().for_each(|is_listed| *is_listed = false);
        let ids = listing.rows.iter().map(|row| row.artifact.to_string());
        self.listed.extend(ids.map(|id| (id, true)));
    }

    /// The frames that the gateway is told beside a list: what of `served` it lacks is deleted.
    pub fn beside<'a>(
        &self,
        name: &str,
        answer: &HttpResponse,
        served: impl Iterator<Item = &'a str>,
    ) -> Vec<String> {
        if !self.is(Plant::AbsentIsGone) || name != "list" || answer.status != 200 {
            return Vec::new();
        }
        let Ok(listing) = decode_listing(&answer.body) else { return Vec::new() };
        let is_listed = |id: &str| listing.rows.iter().any(|row| row.artifact.as_str() == id);
        served.filter(|id| !is_listed(id)).map(deleted).collect()
    }

    /// An event arrives while `is_reading`; returns whether the engine hears of it.
    pub fn hears(&mut self, event: Option<&Event>, is_reading: bool) -> bool {
        let (heard, id) = match event {
            Some(Event::ConnectionAck { .. }) | None => return true,
            Some(Event::Deployed(head)) => (LastEvent::Deployed, Some(&head.artifact)),
            Some(Event::Undeployed(head)) => (LastEvent::Undeployed, Some(&head.artifact)),
            Some(Event::Changed(event)) if !self.hears_of(event) => return false,
            Some(_) => (LastEvent::Deployed, None),
        };
        if let Some(id) = id.filter(|_| self.notes_events()) {
            self.events.insert(id.to_string(), heard);
        }
        !(self.is(Plant::Deaf) || self.is(Plant::DeafWhileReading) && is_reading)
    }

    /// APIM closed the session.
    pub fn closed(&mut self, code: u16) {
        self.is_final |= self.is(Plant::RefusalIsFinal) && code == 4401;
    }

    /// Something that no seed decides.
    pub fn chance(&self) -> Option<u64> {
        self.is(Plant::Chance).then(|| RUNS.fetch_add(1, Ordering::Relaxed))
    }
}

fn is_list(answer: &HttpResponse) -> bool {
    answer.status == 200 && decode_listing(&answer.body).is_ok()
}

/// Leaves in a list what `is_kept` says of its artifact.
fn keep_rows(answer: &mut HttpResponse, is_kept: impl Fn(&str) -> bool) {
    let Ok(mut list) = serde_json::from_slice::<Value>(&answer.body) else { return };
    if let Some(rows) = list.get_mut("deployments").and_then(Value::as_array_mut) {
        rows.retain(|row| row.get("artifactId").and_then(Value::as_str).is_some_and(&is_kept));
    }
    answer.body = list.to_string().into_bytes();
}

fn ok(body: &[u8]) -> HttpResponse {
    let content_type = Some("application/json".to_owned());
    HttpResponse { status: 200, content_type, body: body.to_vec() }
}

/// An `api.deleted` that is newer than everything.
fn deleted(id: &str) -> String {
    format!(
        r#"{{"type":"api.deleted","payload":{{"apiId":"{id}"}},"timestamp":"2099-01-01T00:00:00Z"}}"#
    )
}
