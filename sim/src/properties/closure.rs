//! `closure`: keys and subscriptions follow their API, and nothing else (law 4). What is
//! undeployed keeps them, so that a redeploy brings them back; what is deleted takes them along;
//! and none that lives goes because an answer lacked it.

use driftless_gateway::engine::Intent;
use driftless_gateway::model::{Credential, Resource, ResourceId};

use super::{Moment, Property, Scene, Verdicts};
use crate::apim::KeyState;
use crate::view::HeldChange;

/// The property; it has no books.
#[derive(Clone, Copy, Debug)]
pub(super) struct Closure;

impl Property for Closure {
    fn name(&self) -> &'static str {
        "closure"
    }

    fn looks_at(&self, moment: &Moment<'_>) -> bool {
        matches!(moment, Moment::Held(_) | Moment::Rest)
    }

    fn look(&mut self, scene: &Scene<'_>, moment: &Moment<'_>, verdicts: &mut Verdicts) {
        match moment {
            Moment::Held(change) => self.vanished(scene, change, verdicts),
            Moment::Rest => self.orphaned(scene, verdicts),
            _ => {}
        }
    }
}

impl Closure {
    /// Something that lives went although nobody said so.
    fn vanished(self, scene: &Scene<'_>, change: &HeldChange, verdicts: &mut Verdicts) {
        let Some(before) = &change.before else { return };
        if is_lost(scene, &change.id, before, change.after.as_ref()) {
            let found = "gone, and nobody said so";
            verdicts.violated(self.name(), scene.now, change.id.to_string(), "held", found);
        }
    }

    /// Something is held of what is deleted, and known to be.
    fn orphaned(self, scene: &Scene<'_>, verdicts: &mut Verdicts) {
        for (id, resource) in scene.held {
            let artifact = match (id, resource) {
                (ResourceId::ApiKey(artifact, _), _) => artifact,
                (_, Resource::Subscription(subscription)) => &subscription.artifact,
                _ => continue,
            };
            let believed = scene.engine.and_then(|engine| engine.desired().get(artifact));
            if believed.is_some_and(|known| known.intent == Intent::Deleted) {
                let found = format!("held although {} is deleted", scene.name(artifact));
                verdicts.violated(self.name(), scene.now, id.to_string(), "gone with it", found);
            }
        }
    }
}

/// Whether something of `before` lives that is not in `after`, and nobody said that it ended.
pub(super) fn is_lost(
    scene: &Scene<'_>,
    id: &ResourceId,
    before: &Resource,
    after: Option<&Resource>,
) -> bool {
    // After a restore, what lives is not what lived when the gateway read it.
    if !scene.ledger.restores().is_empty() {
        return false;
    }
    match (id, before) {
        (_, Resource::ApiKey(before)) => {
            let is_left = |key: &&Credential| match after {
                Some(Resource::ApiKey(after)) => {
                    after.credentials.iter().any(|left| left.hash == key.hash)
                }
                _ => false,
            };
            let mut gone = before.credentials.iter().filter(|key| !is_left(key));
            gone.any(|key| lives(scene, id, key))
        }
        (ResourceId::Subscription(named), _) => {
            let record = scene.ledger.subscription(named);
            after.is_none()
                && record.is_some_and(|record| record.life.now().is_some())
                && !was_told_of_an_end(scene, id)
        }
        _ => false,
    }
}

/// Whether a key lives that went, and no event about its name may have meant it.
fn lives(scene: &Scene<'_>, id: &ResourceId, key: &Credential) -> bool {
    let Some((_, record)) = scene.ledger.key_with(&key.hash) else { return false };
    let ResourceId::ApiKey(artifact, _) = id else { return false };
    let is_deleted = scene.ledger.record(artifact).is_none_or(|of| of.deleted_since().is_some());
    record.life.now() == Some(&KeyState::Active)
        && !record.is_expired(scene.now)
        && scene.ledger.opens(record, artifact, scene.now)
        && !is_deleted
        && !was_told_of_an_end(scene, id)
}

/// Whether any event told of an end under this name: it names no key, so it may end any.
fn was_told_of_an_end(scene: &Scene<'_>, id: &ResourceId) -> bool {
    let about = scene.ledger.access_events().iter().filter(|event| event.about == *id);
    let mut ends =
        about.filter(|event| event.ends.is_some() || event.event_type.ends_with(".deleted"));
    ends.any(|event| scene.told.heard(event).is_some())
}
