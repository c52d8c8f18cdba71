//! `safe_read`: a failed, partial or malformed read removes and replaces nothing (law 3).
//!
//! What is withdrawn must have been undeployed or deleted since it was served, or denied by all
//! that a gateway can ask; what is served
//! must be something that APIM issued for that very artifact. What is held of keys, subscriptions,
//! plans and applications must have been issued too; that none goes is for `closure` to say.

use std::collections::BTreeMap;

use driftless_gateway::model::{ArtifactId, Event, Resource, ResourceId};

use super::{Property, Verdicts};
use crate::apim::{Cause, Issued, KeyScope, Subject};
use crate::observe::{Context, Observation};

/// The number of the newest statement when each artifact began to be served as it is.
#[derive(Clone, Debug, Default)]
pub(super) struct SafeRead {
    served_since: BTreeMap<ArtifactId, u32>,
    /// The newest statement that an undeploy heard by the gateway belongs to; the one before a
    /// redeploy belongs to the new deployment.
    heard: BTreeMap<ArtifactId, u32>,
}

impl Property for SafeRead {
    fn name(&self) -> &'static str {
        "safe_read"
    }

    fn looks_at(&self, observation: &Observation<'_>) -> bool {
        matches!(
            observation,
            Observation::Heard(_) | Observation::Served { .. } | Observation::Held(_)
        )
    }

    fn look(
        &mut self,
        context: &Context<'_>,
        observation: &Observation<'_>,
        verdicts: &mut Verdicts,
    ) {
        match observation {
            Observation::Heard(Event::Undeployed(head)) => {
                self.hear(context, &head.artifact, head.performed_text.as_deref());
            }
            Observation::Heard(Event::Deleted { artifact, .. }) => {
                self.hear(context, artifact, None)
            }
            Observation::Held(change) => {
                let after = change.after.as_ref();
                if after.is_some_and(|after| !was_issued(context, &change.id, after)) {
                    let (subject, found) = (context.about(&change.id), "something else");
                    let expected = "what APIM issued under that name";
                    verdicts.violated(self.name(), context.now, subject, expected, found);
                }
            }
            _ => {}
        }
        let Observation::Served { artifact, before, after } = observation else { return };
        let Some(record) = context.ledger.record(artifact) else {
            let found = "served, and never issued";
            verdicts.violated(self.name(), context.now, artifact.as_str(), "not served", found);
            return;
        };
        if let Some(after) = after {
            let since = self.served_since.entry((*artifact).clone()).or_insert(0);
            let issued = |least: u32| {
                let numbers = record.issues_of(after.digest).map(|issue| issue.number);
                numbers.filter(|number| *number >= least).min()
            };
            match issued(*since).or_else(|| issued(0)) {
                Some(number) => *since = number,
                None => verdicts.violated(
                    self.name(),
                    context.now,
                    context.name(artifact),
                    "a definition that APIM issued for this artifact",
                    format!("{} instead", after.digest),
                ),
            }
            return;
        }
        let since = self.served_since.get(*artifact).copied().unwrap_or(0);
        let heard = self.heard.get(*artifact).is_some_and(|issue| *issue > since);
        let ended = heard
            || record.issues.iter().any(|issue| {
                issue.number > since && matches!(issue.what, Issued::Undeployed | Issued::Deleted)
            });
        let is_believable = ended || was_denied(context, artifact);
        if before.is_some() && !is_believable && context.engine.is_some() {
            verdicts.violated(
                self.name(),
                context.now,
                context.name(artifact),
                "served: APIM neither undeployed nor deleted it",
                "withdrawn",
            );
        }
    }
}

impl SafeRead {
    /// The gateway heard that an artifact is undeployed (with its stamp) or deleted (without).
    fn hear(&mut self, context: &Context<'_>, artifact: &ArtifactId, stamp: Option<&str>) {
        let Some(record) = context.ledger.record(artifact) else { return };
        let event = context.ledger.events().iter().rev().find(|event| {
            event.artifact == *artifact
                && match stamp {
                    Some(stamp) => event.performed_text == stamp,
                    None => event.event_type == "api.deleted",
                }
        });
        let Some(issue) = event.map(|event| event.issue) else { return };
        // A restored backup takes it back without an event; nobody can know that from this one.
        let is_undone =
            record.issues.iter().any(|later| later.number > issue && later.cause == Cause::Restore);
        let known = self.heard.entry(artifact.clone()).or_insert(0);
        *known = (*known).max(if is_undone { u32::MAX } else { issue });
    }
}

/// Whether two lists in a row lacked an artifact and its own answer was that it is not deployed:
/// that is all that a gateway can ask, so it has to believe it (law 4).
fn was_denied(context: &Context<'_>, artifact: &ArtifactId) -> bool {
    let denied = context.ledger.denied();
    let (lists, _) = denied.longest(&Subject::Row(artifact.clone()));
    let (answers, time) = denied.longest(&Subject::Definition(artifact.clone()));
    (lists > 1 && answers > 0) || time >= context.config.resync_interval
}

/// Whether APIM ever said so of a resource.
fn was_issued(context: &Context<'_>, id: &ResourceId, held: &Resource) -> bool {
    let ledger = context.ledger;
    match (id, held) {
        (ResourceId::ApiKey(artifact, _), Resource::ApiKey(slot)) => {
            slot.credentials.iter().all(|held| {
                ledger.key_with(&held.hash).is_some_and(|(_, key)| match &key.scope {
                    KeyScope::Api(of) => of == artifact,
                    KeyScope::Application(_) => true,
                })
            })
        }
        (ResourceId::Subscription(id), Resource::Subscription(held)) => {
            let said = ledger.subscription(id).map(|record| record.life.said());
            said.into_iter().flatten().any(|said| said.what.as_ref() == Some(held))
        }
        (ResourceId::Plan(id), Resource::Plan(held)) => {
            let said = ledger.plan(id).map(|record| record.life.said());
            said.into_iter().flatten().any(|said| said.what.as_ref() == Some(held))
        }
        (ResourceId::Application(id), Resource::Application(_)) => ledger.application(id).is_some(),
        _ => false,
    }
}
