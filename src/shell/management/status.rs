//! `/status`: converged or loud (law 12).

use std::collections::BTreeMap;

use serde::Serialize;

use super::Scene;
use crate::engine::{Anomalies, KindStatus, NameCounts};

#[derive(Serialize)]
pub(super) struct StatusPage<'s> {
    version: &'static str,
    control_plane: ControlPlanePart<'s>,
    session: String,
    ready: bool,
    /// What an operator should know, such as verification that was switched off.
    warnings: &'s [String],
    kinds: BTreeMap<String, KindPart>,
    /// Artifacts that should be served and whose definition says nothing that can be read.
    unreadable_definitions: BTreeMap<&'s str, &'s str>,
    /// Definitions that are still to be read before they are served.
    definitions_to_read: usize,
    snapshot_version: u64,
    /// What was seen and could not be used.
    anomalies: AnomaliesPart,
    now: String,
}

#[derive(Serialize)]
struct ControlPlanePart<'s> {
    url: String,
    base: Option<String>,
    dialect: Option<&'s str>,
}

#[derive(Serialize)]
struct KindPart {
    state: &'static str,
    reason: String,
    since: String,
    served: usize,
    retained: usize,
    /// After how many seconds a dead credential is refused at the latest (law 11).
    #[serde(skip_serializing_if = "Option::is_none")]
    revocation_bound_s: Option<u64>,
}

#[derive(Serialize)]
struct AnomaliesPart {
    unknown_events: BTreeMap<String, u64>,
    events_not_held: BTreeMap<String, u64>,
    malformed_frames: u64,
    unknown_kinds: BTreeMap<String, u64>,
    unclear_states: BTreeMap<String, u64>,
    unreadable_rows: u64,
    unreadable_keys: u64,
    incomplete_changes: u64,
    evicted: u64,
    acks_dropped: u64,
    acks_superseded: u64,
}

impl AnomaliesPart {
    fn of(anomalies: &Anomalies) -> Self {
        let named = |counts: &NameCounts| {
            counts.iter().map(|(name, count)| (name.to_owned(), count)).collect()
        };
        Self {
            unknown_events: named(&anomalies.unknown_events),
            events_not_held: named(&anomalies.events_not_held),
            malformed_frames: anomalies.malformed_frames,
            unknown_kinds: named(&anomalies.unknown_kinds),
            unclear_states: named(&anomalies.unclear_states),
            unreadable_rows: anomalies.unreadable_rows,
            unreadable_keys: anomalies.unreadable_keys,
            incomplete_changes: anomalies.incomplete_changes,
            evicted: anomalies.evicted,
            acks_dropped: anomalies.acks_dropped,
            acks_superseded: anomalies.acks_superseded,
        }
    }
}

/// The page.
pub(super) fn status<'s>(scene: &Scene<'s>) -> StatusPage<'s> {
    let status = scene.engine.status();
    let part = |kind: KindStatus| KindPart {
        state: kind.state.name(),
        reason: kind.reason,
        since: scene.time_of_day(kind.since).to_string(),
        served: kind.served,
        retained: kind.retained,
        revocation_bound_s: kind.bound.map(|bound| bound.as_secs()),
    };
    let base = status.control_plane.map(|found| found.base.as_str().to_owned());
    StatusPage {
        version: env!("CARGO_PKG_VERSION"),
        control_plane: ControlPlanePart {
            url: scene.endpoint.to_string(),
            base,
            dialect: scene.engine.dialect().map(|dialect| dialect.name()),
        },
        session: status.session,
        ready: scene.watch.is_ready(),
        warnings: scene.warnings,
        kinds: status.kinds.into_iter().map(|(kind, it)| (kind.to_string(), part(it))).collect(),
        unreadable_definitions: scene
            .publisher
            .unreadable()
            .map(|(id, why)| (id.as_str(), why))
            .collect(),
        definitions_to_read: scene.publisher.unread(),
        snapshot_version: scene.publisher.snapshot().version(),
        anomalies: AnomaliesPart::of(&status.anomalies),
        now: scene.wall.to_string(),
    }
}
