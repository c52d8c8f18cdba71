//! `safe_read`: a failed, partial or malformed read removes and replaces nothing (law 3).
//!
//! What is withdrawn must have been undeployed or deleted since it was served; what is served
//! must be something that APIM issued for that very artifact.

use std::collections::BTreeMap;

use driftless_gateway::model::{ArtifactId, Event};

use super::{Moment, Property, Scene, Verdicts};
use crate::manager::{Cause, Issued};

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

    fn looks_at(&self, moment: &Moment<'_>) -> bool {
        matches!(moment, Moment::Heard(_) | Moment::Served { .. })
    }

    fn look(&mut self, scene: &Scene<'_>, moment: &Moment<'_>, verdicts: &mut Verdicts) {
        match moment {
            Moment::Heard(Event::Undeployed(head)) => {
                self.hear(scene, &head.artifact, head.performed_text.as_deref());
            }
            Moment::Heard(Event::Deleted { artifact, .. }) => self.hear(scene, artifact, None),
            _ => {}
        }
        let Moment::Served { artifact, before, after } = moment else { return };
        let Some(record) = scene.ledger.record(artifact) else {
            let found = "served, and never issued";
            verdicts.violated(self.name(), scene.now, artifact.as_str(), "not served", found);
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
                    scene.now,
                    scene.name(artifact),
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
        if before.is_some() && !ended && scene.engine.is_some() {
            verdicts.violated(
                self.name(),
                scene.now,
                scene.name(artifact),
                "served: APIM neither undeployed nor deleted it",
                "withdrawn",
            );
        }
    }
}

impl SafeRead {
    /// The gateway heard that an artifact is undeployed (with its stamp) or deleted (without).
    fn hear(&mut self, scene: &Scene<'_>, artifact: &ArtifactId, stamp: Option<&str>) {
        let Some(record) = scene.ledger.record(artifact) else { return };
        let event = scene.ledger.events().iter().rev().find(|event| {
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
