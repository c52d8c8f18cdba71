//! `converges`: at rest, what is served equals what the ledger says this gateway must hold.

use super::{Moment, Phase, Property, Scene, Verdicts, access};
use crate::apim::Issued;
use crate::plant::Plant;
use driftless_gateway::engine::{Engine, ResourceKind, SyncState};
use driftless_gateway::model::Kind;

/// The property; it has no books.
#[derive(Clone, Copy, Debug)]
pub(super) struct Converges;

impl Property for Converges {
    fn name(&self) -> &'static str {
        "converges"
    }

    fn looks_at(&self, moment: &Moment<'_>) -> bool {
        matches!(moment, Moment::Rest)
    }

    fn look(&mut self, scene: &Scene<'_>, moment: &Moment<'_>, verdicts: &mut Verdicts) {
        let is_due = scene.phase != Phase::Story && matches!(moment, Moment::Rest);
        if let Some((subject, expected, found)) = is_due.then(|| unmet(scene)).flatten() {
            verdicts.violated(self.name(), scene.now, subject, expected, found);
        }
    }
}

/// The first condition of convergence that is not met: subject, expected, found.
pub(super) fn unmet(scene: &Scene<'_>) -> Option<(String, String, String)> {
    let engine = match scene.engine {
        Some(engine) if engine.is_live() => engine,
        Some(_) => return Some(("session".into(), "live".into(), "not live".into())),
        None => return Some(("gateway".into(), "running".into(), "down".into())),
    };
    if let Some(difference) = difference(scene) {
        return Some(difference);
    }
    if let Some(access::Difference { subject, expected, found, .. }) = access::difference(scene) {
        return Some((subject, expected, found));
    }
    let kind = unsettled(engine)?;
    let status = engine.status();
    let said = status.kinds.get(&kind);
    let found = said.map(|said| format!("{}: {}", said.state, said.reason)).unwrap_or_default();
    Some((format!("status of {kind}"), "settled".into(), found))
}

/// Whether every condition of convergence is met: what `unmet` finds, the cheapest first.
pub fn is_met(scene: &Scene<'_>) -> bool {
    let is_settled = |engine: &Engine| engine.is_live() && unsettled(engine).is_none();
    scene.engine.is_some_and(is_settled)
        && difference(scene).is_none()
        && access::difference(scene).is_none()
}

/// A kind whose lists were not all read to their end. What no list can verify is not waited for.
fn unsettled(engine: &Engine) -> Option<ResourceKind> {
    if engine.kind_state(Kind::RestApi) != SyncState::Synced {
        return Some(ResourceKind::Artifact(Kind::RestApi));
    }
    let is_open = |kind: &ResourceKind| {
        matches!(engine.resource_state(*kind), SyncState::Syncing | SyncState::Stale)
            || engine.awaits_lists(*kind)
    };
    [ResourceKind::ApiKey, ResourceKind::Subscription, ResourceKind::Plan].into_iter().find(is_open)
}

/// The first difference between what is served and what the ledger says.
pub(super) fn difference(scene: &Scene<'_>) -> Option<(String, String, String)> {
    for (id, wanted) in scene.ledger.must_serve() {
        let served = scene.served.get(id);
        let is_met = served.is_some_and(|served| {
            served.digest == wanted.digest && served.deployment.as_ref() == Some(wanted.deployment)
        });
        if !is_met {
            let expected = format!("served as {} {}", wanted.deployment, wanted.digest);
            let found = served.map_or("not served".to_owned(), |served| {
                let label = served.deployment.as_ref().map_or("-", |id| id.as_str());
                format!("served as {label} {}", served.digest)
            });
            return Some((scene.name(id), expected, found));
        }
    }
    for (id, served) in scene.served {
        let is_wanted = scene
            .ledger
            .current(id)
            .is_some_and(|issue| matches!(issue.what, Issued::Deployed { .. }));
        if !is_wanted {
            let found = format!("served with {}", served.digest);
            return Some((scene.name(id), "not served".into(), found));
        }
    }
    None
}

impl Scene<'_> {
    /// The state of a kind as the gateway tells it.
    pub fn said(&self, engine: &Engine, kind: Kind) -> SyncState {
        match self.plant {
            Some(Plant::LyingStatus) => SyncState::Synced,
            _ => engine.kind_state(kind),
        }
    }

    /// The state of a kind of resources as the gateway tells it.
    pub fn said_of(&self, engine: &Engine, kind: ResourceKind) -> SyncState {
        match self.plant {
            Some(Plant::LyingStatus) => SyncState::Synced,
            _ => engine.resource_state(kind),
        }
    }

    /// The artifact's name in the story, with its id.
    pub fn name(&self, id: &driftless_gateway::model::ArtifactId) -> String {
        match self.ledger.record(id) {
            Some(record) => format!("{} ({id})", record.name),
            None => id.to_string(),
        }
    }
}
