//! `/status`: converged or loud (law 12).

use std::collections::BTreeMap;

use serde::Serialize;

use super::Scene;
use crate::engine::{Anomalies, KindStatus, NameCounts};
use crate::model::ArtifactId;
use crate::runtime::{Collision, Snapshot};

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
    /// Operations that several APIs have at one base path, of which one is served.
    colliding_operations: Vec<CollisionPart<'s>>,
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

/// The same APIs that collide in one operation or several.
#[derive(Serialize, PartialEq, Eq, Debug)]
struct CollisionPart<'s> {
    /// The name and version of each API, by its id.
    apis: BTreeMap<&'s str, String>,
    /// The one whose operations are served.
    served: &'s str,
    operations: usize,
    /// The first of the operations.
    first: String,
}

/// What collides, once for the same APIs.
fn collisions(snapshot: &Snapshot) -> Vec<CollisionPart<'_>> {
    let mut parts: BTreeMap<&[ArtifactId], CollisionPart<'_>> = BTreeMap::new();
    for Collision { apis, method, path } in snapshot.collisions() {
        let Some(served) = apis.first() else { continue };
        let part = parts.entry(apis).or_insert_with(|| CollisionPart {
            apis: apis.iter().map(|id| (id.as_str(), name_of(snapshot, id))).collect(),
            served: served.as_str(),
            operations: 0,
            first: format!("{method} {path}"),
        });
        part.operations += 1;
    }
    parts.into_values().collect()
}

fn name_of(snapshot: &Snapshot, id: &ArtifactId) -> String {
    let definition = snapshot.definition(id);
    let name = definition.map(|held| format!("{} {}", held.display_name, held.version));
    name.unwrap_or_default().trim().to_owned()
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
        unreadable_definitions: scene.unreadable(),
        colliding_operations: collisions(scene.publisher.snapshot()),
        definitions_to_read: scene.publisher.unread(),
        snapshot_version: scene.publisher.snapshot().version(),
        anomalies: AnomaliesPart::of(&status.anomalies),
        now: scene.wall.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::wire;

    #[test]
    fn apis_that_collide_are_named_once_with_the_one_that_is_served() {
        let definition = |name: &str, paths: &str| {
            let document = format!(
                "{{kind: RestApi, spec: {{context: /shop, displayName: {name}, version: v1, operations: [{paths}]}}}}"
            );
            Arc::new(wire::decode_api(document.as_bytes()).unwrap())
        };
        let path = |path: &str| format!("{{method: GET, path: '{path}'}}");
        let [a, b, c] = ["a", "b", "c"].map(ArtifactId::new);
        let both = [path("/items/{id}"), path("/items")].join(", ");
        let of_a = definition("Shop", &both);
        let of_b = definition("Store", &both.replace("id", "number"));
        let of_c = definition("Other", &path("/other"));
        let snapshot = Snapshot::of([(&a, &of_a), (&b, &of_b), (&c, &of_c)], []);
        let apis = [("a", "Shop v1".to_owned()), ("b", "Store v1".to_owned())].into();
        let first = "GET /shop/items".to_owned();
        let expect = [CollisionPart { apis, served: "a", operations: 2, first }];
        assert_eq!(collisions(&snapshot), expect);
        assert_eq!(collisions(&Snapshot::of([(&a, &of_a), (&c, &of_c)], [])), []);
    }
}
