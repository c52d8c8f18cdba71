//! `converges`: at rest, what is served equals what the ledger says this gateway must hold.

use super::{Property, Verdicts, access};
use crate::apim::Issued;
use crate::observe::{Context, Difference, Differences, Observation, Phase};
use driftless_gateway::engine::{Engine, StatusKind, SyncState};
use driftless_gateway::model::Kind;

/// The property; it keeps nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Converges;

impl Property for Converges {
    fn name(&self) -> &'static str {
        "converges"
    }

    fn looks_at(&self, observation: &Observation<'_>) -> bool {
        matches!(observation, Observation::Rest(_))
    }

    fn look(
        &mut self,
        context: &Context<'_>,
        observation: &Observation<'_>,
        verdicts: &mut Verdicts,
    ) {
        let Observation::Rest(differences) = observation else { return };
        if context.phase == Phase::Story {
            return;
        }
        if let Some((subject, expected, found)) = unmet(context, differences) {
            verdicts.violated(self.name(), context.now, subject, expected, found);
        }
    }
}

/// The first condition of convergence that is not met: subject, expected, found.
fn unmet(context: &Context<'_>, differences: &Differences) -> Option<(String, String, String)> {
    let engine = match context.engine {
        Some(engine) if engine.is_live() => engine,
        Some(_) => return Some(("session".into(), "live".into(), "not live".into())),
        None => return Some(("gateway".into(), "running".into(), "down".into())),
    };
    if let Some(Difference { subject, expected, found, .. }) = differences.first().cloned() {
        return Some((subject, expected, found));
    }
    let kind = unsettled(context, engine)?;
    let status = engine.status();
    let said = status.kinds.get(&kind);
    let found = said.map(|said| format!("{}: {}", said.state, said.reason)).unwrap_or_default();
    Some((format!("status of {kind}"), "settled".into(), found))
}

/// Whether every condition of convergence is met: what `unmet` finds, the cheapest first.
pub fn is_met(context: &Context<'_>) -> bool {
    let is_settled = |engine: &Engine| engine.is_live() && unsettled(context, engine).is_none();
    context.engine.is_some_and(is_settled)
        && difference(context).is_none()
        && access::difference(context).is_none()
}

/// A kind whose lists were not all read to their end. What no list can verify is not waited for,
/// and no kind is synced with a definition that cannot be read.
fn unsettled(context: &Context<'_>, engine: &Engine) -> Option<StatusKind> {
    let apis = StatusKind::Artifact(Kind::RestApi);
    let is_synced = engine.state(apis) == SyncState::Synced;
    let is_unreadable = context.ledger.unreadable().next().is_some();
    let is_settled = match is_unreadable {
        false => is_synced,
        true => !is_synced && !engine.awaits_lists(apis),
    };
    if !is_settled {
        return Some(StatusKind::Artifact(Kind::RestApi));
    }
    let is_open = |kind: &StatusKind| {
        matches!(engine.state(*kind), SyncState::Syncing | SyncState::Stale)
            || engine.awaits_lists(*kind)
    };
    [StatusKind::ApiKey, StatusKind::Subscription, StatusKind::Plan].into_iter().find(is_open)
}

/// How what is served and held differs from what the ledger says.
pub fn differences(context: &Context<'_>) -> Differences {
    Differences { served: difference(context), access: access::difference(context) }
}

/// The first difference between what is served and what the ledger says.
fn difference(context: &Context<'_>) -> Option<Difference> {
    let of = |id, expected, found| {
        let kind = StatusKind::Artifact(Kind::RestApi);
        Some(Difference { kind, subject: context.name(id), expected, found })
    };
    for (id, wanted) in context.ledger.must_serve().filter(|(_, wanted)| wanted.is_readable) {
        let served = context.served.get(id);
        let is_met = served.is_some_and(|served| {
            served.digest == wanted.digest && served.deployment.as_ref() == Some(wanted.deployment)
        });
        if !is_met {
            let expected = format!("served as {} {}", wanted.deployment, wanted.digest);
            let found = served.map_or("not served".to_owned(), |served| {
                let label = served.deployment.as_ref().map_or("-", |id| id.as_str());
                format!("served as {label} {}", served.digest)
            });
            return of(id, expected, found);
        }
    }
    for (id, served) in context.served {
        let is_wanted = context
            .ledger
            .current(id)
            .is_some_and(|issue| matches!(issue.what, Issued::Deployed { .. }));
        if !is_wanted {
            let found = format!("served with {}", served.digest);
            return of(id, "not served".into(), found);
        }
    }
    None
}
