//! `/state`: the canonical digest and every item. A hash is as good as a secret in a report, so
//! that there is one is all that is said of it (law 16).

use serde::Serialize;

use super::Scene;
use crate::engine::Engine;
use crate::model::{ArtifactId, DeployState, Recovered, ResourceRow, Row};
use crate::shell::show::{ResourceLine, full_digest};

#[derive(Serialize)]
pub(super) struct StatePage<'s> {
    digest: String,
    artifacts: Vec<ArtifactPart<'s>>,
    tombstones: Vec<&'s str>,
    resources: Vec<ResourceLine<'s>>,
}

#[derive(Serialize)]
struct ArtifactPart<'s> {
    artifact: &'s str,
    kind: &'static str,
    state: &'static str,
    /// Whether a data plane serves it now.
    served: bool,
    deployment: Option<&'s str>,
    digest: Option<String>,
    context: Option<String>,
}

/// The page.
pub(super) fn state<'s>(scene: &Scene<'s>) -> StatePage<'s> {
    let engine: &'s Engine = scene.engine;
    let durable: &'s Recovered = engine.observed().durable();
    let part = |(id, row): (&'s ArtifactId, &'s Row)| {
        let definition = scene.publisher.snapshot().definition(id);
        ArtifactPart {
            artifact: id.as_str(),
            kind: row.kind.name(),
            state: match row.state {
                DeployState::Deployed => "deployed",
                DeployState::Undeployed => "undeployed",
            },
            served: definition.is_some(),
            deployment: row.generation.deployment.as_ref().map(|id| id.as_str()),
            digest: row.held.map(|held| full_digest(&held.digest)),
            context: definition.map(|definition| definition.base_path()),
        }
    };
    let is_held = |row: &&ResourceRow| row.resource.is_some();
    let resources = durable.resources.iter().filter(|(_, row)| is_held(row));
    StatePage {
        digest: engine.observed().digest().to_string(),
        artifacts: durable.rows.iter().map(part).collect(),
        tombstones: durable.tombstones.keys().map(ArtifactId::as_str).collect(),
        resources: resources.map(|(id, row)| ResourceLine::of(id, row)).collect(),
    }
}
