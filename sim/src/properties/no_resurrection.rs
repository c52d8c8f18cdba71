//! `no_resurrection`: what was undeployed or deleted and withdrawn is not served again until APIM
//! deploys it again, and a key that was ended and dropped opens nothing again (law 5).

use std::collections::{BTreeMap, BTreeSet};

use driftless_gateway::model::{ArtifactId, Resource, ResourceId, SecretHash};
use driftless_gateway::time::Instant;

use super::{Property, Verdicts};
use crate::apim::{Issued, KeyState};
use crate::observe::{Context, HeldChange, Observation};

/// What the gateway withdrew and dropped for a reason.
#[derive(Clone, Debug, Default)]
pub(super) struct NoResurrection {
    /// By artifact, the number of the newest ending that it honoured.
    honoured: BTreeMap<ArtifactId, u32>,
    /// Keys whose end it was told of and whose absence is durable, with when they were dropped.
    dropped: BTreeMap<(ResourceId, SecretHash), Instant>,
}

impl Property for NoResurrection {
    fn name(&self) -> &'static str {
        "no_resurrection"
    }

    fn looks_at(&self, observation: &Observation<'_>) -> bool {
        matches!(
            observation,
            Observation::Wiped | Observation::Served { .. } | Observation::Held(_)
        )
    }

    fn look(
        &mut self,
        context: &Context<'_>,
        observation: &Observation<'_>,
        verdicts: &mut Verdicts,
    ) {
        if matches!(observation, Observation::Wiped) {
            self.honoured.clear();
            self.dropped.clear();
        }
        if let Observation::Held(change) = observation {
            self.held(context, change, verdicts);
        }
        let Observation::Served { artifact, before, after } = observation else { return };
        let Some(record) = context.ledger.record(artifact) else { return };
        if before.is_some() && after.is_none() && context.engine.is_none() {
            // A process that is down withdraws nothing for good.
            return;
        }
        if before.is_some() && after.is_none() {
            let ending = record
                .issues
                .iter()
                .rev()
                .find(|issue| matches!(issue.what, Issued::Undeployed | Issued::Deleted));
            // A withdrawal that could not be written comes back with the next crash.
            let is_durable =
                context.committed.rows.get(*artifact).is_none_or(|row| !row.is_served());
            if let Some(ending) = ending.filter(|_| is_durable) {
                self.honoured.insert((*artifact).clone(), ending.number);
            }
            return;
        }
        let (None, Some(_)) = (before, after) else { return };
        let Some(honoured) = self.honoured.get(*artifact).copied() else { return };
        let is_deployed_since = record
            .issues
            .iter()
            .any(|issue| issue.number > honoured && matches!(issue.what, Issued::Deployed { .. }));
        if !is_deployed_since {
            verdicts.violated(
                self.name(),
                context.now,
                context.name(artifact),
                format!("gone since statement {honoured}"),
                "served again",
            );
        }
    }
}

impl NoResurrection {
    /// The keys of a name changed.
    fn held(&mut self, context: &Context<'_>, change: &HeldChange, verdicts: &mut Verdicts) {
        let id = &change.id;
        let (before, after) = (hashes(change.before.as_ref()), hashes(change.after.as_ref()));
        let row = context.committed.resources.get(id).and_then(|row| row.resource.as_ref());
        let durable = hashes(row);
        for hash in before.difference(&after).filter(|hash| is_dead(context, hash)) {
            if !durable.contains(hash) && was_told(context, id, hash) {
                self.dropped.insert((id.clone(), *hash), context.now);
            }
        }
        for hash in after.difference(&before) {
            let dropped = self.dropped.remove(&(id.clone(), *hash));
            if dropped.is_some_and(|at| !lived_since(context, hash, at)) {
                let (expected, found) = ("gone since it was ended", "in force again");
                verdicts.violated(self.name(), context.now, context.about(id), expected, found);
            }
        }
    }
}

fn hashes(resource: Option<&Resource>) -> BTreeSet<SecretHash> {
    match resource {
        Some(Resource::ApiKey(slot)) => slot.credentials.iter().map(|key| key.hash).collect(),
        _ => BTreeSet::new(),
    }
}

/// Whether a key was revoked or regenerated.
fn is_dead(context: &Context<'_>, hash: &SecretHash) -> bool {
    context.ledger.key_with(hash).is_some_and(|(_, key)| {
        matches!(key.life.now(), Some(KeyState::Revoked | KeyState::Regenerated))
    })
}

/// Whether a backup brought a key back to life since then. It opens for good reason: a list named
/// it, and what came of that may be written after its next end.
fn lived_since(context: &Context<'_>, hash: &SecretHash, since: Instant) -> bool {
    context.ledger.key_with(hash).is_some_and(|(_, key)| {
        let mut said = key.life.said().iter().filter(|said| said.at > since);
        said.any(|said| said.what == Some(KeyState::Active))
    })
}

/// Whether an event told of the end of that very key. Where only a list lacked it, nothing says
/// from when on it is dead.
fn was_told(context: &Context<'_>, id: &ResourceId, hash: &SecretHash) -> bool {
    let (ResourceId::ApiKey(artifact, _), Some((index, _))) = (id, context.ledger.key_with(hash))
    else {
        return false;
    };
    let mut ends =
        context.ledger.access_events_of(index, artifact).filter(|event| event.ends == Some(index));
    ends.any(|event| context.heard.at(event).is_some())
}
