//! `revocation_bound`: a dead credential is refused within the bound that the status prints
//! (law 11), and at once when the gateway was told.
//!
//! Expiry is judged by the snapshot at every request; `same_decision` looks at it.

use std::cmp::Ordering;
use std::time::Duration;

use driftless_gateway::model::{ArtifactId, Resource, ResourceId};
use driftless_gateway::time::{Instant, Timestamp};

use super::{Moment, Property, Scene, Verdicts};
use crate::apim::{AccessEvent, KeyIndex, KeyRecord};

/// How long a gateway that was told may take to write it down.
const TOLD: Duration = Duration::from_secs(2);

/// The property; it has no books.
#[derive(Clone, Copy, Debug)]
pub(super) struct RevocationBound;

impl Property for RevocationBound {
    fn name(&self) -> &'static str {
        "revocation_bound"
    }

    fn looks_at(&self, moment: &Moment<'_>) -> bool {
        matches!(moment, Moment::Held(_))
    }

    fn look(&mut self, scene: &Scene<'_>, moment: &Moment<'_>, verdicts: &mut Verdicts) {
        let Moment::Held(change) = moment else { return };
        let Some(Resource::ApiKey(slot)) = &change.after else { return };
        if slot.credentials.iter().any(|key| scene.ledger.key_with(&key.hash).is_none()) {
            let (about, found) = (change.id.to_string(), "a key that was never issued");
            verdicts.violated(self.name(), scene.now, about, "keys of the ledger", found);
        }
    }

    fn tick(&mut self, scene: &Scene<'_>, verdicts: &mut Verdicts) {
        for (index, key) in scene.ledger.ended_keys() {
            for id in scene.holders.get(&key.hash).into_iter().flatten() {
                self.check(scene, id, (index, key), verdicts);
            }
        }
    }
}

impl RevocationBound {
    /// Looks at a dead key that is in force.
    fn check(
        self,
        scene: &Scene<'_>,
        id: &ResourceId,
        (index, key): (KeyIndex, &KeyRecord),
        verdicts: &mut Verdicts,
    ) {
        let Some((from, bound)) = deadline(scene, id, index, key) else { return };
        if scene.now > from.after(bound) {
            verdicts.violated(
                self.name(),
                scene.now,
                id.to_string(),
                format!("refused {} ms after {from}", bound.as_millis()),
                "still in force",
            );
        }
    }
}

/// Whether the stamps say that an ending is older than the key that it ends, or than another ending
/// of that name: a clock was set back, and only a list can tell.
fn seems_older(
    scene: &Scene<'_>,
    index: KeyIndex,
    artifact: &ArtifactId,
    ended: &AccessEvent,
) -> bool {
    let stamp = |event: &AccessEvent| Timestamp::parse(&event.sent_text).ok();
    let order = |event: &AccessEvent, margin| stamp(event)?.order_within(&stamp(ended)?, margin);
    let begun = scene.ledger.access_events_of(index, artifact).find(|it| it.begins == Some(index));
    let margin = scene.config.clock_margin;
    begun.is_some_and(|begun| order(begun, margin) == Some(Ordering::Greater))
        || scene.ledger.access_events().iter().any(|it| {
            it.ends.is_some()
                && it.about == ended.about
                && order(it, Duration::ZERO) == Some(Ordering::Greater)
        })
}

/// From when on, and within what bound, a dead key has to be refused; `None` where no event told
/// and no list would.
fn deadline(
    scene: &Scene<'_>,
    id: &ResourceId,
    index: KeyIndex,
    key: &KeyRecord,
) -> Option<(Instant, Duration)> {
    let ResourceId::ApiKey(artifact, _) = id else { return None };
    let last = key.life.last()?;
    let ended =
        scene.ledger.access_events_of(index, artifact).rev().find(|it| it.ends == Some(index));
    let told = ended
        .filter(|event| event.at >= last.at && !seems_older(scene, index, artifact, event))
        .and_then(|event| scene.told.heard(event));
    if let Some(heard) = told {
        return Some((heard.max(scene.disturbed_at), TOLD));
    }
    let is_deployed = scene.ledger.record(artifact).is_some_and(|of| of.must_serve().is_some());
    let is_listed = scene.ledger.reach(index, artifact, scene.dialect).by_list
        && is_deployed
        && !super::access::is_unlisted(scene, id, &key.hash);
    let bound = scene.engine?.revocation_bound().filter(|_| is_listed)?;
    Some((last.readable_from.max(scene.disturbed_at), bound))
}
