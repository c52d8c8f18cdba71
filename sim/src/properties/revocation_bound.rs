//! `revocation_bound`: a dead credential is refused within the bound that the status prints
//! (law 11), and at once when the gateway was told.
//!
//! Expiry is judged by the snapshot at every request; `same_decision` looks at it.

use std::cmp::Ordering;
use std::time::Duration;

use driftless_gateway::model::{ArtifactId, Resource, ResourceId};
use driftless_gateway::time::Instant;

use super::{Property, Verdicts};
use crate::apim::{AccessEvent, KeyIndex, KeyRecord};
use crate::observe::{Context, Observation};

/// How long a gateway that was told may take to write it down.
const TOLD: Duration = Duration::from_secs(2);

/// The property; it keeps nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct RevocationBound;

impl Property for RevocationBound {
    fn name(&self) -> &'static str {
        "revocation_bound"
    }

    fn looks_at(&self, observation: &Observation<'_>) -> bool {
        matches!(observation, Observation::Held(_))
    }

    fn look(
        &mut self,
        context: &Context<'_>,
        observation: &Observation<'_>,
        verdicts: &mut Verdicts,
    ) {
        let Observation::Held(change) = observation else { return };
        let Some(Resource::ApiKey(slot)) = &change.after else { return };
        if slot.credentials.iter().any(|key| context.ledger.key_with(&key.hash).is_none()) {
            let (about, found) = (context.about(&change.id), "a key that was never issued");
            verdicts.violated(self.name(), context.now, about, "keys of the ledger", found);
        }
    }

    fn tick(&mut self, context: &Context<'_>, verdicts: &mut Verdicts) {
        for (index, key) in context.ledger.ended_keys() {
            for id in context.holders.get(&key.hash).into_iter().flatten() {
                self.check(context, id, (index, key), verdicts);
            }
        }
    }
}

impl RevocationBound {
    /// Looks at a dead key that is in force.
    fn check(
        self,
        context: &Context<'_>,
        id: &ResourceId,
        (index, key): (KeyIndex, &KeyRecord),
        verdicts: &mut Verdicts,
    ) {
        let Some((from, bound)) = deadline(context, id, index, key) else { return };
        if context.now > from.after(bound) {
            verdicts.violated(
                self.name(),
                context.now,
                context.about(id),
                format!("refused {} ms after {from}", bound.as_millis()),
                "still in force",
            );
        }
    }
}

/// Whether an ending was heard before the very key that it ended, and its stamp says that it is
/// older: a clock was set back, and nobody but a list can tell.
fn seems_older(
    context: &Context<'_>,
    index: KeyIndex,
    artifact: &ArtifactId,
    ended: &AccessEvent,
) -> bool {
    let margin = context.config.clock_margin;
    let mut of_key = context.ledger.access_events_of(index, artifact);
    of_key.any(|begun| {
        let order = || begun.sent_at?.order_within(&ended.sent_at?, margin);
        begun.begins == Some(index)
            && context.heard.is_before(ended, begun)
            && order() == Some(Ordering::Greater)
    })
}

/// From when on, and within what bound, a dead key has to be refused; `None` where no event told
/// and no list would.
fn deadline(
    context: &Context<'_>,
    id: &ResourceId,
    index: KeyIndex,
    key: &KeyRecord,
) -> Option<(Instant, Duration)> {
    let ResourceId::ApiKey(artifact, _) = id else { return None };
    let last = key.life.last()?;
    let ended =
        context.ledger.access_events_of(index, artifact).rev().find(|it| it.ends == Some(index));
    let told = ended
        .filter(|event| event.at >= last.at && !seems_older(context, index, artifact, event))
        .and_then(|event| context.heard.at(event));
    if let Some(heard) = told {
        return Some((heard.max(context.disturbed_at), TOLD));
    }
    let is_deployed = context.ledger.record(artifact).is_some_and(|of| of.must_serve().is_some());
    let is_listed = context.ledger.reach(index, artifact, context.dialect).by_list
        && is_deployed
        && !super::access::is_unlisted(context, id, &key.hash);
    let bound = context.engine?.revocation_bound().filter(|_| is_listed)?;
    Some((last.readable_from.max(context.disturbed_at), bound))
}
