//! `closure`: keys and subscriptions follow their API, and nothing else (law 4). What is
//! undeployed keeps them, so that a redeploy brings them back; what is deleted takes them along;
//! and none that lives goes because an answer lacked it. Lists that lack it for as long as law 4
//! asks for have to be believed.

use driftless_gateway::engine::Intent;
use driftless_gateway::model::{Credential, Resource, ResourceId};

use super::{Property, Verdicts};
use crate::apim::{KeyState, Subject};
use crate::observe::{Context, HeldChange, Observation};

/// The property; it keeps nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Closure;

impl Property for Closure {
    fn name(&self) -> &'static str {
        "closure"
    }

    fn looks_at(&self, observation: &Observation<'_>) -> bool {
        matches!(observation, Observation::Held(_) | Observation::Rest(_))
    }

    fn look(
        &mut self,
        context: &Context<'_>,
        observation: &Observation<'_>,
        verdicts: &mut Verdicts,
    ) {
        match observation {
            Observation::Held(change) => self.vanished(context, change, verdicts),
            Observation::Rest(_) => self.orphaned(context, verdicts),
            _ => {}
        }
    }
}

impl Closure {
    /// Something that lives went although nobody said so.
    fn vanished(self, context: &Context<'_>, change: &HeldChange, verdicts: &mut Verdicts) {
        let Some(before) = &change.before else { return };
        if is_lost(context, &change.id, before, change.after.as_ref()) {
            let found = "gone, and nobody said so";
            verdicts.violated(self.name(), context.now, context.about(&change.id), "held", found);
        }
    }

    /// Something is held of what is deleted, and known to be.
    fn orphaned(self, context: &Context<'_>, verdicts: &mut Verdicts) {
        for (id, resource) in context.held {
            let artifact = match (id, resource) {
                (ResourceId::ApiKey(artifact, _), _) => artifact,
                (_, Resource::Subscription(subscription)) => &subscription.artifact,
                _ => continue,
            };
            let believed = context.engine.and_then(|engine| engine.desired().get(artifact));
            if believed.is_some_and(|known| known.intent == Intent::Deleted) {
                let found = format!("held although {} is deleted", context.name(artifact));
                verdicts.violated(
                    self.name(),
                    context.now,
                    context.about(id),
                    "gone with it",
                    found,
                );
            }
        }
    }
}

/// Whether something of `before` lives that is not in `after`, and nobody said that it ended.
pub(super) fn is_lost(
    context: &Context<'_>,
    id: &ResourceId,
    before: &Resource,
    after: Option<&Resource>,
) -> bool {
    // After a restore, what lives is not what lived when the gateway read it.
    if !context.ledger.restores().is_empty() {
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
            gone.any(|key| lives(context, id, key))
        }
        (ResourceId::Subscription(named), _) => {
            let record = context.ledger.subscription(named);
            after.is_none()
                && record.is_some_and(|record| record.life.now().is_some())
                && !was_told_of_an_end(context, id)
                && !was_denied(context, &Subject::Subscription(named.clone()))
        }
        _ => false,
    }
}

/// Whether a key lives that went, and no event about its name may have meant it.
fn lives(context: &Context<'_>, id: &ResourceId, key: &Credential) -> bool {
    let Some((_, record)) = context.ledger.key_with(&key.hash) else { return false };
    let ResourceId::ApiKey(artifact, _) = id else { return false };
    let is_deleted = context.ledger.record(artifact).is_none_or(|of| of.deleted_since().is_some());
    record.life.now() == Some(&KeyState::Active)
        && !record.is_expired(context.now)
        && context.ledger.opens(record, artifact, context.now)
        && !is_deleted
        && !was_told_of_an_end(context, id)
        && !was_denied(context, &Subject::Key(key.hash))
}

/// Whether lists lacked something for as long as it takes to believe them (law 4). When they were
/// asked for, and not when they were answered, is what the gateway goes by.
fn was_denied(context: &Context<'_>, item: &Subject) -> bool {
    let (_, time) = context.ledger.denied().longest(item);
    time + context.config.read_lag_max >= context.config.credential_orphan_delay
}

/// Whether any event told of an end under this name: it names no key, so it may end any.
fn was_told_of_an_end(context: &Context<'_>, id: &ResourceId) -> bool {
    let about = context.ledger.access_events().iter().filter(|event| event.about == *id);
    let mut ends =
        about.filter(|event| event.ends.is_some() || event.event_type.ends_with(".deleted"));
    ends.any(|event| context.heard.at(event).is_some())
}
